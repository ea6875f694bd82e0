"""The main job on nodes that show nothing but the functions of our module."""

from __future__ import annotations

from collections.abc import Callable

import cmdlets as cau
from cauctl.lab.jea import jea_lock
from cauctl.lab.server import Lab

StartLab = Callable[..., Lab]


def test_a_cluster_is_scanned_updated_and_reported_without_language(start_lab: StartLab):
    """Nobody is admitted to another endpoint of these nodes, so all of it went through the functions."""
    lab = start_lab("JEA-FC2", nodes=2, seed=3, lock=jea_lock(), time_scale=3000.0)
    offered = cau.invoke_cau_scan(lab.name)
    results = cau.invoke_cau_run(lab.name, max_failed_nodes=0, require_all_nodes_online=True, force=True)
    report = cau.get_cau_report(lab.name, last=True, detailed=True)[0]
    ledger = lab.report()
    assert {"NODE1", "NODE2"} == {update.node_name for update in offered}
    assert results
    assert "Succeeded" == report.cluster_result.status.value
    assert (1, ["NODE1", "NODE2"]) == (ledger.most_nodes_down, sorted(each.node for each in ledger.restarts))
    assert () == ledger.roles_restarted_under
    assert [] == list(cau.invoke_cau_scan(lab.name))
    assert lab.world.cluster.roles.find("cauctl-lock") is None
    assert [[], []] == [machine.tasks.all() for machine in lab.world.machines.values()]
