"""The plan as a document, beside an earlier one, and beside what became of it."""

from __future__ import annotations

import json

import jsonschema
import pytest
from attrs import evolve

from cauctl.coordinator.journal import read_journal
from cauctl.coordinator.plan import Plan, PlanChange, changes
from cauctl.coordinator.plan_document import read_plan, write_plan
from cauctl.coordinator.planning import plan_from_scan
from cauctl.coordinator.results import Orchestrator, report
from cauctl.coordinator.settings import Purpose, RunSettings
from cauctl.coordinator.story import history_of
from cauctl.errors import ClusterError, InputError
from cauctl.models.nodes import NodeState
from cauctl.models.run import PlannedTurn
from cauctl.models.schemas import schema
from cauctl.policy.gates import Verdict
from cauctl.policy.quorum import Votes
from tests.trial import Failing, Trial, scenario

SCAN = {"purpose": Purpose.SCAN, "max_retries_per_node": 0}


def plan_of(trial: Trial, earlier=(), **options: object) -> Plan:
    """Scan, and make the plan of a run with these options."""
    return plan_from_scan(trial.ports, trial.run(**SCAN), RunSettings(**options), earlier)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of three nodes, one of them waiting for its quorum."""
    return plan_of(Trial(scenario("witness-offline", nodes=3, storage=True)))


# --- what refuses a run ----------------------------------------------------------------------------------------------


def test_another_coordinator_is_an_obstacle():
    plan = plan_of(Trial(scenario(nodes=2, foreign_run="NODE1")))
    assert len(plan.obstacles) == 1
    assert plan.obstacles[0].startswith("another coordinator updates the cluster: MSFT_CAURun")


def test_a_node_that_is_offline_is_an_obstacle_where_all_are_required():
    plain = scenario(nodes=2, roles=())
    nodes = (plain.nodes[0], evolve(plain.nodes[1], down=True))
    built = evolve(plain, nodes=nodes)
    assert plan_of(Trial(built)).obstacles == ()
    assert plan_of(Trial(built), require_all_nodes_online=True).obstacles == (
        f"RequireAllNodesOnline is asked for, and NODE2 is {NodeState.DOWN.value}.",
    )


def test_a_quorum_question_that_nobody_answers_is_no_pass():
    trial = Trial(scenario(nodes=3))
    silent = [ClusterError("nobody speaks for the cluster.", cluster="LAB-FC1")] * 3
    trial.ports = evolve(trial.ports, cluster=Failing(trial.ports.cluster, {"will_offline_lose_quorum": silent}))
    plan = plan_of(trial)
    assert {("Quorum", Verdict.WAIT, "the cluster could not be asked: nobody speaks for the cluster.")} == {
        (gate.name, gate.verdict, gate.reason) for step in plan.steps for gate in step.closed
    }


# --- as a document ---------------------------------------------------------------------------------------------------


def test_a_plan_comes_back_as_it_was(plan):
    assert plan == read_plan(write_plan(plan))


def test_the_document_is_what_the_schema_promises(plan):
    document = json.loads(write_plan(plan))
    jsonschema.validate(document, json.loads(schema("plan.schema.json")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "saved.json, line 1, column 2: is no JSON: Expecting property name enclosed in double quotes"),
        ("[]", "saved.json: is no plan of this version; expected an object whose version is 1."),
        ('{"version": 2}', "saved.json: is no plan of this version; expected an object whose version is 1."),
    ],
)
def test_what_is_no_plan_is_refused(text, told):
    with pytest.raises(InputError) as caught:
        read_plan(text, source="saved.json")
    assert told in caught.value.message


def test_all_faults_of_a_document_are_told_with_their_places(plan):
    document = json.loads(write_plan(plan))
    del document["cluster"]
    document["steps"][0]["votes"]["present"] = "two"
    document["steps"][1]["surprise"] = 1
    with pytest.raises(InputError) as caught:
        read_plan(json.dumps(document))
    for place in ("plan.cluster", "plan.steps[0].votes.present", "plan.steps[1]"):
        assert place in caught.value.message


# --- two plans -------------------------------------------------------------------------------------------------------


def test_a_plan_does_not_differ_from_itself(plan):
    assert () == changes(plan, plan)


def test_each_difference_is_told_with_before_and_after(plan):
    first, second, third = plan.steps
    later = evolve(
        plan,
        max_failed_nodes=2,
        steps=(
            evolve(second, updates=second.updates[1:], restart_expected=False),
            evolve(first, votes=Votes(1, total=4), gates=()),
            evolve(third, left_alone="it needs no update"),
        ),
    )
    nodes = [step.node for step in plan.steps]
    gates = "; ".join(f"{gate.name} ({gate.reason})" for gate in first.closed)
    expected = [
        PlanChange("Order", before=", ".join(nodes), after=", ".join((nodes[1], nodes[0], nodes[2]))),
        PlanChange("MaxFailedNodes", before=str(plan.max_failed_nodes), after="2"),
        PlanChange("Updates", node=second.node, before=second.updates[0].title, after=""),
        PlanChange("Restart", node=second.node, before="expected", after="not expected"),
        PlanChange("Votes", node=first.node, before=str(first.votes), after="1 of 4 votes, 3 needed"),
        *([PlanChange("Gates", node=first.node, before=gates, after="")] if gates else []),
        PlanChange("LeftAlone", node=third.node, before="", after="it needs no update"),
    ]
    assert expected == list(changes(plan, later))


def test_nodes_that_came_and_went_are_told(plan):
    later = evolve(plan, steps=(*plan.steps[:2], evolve(plan.steps[2], node="NODE9")))
    names = sorted(step.node for step in plan.steps)
    assert [
        PlanChange("Nodes", before=", ".join(names), after=", ".join(sorted(step.node for step in later.steps)))
    ] == list(changes(plan, later))


# --- plan and actual -------------------------------------------------------------------------------------------------


def test_the_journal_keeps_the_plan_as_the_order_was_decided():
    trial = Trial(scenario(nodes=3))
    plan = plan_of(Trial(scenario(nodes=3)))
    trial.run()
    history = history_of(read_journal(trial.journal.content).events)
    assert history.plan == tuple(
        PlannedTurn(step.node, updates=len(step.updates), restart_expected=step.restart_expected) for step in plan.steps
    )


def test_an_earlier_run_foretells_the_next_one():
    earlier = Trial(scenario(nodes=3))
    earlier.run()
    seen = report(earlier.state, Orchestrator())
    plan = plan_of(Trial(scenario(nodes=3), seed=2), earlier=[seen])
    assert all(step.predicted is not None for step in plan.steps)
    assert plan.predicted is not None
    took = seen.cluster_result.run_duration
    assert 0.5 * took < plan.predicted < 1.2 * took
    assert list(plan.lines())[-1].startswith("All in all about ")
