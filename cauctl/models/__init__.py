"""What the world is made of: frozen attrs classes with Microsoft's names."""

from cauctl.models.credential import PSCredential
from cauctl.models.enums import (
    FailbackType,
    NodeStatus,
    OutputType,
    RebootType,
    ResultCode,
    RunState,
    SummaryStatus,
)
from cauctl.models.failure import ErrorRecordData, ExceptionData, FirstCause
from cauctl.models.hresult import HRESULTS, HResult, Remedy, hex_code, hresult, signed, unsigned
from cauctl.models.options import (
    ExportReportOptions,
    GetReportOptions,
    GetRunOptions,
    ScanOptions,
    StopRunOptions,
    UpdatingRunOptions,
)
from cauctl.models.parameters import CmdletOptions, Parameter, parameters
from cauctl.models.report import CauReport, CauReportSummary
from cauctl.models.results import CauNode, ClusterResult, NodeRebootResult, NodeResult
from cauctl.models.run import (
    CauRun,
    NodeHistory,
    NodeStatusNotification,
    PlannedTurn,
    Restart,
    RolePlacement,
    RunHistory,
    TimelineEntry,
    Wait,
)
from cauctl.models.timing import TimingBreakdown
from cauctl.models.updates import (
    WINDOWS_UPDATE_PLUGIN,
    UpdateInfo,
    UpdateInfoBase,
    UpdateInstallResult,
    UpdateStagingResult,
)

__all__ = [
    "HRESULTS",
    "WINDOWS_UPDATE_PLUGIN",
    "CauNode",
    "CauReport",
    "CauReportSummary",
    "CauRun",
    "ClusterResult",
    "CmdletOptions",
    "ErrorRecordData",
    "ExceptionData",
    "ExportReportOptions",
    "FailbackType",
    "FirstCause",
    "GetReportOptions",
    "GetRunOptions",
    "HResult",
    "NodeHistory",
    "NodeRebootResult",
    "NodeResult",
    "NodeStatus",
    "NodeStatusNotification",
    "OutputType",
    "PSCredential",
    "Parameter",
    "PlannedTurn",
    "RebootType",
    "Remedy",
    "Restart",
    "ResultCode",
    "RolePlacement",
    "RunHistory",
    "RunState",
    "ScanOptions",
    "StopRunOptions",
    "SummaryStatus",
    "TimelineEntry",
    "TimingBreakdown",
    "UpdateInfo",
    "UpdateInfoBase",
    "UpdateInstallResult",
    "UpdateStagingResult",
    "UpdatingRunOptions",
    "Wait",
    "hex_code",
    "hresult",
    "parameters",
    "signed",
    "unsigned",
]
