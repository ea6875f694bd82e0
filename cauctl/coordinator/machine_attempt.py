"""Attempts of a node: how one begins, and what is made of its end.

An attempt is the whole way from the first look to the resumed node. One that failed is tried again as often as
MaxRetriesPerNode says, unless another try cannot help. A node that ended in any other way than with success names its
first failure; failures of attempts that were tried again are kept as transient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.actions import Action, AllowRestarts, ProbeNode
from cauctl.coordinator.events import CallFailed, Event, NodeProbed, RestartsAllowed
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import Cause, NodeWork, Phase, RunState, changed
from cauctl.coordinator.turn import Rules, Turn, problem, settle_call
from cauctl.models.enums import SummaryStatus
from cauctl.models.hresult import hex_code, hresult
from cauctl.policy.reboot import Boot, boot_of, same_boot
from cauctl.policy.selection import succeeded

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem
    from cauctl.models.agent import FoundUpdate, UpdateOutcome

__all__ = [
    "PROBING",
    "begin_attempt",
    "cancel",
    "close_attempt",
    "failures",
    "heard",
    "left_cluster",
    "restarted",
    "stop_problem",
    "update_problem",
]

_STOPPED = "RunStopping"


def begin_attempt(turn: Turn, node: NodeWork) -> None:
    """Start the way of a node from its beginning."""
    fresh = changed(node.record, round=0, moves={}, updates=())
    first = Phase.SCANNING if turn.settings.purpose is Purpose.SCAN else Phase.PROBING
    turn.go(
        turn.set(node, attempt=node.attempt + 1, failing=None, agent=None, regained=0, released=False, record=fresh),
        first,
    )


def cancel(turn: Turn, node: NodeWork, why: Problem) -> None:
    """Leave a node alone whose turn has not begun, and say why."""
    _finish(turn, turn.blame(node, why), SummaryStatus.CANCELED)


def close_attempt(turn: Turn, node: NodeWork) -> None:
    """Begin another attempt, or write the node's result."""
    failing = node.failing
    if failing is None:
        _finish(turn, _blame_updates(turn, node))
    elif _worth_another(turn, node, failing):
        unpaused = node.unpaused + _counts_by_itself(turn, failing)
        transient = (*node.record.transient, failing.problem)
        if failing.phase is Phase.POST_SCRIPT:
            node = turn.set(turn.keep(node, transient=transient), attempt=node.attempt + 1, failing=None)
            turn.go(node, Phase.POST_SCRIPT)
            return
        begin_attempt(turn, turn.keep(turn.set(node, unpaused=unpaused), transient=transient))
    else:
        _finish(turn, node)


def stop_problem(run: RunState) -> Problem:
    """Say why a node is not worked on any more: the run stops."""
    why = run.stop_problem
    message = why.message if why else "The run was asked to stop."
    return problem(_STOPPED, message, category="OperationStopped", final=True)


def failures(node: NodeWork) -> tuple[tuple[FoundUpdate, UpdateOutcome], ...]:
    """Name the updates of a node that could not be downloaded or installed, with Windows Update's last word."""
    record = node.record
    unstaged = (
        (record.offered[key], outcome)
        for key, outcome in record.staged.items()
        if key not in record.installed and key in record.offered and not succeeded(outcome)
    )
    uninstalled = ((each.update, each.outcome) for each in record.installed.values() if not succeeded(each.outcome))
    return (*unstaged, *uninstalled)


def update_problem(update: FoundUpdate, outcome: UpdateOutcome, *, staging: bool = False) -> Problem:
    """Say in words why an update failed, and what helps."""
    known = hresult(outcome.hresult)
    meaning = f" ({known.name}: {known.meaning})" if known else ""
    doing = "downloaded" if staging else "installed"
    return problem(
        "StageFailed" if staging else "InstallFailed",
        f'"{update.title}" could not be {doing}: {hex_code(outcome.hresult)}{meaning}.',
        advice=known.remedy.value if known else None,
        hresult=outcome.hresult,
    )


def heard(turn: Turn, node: NodeWork, event: NodeProbed) -> NodeWork:
    """Take down what a node told of itself."""
    record, probe = node.record, event.probe
    booted = boot_of(probe, event.at).counted
    return turn.keep(node, probe=probe, booted=booted, build_before=record.build_before or probe.build)


