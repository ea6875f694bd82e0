"""A coordinator that dies or is interrupted: the cluster is never left in a state that nobody knows how to mend.

The coordinator is a process of its own; the lab lives in this one, so that its ground truth can be looked at.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import cmdlets as cau
from cauctl import operations
from cauctl.cli.app import main
from cauctl.errors import RunInterruptedError
from cauctl.lab.server import Lab
from cauctl.models.enums import RunState, SummaryStatus

ROOT = Path(__file__).resolve().parents[2]
StartLab = Callable[..., Lab]


def coordinator(lab: Lab) -> subprocess.Popen[str]:
    """``cauctl run`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cauctl", "run", lab.name, "--force", "--quiet"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(true: Callable[[], bool], *, within: float = 60.0) -> None:
    """Wait for the world to get there."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "the world did not get there"
        time.sleep(0.02)


def paused(lab: Lab) -> bool:
    return bool(lab.report().paused_now)


def installing(lab: Lab) -> bool:
    return paused(lab) and bool(lab.report().installations)


def test_a_killed_coordinator_is_survivable(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Scan, status and run say so; ``recover --abandon`` mends all of it; then a run succeeds."""
    lab = start_lab(nodes=3, time_scale=1000.0)
    with coordinator(lab) as process:
        until(lambda: installing(lab))
        process.kill()
    (name,) = lab.report().paused_now
    until(lambda: operations.status(lab.name).state is RunState.RUN_FAILED)

    capsys.readouterr()
    assert 0 == main(["status", lab.name])
    out, err = capsys.readouterr()
    assert "RunFailed" in out
    assert f"cauctl recover {lab.name} --abandon" in err
    with pytest.warns(cau.CauWarning, match="was interrupted"):
        cau.invoke_cau_scan(lab.name)
    with pytest.raises(RunInterruptedError, match="recover"):
        cau.invoke_cau_run(lab.name, force=True)

    assert 0 == main(["recover", lab.name, "--abandon", "--force"])
    assert name in capsys.readouterr().err
    assert {} == dict(lab.report().paused_now)
    assert RunState.RUN_NOT_IN_PROGRESS is operations.status(lab.name).state
    with operations.connect(lab.name) as access:
        assert {()} == {access.agent.leftovers(node) for node in lab.endpoints}

    result = cau.invoke_cau_run(lab.name, force=True)[-1]
    assert SummaryStatus.SUCCEEDED is result.status, result
    assert () == lab.report().roles_restarted_under


def test_a_living_coordinator_is_not_abandoned(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """``recover`` is refused while the lease lasts: exit code 4, and nothing changes."""
    lab = start_lab(nodes=2, time_scale=1000.0)
    with coordinator(lab) as process:
        until(lambda: paused(lab))
        before = dict(lab.report().paused_now)
        code = main(["recover", lab.name, "--abandon", "--force"])
        assert (4, before) == (code, before)
        assert "at work" in capsys.readouterr().err
        assert 0 == process.wait(timeout=120), process.communicate()


def test_a_second_run_while_one_is_in_progress(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Exit code 4; it is told who and since when; the first run is not disturbed."""
    lab = start_lab(nodes=2, time_scale=300.0)
    with coordinator(lab) as process:
        until(lambda: paused(lab))
        before = dict(lab.report().paused_now)
        code = main(["run", lab.name, "--force", "--quiet"])
        err = capsys.readouterr().err
        assert (4, before) == (code, dict(lab.report().paused_now)), err
        assert f"(pid {process.pid})" in err
        process.kill()


def test_ctrl_c_finishes_or_undoes_the_node_in_work(start_lab: StartLab):
    """Exit code 130; no node is left paused, the lock is free, the report tells what was done."""
    lab = start_lab(nodes=3, time_scale=1000.0)
    with coordinator(lab) as process:
        until(lambda: installing(lab))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert 130 == process.returncode, err
    assert "nothing new starts" in err
    assert "Traceback" not in err
    found = lab.report()
    assert ({}, ()) == (dict(found.paused_now), found.roles_restarted_under)
    assert 1 == len({each.node for each in found.installations})
    (report,) = cau.get_cau_report(lab.name, detailed=True)
    assert SummaryStatus.SUCCEEDED is not report.cluster_result.status
    assert RunState.RUN_NOT_IN_PROGRESS is operations.status(lab.name).state


def test_a_second_ctrl_c_leaves_at_once(start_lab: StartLab):
    """Within two seconds; lock and journal stay, the message says how to recover."""
    lab = start_lab(nodes=2, time_scale=300.0)
    with coordinator(lab) as process:
        until(lambda: installing(lab))
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - began
    assert 130 == process.returncode, err
    assert f"cauctl recover {lab.name} --abandon" in err
    assert took < 4, "two seconds, and two for a loaded machine"
    assert operations.status(lab.name).lock is not None
