"""How long a node's turn will take, judged by the turns that earlier runs took.

A turn lasts from its gates to the moment at which the node was resumed. Only turns that succeeded count, the newest ten
of them, and turns with a restart are kept apart from those without. Where a node has no such turn yet, the other nodes
of the cluster speak for it; where they have none either, nothing is foretold. The median is taken: one turn that waited
an hour for a repair does not become everybody's hour.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.models.enums import SummaryStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cauctl.models.report import CauReport
    from cauctl.models.results import NodeResult

__all__ = ["Forecast", "forecast", "preparation", "turn_taken"]

_NEWEST: Final = 10


@frozen
class Forecast:
    """What is expected of something that takes its time."""

    duration: timedelta
    """How long it will take."""
    basis: str = field(kw_only=True)
    """What that is judged by, for people."""


def turn_taken(result: NodeResult) -> timedelta | None:
    """Say how long a node's turn took; None where it was never paused, or not resumed."""
    began, paused, lasted = (
        result.timing_breakdown.attempt_drain_start if result.timing_breakdown else None,
        result.node_suspended_timestamp,
        result.node_suspended_duration,
    )
    if began is None or paused is None or lasted is None:
        return None
    return paused + lasted - began


def forecast(node: str, *, restart: bool, earlier: Sequence[CauReport]) -> Forecast | None:
    """Foretell the turn of a node; None where no earlier run can tell.

    Args:
        node: name of the node, in any letter case.
        restart: whether a restart is expected.
        earlier: reports of runs of its cluster, oldest first.
    """
    turns = [
        (result.node.node_name, taken)
        for report in reversed(earlier)
        for result in report.cluster_result.node_results
        if result.status is SummaryStatus.SUCCEEDED
        and (result.node_reboot_result is not None) is restart
        and (taken := turn_taken(result)) is not None
    ]
    own = [taken for name, taken in turns if name.casefold() == node.casefold()]
    kind = "with a restart" if restart else "without a restart"
    if own:
        return _median(own, f"{kind} of {node}")
    return _median([taken for _, taken in turns], f"{kind} of the cluster's nodes") if turns else None


def preparation(earlier: Sequence[CauReport]) -> timedelta | None:
    """Foretell how long scanning and staging take before the first turn; None where no earlier run can tell."""
    found = []
    for report in reversed(earlier):
        turns = [
            result.timing_breakdown.attempt_drain_start
            for result in report.cluster_result.node_results
            if result.timing_breakdown and result.timing_breakdown.attempt_drain_start
        ]
        if turns:
            found.append(min(turns) - report.cluster_result.start_timestamp)
    return _middle(found) if found else None


def _median(turns: Sequence[timedelta], of_what: str) -> Forecast:
    newest = turns[:_NEWEST]
    count = len(newest)
    return Forecast(_middle(newest), basis=f"median of {count} earlier turn{'' if count == 1 else 's'} {of_what}")


def _middle(durations: Iterable[timedelta]) -> timedelta:
    newest = list(durations)[:_NEWEST]
    return timedelta(seconds=round(median(each.total_seconds() for each in newest)))
