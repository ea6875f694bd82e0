"""The way back: the node is resumed, its roles return, and both are verified. Undoing goes the same way.

The cluster's own failback has a while; then roles that lived here before and are elsewhere are moved one by one, within
bounds. A role that was online before and is not at the end has lost its home: the node has failed. A node that cannot
be resumed is stranded: it is watched for a while, and if it does not come back it is named, and the run ends.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.actions import Action, MoveGroup, ObserveCluster, ResumeNode
from cauctl.coordinator.events import (
    CallFailed,
    ClusterChanged,
    ClusterObserved,
    Event,
    MoveRequested,
    ResumeRequested,
    StopReason,
)
from cauctl.coordinator.machine_attempt import close_attempt, left_cluster
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import NodeWork, Phase
from cauctl.coordinator.stop import stop
from cauctl.coordinator.turn import Rules, Turn, problem, settle_call
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import ClusterGroup, GroupState, NodeState, readable
from cauctl.policy.placement import away, homeless

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem

__all__ = ["FAILING_BACK", "RESUMING", "STRANDED"]

_LOOKS = 3
"""Looks that must find the node still paused before it is resumed again."""
_RETURNS = 3
"""Times that a node may be stranded before it is given up."""
_SERVING = frozenset({GroupState.ONLINE, GroupState.PARTIAL_ONLINE, GroupState.PENDING})


# --- until the node is Up --------------------------------------------------------------------------------------------


def _enter_resuming(turn: Turn, node: NodeWork) -> None:
    """Resume what we paused; a node that somebody else has paused by now stays as it is."""
    if not node.paused_by_us:
        turn.go(node, Phase.FAILING_BACK)
        return
    if _may_still_go_down(node):
        node = turn.note(node, "Its restart did not happen in time and may still come: its roles were left elsewhere.")
    node = turn.wait_for(node, "Resume", f"{node.name} is to be Up", turn.limits.resume)
    turn.call(node, ResumeNode(node.name, failback=_failback(turn, node)))


def _failback(turn: Turn, node: NodeWork) -> FailbackType:
    return FailbackType.NO_FAILBACK if _may_still_go_down(node) else turn.settings.failback_mode


def _may_still_go_down(node: NodeWork) -> bool:
    """Say whether the node was told to restart, was never seen to, and has not been away since."""
    failing, restarts = node.failing, node.record.restarts
    timed_out = failing is not None and failing.phase is Phase.RESTARTING
    return timed_out and not node.stranded and bool(restarts) and restarts[-1].ours and restarts[-1].proved is None


def _resuming(turn: Turn, node: NodeWork, event: Event) -> None:
    node = turn.calm(node)
    if isinstance(event, ResumeRequested):  # at once: who pauses the node later must not be taken for our own pause
        turn.call(node, ObserveCluster(node.name))
    elif isinstance(event, (ClusterObserved, ClusterChanged)):
        _look_at_resumed(turn, node)


def _look_at_resumed(turn: Turn, node: NodeWork) -> None:
    if left_cluster(turn, node):
        return
    state = turn.facts.node(node.name).state
    if state is NodeState.UP:
        _resumed(turn, node)
    elif turn.waited_out(node) or state is NodeState.DOWN:
        turn.go(turn.blame(node, _not_resumed(node, f"it is {state.value}")), Phase.STRANDED)
    elif state is NodeState.PAUSED and node.steady >= _LOOKS:
        turn.call(node, ResumeNode(node.name, failback=_failback(turn, node)), steady=0)
    else:
        turn.look_later(node, ObserveCluster(node.name), steady=node.steady + 1)


def _resumed(turn: Turn, node: NodeWork) -> None:
    since, before = node.record.paused_since, node.record.paused_for or timedelta()
    if since is not None:
        node = turn.keep(node, paused_since=None, paused_for=before + (turn.at - since))
    turn.remember()  # who pauses the node from now on is somebody else, for a successor as well
    turn.go(turn.set(node, paused_by_us=False), Phase.FAILING_BACK)


def _resume_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """Whatever goes wrong, look what the node is; it is asked again until the limit, and then watched."""
    if turn.waited_out(node) or event.problem.kind.hopeless:
        turn.go(turn.blame(node, event.problem), Phase.STRANDED)
        return
    if isinstance(action, ResumeNode) and not event.problem.kind.passing:
        node = turn.note(node, f"It could not be resumed at once: {event.problem.message}")
    turn.call_at(node, turn.at + turn.limits.retry_interval, ObserveCluster(node.name))


def _not_resumed(node: NodeWork, reason: str) -> Problem:
    return problem(
        "NodeNotResumed",
        f"{node.name} could not be resumed: {reason}.",
        advice=f"Bring it back, then resume it: cauctl recover --abandon, or Resume-ClusterNode -Name {node.name}.",
        category="ResourceUnavailable",
    )


RESUMING = Rules(_enter_resuming, _resuming, _resume_failed)


# --- while it cannot be resumed --------------------------------------------------------------------------------------


def _enter_stranded(turn: Turn, node: NodeWork) -> None:
    if node.stranded >= _RETURNS:
        _give_up(turn, node, "it comes and goes")
        return
    node = turn.set(node, stranded=node.stranded + 1)
    node = turn.wait_for(node, "Stranded", f"{node.name} is to come back", turn.limits.stranded)
    turn.look_later(node, ObserveCluster(node.name))


def _stranded(turn: Turn, node: NodeWork, event: Event) -> None:
    if not isinstance(event, (ClusterObserved, ClusterChanged)):
        return
    if left_cluster(turn, node):
        return
    state = turn.facts.node(node.name).state
    if state in {NodeState.UP, NodeState.PAUSED}:
        turn.go(turn.note(node, "The node came back late and was resumed."), Phase.RESUMING)
    elif turn.waited_out(node):
        _give_up(turn, node, f"it is {state.value}")
    else:
        turn.look_later(node, ObserveCluster(node.name))


def _stranded_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """Give a node up for what is seen of it; when nobody answers at all nothing is, and only waiting helps."""
    if turn.at - node.since >= turn.limits.outage or not event.problem.kind.passing:
        _give_up(turn, node, event.problem.message)
    else:
        turn.look_later(node, action)


def _give_up(turn: Turn, node: NodeWork, reason: str) -> None:
    """Name the node that stays behind; nothing else may be taken down then."""
    why = _not_resumed(node, reason)
    node = turn.note(node, why.message)
    stop(turn, StopReason.UNSAFE, why, cause=node.record.causes[0])
    close_attempt(turn, node)


STRANDED = Rules(_enter_stranded, _stranded, _stranded_failed)


# --- until its roles are back ----------------------------------------------------------------------------------------


def _enter_failing_back(turn: Turn, node: NodeWork) -> None:
    turn.call(turn.keep(node, moves={}), ObserveCluster(node.name))


def _failing_back(turn: Turn, node: NodeWork, event: Event) -> None:
    node = turn.calm(node)
    if isinstance(event, MoveRequested):
        turn.look_later(node, ObserveCluster(node.name))
    elif isinstance(event, (ClusterObserved, ClusterChanged)):
        _look_at_roles(turn, node)


def _look_at_roles(turn: Turn, node: NodeWork) -> None:
    state = turn.facts.node(node.name).state
    if state is NodeState.PAUSED:
        _placed(
            turn, turn.note(node, "Somebody else has paused the node; it stays so, and its roles stay where they are.")
        )
        return
    if state is not NodeState.UP:
        _placed(turn, turn.blame(node, problem("NodeLost", f"{node.name} left the cluster after it was resumed.")))
        return
    moving = _on_their_way(turn, node)
    missing = _elsewhere(turn, node)
    if not moving and not missing:
        _settle_roles(turn, node)
        return
    names = ", ".join(dict.fromkeys(group.name for group in (*moving, *missing)))
    node = turn.wait_for(node, "Failback", f"not back: {names}", turn.limits.failback)
    if turn.waited_out(node):
        _placed(turn, turn.note(node, f"Not back on {node.name} after {readable(turn.limits.failback)}: {names}."))
        return
    due = _moves_due(turn, node)
    ready = (
        group
        for group in missing
        if group.state is not GroupState.PENDING
        and not group.locked_from_moving
        and node.record.moves.get(group.name, 0) < due
    )
    group = next(ready, None)
    if group is None:
        turn.look_later(node, ObserveCluster(node.name))
        return
    moves = {**node.record.moves, group.name: node.record.moves.get(group.name, 0) + 1}
    turn.call(turn.keep(node, moves=moves), MoveGroup(node.name, group=group.name, target=node.name))


def _settle_roles(turn: Turn, node: NodeWork) -> None:
    """End the attempt; where nobody knows which roles lived here, after the cluster's own time to bring them back."""
    grace = turn.limits.failback_grace
    if turn.settings.purpose is Purpose.RESUME and turn.at - node.since < grace:
        node = turn.wait_for(node, "Failback", "the cluster brings roles back by itself", turn.limits.failback)
        turn.call_at(node, node.since + grace, ObserveCluster(node.name))
    else:
        _placed(turn, node)


