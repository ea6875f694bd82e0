"""The main job on nodes that are real PowerShell: scan, update node by node, report; the agent's script really runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from test_jea_run import FEW

import cmdlets as cau
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
    """One node needs an update and a restart, the other one nothing."""
    usual = standard_scenario("PWSH-FC1", nodes=2)
    first, second = usual.nodes
    scenario = evolve(usual, catalogue=FEW, nodes=(first, evolve(second, products=frozenset())))
    lab = start_lab(scenario=scenario, seed=3, engine="pwsh", pwsh=pwsh_path, time_scale=150.0)
    offered = cau.invoke_cau_scan(lab.name)
    cau.invoke_cau_run(lab.name, max_failed_nodes=0, require_all_nodes_online=True, force=True)
    report = cau.get_cau_report(lab.name, last=True, detailed=True)[0]
    ledger = lab.report()
    (update,) = FEW
    assert [(first.name, update.title)] == [(each.node_name, each.update_title) for each in offered]
    assert "Succeeded" == report.cluster_result.status.value
    assert (1, [first.name]) == (ledger.most_nodes_down, [each.node for each in ledger.restarts])
    assert ((), {}) == (ledger.roles_restarted_under, ledger.paused_now)
    assert update.update_id in lab.world.machine(first.name).updates.history


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
