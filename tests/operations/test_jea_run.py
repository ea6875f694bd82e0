"""The main job on nodes that show nothing but the functions of our module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

import cmdlets as cau
from cauctl.lab.jea import jea_lock
from cauctl.lab.server import Lab
from cauctl.lab.world import standard_scenario
from cauctl.lab.world.standard import STANDARD_CATALOGUE
from cauctl.psrp.jea.export import export_endpoint

StartLab = Callable[..., Lab]
FEW = tuple(update for update in STANDARD_CATALOGUE if update.kb == "5991010")
"""One update, which needs a restart."""


def pass_the_main_job(lab: Lab) -> None:
    """Nobody is admitted to another endpoint of these nodes, so all of it goes through the functions."""
    offered = cau.invoke_cau_scan(lab.name)
    results = cau.invoke_cau_run(lab.name, max_failed_nodes=0, require_all_nodes_online=True, force=True)
    report = cau.get_cau_report(lab.name, last=True, detailed=True)[0]
    ledger = lab.report()
    assert {"NODE1", "NODE2"} == {update.node_name for update in offered}
    assert results
    assert "Succeeded" == report.cluster_result.status.value
    assert (1, ["NODE1", "NODE2"]) == (ledger.most_nodes_down, sorted(each.node for each in ledger.restarts))
    assert ((), {}) == (ledger.roles_restarted_under, ledger.paused_now)
    assert lab.world.cluster.roles.find("cauctl-lock") is None
    assert [[], []] == [machine.tasks.all() for machine in lab.world.machines.values()]


def test_a_cluster_is_scanned_updated_and_reported_without_language(start_lab: StartLab):
    pass_the_main_job(start_lab("JEA-FC2", nodes=2, seed=3, lock=jea_lock()))


@pytest.mark.nightly
@pytest.mark.pwsh
def test_the_exported_module_does_it_in_a_real_powershell(start_lab: StartLab, pwsh_path: str, tmp_path: Path):
    export_endpoint(tmp_path / "out")
    module = tmp_path / "out" / "CauctlNode" / "CauctlNode.psd1"
    scenario = evolve(standard_scenario("JEA-FC3", nodes=2), catalogue=FEW)
    pass_the_main_job(
        start_lab(scenario=scenario, seed=3, lock=jea_lock(module), engine="pwsh", pwsh=pwsh_path, time_scale=60.0)
    )
