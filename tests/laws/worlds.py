"""Worlds that hypothesis makes up: clusters of all shapes, with troubles at any moment."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from attrs import field, frozen
from hypothesis import strategies as st

from cauctl.lab.faults import EVERY_NODE, Fault, FaultKind
from cauctl.lab.world import World
from cauctl.lab.world.roles import ClusterApiError
from cauctl.lab.world.scenario import NodeSpec, Quirks, RoleSpec, Scenario
from cauctl.models.enums import FailbackType

PLAIN = frozenset({"WindowsServer2022"})
WITH_SQL = frozenset({"WindowsServer2022", "SqlServer2019"})


@frozen
class Trouble:
    """Something that somebody else, or nature, does at a moment of the run."""

    kind: str
    """``power``, ``pause`` or ``witness``."""
    node: str = field(kw_only=True)
    """Where."""
    after: timedelta = field(kw_only=True)
    """When, from the beginning."""

    def plan(self, world: World) -> None:
        """Let it happen in the world."""
        world.kernel.after(self.after, lambda: self._happen(world))

    def _happen(self, world: World) -> None:
        member = world.cluster.member(self.node)
        if self.kind == "power":
            world.machine(self.node).lose_power()
        elif self.kind == "pause" and member.joined and not member.paused:
            with suppress(ClusterApiError):
                world.cluster.suspend(self.node, drain=True, by="administrator")


@frozen
class Case:
    """A world, its troubles, and what the run is asked for."""

    scenario: Scenario
    """The world."""
    seed: int = field(kw_only=True)
    """Its luck."""
    troubles: tuple[Trouble, ...] = field(default=(), kw_only=True)
    """What happens besides."""
    options: dict[str, object] = field(factory=dict, kw_only=True)
    """Settings of the run."""


def _names(count: int) -> list[str]:
    return [f"N{number}" for number in range(1, count + 1)]


@st.composite
def _nodes(draw: st.DrawFn, names: list[str]) -> tuple[NodeSpec, ...]:
    sites = draw(st.sampled_from([None, None, 2, 3]))
    specs = []
    for index, name in enumerate(names):
        rare = draw(st.integers(0, 19))
        specs.append(
            NodeSpec(
                name,
                products=draw(st.sampled_from([PLAIN, PLAIN, WITH_SQL])),
                paused=rare == 1,
                down=rare == 2 and index > 0,
                reboot_pending=rare in {3, 4},
                node_weight=0 if rare == 5 else 1,
                site=f"Site{index % sites}" if sites else None,
                slow_service=timedelta(minutes=4) if rare == 6 else timedelta(),
            )
        )
    return tuple(specs)


@st.composite
def _roles(draw: st.DrawFn, nodes: tuple[NodeSpec, ...]) -> tuple[RoleSpec, ...]:
    homes = [node.name for node in nodes if not node.down and not node.paused] or [nodes[0].name]
    count = draw(st.integers(0, 2 * len(nodes)))
    return tuple(
        RoleSpec(
            f"Role{number}",
            owner=draw(st.sampled_from(homes)),
            group_type=draw(st.sampled_from(["VirtualMachine", "VirtualMachine", "FileServer"])),
            locked=draw(st.integers(0, 29)) == 0,
            online=draw(st.integers(0, 9)) > 0,
            auto_failback=draw(st.booleans()),
        )
        for number in range(1, count + 1)
    )


@st.composite
def _faults(draw: st.DrawFn, names: list[str]) -> tuple[Fault, ...]:
    if draw(st.integers(0, 4)) == 0:
        return ()
    chosen = draw(st.lists(st.sampled_from(list(FaultKind)), min_size=1, max_size=3, unique=True))
    return tuple(
        Fault(
            kind,
            node=draw(st.sampled_from([*names, EVERY_NODE])),
            times=draw(st.sampled_from([None, 1, 2])),
            after=timedelta(seconds=draw(st.integers(0, 300))),
            lasts=timedelta(seconds=draw(st.integers(5, 1500))),
        )
        for kind in chosen
    )


@st.composite
def _troubles(draw: st.DrawFn, names: list[str]) -> tuple[Trouble, ...]:
    count = draw(st.sampled_from([0, 0, 0, 1, 2]))
    return tuple(
        Trouble(
            draw(st.sampled_from(["power", "pause"])),
            node=draw(st.sampled_from(names)),
            after=timedelta(seconds=draw(st.integers(0, 9000))),
        )
        for _ in range(count)
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Make up a world and a run."""
    names = _names(draw(st.sampled_from([2, 3, 4, 4, 4, 5, 6, 8])))
    nodes = draw(_nodes(names))
    return Case(
        Scenario(
            "LAW-FC1",
            nodes=nodes,
            roles=draw(_roles(nodes)),
            witness=draw(st.integers(0, 3)) > 0,
            virtual_disks=draw(st.sampled_from([(), ("Volume01",)])),
            quirks=draw(st.sampled_from([Quirks.none(), Quirks(), Quirks(0.5, 0.5, 0.5, 0.5, 0.5)])),
            faults=draw(_faults(names)),
        ),
        seed=draw(st.integers(0, 2**16)),
        troubles=draw(_troubles(names)),
        options={
            "max_failed_nodes": draw(st.sampled_from([None, 0, 1])),
            "max_retries_per_node": draw(st.sampled_from([0, 1, 3])),
            "failback_mode": draw(st.sampled_from(list(FailbackType))),
            "stop_after": draw(st.sampled_from([None, None, None, timedelta(minutes=40), timedelta(hours=2)])),
        },
    )
