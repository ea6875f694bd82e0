"""Votes: the tables of dynamic quorum, and what departures do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.lab.faults import Fault
from cauctl.lab.world import NodeSpec, Scenario, World
from tests.lab.desk import quiet_world


def world_of(*weights: int, witness: bool = True, dynamic: bool = True, faults: tuple[Fault, ...] = ()) -> World:
    nodes = tuple(NodeSpec(f"N{number}", node_weight=weight) for number, weight in enumerate(weights, 1))
    return World(Scenario(nodes=nodes, witness=witness, dynamic_quorum=dynamic, faults=faults), 1)


def votes(world: World) -> tuple[list[int], int]:
    quorum = world.cluster.quorum
    return [member.dynamic_weight for member in world.cluster.members.values()], quorum.witness_weight


@pytest.mark.parametrize(
    ("expected", "world"),
    [
        (([1, 1], 1), world_of(1, 1)),
        (([1, 0], 0), world_of(1, 1, witness=False)),
        (([1, 1, 1], 0), world_of(1, 1, 1)),
        (([1, 1, 1, 1], 1), world_of(1, 1, 1, 1)),
        (([1, 1, 1, 0], 0), world_of(1, 1, 1, 1, witness=False)),
        (([1, 1, 1, 0], 0), world_of(1, 1, 1, 1, faults=(Fault.parse("witness-offline"),))),
        (([0, 1, 1], 1), world_of(0, 1, 1)),
        (([1, 1, 1, 1], 1), world_of(1, 1, 1, 1, dynamic=False)),
    ],
    ids=["2+w", "2", "3+w", "4+w", "4", "4+w offline", "vote taken", "static"],
)
def test_votes_as_dynamic_quorum_gives_them(expected: tuple[list[int], int], world: World) -> None:
    """Quorum page: an odd number of votes; the witness or the last node makes it so."""
    assert votes(world) == expected


@pytest.mark.parametrize(
    ("margins", "weights", "witness"),
    [([0, 0], (1, 1), True), ([-1, 0], (1, 1), False), ([0, 0, 0], (1, 1, 1), True), ([1] * 4, (1, 1, 1, 1), True)],
)
def test_margin_without_a_node(*, margins: list[int], weights: tuple[int, ...], witness: bool) -> None:
    world = world_of(*weights, witness=witness)
    members = world.cluster.members.values()
    assert [world.cluster.quorum.margin_without(member) for member in members] == margins


def test_nodes_may_go_one_after_the_other_down_to_the_last() -> None:
    world = world_of(1, 1, 1, 1, witness=False)
    for name in ("N4", "N3", "N2"):
        world.cluster.leave(name, graceful=True, by="test")
        assert world.cluster.has_quorum
    assert votes(world) == ([1, 0, 0, 0], 0)


def test_a_sudden_loss_of_the_voter_of_two_loses_quorum_and_every_role() -> None:
    world = quiet_world(nodes=2, witness=False)
    world.cluster.leave("NODE1", graceful=False, by="power")
    report = world.ledger.report(world.now)
    assert (world.cluster.has_quorum, report.quorum_losses, report.least_vote_margin) == (False, 1, -1)
    assert not any(group.online for group in world.cluster.roles)


def test_quorum_returns_when_enough_nodes_join_again() -> None:
    world = quiet_world(nodes=2, witness=False)
    machine = world.machine("NODE1")
    machine.lose_power()
    world.advance(world.now + timedelta(minutes=20))
    assert world.cluster.has_quorum
    assert all(group.online for group in world.cluster.roles if group.wanted)


def test_static_quorum_counts_votes_of_nodes_that_are_gone() -> None:
    world = world_of(1, 1, 1, 1, witness=False, dynamic=False)
    world.cluster.leave("N1", graceful=True, by="test")
    margin = world.cluster.quorum.margin_without(world.cluster.member("N2"))
    assert margin == -1
    world.cluster.leave("N2", graceful=True, by="test")
    assert not world.cluster.has_quorum


def test_a_node_that_is_down_at_the_beginning_has_no_vote_and_owns_nothing() -> None:
    plain = quiet_world(nodes=4).scenario
    nodes = (evolve(plain.nodes[0], down=True), *plain.nodes[1:])
    world = World(evolve(plain, nodes=nodes), 1)
    assert votes(world) == ([0, 1, 1, 1], 0)
    assert world.cluster.roles.owned_by("NODE1") == []
    assert world.ledger.most_nodes_down == 1
