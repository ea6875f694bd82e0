"""Reports of finished runs: CauReport and its summary.

A :class:`CauReport` is what Get-CauReport -Detailed writes and Export-CauReport takes, a :class:`CauReportSummary` what
Get-CauReport writes otherwise.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Self

from attrs import field, frozen

from cauctl.models.dotnet import DotNetProperty, DotNetType, describe
from cauctl.models.enums import SummaryStatus
from cauctl.models.failure import FirstCause
from cauctl.models.results import ClusterResult
from cauctl.models.updates import WINDOWS_UPDATE_PLUGIN
from cauctl.models.validation import Count, Name, check

__all__ = ["CauReport", "CauReportSummary"]

_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"


@describe(
    DotNetType(
        f"{_NAMESPACE}.CauReport",
        properties=(
            DotNetProperty("ClusterResult", attribute="cluster_result", declared=f"{_NAMESPACE}.ClusterResult"),
            DotNetProperty("Plugin", attribute="plugin", declared="System.String", inferred=True),
            DotNetProperty("OrchestratorMachine", attribute="orchestrator_machine", declared="System.String"),
            DotNetProperty("OrchestratorUser", attribute="orchestrator_user", declared="System.String"),
            DotNetProperty(
                "OrchestratorUpdateAccount", attribute="orchestrator_update_account", declared="System.String"
            ),
        ),
        inferred=True,
    )
)
@frozen
class CauReport:
    """The report of one finished run."""

    cluster_result: ClusterResult
    """What the run did."""
    plugin: str = field(default=WINDOWS_UPDATE_PLUGIN, kw_only=True)
    """Plug-ins of the run, separated by ``, ``."""
    orchestrator_machine: str = field(default="", kw_only=True)
    """Computer of the coordinator."""
    orchestrator_user: str = field(default="", kw_only=True)
    """User who started the run there."""
    orchestrator_update_account: str = field(default="", kw_only=True)
    """Account that the nodes were driven with."""
    first_cause: FirstCause | None = field(default=None, kw_only=True)
    """The first failure of the run; ours, not a property of Microsoft's class."""

    def __attrs_post_init__(self) -> None:
        check(self)


@describe(
    DotNetType(
        f"{_NAMESPACE}.CauReportSummary",
        properties=(
            DotNetProperty("ClusterName", attribute="cluster_name", declared="System.String"),
            DotNetProperty("Status", attribute="status", declared=f"{_NAMESPACE}.SummaryStatus"),
            DotNetProperty("StartTimestamp", attribute="start_timestamp", declared="System.DateTime"),
            DotNetProperty("CountOfSucceededResults", attribute="count_of_succeeded_results", declared="System.Int32"),
            DotNetProperty("CountOfFailedResults", attribute="count_of_failed_results", declared="System.Int32"),
            DotNetProperty("CountOfCanceledResults", attribute="count_of_canceled_results", declared="System.Int32"),
            DotNetProperty(
                "HadTransientInstallError", attribute="had_transient_install_error", declared="System.Boolean"
            ),
        ),
    )
)
@frozen
class CauReportSummary:
    """A report in one line; its counts are updates over all nodes."""

    cluster_name: Name
    """Name of the cluster."""
    status: SummaryStatus = field(kw_only=True)
    """How the run ended."""
    start_timestamp: datetime = field(kw_only=True)
    """When the run began."""
    count_of_succeeded_results: Count = field(default=0, kw_only=True)
    """Updates that were installed."""
    count_of_failed_results: Count = field(default=0, kw_only=True)
    """Updates that failed."""
    count_of_canceled_results: Count = field(default=0, kw_only=True)
    """Updates that were not tried to the end."""
    had_transient_install_error: bool = field(default=False, kw_only=True)
    """True when an attempt failed and was tried again."""
    report_id: str | None = field(default=None, kw_only=True)
    """Name of the stored report, ``CauReport-yyyyMMddHHmmss``; ours, not a property of Microsoft's class."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @classmethod
    def of(cls, report: CauReport, *, report_id: str | None = None) -> Self:
        """Summarise a report."""
        result = report.cluster_result
        return cls(
            result.name,
            status=result.status,
            start_timestamp=result.start_timestamp,
            count_of_succeeded_results=sum(node.number_of_succeeded_updates for node in result.node_results),
            count_of_failed_results=sum(node.number_of_failed_updates for node in result.node_results),
            count_of_canceled_results=sum(node.number_of_canceled_updates for node in result.node_results),
            had_transient_install_error=any(node.transient_install_errors for node in result.node_results),
            report_id=report_id,
        )
