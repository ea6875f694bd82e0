"""The coordinator's ports over a world in memory: no sockets, no sleeping, no threads.

Rules kept here:

* Time passes only in :meth:`VirtualClock.wait`. A call itself takes no lab time.
* A node that is off or cut off does not answer: :class:`~cauctl.errors.NodeUnreachableError`, and nothing was done.
* With the quirk ``lost_answers``, a request now and then ends in :class:`~cauctl.errors.FateUnknownError`; the dice
  decide whether it was carried out.
* A coordinator that dies is a :class:`Ports` object that is dropped: locks, tasks and pauses stay in the world.

Use::

    world = World(standard_scenario(), seed=7)
    ports = Ports(world)
    driver = Driver(cluster=ports.cluster, node=ports.node, agent=ports.agent, clock=ports.clock, ...)
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import evolve

from cauctl.errors import (
    ClusterError,
    FateUnknownError,
    NodeUnreachableError,
    RemoteError,
    StateError,
)
from cauctl.lab.memory_agent import MemoryAgent
from cauctl.lab.memory_scripts import MemoryScripts
from cauctl.lab.world.cluster import NETWORKS
from cauctl.lab.world.machine import ERROR_SHUTDOWN_IN_PROGRESS, REMOTE_SHUTDOWN_RULES, RestartRefusedError
from cauctl.lab.world.roles import ClusterApiError
from cauctl.lab.world.view import cluster_facts, node_probe
from cauctl.models.lock import fence_of, lock_group
from cauctl.models.nodes import (
    ClusterFacts,
    DrainStatus,
    ForeignCoordinator,
    LockRecord,
    NodeProbe,
    NodeState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.membership import Member
    from cauctl.lab.world.roles import Group
    from cauctl.lab.world.world import World
    from cauctl.models.enums import FailbackType
    from cauctl.models.nodes import StorageFacts

    T = TypeVar("T")

__all__ = ["MemoryAgent", "MemoryCluster", "MemoryNode", "Ports", "VirtualClock"]

_LOCK_FIELD: Final = "CauctlLock"
_HALF: Final = 0.5


class VirtualClock:
    """Time of a world: waiting is letting the world go on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __repr__(self) -> str:
        return f"<VirtualClock {self._world.now.isoformat()}>"

    def now(self) -> datetime:
        """The present moment of the world."""
        return self._world.kernel.now

    def idle_until(self) -> datetime:
        """Give the moment of what the world does next; it does nothing before, unless somebody acts."""
        return self._world.kernel.next_due() or datetime.max.replace(tzinfo=UTC)

    def wait(self, until: datetime, wake: Callable[[], bool]) -> None:
        """Let the world go on to ``until``, or to the first moment at which ``wake()`` is true."""
        kernel = self._world.kernel
        while not wake():
            due = kernel.next_due()
            if due is None or due >= until:
                kernel.advance(until)
                return
            kernel.advance(due)


class Wire:
    """The way of one coordinator to the nodes of a world."""

    def __init__(self, world: World, user: str) -> None:
        self.world = world
        self.user = user

    def reach(self, name: str) -> Machine:
        """Give the node when it answers; broken sessions are replaced unseen, as the remoting layer does it."""
        machine = self.world.machine(name)
        if not machine.answers:
            raise NodeUnreachableError("nobody answers.", node=machine.name, address=f"{machine.fqdn}:5986")
        return machine

    def act(self, name: str, action: Callable[[Machine], T]) -> T:
        """Carry out a request that changes something, once; its answer may get lost, with or without the request."""
        machine = self.reach(name)
        if self.world.dice.chance(f"answer/{machine.name}", self.world.scenario.quirks.lost_answers):
            if self.world.dice.throw(f"fate/{machine.name}") < _HALF:
                action(machine)
            raise FateUnknownError("the connection broke after the request had left.", node=machine.name)
        return action(machine)


