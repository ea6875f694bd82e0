"""What a page about a run says, before it has a look: the view that the HTML template prints.

Texts are plain; the template escapes them. Lists are in the order in which things happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.enums import ResultCode, SummaryStatus
from cauctl.models.hresult import hresult
from cauctl.models.run import NodeHistory
from cauctl.reports.cause import cause_of
from cauctl.reports.planned import PlanView, planned_rows
from cauctl.reports.words import code_text, duration_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from cauctl.models.failure import ErrorRecordData
    from cauctl.models.report import CauReport
    from cauctl.models.results import NodeResult
    from cauctl.models.run import RunHistory, Wait
    from cauctl.models.updates import UpdateInstallResult

__all__ = ["NodePage", "RunPage", "run_page"]


@frozen(kw_only=True)
class ErrorView:
    """An error."""

    message: str
    error_id: str
    exception_type: str
    advice: str


@frozen(kw_only=True)
class CauseView:
    """The first failure of the run."""

    place: str
    moment: str
    error: ErrorView


@frozen(kw_only=True)
class UpdateView:
    """One row of a node's updates."""

    article: str
    title: str
    severity: str
    result: ResultCode
    code: str
    meaning: str
    restart: str
    moment: str


@frozen(kw_only=True)
class WaitView:
    """One row of waits."""

    name: str
    reason: str
    started: str
    duration: str
    limit: str
    outcome: str


@frozen(kw_only=True)
class PlacementView:
    """One row of roles."""

    role: str
    before: str
    after: str
    returned: bool


@frozen(kw_only=True)
class TimelineView:
    """One line of the timeline."""

    moment: str
    node: str
    text: str
    failure: bool


@frozen(kw_only=True)
class NodePage:
    """All about one node."""

    name: str
    status: SummaryStatus
    error: ErrorView | None
    succeeded: int
    failed: int
    canceled: int
    attempts: int
    paused: str
    restarts: tuple[str, ...]
    build_before: str
    build_after: str
    updates: tuple[UpdateView, ...]
    transient: tuple[ErrorView, ...]
    waits: tuple[WaitView, ...]
    placement: tuple[PlacementView, ...]
    notes: tuple[str, ...]
    has_history: bool

    @property
    def build(self) -> str:
        """The build before and after, in one cell."""
        if not self.build_before and not self.build_after:
            return ""
        if self.build_before == self.build_after:
            return f"{self.build_after} (unchanged)"
        return f"{self.build_before or 'unknown'} → {self.build_after or 'unknown'}"


@frozen(kw_only=True)
class RunPage:
    """All about one run."""

    cluster: str
    run_id: str
    status: SummaryStatus
    started: str
    duration: str
    plugin: str
    machine: str
    user: str
    account: str
    cause: CauseView | None
    error: ErrorView | None
    nodes: tuple[NodePage, ...]
    plan: tuple[PlanView, ...]
    waits: tuple[WaitView, ...]
    timeline: tuple[TimelineView, ...]
    has_history: bool = field(default=False)

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """Node and note of everything that people must know at once."""
        return tuple((node.name, note) for node in self.nodes for note in node.notes)


def run_page(report: CauReport, history: RunHistory | None, zone: tzinfo | None) -> RunPage:
    """Lay out a report; ``history`` adds what the run's journal knows."""
    result = report.cluster_result
    return RunPage(
        cluster=result.name,
        run_id=str(result.run_id),
        status=result.status,
        started=moment_text(result.start_timestamp, zone),
        duration=duration_text(result.run_duration),
        plugin=report.plugin,
        machine=report.orchestrator_machine,
        user=report.orchestrator_user,
        account=report.orchestrator_update_account,
        cause=_cause(report, history, zone),
        error=_error(result.error_record_data),
        nodes=tuple(_node(node, history, zone) for node in result.node_results),
        plan=tuple(planned_rows(report, history)) if history else (),
        waits=tuple(_wait(wait, zone) for wait in history.waits) if history else (),
        timeline=tuple(_timeline(history, zone)) if history else (),
        has_history=history is not None,
    )


