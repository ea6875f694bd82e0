"""Plan against actual: what the turns of a run were to be, and what came of them.

The plan stands in the run's journal as it was when the order was decided; durations are foretold by the reports of
runs before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from cauctl.policy.forecast import forecast, turn_taken
from cauctl.reports.words import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cauctl.models.report import CauReport
    from cauctl.models.results import NodeResult
    from cauctl.models.run import PlannedTurn, RunHistory

__all__ = ["PlanView", "foretold", "planned_rows"]


@frozen(kw_only=True)
class PlanView:
    """One turn: planned, and as it was."""

    place: int
    node: str
    updates: int
    installed: str
    restart: str
    restarts: str
    predicted: str
    taken: str
    as_planned: bool


def foretold(history: RunHistory, earlier: Sequence[CauReport]) -> RunHistory:
    """Add to the planned turns of a run how long they were to take by the reports of earlier runs."""
    plan = tuple(_foretold(turn, earlier) for turn in history.plan)
    return evolve(history, plan=plan)


def _foretold(turn: PlannedTurn, earlier: Sequence[CauReport]) -> PlannedTurn:
    if not turn.updates:
        return turn
    found = forecast(turn.node_name, restart=turn.restart_expected, earlier=earlier)
    return evolve(turn, predicted=found.duration) if found else turn


def planned_rows(report: CauReport, history: RunHistory) -> Iterator[PlanView]:
    """Lay out the planned turns of a run beside what came of them."""
    results = {result.node.node_name.casefold(): result for result in report.cluster_result.node_results}
    for place, turn in enumerate(history.plan, 1):
        result = results.get(turn.node_name.casefold())
        known = history.node(turn.node_name)
        yield _row(place, turn, result, len(known.restarts) if known else 0)


def _row(place: int, turn: PlannedTurn, result: NodeResult | None, restarts: int) -> PlanView:
    taken = turn_taken(result) if result is not None else None
    installed = result.number_of_succeeded_updates if result is not None else 0
    missing = (result.number_of_failed_updates + result.number_of_canceled_updates) if result is not None else 0
    return PlanView(
        place=place,
        node=turn.node_name,
        updates=turn.updates,
        installed=f"{installed}, {missing} not" if missing else str(installed),
        restart="yes" if turn.restart_expected else "no",
        restarts=str(restarts),
        predicted=duration_text(turn.predicted) if turn.predicted is not None else "",
        taken=duration_text(taken) if taken is not None else "",
        as_planned=not missing and installed >= turn.updates,
    )
