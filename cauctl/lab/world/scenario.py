"""The description of a world: what it is built from, as values that print as Python.

A world is a :class:`Scenario` and a seed; nothing else decides what happens in it. ``repr`` of a scenario is an
expression that makes it again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.lab.faults import Fault
from cauctl.lab.world.catalogue import CatalogueUpdate
from cauctl.lab.world.standard import STANDARD_CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["Durations", "NodeSpec", "Quirks", "RoleSpec", "Scenario", "standard_scenario"]

_MOST_NODES: Final = 64
_SQL_NODES: Final = 2


@frozen
class NodeSpec:
    """One node at the beginning."""

    name: str
    """NetBIOS name."""
    products: frozenset[str] = field(default=frozenset({"WindowsServer2022"}), kw_only=True)
    """Products that catalogue updates apply to."""
    node_weight: int = field(default=1, kw_only=True)
    """0: an administrator took the vote away."""
    paused: bool = field(default=False, kw_only=True)
    """An administrator has paused the node."""
    down: bool = field(default=False, kw_only=True)
    """The node is switched off."""
    reboot_pending: bool = field(default=False, kw_only=True)
    """A restart is pending from work before the run."""
    site: str | None = field(default=None, kw_only=True)
    """Site that the node stands in."""
    slow_service: timedelta = field(default=timedelta(0), kw_only=True)
    """How long after a start one auto-start service needs."""


@frozen
class RoleSpec:
    """One clustered role at the beginning."""

    name: str
    """Name of the group."""
    owner: str = field(kw_only=True)
    """Node that owns it."""
    group_type: str = field(default="VirtualMachine", kw_only=True)
    """``GroupType`` by name."""
    preferred: tuple[str, ...] = field(default=(), kw_only=True)
    """Preferred owners."""
    possible: tuple[str, ...] = field(default=(), kw_only=True)
    """Possible owners; empty: every node."""
    locked: bool = field(default=False, kw_only=True)
    """Something forbids moving it."""
    online: bool = field(default=True, kw_only=True)
    """False: an administrator has taken it offline."""
    auto_failback: bool = field(default=False, kw_only=True)
    """Whether failback by policy returns it."""


@frozen
class Durations:
    """How long things take, before the dice vary them."""

    scan: timedelta = timedelta(seconds=35)
    """A search for updates."""
    megabyte: timedelta = timedelta(milliseconds=150)
    """Download of one MiB."""
    task_start: timedelta = timedelta(seconds=2)
    """From starting a scheduled task to its first action."""
    live_move: timedelta = timedelta(seconds=18)
    """Live migration of a virtual machine."""
    offline_move: timedelta = timedelta(seconds=12)
    """Move of a role that goes offline for it."""
    core_move: timedelta = timedelta(seconds=3)
    """Move of a core group."""
    failover: timedelta = timedelta(seconds=25)
    """From the loss of a node to its roles online elsewhere."""
    drain_gives_up: timedelta = timedelta(seconds=40)
    """How long a drain tries a role that cannot leave."""
    shutdown: timedelta = timedelta(seconds=20)
    """From the beginning of a restart to the closed port."""
    boot: timedelta = timedelta(seconds=110)
    """From the closed port to the open one."""
    boot_servicing: timedelta = timedelta(seconds=60)
    """Further time for a boot that completes updates."""
    configured: timedelta = timedelta(seconds=8)
    """From the open port to the end of boot-time configuration."""
    servicing_tail: timedelta = timedelta(seconds=25)
    """How long servicing goes on after the open port, when updates were completed."""
    cluster_start: timedelta = timedelta(seconds=12)
    """From the open port to the running Cluster service."""
    join: timedelta = timedelta(seconds=15)
    """From the running Cluster service to membership."""
    repair_delay: timedelta = timedelta(seconds=10)
    """From a node's return to its storage jobs."""
    repair: timedelta = timedelta(seconds=60)
    """Least time of a resync."""
    repair_share: float = 0.2
    """Further time of a resync as a part of the time the node was out."""
    variation: float = 0.2
    """Part of itself by which each of these varies."""


