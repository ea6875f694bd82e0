"""What the world is made of: frozen attrs classes with Microsoft's names."""

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
from cauctl.models.report import CauReport, CauReportSummary
from cauctl.models.results import CauNode, ClusterResult, NodeRebootResult, NodeResult
from cauctl.models.run import (
    CauRun,
    NodeHistory,
    NodeStatusNotification,
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
    "WINDOWS_UPDATE_PLUGIN",
    "CauNode",
    "CauReport",
    "CauReportSummary",
    "CauRun",
    "ClusterResult",
    "ErrorRecordData",
    "ExceptionData",
    "FailbackType",
    "FirstCause",
    "NodeHistory",
    "NodeRebootResult",
    "NodeResult",
    "NodeStatus",
    "NodeStatusNotification",
    "OutputType",
    "RebootType",
    "Restart",
    "ResultCode",
    "RolePlacement",
    "RunHistory",
    "RunState",
    "SummaryStatus",
    "TimelineEntry",
    "TimingBreakdown",
    "UpdateInfo",
    "UpdateInfoBase",
    "UpdateInstallResult",
    "UpdateStagingResult",
    "Wait",
]
