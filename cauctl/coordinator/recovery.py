"""Giving the run of a dead coordinator up, and undoing what it left behind.

What :func:`abandon` does, once the coordinator is dead for certain (:mod:`cauctl.coordinator.takeover`):

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

from cauctl.coordinator.checkpoint import Checkpoint, NodeMark, left_behind
from cauctl.coordinator.settings import DEFAULT_QUERY, Limits
from cauctl.coordinator.takeover import find_run, make_sure_it_is_dead, take_over, taken_over_by
from cauctl.errors import CauError, RunInProgressError, StateError
from cauctl.models.agent import AgentOperation, AgentRequest, AgentState
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import ClusterFacts, LockRecord, NodeState, readable

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cauctl.coordinator.performer import Ports

__all__ = ["Abandonment", "abandon"]


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


def abandon(
    ports: Ports, *, owner: str, name: str = "", known_dead: bool = False, limits: Limits | None = None
) -> Abandonment:
    """Give up the run that holds the cluster, and undo what it left behind.

    Args:
        ports: everything outside.
        owner: who does it, as the lock will say meanwhile.
        name: name of the cluster, for errors.
        known_dead: the coordinator's process is known to be gone; its lock need not be watched.
        limits: how long agents and nodes are waited for.

    Raises:
        RunInProgressError: its coordinator is still at work.
        StateError: the checkpoint cannot be read, so nobody can say which nodes the run had paused.
    """
    cluster, clock, limits = ports.cluster, ports.clock, limits or Limits()
    held = find_run(cluster, clock.now())
    if held is not None and not known_dead:
        held = make_sure_it_is_dead(cluster, clock, held, name=name, limits=limits)
    if held is None:
        return Abandonment(done=("No run holds the cluster.",))
    if held.checkpoint is None:
        raise StateError(
            f"the checkpoint of the run {held.lock.run_id} cannot be read.",
            advice="Resume the nodes that it paused by hand, then remove the lock group of the cluster.",
        )
    lock = take_over(cluster, clock, held, owner=owner, name=name, limits=limits)
    return _Abandoning(ports, lock, held.checkpoint, name, limits).carry_out()


class _Abandoning:
    """One abandonment under way."""

    def __init__(self, ports: Ports, lock: LockRecord, checkpoint: Checkpoint, name: str, limits: Limits) -> None:
        self._ports, self._checkpoint, self._limits = ports, checkpoint, limits
        self._lock, self._name = lock, name
        self._busy: set[str] = set()
        self._done: list[str] = []
        self._failures: list[str] = []
        self._resumed: list[str] = []
        self._unresumed: list[str] = []

    def carry_out(self) -> Abandonment:
        """Do all of it."""
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

    def _hold(self) -> None:
        """Keep others out while this goes on.

        RunInProgressError where the lock is not ours any more: somebody else gives the run up, or has done so and a new
        one is at work, whose nodes are none of our business.
        """
        self._lock = evolve(self._lock, lease_until=self._now() + self._limits.lease)
        try:
            holder: LockRecord | None = self._ports.cluster.write_lock(self._lock)
        except StateError:
            holder = self._ports.cluster.read_lock()
        if holder is None or (holder.run_id, holder.fence) != (self._lock.run_id, self._lock.fence):
            raise taken_over_by(holder, self._lock, self._name)

    # --- agents ------------------------------------------------------------------------------------------------------

    def _clean(self, node: str, state: NodeState) -> None:
        try:
            if self._stop_agent(node) and self._lock.run_id in self._ports.agent.leftovers(node):
                self._ports.agent.remove_leftovers(node, self._lock.run_id)
                self._done.append(f"{node}: what the update agent left there is removed.")
        except CauError as error:
            if state in {NodeState.UP, NodeState.PAUSED} or self._mark(node):
                self._failures.append(f"{node}: its update agent could not be cleaned up: {error.message}")

    def _stop_agent(self, node: str) -> bool:
        """Let an agent end what it cannot interrupt, and say whether it has ended: an installation is never killed."""
        mark = self._mark(node)
        if mark is None or mark.request is None or self._lock.run_id not in self._ports.agent.leftovers(node):
            return True
        request = AgentRequest(
            mark.request, run_id=self._lock.run_id, operation=AgentOperation.SCAN, query=DEFAULT_QUERY
        )
        agent, begun = self._ports.agent, self._now()
        agent.cancel(node, request)
        while agent.poll(node, request, 0).state is AgentState.RUNNING:
            if self._now() - begun >= self._limits.agent_stop:
                self._busy.add(node)
                self._failures.append(
                    f"{node}: Windows Update did not stop within {readable(self._limits.agent_stop)}; it was left at "
                    "work. Try again when it has ended."
                )
                return False
            self._pause(self._limits.poll)
        return True

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
            if node in self._busy:
                self._failures.append(f"{node}: it stays paused while Windows Update installs on it.")
                self._unresumed.append(node)
                return
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
                left = evolve(self._lock, lease_until=self._now(), checkpoint=left_behind(self._lock.checkpoint))
                self._ports.cluster.write_lock(left)
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
