"""A run of another process is watched and stopped through the cluster, over real PowerShell remoting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self

import pytest

import cmdlets as cau
from cauctl import operations
from cauctl.cli.app import main
from cauctl.errors import ConfirmationRequiredError, RunInterruptedError
from cauctl.lab.server import Lab
from cauctl.models.enums import RunState, SummaryStatus
from cauctl.models.options import UpdatingRunOptions

StartLab = Callable[..., Lab]


class Run:
    """A run in a thread of its own, as another process would have it."""

    def __init__(self, lab: Lab) -> None:
        self.outcome: operations.RunOutcome | None = None
        self._options = UpdatingRunOptions(cluster_name=lab.name, force=True)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.outcome = operations.run(self._options)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    """Wait for the world to get there."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "the world did not get there"
        time.sleep(0.02)


def test_a_run_is_seen_and_stopped_from_elsewhere(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Get-CauRun tells where each node is and waits; Stop-CauRun -Wait returns when the run has ended, Canceled."""
    lab, written = start_lab(nodes=2, time_scale=600.0), list[Any]()
    watcher = threading.Thread(
        target=lambda: cau.get_cau_run(lab.name, wait_for_completion=True, on_output=written.append)
    )
    assert [RunState.RUN_NOT_IN_PROGRESS] == cau.get_cau_run(lab.name)
    with Run(lab) as run:
        assert RunState.RUN_IN_PROGRESS is cau.get_cau_run(lab.name, wait_for_start=True)[0]
        watcher.start()
        until(lambda: bool(lab.report().paused_now))
        state, found = cau.get_cau_run(lab.name)
        assert RunState.RUN_IN_PROGRESS is state
        assert {"NODE1", "NODE2"} == {each.node.node_name for each in found.node_status_notifications}
        assert [True] == cau.stop_cau_run(lab.name, wait=True, force=True)
        assert 0 == main(["status", lab.name, "--wait"])
    watcher.join(30)
    assert run.outcome is not None
    assert not run.outcome.interrupted, "nobody pressed Ctrl-C here"
    assert operations.ExitCode.FAILED is run.outcome.exit_code
    result = run.outcome.report.cluster_result
    assert SummaryStatus.CANCELED is result.status
    assert result.error_record_data is not None
    assert result.error_record_data.message.startswith("The run was asked to stop by ")
    assert {} == dict(lab.report().paused_now)
    assert [False] == cau.stop_cau_run(lab.name, force=True)
    assert (RunState.RUN_IN_PROGRESS, RunState.RUN_NOT_IN_PROGRESS) == (written[0], written[-1])
    assert {"CauRun"} == {type(each).__name__ for each in written[1:-1]}
    assert written[-2].cancel_pending
    assert "RunNotInProgress" in capsys.readouterr().out


def test_stopping_is_asked_for_and_a_dead_coordinator_cannot_be_asked(
    start_lab: StartLab, capsys: pytest.CaptureFixture[str]
):
    lab = start_lab(nodes=2, time_scale=3000.0)
    with pytest.raises(ConfirmationRequiredError, match="Stop-CauRun stops the run on T-FC1"):
        cau.stop_cau_run(lab.name)
    assert 0 == main(["stop", lab.name, "--force"])
    assert "No run holds the cluster." in capsys.readouterr().err
    switch = operations.StopSwitch()
    switch_when_paused = threading.Thread(
        target=lambda: (until(lambda: bool(lab.report().paused_now)), switch.detach())
    )
    switch_when_paused.start()
    operations.run(UpdatingRunOptions(cluster_name=lab.name, force=True), stop=switch)
    switch_when_paused.join()
    until(lambda: operations.status(lab.name).state is RunState.RUN_FAILED)
    with operations.connect(lab.name) as access:
        access.cluster.request_stop(access.cluster.read_lock().run_id, "carol")
    with pytest.raises(RunInterruptedError, match=r"has no coordinator any more.* asked to stop by carol; who goes on"):
        cau.stop_cau_run(lab.name, force=True)
    before = dict(lab.report().paused_now)
    with pytest.warns(cau.CauWarning, match="was interrupted"):
        state, left = cau.invoke_cau_run(lab.name, force_recovery=True, what_if=True)
    assert (RunState.RUN_FAILED, "CauRun", before) == (state, type(left).__name__, dict(lab.report().paused_now))
    assert 0 == main(["run", lab.name, "--force-recovery", "--what-if"])
    assert "RunFailed; nothing was done." in capsys.readouterr().err
