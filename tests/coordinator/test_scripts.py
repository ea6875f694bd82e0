"""Scripts of the user before and after a node's maintenance, and the firewall rules: on the lab's ground truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.events import StopReason
from cauctl.errors import FateUnknownError, NodeError, NodeUnreachableError
from cauctl.models.enums import SummaryStatus
from cauctl.models.nodes import NodeState
from cauctl.models.scripts import ScriptFile, ScriptOutcome
from tests.trial import Failing, Trial, scenario

BEFORE, AFTER = (ScriptFile(path, sha256="0" * 64) for path in ("before.ps1", "after.ps1"))
SUCCEEDED, FAILED, PARTIALLY = SummaryStatus.SUCCEEDED, SummaryStatus.FAILED, SummaryStatus.PARTIALLY_FAILED


def with_scripts(trial: Trial, scripts: object = None) -> dict[str, object]:
    """Arguments of a run that has both scripts."""
    ports = evolve(trial.ports, scripts=scripts or trial.memory.scripts)
    return {"ports": ports, "pre_script": BEFORE, "post_script": AFTER}


def times(outcomes: list[ScriptOutcome]) -> Callable[[str], ScriptOutcome]:
    """A script with these outcomes, and success after them."""
    return lambda _node: outcomes.pop(0) if outcomes else ScriptOutcome()


def test_one_runs_before_the_pause_and_one_after_the_resume():
    """CAU: the first before maintenance mode, the second just after it ends; once for each node."""
    trial = Trial(scenario(nodes=2))
    trial.run(**with_scripts(trial))
    assert SUCCEEDED is trial.result.status
    for node in ("NODE1", "NODE2"):
        first, second = (each for each in trial.memory.scripts.calls if each.node == node)
        assert ("before.ps1", "after.ps1") == (first.path, second.path)
        assert (NodeState.UP, NodeState.UP) == (first.state, second.state)
        assert first.at <= trial.state.nodes[node].record.suspended <= second.at


def test_a_node_without_updates_meets_no_script():
    trial = Trial(evolve(scenario(nodes=2), catalogue=()))
    trial.run(**with_scripts(trial))
    assert [] == trial.memory.scripts.calls


def test_a_node_whose_first_script_fails_is_not_updated():
    """PreUpdateScript: when it fails, the node is not updated; the whole process is tried again first."""
    trial = Trial(scenario(nodes=3))
    trial.memory.scripts.does["before.ps1"] = lambda node: ScriptOutcome("no backup" if node == "NODE2" else None)
    trial.run(max_failed_nodes=1, max_retries_per_node=1, **with_scripts(trial))
    assert {"NODE1": SUCCEEDED, "NODE2": FAILED, "NODE3": SUCCEEDED} == trial.statuses
    assert {"NODE2": ["PreUpdateScriptFailed"] * 2} == trial.causes
    assert "NODE2" not in trial.suspended
    problem = trial.state.first_cause.problem
    assert "The pre-update script on NODE2 failed: no backup The node was not updated." == problem.message
    assert "The pre-update script failed: no backup." in [each.text for each in trial.story.history().timeline]


def test_a_last_script_that_fails_is_tried_again_alone_and_then_named():
    trial = Trial(scenario(nodes=2))
    trial.memory.scripts.does["after.ps1"] = lambda node: ScriptOutcome("no" if node == "NODE1" else None)
    trial.run(max_failed_nodes=1, max_retries_per_node=2, **with_scripts(trial))
    assert (PARTIALLY, SUCCEEDED) == (trial.statuses["NODE1"], trial.statuses["NODE2"])
    assert 1 == trial.suspended.count("NODE1")
    assert 3 == [(each.node, each.path) for each in trial.memory.scripts.calls].count(("NODE1", "after.ps1"))


def test_a_last_script_that_fails_once_costs_no_more():
    trial = Trial(scenario(nodes=2))
    trial.memory.scripts.does["after.ps1"] = times([ScriptOutcome("no")])
    trial.run(**with_scripts(trial))
    assert SUCCEEDED is trial.result.status
    assert ["PostUpdateScriptFailed"] == [
        each.error_id for node in trial.state.nodes.values() for each in node.record.transient
    ]


def test_the_last_script_runs_after_a_turn_that_was_undone_too():
    """What the first script has switched off wants to be on again, also where the node could not be drained."""
    trial = Trial(scenario("drain-fails:NODE2", nodes=3))
    trial.run(max_failed_nodes=1, max_retries_per_node=0, **with_scripts(trial))
    assert ["before.ps1", "after.ps1"] == [each.path for each in trial.memory.scripts.calls if each.node == "NODE2"]
    assert ["DrainFailed"] == trial.causes["NODE2"]


def test_what_a_script_writes_stands_in_the_history():
    trial = Trial(scenario(nodes=2))
    wrote = ScriptOutcome(output=("copied 3 files",), errors=("disk is slow", "really"))
    trial.memory.scripts.does["before.ps1"] = lambda node: wrote if node == "NODE1" else ScriptOutcome()
    trial.run(**with_scripts(trial))
    told = [each.text for each in trial.story.history().timeline if each.node_name == "NODE1"]
    assert "The pre-update script wrote: copied 3 files" in told
    assert "The pre-update script complained: really" in told
    notes = trial.story.history().node("NODE1").notes
    assert "The pre-update script wrote: disk is slow (and 1 more)" in notes


def test_a_script_that_may_have_run_is_not_run_twice_in_one_attempt():
    trial = Trial(scenario(nodes=2))
    lost = Failing(trial.memory.scripts, {"run": [FateUnknownError("broke.", node="NODE2")]})
    trial.run(max_retries_per_node=0, max_failed_nodes=1, **with_scripts(trial, lost))
    (causes,) = trial.causes.values()
    assert ["PreUpdateScriptFailed"] == causes
    assert "it may have run" in trial.state.first_cause.problem.message


def test_a_script_that_was_not_sent_is_sent_later():
    trial = Trial(scenario(nodes=2))
    late = Failing(trial.memory.scripts, {"run": [NodeUnreachableError("nobody.", node="NODE2", address="x")] * 2})
    trial.run(**with_scripts(trial, late))
    assert SUCCEEDED is trial.result.status
    assert all(1 == node.attempt for node in trial.state.nodes.values())


def test_the_time_of_scripts_counts_for_stop_after():
    """StopAfter: scripts count. The node whose script outlasts it is not begun."""
    trial = Trial(scenario(nodes=2))

    def slow(_node: str) -> ScriptOutcome:
        trial.world.advance(trial.world.now + timedelta(hours=2))
        return ScriptOutcome()

    trial.memory.scripts.does["before.ps1"] = slow
    trial.run(stop_after=timedelta(hours=1), **with_scripts(trial))
    assert StopReason.STOP_AFTER is trial.state.stopping
    assert [] == trial.suspended
    assert {SummaryStatus.CANCELED} == set(trial.statuses.values())


# --- the firewall ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [False, True])
def test_firewall_rules_are_switched_on_where_that_was_asked_for(*, asked: bool):
    """EnableFirewallRules: the group Remote Shutdown, on every node where it is off."""
    trial = Trial(scenario(nodes=2))
    trial.run(enable_firewall=asked)
    assert {asked} == {bool(machine.firewall) for machine in trial.world.machines.values()}
    noted = [note for node in trial.state.nodes.values() for note in node.record.notes if "switched on" in note]
    assert 2 * asked == len(noted)


def test_rules_that_stay_off_are_said_and_cost_nothing():
    """Our restart does not need them: Group Policy may forbid them."""
    trial = Trial(scenario(nodes=2))
    node = Failing(trial.memory.node, {"allow_remote_restart": [NodeError("forbidden.", node="NODE1")]})
    trial.run(ports=evolve(trial.ports, node=node), enable_firewall=True)
    assert SUCCEEDED is trial.result.status
    assert any("could not be switched on: forbidden." in note for note in trial.state.nodes["NODE1"].record.notes)
