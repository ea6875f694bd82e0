"""The gates before a node is taken out of service."""

from __future__ import annotations

import pytest

from cauctl.models.nodes import GroupState, NodeState
from cauctl.policy.gates import (
    Gate,
    Verdict,
    health,
    node_is_up,
    quorum,
    roles_at_rest,
    storage_at_rest,
    storage_of_others,
    strictest,
)
from cauctl.policy.storage import StorageReport, StorageState
from tests.policy.facts import DOWN, PAUSED, cluster, group, node

AT_REST = StorageReport(StorageState.AT_REST)
BUSY = StorageReport(StorageState.BUSY, reason="a job runs")
DANGER = StorageReport(StorageState.IN_DANGER, reason="detached")


def waits(name: str, reason: str) -> Gate:
    return Gate(name, verdict=Verdict.WAIT, reason=reason)


def test_quorum_needs_both_our_arithmetic_and_the_clusters_word():
    enough, scarce = cluster(node("N1"), node("N2"), witness=1), cluster(node("N1"), node("N2", dynamic_weight=0))
    assert quorum(enough, "N1", loses_quorum=False) == Gate(
        "Quorum", reason="without N1 the cluster has 2 of 3 votes, 2 needed"
    )
    assert quorum(enough, "N1", loses_quorum=True) == waits("Quorum", "the cluster says it loses quorum without N1")
    assert quorum(scarce, "N1", loses_quorum=False) == waits(
        "Quorum", "without N1 the cluster has 0 of 1 votes, 1 needed"
    )


def test_health_waits_for_other_fault_domains():
    facts = cluster(node("N1"), node("N2", DOWN), node("N3", status_information=("Quarantined",)))
    assert health(facts, "N1") == waits("Health", "N2 is Down; N3 is Quarantined")
    assert health(cluster(node("N1"), node("N2")), "N1") == Gate("Health")


def test_roles_on_their_way_are_waited_for():
    facts = cluster(node("N1"), groups=(group("VM1", "N1", GroupState.PENDING), group("VM2", "N1")))
    assert roles_at_rest(facts) == waits("RolesPending", "pending: VM1")


@pytest.mark.parametrize(
    ("report", "believed", "verdict"),
    [
        (AT_REST, True, Verdict.PASS),
        (AT_REST, False, Verdict.WAIT),
        (BUSY, True, Verdict.WAIT),
        (DANGER, True, Verdict.STOP),
    ],
)
def test_storage_at_rest(report, believed, verdict):
    assert verdict is storage_at_rest(report, believed=believed, missing="healthy in 1 of 3 looks").verdict


@pytest.mark.parametrize(
    ("report", "settled", "verdict"),
    [
        (AT_REST, True, Verdict.PASS),
        (AT_REST, False, Verdict.WAIT),
        (BUSY, True, Verdict.WAIT),
        (DANGER, True, Verdict.WAIT),
    ],
)
def test_storage_of_others(report, settled, verdict):
    """While the node is drained nothing stops the run: it must be brought back first."""
    assert verdict is storage_of_others(report, settled=settled).verdict


@pytest.mark.parametrize(
    ("state", "flags", "reason"),
    [
        (NodeState.UP, (), None),
        (PAUSED, (), "N1 is Paused"),
        (NodeState.UP, ("Isolated",), "N1 is Up, Isolated"),
    ],
)
def test_the_node_itself_must_be_up(state, flags, reason):
    expected = Gate("NodeUp") if reason is None else waits("NodeUp", reason)
    assert expected == node_is_up(cluster(node("N1", state, status_information=flags)), "N1")


def test_a_gate_that_stops_comes_before_one_that_waits():
    stop, wait, fine = Gate("B", verdict=Verdict.STOP), Gate("A", verdict=Verdict.WAIT), Gate("C")
    assert strictest([fine, wait, stop]) is stop
    assert strictest([fine, wait]) is wait
    assert strictest([fine]) is None
