"""Where roles are, must leave and go."""

from __future__ import annotations

import pytest

from cauctl.models.nodes import GroupState
from cauctl.policy.placement import away, holding, homeless, target
from tests.policy.facts import DOWN, PAUSED, cluster, group, node


@pytest.mark.parametrize(
    ("state", "holds"),
    [
        (GroupState.ONLINE, True),
        (GroupState.PARTIAL_ONLINE, True),
        (GroupState.PENDING, True),
        (GroupState.UNKNOWN, True),
        (GroupState.OFFLINE, False),
        (GroupState.FAILED, False),
    ],
)
def test_only_a_role_that_serves_or_moves_holds_a_node(state, holds):
    facts = cluster(node("N1"), groups=(group("VM", "N1", state),))
    assert holds is bool(holding(facts, "n1"))


def test_a_role_goes_to_the_up_node_with_the_fewest_roles():
    facts = cluster(
        node("N1"),
        node("N2"),
        node("N3"),
        node("N4", PAUSED),
        node("N5", DOWN),
        node("N6", status_information=("AvoidPlacement",)),
        node("N7", status_information=("Quarantined",)),
        groups=(group("A", "N2"), group("B", "N1")),
    )
    assert target(facts, "N1") == "N3"
    assert target(facts, "N1", avoid=["n3"]) == "N2"
    assert target(facts, "N1", avoid=["N2", "N3"]) is None


def test_roles_that_are_elsewhere_and_still_exist_are_away():
    facts = cluster(node("N1"), node("N2"), groups=(group("A", "N2"), group("B", "N1"), group("C", "N2")))
    assert [each.name for each in away(facts, "n1", ["A", "B", "gone"])] == ["A"]


def test_roles_that_are_offline_or_failed_have_no_home():
    facts = cluster(
        node("N1"), groups=(group("A", "N1", GroupState.FAILED), group("B", "N1"), group("C", "N1", GroupState.OFFLINE))
    )
    assert [each.name for each in homeless(facts, ["A", "B"])] == ["A"]
