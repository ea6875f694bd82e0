"""How long turns will take, judged by earlier runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cauctl.models import (
    CauNode,
    CauReport,
    ClusterResult,
    NodeRebootResult,
    NodeResult,
    SummaryStatus,
    TimingBreakdown,
)
from cauctl.policy.forecast import Forecast, forecast, preparation, turn_taken

START = datetime(2026, 11, 22, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def turn(
    node: str, minutes: float, *, restart: bool = True, status: SummaryStatus = SummaryStatus.SUCCEEDED
) -> NodeResult:
    """A turn that began ten minutes into the run, was paused a minute later, and took so many minutes."""
    return NodeResult(
        CauNode(node),
        status=status,
        node_suspended_timestamp=START + 11 * MINUTE,
        node_suspended_duration=timedelta(minutes=minutes - 1),
        node_reboot_result=NodeRebootResult("Succeeded") if restart else None,
        timing_breakdown=TimingBreakdown(attempt_drain_start=START + 10 * MINUTE),
    )


def report(*turns: NodeResult) -> CauReport:
    """A run of these turns."""
    return CauReport(
        ClusterResult(
            "FC1",
            run_id=UUID(int=1),
            start_timestamp=START,
            run_duration=timedelta(hours=1),
            status=SummaryStatus.SUCCEEDED,
            node_results=turns,
        )
    )


def test_a_turn_lasts_from_its_gates_to_the_resume():
    assert timedelta(minutes=24) == turn_taken(turn("N1", 24))


@pytest.mark.parametrize("missing", ["timing_breakdown", "node_suspended_timestamp", "node_suspended_duration"])
def test_a_turn_that_was_not_one_took_no_time(missing):
    assert turn_taken(evolve(turn("N1", 24), **{missing: None})) is None


def test_the_median_of_the_nodes_own_turns_is_foretold():
    earlier = [report(turn("N1", minutes), turn("N2", 90)) for minutes in (20, 60, 30)]
    assert Forecast(timedelta(minutes=30), basis="median of 3 earlier turns with a restart of N1") == forecast(
        "N1", restart=True, earlier=earlier
    )


def test_names_match_in_any_letter_case():
    earlier = [report(turn("N1", 20), turn("N2", 90))]
    found = forecast("n1", restart=True, earlier=earlier)
    assert found is not None
    assert timedelta(minutes=20) == found.duration


def test_turns_without_a_restart_are_kept_apart():
    earlier = [report(turn("N1", 40), turn("N1", 8, restart=False))]
    assert Forecast(timedelta(minutes=8), basis="median of 1 earlier turn without a restart of N1") == forecast(
        "N1", restart=False, earlier=earlier
    )


def test_other_nodes_speak_for_one_that_is_new():
    earlier = [report(turn("N1", 20), turn("N2", 30))]
    assert Forecast(
        timedelta(minutes=25), basis="median of 2 earlier turns with a restart of the cluster's nodes"
    ) == forecast("N9", restart=True, earlier=earlier)


@pytest.mark.parametrize("earlier", [[], [report()], [report(turn("N1", 20, status=SummaryStatus.FAILED))]])
def test_nothing_is_foretold_without_a_turn_that_succeeded(earlier):
    assert forecast("N1", restart=True, earlier=earlier) is None


def test_only_the_newest_ten_turns_count():
    earlier = [report(turn("N1", 500))] * 20 + [report(turn("N1", 10))] * 10
    found = forecast("N1", restart=True, earlier=earlier)
    assert found is not None
    assert timedelta(minutes=10) == found.duration


@given(st.lists(st.integers(2, 600), min_size=1, max_size=15))
def test_what_is_foretold_lies_between_the_shortest_and_the_longest(minutes):
    earlier = [report(turn("N1", each)) for each in minutes]
    found = forecast("N1", restart=True, earlier=earlier)
    assert found is not None
    newest = minutes[-10:]
    assert min(newest) * MINUTE <= found.duration <= max(newest) * MINUTE


def test_preparation_lasts_until_the_first_turn():
    assert 10 * MINUTE == preparation([report(turn("N1", 20))])
    assert preparation([report()]) is None
