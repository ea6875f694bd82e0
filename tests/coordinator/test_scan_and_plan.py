"""Looking without touching: the scan of all nodes, and the plan of a run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.output import OutputStream
from cauctl.coordinator.planning import plan_from_scan
from cauctl.coordinator.settings import Purpose, RunSettings
from cauctl.coordinator.state import RefusalKind, RunPhase
from cauctl.errors import NodeUnreachableError
from cauctl.models.updates import UpdateInfo
from cauctl.policy.gates import Verdict
from cauctl.policy.quorum import Votes
from tests.trial import Failing, Trial, scenario

SCAN = {"purpose": Purpose.SCAN, "max_retries_per_node": 0}


def test_a_scan_finds_what_applies_and_touches_nothing():
    trial = Trial(scenario(nodes=3))
    trial.run(**SCAN)
    assert {each.node_name for each in trial.outputs} == {"NODE1", "NODE2", "NODE3"}
    assert {type(each) for each in trial.outputs} == {UpdateInfo}
    assert trial.memory.cluster.read_lock() is None
    assert trial.suspended == []
    assert trial.world.ledger.installations == []
    assert [trial.left_on(node) for node in trial.world.machines] == [0, 0, 0]
    assert trial.state.phase is RunPhase.ENDED


def test_all_nodes_scan_at_once():
    trial = Trial(scenario(nodes=8))
    trial.run(**SCAN)
    assert trial.world.now - trial.world.scenario.begins < timedelta(minutes=1)


def test_the_results_of_a_node_come_when_it_is_done():
    trial = Trial(scenario(nodes=4))
    seen: list[tuple[str, timedelta]] = []
    stream = OutputStream(lambda each: seen.append((each.node_name, trial.world.now)))
    trial.run(on_event=stream.on_event, **SCAN)
    assert len({at for _, at in seen}) > 1
    assert all(len({at for node, at in seen if node == name}) == 1 for name, _ in seen)


def test_nodes_that_are_paused_are_scanned_and_nodes_that_are_down_are_named():
    plain = scenario(nodes=3, roles=())
    nodes = (plain.nodes[0], evolve(plain.nodes[1], paused=True), evolve(plain.nodes[2], down=True))
    trial = Trial(evolve(plain, nodes=nodes))
    trial.run(**SCAN)
    assert {each.node_name for each in trial.outputs} == {"NODE1", "NODE2"}
    assert trial.causes == {"NODE3": ["NodeNotOnline"]}


def test_one_nodes_failure_does_not_cost_the_others():
    trial = Trial(scenario("scan-error:NODE2", nodes=3))
    trial.run(**SCAN)
    assert trial.causes == {"NODE2": ["ScanFailed"]}
    assert {each.node_name for each in trial.outputs} == {"NODE1", "NODE3"}


def test_a_scan_runs_beside_a_run():
    """It touches nothing, so no lock holds it up."""
    trial = Trial(scenario(nodes=2, foreign_run="NODE1"))
    trial.run(**SCAN)
    assert trial.state.refusal is None
    assert trial.outputs


def test_a_scan_of_another_cluster_is_refused():
    trial = Trial(scenario(nodes=2))
    trial.world.cluster.name = "OTHER"
    trial.run(**SCAN)
    assert trial.state.refusal.kind is RefusalKind.CLUSTER


# --- the plan --------------------------------------------------------------------------------------------------------


def plan_of(trial: Trial, **options: object):
    """Scan, and make the plan of a run with these options."""
    scanned = trial.run(**SCAN)
    return plan_from_scan(trial.ports, scanned, RunSettings(**options))


def test_the_plan_is_what_the_run_does():
    built = scenario(nodes=4, storage=True)
    plan = plan_of(Trial(built))
    trial = Trial(built)
    trial.run()
    assert [step.node for step in plan.steps] == list(trial.state.order)
    assert plan.max_failed_nodes == trial.state.max_failed_nodes
    for step in plan.steps:
        installed = trial.state.nodes[step.node].record.installed
        assert {update.key for update in step.updates} <= set(installed)


def test_the_plan_says_why_and_what_would_be_waited_for():
    trial = Trial(scenario("witness-offline", nodes=2, storage=True))
    plan = plan_of(trial, node_order=("NODE1",))
    first, second = plan.steps
    assert (first.node, first.reason) == ("NODE1", "place 1 in NodeOrder")
    assert first.votes == Votes(0, total=1)
    assert [gate.name for gate in first.gates if gate.verdict is Verdict.WAIT] == ["Quorum"]
    assert second.votes == Votes(1, total=1)
    lines = list(plan.lines())
    assert lines[0] == "Cluster LAB-FC1: 2 nodes, MaxFailedNodes 0."
    assert lines[1].startswith("1. NODE1 (place 1 in NodeOrder): ")
    assert any("now waits for Quorum" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"paused": True}, "NODE2 was paused by somebody else; it was left alone and stays paused."),
        ({"down": True}, "NODE2 is Down"),
    ],
)
def test_the_plan_names_nodes_that_would_be_left_alone(change, told):
    plain = scenario(nodes=2, roles=())
    trial = Trial(evolve(plain, nodes=(plain.nodes[0], evolve(plain.nodes[1], **change))))
    plan = plan_of(trial)
    assert [step.left_alone for step in plan.steps if step.node == "NODE2"] == [told]


def test_a_node_without_updates_is_left_alone():
    plan = plan_of(Trial(scenario(nodes=2, catalogue=())))
    assert [step.left_alone for step in plan.steps] == ["it needs no update"] * 2


def test_a_node_that_could_not_be_scanned_is_left_alone_with_the_reason():
    trial = Trial(scenario(nodes=2))
    silence = [NodeUnreachableError("nobody answers.", node="NODE1") for _ in range(500)]
    agent = Failing(trial.memory.agent, {"begin": silence})
    scanned = trial.run(ports=evolve(trial.ports, agent=agent), **SCAN)
    plan = plan_from_scan(trial.ports, scanned, RunSettings())
    assert [step.left_alone for step in plan.steps if step.node == "NODE1"] == ["NODE1: nobody answers."]
