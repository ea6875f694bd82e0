"""One node is suspended, or resumed, without any updates: the steps of a turn that take it out of service and back.

A suspended node goes through the gates, the pause, the drain and their proofs as in its turn, and then stays paused: it
is handed over, so that neither this run nor its recovery resumes it. Later runs leave it alone until it is resumed. A
node is resumed whoever has paused it: that is what was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.machine_attempt import cancel, close_attempt
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import NodeWork, Phase, RunPhase
from cauctl.coordinator.turn import problem
from cauctl.models.nodes import NodeState

if TYPE_CHECKING:
    from cauctl.coordinator.turn import Turn

__all__ = ["hand_over", "meet_the_one"]


def meet_the_one(turn: Turn) -> None:
    """Begin with the one node that is meant."""
    seen = turn.facts.node(turn.settings.target)
    node = turn.set(NodeWork(seen.name, since=turn.at, attempt=1))
    turn.change(order=(node.name,), phase=RunPhase.UPDATING)
    turn.moved = True
    if turn.settings.purpose is Purpose.SUSPEND:
        turn.go(node, Phase.CHECKING)
    elif seen.state is NodeState.PAUSED:
        turn.go(turn.set(node, paused_by_us=True), Phase.RESUMING)
    elif seen.state is NodeState.UP:
        close_attempt(turn, turn.note(node, "It is Up already."))
    else:
        why = problem(
            "NodeNotOnline", f"{node.name} is {seen.state.value}.", category="ResourceUnavailable", final=True
        )
        cancel(turn, node, why)


def hand_over(turn: Turn, node: NodeWork) -> None:
    """Leave the node paused, as was asked for."""
    node = turn.note(node, "It stays paused until it is resumed; runs leave it alone.")
    close_attempt(turn, turn.set(turn.keep(node, paused_since=None), paused_by_us=False))
