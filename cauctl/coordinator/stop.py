"""Stopping a run: nothing new starts, and why is written down once.

The node in work is finished or undone by its own rules; nodes whose turn has not come are cancelled. The first reason
stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.events import StopReason
from cauctl.coordinator.state import Cause

if TYPE_CHECKING:
    from cauctl.coordinator.problems import Problem
    from cauctl.coordinator.turn import Turn

__all__ = ["stop"]


def stop(turn: Turn, reason: StopReason, why: Problem) -> None:
    """Let nothing new start from now on."""
    if turn.run.stopping is not None:
        return
    turn.change(stopping=reason, stop_problem=why)
    if turn.run.first_cause is None and reason is not StopReason.FAILED_NODES:
        turn.change(first_cause=Cause(why, at=turn.at))