def _elsewhere(turn: Turn, node: NodeWork) -> tuple[ClusterGroup, ...]:
    """Name the roles that lived here and do not, where they are to return at all."""
    if _failback(turn, node) is not FailbackType.IMMEDIATE:
        return ()
    roles = (each.group for each in node.record.placement if not each.core and each.state in _SERVING)
    return away(turn.facts, node.name, roles)


def _on_their_way(turn: Turn, node: NodeWork) -> tuple[ClusterGroup, ...]:
    names = {each.group for each in node.record.placement}
    return tuple(group for group in turn.facts.groups if group.name in names and group.state is GroupState.PENDING)


def _moves_due(turn: Turn, node: NodeWork) -> int:
    """Count the moves that each role may have had by now: none within the cluster's own time."""
    limits = turn.limits
    own = turn.at - node.since - limits.failback_grace
    if own.total_seconds() < 0:
        return 0
    return min(int(own / (limits.failback / limits.moves_per_group)) + 1, limits.moves_per_group)


def _placed(turn: Turn, node: NodeWork) -> None:
    """Write down where the roles are, and end the attempt."""
    facts = turn.facts
    state = facts.node(node.name).state
    names = {each.group for each in node.record.placement if not each.core}
    after = {group.name: group.owner_node for group in facts.groups if group.name in names}
    node = turn.keep(node, placed_after=after)
    serving = tuple(each.group for each in node.record.placement if not each.core and each.state in _SERVING)
    if lost := homeless(facts, serving):
        roles = ", ".join(f"{group.name} is {group.state.value} on {group.owner_node}" for group in lost)
        why = problem(
            "RoleNotRestored",
            f"Roles that {node.name} served before its turn are not served now: {roles}.",
            advice="Bring them online by hand and look into the cluster log.",
            final=True,
        )
        node = turn.blame(node, why)
    if turn.settings.post_script and state is NodeState.UP:
        turn.go(node, Phase.POST_SCRIPT)
    else:
        close_attempt(turn, node)


def _failback_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """A role that refuses to return uses up one of its moves; roles are verified for what they are."""
    if isinstance(action, MoveGroup) and not event.problem.kind.hopeless:
        node = turn.note(node, f"{action.group} could not be moved back: {event.problem.message}")
        turn.look_later(node, ObserveCluster(node.name))
        return
    final = evolve(event.problem, final=True)
    settle_call(turn, node, evolve(event, problem=final), action)


FAILING_BACK = Rules(_enter_failing_back, _failing_back, _failback_failed)
