"""Votes before and after a step: node-operations §2.4, and the official table of survivals."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cauctl.policy.quorum import Votes, bears_another_loss, votes, votes_without
from tests.policy.facts import DOWN, PAUSED, cluster, node


@pytest.mark.parametrize(
    ("nodes", "witness", "after", "safe"),
    [
        pytest.param([1, 0], None, 0, False, id="2 without witness: the voting node"),
        pytest.param([1, 1], 1, 2, True, id="2 and witness"),
        pytest.param([1, 1, 1], None, 2, True, id="3 without witness"),
        pytest.param([1, 1, 1], 0, 2, True, id="3 and witness that has no vote"),
        pytest.param([1, 1, 1, 0], None, 2, True, id="4 without witness"),
        pytest.param([1, 1, 1, 1], 1, 4, True, id="4 and witness"),
    ],
)
def test_votes_left_when_the_first_node_goes(nodes, witness, after, safe):
    facts = cluster(*(node(f"N{i}", dynamic_weight=weight) for i, weight in enumerate(nodes)), witness=witness)
    left = votes_without(facts, "N0")
    assert (after, safe) == (left.present, left.quorate)


def test_a_node_without_a_vote_may_go():
    facts = cluster(node("N1"), node("N2", dynamic_weight=0))
    assert votes_without(facts, "n2") == Votes(1, total=1)
    assert votes_without(facts, "n2").quorate


def test_a_paused_node_keeps_its_vote():
    assert votes(cluster(node("N1"), node("N2", PAUSED), node("N3"))) == Votes(3, total=3)


def test_a_vote_taken_away_by_an_administrator_does_not_count():
    assert votes(cluster(node("N1"), node("N2", node_weight=0))) == Votes(1, total=1)


def test_a_witness_that_is_offline_counts_as_a_failure_already_used():
    facts = cluster(node("N1"), node("N2"), witness=1)
    offline = evolve(facts, quorum=evolve(facts.quorum, witness_online=False))
    assert votes(offline) == Votes(2, total=3)
    assert not votes_without(offline, "N1").quorate


def test_votes_of_nodes_that_are_down_count_towards_the_total_as_long_as_they_are_given():
    facts = cluster(node("N1"), node("N2"), node("N3", DOWN, dynamic_weight=1))
    assert votes_without(facts, "N1") == Votes(1, total=3)
    assert votes_without(facts, "N3") == Votes(2, total=3)


def test_votes_say_what_they_are():
    assert str(Votes(3, total=5)) == "3 of 5 votes, 3 needed"
    assert (Votes(3, total=5).margin, Votes(2, total=5).margin) == (0, -1)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=16), st.sampled_from([None, 0, 1]))
def test_quorate_means_more_than_half(weights, witness):
    """node-operations §2.4: the cluster needs more than half of the current votes."""
    facts = cluster(*(node(f"N{i}", dynamic_weight=weight) for i, weight in enumerate(weights)), witness=witness)
    left = votes_without(facts, "N0")
    assert left.quorate == (2 * left.present > left.total)


@pytest.mark.parametrize(
    ("nodes", "witness", "bears"),
    [(2, None, False), (2, 1, False), (3, None, False), (3, 1, True), (3, 0, True), (4, None, True), (4, 1, True)],
)
def test_what_one_more_failure_does_while_a_node_is_out(nodes, witness, bears):
    """node-operations §2.4: the official survival table, one node down, then another."""
    facts = cluster(*(node(f"N{number}") for number in range(nodes)), witness=witness)
    assert bears is bears_another_loss(facts, "N0")


def test_a_witness_that_is_away_has_used_the_reserve_up():
    facts = cluster(*(node(f"N{number}") for number in range(4)), witness=1)
    away = evolve(facts, quorum=evolve(facts.quorum, witness_online=False))
    assert not bears_another_loss(away, "N0")
