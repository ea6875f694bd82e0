"""How a run ended: its report is stored and what it left behind is told, or the error is raised that says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cauctl.coordinator.results import report
from cauctl.coordinator.state import RefusalKind
from cauctl.errors import CauError, ClusterError, InputError, RunInProgressError, RunInterruptedError, StateError
from cauctl.operations.coordinator_name import orchestrator
from cauctl.operations.outcome import LOCK_LOST_NODE_PAUSED, RunOutcome, failure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cauctl.coordinator.state import Refusal, RunState
    from cauctl.coordinator.stop_switch import StopSwitch
    from cauctl.models.report import CauReport
    from cauctl.operations.access import Access
    from cauctl.reports.store import ReportStore

__all__ = ["conclude", "refused"]


def conclude(  # noqa: PLR0913  each is a part of what a run leaves
    shelves: ReportStore,
    state: RunState,
    access: Access,
    *,
    journal: Path,
    written: list[Any],
    take: Callable[[Any], None],
    switch: StopSwitch,
    notices: tuple[str, ...] = (),
) -> RunOutcome:
    """Store the report of a run and give its outcome; a run that was refused or lost its lock raises.

    Args:
        shelves: where the report is kept.
        state: the run at its end.
        access: the way to the cluster.
        journal: file of the run's journal; it is moved beside the report.
        written: objects that the run wrote; the ClusterResult is added by ``take``.
        take: takes the ClusterResult.
        switch: tells whether it was our caller who stopped the run, or somebody elsewhere.
        notices: what people should know besides.
    """
    if state.refusal is not None:
        journal.unlink(missing_ok=True)
        raise refused(state, state.refusal)
    if state.fenced:
        raise _fenced(state)
    finished = report(state, orchestrator(access.account))
    stored, complaints = _store(shelves, state, finished, journal)
    take(finished.cluster_result)
    return RunOutcome(
        finished,
        objects=tuple(written),
        unresumed=state.unresumed,
        interrupted=state.stop_asked and switch.stop_requested,
        detached=state.detached,
        report_path=stored,
        journal_path=journal if stored is None else stored.with_suffix(".jsonl"),
        notices=(*notices, *_notices(state), *complaints),
    )


def refused(state: RunState, refusal: Refusal) -> CauError:
    """The error for a run that did not begin."""
    why = refusal.problem
    holder = refusal.holder
    match refusal.kind:
        case RefusalKind.OPTIONS:
            return InputError(why.message, advice=why.advice, error_id=why.error_id)
        case RefusalKind.IN_PROGRESS:
            return RunInProgressError(
                why.message,
                cluster=state.cluster,
                owner=refusal.owner or (holder.owner if holder else ""),
                since=holder.acquired.isoformat() if holder else None,
                advice=why.advice,
            )
        case RefusalKind.INTERRUPTED if holder is not None:
            return RunInterruptedError(
                why.message, cluster=state.cluster, run_id=holder.run_id, owner=holder.owner, advice=why.advice
            )
        case _:
            return failure_of(why, cluster=state.cluster)


def _fenced(state: RunState) -> CauError:
    holder = f" to {state.holder.owner}" if state.holder else ""
    left = f" It had paused, and has not resumed: {', '.join(state.unresumed)}." if state.unresumed else ""
    by_hand = "".join(f" Resume-ClusterNode -Name {node}" for node in state.unresumed if state.holder is None)
    return ClusterError(
        f"The lock of the cluster was lost{holder}; this coordinator does nothing more.{left}",
        cluster=state.cluster,
        advice=f"See: cauctl status {state.cluster}{'; then:' if by_hand else ''}{by_hand}",
        error_id=LOCK_LOST_NODE_PAUSED if state.unresumed else "LockLost",
        category="ResourceUnavailable",
    )


def _store(shelves: ReportStore, state: RunState, finished: CauReport, journal: Path) -> tuple[Path | None, list[str]]:
    """Store the report of a run that ended; that it cannot be stored must not hide how the run ended."""
    if state.detached:
        return None, []
    try:
        return shelves.save(finished, journal=journal), []
    except StateError as error:
        return None, [str(error)]


def _notices(state: RunState) -> Iterator[str]:
    yield from state.settings.cautions
    if state.detached:
        yield (
            f"The run {state.run_id} was left in the middle; its lock and journal stay. To go on with it: "
            f"cauctl recover {state.cluster}; to give it up: cauctl recover {state.cluster} --abandon"
        )
    if state.unresumed:
        names = ", ".join(state.unresumed)
        yield f"Not resumed: {names}. When it answers again: cauctl recover {state.cluster} --abandon"
    if state.lock_left:
        until = f"; its lease ends at {state.lock.lease_until:%Y-%m-%d %H:%M} UTC" if state.lock else ""
        yield (
            f"The lock of the cluster could not be given back{until}. After that: "
            f"cauctl recover {state.cluster} --abandon"
        )
    if state.warned:
        yield "The run took longer than warn_after."
