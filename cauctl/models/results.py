"""How a node and a whole run ended: NodeResult and ClusterResult, with what they are made of.

The first failure of a node is its error; who builds results puts it where it happened and never replaces it by a later
one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from cauctl.models.dotnet import DotNetProperty, DotNetType, describe
from cauctl.models.enums import ResultCode, SummaryStatus
from cauctl.models.failure import ErrorRecordData
from cauctl.models.timing import TimingBreakdown
from cauctl.models.updates import UpdateInstallResult
from cauctl.models.validation import Name, check

__all__ = [
    "CauNode",
    "ClusterResult",
    "NodeRebootResult",
    "NodeResult",
]

_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"


@describe(
    DotNetType(
        f"{_NAMESPACE}.CauNode",
        properties=(DotNetProperty("NodeName", attribute="node_name", declared="System.String"),),
        text="node_name",
    )
)
@frozen
class CauNode:
    """A node of the cluster; prints as its name."""

    node_name: Name
    """Name of the node."""

    def __attrs_post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        return self.node_name


@describe(
    DotNetType(
        f"{_NAMESPACE}.NodeRebootResult",  # no document names this type
        properties=(
            DotNetProperty("RebootSummaryResult", attribute="reboot_summary_result", declared="System.String"),
            DotNetProperty("BootType", attribute="boot_type", declared="System.String"),
            DotNetProperty("SoftBootStatus", attribute="soft_boot_status", declared="System.String"),
        ),
        text="text",
        text_inferred=True,
        inferred=True,
    )
)
@frozen
class NodeRebootResult:
    """How the restart of a node went; Microsoft's sets of values are not fully known, so they are texts."""

    reboot_summary_result: str
    """``Succeeded`` was seen."""
    boot_type: str = field(default="FullBoot", kw_only=True)
    """``SoftBoot`` was seen; ``FullBoot`` is inferred."""
    soft_boot_status: str = field(default="NotEnabled", kw_only=True)
    """Enabled, NotEnabled, NotInstalled or Bypassed."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def text(self) -> str:
        """Three lines, as a sample prints them."""
        return (
            f"RebootSummaryResult : {self.reboot_summary_result}\n"
            f"BootType : {self.boot_type}\n"
            f"SoftBootStatus : {self.soft_boot_status}"
        )


@describe(
    DotNetType(
        f"{_NAMESPACE}.NodeResult",
        properties=(
            DotNetProperty("Node", attribute="node", declared=f"{_NAMESPACE}.CauNode"),
            DotNetProperty("Status", attribute="status", declared=f"{_NAMESPACE}.SummaryStatus"),
            DotNetProperty("ErrorRecordData", attribute="error_record_data", declared=f"{_NAMESPACE}.ErrorRecordData"),
            DotNetProperty(
                "NumberOfSucceededUpdates", attribute="number_of_succeeded_updates", declared="System.Int32"
            ),
            DotNetProperty("NumberOfFailedUpdates", attribute="number_of_failed_updates", declared="System.Int32"),
            DotNetProperty(
                "InstallResults", attribute="install_results", declared=f"{_NAMESPACE}.UpdateInstallResult[]"
            ),
            DotNetProperty(
                "TransientInstallErrors",
                attribute="transient_install_errors",
                declared=f"{_NAMESPACE}.ErrorRecordData[]",
                inferred=True,
            ),
            DotNetProperty(
                "NodeSuspendedTimestamp",
                attribute="node_suspended_timestamp",
                declared="System.DateTime",
                inferred=True,
            ),
            DotNetProperty(
                "NodeSuspendedDuration", attribute="node_suspended_duration", declared="System.TimeSpan", inferred=True
            ),
            DotNetProperty(
                "NodeRebootResult",
                attribute="node_reboot_result",
                declared=f"{_NAMESPACE}.NodeRebootResult",
                inferred=True,
            ),
            DotNetProperty(
                "TimingBreakdownUTC", attribute="timing_breakdown_utc", declared="System.String", inferred=True
            ),
        ),
        text="text",
        text_inferred=True,
        inferred=True,
    )
)
@frozen
class NodeResult:
    """What a run did on one node; written when the coordinator is done with it."""

    node: CauNode
    """The node."""
    status: SummaryStatus = field(kw_only=True)
    """How it ended."""
    error_record_data: ErrorRecordData | None = field(default=None, kw_only=True)
    """First error of the node; None without one."""
    install_results: tuple[UpdateInstallResult, ...] = field(default=(), kw_only=True)
    """One for each update, in the order of installation."""
    transient_install_errors: tuple[ErrorRecordData, ...] = field(default=(), kw_only=True)
    """Errors of attempts that were tried again."""
    node_suspended_timestamp: datetime | None = field(default=None, kw_only=True)
    """When the node was paused; None: never."""
    node_suspended_duration: timedelta | None = field(default=None, kw_only=True)
    """How long it was paused by us; None: never, or it still is."""
    node_reboot_result: NodeRebootResult | None = field(default=None, kw_only=True)
    """How its restart went; None without one."""
    timing_breakdown: TimingBreakdown | None = field(default=None, kw_only=True)
    """When each step began and ended."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def number_of_succeeded_updates(self) -> int:
        """How many updates were installed."""
        return self._count(ResultCode.SUCCEEDED)

    @property
    def number_of_failed_updates(self) -> int:
        """How many updates failed; cancelled ones are not counted."""
        return self._count(ResultCode.FAILED)

    @property
    def number_of_canceled_updates(self) -> int:
        """How many updates were not tried to the end; not a property of Microsoft's class."""
        return self._count(ResultCode.CANCELED)

    @property
    def text(self) -> str:
        """The node and how it ended."""
        return f"{self.node}: {self.status}"

    @property
    def timing_breakdown_utc(self) -> str | None:
        """Microsoft's text of the steps: JSON-like, with dates as the United States write them."""
        if self.timing_breakdown is None:
            return None
        return self.timing_breakdown.text

    def _count(self, code: ResultCode) -> int:
        return sum(result.update_result_code is code for result in self.install_results)


