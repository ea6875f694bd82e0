"""Get-CauReport: reports of finished runs."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, overload

from cauctl.models.options import GetReportOptions
from cmdlets.output import CauOutput, CauWarning

if TYPE_CHECKING:
    from datetime import datetime

    from cauctl.models.credential import PSCredential
    from cauctl.models.report import CauReport, CauReportSummary

__all__ = ["get_cau_report"]


@overload
def get_cau_report(
    cluster_name: str | None = ...,
    start_date: datetime | None = ...,
    end_date: datetime | None = ...,
    *,
    credential: PSCredential | None = ...,
    detailed: Literal[False] = ...,
    last: bool = ...,
    report: None = ...,
) -> CauOutput[CauReportSummary]: ...


@overload
def get_cau_report(
    cluster_name: str | None = ...,
    start_date: datetime | None = ...,
    end_date: datetime | None = ...,
    *,
    credential: PSCredential | None = ...,
    detailed: Literal[True],
    last: bool = ...,
    report: None = ...,
) -> CauOutput[CauReport]: ...


@overload
def get_cau_report(
    cluster_name: str | None = ...,
    *,
    credential: PSCredential | None = ...,
    report: CauReportSummary | CauOutput[CauReportSummary],
) -> CauOutput[CauReport]: ...


def get_cau_report(  # noqa: PLR0913  Get-CauReport has these parameters
    cluster_name: str | None = None,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    *,
    credential: PSCredential | None = None,
    detailed: bool = False,
    last: bool = False,
    report: CauReportSummary | CauOutput[CauReportSummary] | None = None,
) -> CauOutput[Any]:
    """Return reports that runs from this computer left, oldest first.

    A report that is damaged is left out and warned of.

    Args:
        cluster_name: name of the cluster; without it, reports of all clusters.
        start_date: only runs that began at this moment or later; with its time zone.
        end_date: only runs that began before this moment; with its time zone.
        credential: not served: reports lie on this computer, not on the nodes.
        detailed: whole reports (CauReport) instead of summaries (CauReportSummary).
        last: only the newest report.
        report: the summary whose whole report is wanted.

    Raises:
        InputError: a parameter is wrong or not served, or parameters of different sets were given together.
        StateError: the report of the given summary is damaged.
    """
    given = dict(locals())

    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    options = GetReportOptions.bind(**given)
    found = operations.get_reports(
        options.cluster_name,
        start_date=options.start_date,
        end_date=options.end_date,
        last=options.last,
        detailed=options.detailed,
        report=options.report,
    )
    for notice in found.notices:
        warnings.warn(notice, CauWarning, stacklevel=2)
    return CauOutput(found.reports, notices=found.notices)
