"""Worlds that hypothesis makes up: clusters of all shapes, updates of all kinds, troubles at any moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from attrs import field, frozen
from hypothesis import strategies as st

from cauctl.lab.faults import EVERY_NODE, Fault, FaultKind
from cauctl.lab.world import CatalogueUpdate, World
from cauctl.lab.world.roles import ClusterApiError
from cauctl.lab.world.scenario import NodeSpec, Quirks, RoleSpec, Scenario
from cauctl.models.enums import FailbackType

ADMINISTRATOR = "administrator"
PLAIN = frozenset({"WindowsServer2022"})
WITH_SQL = frozenset({"WindowsServer2022", "SqlServer2019"})
LUCK = st.integers(0, 119)
"""A number to divide; small ranges are drawn evenly, large ones mostly from their beginning."""
MOMENTS = st.builds(lambda minute, second: timedelta(minutes=minute, seconds=second), *[st.integers(0, 119)] * 2)
"""Moments of the first two hours."""
WU_E_PERMANENT = 0x80070643
WU_E_PASSING = 0x8024401C


@frozen
class Trouble:
    """Something that somebody else, or nature, does at a moment of the run."""

    kind: str
    """One of :data:`TROUBLES`."""
    node: str = field(kw_only=True)
    """Where."""
    after: timedelta = field(kw_only=True)
    """When, from the beginning."""
    lasts: timedelta = field(default=timedelta(minutes=10), kw_only=True)
    """For how long, where it ends by itself."""
    fault: Fault | None = field(default=None, kw_only=True)
    """What a node begins to suffer from."""
    update_id: str = field(default="", kw_only=True)
    """What is withdrawn."""

    def plan(self, world: World) -> None:
        """Let it happen in the world."""
        world.kernel.after(self.after, lambda: TROUBLES[self.kind](world, self))


def _lose_power(world: World, trouble: Trouble) -> None:
    world.machine(trouble.node).lose_power()


def _pause(world: World, trouble: Trouble) -> None:
    member = world.cluster.member(trouble.node)
    if member.joined and not member.paused:
        with suppress(ClusterApiError):
            world.cluster.suspend(trouble.node, drain=True, by=ADMINISTRATOR)


def _cut(world: World, trouble: Trouble) -> None:
    world.machine(trouble.node).cut(trouble.lasts)


def _stop_service(world: World, trouble: Trouble) -> None:
    machine = world.machine(trouble.node)
    machine.stop_cluster_service(ADMINISTRATOR)
    boot = machine.boot_time

    def start_again() -> None:
        if machine.answers and machine.boot_time == boot:
            machine.start_cluster_service()

    world.kernel.after(trouble.lasts, start_again)


def _lose_witness(world: World, trouble: Trouble) -> None:
    quorum = world.cluster.quorum
    if quorum.witness is None or not quorum.witness_online:
        return

    def turn(*, online: bool) -> None:
        quorum.witness_online = online
        if world.cluster.has_quorum:
            quorum.recompute()
        world.kernel.touch()

    turn(online=False)
    world.kernel.after(trouble.lasts, lambda: turn(online=True))


def _fall_ill(world: World, trouble: Trouble) -> None:
    if trouble.fault is not None:
        world.faults.arm(trouble.fault, trouble.node)


def _withdraw(world: World, trouble: Trouble) -> None:
    for machine in world.machines.values():
        machine.updates.withdraw(trouble.update_id)


TROUBLES: dict[str, Callable[[World, Trouble], None]] = {
    "power": _lose_power,
    "pause": _pause,
    "cut": _cut,
    "service": _stop_service,
    "witness": _lose_witness,
    "fault": _fall_ill,
    "withdrawal": _withdraw,
}
DISTURBING = frozenset({"power", "service", "witness", "pause"})
"""Troubles that take something out of the cluster which no run of ours can keep there."""


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

    @property
    def disturbed(self) -> bool:
        """Whether somebody else takes nodes, votes or the like away during the run."""
        return any(trouble.kind in DISTURBING for trouble in self.troubles)


# --- clusters --------------------------------------------------------------------------------------------------------


@st.composite
def _nodes(draw: st.DrawFn, names: list[str]) -> tuple[NodeSpec, ...]:
    sites = draw(st.sampled_from([None, None, 2, 3]))
    voters = draw(st.sampled_from([len(names)] * 5 + [2]))
    specs = []
    for index, name in enumerate(names):
        rare = draw(st.integers(0, 29))
        specs.append(
            NodeSpec(
                name,
                products=WITH_SQL if rare % 3 == 0 else PLAIN,
                paused=rare == 1,
                down=rare == 2 and index > 0,
                reboot_pending=rare in {3, 4},
                node_weight=0 if rare == 5 or index >= voters else 1,
                site=f"Site{index % sites}" if sites else None,
                slow_service=timedelta(minutes=4) if rare in {6, 7} else timedelta(),
            )
        )
    return tuple(specs)


@st.composite
def _roles(draw: st.DrawFn, nodes: tuple[NodeSpec, ...]) -> tuple[RoleSpec, ...]:
    homes = [node.name for node in nodes if not node.down and not node.paused] or [nodes[0].name]
    count = draw(st.integers(0, 2 * len(nodes)))
    return tuple(_role(f"Role{number}", draw(LUCK), homes) for number in range(1, count + 1))


def _role(name: str, luck: int, homes: list[str]) -> RoleSpec:
    return RoleSpec(
        name,
        owner=homes[luck % len(homes)],
        group_type="FileServer" if luck % 3 == 0 else "VirtualMachine",
        locked=luck % 24 == 5,
        online=luck % 10 != 7,
        auto_failback=luck % 4 < 2,
    )


# --- updates ---------------------------------------------------------------------------------------------------------


_KINDS = ("plain", "restart", "restart", "dependent", "servicing", "exclusive", "odd", "odd")


@st.composite
def _catalogue(draw: st.DrawFn) -> tuple[CatalogueUpdate, ...]:
    """None to six updates: plain ones, some that depend on another or replace it, that fail, that are rolled back."""
    updates: list[CatalogueUpdate] = []
    for number in range(1, draw(st.sampled_from([0, 1, 1, 2, 2, 3, 4, 6])) + 1):
        kind = draw(
            st.sampled_from(["plain", "restart", "restart", "dependent", "servicing", "exclusive", "odd", "odd"])
        )
        updates.append(_update(number, kind, draw(LUCK), updates))
    return tuple(updates)


def _update(number: int, kind: str, luck: int, earlier: list[CatalogueUpdate]) -> CatalogueUpdate:
    odd = luck % 8 if kind == "odd" else -1
    restarts = kind in {"restart", "servicing"} or odd in {0, 1, 7} or luck % 5 == 0
    return CatalogueUpdate(
        str(UUID(int=number)),
        title=f"Update {number}, {kind}",
        kb=f"500{number}",
        size=(1 + luck) << 20,
        products=frozenset({"SqlServer2019"}) if odd == 2 else PLAIN,
        requires=(earlier[luck % len(earlier)].update_id,) if kind == "dependent" and earlier else (),
        superseded_by=(str(UUID(int=number + 1)),) if odd == 3 else (),
        duration=timedelta(seconds=20 + 4 * luck),
        reboot_behavior=2 if restarts else 0,
        servicing=kind == "servicing",
        exclusive=kind == "exclusive",
        eula="The software is licensed." if odd == 4 else "",
        user_input=odd == 5,
        build=4000 + number if restarts else None,
        fails_with=[WU_E_PERMANENT, WU_E_PASSING][luck // 8 % 2] if odd == 6 else None,
        rolls_back=odd in {0, 1, 7},
    )


# --- troubles --------------------------------------------------------------------------------------------------------


def _fault(draw: st.DrawFn, kind: FaultKind, where: str) -> Fault:
    return Fault(
        kind,
        node=where,
        times=draw(st.sampled_from([None, 1, 2])),
        after=timedelta(seconds=3 * draw(st.integers(0, 100))),
        lasts=timedelta(seconds=5 + 12 * draw(st.integers(0, 120))),
    )


@st.composite
def _faults(draw: st.DrawFn, names: list[str]) -> tuple[Fault, ...]:
    """Faults that strike at their first occasion."""
    kinds = draw(st.lists(st.sampled_from(list(FaultKind)), max_size=2, unique=True))
    return tuple(_fault(draw, kind, draw(st.sampled_from([*names, EVERY_NODE]))) for kind in kinds)


@st.composite
def _troubles(draw: st.DrawFn, names: list[str], catalogue: tuple[CatalogueUpdate, ...]) -> tuple[Trouble, ...]:
    """Troubles at moments of their own."""
    kinds = sorted(TROUBLES if catalogue else TROUBLES.keys() - {"withdrawal"})
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    return tuple(_trouble(draw, kind, draw(st.sampled_from(names)), catalogue) for kind in chosen)


def _trouble(draw: st.DrawFn, kind: str, node: str, catalogue: tuple[CatalogueUpdate, ...]) -> Trouble:
    kinds = [each for each in FaultKind if each is not FaultKind.WITNESS_OFFLINE]
    return Trouble(
        kind,
        node=node,
        after=draw(MOMENTS),
        lasts=timedelta(seconds=5 + 12 * draw(st.integers(0, 120))),
        fault=_fault(draw, draw(st.sampled_from(kinds)), node) if kind == "fault" else None,
        update_id=draw(st.sampled_from(catalogue)).update_id if kind == "withdrawal" else "",
    )


# --- what is asked for -----------------------------------------------------------------------------------------------

_SPECIAL: tuple[dict[str, object], ...] = (
    {"drain": False},
    {"force_drain": True},
    {"always_restart": True},
    {"search_again": False},
    {"suspend_retries": 2},
    {"site_order": ("Site1", "Site0")},
    {"require_all_nodes_online": True},
)
"""Options that one run in two has one of."""


@st.composite
def _options(draw: st.DrawFn, names: list[str]) -> dict[str, object]:
    special = draw(st.integers(0, 2 * len(_SPECIAL) - 1))
    return {
        "max_failed_nodes": draw(st.sampled_from([None, 0, 1])),
        "max_retries_per_node": draw(st.sampled_from([0, 1, 3])),
        "failback_mode": draw(st.sampled_from(list(FailbackType))),
        "stop_after": draw(st.sampled_from([None, None, None, timedelta(minutes=40), timedelta(hours=2)])),
        "node_order": (names[-1],) if special % 5 == 0 else (),
        **(_SPECIAL[special] if special < len(_SPECIAL) else {}),
    }


# --- cases -----------------------------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Make up a world and a run: four in five have something go wrong."""
    sizes = st.sampled_from([2, 2, 3, 4, 4, 4, 5, 6, 8, 12, 16])
    names = [f"N{number}" for number in range(1, draw(sizes) + 1)]
    nodes = draw(_nodes(names))
    catalogue = draw(_catalogue())
    goes_wrong = draw(st.integers(0, 7)) > 0
    return Case(
        Scenario(
            "LAW-FC1",
            nodes=nodes,
            roles=draw(_roles(nodes)),
            witness=draw(st.integers(0, 4)) > 1,
            dynamic_quorum=draw(st.integers(0, 7)) > 0,
            virtual_disks=draw(st.sampled_from([(), ("Volume01",)])),
            catalogue=catalogue,
            quirks=draw(st.sampled_from([Quirks.none(), Quirks(), Quirks(0.5, 0.5, 0.5, 0.5, 0.5)])),
            faults=draw(_faults(names)) if goes_wrong else (),
        ),
        seed=draw(st.integers(0, 120)),
        troubles=draw(_troubles(names, catalogue)) if goes_wrong else (),
        options=draw(_options(names)),
    )
