"""The README is true: its commands and its program run as they stand, against an embedded cluster."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP = "python3 -m venv .venv && .venv/bin/pip install"
CONSOLE = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
COMMANDS = [line for line in CONSOLE if line.startswith("cauctl ")]
(PROGRAM,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def cauctl(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cauctl", *arguments]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose state, configuration and lab records are this module's own."""
    folder = tmp_path_factory.mktemp("readme")
    own = {name: str(folder / name) for name in ("CAUCTL_STATE", "CAUCTL_RUNTIME")}
    return {
        **os.environ,
        **own,
        "CAUCTL_CONFIG": str(folder / "clusters.toml"),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
    }


@pytest.fixture(scope="module")
def lab(environment: dict[str, str]) -> Iterator[None]:
    """The lab of the README, as a process of its own."""
    (command,) = [line for line in COMMANDS if line.startswith("cauctl lab")]
    process = subprocess.Popen(
        cauctl(*shlex.split(command)[1:]), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert "LAB-FC1 is up" in process.stderr.readline()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "offline" in out


def test_there_is_a_command_for_the_main_job_and_one_for_the_tests():
    """Both stand in the README whole, and the gate runs the second."""
    assert f"{SETUP} . && .venv/bin/cauctl demo" in CONSOLE
    assert f"{SETUP} '.[test]' && .venv/bin/pytest -n auto" in CONSOLE
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python3 -m venv .venv && .venv/bin/pip install" in gate
    assert "'.[test]'" in gate


def test_the_readme_is_short():
    """Under 120 lines."""
    assert len(README.splitlines()) < 120


@pytest.mark.usefixtures("lab")
def test_its_commands_run_in_order(environment: dict[str, str], tmp_path: Path):
    """Every command but the lab's own ends with exit code 0 and prints data."""
    for line in COMMANDS:
        if line.startswith("cauctl lab"):
            continue
        done = subprocess.run(
            cauctl(*shlex.split(line)[1:]),
            env=environment,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=180,
            check=False,
        )
        assert (line, 0) == (line, done.returncode), done.stderr
        assert "Traceback" not in done.stderr
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.usefixtures("lab")
def test_its_program_runs(environment: dict[str, str], tmp_path: Path):
    """The Python example does what it says."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=180,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith('<?xml version="1.0" encoding="utf-8"?>\n<Objects')
    assert (tmp_path / "run.html").is_file(), f"after {time.monotonic() - began:.0f} s"


def test_the_demo_leaves_its_files(environment: dict[str, str], tmp_path: Path):
    """``cauctl demo`` ends with 0, shows the ledger, and leaves four files in cauctl-demo/."""
    done = subprocess.run(
        cauctl("demo"), env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Succeeded" in done.stdout
    assert "offline" in done.stdout
    left = {path.name for path in (tmp_path / "cauctl-demo").iterdir() if path.is_file()}
    assert {"scan.xml", "run.xml", "report.html", "report.csv"} == left
