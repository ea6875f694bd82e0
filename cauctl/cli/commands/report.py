"""``cauctl report``: show and export what runs left."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path  # noqa: TC003  annotations of commands are read at run time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App
from cyclopts import Parameter as Option

from cauctl.cli.commands.run import print_result
from cauctl.cli.console import say
from cauctl.cli.output import print_table, write_data
from cauctl.cli.parameters import OUTPUT  # noqa: TC001  annotations of commands are read at run time
from cauctl.models.hresult import hex_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cauctl.models.report import CauReport, CauReportSummary

__all__ = ["register"]

_CLUSTER = Annotated[str, Option(help="Name of the cluster.")]
_START = Annotated[datetime | None, Option(help="Only runs that began at this moment or later; local time.")]
_END = Annotated[datetime | None, Option(help="Only runs that began before this moment; local time.")]
_WITHIN = " in that time"
_LAST = Annotated[bool, Option(help="Only the newest report.")]


def register(app: App) -> None:
    """Add the command group."""
    group = App(name="report", help="Show and export the reports of finished runs.")
    group.command(show, name="show")
    group.command(export, name="export")
    app.command(group)


def show(  # noqa: PLR0913  options of a command
    cluster_name: _CLUSTER,
    *,
    last: _LAST = False,
    detailed: Annotated[bool, Option(help="Whole reports instead of summaries.")] = False,
    start_date: _START = None,
    end_date: _END = None,
    output: OUTPUT = "table",
) -> int:
    """Show the reports of a cluster, newest last."""
    from cauctl import operations  # noqa: PLC0415  what it loads is not needed for --help

    found = operations.get_reports(
        cluster_name, start_date=_aware(start_date), end_date=_aware(end_date), last=last, detailed=detailed
    )
    for notice in found.notices:
        say(notice, "yellow")
    if not found.reports:
        say(f"There is no report of cluster {cluster_name}{_WITHIN if start_date or end_date else ''}.", "yellow")
    write_data(found.reports, output, table=_details if detailed else _summaries, depth=6 if detailed else 1)
    return operations.ExitCode.SUCCEEDED


def export(  # noqa: PLR0913  options of a command
    cluster_name: _CLUSTER,
    *,
    format: Annotated[Literal["Html", "Csv"], Option(help="Kind of file to write.")],  # noqa: A002  Microsoft's name
    path: Annotated[Path, Option(help="File to write.")],
    last: _LAST = False,
    start_date: _START = None,
    end_date: _END = None,
    time_zone: Annotated[str | None, Option(help="Time zone of the printed times: an IANA or a Windows name.")] = None,
    force: Annotated[bool, Option(help="Replace the file when it exists.")] = False,
) -> int:
    """Export the reports of a cluster as a page to read or as a table."""
    from cauctl import operations  # noqa: PLC0415  what it loads is not needed for --help

    found = operations.get_reports(
        cluster_name, start_date=_aware(start_date), end_date=_aware(end_date), last=last, detailed=True
    )
    for notice in found.notices:
        say(notice, "yellow")
    if not found.reports:
        say(f"There is no report of cluster {cluster_name} to export.", "yellow")
        return operations.ExitCode.FAILED
    operations.export_reports(found.reports, format=format, path=path, time_zone=time_zone, force=force)
    say(f"Written: {path}")
    return operations.ExitCode.SUCCEEDED


def _aware(moment: datetime | None) -> datetime | None:
    return moment.astimezone() if moment is not None and moment.tzinfo is None else moment


def _summaries(reports: Sequence[CauReportSummary]) -> None:
    headings = ("ClusterName", "StartTimestamp", "Status", "Succeeded", "Failed", "Canceled", "Transient errors")
    rows = [
        (
            each.cluster_name,
            f"{each.start_timestamp:%Y-%m-%d %H:%M:%S} UTC",
            each.status,
            each.count_of_succeeded_results,
            each.count_of_failed_results,
            each.count_of_canceled_results,
            "yes" if each.had_transient_install_error else "",
        )
        for each in reports
    ]
    if rows:
        print_table("", headings, rows)


def _details(reports: Sequence[CauReport]) -> None:
    for report in reports:
        print_result(report.cluster_result)
        print_table("", ("Node", "Result", "Error", "UpdateTitle"), _installs(report))


def _installs(report: CauReport) -> list[Sequence[Any]]:
    return [
        (
            node.node.node_name,
            each.update_result_code,
            hex_code(each.error_code) if each.error_code else "",
            each.update_title,
        )
        for node in report.cluster_result.node_results
        for each in node.install_results
    ]