class MemoryCluster:
    """:class:`cauctl.ports.Cluster` in memory."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._world = wire.world
        self._avoided: frozenset[str] = frozenset()
        self._seen: tuple[int, ClusterFacts] | None = None

    def _entry(self) -> Machine:
        machine = self._world.entry(self._avoided)
        if machine is None:
            raise ClusterError(
                "no node answers for the cluster.",
                cluster=self._world.cluster.name,
                advice="Check that the nodes run and that the Cluster service is up on a majority of them.",
            )
        return machine

    def _member(self, name: str) -> Member:
        try:
            return self._world.cluster.member(name)
        except ClusterApiError as error:
            cluster = self._world.cluster.name
            raise ClusterError(f"the cluster {cluster} has no node {name}.", cluster=cluster) from error

    def _run(self, command: str, action: Callable[[], object]) -> None:
        entry = self._entry()
        try:
            action()
        except ClusterApiError as error:
            raise RemoteError(str(error), node=entry.name, command=command, hresult=0x80070000 | error.code) from error

    def observe(self) -> ClusterFacts:
        """Nodes, groups and quorum now."""
        self._entry()
        world = self._world
        if self._seen is None or self._seen[0] != world.kernel.version:
            self._seen = world.kernel.version, cluster_facts(world)
        facts = self._seen[1]
        return facts if facts.observed == world.now else evolve(facts, observed=world.now)

    def will_offline_lose_quorum(self, node: str) -> bool:
        """The cluster's own answer."""
        self._entry()
        return self._world.cluster.quorum.margin_without(self._member(node)) < 0

    def storage(self) -> StorageFacts:
        """Storage jobs and virtual disks now."""
        self._entry()
        return self._world.cluster.storage.facts()

    def networks_up(self, node: str) -> tuple[str, ...]:
        """The node's connections to cluster networks that are Up."""
        self._entry()
        member = self._member(node)
        return tuple(f"{member.name} - Ethernet {number}" for number in NETWORKS if member.joined)

    def repair(self, virtual_disk: str) -> None:
        """Start the repair of a virtual disk."""
        entry = self._entry()
        try:
            self._world.cluster.storage.repair(virtual_disk)
        except KeyError:
            raise RemoteError(
                f"No virtual disk has the name '{virtual_disk}'.", node=entry.name, command="Repair-VirtualDisk"
            ) from None

    def suspend(self, node: str, *, drain: bool = True, force_drain: bool = False) -> None:
        """Start to pause the node, and to drain it."""
        cluster, member = self._world.cluster, self._member(node)
        drained_in_vain = member.drain is DrainStatus.FAILED and force_drain
        if member.state is NodeState.PAUSED and not drained_in_vain:
            self._entry()
            return
        self._run(
            "Suspend-ClusterNode",
            lambda: cluster.suspend(member.name, drain=drain, force=force_drain, by=self._wire.user),
        )

    def resume(self, node: str, *, failback: FailbackType) -> None:
        """Resume the node and start failback."""
        cluster, member = self._world.cluster, self._member(node)
        if member.state is NodeState.UP:
            self._entry()
            return
        self._run("Resume-ClusterNode", lambda: cluster.resume(member.name, failback=failback, by=self._wire.user))

    def move_group(self, group: str, node: str) -> None:
        """Start to move the group."""
        cluster, target = self._world.cluster, self._member(node).name
        found = cluster.roles.find(group)
        if found is None:
            raise ClusterError(f"the cluster {cluster.name} has no role {group}.", cluster=cluster.name)
        if target in {found.owner, found.target}:
            self._entry()
            return
        self._run("Move-ClusterGroup", lambda: cluster.roles.move(found, target))

    def avoid(self, nodes: Iterable[str]) -> None:
        """From now on ask through other nodes where any other answers."""
        wanted = {node.casefold() for node in nodes}
        self._avoided = frozenset(name for name in self._world.cluster.members if name.casefold() in wanted)

    def foreign_coordinators(self) -> tuple[ForeignCoordinator, ...]:
        """Microsoft's coordinator at work, and an enabled self-updating role."""
        world = self._world
        runs = [
            ForeignCoordinator("MSFT_CAURun", node=node, owner=owner)
            for node, owner in world.cau_runs.items()
            if world.machines[node].answers
        ]
        roles = [
            ForeignCoordinator("SelfUpdating", node=group.owner, owner=group.name)
            for group in world.cluster.roles
            if group.group_type == "ClusterAwareUpdating" and group.online
        ]
        return (*runs, *roles)

    def acquire_lock(self, record: LockRecord) -> LockRecord | None:
        """Take the lock atomically."""
        if self._create(1):
            self._locks()[1].parameters[_LOCK_FIELD] = record
            return None
        holder = self.read_lock()
        if holder is not None:
            return None if _holder(holder) == _holder(record) else holder
        claimed = evolve(record, fence=max(self._locks()) + 1)
        self.take_over_lock(claimed)
        return claimed

    def take_over_lock(self, record: LockRecord) -> LockRecord | None:
        """Take a held lock with the next fencing counter."""
        if not self._create(record.fence):
            return self.read_lock()
        if min(self._locks()) == record.fence:
            self._world.cluster.roles.remove(self._locks()[record.fence])
            raise StateError("the lock was given back meanwhile.", path=lock_group(record.fence))
        self._locks()[record.fence].parameters[_LOCK_FIELD] = record
        return None

    def read_lock(self) -> LockRecord | None:
        """The record of the highest fencing counter."""
        locks = self._locks()
        for fence in sorted(locks, reverse=True):
            record = locks[fence].parameters.get(_LOCK_FIELD)
            if isinstance(record, LockRecord):
                return evolve(record, fence=max(*locks, record.fence))
            if record is not None:
                raise StateError("the lock of the cluster is not one of ours.", path=lock_group(fence))
        return None

    def write_lock(self, record: LockRecord) -> LockRecord:
        """Replace our own record, and give the one of whoever holds the lock."""
        group = self._locks().get(record.fence)
        found = group.parameters.get(_LOCK_FIELD) if group is not None else None
        if group is None or not isinstance(found, LockRecord) or found.run_id != record.run_id:
            raise StateError("the cluster is not locked.", path=lock_group(record.fence))
        group.parameters[_LOCK_FIELD] = evolve(record, stop=found.stop)
        return self.read_lock() or record

    def request_stop(self, run_id: str, by: str) -> None:
        """Note that the run is asked to stop."""
        holder = self.read_lock()
        group = self._locks().get(holder.fence) if holder is not None else None
        if holder is None or group is None or holder.run_id != run_id:
            raise StateError(f"the run {run_id} does not hold the cluster.", path=lock_group(1))
        group.parameters[_LOCK_FIELD] = evolve(holder, stop=by)

    def release_lock(self, run_id: str) -> None:
        """Remove the lock if it is this run's."""
        record = self.read_lock()
        if record is not None and record.run_id == run_id:
            for group in self._locks().values():
                self._world.cluster.roles.remove(group)

    def _create(self, fence: int) -> bool:
        self._entry()
        cluster = self._world.cluster
        try:
            cluster.roles.add(lock_group(fence), "Unknown", cluster.first)
        except ClusterApiError:
            return False
        return True

    def _locks(self) -> dict[int, Group]:
        self._entry()
        found = ((fence_of(group.name), group) for group in self._world.cluster.roles)
        return {fence: group for fence, group in found if fence is not None}


