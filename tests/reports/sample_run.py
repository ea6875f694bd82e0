"""Reports that the tests of this folder share: a run that went well, a run that did not, and its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from cauctl.models import (
    CauNode,
    CauReport,
    ClusterResult,
    ErrorRecordData,
    ExceptionData,
    FirstCause,
    NodeHistory,
    NodeRebootResult,
    NodeResult,
    NodeStatus,
    PlannedTurn,
    Restart,
    ResultCode,
    RolePlacement,
    RunHistory,
    SummaryStatus,
    TimelineEntry,
    TimingBreakdown,
    UpdateInfo,
    UpdateInstallResult,
    Wait,
    signed,
)

START = datetime(2026, 11, 22, 2, 0, 0, 250000, tzinfo=UTC)
RUN_ID = UUID("834dd11e-584b-41f2-8d22-4c9c0471dbad")
GOOD_RUN_ID = UUID("0a2f3c54-9d7e-4b1a-8d0f-6f1e2d3c4b5a")


def at(minutes: float) -> datetime:
    """Give the moment so many minutes after the start of the run."""
    return START + timedelta(minutes=minutes)


def update(node: str, title: str, *, severity: str = "Important") -> UpdateInfo:
    """Find an update on a node."""
    description = (
        "Install this update to resolve issues in Windows.\r\nMaximum Update Size: 312 MB\r\n"
        f"Support URL: https://support.microsoft.com/\r\nSeverity: {severity}\r\nRestart Required: Maybe"
    )
    return UpdateInfo(node, update_id=f"id-{title[:12]}", update_title=title, update_description=description)


def installed(
    node: str, minutes: float, title: str, code: int = 0, *, severity: str = "Important"
) -> UpdateInstallResult:
    """Install an update on a node; a code other than 0 fails it."""
    return UpdateInstallResult.of(
        update(node, title, severity=severity),
        ResultCode.FAILED if code else ResultCode.SUCCEEDED,
        error_code=signed(code),
        reboot_required=not code,
        at=at(minutes),
    )


CUMULATIVE = "2026-11 Cumulative Update for Microsoft server operating system version 21H2 for x64 (KB5031364)"
HOSTILE = """<script>alert("KB1234567")</script> & <img src=x onerror='alert(1)'>\x07"""

LOCKED = ErrorRecordData(
    "ClusterResourceLocked,Suspend-ClusterNode",
    exception_data=ExceptionData(
        "System.Management.Automation.RemoteException",
        message="The requested operation cannot be completed because a resource has locked status.",
    ),
    category="ResourceBusy",
    advice="Wait until the backup of the role has ended, then run again.",
)

GOOD_NODE = NodeResult(
    CauNode("NODE1"),
    status=SummaryStatus.SUCCEEDED,
    install_results=(
        installed("NODE1", 11, CUMULATIVE, severity="Critical"),
        installed("NODE1", 12, "Windows Malicious Software Removal Tool x64 - v5.118 (KB890830)", severity="Low"),
    ),
    transient_install_errors=(
        ErrorRecordData.saying(
            "DownloadFailed", "The download failed.", category="ConnectionError", advice="Try again."
        ),
    ),
    node_suspended_timestamp=at(5),
    node_suspended_duration=timedelta(minutes=19, seconds=3),
    node_reboot_result=NodeRebootResult("Succeeded"),
    timing_breakdown=TimingBreakdown(scan_start=at(0), scan_end=at(1), drain_start=at(5), install_end=at(24)),
)
BAD_NODE = NodeResult(
    CauNode("NODE2"),
    status=SummaryStatus.PARTIALLY_FAILED,
    error_record_data=LOCKED,
    install_results=(
        installed("NODE2", 31, CUMULATIVE, 0x80242016, severity="Critical"),
        installed("NODE2", 32, HOSTILE),
        UpdateInstallResult.of(update("NODE2", 'A driver, "signed"'), ResultCode.CANCELED, at=at(33)),
    ),
    node_suspended_timestamp=at(26),
)

REPORT = CauReport(
    ClusterResult(
        "CONTOSO-FC1",
        run_id=RUN_ID,
        start_timestamp=START,
        run_duration=timedelta(minutes=45, seconds=30),
        status=SummaryStatus.PARTIALLY_FAILED,
        error_record_data=ErrorRecordData.saying("MaxFailedNodesExceeded", "More than 0 nodes failed."),
        node_results=(GOOD_NODE, BAD_NODE),
    ),
    orchestrator_machine="ADMIN7",
    orchestrator_user="kim",
    orchestrator_update_account="CONTOSO\\cau",
    first_cause=FirstCause(LOCKED, node_name="NODE2", phase=NodeStatus.SUSPENDING, timestamp=at(25)),
)

GOOD_REPORT = CauReport(
    ClusterResult(
        "CONTOSO-FC1",
        run_id=GOOD_RUN_ID,
        start_timestamp=START - timedelta(days=30),
        run_duration=timedelta(minutes=30),
        status=SummaryStatus.SUCCEEDED,
        node_results=(GOOD_NODE, NodeResult(CauNode("NODE2"), status=SummaryStatus.SUCCEEDED)),
    ),
    orchestrator_machine="ADMIN7",
)

HISTORY = RunHistory(
    RUN_ID,
    first_cause=REPORT.first_cause,
    nodes=(
        NodeHistory(
            "NODE1",
            attempts=2,
            build_before="20348.2031",
            build_after="20348.2113",
            restarts=(Restart(at(13), proved=at(20), reason="KB5031364"),),
            waits=(
                Wait(
                    "StorageRepair",
                    reason="virtual disk CSV01 is Degraded, 2 jobs are running",
                    started=at(20),
                    duration=timedelta(minutes=3, seconds=4),
                    limit=timedelta(minutes=60),
                ),
            ),
            placement=(
                RolePlacement("SQL01", before="NODE1", after="NODE1"),
                RolePlacement("File <Server>", before="NODE1", after="NODE3"),
            ),
        ),
        NodeHistory(
            "NODE2",
            attempts=1,
            build_before="20348.2031",
            build_after="20348.2031",
            waits=(
                Wait(
                    "Drain",
                    reason="role SQL02 has not left",
                    started=at(26),
                    duration=timedelta(minutes=15),
                    limit=timedelta(minutes=15),
                    satisfied=False,
                ),
            ),
            notes=("It could not be resumed: nobody answers. Resume it with: cauctl recover CONTOSO-FC1 --abandon",),
        ),
    ),
    waits=(Wait("Lock", reason="another run held the cluster", started=at(0), duration=timedelta(seconds=9)),),
    timeline=(
        TimelineEntry(at(0), text="The run began."),
        TimelineEntry(at(5), text="Paused and drained.", node_name="NODE1"),
        TimelineEntry(at(25), text="The drain failed: SQL02 is locked.", node_name="NODE2", failure=True),
        TimelineEntry(at(45.5), text="The run ended."),
    ),
    plan=(
        PlannedTurn("NODE1", updates=2, restart_expected=True, predicted=timedelta(minutes=20)),
        PlannedTurn("NODE2", updates=3),
    ),
)
