"""What clients do: calls with a marker of their own, chosen at random, and what became of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, Final

from attrs import define, field, frozen

from cauctl.psrp.pipeline import Command, native
from cauctl.psrp.session import NodeSession
from tests.pulse import Pulse

__all__ = ["Client", "Outcome", "Plan", "plan"]

_LARGE: Final = 400_000
"""Characters of an argument that makes a message of several fragments."""


@frozen
class Plan:
    """A call before it is made."""

    kind: str
    arguments: tuple[Any, ...] = ()
    """What ``work.exe`` gets after marker and kind; ``open`` and ``close`` are calls of the session itself."""
    within: float = 0.0
    output: tuple[Any, ...] | None = None
    """What a call that succeeds returns; None for one that cannot."""
    batches: bool = False
    """Whether the output is taken as it arrives."""

    @property
    def runs(self) -> bool:
        """Whether it has the node run something."""
        return self.kind not in {"open", "close"}

    def work(self, marker: str) -> Command:
        """The command that does it."""
        return native("work.exe", marker, self.kind, *self.arguments)


def plan(source: Random) -> Plan:
    """Choose the next call."""
    within = source.choice((0.4, 1.0, 3.0, 6.0, 10.0))
    kinds: dict[str, Callable[[], Plan]] = {
        "echo": lambda: Plan("echo", ("a", 2**40), within, ("a", 2**40)),
        "large": lambda: Plan("echo", ("x" * _LARGE,), within, ("x" * _LARGE,)),
        "count": lambda: Plan("count", (300,), within, tuple(range(300)), batches=source.random() < 0.5),
        "trickle": lambda: Plan("trickle", (40, 40), within, tuple(range(40)), batches=source.random() < 0.5),
        "wait": lambda: Plan("wait", (), source.choice((0.3, 1.2, 4.0))),
        "fail": lambda: Plan("fail", (), within),
        "open": lambda: Plan("open", (), within, ()),
        "close": lambda: Plan("close", (), 8.0, ()),
    }
    weights = {"echo": 30, "large": 6, "count": 18, "trickle": 15, "wait": 10, "fail": 8, "open": 8, "close": 5}
    (kind,) = source.choices(list(weights), list(weights.values()))
    return kinds[kind]()


@define
class Outcome:
    """A call and what became of it; ``ended`` is None as long as it has not returned."""

    node: str
    marker: str
    plan: Plan
    began: float = field(factory=time.monotonic)
    ended: float | None = None
    cancelled: float | None = None
    """When somebody began to cancel it, or the call before it."""
    error: BaseException | None = None
    output: list[Any] = field(factory=list, repr=False)

    @property
    def name(self) -> str:
        """What it ended with, in a word."""
        return "ok" if self.error is None else type(self.error).__name__

    @property
    def due(self) -> float:
        """When it should have ended."""
        deadline = self.began + self.plan.within
        return deadline if self.cancelled is None else min(deadline, self.cancelled)

    def lateness(self, now: float, pulse: Pulse | None = None) -> float:
        """Seconds that it took longer than it should; those in which ``pulse`` stalled as well are not counted."""
        ended = now if self.ended is None else self.ended
        return ended - self.due - (pulse.stalled(self.due, ended) if pulse else 0.0)


class Client(threading.Thread):
    """Works in one session until it is told to stop.

    Args:
        session: with the node.
        source: decides what is done.
        stop: ends the work after the call under way.
        label: tells its markers from those of others.
        shared: whether another client works in the same session.
    """

    def __init__(
        self, session: NodeSession, source: Random, stop: threading.Event, *, label: str, shared: bool = False
    ) -> None:
        super().__init__(name=f"chaos client {label}", daemon=True)
        self.session = session
        self.shared = shared
        self.outcomes: list[Outcome] = []
        self._source, self._label = source, label
        self._ending = stop

    def run(self) -> None:
        """Make one call after the other."""
        while not self._ending.wait(self._source.uniform(0, 0.05)):
            self.call(plan(self._source))

    def cancel(self) -> bool:
        """Cancel what the session does, which is this client's call unless the session is shared."""
        outcome = self.outcomes[-1] if self.outcomes else None
        began = time.monotonic()
        found = self.session.cancel()
        if found and outcome is not None and outcome.plan.runs and not self.shared:
            outcome.cancelled = began
        return found

    def call(self, chosen: Plan) -> Outcome:
        """Make a call and write down what became of it."""
        outcome = Outcome(self.session.connection.node, f"{self._label}-{len(self.outcomes)}", chosen)
        self.outcomes.append(outcome)
        try:
            self._make(outcome)
        except BaseException as error:  # noqa: BLE001  whatever it is, the judge must see it
            outcome.error = error
        outcome.ended = time.monotonic()
        return outcome

    def _make(self, outcome: Outcome) -> None:
        chosen, within = outcome.plan, timedelta(seconds=outcome.plan.within)
        if chosen.kind == "open":
            self.session.open(within)
        elif chosen.kind == "close":
            self.session.close()
        elif chosen.batches:
            self.session.run(chosen.work(outcome.marker), within=within, on_output=outcome.output.extend)
        else:
            outcome.output.extend(self.session.run(chosen.work(outcome.marker), within=within).output)
