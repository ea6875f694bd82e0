"""What a run writes and reports, as Microsoft's objects; its history."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from cauctl.coordinator.journal import read_journal
from cauctl.coordinator.results import Orchestrator, cau_run, report, run_status, update_info
from cauctl.coordinator.state import RunState
from cauctl.coordinator.story import history_of
from cauctl.models.agent import FoundUpdate, UpdateKey
from cauctl.models.enums import NodeStatus, ResultCode, SummaryStatus
from cauctl.models.report import CauReportSummary
from cauctl.models.results import NodeResult
from cauctl.models.run import NodeStatusNotification, Restart
from cauctl.models.updates import UpdateInfo, UpdateInstallResult, UpdateStagingResult
from tests.trial import Trial, scenario

SUCCEEDED = SummaryStatus.SUCCEEDED


@pytest.fixture(scope="module")
def good() -> Trial:
    """A run without troubles."""
    trial = Trial(scenario(nodes=2, storage=True))
    trial.run()
    return trial


@pytest.fixture(scope="module")
def bad() -> Trial:
    """A run with an update that fails on one node."""
    trial = Trial(scenario("install-fails:NODE2", nodes=3))
    trial.run(max_retries_per_node=1)
    return trial


# --- what is written -------------------------------------------------------------------------------------------------


def test_first_every_node_waits_then_each_scans(good):
    """A picture of a real run: first Waiting for every node, then Scanning."""
    statuses = [(each.node.node_name, each.status) for each in good.outputs if isinstance(each, NodeStatusNotification)]
    assert statuses[:4] == [
        ("NODE1", NodeStatus.WAITING),
        ("NODE2", NodeStatus.WAITING),
        ("NODE1", NodeStatus.SCANNING),
        ("NODE2", NodeStatus.SCANNING),
    ]


def test_each_update_is_written_as_found_staged_and_installed_once(good):
    for kind in (UpdateInfo, UpdateStagingResult, UpdateInstallResult):
        count = Counter((each.node_name, each.update_id) for each in good.outputs if type(each) is kind)
        assert set(count.values()) == {1}
        assert len(count) == sum(len(node.record.installed) for node in good.state.nodes.values())


def test_the_result_of_a_node_comes_when_the_coordinator_is_done_with_it(good):
    places = [index for index, each in enumerate(good.outputs) if isinstance(each, NodeResult)]
    assert [good.outputs[index].node.node_name for index in places] == ["NODE2", "NODE1"]
    later = [each.node_name for each in good.outputs[places[0] :] if isinstance(each, UpdateInstallResult)]
    assert set(later) == {"NODE1"}


def test_the_description_ends_as_caus_does():
    update = FoundUpdate(
        UpdateKey("id", 1),
        title="T",
        description="D",
        max_download_size=3 * 1024 * 1024,
        msrc_severity="Critical",
        support_url="https://support.example/1",
    )
    assert update_info("N1", update).update_description == (
        "D\nMaximum Update Size: 3.0 MB\nSupport URL: https://support.example/1\nSeverity: Critical\n"
        "Restart Required: Maybe"
    )
    assert update_info("N1", update).severity == "Critical"


# --- results ---------------------------------------------------------------------------------------------------------


def test_the_cluster_result_of_a_good_run(good):
    result = good.result
    assert (result.name, str(result.run_id), result.status) == ("LAB-FC1", good.run_id, SUCCEEDED)
    assert result.start_timestamp == good.world.scenario.begins
    assert result.run_duration == good.world.now - good.world.scenario.begins
    assert (result.error_record_data, [each.node.node_name for each in result.node_results]) == (
        None,
        ["NODE2", "NODE1"],
    )


def test_the_node_result_of_a_good_run(good):
    node = good.result.node_results[0]
    record = good.state.nodes["NODE2"].record
    assert node.number_of_succeeded_updates == len(record.installed) > 5
    assert (node.number_of_failed_updates, node.error_record_data, node.transient_install_errors) == (0, None, ())
    assert node.node_suspended_timestamp == next(each.at for each in good.world.ledger.pauses if each.paused)
    assert timedelta(minutes=10) < node.node_suspended_duration < timedelta(hours=1)
    assert node.node_reboot_result.reboot_summary_result == "Succeeded"


def test_the_steps_of_a_node_are_in_order(good):
    timing = good.result.node_results[0].timing_breakdown
    steps = [
        timing.scan_start,
        timing.scan_end,
        timing.stage_start,
        timing.stage_end,
        timing.attempt_drain_start,
        timing.storage_repair_monitor_end,
        timing.drain_start,
        timing.drain_end,
        timing.install_start,
        timing.reboot_start,
        timing.reboot_end,
        timing.install_end,
    ]
    assert None not in steps
    assert steps == sorted(steps)


def test_a_failed_update_is_in_the_result_with_its_code_and_the_first_cause(bad):
    whole = report(bad.state, Orchestrator(machine="console", user="alice", account="LAB\\admin"))
    result = whole.cluster_result
    assert (result.status, result.error_record_data.fully_qualified_error_id) == (
        SummaryStatus.FAILED,
        "MaxFailedNodesExceeded",
    )
    node = next(each for each in result.node_results if each.node.node_name == "NODE2")
    failed = next(each for each in node.install_results if each.update_result_code is ResultCode.FAILED)
    assert failed.error_code == 0x80070643 - 2**32
    assert whole.first_cause.node_name == "NODE2"
    assert (whole.first_cause.phase, whole.first_cause.error) == (NodeStatus.INSTALLING, node.error_record_data)
    assert whole.first_cause.timestamp == failed.update_timestamp
    assert (whole.orchestrator_machine, whole.orchestrator_user) == ("console", "alice")


def test_updates_of_cancelled_nodes_are_cancelled(bad):
    node = next(each for each in bad.result.node_results if each.node.node_name == "NODE1")
    assert node.status is SummaryStatus.CANCELED
    assert {each.update_result_code for each in node.install_results} == {ResultCode.CANCELED}


def test_the_summary_counts_updates_over_all_nodes(bad):
    summary = CauReportSummary.of(report(bad.state, Orchestrator()))
    assert summary.status is SummaryStatus.FAILED
    assert summary.had_transient_install_error
    assert min(summary.count_of_succeeded_results, summary.count_of_failed_results) > 0
    assert summary.count_of_canceled_results > 0


def test_a_run_in_progress_is_shown_as_get_cau_run_does():
    trial = Trial(scenario(nodes=2))
    shown: list[object] = []

    def watch(_event: object, state: RunState) -> None:
        if state.nodes and state.nodes["NODE2"].record.status is not None and not shown:
            shown.append(cau_run(state, "console"))

    trial.run(on_event=watch)
    run = shown[0]
    assert [each.node.node_name for each in run.node_results] == ["NODE2"]
    assert [(each.node.node_name, each.status) for each in run.node_status_notifications] == [
        ("NODE1", NodeStatus.CHECKING)
    ]
    assert (run.current_orchestrator, run.cancel_pending) == ("console", False)


def test_a_run_that_was_never_started_has_no_result():
    with pytest.raises(ValueError, match="never started"):
        report(RunState(), Orchestrator())
    assert run_status(RunState()) is SUCCEEDED


# --- history ---------------------------------------------------------------------------------------------------------


def test_the_history_watched_is_the_history_read_from_the_journal(bad):
    assert bad.story.history() == history_of(read_journal(bad.journal.content).events)


def test_the_history_of_a_node(good):
    node = good.story.history().node("node2")
    assert (node.attempts, node.build_before) == (1, "20348.3328")
    assert node.build_after == good.world.machine("NODE2").build
    (restart,) = node.restarts
    assert restart == Restart(restart.requested, proved=restart.proved, reason="Updates were installed")
    assert restart.requested < restart.proved
    assert {role.role for role in node.placement} == {"VM02", "FS01"}
    assert all(role.returned for role in node.placement)
    assert {"Drain", "Restart", "StorageSettled", "Resume"} <= {wait.name for wait in node.waits}
    assert all(wait.duration is not None and wait.satisfied for wait in node.waits)


def test_a_wait_that_was_given_up_says_so():
    trial = Trial(scenario("restart-hangs:NODE2", nodes=2))
    trial.run(node_order=("NODE2",))
    waits = {wait.name: wait for wait in trial.story.history().node("NODE2").waits}
    assert (waits["Restart"].satisfied, waits["Restart"].limit) == (False, timedelta(minutes=15))
    assert waits["Drain"].satisfied


def test_the_timeline_tells_what_happened_in_order(bad):
    timeline = bad.story.history().timeline
    assert [each.timestamp for each in timeline] == sorted(each.timestamp for each in timeline)
    texts = [f"{each.node_name}: {each.text}" for each in timeline]
    assert texts[0] == "None: alice@console (pid 4711) started the run on LAB-FC1."
    assert "None: The order of the turns: NODE2, NODE3, NODE1." in texts
    assert "NODE2: Done: PartiallyFailed." in texts
    assert texts[-1] == "None: The run ended: Failed."
    assert any(each.failure and each.node_name == "NODE2" for each in timeline)


def test_the_first_cause_is_in_the_history(bad):
    assert bad.story.history().first_cause.node_name == "NODE2"
