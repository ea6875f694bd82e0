"""What became of the agent's work, judged by its task and its events; the same for every way of asking.

Rules kept here:

* A final event counts, whatever the task says.
* A task that has not run yet is slow for two minutes and lost then. Real time, since it is the node's service that is
  slow.
* A program that ended by itself without a word did not start: repeating it would not help, so that is an error.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.errors import NodeError
from cauctl.models.agent import AgentEvent, AgentProgress, AgentState
from cauctl.psrp.agent_files import FINAL
from cauctl.psrp.agent_task import NEVER_RAN, WORKING, ended_by_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.models.agent import AgentRequest

__all__ = ["SLOW_START", "ProgressJudge", "Seen", "still_at_work"]

SLOW_START: Final = timedelta(minutes=2)
"""Real time that a started task may take to run; services that are hardened or busy took up to a minute."""


@frozen
class Seen:
    """One look at work."""

    state: str | None
    """State of the task by name; None when there is no such task. Looked at before the events."""
    events: tuple[AgentEvent, ...] = field(kw_only=True)
    """Events from the last known number on."""


class ProgressJudge:
    """Judges looks, and remembers how long a task that does not start has been waited for.

    Args:
        monotonic_clock: real time in seconds.
    """

    def __init__(self, monotonic_clock: Callable[[], float]) -> None:
        self._monotonic = monotonic_clock
        self._lock = threading.Lock()
        self._waited_since: dict[tuple[str, str], float] = {}

    def begun(self, node: str, name: str) -> None:
        """Note that the task is about to be started."""
        with self._lock:
            self._waited_since[node.casefold(), name] = self._monotonic()

    def forget(self, node: str, name: str) -> None:
        """Note that the work is gone."""
        with self._lock:
            self._waited_since.pop((node.casefold(), name), None)

    def follow(
        self, node: str, name: str, after: int, *, look: Callable[[], Seen], last_result: Callable[[], int | None]
    ) -> AgentProgress:
        """Look, and say what became of the work and which events above ``after`` are new."""
        for _ in range(2):
            # The second round is for an agent that ended between the two questions of the first.
            seen = look()
            new = tuple(event for event in seen.events if event.sequence > after)
            if any(event.kind in FINAL for event in seen.events):
                return AgentProgress(AgentState.FINISHED, events=new)
            if seen.state in WORKING:
                return AgentProgress(AgentState.RUNNING, events=new)
        return AgentProgress(self._why_not_working(node, name, seen, last_result), events=new)

    def _why_not_working(self, node: str, name: str, seen: Seen, last_result: Callable[[], int | None]) -> AgentState:
        """Say what became of an agent that does not work and has not ended: lost, or slow to start."""
        if seen.state is None or seen.events:
            return AgentState.LOST
        result = last_result()
        if result == NEVER_RAN:
            with self._lock:
                since = self._waited_since.setdefault((node.casefold(), name), self._monotonic())
            waited = timedelta(seconds=self._monotonic() - since)
            return AgentState.RUNNING if waited < SLOW_START else AgentState.LOST
        if result is None or ended_by_force(result):
            return AgentState.LOST
        raise NodeError(
            f"{node}: the agent ended without a word; its task gave 0x{result:08X}.",
            node=node,
            advice="The node does not let the script run: look at execution policy by group policy, application "
            "control and antivirus there.",
            error_id="AgentDidNotStart",
        )


def still_at_work(node: str, request: AgentRequest) -> NodeError:
    """Refuse to remove work that goes on."""
    return NodeError(
        f"{node}: the agent is still at work on {request.request_id}.",
        node=node,
        advice="Cancel it and wait until it has stopped.",
    )