@frozen
class Quirks:
    """How often (0 to 1) Windows behaves badly without failing."""

    drain_leaves_role: float = 0.1
    """A drain reports Completed though a role is left."""
    failback_elsewhere: float = 0.1
    """A role fails back to a node it did not come from."""
    quick_restart: float = 0.15
    """A restart too quick to see the port close."""
    second_restart: float = 0.1
    """A restart that servicing follows by another one."""
    repair_suspended: float = 0.1
    """A storage job that waits, suspended, until somebody starts the repair."""
    lost_answers: float = 0.0
    """A request whose connection breaks before the answer; in memory only."""

    @classmethod
    def none(cls) -> Quirks:
        """Give a Windows that behaves."""
        return cls(0.0, 0.0, 0.0, 0.0, 0.0)


@frozen
class Scenario:
    """One world before it begins."""

    name: str = "LAB-FC1"
    """The cluster's name."""
    domain: str = field(default="lab.test", kw_only=True)
    """Its DNS domain."""
    nodes: tuple[NodeSpec, ...] = field(kw_only=True)
    """All nodes, in the cluster's order."""
    roles: tuple[RoleSpec, ...] = field(default=(), kw_only=True)
    """All roles besides the core groups."""
    witness: bool = field(default=True, kw_only=True)
    """A file share witness."""
    dynamic_quorum: bool = field(default=True, kw_only=True)
    """``DynamicQuorum`` of the cluster."""
    virtual_disks: tuple[str, ...] = field(default=(), kw_only=True)
    """Virtual disks of Storage Spaces Direct; empty: the cluster has none of it."""
    catalogue: tuple[CatalogueUpdate, ...] = field(default=STANDARD_CATALOGUE, kw_only=True, repr=False)
    """What Windows Update offers."""
    durations: Durations = field(default=Durations(), kw_only=True)
    """How long things take."""
    quirks: Quirks = field(default=Quirks(), kw_only=True)
    """How badly Windows behaves."""
    faults: tuple[Fault, ...] = field(default=(), kw_only=True)
    """What goes wrong."""
    foreign_run: str | None = field(default=None, kw_only=True)
    """Node where Microsoft's coordinator holds its lock."""
    self_updating: bool = field(default=False, kw_only=True)
    """A self-updating role exists and is enabled."""
    begins: datetime = field(default=datetime(2026, 3, 17, 21, 0, tzinfo=UTC), kw_only=True)
    """First moment of the world."""

    def __attrs_post_init__(self) -> None:
        names = [node.name.casefold() for node in self.nodes]
        if not names or len(set(names)) != len(names):
            raise InputError("a lab needs nodes of different names", where="nodes", expected="at least one node")
        for role in self.roles:
            if role.owner.casefold() not in names:
                raise InputError("no such node", where=f"owner of {role.name}", expected="a node of the lab")


def standard_scenario(
    name: str = "LAB-FC1",
    *,
    nodes: int = 4,
    faults: Iterable[Fault] = (),
    quirks: Quirks = Quirks(),
    storage: bool = True,
) -> Scenario:
    """Describe the usual lab: about two roles a node, a witness, Storage Spaces Direct, SQL Server on two nodes."""
    if not 1 <= nodes <= _MOST_NODES:
        raise InputError(f"{nodes} nodes", where="nodes", expected=f"1 to {_MOST_NODES}")
    names = [f"NODE{number}" for number in range(1, nodes + 1)]
    plain, with_sql = frozenset({"WindowsServer2022"}), frozenset({"WindowsServer2022", "SqlServer2019"})
    return Scenario(
        name,
        nodes=tuple(
            NodeSpec(node, products=with_sql if index < _SQL_NODES else plain) for index, node in enumerate(names)
        ),
        roles=_standard_roles(names),
        virtual_disks=("Volume01", "Volume02") if storage else (),
        faults=tuple(faults),
        quirks=quirks,
    )


def _standard_roles(names: list[str]) -> tuple[RoleSpec, ...]:
    sql, file_server = names[0], names[-1]
    others = (names[1 % len(names)],) if len(names) > 1 else ()
    roles = [
        RoleSpec("SQL Server (MSSQLSERVER)", owner=sql, group_type="GenericService", preferred=(sql, *others)),
        RoleSpec("FS01", owner=file_server, group_type="FileServer"),
    ]
    roles += [
        RoleSpec(f"VM{number:02}", owner=names[(number - 1) % len(names)], auto_failback=True)
        for number in range(1, len(names) + max(len(names) // 2, 1) + 1)
    ]
    return tuple(roles)
