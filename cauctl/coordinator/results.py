"""What a run did, as Microsoft's objects: projected from its state, nothing decided.

The status of a run follows the documentation of SummaryStatus: Succeeded without any failure; Failed when nothing
succeeded or the run was stopped by failures; Canceled when somebody or StopAfter ended it and nothing failed;
PartiallyFailed otherwise. Updates that were found and not tried to the end are Canceled.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import frozen

from cauctl.coordinator.events import StopReason
from cauctl.coordinator.state import Cause, NodeWork, Phase, RunState
from cauctl.models.agent import FoundUpdate, OperationResultCode, UpdateOutcome
from cauctl.models.enums import ResultCode, SummaryStatus
from cauctl.models.failure import FirstCause
from cauctl.models.hresult import signed
from cauctl.models.report import CauReport
from cauctl.models.results import CauNode, ClusterResult, NodeRebootResult, NodeResult
from cauctl.models.run import CauRun, NodeStatusNotification
from cauctl.models.updates import UpdateInfo, UpdateInstallResult, UpdateStagingResult
from cauctl.policy.selection import succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Orchestrator",
    "cau_run",
    "cluster_result",
    "first_cause",
    "install_results",
    "node_result",
    "node_status",
    "report",
    "run_status",
    "staging_result",
    "update_info",
]

_LONG_RESTART = 100 * 1024 * 1024
_MEGABYTE = 1024 * 1024
_RESTARTS = {0: "No", 1: "Yes", 2: "Maybe"}
_STOPPED_BY_FAILURE = frozenset({StopReason.FAILED_NODES, StopReason.NODES_OFFLINE, StopReason.UNSAFE})


@frozen(kw_only=True)
class Orchestrator:
    """Who ran the coordinator, as reports name it."""

    machine: str = ""
    """Computer of the coordinator."""
    user: str = ""
    """User who started the run there."""
    account: str = ""
    """Account that the nodes were driven with."""


# --- updates ---------------------------------------------------------------------------------------------------------


def update_info(node: str, update: FoundUpdate) -> UpdateInfo:
    """Show an update as CAU does; it adds size, address, severity and restart to the description."""
    return UpdateInfo(
        node,
        update_id=update.key.update_id,
        update_title=update.title,
        update_description="\n".join(_description(update)),
    )


def _description(update: FoundUpdate) -> Iterator[str]:
    if update.description:
        yield update.description
    yield f"Maximum Update Size: {update.max_download_size / _MEGABYTE:.1f} MB"
    if update.support_url:
        yield f"Support URL: {update.support_url}"
    if update.msrc_severity:
        yield f"Severity: {update.msrc_severity}"
    yield f"Restart Required: {_RESTARTS.get(update.reboot_behavior, 'Maybe')}"


def staging_result(node: str, update: FoundUpdate, outcome: UpdateOutcome) -> UpdateStagingResult:
    """Show what became of a download."""
    return UpdateStagingResult.of(
        update_info(node, update), _code(outcome), error_code=signed(outcome.hresult), at=outcome.at
    )


def _install_result(node: str, update: FoundUpdate, outcome: UpdateOutcome) -> UpdateInstallResult:
    return UpdateInstallResult.of(
        update_info(node, update),
        _code(outcome),
        error_code=signed(outcome.hresult),
        reboot_required=outcome.reboot_required,
        long_reboot_hint=update.max_download_size > _LONG_RESTART,
        at=outcome.at,
    )


def _code(outcome: UpdateOutcome) -> ResultCode:
    if succeeded(outcome):
        return ResultCode.SUCCEEDED
    tried = outcome.result not in {OperationResultCode.ABORTED, OperationResultCode.NOT_STARTED}
    return ResultCode.FAILED if tried else ResultCode.CANCELED


def install_results(node: NodeWork) -> tuple[UpdateInstallResult, ...]:
    """Show what became of each update of a node: tried ones first, then those that were not."""
    return tuple(_install_results(node))


def _install_results(node: NodeWork) -> Iterator[UpdateInstallResult]:
    record = node.record
    for each in record.installed.values():
        yield _install_result(node.name, each.update, each.outcome)
    for key, update in record.offered.items():
        if key in record.installed:
            continue
        staged = record.staged.get(key)
        if staged is not None and not succeeded(staged):
            yield _install_result(node.name, update, staged)
        elif record.status not in {None, SummaryStatus.SUCCEEDED} or (record.status and update in record.updates):
            never = UpdateOutcome(key, result=OperationResultCode.NOT_STARTED, at=node.since)
            yield _install_result(node.name, update, never)


# --- nodes -----------------------------------------------------------------------------------------------------------


def node_status(node: NodeWork) -> NodeStatusNotification:
    """Show where a node is."""
    return NodeStatusNotification(CauNode(node.name), status=node.phase.status, timestamp=node.since)


def node_result(node: NodeWork) -> NodeResult:
    """Show how a node ended, or would end if the run ended now."""
    record = node.record
    return NodeResult(
        CauNode(node.name),
        status=record.status or SummaryStatus.CANCELED,
        error_record_data=record.causes[0].problem.record if record.causes and _unhappy(node) else None,
        install_results=install_results(node),
        transient_install_errors=tuple(each.record for each in record.transient),
        node_suspended_timestamp=record.suspended,
        node_suspended_duration=record.paused_for,
        node_reboot_result=_reboot_result(node),
        timing_breakdown=record.timing,
    )


def _unhappy(node: NodeWork) -> bool:
    return node.record.status is not SummaryStatus.SUCCEEDED


def _reboot_result(node: NodeWork) -> NodeRebootResult | None:
    restarts = node.record.restarts
    if not restarts:
        return None
    return NodeRebootResult("Succeeded" if all(each.proved for each in restarts) else "Failed")


# --- the run ---------------------------------------------------------------------------------------------------------


def run_status(state: RunState) -> SummaryStatus:
    """Say how a run ended."""
    found = {node.record.status for node in state.nodes.values()}
    if found <= {SummaryStatus.SUCCEEDED} and state.stopping not in _STOPPED_BY_FAILURE:
        return SummaryStatus.SUCCEEDED
    failed = not found.isdisjoint({SummaryStatus.FAILED, SummaryStatus.PARTIALLY_FAILED})
    good = not found.isdisjoint({SummaryStatus.SUCCEEDED, SummaryStatus.PARTIALLY_FAILED})
    if state.stopping in _STOPPED_BY_FAILURE:
        return SummaryStatus.FAILED
    if failed:
        return SummaryStatus.PARTIALLY_FAILED if good else SummaryStatus.FAILED
    if state.stopping is not None:
        return SummaryStatus.CANCELED
    return SummaryStatus.PARTIALLY_FAILED if good else SummaryStatus.CANCELED


def first_cause(state: RunState) -> FirstCause | None:
    """Show the first failure of a run."""
    return None if state.first_cause is None else _first_cause(state.first_cause)


def _first_cause(cause: Cause) -> FirstCause:
    return FirstCause(
        cause.problem.record,
        node_name=cause.node,
        phase=cause.phase.status if cause.phase else None,
        timestamp=cause.at,
    )


def cluster_result(state: RunState) -> ClusterResult:
    """Show what a run did on its cluster; nodes in the order in which it was done with them."""
    started, ended = _span(state)
    done = sorted(state.nodes.values(), key=lambda node: (node.phase is not Phase.DONE, node.since))
    return ClusterResult(
        state.cluster,
        run_id=UUID(state.run_id),
        start_timestamp=started,
        run_duration=ended - started,
        status=run_status(state),
        error_record_data=state.stop_problem.record if state.stop_problem else None,
        node_results=tuple(node_result(node) for node in done),
    )


def _span(state: RunState) -> tuple[datetime, datetime]:
    if state.started is None or state.now is None:
        raise ValueError("the run was never started")
    return state.started, max(state.ended or state.now, state.started + timedelta())


def report(state: RunState, orchestrator: Orchestrator) -> CauReport:
    """Make the report of a run."""
    return CauReport(
        cluster_result(state),
        orchestrator_machine=orchestrator.machine,
        orchestrator_user=orchestrator.user,
        orchestrator_update_account=orchestrator.account,
        first_cause=first_cause(state),
    )


def cau_run(state: RunState, machine: str) -> CauRun:
    """Show a run in progress as Get-CauRun does."""
    started, _ = _span(state)
    return CauRun(
        UUID(state.run_id),
        run_start_time=started,
        current_orchestrator=machine,
        node_status_notifications=tuple(
            node_status(node) for node in state.nodes.values() if node.phase is not Phase.DONE
        ),
        node_results=tuple(node_result(node) for node in state.nodes.values() if node.phase is Phase.DONE),
        cancel_pending=state.stopping is not None,
    )
