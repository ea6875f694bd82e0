"""The order of the turns: CAU starts with the nodes that own the fewest clustered roles, NodeOrder overrides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cauctl.policy.order import Place, roles_owned, unknown_nodes, update_order
from tests.policy.facts import cluster, group, node

FACTS = cluster(
    node("N1"),
    node("N2"),
    node("N10"),
    groups=(
        group("A", "N1"),
        group("B", "N1"),
        group("C", "N2"),
        group("Cluster Group", "N10", is_core_group=True),
        group("D", "N10"),
    ),
)


def test_fewest_roles_first_then_by_name():
    assert update_order(FACTS) == (
        Place("N10", reason="owns 1 clustered role"),
        Place("N2", reason="owns 1 clustered role"),
        Place("N1", reason="owns 2 clustered roles"),
    )


def test_node_order_comes_first_in_any_letter_case():
    assert update_order(FACTS, requested=["n1", "N2"]) == (
        Place("N1", reason="place 1 in NodeOrder"),
        Place("N2", reason="place 2 in NodeOrder"),
        Place("N10", reason="owns 1 clustered role"),
    )


def test_core_groups_do_not_count():
    assert roles_owned(FACTS, "n10") == 1


def test_nodes_that_the_cluster_does_not_have_are_named():
    assert unknown_nodes(FACTS, ["n1", "N3", "N4"]) == ("N3", "N4")


@given(st.lists(st.sampled_from(["N1", "N2", "N10", "X"]), max_size=6))
def test_every_node_has_exactly_one_turn(requested):
    assert sorted(place.node for place in update_order(FACTS, requested=requested)) == ["N1", "N10", "N2"]
