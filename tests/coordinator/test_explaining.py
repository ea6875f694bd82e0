"""Where a node stands, told from a journal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cauctl.coordinator
import cauctl.policy
from cauctl.coordinator.explaining import WAIT_ADVICE, explain
from cauctl.coordinator.journal import read_journal
from cauctl.coordinator.results import first_cause
from cauctl.errors import InputError
from cauctl.models.hresult import Remedy
from tests.trial import Trial, scenario


def events_of(trial: Trial):
    """The events of the trial's journal."""
    return read_journal(trial.journal.content).events


@pytest.fixture(scope="module")
def failed() -> Trial:
    """A run in which an installation failed on one node."""
    trial = Trial(scenario("install-fails:NODE2,hresult=0x80070643", nodes=3))
    trial.run(max_retries_per_node=0, max_failed_nodes=2)
    return trial


def test_the_first_failure_of_the_run_comes_first(failed):
    told = explain(events_of(failed), "NODE1")
    assert first_cause(failed.state) == told.first_cause
    lines = list(told.lines())
    assert lines[1].startswith("First cause on NODE2 while Installing")
    assert lines[2].startswith("Now: done: Succeeded")


def test_codes_are_named_with_advice(failed):
    told = explain(events_of(failed), "node2")
    assert [Remedy.INSPECT.value] == list(told.advice)
    assert told.failed_updates
    assert all("0x80070643 ERROR_INSTALL_FAILURE: the installer failed." in each for each in told.failed_updates)


def test_a_node_without_trouble_needs_nothing():
    trial = Trial(scenario(nodes=2))
    trial.run()
    told = explain(events_of(trial), "NODE1")
    assert ("Nothing: the run ended Succeeded.",) == told.advice
    assert told.first_cause is None
    assert told.waiting is None
    assert told.run_over


def test_what_happened_is_the_nodes_and_the_runs_only(failed):
    told = explain(events_of(failed), "NODE1")
    assert {each.node_name for each in told.before} == {None, "NODE1"}
    assert [each.timestamp for each in told.before] == sorted(each.timestamp for each in told.before)


def test_a_run_at_work_tells_what_it_waits_for():
    """The journal is cut where the node waits; what is said is true of that moment."""
    trial = Trial(scenario("witness-offline", nodes=2))
    trial.run(node_order=("NODE1",))
    events = events_of(trial)
    told = next(
        found
        for count in range(10, len(events))
        if (found := explain(events[:count], "NODE1")).waiting and found.waiting.startswith("Quorum for 1")
    )
    assert re.match(r"Quorum for \d+ .+ \(at most 30 min, \d+ .+ left\): without NODE1 the cluster has", told.waiting)
    assert WAIT_ADVICE["Quorum"] == told.advice[-1]
    assert not told.run_over


def test_a_run_whose_coordinator_is_gone_says_so_before_all_else(failed):
    events = events_of(failed)
    told = explain(events[:30], "NODE1", coordinator_gone=True)
    assert "Its coordinator is gone; what follows is the last that it wrote." in told.lines()
    assert "cauctl recover" in told.advice[0]
    assert not any(line.startswith("Now: ") for line in told.lines())
    assert not explain(events, "NODE1", coordinator_gone=True).coordinator_gone  # it ended, and left then


def test_a_node_that_the_run_has_not_is_refused_with_those_it_has(failed):
    with pytest.raises(InputError, match="expected one of its nodes: NODE1, NODE2, NODE3"):
        explain(events_of(failed), "NODE7")


def test_every_wait_has_advice():
    """Each name that a wait, a gate or a missing proof can have, as it stands in the rules."""
    names = set()
    pattern = re.compile(r'(?:wait_for\(\s*[\w.]+,\s*|Gate\(|Lacking\()"(\w+)"')
    for package in (cauctl.coordinator, cauctl.policy):
        for path in Path(package.__path__[0]).glob("*.py"):
            names |= set(pattern.findall(path.read_text(encoding="utf-8")))
    assert {"Quorum", "Restart", "Services"} <= names
    assert set() == names - set(WAIT_ADVICE)
