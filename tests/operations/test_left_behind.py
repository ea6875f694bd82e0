"""Whatever ends a run, what it leaves behind is told: nodes that stay paused, a report that is not stored."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cauctl import operations
from cauctl.coordinator.state import Phase, RunState
from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.errors import ClusterError, StateError
from cauctl.lab.server import Lab
from cauctl.models.enums import SummaryStatus
from cauctl.models.options import UpdatingRunOptions
from cauctl.models.report import CauReport
from cauctl.operations.signals import heeding_signals
from cauctl.reports.store import ReportStore

StartLab = Callable[..., Lab]


class Watcher:
    """Calls back once, when a node installs."""

    def __init__(self, act: Callable[[RunState], None]) -> None:
        self._act, self._acted = act, False

    def on_event(self, _event: object, state: object) -> None:
        """Call back when the time has come."""
        assert isinstance(state, RunState)
        if not self._acted and any(node.phase is Phase.INSTALLING for node in state.nodes.values()):
            self._acted = True
            self._act(state)

    def on_wait(self, *_told: object) -> None:
        """Nothing."""


def test_a_run_that_loses_its_lock_names_the_node_that_it_had_paused(start_lab: StartLab):
    """Somebody removes the lock by hand: nobody else will resume the node, so the error must say which; exit code 5."""
    lab = start_lab(nodes=2)

    def remove_lock(state: RunState) -> None:
        with operations.connect(lab.name) as access:
            access.cluster.release_lock(state.run_id)

    with pytest.raises(ClusterError) as caught:
        operations.run(UpdatingRunOptions(cluster_name=lab.name, force=True), observer=Watcher(remove_lock))
    (node,) = lab.report().paused_now
    assert f"not resumed: {node}." in caught.value.message
    assert f"Resume-ClusterNode -Name {node}" in str(caught.value)
    assert operations.ExitCode.NODE_NOT_RESUMED is operations.ExitCode.of(caught.value)


def test_a_report_that_cannot_be_stored_does_not_hide_how_the_run_ended(start_lab: StartLab, tmp_path: Path):
    """The disk is full: the outcome is there all the same, and says so."""

    class FullStore(ReportStore):
        def save(self, report: CauReport, *, journal: Path | None = None) -> Path:  # noqa: ARG002  as its parent
            raise StateError("the report cannot be stored: No space left on device.")

    lab = start_lab(nodes=2)
    outcome = operations.run(UpdatingRunOptions(cluster_name=lab.name, force=True), store=FullStore(tmp_path))
    assert SummaryStatus.SUCCEEDED is outcome.report.cluster_result.status
    assert outcome.report_path is None
    assert outcome.journal_path is not None
    assert outcome.journal_path.exists()
    assert any("No space left" in notice for notice in outcome.notices)


def test_a_terminal_that_goes_away_stops_the_run_kindly():
    """A closed window at 3 am must not leave a node paused; a message that nobody can read costs nothing."""

    def gone(_text: str) -> None:
        raise OSError(5, "Input/output error")

    switch = StopSwitch()
    with heeding_signals(switch, gone):
        os.kill(os.getpid(), signal.SIGHUP)
    assert (switch.stop_requested, switch.detach_requested, switch.by) == (True, False, "SIGHUP")


def test_a_hangup_that_is_ignored_stays_ignored():
    """So nohup means what it says."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        switch = StopSwitch()
        with heeding_signals(switch, lambda _text: None):
            os.kill(os.getpid(), signal.SIGHUP)
        assert not switch.stop_requested
    finally:
        signal.signal(signal.SIGHUP, before)
