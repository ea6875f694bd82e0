"""What may be out of service at once."""

from __future__ import annotations

import pytest

from cauctl.models.nodes import NodeState
from cauctl.policy.budget import default_max_failed_nodes, domain, in_the_way, out_of_service
from tests.policy.facts import DOWN, PAUSED, UP, cluster, node


@pytest.mark.parametrize(("nodes", "allowed"), [(1, 0), (2, 0), (3, 0), (4, 0), (6, 1), (8, 1), (9, 2), (16, 4)])
def test_default_of_max_failed_nodes(nodes, allowed):
    """About a third of the nodes; the formula is the one place where ours is written down."""
    assert default_max_failed_nodes(nodes) == allowed


@pytest.mark.parametrize(
    ("state", "flags", "reason"),
    [
        (UP, (), None),
        (PAUSED, ("DrainCompleted",), None),
        (DOWN, (), "N1 is Down"),
        (NodeState.JOINING, (), "N1 is Joining"),
        (NodeState.UNKNOWN, (), "N1 is Unknown"),
        (UP, ("Isolated",), "N1 is Isolated"),
        (UP, ("Quarantined",), "N1 is Quarantined"),
    ],
)
def test_what_out_of_service_means(state, flags, reason):
    assert reason == out_of_service(node("N1", state, status_information=flags))


def test_a_node_that_is_down_is_in_everybodys_way():
    facts = cluster(node("N1"), node("N2", DOWN), node("N3"))
    assert in_the_way(facts, "N1") == ("N2 is Down",)
    assert in_the_way(facts, "N2") == ()


def test_a_node_of_the_same_fault_domain_is_not_in_the_way():
    facts = cluster(node("N1", fault_domain="A"), node("N2", DOWN, fault_domain="A"), node("N3", fault_domain="B"))
    assert in_the_way(facts, "N1") == ()
    assert in_the_way(facts, "N3") == ("N2 is Down",)


def test_what_our_own_hand_has_taken_is_in_the_way():
    facts = cluster(node("N1"), node("N2", PAUSED))
    assert in_the_way(facts, "N1", taken=["N2"]) == ("N2 is being updated",)


def test_a_node_without_a_fault_domain_is_one_of_its_own():
    assert domain(node("N1")) == "N1"
