"""Bad input and bad days: one clear error, never a traceback, every node resumed or named, the first cause kept.

Each runs the command line against a real lab over PowerShell remoting, in this process; what happened is asserted on
the lab's ledger, the exit code, the messages and the report.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

import cmdlets as cau
from cauctl.cli.app import main
from cauctl.errors import AuthenticationError, TlsError
from cauctl.lab.server import Lab
from cauctl.lab.world import standard_scenario
from cauctl.models.credential import PSCredential
from cauctl.models.report import CauReport
from cauctl.psrp.connection import NodeConnection

StartLab = Callable[..., Lab]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    capsys.readouterr()
    code = main(arguments)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def last_report(name: str) -> CauReport:
    (report,) = cau.get_cau_report(name, last=True, detailed=True)
    return report


def statuses(report: CauReport) -> dict[str, str]:
    return {each.node.node_name: str(each.status) for each in report.cluster_result.node_results}


def assert_unharmed(lab: Lab, *, left: tuple[str, ...] = ()) -> None:
    """Nobody restarted under a role, no two nodes down at once, nothing left paused by the run but what is named."""
    found = lab.report()
    assert () == found.roles_restarted_under
    assert found.most_nodes_down <= 1
    assert 0 == found.quorum_losses
    assert 0 == found.storage_losses
    assert set(left) >= set(found.paused_now)


def connections(lab: Lab, **changes: Any) -> list[NodeConnection]:
    record = lab.record
    return [
        NodeConnection(
            each.name,
            **{
                "address": each.address,
                "port": each.port,
                "authentication": "basic",
                "credential": PSCredential(record.user_name, record.password),
                "ca_file": record.ca_file,
                "certificate_name": each.name,
                **changes,
            },
        )
        for each in record.nodes
    ]


# --- before anything is touched --------------------------------------------------------------------------------------


def test_an_unknown_cluster(capsys: pytest.CaptureFixture[str]):
    """Exit code 2, and the message says what to give."""
    code, out, err = call(capsys, "scan", "NOWHERE")
    assert (2, "") == (code, out)
    assert "NOWHERE" in err
    assert "clusters.toml" in err


def test_a_node_that_nobody_reaches(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Exit code 1 and the address that was tried."""
    monkeypatch.setenv("CAUCTL_PASSWORD", "secret-in-the-environment")
    options = ("--entry-node", "127.0.0.1", "--port", "9", "--username", "admin", "--authentication", "ntlm")
    code, out, err = call(capsys, "status", "C1", *options)
    assert (1, "") == (code, out)
    assert "127.0.0.1" in err
    assert "secret-in-the-environment" not in err


def test_a_wrong_password_is_tried_once(start_lab: StartLab):
    """AuthenticationError at once: repeated attempts would lock the account."""
    lab = start_lab(nodes=2)
    with pytest.raises(AuthenticationError) as caught:
        cau.invoke_cau_scan(lab.name, credential=PSCredential("admin", "wrong-password"))
    assert "wrong-password" not in str(caught.value)


def test_a_certificate_that_is_not_trusted(start_lab: StartLab):
    """TlsError at once; nothing is asked of such a node."""
    lab = start_lab(nodes=2)
    with pytest.raises(TlsError, match="certificate"):
        cau.invoke_cau_scan(lab.name, connection=connections(lab, ca_file=None))


def test_a_node_of_another_cluster_is_refused(start_lab: StartLab):
    """The cluster that was asked for is not the one that the node belongs to: nothing is done."""
    lab = start_lab(nodes=2)
    with pytest.raises(cau.CauError, match="T-FC1"):
        cau.invoke_cau_run("PRODUCTION-FC9", connection=connections(lab), force=True)
    assert () == lab.report().pauses


