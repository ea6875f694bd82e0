"""Stopping: nothing new starts, the node in work is finished or undone; leaving at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.checkpoint import read_checkpoint
from cauctl.coordinator.events import StopReason
from cauctl.coordinator.results import install_results
from cauctl.coordinator.state import Phase, RunPhase, RunState
from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.errors import StateError
from cauctl.lab.memory import Ports as MemoryPorts
from cauctl.models.enums import ResultCode, SummaryStatus
from cauctl.models.scripts import ScriptFile
from tests.trial import USER, Trial, scenario


def stopped_in(phase: Phase, **changes: object) -> Trial:
    """Run over three nodes and ask to stop when the first node enters the phase."""
    trial = Trial(scenario(nodes=3, **changes))

    def watch(_event: object, state: object) -> None:
        if any(node.phase is phase for node in state.nodes.values()):
            trial.switch.stop("Ctrl-C")

    scripts = {each: ScriptFile(f"{each}.ps1", sha256="0" * 64) for each in ("pre_script", "post_script")}
    trial.run(ports=evolve(trial.ports, scripts=trial.memory.scripts), on_event=watch, **scripts)
    return trial


@pytest.mark.parametrize(
    "phase", [phase for phase in Phase if phase not in {Phase.IDLE, Phase.EMPTYING, Phase.STRANDED, Phase.DONE}]
)
def test_whenever_it_is_asked_no_node_is_left_paused_and_no_further_one_begins(phase):
    trial = stopped_in(phase, storage=True)
    assert trial.state.stopping is StopReason.REQUESTED
    assert trial.world.ledger.paused_now == {}
    assert len(trial.suspended) <= 1
    assert trial.memory.cluster.read_lock() is None
    assert [trial.left_on(node) for node in trial.world.machines] == [0, 0, 0]
    assert all(not machine.updates.pending for machine in trial.world.machines.values())
    assert trial.result.status is SummaryStatus.CANCELED
    assert trial.result.error_record_data.fully_qualified_error_id == "RunCanceled"
    assert trial.result.error_record_data.message == "The run was asked to stop by Ctrl-C."


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        (Phase.SCANNING, SummaryStatus.CANCELED),
        (Phase.CHECKING, SummaryStatus.CANCELED),
        (Phase.SUSPENDING, SummaryStatus.CANCELED),
        (Phase.INSTALLING, SummaryStatus.SUCCEEDED),
        (Phase.RESTARTING, SummaryStatus.SUCCEEDED),
    ],
)
def test_the_node_in_work_is_undone_before_and_finished_after_it_begins_to_install(phase, status):
    trial = stopped_in(phase)
    assert status is trial.statuses["NODE2"]


def test_a_node_whose_run_is_stopped_says_that_it_was_not_searched_again_and_what_was_not_tried():
    """Succeeded is true of what was tried; nobody may take it for all that there is."""
    trial = stopped_in(Phase.INSTALLING)
    node = trial.state.nodes["NODE2"]
    assert any("stopped before the node was searched again" in note for note in node.record.notes)
    untried = {update.title for update in node.record.updates}
    cancelled = [each for each in install_results(node) if each.update_result_code is ResultCode.CANCELED]
    assert untried
    assert untried == {each.update_title for each in cancelled}


def test_scans_under_way_are_told_to_stop():
    trial = stopped_in(Phase.SCANNING)
    assert trial.world.now - trial.world.scenario.begins < timedelta(minutes=2)


def test_stop_after_cancels_the_run():
    """CAU: StopAfter cancels the run when it has taken this long."""
    trial = Trial(scenario(nodes=3))
    trial.run(stop_after=timedelta(minutes=30))
    assert trial.state.stopping is StopReason.STOP_AFTER
    assert trial.statuses["NODE2"] is SummaryStatus.SUCCEEDED
    assert [trial.statuses[node] for node in ("NODE1", "NODE3")] == [SummaryStatus.CANCELED] * 2
    assert trial.result.status is SummaryStatus.CANCELED
    assert trial.result.error_record_data.fully_qualified_error_id == "StopAfterExceeded"


def test_warn_after_warns_and_changes_nothing():
    trial = Trial(scenario(nodes=2))
    trial.run(warn_after=timedelta(minutes=30))
    assert trial.state.warned
    assert trial.result.status is SummaryStatus.SUCCEEDED


def test_leaving_at_once_keeps_lock_and_pause_for_recovery():
    """Design §9: second Ctrl-C: detach, lock and journal stay."""
    trial = Trial(scenario(nodes=2))

    def watch(_event: object, state: object) -> None:
        if any(node.phase is Phase.INSTALLING for node in state.nodes.values()):
            trial.switch.stop("Ctrl-C")
            trial.switch.detach()

    trial.run(on_event=watch)
    assert trial.state.detached
    assert trial.world.ledger.paused_now == {"NODE2": USER}
    assert trial.memory.cluster.read_lock().run_id == trial.run_id


def test_a_stop_that_follows_a_failure_does_not_change_the_reason():
    trial = Trial(scenario("scan-error:NODE1", nodes=3))
    trial.run(max_failed_nodes=0, on_event=lambda _event, state: trial.switch.stop("x") if state.stopping else None)
    assert trial.state.stopping is StopReason.FAILED_NODES
    assert trial.state.stop_asked


def test_the_switch_says_what_was_asked():
    switch = StopSwitch()
    assert repr(switch) == "<StopSwitch asks for nothing>"
    switch.stop("SIGTERM")
    switch.stop("Ctrl-C")
    assert (switch.by, switch.stop_requested, switch.detach_requested) == ("SIGTERM", True, False)
    switch.detach()
    assert repr(switch) == "<StopSwitch asks for detach>"


# --- asked from elsewhere --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.STAGING, Phase.SUSPENDING, Phase.INSTALLING])
def test_who_asks_through_the_cluster_is_heeded_within_a_minute(phase):
    """Stop-CauRun from another machine: the coordinator reads it whenever it looks, and writes down that it has."""
    trial, elsewhere = Trial(scenario(nodes=3)), MemoryPorts
    asked: list[datetime] = []
    heeded: list[datetime] = []

    def watch(_event: object, state: RunState) -> None:
        now = trial.world.now
        if not asked and any(node.phase is phase for node in state.nodes.values()):
            asked.append(now)
            other = elsewhere(trial.world, user="LAB\\Bob").cluster
            trial.world.kernel.after(timedelta(seconds=1), lambda: other.request_stop(trial.run_id, "bob@desk (pid 1)"))
        held = trial.memory.cluster.read_lock()
        if held and not heeded and read_checkpoint(held.checkpoint).stopping:
            heeded.append(now)

    trial.run(on_event=watch)
    assert StopReason.REQUESTED is trial.state.stopping
    assert "The run was asked to stop by bob@desk (pid 1)." == trial.result.error_record_data.message
    assert {} == trial.world.ledger.paused_now
    assert heeded[0] - asked[0] <= timedelta(minutes=1)


def test_a_request_for_another_run_is_refused():
    trial = Trial(scenario(nodes=2))
    seen: list[str] = []

    def watch(_event: object, state: RunState) -> None:
        if state.lock is not None and not seen and state.phase is RunPhase.UPDATING:
            with pytest.raises(StateError, match="does not hold the cluster"):
                trial.memory.cluster.request_stop("another", "bob")
            seen.append("refused")

    trial.run(on_event=watch)
    assert (["refused"], SummaryStatus.SUCCEEDED) == (seen, trial.result.status)
