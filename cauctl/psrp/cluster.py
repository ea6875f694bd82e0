"""The cluster port over PowerShell remoting: cluster cmdlets run on one node, which speaks for the cluster.

Rules kept here:

* The cmdlets run without ``-Cluster`` on a node that is Up, which needs no delegation (a second hop would).
* Commands look first and act on what is not yet as wanted; where a command's fate is unknown, a look decides.
* What is asked stands here, in which words (Windows' commands, or functions of ours) in :mod:`cauctl.psrp.wording`.
* Drains, failbacks and moves are started here and watched by whoever asked: no call waits for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.errors import AuthenticationError, CauError, ClusterError, RemoteError, TlsError, TransportError
from cauctl.models.nodes import DrainStatus, ForeignCoordinator, NodeState
from cauctl.psrp import facts
from cauctl.psrp.answers import Answer, answers, enum_name
from cauctl.psrp.lock import ClusterLock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.models.enums import FailbackType
    from cauctl.models.nodes import ClusterFacts, ClusterGroup, ClusterNode, LockRecord, StorageFacts
    from cauctl.ports import Clock
    from cauctl.psrp.fleet import Fleet
    from cauctl.psrp.pipeline import Pipeline

__all__ = ["PsrpCluster"]

_NO_SUCH_CLASS: Final = ("hresult 0x8004100e", "hresult 0x80041010")
"""Error ids of a namespace and of a class that a node does not have: Microsoft's coordinator is not installed there."""
_SELF_UPDATING: Final = "ClusterAwareUpdating"
_SELF_UPDATING_RESOURCE: Final = "ClusterAwareUpdatingResource"