def test_a_run_needs_force_or_a_terminal(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    lab = start_lab(nodes=2)
    code, _, err = call(capsys, "run", lab.name)
    assert 2 == code
    assert "--force" in err
    assert () == lab.report().pauses


def test_what_if_touches_nothing(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Order, reasons, updates and votes are printed; the world does not change."""
    lab = start_lab(nodes=3)
    code, out, _ = call(capsys, "run", lab.name, "--what-if")
    assert 0 == code
    assert all(name in out for name in lab.endpoints)
    assert ((), (), ()) == (lab.report().pauses, lab.report().installations, lab.report().restarts)


# --- faults of the world ---------------------------------------------------------------------------------------------


def test_a_run_without_faults(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Every node Succeeded, exit code 0, nothing offline that had to be online."""
    lab = start_lab(nodes=4)
    code, out, _ = call(capsys, "run", lab.name, "--force", "--output", "json")
    report = last_report(lab.name)
    assert 0 == code, report
    assert {"Succeeded"} == set(statuses(report).values())
    assert "Succeeded" == json.loads(out)[0]["Status"]
    assert_unharmed(lab)
    code, out, _ = call(capsys, "scan", lab.name, "--output", "json")
    assert (0, []) == (code, json.loads(out))


def test_a_drain_that_fails(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """The node is resumed and Failed, the others go on, the drain is the first cause."""
    lab = start_lab(nodes=4, faults=("drain-fails:NODE2",))
    code, _, _ = call(capsys, "run", lab.name, "--force", "--max-failed-nodes", "2", "--max-retries-per-node", "1")
    report = last_report(lab.name)
    assert 3 == code
    assert {"NODE2": "Failed"} == {name: each for name, each in statuses(report).items() if each != "Succeeded"}
    assert report.first_cause is not None
    assert "NODE2" == report.first_cause.node_name
    assert_unharmed(lab)


def test_a_restart_that_never_comes_back(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Exit code 5; message, report and the next status name the node."""
    lab = start_lab(nodes=4, faults=("restart-hangs:NODE3",))
    code, _, err = call(capsys, "run", lab.name, "--force", "--max-retries-per-node", "0")
    report = last_report(lab.name)
    assert 5 == code
    assert "NODE3" in err
    assert "recover" in err
    assert "PartiallyFailed" == statuses(report)["NODE3"], "its updates were installed, and it was lost"
    assert report.first_cause is not None
    assert "NODE3" == report.first_cause.node_name
    assert_unharmed(lab, left=("NODE3",))


def test_a_scan_that_returns_an_hresult(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """The other nodes are listed; the code and its meaning are told; exit code 3."""
    lab = start_lab(nodes=3, faults=("scan-error:NODE1,hresult=0x8024402C",))
    code, out, err = call(capsys, "scan", lab.name, "--output", "json")
    assert 3 == code
    assert {"NODE2", "NODE3"} == {each["NodeName"] for each in json.loads(out)}
    assert "0x8024402C" in err
    assert "NODE1" in err


def test_a_connection_cut_in_the_middle_of_an_installation(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """The agent goes on without us, and so does the run: nothing is lost, nothing is installed twice."""
    lab = start_lab(nodes=3, faults=("connection-cut:NODE2",))
    code, _, _ = call(capsys, "run", lab.name, "--force")
    assert 0 == code, last_report(lab.name)
    installed = [each.update_id for each in lab.report().installations if each.node == "NODE2" and not each.hresult]
    assert len(installed) == len(set(installed))
    assert_unharmed(lab)


def test_an_installation_that_fails(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """The update is Failed with its HRESULT, the node is resumed."""
    lab = start_lab(nodes=3, faults=("install-fails:NODE1",))
    code, _, _ = call(capsys, "run", lab.name, "--force", "--max-failed-nodes", "2", "--max-retries-per-node", "0")
    report = last_report(lab.name)
    assert 3 == code
    (node,) = [each for each in report.cluster_result.node_results if each.node.node_name == "NODE1"]
    assert 0x80070643 in {each.error_code & 0xFFFFFFFF for each in node.install_results}
    assert_unharmed(lab)


def test_an_update_that_rolls_back_is_a_loop(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """The same update offered again after it succeeded fails the node; it is not installed for ever."""
    lab = start_lab(nodes=3, faults=("update-rolls-back:NODE1",))
    code, _, _ = call(capsys, "run", lab.name, "--force", "--max-failed-nodes", "2", "--max-retries-per-node", "0")
    report = last_report(lab.name)
    assert 3 == code
    assert report.first_cause is not None
    assert "NODE1" == report.first_cause.node_name
    tries = [each.update_id for each in lab.report().installations if each.node == "NODE1"]
    assert max(map(tries.count, tries)) <= 2
    assert_unharmed(lab)


def test_storage_that_stays_degraded_stops_the_run(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """No second node goes down while data is on one leg; the wait has a limit and a name."""
    lab = start_lab(nodes=4, faults=("storage-stays-degraded:*",), time_scale=6000.0)
    code, _, _ = call(capsys, "run", lab.name, "--force", "--max-retries-per-node", "0")
    report = last_report(lab.name)
    assert code in {1, 3}
    assert 1 == len({each.node for each in lab.report().restarts})
    assert report.first_cause is not None
    assert "torage" in report.first_cause.error.message
    assert_unharmed(lab)


def test_a_witness_that_is_offline(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """Four votes without a witness: no step may leave the cluster without a majority."""
    lab = start_lab(nodes=4, faults=("witness-offline",))
    call(capsys, "run", lab.name, "--force")
    margin = lab.report().least_vote_margin
    assert margin is None or margin >= 0
    assert_unharmed(lab)


def test_a_node_that_is_switched_off(start_lab: StartLab, capsys: pytest.CaptureFixture[str]):
    """RequireAllNodesOnline refuses before anything is touched, and names the node."""
    scenario = standard_scenario("T-FC1", nodes=4)
    nodes = (*scenario.nodes[:-1], evolve(scenario.nodes[-1], down=True))
    lab = start_lab(scenario=evolve(scenario, nodes=nodes))
    code, _, err = call(capsys, "run", lab.name, "--force", "--require-all-nodes-online")
    assert 1 == code
    assert "NODE4" in err
    assert () == lab.report().pauses
