"""Plan against actual in a report."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from cauctl.models import PlannedTurn, TimingBreakdown
from cauctl.reports.planned import PlanView, foretold, planned_rows
from tests.reports.sample_run import GOOD_NODE, GOOD_REPORT, HISTORY, REPORT, at

TIMED = evolve(GOOD_NODE, timing_breakdown=TimingBreakdown(attempt_drain_start=at(4)))
EARLIER = evolve(GOOD_REPORT, cluster_result=evolve(GOOD_REPORT.cluster_result, node_results=(TIMED,)))
TAKEN = timedelta(minutes=20, seconds=3)


def test_turns_are_foretold_by_earlier_runs():
    """A turn that has nothing to install is not foretold, nor one of a kind that no earlier run had."""
    turns = (
        PlannedTurn("NODE1", updates=2, restart_expected=True),
        PlannedTurn("NODE2", updates=0, restart_expected=True),
        PlannedTurn("NODE3", updates=1, restart_expected=False),
    )
    told = foretold(evolve(HISTORY, plan=turns), [EARLIER])
    assert (evolve(turns[0], predicted=TAKEN), *turns[1:]) == told.plan


def test_a_turn_stands_beside_what_came_of_it():
    result = REPORT.cluster_result
    seen = evolve(REPORT, cluster_result=evolve(result, node_results=(TIMED, result.node_results[1])))
    first, second = planned_rows(seen, HISTORY)
    assert first == PlanView(
        place=1,
        node="NODE1",
        updates=2,
        installed="2",
        restart="yes",
        restarts="1",
        predicted="0:20:00",
        taken="0:20:03",
        as_planned=True,
    )
    assert second == PlanView(
        place=2,
        node="NODE2",
        updates=3,
        installed="1, 2 not",
        restart="no",
        restarts="0",
        predicted="",
        taken="",
        as_planned=False,
    )


def test_a_planned_node_without_a_result_is_shown_as_such():
    (row,) = planned_rows(REPORT, evolve(HISTORY, plan=(PlannedTurn("NODE9", updates=1),)))
    assert ("0", False) == (row.installed, row.as_planned)
