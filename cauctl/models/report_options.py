"""The parameters of the report cmdlets: Get-CauReport and Export-CauReport.

Read through :mod:`cauctl.models.options`, where the parameters of all cmdlets are.
"""

# ruff: noqa: RUF009  parameter() and switch() make attrs fields, as attrs.field() does

from __future__ import annotations

from datetime import datetime, tzinfo
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import frozen

from cauctl.models.credential import PSCredential
from cauctl.models.enums import OutputType
from cauctl.models.parameters import CmdletOptions, many, member_of, parameter, switch
from cauctl.models.report import CauReport, CauReportSummary
from cauctl.models.validation import Name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ExportReportOptions", "GetReportOptions"]

_STRING: Final = "System.String"
_DATETIME: Final = "System.DateTime"
_CREDENTIAL: Final = "System.Management.Automation.PSCredential"
_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"

_ONLY: Final = ("Default",)


def _path(value: Any) -> Any:
    return Path(value) if isinstance(value, (str, PathLike)) and str(value) else value


def _single(value: Any) -> Any:
    """Take the only item of a list, as PowerShell's pipeline hands it over."""
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


# --- Get-CauReport ---------------------------------------------------------------------------------------------------

_ALL: Final = ("AllParamsSet",)
_RANGE: Final = ("RangeParamSet",)
_LAST: Final = ("LastParamSet",)
_SPECIFIC: Final = ("SpecificReportParamSet",)
_REPORT_SETS: Final = (*_ALL, *_RANGE, *_LAST, *_SPECIFIC)


@frozen(kw_only=True)
class GetReportOptions(CmdletOptions):
    """Every parameter of Get-CauReport."""

    CMDLET: ClassVar[str] = "Get-CauReport"
    DEFAULT_SET: ClassVar[str] = "AllParamsSet"

    cluster_name: Name | None = parameter(
        _STRING,
        "Name of the cluster; without it, reports of all clusters.",
        sets=_REPORT_SETS,
        served=True,
        position=0,
        default_text="local cluster",
    )
    credential: PSCredential | None = parameter(
        _CREDENTIAL,
        "Administrator of the cluster's nodes.",
        sets=_REPORT_SETS,
        default_text="current account",
        secret=True,
    )
    detailed: bool = switch("Give whole reports instead of summaries.", sets=(*_ALL, *_RANGE, *_LAST), served=True)
    start_date: datetime | None = parameter(
        _DATETIME, "Only runs that began at this moment or later.", sets=_RANGE, served=True, position=1
    )
    end_date: datetime | None = parameter(
        _DATETIME, "Only runs that began before this moment.", sets=_RANGE, served=True, position=2
    )
    last: bool = switch("Only the newest report.", sets=_LAST, served=True)
    report: CauReportSummary | None = parameter(
        f"{_NAMESPACE}.CauReportSummary",
        "The summary whose whole report is wanted.",
        sets=_SPECIFIC,
        served=True,
        converter=_single,
    )

    def contradictions(self) -> Iterable[str]:
        """Find what only several fields together show."""
        start, end = self.start_date, self.end_date
        comparable = all(isinstance(each, datetime) and each.utcoffset() is not None for each in (start, end))
        if comparable and start is not None and end is not None and end < start:
            yield f"end_date ({end}) comes before start_date ({start})"


# --- Export-CauReport ------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class ExportReportOptions(CmdletOptions):
    """Every parameter of Export-CauReport."""

    CMDLET: ClassVar[str] = "Export-CauReport"
    DEFAULT_SET: ClassVar[str] = "Default"

    input_report: tuple[CauReport, ...] = parameter(
        f"{_NAMESPACE}.CauReport[]",
        "Whole reports, as Get-CauReport -Detailed gives them.",
        sets=_ONLY,
        served=True,
        default=(),
        position=0,
        mandatory=True,
        converter=many,
    )
    format: OutputType = parameter(
        f"{_NAMESPACE}.OutputType",
        "Kind of file to write.",
        sets=_ONLY,
        served=True,
        position=1,
        mandatory=True,
        converter=member_of(OutputType),
    )
    path: Path = parameter(
        _STRING, "File to write.", sets=_ONLY, served=True, position=2, mandatory=True, converter=_path
    )
    pass_thru: bool = switch("Return the reports as well.", sets=_ONLY, served=True)
    force: bool = switch("Replace the file when it exists.", sets=_ONLY, served=True)
    time_zone: tzinfo | str | None = parameter(
        "System.TimeZoneInfo",
        "Time zone of the printed times: an IANA name, a Windows name, or a tzinfo.",
        sets=_ONLY,
        served=True,
        default_text="the zone of this computer",
    )
    what_if: bool = switch("Tell what would be written, and write nothing.", sets=_ONLY, served=True, aliases=("wi",))
    confirm: bool = switch("Ask before the file is written.", sets=_ONLY, served=True, aliases=("cf",))

    def contradictions(self) -> Iterable[str]:
        """Find what only several fields together show."""
        if not self.input_report:
            yield "input_report is empty, expected at least one CauReport"