def restarted(turn: Turn, node: NodeWork, event: NodeProbed) -> bool:
    """Say whether the node has booted since it was last heard; False where it was never heard before."""
    last = node.record.probe
    if last is None:
        return False
    before = Boot(last.boot_time, counted=node.record.booted)
    return not same_boot(before, boot_of(event.probe, event.at), turn.limits.boot_tolerance)


def left_cluster(turn: Turn, node: NodeWork) -> bool:
    """End the work on a node that was evicted during the run; say whether it was. There is nothing to resume then."""
    if not turn.facts.node(node.name).evicted:
        return False
    why = problem(
        "NodeEvicted",
        f"{node.name} was evicted from the cluster during the run.",
        advice="Add it to the cluster again and start another run to update it.",
        category="ResourceUnavailable",
        final=True,
    )
    node = turn.set(node, paused_by_us=False)
    if node.record.installed or node.failing:
        turn.fail(node, why)
    else:
        cancel(turn, node, why)
    return True


def _enter_probing(turn: Turn, node: NodeWork) -> None:
    if node.attempt > 1:
        pause = turn.limits.attempt_interval
        node = turn.wait_for(node, "NextAttempt", f"attempt {node.attempt} begins after a pause", pause)
        turn.call_at(node, turn.at + pause, ProbeNode(node.name))
    else:
        turn.call(node, ProbeNode(node.name))


def _probed(turn: Turn, node: NodeWork, event: Event) -> None:
    if isinstance(event, RestartsAllowed):
        if event.were_off:
            node = turn.note(node, "The firewall rules for remote shutdown were off, and were switched on.")
        turn.go(node, Phase.SCANNING)
        return
    if not isinstance(event, NodeProbed):
        return
    known = node.record.probe is not None
    unfinished = node.record.reboot_required and known and not restarted(turn, node, event)
    node = heard(turn, node, event)
    if event.probe.reboot_pending:
        node = turn.note(node, f"A restart was pending before: {', '.join(event.probe.reboot_pending)}.")
    node = turn.keep(node, reboot_required=bool(event.probe.reboot_pending) or unfinished)
    if turn.settings.enable_firewall and node.attempt == 1:
        turn.call(node, AllowRestarts(node.name))
    else:
        turn.go(node, Phase.SCANNING)


def _probe_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """Go on without the firewall rules where they cannot be switched on: our own restart does not need them."""
    if isinstance(action, AllowRestarts) and not event.problem.kind.hopeless:
        text = f"The firewall rules for remote shutdown could not be switched on: {event.problem.message}"
        turn.go(turn.note(node, text), Phase.SCANNING)
    else:
        settle_call(turn, node, event, action)


PROBING = Rules(_enter_probing, _probed, _probe_failed)


def _worth_another(turn: Turn, node: NodeWork, failing: Cause) -> bool:
    why, settings = failing.problem, turn.settings
    if why.final or why.kind.hopeless or turn.stopping:
        return False
    if _counts_by_itself(turn, failing):
        return settings.suspend_retries is not None and node.unpaused < settings.suspend_retries
    return node.counted_attempts <= settings.max_retries_per_node


def _counts_by_itself(turn: Turn, failing: Cause) -> bool:
    """Say whether the attempt failed at the pause, and such failures have a limit of their own."""
    return turn.settings.suspend_retries is not None and failing.phase in {Phase.SUSPENDING, Phase.EMPTYING}


def _blame_updates(turn: Turn, node: NodeWork) -> NodeWork:
    for update, outcome in failures(node):
        staging = update.key not in node.record.installed
        phase = Phase.STAGING if staging else Phase.INSTALLING
        node = turn.blame(node, update_problem(update, outcome, staging=staging), phase=phase, at=outcome.at)
    return node


def _finish(turn: Turn, node: NodeWork, status: SummaryStatus | None = None) -> None:
    status = status or _status(node)
    if node.record.reboot_required and node.attempt:
        node = turn.note(node, "A restart is pending on the node.")
    if status is not SummaryStatus.SUCCEEDED and turn.run.first_cause is None and node.record.causes:
        turn.change(first_cause=node.record.causes[0])
    turn.remember()
    turn.go(turn.keep(node, status=status), Phase.DONE)


def _status(node: NodeWork) -> SummaryStatus:
    failing = node.failing
    good = any(succeeded(each.outcome) for each in node.record.installed.values())
    if failing is None:
        return SummaryStatus.SUCCEEDED
    if failing.problem.error_id == _STOPPED and not node.record.installed:
        return SummaryStatus.CANCELED
    return SummaryStatus.PARTIALLY_FAILED if good else SummaryStatus.FAILED
