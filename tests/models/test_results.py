"""What results, reports and errors count and say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cauctl.errors import ClusterError, NodeUnreachableError, RemoteError
from cauctl.models import (
    CauNode,
    CauReport,
    CauReportSummary,
    ClusterResult,
    ErrorRecordData,
    ExceptionData,
    FirstCause,
    NodeHistory,
    NodeRebootResult,
    NodeResult,
    NodeStatus,
    Restart,
    ResultCode,
    RolePlacement,
    RunHistory,
    SummaryStatus,
    TimingBreakdown,
    UpdateInfo,
    UpdateInstallResult,
    hex_code,
    hresult,
    signed,
    unsigned,
)
from cauctl.models.hresult import HRESULTS, Remedy

MOMENT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
RUN = UUID("834dd11e-584b-41f2-8d22-4c9c0471dbad")


def result(code: ResultCode) -> UpdateInstallResult:
    return UpdateInstallResult.of(UpdateInfo("N", update_id=code.value, update_title="t"), code, at=MOMENT)


def node(name: str, *codes: ResultCode, transient: bool = False) -> NodeResult:
    errors = (ErrorRecordData.saying("X", "x"),) if transient else ()
    return NodeResult(
        CauNode(name),
        status=SummaryStatus.SUCCEEDED,
        install_results=tuple(map(result, codes)),
        transient_install_errors=errors,
    )


def test_updates_are_counted_by_result():
    counted = node("N1", ResultCode.SUCCEEDED, ResultCode.FAILED, ResultCode.CANCELED, ResultCode.SUCCEEDED)
    assert (2, 1, 1) == (
        counted.number_of_succeeded_updates,
        counted.number_of_failed_updates,
        counted.number_of_canceled_updates,
    )


def test_a_summary_counts_updates_over_all_nodes():
    report = CauReport(
        ClusterResult(
            "C",
            run_id=RUN,
            start_timestamp=MOMENT,
            run_duration=timedelta(hours=1),
            status=SummaryStatus.PARTIALLY_FAILED,
            node_results=(
                node("N1", ResultCode.SUCCEEDED, ResultCode.CANCELED),
                node("N2", ResultCode.SUCCEEDED, ResultCode.FAILED, transient=True),
            ),
        )
    )
    expected = CauReportSummary(
        "C",
        status=SummaryStatus.PARTIALLY_FAILED,
        start_timestamp=MOMENT,
        count_of_succeeded_results=2,
        count_of_failed_results=1,
        count_of_canceled_results=1,
        had_transient_install_error=True,
        report_id="CauReport-20261122040000",
    )
    assert expected == CauReportSummary.of(report, report_id="CauReport-20261122040000")


def test_objects_print_as_powershell_prints_them():
    assert "NODE1" == str(CauNode("NODE1"))
    assert "NODE1: Succeeded" == node("NODE1").text
    assert "System.Exception: no" == ExceptionData("System.Exception", message="no").text
    assert (
        "RebootSummaryResult : Succeeded\nBootType : SoftBoot\nSoftBootStatus : Enabled"
        == NodeRebootResult("Succeeded", boot_type="SoftBoot", soft_boot_status="Enabled").text
    )


def test_the_timing_text_names_the_steps_in_order_with_american_dates():
    timing = TimingBreakdown(
        scan_start=datetime(2026, 4, 28, 0, 5, 9, tzinfo=UTC), install_end=datetime(2026, 4, 28, 13, 5, tzinfo=UTC)
    )
    expected = '{"ScanStart": "4/28/2026 12:05:09 AM", "InstallEnd": "4/28/2026 1:05:00 PM"}'
    assert expected == timing.text
    assert (
        expected == NodeResult(CauNode("N"), status=SummaryStatus.FAILED, timing_breakdown=timing).timing_breakdown_utc
    )


def test_errors_of_ours_become_error_records():
    remote = RemoteError("locked", node="N1", command="Suspend-ClusterNode", error_id="Locked,Suspend", category="Busy")
    assert ErrorRecordData(
        "Locked,Suspend",
        exception_data=ExceptionData(
            "System.Management.Automation.RemoteException", message="N1: Suspend-ClusterNode: locked"
        ),
        category="Busy",
    ) == ErrorRecordData.of(remote)
    cluster = ClusterError("no quorum", cluster="C", advice="Start a node.")
    assert ErrorRecordData(
        "ClusterFailed",
        exception_data=ExceptionData("Microsoft.ClusterAwareUpdating.ClusterUpdateException", message="no quorum"),
        category="InvalidOperation",
        advice="Start a node.",
    ) == ErrorRecordData.of(cluster)


def test_a_first_cause_reads_as_one_line():
    error = ErrorRecordData.of(NodeUnreachableError("nobody answers", node="N1"))
    assert "N1 (Scanning): N1: nobody answers" == FirstCause(error, node_name="N1", phase=NodeStatus.SCANNING).text
    assert "The run: N1: nobody answers" == FirstCause(error).text


def test_a_history_answers_for_nodes_restarts_and_roles():
    history = RunHistory(RUN, nodes=(NodeHistory("Node1"),))
    assert (NodeHistory("Node1"), None) == (history.node("NODE1"), history.node("NODE2"))
    assert timedelta(minutes=5) == Restart(MOMENT, proved=MOMENT + timedelta(minutes=5)).duration
    assert Restart(MOMENT).duration is None
    assert [True, False, False] == [
        RolePlacement("SQL", before="n1", after=after).returned for after in ("N1", "n2", None)
    ]


@pytest.mark.parametrize(
    ("title", "article"),
    [
        ("2026-11 Cumulative Update for Windows Server 2022 (KB5031364)", "KB5031364"),
        ("Update for kb 890830 tool", "KB890830"),
        ("Definition update 1.2.3", None),
        ("SKB5031364X", None),
    ],
)
def test_the_article_stands_in_the_title(title: str, article: str | None):
    assert article == UpdateInfo("N", update_id="i", update_title=title).kb_article


@pytest.mark.parametrize(
    ("description", "severity"),
    [
        ("Fixes.\r\nMaximum Update Size: 5 MB\r\nSeverity: Critical\r\nRestart Required: Maybe", "Critical"),
        ("Severity:  Important ", "Important"),
        ("The severity: high", None),
        ("Severity: \r\nRestart Required: Maybe", None),
        (None, None),
    ],
)
def test_the_severity_stands_in_the_description(description: str | None, severity: str | None):
    assert severity == UpdateInfo("N", update_id="i", update_title="t", update_description=description).severity


def test_codes_are_signed_in_objects_and_hexadecimal_for_people():
    assert (-2145124341, 0x8024000B) == (signed(0x8024000B), unsigned(-2145124341))
    assert (0x240006, 0x240006) == (signed(0x240006), unsigned(0x240006))
    assert ("0x8024200B", "0x00240006") == (hex_code(signed(0x8024200B)), hex_code(0x240006))
    known = hresult(signed(0x80240034))
    assert known is not None
    assert ("WU_E_DOWNLOAD_FAILED", Remedy.RETRY) == (known.name, known.remedy)
    assert hresult(0x12345678) is None


def test_every_code_of_the_table_stands_there_once():
    assert len(HRESULTS) == len({each.name for each in HRESULTS.values()})
    assert all(code == each.code == unsigned(code) for code, each in HRESULTS.items())
