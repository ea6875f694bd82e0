"""Suspending a node: it is paused, its roles leave, and the owner list proves that none is left.

The call only starts the drain; the cluster is looked at until it is over. ``Completed`` with a role left on the node is
no success, ``Failed`` is not yet the end: what is left is moved role by role, within bounds. If the node is not empty
after that, all is undone: the node is resumed and the attempt has failed, with the roles named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.actions import Action, MoveGroup, ObserveCluster, SuspendNode
from cauctl.coordinator.events import (
    CallFailed,
    ClusterChanged,
    ClusterObserved,
    Event,
    FoundPaused,
    MoveRequested,
    SuspendRequested,
)
from cauctl.coordinator.machine_attempt import left_cluster, stop_problem
from cauctl.coordinator.machine_gates import leave_to_others
from cauctl.coordinator.machine_updates import search_again
from cauctl.coordinator.problems import ProblemKind
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import NodeWork, Phase
from cauctl.coordinator.turn import Rules, Turn, problem, settle_call
from cauctl.models.nodes import ClusterNode, DrainStatus, GroupState, NodeState, readable
from cauctl.policy.placement import holding, target

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem

__all__ = ["EMPTYING", "SUSPENDING"]

_SPACE_DEGRADED = frozenset({5987, 0x80071763})
"""ERROR_CLUSTER_SPACE_DEGRADED, as a Windows code and as an HRESULT."""
_NOTHING_DONE = frozenset({ProblemKind.UNREACHABLE, ProblemKind.CLUSTER})
"""Failures of a command that say that it was not carried out."""
_LOOKS = 3
"""Looks that must agree before a state which should pass by is taken as it is."""


# --- the cluster's own drain -----------------------------------------------------------------------------------------


def _enter_suspending(turn: Turn, node: NodeWork) -> None:
    node = turn.stamp(node, drain_start=turn.at)
    node = turn.wait_for(node, "Drain", "roles leave the node", turn.limits.drain)
    _suspend(turn, node, again=False)


def _suspend(turn: Turn, node: NodeWork, *, again: bool) -> None:
    settings = turn.settings
    suspend = SuspendNode(node.name, again=again, force=settings.force_drain, drain=settings.drain)
    turn.call(node, suspend, steady=0)


def _suspending(turn: Turn, node: NodeWork, event: Event) -> None:
    node = turn.calm(node)
    match event:
        case SuspendRequested():
            _take_down_pause(turn, node)
        case FoundPaused():
            leave_to_others(turn, node)
        case ClusterObserved() | ClusterChanged():
            _look_at_drain(turn, node)
        case _:
            pass


def _take_down_pause(turn: Turn, node: NodeWork) -> None:
    record = node.record
    node = turn.keep(node, suspended=record.suspended or turn.at, paused_since=record.paused_since or turn.at)
    node = turn.set(node, released=False)
    turn.look_later(node, ObserveCluster(node.name))


def _look_at_drain(turn: Turn, node: NodeWork) -> None:
    if left_cluster(turn, node):
        return
    seen = turn.facts.node(node.name)
    left = holding(turn.facts, node.name)
    if turn.stopping and not node.record.installed:
        turn.fail(node, stop_problem(turn.run))
    elif seen.state is NodeState.PAUSED:
        _look_at_paused(turn, node, seen, left=len(left))
    elif seen.state is NodeState.UP:
        _look_at_up(turn, node, seen)
    elif node.steady >= _LOOKS:
        turn.fail(node, problem("NodeLost", f"{node.name} is {seen.state.value} since it was to be drained."))
    else:
        turn.look_later(node, ObserveCluster(node.name), steady=node.steady + 1)


def _look_at_paused(turn: Turn, node: NodeWork, seen: ClusterNode, *, left: int) -> None:
    if not turn.settings.drain:
        _drained(turn, turn.note(node, f"It was paused without a drain; {left} roles stayed on it."))
    elif seen.drain_status is DrainStatus.IN_PROGRESS:
        _out_of_time(turn, node, f"{left} role{'' if left == 1 else 's'} left", "the drain did not end")
    elif not left:
        _drained(turn, node)
    elif seen.drain_status is DrainStatus.NOT_INITIATED and node.steady < _LOOKS:
        turn.look_later(node, ObserveCluster(node.name), steady=node.steady + 1)
    else:
        turn.go(node, Phase.EMPTYING)


def _look_at_up(turn: Turn, node: NodeWork, seen: ClusterNode) -> None:
    """Ask again where nothing shows that the cluster has begun."""
    draining = seen.drain_status is DrainStatus.IN_PROGRESS or "DrainInProgress" in seen.status_information
    if not draining and node.steady >= _LOOKS and not turn.waited_out(node):
        _suspend(turn, node, again=True)
        return
    node = turn.set(node, steady=0 if draining else node.steady + 1)
    _out_of_time(turn, node, f"{node.name} is not paused yet", f"{node.name} was not paused")


def _out_of_time(turn: Turn, node: NodeWork, reason: str, verdict: str) -> None:
    """Look again later, or give up at the limit."""
    node = turn.wait_for(node, "Drain", reason, turn.limits.drain)
    if turn.waited_out(node):
        limit = readable(turn.limits.drain)
        turn.fail(node, problem("DrainTimeout", f"{node.name} could not be drained within {limit}: {verdict}."))
        return
    turn.look_later(node, ObserveCluster(node.name))


def _suspend_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    why = event.problem
    if isinstance(action, SuspendNode) and why.kind is ProblemKind.REFUSED and why.hresult in _SPACE_DEGRADED:
        limit = turn.limits.suspend_retry
        node = turn.wait_for(node, "SpaceDegraded", why.message, limit)
        if not turn.waited_out(node) and not turn.stopping:
            turn.call_at(node, turn.at + turn.limits.storage_interval, action)
            return
    if isinstance(action, SuspendNode) and why.kind in _NOTHING_DONE:
        settle_call(turn, node, event, action, give_up=Turn.fail if action.again else _fail_unpaused)
        return
    if isinstance(action, SuspendNode) and why.kind.passing:
        turn.look_later(node, ObserveCluster(node.name))
        return
    settle_call(turn, node, event, action)


def _fail_unpaused(turn: Turn, node: NodeWork, why: Problem) -> None:
    """End the attempt of a node that could not even be asked: who pauses it meanwhile is somebody else."""
    turn.fail(turn.set(node, paused_by_us=False), why)


SUSPENDING = Rules(_enter_suspending, _suspending, _suspend_failed)


# --- what the drain left behind --------------------------------------------------------------------------------------


def _enter_emptying(turn: Turn, node: NodeWork) -> None:
    left = ", ".join(group.name for group in holding(turn.facts, node.name))
    node = turn.note(node, f"The drain left behind: {left}.")
    node = turn.wait_for(node, "RolesLeft", f"left: {left}", turn.limits.move)
    _empty(turn, turn.keep(node, moves={}))


def _emptying(turn: Turn, node: NodeWork, event: Event) -> None:
    node = turn.calm(node)
    if isinstance(event, MoveRequested):
        turn.look_later(node, ObserveCluster(node.name))
    elif isinstance(event, (ClusterObserved, ClusterChanged)):
        _empty(turn, node)


def _empty(turn: Turn, node: NodeWork) -> None:
    """Move the next role that is due, or look again; give up at the limit."""
    if left_cluster(turn, node):
        return
    left = holding(turn.facts, node.name)
    names = ", ".join(group.name for group in left)
    if not left:
        _drained(turn, node)
        return
    if turn.stopping and not node.record.installed:
        turn.fail(node, stop_problem(turn.run))
        return
    node = turn.wait_for(node, "RolesLeft", f"left: {names}", turn.limits.move)
    if turn.waited_out(node):
        locked = ", ".join(group.name for group in left if group.locked_from_moving)
        turn.fail(
            node, problem("DrainFailed", f"These roles did not leave {node.name}: {names}.", advice=_advice(locked))
        )
        return
    due = _moves_due(turn, node)
    ready = (
        group
        for group in left
        if group.state is not GroupState.PENDING
        and not group.locked_from_moving
        and node.record.moves.get(group.name, 0) < due
    )
    group, goal = next(ready, None), target(turn.facts, node.name)
    if group is None or goal is None:
        turn.look_later(node, ObserveCluster(node.name))
        return
    moves = {**node.record.moves, group.name: node.record.moves.get(group.name, 0) + 1}
    turn.call(turn.keep(node, moves=moves), MoveGroup(node.name, group=group.name, target=goal))


def _moves_due(turn: Turn, node: NodeWork) -> int:
    """Count the moves that each role may have had by now: one at once, the others spread over the limit."""
    limits = turn.limits
    return min(int((turn.at - node.since) / (limits.move / limits.moves_per_group)) + 1, limits.moves_per_group)


def _advice(locked: str) -> str:
    if locked:
        return f"Locked from moving: {locked}. A backup or a migration may hold them; try again when it is over."
    return "Move them by hand and look at why they cannot be moved, then try again."


def _move_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """A role that refuses to move uses up one of its moves; the others are not held up by it."""
    if isinstance(action, MoveGroup) and not event.problem.kind.hopeless:
        node = turn.note(node, f"{action.group} could not be moved: {event.problem.message}")
        turn.look_later(node, ObserveCluster(node.name))
        return
    settle_call(turn, node, event, action)


EMPTYING = Rules(_enter_emptying, _emptying, _move_failed)


# --- drained ---------------------------------------------------------------------------------------------------------


def _drained(turn: Turn, node: NodeWork) -> None:
    """Clear a restart that is pending first; else install. Neither is begun once the run stops."""
    if turn.stopping and not node.record.installed:
        turn.fail(node, stop_problem(turn.run))
        return
    node = turn.stamp(node, drain_end=turn.at)
    if turn.settings.purpose is Purpose.SUSPEND:
        node = turn.keep(node, reboot_required=turn.settings.always_restart)
    if node.record.reboot_required:
        turn.go(node, Phase.GUARDING)
    elif node.record.updates:
        turn.go(node, Phase.INSTALLING)
    else:
        search_again(turn, node)
