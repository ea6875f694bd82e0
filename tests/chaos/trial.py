"""A trial: nodes, a client thread each, bad weather for a while, then fair weather and the reckoning.

The promises are those of :mod:`cauctl.psrp.session`; each broken one is a line of :attr:`Trial.broken`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from cauctl.errors import (
    AuthenticationError,
    CauError,
    NodeUnreachableError,
    RemoteError,
    TlsError,
    TransportError,
)
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.tls import LabAuthority
from cauctl.psrp.session import NodeSession
from tests.chaos.calls import Client, Outcome, Plan
from tests.chaos.nodes import PASSWORD, Books, ChaosNode, serve
from tests.chaos.weather import Weather
from tests.pulse import Pulse

__all__ = ["Trial", "faults_of"]

GRACE: Final = 2.0
"""Seconds that a call may take beyond its deadline, and a cancel in all."""
_SHARED_EVERY: Final = 4
"""Each fourth session has two clients, which must wait for each other."""
_LONGEST_CALL: Final = 10.0
_SETTLING: Final = 5.0
"""Seconds that nodes may take to end what was stopped."""
_LAST_CALL: Final = Plan("echo", ("last",), 20.0, ("last",))


class Trial:
    """One trial.

    Args:
        seed: gives the same calls and faults again.
        nodes: how many, each with a client thread of its own.
    """

    def __init__(self, *, seed: int, nodes: int = 16) -> None:
        self.broken: list[str] = []
        """Every promise that was broken, a sentence each."""
        self._seed, self._count = seed, nodes
        self._books = Books()
        self._clients: list[Client] = []
        self._weather: Weather | None = None
        self._nodes: list[ChaosNode] = []
        self._pulse = Pulse()
        self._seconds = 0.0

    def run(self, seconds: float) -> None:
        """Let the weather rage for ``seconds``, then reckon."""
        before = set(threading.enumerate())
        begin = time.monotonic()
        with self._pulse, TemporaryDirectory(prefix="cauctl-chaos-") as folder, EndpointLoop() as loop:
            self._set_up(loop, Path(folder))
            self._work(seconds)
            self._part()
        self._seconds = time.monotonic() - begin
        self.broken += [f"the thread {thread.name} is left" for thread in set(threading.enumerate()) - before]
        now = time.monotonic()
        for client in self._clients:
            for outcome in client.outcomes:
                times = self._books.times(outcome.node, outcome.marker)
                faults = faults_of(outcome, ran=times, now=now, pulse=self._pulse)
                self.broken += [f"{_told(outcome)}: {fault}" for fault in faults]

    def _set_up(self, loop: EndpointLoop, folder: Path) -> None:
        authority, ca_file = LabAuthority.create(), folder / "ca.pem"
        ca_file.write_bytes(authority.pem)
        self._nodes = [
            serve(loop, number, authority=authority, ca_file=ca_file, books=self._books)
            for number in range(self._count)
        ]

    def _work(self, seconds: float) -> None:
        stop = threading.Event()
        sessions = [NodeSession(node.connection) for node in self._nodes]
        numbered = [(number, number % _SHARED_EVERY == 0) for number in range(self._count)]
        further = [(number, True) for number, shared in numbered if shared]
        self._clients = [
            Client(sessions[number], Random(f"{self._seed} {order}"), stop, label=f"{number}-{order}", shared=shared)
            for order, (number, shared) in enumerate([*numbered, *further])
        ]
        self._weather = Weather([node.endpoint for node in self._nodes], self._clients, Random(self._seed))
        for client in self._clients:
            client.start()
        self._weather.rage(time.monotonic() + seconds)
        stop.set()
        end = time.monotonic() + _LONGEST_CALL + GRACE
        for client in self._clients:
            client.join(max(0.0, end - time.monotonic()))
            if client.is_alive():
                self.broken.append(f"the thread {client.name} is stuck in {_told(client.outcomes[-1])}")
        if (slowest := self._weather.slowest_cancel(self._pulse)) > GRACE:
            self.broken.append(f"a cancel took {slowest:.1f} s")

    def _part(self) -> None:
        """In fair weather every session works again, and leaves nothing behind on its node."""
        for client in self._clients:
            if client.is_alive():
                continue
            last = client.call(_LAST_CALL)
            if last.error is not None:
                self.broken.append(f"{_told(last)}: in fair weather: {last.error}")
            client.call(Plan("close", (), GRACE, ()))
        end = time.monotonic() + _SETTLING
        while any(_left(node) for node in self._nodes) and time.monotonic() < end:
            time.sleep(0.05)
        self.broken += [f"{node.endpoint.name}: {_left(node)} left" for node in self._nodes if _left(node)]

    def report(self) -> Iterator[str]:
        """Tell what was done and what came of it, a line each."""
        outcomes = [outcome for client in self._clients for outcome in client.outcomes]
        weather, now = self._weather, time.monotonic()
        ran = self._books.ran.total()
        yield f"{len(outcomes)} calls to {self._count} nodes in {self._seconds:.0f} s, of which the nodes ran {ran}"
        if weather is not None:
            yield f"weather: {_counts(weather.events)}; slowest cancel {weather.slowest_cancel(self._pulse):.2f} s"
        for way in dict.fromkeys(node.way for node in self._nodes):
            names = {node.endpoint.name for node in self._nodes if node.way == way}
            yield f"{way}: {_counts(Counter(outcome.name for outcome in outcomes if outcome.node in names))}"
        if outcomes:
            worst = max(outcomes, key=lambda outcome: outcome.lateness(now, self._pulse))
            late, all_in_all = worst.lateness(now, self._pulse), worst.lateness(now)
            yield f"worst call: {late:+.2f} s from its deadline or from being cancelled, {_told(worst)}"
            yield f"  ({all_in_all:+.2f} s with stalls of this machine, the longest {self._pulse.longest:.2f} s)"
        yield f"{len(self.broken)} broken promises"
        yield from (f"  {line}" for line in self.broken)


def faults_of(outcome: Outcome, *, ran: int, now: float, pulse: Pulse | None = None) -> Iterator[str]:
    """Say which promises the outcome of a call breaks.

    Args:
        outcome: what the client saw.
        ran: how often the node began it.
        now: monotonic time, for a call that has not ended.
        pulse: tells when this machine was too busy for anybody.
    """
    if (lateness := outcome.lateness(now, pulse)) > GRACE:
        yield f"it took {lateness:.1f} s longer than its deadline"
    if ran > 1:
        yield f"it ran {ran} times"
    if outcome.ended is None:
        return
    if outcome.error is None:
        yield from _faults_of_success(outcome, ran)
    elif isinstance(outcome.error, CauError):
        yield from _faults_of_error(outcome, outcome.error, ran)
    else:
        yield f"{outcome.error!r} is none of the family"


def _faults_of_success(outcome: Outcome, ran: int) -> Iterator[str]:
    right = outcome.plan.output
    if right is None:
        yield "it cannot have succeeded"
    elif tuple(outcome.output) != right:
        yield f"it is said to have succeeded with {len(outcome.output)} objects, which are not the right ones"
    elif outcome.plan.runs and ran == 0:
        yield "it is said to have succeeded, and never ran"


def _faults_of_error(outcome: Outcome, error: CauError, ran: int) -> Iterator[str]:
    if outcome.plan.kind == "close":
        yield f"a session that is closed raised {error!r}"
    elif isinstance(error, AuthenticationError | TlsError):
        yield f"a right credential and certificate are refused: {error}"
    elif isinstance(error, RemoteError):
        if (outcome.plan.kind, ran, error.remote_message) != ("fail", 1, outcome.marker):
            yield f"the node, which ran it {ran} times, is said to have answered: {error}"
    elif not isinstance(error, TransportError) or outcome.node not in str(error) or PASSWORD in str(error):
        yield f"the error is not the way's, does not name the node, or gives the password away: {error!r}"
    if ran and _says_nothing_ran(error):
        yield f"it ran, and yet: {error}"


def _says_nothing_ran(error: CauError) -> bool:
    text = str(error).casefold()
    return isinstance(error, NodeUnreachableError) or "nothing was sent" in text or "nothing ran" in text


def _left(node: ChaosNode) -> str:
    shells, pipelines = len(node.endpoint.shells), node.endpoint.running
    return f"{shells} shells and {pipelines} pipelines" if shells or pipelines else ""


def _told(outcome: Outcome) -> str:
    return f"{outcome.marker} ({outcome.plan.kind}, within {outcome.plan.within:g} s, {outcome.name})"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())
