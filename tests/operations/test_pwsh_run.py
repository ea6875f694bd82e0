"""The main job on nodes that are real PowerShell: scan, update node by node, report; the agent's script really runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from test_jea_run import FEW, pass_the_main_job

from cauctl.lab.server import Lab
from cauctl.lab.world import standard_scenario

StartLab = Callable[..., Lab]

pytestmark = pytest.mark.pwsh

PROMISES = (
    "Most nodes down at once   1",
    "Roles restarted under     none",
    "Storage put at risk       never",
    "Nodes still paused        none",
)
"""What the ledger of a run says whichever engine the lab has."""


def test_a_cluster_of_real_powershell_is_scanned_updated_and_reported(start_lab: StartLab, pwsh_path: str):
    scenario = evolve(standard_scenario("PWSH-FC1", nodes=2), catalogue=FEW)
    lab = start_lab(scenario=scenario, seed=3, engine="pwsh", pwsh=pwsh_path, time_scale=300.0)
    pass_the_main_job(lab)
    (update,) = FEW
    assert all(update.update_id in machine.updates.history for machine in lab.world.machines.values())


@pytest.mark.nightly
@pytest.mark.parametrize("engine", ["python", "pwsh"])
def test_the_demo_keeps_its_promises_with_both_engines(engine: str, pwsh_path: str, tmp_path: Path):
    """The whole catalogue on three nodes, from the command line: the same exit code, the same promises."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "cauctl",
            "demo",
            "--nodes",
            "3",
            "--engine",
            engine,
            "--pwsh",
            pwsh_path,
            "--path",
            "demo",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert (0, []) == (done.returncode, [promise for promise in PROMISES if promise not in done.stdout])
    assert {"scan.xml", "run.xml", "report.html", "report.csv"} <= {path.name for path in (tmp_path / "demo").iterdir()}