def _holder(record: LockRecord) -> tuple[str, str, int]:
    return record.run_id, record.owner, record.fence


class MemoryNode:
    """:class:`cauctl.ports.Node` in memory."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def probe(self, node: str) -> NodeProbe:
        """Boot time, build and signs of unfinished work."""
        return node_probe(self._wire.reach(node))

    def allow_remote_restart(self, node: str) -> bool:
        """Switch the firewall rules on."""
        rules = self._wire.reach(node).firewall
        were_off = not all(rules.get(name, False) for name in REMOTE_SHUTDOWN_RULES)
        rules.update(dict.fromkeys(REMOTE_SHUTDOWN_RULES, True))
        return were_off

    def restart(self, node: str, *, reason: str) -> None:
        """Ask the node to restart now."""

        def ask(machine: Machine) -> None:
            machine.note(f"restart reason: {reason}")
            try:
                machine.request_restart(self._wire.user)
            except RestartRefusedError as error:
                if error.code != ERROR_SHUTDOWN_IN_PROGRESS:
                    machine.abort_restart()
                    machine.request_restart(self._wire.user)

        with suppress(FateUnknownError):
            self._wire.act(node, ask)

    def forget(self, node: str) -> None:
        """Drop what is open to this node: in memory nothing ever is."""
        self._wire.world.machine(node)


class Ports:
    """All ports of one coordinator over one world.

    Args:
        world: the world.
        user: account that the ledger names.
    """

    def __init__(self, world: World, *, user: str = "LAB\\Administrator") -> None:
        self.world = world
        wire = Wire(world, user)
        self.clock = VirtualClock(world)
        self.cluster = MemoryCluster(wire)
        self.node = MemoryNode(wire)
        self.agent = MemoryAgent(wire)
        self.scripts = MemoryScripts(world)

    def __repr__(self) -> str:
        return f"<Ports {self.world!r}>"
