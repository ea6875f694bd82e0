"""The restart of a node and its proof.

The boot time is what proves it: neither a refused connection nor one that works again says anything. After it has
changed, the proofs are asked in their order until all hold in two looks in a row, and the boot time has not changed
between them. The node may restart a second time by itself; the proof then starts over, a bounded number of times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.actions import Action, CheckGates, ObserveCluster, ProbeNode, RestartNode
from cauctl.coordinator.events import (
    CallFailed,
    ClusterChanged,
    ClusterObserved,
    Event,
    GatesChecked,
    NodeProbed,
    RestartRequested,
)
from cauctl.coordinator.machine_attempt import heard, left_cluster, restarted
from cauctl.coordinator.machine_gates import closed_for_restart, empty_again
from cauctl.coordinator.machine_updates import search_again
from cauctl.coordinator.state import NodeWork, Phase, RestartRecord
from cauctl.coordinator.turn import Rules, Turn, problem, settle_call
from cauctl.models.nodes import NodeProbe, readable
from cauctl.policy.reboot import Lacking, lacking

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem

__all__ = ["RESTARTING", "VERIFYING"]

_LOOKS = 2
"""Looks in a row that must find all proofs holding."""
_STILL_PENDING = "A restart was still pending after the restart; the node was restarted once more."
_BOOTS = 5
"""Restarts by itself that a node may add to ours before it is taken to be in an endless loop."""


# --- until the boot time has changed ---------------------------------------------------------------------------------


def _enter_restarting(turn: Turn, node: NodeWork) -> None:
    probe = node.record.probe
    if probe is None:
        turn.fail(node, problem("NodeNotProbed", f"{node.name} was to be restarted and was never looked at."))
        return
    limit = turn.settings.reboot_timeout
    node = turn.wait_for(node, "Restart", f"{node.name} is to come back with a new boot time", limit)
    node = turn.stamp(node, again=True, reboot_start=turn.at)
    turn.call(node, _restart(node, probe))


def _restart(node: NodeWork, probe: NodeProbe) -> RestartNode:
    return RestartNode(node.name, boot_time=probe.boot_time, counted=node.record.booted, reason=_reason(node))


def _reason(node: NodeWork) -> str:
    if any(each.outcome.reboot_required for each in node.record.installed.values()):
        return "Updates were installed"
    if node.record.probe and not node.record.probe.reboot_pending and node.record.installed:
        return "A restart was asked for (ForcePauseDrainAndReboot)"
    return "A restart was pending"


def _restarting(turn: Turn, node: NodeWork, event: Event) -> None:
    if isinstance(event, RestartRequested):
        _take_down_restart(turn, node)
    elif isinstance(event, NodeProbed):
        _look_at_boot(turn, node, event)
    elif isinstance(event, GatesChecked):
        _ask_again(turn, node, event)
    elif isinstance(event, (ClusterObserved, ClusterChanged)) and not empty_again(turn, node):
        turn.go(node, Phase.GUARDING)


def _take_down_restart(turn: Turn, node: NodeWork) -> None:
    restarts = node.record.restarts
    with_it = _with_restart(turn, node)
    if with_it is node and restarts:
        with_it = turn.keep(node, restarts=(*restarts[:-1], evolve(restarts[-1], again=turn.at)))
    turn.look_later(with_it, ProbeNode(node.name), steady=0)


def _with_restart(turn: Turn, node: NodeWork) -> NodeWork:
    """Note the restart that ends, or has ended, the present boot, unless it is noted: who asked may have died since."""
    record, probe = node.record, node.record.probe
    last = record.restarts[-1] if record.restarts else None
    if probe is None or not (last is None or last.proved is not None or last.boot_time != probe.boot_time):
        return node
    restart = RestartRecord(turn.at, boot_time=probe.boot_time, reason=_reason(node))
    return turn.keep(node, restarts=(*record.restarts, restart))


def _look_at_boot(turn: Turn, node: NodeWork, event: NodeProbed) -> None:
    before = node.record.probe
    if restarted(turn, node, event):
        turn.go(heard(turn, _with_restart(turn, node), event), Phase.VERIFYING)
    elif turn.waited_out(node):
        turn.fail(node, _never_back(turn, node))
    elif before is not None and _is_due(turn, node, before):
        turn.call(node, CheckGates(node.name))
    else:
        turn.look_later(node, ProbeNode(node.name))


def _is_due(turn: Turn, node: NodeWork, before: NodeProbe) -> bool:
    """Say whether the node must be told to end this boot: it was not yet, or it was long ago."""
    asked = [
        each.again or each.asked for each in node.record.restarts if each.ours and each.boot_time == before.boot_time
    ]
    return not asked or turn.at - max(node.since, asked[-1]) >= turn.limits.restart_again


def _ask_again(turn: Turn, node: NodeWork, event: GatesChecked) -> None:
    """Tell the node once more to restart, if all still allows it: time has passed since it was last looked at."""
    probe = node.record.probe
    if empty_again(turn, node) or probe is None:
        return
    closed, _ = closed_for_restart(turn, node, event)
    if closed is None:
        turn.call(node, _restart(node, probe))
    else:
        turn.look_later(node, ProbeNode(node.name))


def _restart_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """A node that restarts does not answer, or refuses to: that is how it should be, up to the limit.

    A restart that could not be asked for is not simply asked for later: by then all may have changed.
    """
    if left_cluster(turn, node):
        return
    refused = isinstance(action, RestartNode) and not event.problem.kind.passing
    if refused or event.problem.kind.hopeless:
        settle_call(turn, node, event, action)
    elif turn.waited_out(node):
        turn.fail(node, _never_back(turn, node))
    else:
        turn.look_later(node, ProbeNode(node.name))


def _never_back(turn: Turn, node: NodeWork) -> Problem:
    limit = turn.settings.reboot_timeout
    hours, rest = divmod(round(limit.total_seconds()), 3600)
    return problem(
        "RestartTimeout",
        f'Failed to restart "{node.name}": The timeout limit ({hours:02}:{rest // 60:02}:{rest % 60:02}) was reached.',
        advice="Look at the console of the node; raise RebootTimeoutMinutes where its hardware needs longer.",
        category="OperationTimeout",
    )


RESTARTING = Rules(_enter_restarting, _restarting, _restart_failed)


# --- until all proofs hold -------------------------------------------------------------------------------------------


def _enter_verifying(turn: Turn, node: NodeWork) -> None:
    turn.call(node, ProbeNode(node.name))


def _verifying(turn: Turn, node: NodeWork, event: Event) -> None:
    if isinstance(event, NodeProbed):
        _probed(turn, turn.calm(node), event)
    elif isinstance(event, (ClusterObserved, ClusterChanged)) and node.record.probe is not None:
        _prove(turn, turn.calm(node), node.record.probe)


def _probed(turn: Turn, node: NodeWork, event: NodeProbed) -> None:
    before, once_more = node.record.probe, restarted(turn, node, event)
    node = heard(turn, node, event)
    if before is None or not once_more:
        turn.call(node, ObserveCluster(node.name, networks=True))
        return
    again = RestartRecord(turn.at, boot_time=before.boot_time, reason="the node restarted by itself", ours=False)
    restarts = (*node.record.restarts, again)
    node = turn.note(turn.keep(node, restarts=restarts), "The node restarted once more by itself.")
    if sum(not each.ours for each in restarts) > _BOOTS:
        turn.fail(node, problem("RestartLoop", f"{node.name} restarts again and again by itself.", final=True))
        return
    turn.call(node, ObserveCluster(node.name, networks=True), since=turn.at, wait=None, steady=0)


def _prove(turn: Turn, node: NodeWork, probe: NodeProbe) -> None:
    if left_cluster(turn, node):
        return
    record = node.record
    away = [name for name in record.networks_before if name not in record.networks]
    missing = lacking(probe, turn.facts, away)
    if missing is not None:
        _not_yet(turn, node, missing)
    elif node.steady + 1 < _LOOKS:
        turn.call_at(node, turn.at + turn.limits.poll, ProbeNode(node.name), steady=node.steady + 1)
    else:
        _proved(turn, node)


def _not_yet(turn: Turn, node: NodeWork, missing: Lacking) -> None:
    limits = turn.limits
    node = turn.wait_for(node, missing.name, missing.reason, limits.verify)
    if turn.waited_out(node) or turn.at - node.since >= 4 * limits.verify:
        message = f"{node.name} is back, and after {readable(limits.verify)} still: {missing.reason}."
        turn.fail(node, problem(f"{missing.name}Timeout", message, category="OperationTimeout"))
        return
    since = node.wait.since if node.wait else node.since
    turn.look_later(node, ProbeNode(node.name), since=since, steady=0)


def _proved(turn: Turn, node: NodeWork) -> None:
    restarts = tuple(each if each.proved else evolve(each, proved=turn.at) for each in node.record.restarts)
    pending = node.record.probe.reboot_pending if node.record.probe else ()
    node = turn.stamp(turn.keep(node, restarts=restarts, reboot_required=False), again=True, reboot_end=turn.at)
    if pending and _STILL_PENDING not in node.record.notes:
        turn.go(turn.keep(turn.note(node, _STILL_PENDING), reboot_required=True), Phase.GUARDING)
    else:
        search_again(turn, node)


def _verify_failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    """Right after a restart nodes come and go; the limit of the wait is what counts."""
    if left_cluster(turn, node):
        return
    if event.problem.kind.hopeless:
        settle_call(turn, node, event, action)
        return
    missing = Lacking("NodeAnswers", reason=f"{node.name} does not answer as it should: {event.problem.message}")
    _not_yet(turn, node, missing)


VERIFYING = Rules(_enter_verifying, _verifying, _verify_failed)
