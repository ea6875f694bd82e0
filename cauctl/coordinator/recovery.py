"""After a coordinator has died: who held the cluster, and how what it left behind is undone.

:func:`find_run` tells a run that lives from one that was interrupted. :func:`abandon` gives an interrupted one up:

1. the dead coordinator is fenced off, so that it does nothing more should it wake up
2. its agents are told to stop, waited for, and removed from every node that answers
3. nodes that it had paused, or was about to (the checkpoint says which), are resumed and seen Up; nodes that an
   administrator paused stay paused
4. the lock is given back; where a node could not be resumed it stays, without a lease, and the next try goes on from it

Each step looks before it acts, so all can be done again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from cauctl.coordinator.checkpoint import Checkpoint, NodeMark, read_checkpoint
from cauctl.coordinator.settings import DEFAULT_QUERY, Limits
from cauctl.errors import CauError, ClusterError, RunInProgressError, StateError
from cauctl.models.agent import AgentOperation, AgentRequest, AgentState
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import ClusterFacts, LockRecord, NodeState, readable

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cauctl.coordinator.performer import Ports
    from cauctl.ports import Cluster

__all__ = ["Abandonment", "HeldRun", "abandon", "find_run"]


@frozen
class HeldRun:
    """The run that holds a cluster."""

    lock: LockRecord
    """Its lock."""
    alive: bool = field(kw_only=True)
    """True while its lease lasts: a coordinator is at work."""
    checkpoint: Checkpoint | None = field(default=None, kw_only=True)
    """How far it had got; None where that cannot be read."""


@frozen
class Abandonment:
    """What giving up a run did."""

    run_id: str | None = None
    """The run; None: there was none."""
    done: tuple[str, ...] = field(default=(), kw_only=True)
    """What was done, a sentence each."""
    failures: tuple[str, ...] = field(default=(), kw_only=True)
    """What could not be done, a sentence each."""
    resumed: tuple[str, ...] = field(default=(), kw_only=True)
    """Nodes that were resumed."""
    unresumed: tuple[str, ...] = field(default=(), kw_only=True)
    """Nodes that the run had paused and that could not be resumed."""


def find_run(cluster: Cluster, now: datetime) -> HeldRun | None:
    """Say which run holds the cluster; None when it is free. StateError when the lock is none of ours."""
    lock = cluster.read_lock()
    if lock is None:
        return None
    try:
        checkpoint = read_checkpoint(lock.checkpoint)
    except StateError:
        checkpoint = None
    return HeldRun(lock, alive=lock.lease_until > now, checkpoint=checkpoint)


def abandon(ports: Ports, *, owner: str, limits: Limits | None = None) -> Abandonment:
    """Give up the run that holds the cluster, and undo what it left behind.

    Args:
        ports: everything outside.
        owner: who does it, as the lock will say meanwhile.
        limits: how long agents and nodes are waited for.

    Raises:
        RunInProgressError: its coordinator is still at work.
        StateError: the checkpoint cannot be read, so nobody can say which nodes the run had paused.
    """
    held = find_run(ports.cluster, ports.clock.now())
    if held is None:
        return Abandonment(done=("No run holds the cluster.",))
    if held.alive:
        lock = held.lock
        raise RunInProgressError(
            f"The run {lock.run_id} of {lock.owner} is at work; its lease lasts until {lock.lease_until:%H:%M:%S} UTC.",
            cluster=_name(ports),
            owner=lock.owner,
            since=lock.acquired.isoformat(),
            advice="Stop it there, or wait until its lease has ended.",
        )
    if held.checkpoint is None:
        raise StateError(
            f"the checkpoint of the run {held.lock.run_id} cannot be read.",
            advice="Resume the nodes that it paused by hand, then remove the lock group of the cluster.",
        )
    return _Abandoning(ports, held.lock, held.checkpoint, owner, limits or Limits()).carry_out()


class _Abandoning:
    """One abandonment under way."""

    def __init__(self, ports: Ports, lock: LockRecord, checkpoint: Checkpoint, owner: str, limits: Limits) -> None:
        self._ports, self._checkpoint, self._limits = ports, checkpoint, limits
        self._found = lock
        self._lock = evolve(lock, owner=owner, fence=lock.fence + 1)
        self._done: list[str] = []
        self._failures: list[str] = []
        self._resumed: list[str] = []
        self._unresumed: list[str] = []

    def carry_out(self) -> Abandonment:
        """Do all of it."""
        self._hold(self._found)
        facts = self._ports.cluster.observe()
        for node in facts.nodes:
            self._clean(node.name, node.state)
        for mark in self._checkpoint.nodes:
            if mark.paused:
                self._resume(mark.name, facts)
        self._name_paused_by_others(facts)
        self._give_back()
        return Abandonment(
            self._lock.run_id,
            done=tuple(self._done),
            failures=tuple(self._failures),
            resumed=tuple(self._resumed),
            unresumed=tuple(self._unresumed),
        )

    def _hold(self, holder: LockRecord | None = None) -> None:
        """Fence the dead coordinator off, and keep others out while this goes on.

        RunInProgressError where the lock is not ``holder``'s (None: ours) any more: somebody else gives the run up, or
        has done so and a new one is at work, whose nodes are none of our business.
        """
        expected, found = holder or self._lock, self._ports.cluster.read_lock()
        if found is None or _holder(found) != _holder(expected):
            raise RunInProgressError(
                f"The lock of the run {expected.run_id} was taken over by {found.owner if found else 'somebody else'}.",
                cluster=_name(self._ports),
                owner=found.owner if found else "",
                since=found.acquired.isoformat() if found else None,
                advice="Nothing more was done here; look at the cluster again.",
            )
        self._lock = evolve(self._lock, lease_until=self._now() + self._limits.lease)
        self._ports.cluster.write_lock(self._lock)

    # --- agents ------------------------------------------------------------------------------------------------------

    def _clean(self, node: str, state: NodeState) -> None:
        try:
            self._stop_agent(node)
            if self._lock.run_id in self._ports.agent.leftovers(node):
                self._ports.agent.remove_leftovers(node, self._lock.run_id)
                self._done.append(f"{node}: what the update agent left there is removed.")
        except CauError as error:
            if state in {NodeState.UP, NodeState.PAUSED} or self._mark(node):
                self._failures.append(f"{node}: its update agent could not be cleaned up: {error.message}")

    def _stop_agent(self, node: str) -> None:
        """Let an agent end what it cannot interrupt, rather than kill an installation half way."""
        mark = self._mark(node)
        if mark is None or mark.request is None or self._lock.run_id not in self._ports.agent.leftovers(node):
            return
        request = AgentRequest(
            mark.request, run_id=self._lock.run_id, operation=AgentOperation.SCAN, query=DEFAULT_QUERY
        )
        agent, begun = self._ports.agent, self._now()
        agent.cancel(node, request)
        while agent.poll(node, request, 0).state is AgentState.RUNNING:
            if self._now() - begun >= self._limits.agent_stop:
                self._failures.append(
                    f"{node}: Windows Update did not stop within {readable(self._limits.agent_stop)}."
                )
                return
            self._pause(self._limits.poll)

    def _mark(self, node: str) -> NodeMark | None:
        return next((mark for mark in self._checkpoint.nodes if mark.name == node), None)

    # --- nodes -------------------------------------------------------------------------------------------------------

    def _resume(self, node: str, facts: ClusterFacts) -> None:
        states = {each.name: each.state for each in facts.nodes}
        state = states.get(node)
        if state is NodeState.UP:
            return
        if state is None:
            self._done.append(f"{node}: no node of the cluster any more; nothing is to be resumed.")
            return
        try:
            if state is NodeState.PAUSED:
                self._hold()
                self._ports.cluster.resume(node, failback=FailbackType.IMMEDIATE)
                if self._seen_up(node):
                    self._resumed.append(node)
                    self._done.append(f"{node}: resumed.")
                    return
            self._failures.append(f"{node}: could not be resumed, it is {state.value}.")
        except RunInProgressError:
            raise
        except CauError as error:
            self._failures.append(f"{node}: could not be resumed: {error.message}")
        self._unresumed.append(node)

    def _seen_up(self, node: str) -> bool:
        begun = self._now()
        while self._now() - begun < self._limits.resume:
            if self._ports.cluster.observe().node(node).state is NodeState.UP:
                return True
            self._pause(self._limits.poll)
        return False

    def _name_paused_by_others(self, facts: ClusterFacts) -> None:
        ours = set(self._checkpoint.paused)
        for node in facts.nodes:
            if node.state is NodeState.PAUSED and node.name not in ours:
                self._done.append(f"{node.name}: paused by somebody else; it stays paused.")

    # --- the lock ----------------------------------------------------------------------------------------------------

    def _give_back(self) -> None:
        try:
            self._hold()
            if self._unresumed:
                self._ports.cluster.write_lock(evolve(self._lock, lease_until=self._now()))
                self._failures.append("The lock stays until every node is resumed; try again when they are back.")
                return
            self._ports.cluster.release_lock(self._lock.run_id)
            self._done.append("The lock of the cluster is given back.")
        except CauError as error:
            self._failures.append(f"The lock could not be given back: {error.message}")

    def _now(self) -> datetime:
        return self._ports.clock.now()

    def _pause(self, duration: timedelta) -> None:
        if self._lock.lease_until - self._now() < self._limits.renewal:
            self._hold()
        self._ports.clock.wait(self._now() + duration, lambda: False)


def _holder(lock: LockRecord) -> tuple[str, str, int]:
    return lock.run_id, lock.owner, lock.fence


def _name(ports: Ports) -> str:
    try:
        return ports.cluster.observe().name
    except ClusterError:
        return ""
