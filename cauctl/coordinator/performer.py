"""Performing actions through the ports: each call becomes the events that answer it.

Rules kept here:

* Look before acting: a node that is paused by somebody else is not taken for ours, a node that restarted already is not
  restarted, one that is not drained any more is neither restarted nor installed on, a coordinator that has lost the
  lock does nothing. What was found instead of what was to be is the answer, and decides.
* Right before each destructive action the checkpoint is written and the lock is read again: intent before
  action. After a long silence, as of a computer that slept, the lock is read before anything at all.
* Nothing is raised: an error becomes a :class:`~cauctl.coordinator.events.CallFailed`, an unforeseen one too, so that
  the machine can undo what was begun.

A performer may be used from several threads.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from cauctl.coordinator.actions import (
    AcquireLock,
    Action,
    AllowRestarts,
    BeginAgent,
    Call,
    CancelAgent,
    CheckGates,
    CheckInterlock,
    CollectAgent,
    LeaveLock,
    MoveGroup,
    ObserveCluster,
    PollAgent,
    ProbeNode,
    ReleaseLock,
    RenewLease,
    RepairDisk,
    RestartNode,
    ResumeNode,
    RunScript,
    SuspendNode,
)
from cauctl.coordinator.checkpoint import checkpoint_of
from cauctl.coordinator.events import (
    AgentBegun,
    AgentCancelled,
    AgentCollected,
    AgentPolled,
    CallFailed,
    ClusterObserved,
    Event,
    FoundPaused,
    InterlockChecked,
    LeaseRenewed,
    LockAcquired,
    LockFoundHeld,
    LockLost,
    LockReleased,
    MoveRequested,
    NodeProbed,
    RepairRequested,
    RestartRequested,
    ResumeRequested,
    StopRequested,
    SuspendRequested,
)
from cauctl.coordinator.looking import look, look_at_cluster, look_at_gates
from cauctl.coordinator.preparing import prepare
from cauctl.coordinator.problems import Problem, ProblemKind, problem_of
from cauctl.coordinator.remembered import Packer
from cauctl.errors import CauError, StateError
from cauctl.models.nodes import LockRecord, NodeState
from cauctl.policy.budget import in_the_way
from cauctl.policy.placement import holding
from cauctl.policy.quorum import votes_without
from cauctl.policy.reboot import Boot, boot_of, same_boot
from cauctl.ports import Clock, Cluster, Node, Scripts, UpdateAgent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cauctl.coordinator.state import RunState
    from cauctl.models.nodes import ClusterFacts

__all__ = ["Performer", "Ports"]

_log = logging.getLogger(__name__)

Answers = tuple[Event, ...]


@frozen(kw_only=True)
class Ports:
    """Everything outside that a run needs."""

    cluster: Cluster
    """The cluster."""
    node: Node
    """The nodes' operating systems."""
    agent: UpdateAgent
    """Windows Update on the nodes."""
    clock: Clock
    """The time."""
    scripts: Scripts | None = None
    """The user's scripts; None where a coordinator runs none."""


class _LostLockError(Exception):
    """The lock is not ours; carries who holds it."""

    def __init__(self, holder: LockRecord | None) -> None:
        super().__init__()
        self.holder = holder