class PsrpCluster:
    """Implements :class:`cauctl.ports.Cluster`.

    Args:
        fleet: sessions with the nodes.
        clock: time of the run.
    """

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._say = fleet.wording
        self._lock = ClusterLock(fleet)

    def __repr__(self) -> str:
        return f"<PsrpCluster {self._fleet!r}>"

    # ---- Facts

    def observe(self) -> ClusterFacts:
        """Nodes, groups and quorum now; also learns which nodes there are to ask."""
        cluster = self._one(self._say.cluster)
        found = facts.cluster_facts(
            cluster,
            self._ask(self._say.nodes),
            self._ask(self._say.groups),
            next(iter(self._ask(self._say.quorum)), None),
            observed=self._clock.now(),
        )
        down = [node.name for node in found.nodes if node.state in {NodeState.DOWN, NodeState.UNKNOWN}]
        self._fleet.learn([node.name for node in found.nodes], domain=found.domain, down=down)
        return found

    def will_offline_lose_quorum(self, node: str) -> bool:
        """Ask the cluster's own CIM class; ClusterError when it does not know the node."""
        missing = f"the cluster {self._fleet.cluster} has no node {node}."
        return self._one(self._say.quorum_loss(node), missing=missing).flag("ReturnValue")

    def networks_up(self, node: str) -> tuple[str, ...] | None:
        """The node's connections to cluster networks that are Up; None where the endpoint does not tell."""
        asked = self._say.connections(node)
        if asked is None:
            return None
        return tuple(
            answer.text("Name")
            for answer in self._ask(asked)
            if enum_name(answer.raw("State"), facts.NETWORK_STATES) == "Up"
        )

    def storage(self) -> StorageFacts:
        """Storage jobs and virtual disks now."""
        return facts.storage_facts(self._ask(self._say.storage_jobs), self._ask(self._say.virtual_disks))

    def foreign_coordinators(self) -> tuple[ForeignCoordinator, ...]:
        """Microsoft's coordinator on any node that answers, and an enabled self-updating role."""
        return (*self._cau_runs(), *self._self_updating())

    # ---- Commands

    def repair(self, virtual_disk: str) -> None:
        """Start the repair of a virtual disk as a job of the node's session."""
        self._fleet.act(self._say.repair(virtual_disk), done=self._repairs)

    def suspend(self, node: str, *, drain: bool = True, force_drain: bool = False) -> None:
        """Start to pause, and to drain; a paused node is left, unless its drain failed and is to be forced now."""
        found = self._node(node)
        if found.state is NodeState.PAUSED and not (force_drain and found.drain_status is DrainStatus.FAILED):
            return
        pipeline = self._say.suspend(found.name, drain=drain, force_drain=drain and force_drain)
        self._fleet.act(pipeline, done=lambda: _is_draining(self._node(node)))

    def resume(self, node: str, *, failback: FailbackType) -> None:
        """Resume and start failback; a node that is Up is left."""
        found = self._node(node)
        if found.state is NodeState.UP:
            return
        self._fleet.act(self._say.resume(found.name, failback), done=lambda: self._node(node).state is NodeState.UP)

    def move_group(self, group: str, node: str) -> None:
        """Start to move a group; one that the node owns is left."""
        if self._owner(group) == node.casefold():
            return
        self._fleet.act(self._say.move(group, node), done=lambda: self._owner(group) == node.casefold())

    def avoid(self, nodes: Iterable[str]) -> None:
        """Ask through other nodes from now on."""
        self._fleet.avoid(nodes)

    # ---- The lock

    def acquire_lock(self, record: LockRecord) -> LockRecord | None:
        """See :meth:`cauctl.psrp.lock.ClusterLock.acquire`."""
        return self._lock.acquire(record)

    def read_lock(self) -> LockRecord | None:
        """See :meth:`cauctl.psrp.lock.ClusterLock.read`."""
        return self._lock.read()

    def take_over_lock(self, record: LockRecord) -> LockRecord | None:
        """See :meth:`cauctl.psrp.lock.ClusterLock.take_over`."""
        return self._lock.take_over(record)

    def write_lock(self, record: LockRecord) -> LockRecord:
        """See :meth:`cauctl.psrp.lock.ClusterLock.write`."""
        return self._lock.write(record)

    def request_stop(self, run_id: str, by: str) -> None:
        """See :meth:`cauctl.psrp.lock.ClusterLock.request_stop`."""
        self._lock.request_stop(run_id, by)

    def release_lock(self, run_id: str) -> None:
        """See :meth:`cauctl.psrp.lock.ClusterLock.release`."""
        self._lock.release(run_id)

    # ---- Inside

    def _ask(self, pipeline: Pipeline) -> list[Answer]:
        node, result = self._fleet.look(pipeline)
        return answers(result.output, node=node, command=pipeline.commands[0].name)

    def _one(self, pipeline: Pipeline, *, missing: str = "") -> Answer:
        found = self._ask(pipeline)
        if not found:
            told = missing or f"{pipeline.commands[0].name} gave no answer."
            raise ClusterError(told, cluster=self._fleet.cluster)
        return found[0]

    def _node(self, name: str) -> ClusterNode:
        for answer in self._ask(self._say.nodes):
            if answer.text("Name").casefold() == name.casefold():
                return facts.cluster_node(answer)
        raise ClusterError(f"the cluster {self._fleet.cluster} has no node {name}.", cluster=self._fleet.cluster)

    def _group(self, name: str) -> ClusterGroup:
        missing = f"the cluster {self._fleet.cluster} has no role {name}."
        return facts.cluster_group(self._one(self._say.group(name), missing=missing))

    def _owner(self, group: str) -> str:
        return self._group(group).owner_node.casefold()

    def _repairs(self) -> bool:
        return any(job.state in {"New", "Starting", "Running"} for job in self.storage().jobs)

    def _cau_runs(self) -> Iterable[ForeignCoordinator]:
        for node, result in self._fleet.look_everywhere(self._say.updating_runs).items():
            if isinstance(result, CauError):
                if _says_nothing(result):
                    continue
                raise result
            for answer in answers(result.output, node=node, command="Get-CimInstance"):
                yield ForeignCoordinator("MSFT_CAURun", node=node, owner=answer.text("OrchestratorGuid"))

    def _self_updating(self) -> Iterable[ForeignCoordinator]:
        for group in map(facts.cluster_group, self._ask(self._say.groups)):
            if group.group_type == _SELF_UPDATING and self._is_enabled(group.name):
                yield ForeignCoordinator("SelfUpdating", node=group.owner_node, owner=group.name)

    def _is_enabled(self, group: str) -> bool:
        return any(
            answer.text("ResourceType").casefold() == _SELF_UPDATING_RESOURCE.casefold()
            and enum_name(answer.raw("State"), facts.RESOURCE_STATES) in {"Online", "OnlinePending"}
            for answer in self._ask(self._say.resources(group))
        )


def _is_draining(node: ClusterNode) -> bool:
    """Whether the node is on its way out or already out, and not because an earlier drain failed."""
    if node.state is NodeState.PAUSED:
        return node.drain_status is not DrainStatus.FAILED
    return node.drain_status is DrainStatus.IN_PROGRESS


def _says_nothing(error: CauError) -> bool:
    """Whether a node's silence is no answer: it cannot be reached, or it has no such class."""
    if isinstance(error, RemoteError):
        return error.fully_qualified_error_id.casefold().startswith(_NO_SUCH_CLASS)
    return isinstance(error, TransportError) and not isinstance(error, AuthenticationError | TlsError)