def _cause(report: CauReport, history: RunHistory | None, zone: tzinfo | None) -> CauseView | None:
    cause = cause_of(report, history)
    if cause is None:
        return None
    place = " while ".join(
        part for part in (cause.node_name or "the run as a whole", str(cause.phase) if cause.phase else "") if part
    )
    return CauseView(place=place, moment=_moment(cause.timestamp, zone), error=_known_error(cause.error))


def _error(error: ErrorRecordData | None) -> ErrorView | None:
    return _known_error(error) if error is not None else None


def _known_error(error: ErrorRecordData) -> ErrorView:
    return ErrorView(
        message=error.message,
        error_id=error.fully_qualified_error_id,
        exception_type=error.exception_data.exception_type if error.exception_data else "",
        advice=error.advice or "",
    )


def _node(node: NodeResult, run: RunHistory | None, zone: tzinfo | None) -> NodePage:
    history = run.node(node.node.node_name) if run is not None else None
    known = history or NodeHistory(node.node.node_name)
    return NodePage(
        name=node.node.node_name,
        status=node.status,
        error=_error(node.error_record_data),
        succeeded=node.number_of_succeeded_updates,
        failed=node.number_of_failed_updates,
        canceled=node.number_of_canceled_updates,
        attempts=known.attempts,
        paused=_paused(node, zone),
        restarts=tuple(_restarts(known, zone)),
        build_before=known.build_before or "",
        build_after=known.build_after or "",
        updates=tuple(_update(update, zone) for update in node.install_results),
        transient=tuple(_known_error(error) for error in node.transient_install_errors),
        waits=tuple(_wait(wait, zone) for wait in known.waits),
        placement=tuple(_placement(known)),
        notes=known.notes or _not_resumed(node),
        has_history=history is not None,
    )


def _paused(node: NodeResult, zone: tzinfo | None) -> str:
    if node.node_suspended_timestamp is None:
        return "never paused"
    since = moment_text(node.node_suspended_timestamp, zone)
    if node.node_suspended_duration is None:
        return f"since {since}, not resumed"
    return f"{duration_text(node.node_suspended_duration)} from {since}"


def _not_resumed(node: NodeResult) -> tuple[str, ...]:
    """Say what nobody may overlook, where the journal does not say it better."""
    paused = node.node_suspended_timestamp is not None and node.node_suspended_duration is None
    return ("It was paused by this run and not resumed.",) if paused else ()


def _restarts(history: NodeHistory, zone: tzinfo | None) -> Iterator[str]:
    for restart in history.restarts:
        took = f"took {duration_text(restart.duration)}" if restart.duration is not None else "never proved"
        reason = f" ({restart.reason})" if restart.reason else ""
        yield f"{moment_text(restart.requested, zone)}, {took}{reason}"


def _update(update: UpdateInstallResult, zone: tzinfo | None) -> UpdateView:
    known = hresult(update.error_code) if update.error_code else None
    return UpdateView(
        article=update.kb_article or "",
        title=update.update_title,
        severity=update.severity or "",
        result=update.update_result_code,
        code=code_text(update.error_code) if update.error_code else "",
        meaning=f"{known.meaning}. {known.remedy.value}" if known else "",
        restart="yes" if update.reboot_required else "no",
        moment=moment_text(update.update_timestamp, zone),
    )


def _wait(wait: Wait, zone: tzinfo | None) -> WaitView:
    return WaitView(
        name=wait.name,
        reason=wait.reason,
        started=moment_text(wait.started, zone),
        duration=duration_text(wait.duration) if wait.duration is not None else "",
        limit=duration_text(wait.limit) if wait.limit is not None else "none",
        outcome=_outcome(wait),
    )


def _outcome(wait: Wait) -> str:
    if wait.duration is None:
        return "not ended"
    return "satisfied" if wait.satisfied else "given up"


def _placement(history: NodeHistory) -> Iterator[PlacementView]:
    for role in history.placement:
        yield PlacementView(role=role.role, before=role.before, after=role.after or "unknown", returned=role.returned)


def _timeline(history: RunHistory, zone: tzinfo | None) -> Iterator[TimelineView]:
    for entry in history.timeline:
        yield TimelineView(
            moment=moment_text(entry.timestamp, zone),
            node=entry.node_name or "",
            text=entry.text,
            failure=entry.failure,
        )


def _moment(moment: datetime | None, zone: tzinfo | None) -> str:
    return moment_text(moment, zone) if moment is not None else ""
