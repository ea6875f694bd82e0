"""Ctrl-C ends a command within two seconds, also where 64 nodes hang in the middle of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cauctl.lab.server import Lab
from cauctl.lab.wsman.wire import WireMode
from cauctl.operations import ExitCode
from tests.pulse import Pulse

NODES, PATIENCE = 64, 60.0


@pytest.fixture
def lab(_own_folders) -> Iterator[Lab]:
    """A lab of as many nodes as a cluster may have."""
    with Lab("CROWD", nodes=NODES, seed=3) as running:
        yield running


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def hang(lab: Lab) -> None:
    for endpoint in lab.endpoints.values():
        endpoint.mode = WireMode.HANGING


@contextmanager
def start(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command; one that does not end is killed, so that nobody waits for it for ever."""
    with subprocess.Popen(
        [sys.executable, "-m", "cauctl", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        killer = threading.Timer(2 * PATIENCE, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def said(process: subprocess.Popen[str], text: str) -> bool:
    """Read on until it says so: two signals that come before it could look at the first are one."""
    return any(text in line for line in process.stdout)


def seconds_to_end(process: subprocess.Popen[str]) -> float:
    """Interrupt it; those seconds do not count in which the machine was too busy for anybody."""
    with Pulse() as pulse:
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        end = time.monotonic()
    return end - begin - pulse.stalled(begin, end)


def goes_on(process: subprocess.Popen[str], seconds: float) -> None:
    """Let it meet what hangs: it is still there after ``seconds``."""
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(seconds)


def test_a_scan_of_64_nodes_that_hang_ends(lab):
    """Each of them has a session in which a question waits for its answer."""
    with start("scan", lab.name) as process:
        until(lambda: all(endpoint.shells for endpoint in lab.endpoints.values()))
        hang(lab)
        goes_on(process, 0.5)
        assert seconds_to_end(process) < 2
        assert process.returncode == ExitCode.INTERRUPTED


def test_asking_for_the_status_of_nodes_that_never_answer_ends(lab):
    hang(lab)
    with start("status", lab.name) as process:
        goes_on(process, 2.0)
        assert seconds_to_end(process) < 2
        assert process.returncode == ExitCode.INTERRUPTED


def test_the_second_interrupt_leaves_a_run_whose_nodes_hang(lab):
    """The first one would finish or undo what is in work; who asks twice does not wait for it."""
    with start("run", lab.name, "--force", "--require-all-nodes-online") as process:
        until(lambda: all(endpoint.shells for endpoint in lab.endpoints.values()))
        hang(lab)
        process.send_signal(signal.SIGINT)
        assert said(process, "Stopping: nothing new starts")
        goes_on(process, 0.5)
        assert seconds_to_end(process) < 2
        assert process.returncode == ExitCode.INTERRUPTED
        assert "lock and journal stay" in process.stdout.read()
