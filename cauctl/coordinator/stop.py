"""Stopping a run: nothing new starts, and why is written down once.

The node in work is finished or undone by its own rules; nodes whose turn has not come are cancelled. The first reason
stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.events import StopReason
from cauctl.coordinator.state import Cause
from cauctl.coordinator.turn import problem
from cauctl.models.nodes import readable

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem
    from cauctl.coordinator.turn import Turn

__all__ = ["stop", "stop_in_time"]


def stop(turn: Turn, reason: StopReason, why: Problem, *, cause: Cause | None = None) -> None:
    """Let nothing new start from now on; ``cause`` is the failure that led to it, where it is not ``why`` itself."""
    if turn.run.first_cause is None:
        turn.change(first_cause=cause or Cause(why, at=turn.at))
    if turn.run.stopping is None:
        turn.change(stopping=reason, stop_problem=why)


def stop_in_time(turn: Turn) -> None:
    """Stop a run that takes longer than StopAfter allows."""
    after, started = turn.settings.stop_after, turn.run.started
    if after is None or started is None or turn.at < started + after:
        return
    message = f"The run took longer than StopAfter allows ({readable(after)}) and was cancelled."
    stop(turn, StopReason.STOP_AFTER, problem("StopAfterExceeded", message, category="OperationTimeout"))
