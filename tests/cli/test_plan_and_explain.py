"""``cauctl plan`` and ``cauctl explain`` on a lab and on saved files."""

from __future__ import annotations

import json

import pytest

from cauctl.cli.app import main
from cauctl.coordinator.plan_document import read_plan, write_plan
from cauctl.coordinator.planning import plan_from_scan
from cauctl.coordinator.settings import Purpose, RunSettings
from cauctl.lab.server import Lab
from cauctl.reports.store import ReportStore
from tests.trial import Trial, scenario


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A quick lab of two nodes."""
    monkeypatch.setenv("CAUCTL_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CAUCTL_RUNTIME", str(tmp_path / "runtime"))
    with Lab(nodes=2, seed=3, time_scale=6000) as started:
        yield started


def test_a_plan_is_printed_saved_and_compared(lab, tmp_path, capsys):
    assert main(["plan", lab.name, "--output", "json"]) == 0
    text = capsys.readouterr().out
    saved = tmp_path / "plan.json"
    saved.write_text(text, encoding="utf-8")
    assert [step.node for step in read_plan(text).steps] == ["NODE2", "NODE1"]
    assert lab.report().restarts == ()
    assert main(["plan", lab.name, "--node-order", "NODE1", "--against", str(saved), "--output", "json"]) == 0
    changes = json.loads(capsys.readouterr().out)
    assert {"what": "Order", "node": None, "before": "NODE2, NODE1", "after": "NODE1, NODE2"} in changes


def test_what_if_prints_the_plan_with_progress_beside_it(lab, capsys):
    assert main(["run", lab.name, "--what-if"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"Cluster {lab.name}: 2 nodes, MaxFailedNodes 0.")
    assert "scanning and staging" in printed.err


@pytest.fixture
def saved(tmp_path):
    """A saved plan."""
    trial = Trial(scenario(nodes=2))
    scanned = trial.run(purpose=Purpose.SCAN, max_retries_per_node=0)
    path = tmp_path / "saved.json"
    path.write_text(write_plan(plan_from_scan(trial.ports, scanned, RunSettings())), encoding="utf-8")
    return path


def test_two_saved_plans_are_compared_without_a_cluster(saved, capsys):
    assert main(["plan", "LAB-FC1", "--saved", str(saved), "--against", str(saved)]) == 0
    assert capsys.readouterr().out == "The plans say the same.\n"


def test_a_run_that_would_be_refused_is_told_by_the_exit_code(saved, tmp_path, capsys):
    document = json.loads(saved.read_text(encoding="utf-8"))
    document["obstacles"] = ["somebody else is at work."]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(document), encoding="utf-8")
    assert main(["plan", "LAB-FC1", "--saved", str(other)]) == 4
    assert "A run would be refused now: somebody else is at work." in capsys.readouterr().out


def test_a_damaged_plan_is_refused_with_its_place(saved, capsys):
    saved.write_text('{"version": 1, "cluster": 7}', encoding="utf-8")
    assert main(["plan", "LAB-FC1", "--saved", str(saved)]) == 2
    assert "expected str @ plan.cluster" in " ".join(capsys.readouterr().err.split())


# --- explain ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def journaled(tmp_path, monkeypatch):
    """The journal of a run at work, where a coordinator on this computer keeps it."""
    monkeypatch.setenv("CAUCTL_STATE", str(tmp_path))
    trial = Trial(scenario("install-fails:NODE2", nodes=2))
    trial.run(max_retries_per_node=0, max_failed_nodes=1)
    path = ReportStore().folder("LAB-FC1") / f"run-{trial.run_id}.jsonl"
    path.write_bytes(trial.journal.content)
    return path


@pytest.mark.usefixtures("journaled")
def test_a_node_is_explained(capsys):
    assert main(["explain", "lab-fc1", "node2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("NODE2 of LAB-FC1, run 00000000-")
    assert lines[1].startswith("First cause on NODE2 while Installing")


def test_a_journal_that_is_being_written_is_read_up_to_its_last_whole_line(journaled, capsys):
    journaled.write_bytes(journaled.read_bytes()[:-30])
    assert main(["explain", "LAB-FC1", "NODE1", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["node"] == "NODE1"


def test_without_a_journal_the_place_to_ask_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAUCTL_STATE", str(tmp_path))
    assert main(["explain", "LAB-FC1", "NODE1"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "no journal of a run of LAB-FC1 is on this computer." in told
    assert "cauctl status LAB-FC1" in told
