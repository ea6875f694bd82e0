"""What a run is doing, in words: for progress displays and for ``on_progress``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.state import Phase, RunPhase, RunState
from cauctl.models.nodes import readable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from cauctl.coordinator.state import NodeWork

__all__ = ["RUN_PHASES", "Teller", "detail", "late", "step"]

RUN_PHASES = {
    RunPhase.OBSERVING: "looking at the cluster",
    RunPhase.INTERLOCK: "looking for other coordinators",
    RunPhase.LOCKING: "taking the cluster",
    RunPhase.PREPARING: "scanning and staging",
    RunPhase.UPDATING: "updating",
    RunPhase.RELEASING: "giving the cluster back",
    RunPhase.ENDED: "ended",
}


def step(node: NodeWork) -> str:
    """The phase of a node, or how it ended."""
    return str(node.record.status) if node.record.status else str(node.phase.status)


def detail(node: NodeWork, now: datetime | None) -> str:
    """What the node is waiting for and how long, else what went wrong, else what it is working on."""
    if node.wait and now:
        limit = f" of {readable(node.wait.limit)}" if node.wait.limit else ""
        return f"{node.wait.reason or node.wait.name} ({readable(now - node.wait.since)}{limit})"
    if node.phase is Phase.DONE:
        told = [each.problem.message for each in node.record.causes[:1]] or list(node.record.notes[-1:])
        return told[0] if told else ""
    if node.failing:
        return f"undoing: {node.failing.problem.message}"
    return node.agent.at_work_on if node.agent else ""


def late(state: RunState) -> str:
    """Say that the run takes longer than it should."""
    after = state.settings.warn_after
    return f"the run takes longer than warn_after{f' ({readable(after)})' if after else ''}"


class Teller:
    """Observer that tells in a sentence whatever changes: ``tell(at, node, text)``, the node empty for the run."""

    def __init__(self, tell: Callable[[datetime | None, str, str], None]) -> None:
        self._tell = tell
        self._phase: RunPhase | None = None
        self._warned = False
        self._told: dict[str, tuple[Phase, str]] = {}

    def on_event(self, event: object, state: object) -> None:  # noqa: ARG002  the port's signature
        """Tell what is new."""
        if not isinstance(state, RunState):
            return
        if state.warned and not self._warned:
            self._warned = True
            self._tell(state.now, "", late(state))
        if state.phase is not self._phase:
            self._phase = state.phase
            self._tell(state.now, "", RUN_PHASES[state.phase])
        for node in state.nodes.values():
            seen = (node.phase, node.wait.name if node.wait else "")
            if self._told.get(node.name) != seen:
                self._told[node.name] = seen
                self._tell(state.now, node.name, f"{step(node)}  {detail(node, state.now)}".rstrip())

    def on_wait(self, node: str | None, waiting_for: str, since: datetime, limit: timedelta | None) -> None:
        """Nothing more: the state tells what is waited for."""
