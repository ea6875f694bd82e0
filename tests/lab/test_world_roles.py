"""Roles: moving, draining, failing over and failing back, and how Windows fails at it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.lab.faults import Fault
from cauctl.lab.world import Quirks, RoleSpec, World
from cauctl.lab.world.roles import ClusterApiError
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import DrainStatus, GroupState
from tests.lab.desk import quiet_world

MINUTES = timedelta(minutes=5)


def after(world: World, time: timedelta = MINUTES) -> World:
    world.advance(world.now + time)
    return world


def owners(world: World) -> dict[str, str]:
    return {group.name: group.owner for group in world.cluster.roles}


def drained(world: World, node: str = "NODE1", *, force: bool = False) -> DrainStatus:
    world.cluster.suspend(node, drain=True, force=force, by="test")
    return after(world).cluster.member(node).drain


def test_a_drain_moves_everything_away_and_says_so() -> None:
    world = quiet_world()
    assert drained(world) is DrainStatus.COMPLETED
    assert world.cluster.roles.owned_by("NODE1") == []
    assert "NODE1" not in world.cluster.volume_owners.values()


def test_a_drain_takes_time_and_shows_it() -> None:
    world = quiet_world()
    world.cluster.suspend("NODE1", drain=True, by="test")
    after(world, timedelta(seconds=5))
    member = world.cluster.member("NODE1")
    assert (member.state.value, member.drain, member.status_information) == (
        "Paused",
        DrainStatus.IN_PROGRESS,
        ("DrainInProgress",),
    )
    assert world.cluster.roles.owned_by("NODE1")


def test_only_what_cannot_move_live_is_offline_for_a_drain() -> None:
    world = quiet_world()
    drained(world)
    assert set(world.ledger.report(world.now).role_offline) == {"Cluster Group", "SQL Server (MSSQLSERVER)"}


def test_pausing_without_drain_leaves_roles_alone() -> None:
    world = quiet_world()
    before = owners(world)
    world.cluster.suspend("NODE1", drain=False, by="test")
    assert (owners(after(world)), world.cluster.member("NODE1").drain) == (before, DrainStatus.NOT_INITIATED)


def test_a_locked_role_fails_the_drain_and_the_others_stay_away() -> None:
    roles = (RoleSpec("A", owner="NODE1"), RoleSpec("B", owner="NODE1", locked=True))
    world = quiet_world(roles=roles)
    assert drained(world) is DrainStatus.FAILED
    member = world.cluster.member("NODE1")
    assert [group.name for group in world.cluster.roles.owned_by("NODE1")] == ["B"]
    assert (member.drain_error, member.status_information) == (5960, ("DrainFailed",))


def test_a_forced_drain_drags_a_stuck_role_away_as_a_failed_one() -> None:
    world = quiet_world(roles=(RoleSpec("B", owner="NODE1", locked=True),))
    assert drained(world, force=True) is DrainStatus.COMPLETED
    group = world.cluster.roles.find("B")
    assert group is not None
    assert (group.owner != "NODE1", group.state) == (True, GroupState.FAILED)
    assert "B" in world.ledger.report(world.now).role_offline


def test_a_drain_without_any_other_node_fails() -> None:
    world = quiet_world(nodes=2)
    world.cluster.suspend("NODE2", drain=False, by="test")
    assert drained(world) is DrainStatus.FAILED


def test_the_fault_drain_fails_happens_as_often_as_it_says() -> None:
    world = quiet_world(faults=(Fault.parse("drain-fails:NODE1,times=1"),))
    assert drained(world) is DrainStatus.FAILED
    world.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE, by="test")
    assert drained(after(world)) is DrainStatus.COMPLETED


def test_a_drain_may_report_completed_with_a_role_left() -> None:
    world = quiet_world(quirks=Quirks(1.0, 0, 0, 0, 0))
    assert drained(world) is DrainStatus.COMPLETED
    (left,) = world.cluster.roles.owned_by("NODE1")
    world.cluster.roles.move(left)
    assert after(world).cluster.roles.owned_by("NODE1") == []


@pytest.mark.parametrize(
    ("returned", "failback"),
    [
        ({"SQL Server (MSSQLSERVER)", "VM01", "VM05", "Cluster Group", "Available Storage"}, FailbackType.IMMEDIATE),
        ({"VM01", "VM05"}, FailbackType.POLICY),
        (set(), FailbackType.NO_FAILBACK),
    ],
)
def test_failback_returns_what_its_kind_says(returned: set[str], failback: FailbackType) -> None:
    world = quiet_world()
    drained(world)
    world.cluster.resume("NODE1", failback=failback, by="test")
    assert {group.name for group in after(world).cluster.roles.owned_by("NODE1")} == returned


def test_failback_may_land_elsewhere() -> None:
    world = quiet_world(quirks=Quirks(0, 1.0, 0, 0, 0))
    before = {name: owner for name, owner in owners(world).items() if name.startswith(("VM", "SQL"))}
    drained(world)
    world.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE, by="test")
    after(world)
    assert any(owners(world)[name] != owner for name, owner in before.items())


def test_roles_of_a_lost_node_come_up_elsewhere_and_the_ledger_counts_it() -> None:
    world = quiet_world()
    world.machine("NODE1").lose_power()
    after(world, timedelta(seconds=40))
    report = world.ledger.report(world.now)
    under = {role for role, _ in report.roles_restarted_under}
    assert under == {"SQL Server (MSSQLSERVER)", "VM01", "VM05"}
    assert all(group.online for group in world.cluster.roles if group.wanted)
    assert report.role_offline["VM01"] == timedelta(seconds=25)


def test_roles_without_any_node_wait_and_come_up_with_the_first_that_can_take_them() -> None:
    world = quiet_world(nodes=2)
    world.cluster.suspend("NODE2", drain=True, by="test")
    after(world)
    world.machine("NODE1").lose_power()
    after(world, timedelta(minutes=1))
    assert not any(group.online for group in world.cluster.roles if not group.core)
    world.cluster.resume("NODE2", failback=FailbackType.NO_FAILBACK, by="test")
    assert all(group.online for group in after(world).cluster.roles if group.wanted)


@pytest.mark.parametrize(
    ("code", "name", "target"),
    [(5960, "Locked", "NODE2"), (5036, "Bound", "NODE3"), (5036, "Free", "NODE4")],
)
def test_a_move_that_cannot_be_is_refused_with_windows_code(code: int, name: str, target: str) -> None:
    roles = (
        RoleSpec("Locked", owner="NODE1", locked=True),
        RoleSpec("Bound", owner="NODE1", possible=("NODE1", "NODE2")),
        RoleSpec("Free", owner="NODE1"),
    )
    world = quiet_world(roles=roles)
    world.cluster.suspend("NODE4", drain=True, by="test")
    group = world.cluster.roles.find(name)
    assert group is not None
    with pytest.raises(ClusterApiError) as caught:
        world.cluster.roles.move(group, target)
    assert caught.value.code == code


def test_a_role_whose_target_is_lost_on_the_way_comes_up_somewhere() -> None:
    world = quiet_world()
    group = world.cluster.roles.find("SQL Server (MSSQLSERVER)")
    assert group is not None
    world.cluster.roles.move(group, "NODE2")
    after(world, timedelta(seconds=2))
    world.machine("NODE2").lose_power()
    after(world)
    assert (group.online, group.target) == (True, None)


def test_the_second_group_of_a_name_is_refused() -> None:
    """The cluster's test-and-set: ERROR_OBJECT_ALREADY_EXISTS."""
    world = quiet_world()
    world.cluster.roles.add("lock", "Unknown", "NODE1")
    with pytest.raises(ClusterApiError) as caught:
        world.cluster.roles.add("LOCK", "Unknown", "NODE2")
    assert caught.value.code == 5010


def test_a_node_that_an_administrator_paused_is_in_the_ledger_from_the_beginning() -> None:
    plain = quiet_world().scenario
    world = World(evolve(plain, nodes=(evolve(plain.nodes[0], paused=True), *plain.nodes[1:])), 1)
    assert world.ledger.report(world.now).paused_now == {"NODE1": "administrator"}
