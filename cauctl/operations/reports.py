"""Reports of finished runs: find them, read them, export them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from cauctl.models.options import ExportReportOptions, GetReportOptions
from cauctl.models.report import CauReport, CauReportSummary
from cauctl.reports.store import ReportStore, StoredReport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cauctl.models.run import RunHistory

__all__ = ["FoundReports", "export_reports", "get_reports"]


@frozen
class FoundReports:
    """Reports that were asked for, oldest first."""

    reports: tuple[CauReport | CauReportSummary, ...] = ()
    """Summaries, or whole reports when details or one specific report were asked for."""
    notices: tuple[str, ...] = field(default=(), kw_only=True)
    """What people should know: files that are no reports."""


def get_reports(  # noqa: PLR0913  Get-CauReport has these parameters
    cluster_name: str | None = None,
    *,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    last: bool = False,
    detailed: bool = False,
    report: CauReportSummary | None = None,
    store: ReportStore | None = None,
) -> FoundReports:
    """Find reports that runs of this user left on this computer.

    Raises:
        InputError: a parameter is wrong, or ``report`` is no summary of a report on this computer.
        StateError: the file of ``report`` is damaged.
    """
    options = GetReportOptions.bind(
        cluster_name=cluster_name, start_date=start_date, end_date=end_date, last=last, detailed=detailed, report=report
    )
    shelves = store or ReportStore()
    if options.report is not None:
        return FoundReports((shelves.load(options.report).report,))
    shelf = shelves.shelf(options.cluster_name, start_date=options.start_date, end_date=options.end_date)
    found = shelf.reports[-1:] if options.last else shelf.reports
    shown = tuple(_shown(each, whole=options.detailed) for each in found)
    return FoundReports(shown, notices=tuple(map(str, shelf.damaged)))


def export_reports(
    reports: Iterable[CauReport | CauReportSummary],
    *,
    format: Any,  # noqa: A002  Microsoft's name
    path: str | Path,
    store: ReportStore | None = None,
    **options: Any,
) -> tuple[str, ...]:
    """Write reports into a file for people; returns notices about journals that could not be used.

    Args:
        reports: whole reports; a summary is refused.
        format: ``Html`` or ``Csv``.
        path: file to write.
        store: where the journals of the reports are looked for; None: the user's.
        options: ``force``, ``time_zone``, ``what_if`` of Export-CauReport.

    Raises:
        InputError: the file exists without ``force``, the time zone is unknown, or nothing can be written there.
    """
    from cauctl.reports import export  # noqa: PLC0415  the templates are loaded when they are used

    bound = ExportReportOptions.bind(input_report=tuple(reports), format=format, path=path, **options)
    histories = export.histories_of(bound.input_report, store or ReportStore(), _read_history)
    export.export_reports(bound, histories)
    return histories.notices


def _read_history(journal: Path) -> RunHistory:
    from cauctl.coordinator.journal import read_journal  # noqa: PLC0415  as above
    from cauctl.coordinator.story import history_of  # noqa: PLC0415  as above

    return history_of(read_journal(journal).events)


def _shown(stored: StoredReport, *, whole: bool) -> CauReport | CauReportSummary:
    return stored.report if whole else stored.summary


def remove_damaged_reports(cluster_name: str, *, store: ReportStore | None = None) -> tuple[str, ...]:
    """Remove the damaged reports of a cluster; gives a sentence for each."""
    damaged = (store or ReportStore()).shelf(cluster_name).damaged
    for each in damaged:
        if each.path is not None:
            Path(each.path).unlink(missing_ok=True)
    return tuple(f"Removed: {each.message}" for each in damaged)
