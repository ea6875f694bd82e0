"""Stopping a run: nothing new starts, and why is written down once.

The node in work is finished or undone by its own rules; nodes whose turn has not come are cancelled. The first reason
stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.state import Cause

if TYPE_CHECKING:
    from cauctl.coordinator.events import StopReason
    from cauctl.coordinator.problems import Problem
    from cauctl.coordinator.turn import Turn

__all__ = ["stop"]


def stop(turn: Turn, reason: StopReason, why: Problem, *, cause: Cause | None = None) -> None:
    """Let nothing new start from now on; ``cause`` is the failure that led to it, where it is not ``why`` itself."""
    if turn.run.first_cause is None:
        turn.change(first_cause=cause or Cause(why, at=turn.at))
    if turn.run.stopping is None:
        turn.change(stopping=reason, stop_problem=why)