@describe(
    DotNetType(
        f"{_NAMESPACE}.ClusterResult",
        properties=(
            DotNetProperty("Name", attribute="name", declared="System.String"),
            DotNetProperty("RunId", attribute="run_id", declared="System.Guid"),
            DotNetProperty("StartTimestamp", attribute="start_timestamp", declared="System.DateTime"),
            DotNetProperty("RunDuration", attribute="run_duration", declared="System.TimeSpan", inferred=True),
            DotNetProperty("Status", attribute="status", declared=f"{_NAMESPACE}.SummaryStatus"),
            DotNetProperty("ErrorRecordData", attribute="error_record_data", declared=f"{_NAMESPACE}.ErrorRecordData"),
            DotNetProperty("NodeResults", attribute="node_results", declared=f"{_NAMESPACE}.NodeResult[]"),
        ),
        text="text",
        text_inferred=True,
        inferred=True,
    )
)
@frozen
class ClusterResult:
    """What a run did on the cluster; the last object that Invoke-CauRun writes."""

    name: Name
    """Name of the cluster."""
    run_id: UUID = field(kw_only=True)
    """Id of the run."""
    start_timestamp: datetime = field(kw_only=True)
    """When the run began."""
    run_duration: timedelta = field(kw_only=True)
    """How long it took."""
    status: SummaryStatus = field(kw_only=True)
    """How it ended."""
    error_record_data: ErrorRecordData | None = field(default=None, kw_only=True)
    """Error that stopped the run as a whole; None without one."""
    node_results: tuple[NodeResult, ...] = field(default=(), kw_only=True)
    """One for each node, in the order in which the coordinator was done with them."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def text(self) -> str:
        """The cluster and how its run ended."""
        return f"{self.name}: {self.status}"