class Performer:
    """Performs calls for one run.

    Args:
        ports: everything outside.
        latest: gives the state of the run as it is now; checkpoints are written from it, so that a call that was made
            earlier and is performed later never takes one back.
    """

    def __init__(self, ports: Ports, latest: Callable[[], RunState]) -> None:
        self._ports = ports
        self._latest = latest
        self._lock = Lock()
        self._packer = Packer()
        self._confirmed: datetime | None = None
        self._stop_asked_by = ""
        self._table: Mapping[type[Action], Callable[[Call, RunState], Answers]] = {
            CheckInterlock: self._check_interlock,
            AcquireLock: self._acquire_lock,
            RenewLease: self._renew_lease,
            ReleaseLock: self._release_lock,
            LeaveLock: self._leave_lock,
            ObserveCluster: self._observe,
            ProbeNode: self._probe,
            BeginAgent: self._begin,
            PollAgent: self._poll,
            CancelAgent: self._cancel,
            CollectAgent: self._collect,
            CheckGates: self._check_gates,
            SuspendNode: self._suspend,
            MoveGroup: self._move,
            RepairDisk: self._repair,
            RestartNode: self._restart,
            ResumeNode: self._resume,
            AllowRestarts: self._prepare,
            RunScript: self._prepare,
        }

    def perform(self, call: Call, state: RunState) -> Answers:
        """Perform a call and give the events that answer it, the answer proper last.

        Args:
            call: what to do.
            state: the run as it was when the call was made.
        """
        answers = self._perform(call, state)
        if self._stop_asked_by and not self._latest().stop_asked:
            return (StopRequested(self._now(), by=self._stop_asked_by), *answers)
        return answers

    def _perform(self, call: Call, state: RunState) -> Answers:
        try:
            self._stay_awake(state)
            return self._table[type(call.action)](call, state)
        except _LostLockError as lost:
            return (LockLost(self._now(), call=call.number, holder=lost.holder),)
        except CauError as error:
            return (CallFailed(self._now(), call=call.number, node=call.node, problem=problem_of(error)),)
        except Exception as error:  # noqa: BLE001  whatever it is, what was begun must be undone
            _log.exception("%s failed in a way that was not foreseen", type(call.action).__name__)
            why = Problem(
                ProblemKind.OTHER,
                message=f"{type(call.action).__name__} failed in a way that was not foreseen: {type(error).__name__}.",
                error_id="InternalError",
                advice="Please report this as a defect; the log has the details.",
            )
            return (CallFailed(self._now(), call=call.number, node=call.node, problem=why),)

    def _now(self) -> datetime:
        return self._ports.clock.now()

    # --- the lock ----------------------------------------------------------------------------------------------------

    def _check_interlock(self, call: Call, _state: RunState) -> Answers:
        foreign = self._ports.cluster.foreign_coordinators()
        return (InterlockChecked(self._now(), call=call.number, foreign=tuple(foreign)),)

    def _acquire_lock(self, call: Call, state: RunState) -> Answers:
        now = self._now()
        record = LockRecord(
            state.run_id,
            owner=state.owner,
            fence=state.fence,
            acquired=now,
            lease_until=now + state.settings.limits.lease,
            checkpoint=checkpoint_of(state, self._packer),
        )
        held = self._ports.cluster.acquire_lock(record)
        if held is not None and held.run_id != state.run_id:
            return (LockFoundHeld(self._now(), call=call.number, record=evolve(held, checkpoint="")),)
        self._confirmed = now
        return (LockAcquired(self._now(), call=call.number, record=evolve(held or record, checkpoint="")),)

    def _renew_lease(self, call: Call, state: RunState) -> Answers:
        until = self._guard(state, state.settings.limits.lease)
        return (LeaseRenewed(self._now(), call=call.number, until=until),)

    def _release_lock(self, call: Call, state: RunState) -> Answers:
        self._ports.cluster.release_lock(state.run_id)
        return (LockReleased(self._now(), call=call.number),)

    def _leave_lock(self, call: Call, state: RunState) -> Answers:
        self._guard(state, timedelta())
        return (LockReleased(self._now(), call=call.number),)

    def _guard(self, state: RunState, lease: timedelta) -> datetime:
        """Write the checkpoint with a lease of this length from now, then make sure that the lock is still ours."""
        with self._lock:
            now = self._now()
            record = LockRecord(
                state.run_id,
                owner=state.owner,
                fence=state.fence,
                acquired=state.lock.acquired if state.lock else now,
                lease_until=now + lease,
                checkpoint=checkpoint_of(self._latest(), self._packer),
            )
            try:
                holder = self._ports.cluster.write_lock(record)
            except StateError as error:
                raise _LostLockError(self._holder()) from error
            if (holder.run_id, holder.fence) != (state.run_id, state.fence):
                raise _LostLockError(holder)
            self._stop_asked_by = holder.stop
            self._confirmed = now
            return record.lease_until

    def _heed(self, state: RunState) -> None:
        """Read the lock: whether it is ours still, and whether somebody asks us to stop."""
        holder = self._holder()
        if holder is None:
            return
        if (holder.run_id, holder.fence) != (state.run_id, state.fence):
            raise _LostLockError(holder)
        self._stop_asked_by = holder.stop

    def _holder(self) -> LockRecord | None:
        """Say who holds the lock instead, as far as it can be read."""
        with suppress(CauError):
            return self._ports.cluster.read_lock()
        return None

    def _stay_awake(self, state: RunState) -> None:
        """Read the lock again after a silence that was so long that others may have taken us for dead."""
        confirmed, limits = self._confirmed, state.settings.limits
        if state.lock is not None and (confirmed is None or self._now() - confirmed >= min(limits.vigil, limits.lease)):
            self._guard(state, state.settings.limits.lease)

    # --- looking -----------------------------------------------------------------------------------------------------

    def _observe(self, call: Call, state: RunState) -> Answers:
        """Look at the cluster; a look that is for no node's sake heeds the lock as well."""
        if call.node is None and state.lock is not None:
            self._heed(state)
        return tuple(look_at_cluster(self._ports, call, state))

    def _probe(self, call: Call, _state: RunState) -> Answers:
        node = _node(call)
        return (NodeProbed(self._now(), call=call.number, node=node, probe=self._ports.node.probe(node)),)

    def _look(self, state: RunState) -> ClusterFacts:
        return look(self._ports, state)

    def _check_gates(self, call: Call, state: RunState) -> Answers:
        return tuple(look_at_gates(self._ports, call, _node(call), state))

    # --- Windows Update ----------------------------------------------------------------------------------------------

    def _begin(self, call: Call, state: RunState) -> Answers:
        node, action = _node(call), call.action
        if isinstance(action, BeginAgent):
            if action.destructive:
                self._guard(state, state.settings.limits.lease)
                facts = self._look(state)
                if _serves(facts, node, state):
                    return (ClusterObserved(self._now(), call=call.number, node=node, facts=facts),)
            elif state.fence > 1:
                self._clear(node, state.run_id)
            self._ports.agent.begin(node, action.request)
        return (AgentBegun(self._now(), call=call.number, node=node),)

    def _clear(self, node: str, run_id: str) -> None:
        """Remove what a dead coordinator of this run began on a node: who searches there now knows nothing of it."""
        agent = self._ports.agent
        if run_id in agent.leftovers(node):
            agent.remove_leftovers(node, run_id)

    def _poll(self, call: Call, _state: RunState) -> Answers:
        node, action = _node(call), call.action
        if not isinstance(action, PollAgent):
            raise TypeError(action)
        progress = self._ports.agent.poll(node, action.request, action.after)
        return (AgentPolled(self._now(), call=call.number, node=node, state=progress.state, events=progress.events),)

    def _cancel(self, call: Call, _state: RunState) -> Answers:
        node, action = _node(call), call.action
        if isinstance(action, CancelAgent):
            self._ports.agent.cancel(node, action.request)
        return (AgentCancelled(self._now(), call=call.number, node=node),)

    def _collect(self, call: Call, state: RunState) -> Answers:
        node, action = _node(call), call.action
        if isinstance(action, CollectAgent):
            if action.destructive:
                self._guard(state, state.settings.limits.lease)
            self._ports.agent.collect(node, action.request)
        return (AgentCollected(self._now(), call=call.number, node=node),)

    # --- changing the cluster ----------------------------------------------------------------------------------------

    def _suspend(self, call: Call, state: RunState) -> Answers:
        node, action, cluster = _node(call), call.action, self._ports.cluster
        if not isinstance(action, SuspendNode):
            raise TypeError(action)
        facts = self._look(state)
        seen = ClusterObserved(self._now(), node=node, facts=facts)
        if facts.node(node).evicted:
            return (evolve(seen, call=call.number),)
        if not action.again and facts.node(node).state is NodeState.PAUSED:
            return (seen, FoundPaused(self._now(), call=call.number, node=node))
        self._guard(state, state.settings.limits.lease)
        cluster.suspend(node, drain=action.drain, force_drain=action.force)
        return (seen, SuspendRequested(self._now(), call=call.number, node=node))

    def _move(self, call: Call, state: RunState) -> Answers:
        node, action = _node(call), call.action
        self._guard(state, state.settings.limits.lease)
        if isinstance(action, MoveGroup):
            self._ports.cluster.move_group(action.group, action.target)
        return (MoveRequested(self._now(), call=call.number, node=node),)

    def _repair(self, call: Call, state: RunState) -> Answers:
        node, action = _node(call), call.action
        self._guard(state, state.settings.limits.lease)
        if isinstance(action, RepairDisk):
            self._ports.cluster.repair(action.disk)
        return (RepairRequested(self._now(), call=call.number, node=node),)

    def _restart(self, call: Call, state: RunState) -> Answers:
        node, action, port = _node(call), call.action, self._ports.node
        if not isinstance(action, RestartNode):
            raise TypeError(action)
        probe = port.probe(node)
        doomed = Boot(action.boot_time, counted=action.counted)
        if not same_boot(doomed, boot_of(probe, self._now()), state.settings.limits.boot_tolerance):
            return (NodeProbed(self._now(), call=call.number, node=node, probe=probe),)
        self._guard(state, state.settings.limits.lease)
        facts = self._look(state)
        if _serves(facts, node, state) or in_the_way(facts, node) or not votes_without(facts, node).quorate:
            return (ClusterObserved(self._now(), call=call.number, node=node, facts=facts),)
        port.restart(node, reason=action.reason)
        port.forget(node)
        return (RestartRequested(self._now(), call=call.number, node=node),)

    def _prepare(self, call: Call, state: RunState) -> Answers:
        self._guard(state, state.settings.limits.lease)
        return (prepare(self._ports, call),)

    def _resume(self, call: Call, state: RunState) -> Answers:
        node, action = _node(call), call.action
        self._guard(state, state.settings.limits.lease)
        facts = self._look(state)
        if facts.node(node).evicted:
            return (ClusterObserved(self._now(), call=call.number, node=node, facts=facts),)
        if isinstance(action, ResumeNode):
            self._ports.cluster.resume(node, failback=action.failback)
        return (ResumeRequested(self._now(), call=call.number, node=node),)


def _serves(facts: ClusterFacts, node: str, state: RunState) -> bool:
    """Say whether a node that was taken out of service is in it again, or is gone: resumed, given a role, evicted."""
    seen = facts.node(node)
    owns = state.settings.drain and bool(holding(facts, node))
    return seen.evicted or seen.state is NodeState.UP or owns


def _node(call: Call) -> str:
    node = call.node
    if node is None:
        raise ValueError(call)
    return node
