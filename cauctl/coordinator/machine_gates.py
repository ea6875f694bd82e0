"""The gates before a node is taken out of service, and once more before it is restarted.

The first time everything is asked: the node is Up, no other fault domain is out of service, no role is on its way,
votes stay, storage is at rest and has been long enough. All that is closed is waited for, with a name and a limit. The
second time, drained, the node must still be paused and empty, and the others, the votes and what concerns other nodes'
disks must still allow it; its own are out by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.actions import CheckGates, ProbeNode, RepairDisk
from cauctl.coordinator.events import Event, GatesChecked, NodeProbed, RepairRequested, StopReason
from cauctl.coordinator.machine_attempt import cancel, heard, left_cluster, stop_problem
from cauctl.coordinator.state import NodeWork, Phase, Placed, StorageStreak
from cauctl.coordinator.stop import stop
from cauctl.coordinator.turn import Rules, Turn, problem
from cauctl.models.nodes import NodeState, readable
from cauctl.policy import gates
from cauctl.policy.gates import Gate, Verdict
from cauctl.policy.placement import holding
from cauctl.policy.quorum import bears_another_loss
from cauctl.policy.storage import StorageReport, StorageState, assess, assess_while_out, enough

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem

__all__ = ["CHECKING", "GUARDING", "closed_for_restart", "empty_again", "leave_to_others", "paused_by_others"]

_NO_RESERVE = "While it is out, one more failure may end the cluster: no vote is to spare."
_REGAINED = 3
"""Times that a drained node is drained once more in one attempt."""


def paused_by_others(node: str) -> Problem:
    """Say that a node was paused by somebody else."""
    return problem(
        "NodePaused",
        f"{node} was paused by somebody else; it was left alone and stays paused.",
        advice=f"Resume it with Resume-ClusterNode -Name {node} and start another run to update it.",
        category="ResourceUnavailable",
        final=True,
    )


def leave_to_others(turn: Turn, node: NodeWork) -> None:
    """Keep off a node that somebody else has paused; what was installed there before is not undone by that."""
    why = paused_by_others(node.name)
    node = turn.set(node, paused_by_us=False)
    if node.record.installed:
        turn.fail(node, why)
    else:
        cancel(turn, node, why)


# --- before the node is suspended ------------------------------------------------------------------------------------


def _enter_checking(turn: Turn, node: NodeWork) -> None:
    node = turn.stamp(node, attempt_drain_start=turn.at)
    turn.call(node, CheckGates(node.name))


def _checked(turn: Turn, node: NodeWork, event: Event) -> None:
    node = turn.calm(node)
    if isinstance(event, RepairRequested):
        turn.call_at(node, turn.at + turn.limits.storage_interval, CheckGates(node.name))
    elif isinstance(event, GatesChecked):
        _decide(turn, node, event)


def _decide(turn: Turn, node: NodeWork, event: GatesChecked) -> None:
    facts = turn.facts
    if left_cluster(turn, node):
        return
    if turn.stopping:
        cancel(turn, node, stop_problem(turn.run))
        return
    if facts.node(node.name).state is NodeState.PAUSED and not node.paused_by_us:
        cancel(turn, node, paused_by_others(node.name))
        return
    report = assess(event.storage)
    closed = gates.strictest(
        (
            gates.node_is_up(facts, node.name),
            gates.health(facts, node.name, taken=_taken(turn, node)),
            gates.no_late_restart(_late(turn, node)),
            gates.roles_at_rest(facts),
            gates.no_backup(facts),
            gates.quorum(facts, node.name, loses_quorum=event.loses_quorum),
            _storage(turn, report),
        )
    )
    if closed is None:
        _suspend(turn, node)
    elif closed.verdict is Verdict.STOP:
        _stop_run(turn, node, closed)
    else:
        _wait(turn, node, closed, report)


def _taken(turn: Turn, node: NodeWork) -> tuple[str, ...]:
    """Name the nodes that our own hand has out of service or is about to take out."""
    return tuple(other.name for other in turn.nodes.values() if other.paused_by_us and other.name != node.name)


def _late(turn: Turn, node: NodeWork) -> tuple[str, ...]:
    """Name the nodes that were told to restart, did not in time, and have not been away since they were given up."""
    return tuple(
        other.name
        for other in turn.nodes.values()
        if other.name != node.name
        and other.record.status is not None
        and other.failing is not None
        and other.failing.phase is Phase.RESTARTING
        and turn.facts.node(other.name).state is NodeState.UP
        and turn.run.came_up.get(other.name, other.since) <= other.since
    )


def _storage(turn: Turn, report: StorageReport) -> Gate:
    run, limits = turn.run, turn.limits
    if report.state is not StorageState.AT_REST:
        turn.change(streak=StorageStreak())
        return gates.storage_at_rest(report, believed=False, missing="")
    streak = StorageStreak(run.streak.count + 1, last=turn.at)
    turn.change(streak=streak, repaired=())
    has_storage = _has_storage(turn)
    believed, missing = enough(
        streak.count,
        samples=limits.storage_samples if has_storage else 1,
        settled_since=max(run.came_up.values(), default=None) if has_storage else None,
        now=turn.at,
        settle=limits.settle,
    )
    return gates.storage_at_rest(report, believed=believed, missing=missing)


def _has_storage(turn: Turn) -> bool:
    return turn.facts.s2d_enabled or bool(turn.run.storage and turn.run.storage.virtual_disks)


def _stop_run(turn: Turn, node: NodeWork, closed: Gate) -> None:
    why = problem(
        "StorageInDanger",
        f"Storage has no redundancy left: {closed.reason}. No node may be taken down.",
        advice="Repair the storage of the cluster first (Get-VirtualDisk, Get-StorageJob).",
        final=True,
    )
    stop(turn, StopReason.UNSAFE, why)
    cancel(turn, node, why)


def _wait(turn: Turn, node: NodeWork, closed: Gate, report: StorageReport) -> None:
    limits = turn.limits
    limit = limits.storage if closed.name == "StorageRepair" else limits.gates
    node = turn.wait_for(node, closed.name, closed.reason, limit)
    if turn.waited_out(node) or turn.at - node.since >= limits.gates + limits.storage:
        turn.fail(node, _shut(node, closed))
        return
    if not _kick(turn, node, report):
        turn.call_at(node, turn.at + limits.storage_interval, CheckGates(node.name))


def _kick(turn: Turn, node: NodeWork, report: StorageReport) -> bool:
    """Start a repair that nobody carries on, once for each disk until storage is healthy again."""
    idle = [disk for disk in report.repair if disk not in turn.run.repaired]
    if not idle:
        return False
    turn.change(repaired=(*turn.run.repaired, idle[0]))
    turn.call(node, RepairDisk(node.name, disk=idle[0]))
    return True


def _shut(node: NodeWork, closed: Gate) -> Problem:
    wait = node.wait
    waited = readable(wait.limit) if wait and wait.limit else "too long"
    return problem(
        f"{closed.name}Timeout",
        f"{node.name} was not taken out of service: for {waited}, {closed.reason}.",
        category="ResourceUnavailable",
        final=True,
    )


def _suspend(turn: Turn, node: NodeWork) -> None:
    """Remember who lives on the node, and the intent to pause it, before it is asked.

    What was seen of storage so far says nothing once a node was out.
    """
    turn.change(streak=StorageStreak())
    node = turn.keep(node, networks_before=node.record.networks)
    if not bears_another_loss(turn.facts, node.name):
        node = turn.note(node, _NO_RESERVE)
    if not node.record.placement:
        owned = turn.facts.owned_by(node.name)
        placement = tuple(Placed(group.name, state=group.state, core=group.is_core_group) for group in owned)
        node = turn.keep(node, placement=placement)
    node = turn.stamp(node, storage_repair_monitor_end=turn.at)
    beside = tuple(each.name for each in turn.facts.nodes if each.state is NodeState.PAUSED and each.name != node.name)
    turn.go(node, Phase.SUSPENDING, paused_by_us=True, paused_beside=beside)


CHECKING = Rules(_enter_checking, _checked)


# --- before the node is restarted ------------------------------------------------------------------------------------


def _enter_guarding(turn: Turn, node: NodeWork) -> None:
    """Look which boot it is that must end: the node may have restarted by itself since it was last asked."""
    turn.call(node, ProbeNode(node.name))


def _guarded(turn: Turn, node: NodeWork, event: Event) -> None:
    if isinstance(event, NodeProbed):
        turn.call(turn.set(heard(turn, node, event), trouble=None), CheckGates(node.name))
        return
    if isinstance(event, RepairRequested):
        turn.call_at(node, turn.at + turn.limits.storage_interval, CheckGates(node.name))
        return
    if not isinstance(event, GatesChecked):
        return
    node = turn.calm(node)
    if not empty_again(turn, node):
        _restart_or_wait(turn, node, event)


def empty_again(turn: Turn, node: NodeWork) -> bool:
    """Drain a node once more that is in service again; say whether that was needed. Bounded: who resumes it may insist.

    A node that is somebody else's by now, or no node of the cluster any more, is left. The cluster must have been
    looked at just now.
    """
    if left_cluster(turn, node):
        return True
    if not node.paused_by_us:
        leave_to_others(turn, node)
        return True
    resumed = turn.facts.node(node.name).state is NodeState.UP
    if not resumed and not (turn.settings.drain and holding(turn.facts, node.name)):
        return False
    node = turn.set(node, regained=node.regained + 1, agent=None)
    if node.regained > _REGAINED:
        message = f"{node.name} was resumed, or given roles, again and again during its turn."
        advice = "Look for who does that: a person, a virtual machine manager, a script."
        turn.fail(node, problem("NodeNotKeptDrained", message, advice=advice, category="ResourceBusy", final=True))
    elif resumed:
        turn.go(turn.note(node, "Somebody resumed the node during its turn; it was paused again."), Phase.SUSPENDING)
    else:
        turn.go(node, Phase.EMPTYING)
    return True


def _restart_or_wait(turn: Turn, node: NodeWork, event: GatesChecked) -> None:
    closed, report = closed_for_restart(turn, node, event)
    if closed is None:
        turn.go(node, Phase.RESTARTING)
    elif not _kick(turn, node, report):
        _wait_drained(turn, node, closed)


def closed_for_restart(turn: Turn, node: NodeWork, event: GatesChecked) -> tuple[Gate | None, StorageReport]:
    """Name the gate that forbids to restart the drained node now, if any; and how storage was found."""
    facts, limits = turn.facts, turn.limits
    since = node.record.timing.drain_start or node.since
    returns = [at for name, at in turn.run.came_up.items() if name != node.name and at >= since]
    report = assess_while_out(event.storage, others_returned=bool(returns))
    settled = not returns or turn.at - max(returns) >= limits.settle
    closed = gates.strictest(
        (
            gates.health(facts, node.name, taken=_taken(turn, node)),
            gates.no_late_restart(_late(turn, node)),
            gates.quorum(facts, node.name, loses_quorum=event.loses_quorum),
            gates.disks_of_paused(_paused_since(turn, node) if _has_storage(turn) else ()),
            gates.storage_of_others(report, settled=settled or not _has_storage(turn)),
        )
    )
    return closed, report


def _paused_since(turn: Turn, node: NodeWork) -> tuple[str, ...]:
    """Name the nodes that somebody has paused since this one was taken out of service."""
    known = {node.name, *node.paused_beside}
    return tuple(each.name for each in turn.facts.nodes if each.state is NodeState.PAUSED and each.name not in known)


def _wait_drained(turn: Turn, node: NodeWork, closed: Gate) -> None:
    limits = turn.limits
    limit = limits.storage if closed.name == "StorageRepair" else limits.gates
    node = turn.wait_for(node, closed.name, closed.reason, limit)
    if turn.waited_out(node) or turn.at - node.since >= limits.gates + limits.storage:
        turn.fail(node, _shut(node, closed))
    else:
        turn.call_at(node, turn.at + limits.storage_interval, CheckGates(node.name))


GUARDING = Rules(_enter_guarding, _guarded)
