"""What befalls the nodes: restarts, cut connections, hangs, 503, refused connections, slow bytes, cancelled calls."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final

from cauctl.lab.wsman.wire import Break, WireMode

if TYPE_CHECKING:
    from cauctl.lab.endpoint import NodeEndpoint
    from cauctl.lab.wsman.exchange import Exchange
    from cauctl.lab.wsman.wire import Verdict
    from tests.chaos.calls import Client
    from tests.pulse import Pulse

__all__ = ["Weather"]

_ACTIONS: Final = ("Create", "Command", "Send", "Receive", "Signal", "Delete")
_WEIGHTS: Final = {
    "restart": 10,
    "drop": 8,
    "reset": 8,
    "hang": 8,
    "lose": 3,
    "unavailable": 5,
    "refuse": 5,
    "slow": 6,
    "break": 20,
    "cancel": 30,
}


class Weather:
    """Fault after fault at random; each is mended after a while.

    Args:
        endpoints: the nodes.
        clients: who works with them, in the same order, for cancelling.
        source: decides what befalls whom, and for how long.
    """

    def __init__(self, endpoints: Sequence[NodeEndpoint], clients: Sequence[Client], source: Random) -> None:
        self.events: Counter[str] = Counter()
        self._cancels: list[tuple[float, float]] = []
        self._endpoints, self._clients, self._source = endpoints, clients, source
        self._repairs: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def rage(self, until: float) -> None:
        """Let faults befall nodes until the monotonic time ``until``, then mend everything."""
        while (now := time.monotonic()) < until:
            self._repair(now)
            time.sleep(self._source.uniform(0.02, 0.15))
            (kind,) = self._source.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
            victim, seconds = self._source.randrange(len(self._endpoints)), self._source.uniform(0.1, 2.5)
            self._befall(kind, victim, seconds)
        self.mend()

    def slowest_cancel(self, pulse: Pulse) -> float:
        """Seconds that a cancel took at most, without those in which ``pulse`` stalled."""
        return max((end - begin - pulse.stalled(begin, end) for begin, end in self._cancels), default=0.0)

    def mend(self) -> None:
        """End every fault."""
        self._repair(float("inf"))
        for endpoint in self._endpoints:
            endpoint.mode = WireMode.SERVING
            endpoint.start()

    def _befall(self, kind: str, victim: int, seconds: float) -> None:
        endpoint, mend = self._endpoints[victim], None
        match kind:
            case "restart":
                endpoint.stop()
                mend = endpoint.start
            case "refuse":
                endpoint.refuse()
                mend = endpoint.start
            case "drop" | "reset":
                endpoint.drop_connections(reset=kind == "reset")
            case "lose":
                endpoint.lose_shells()
            case "hang" | "unavailable" | "slow":
                modes = {"hang": WireMode.HANGING, "unavailable": WireMode.UNAVAILABLE, "slow": WireMode.SLOW}
                endpoint.mode = modes[kind]
                mend = self._serve(endpoint)
            case "break":
                how, action = self._source.choice(list(Break)), self._source.choice(_ACTIONS)
                mend = endpoint.intercept(_breaker(how, action, self._source.randint(1, 3)))
            case _:
                kind = self._cancel(victim)
        self.events[kind] += 1
        if mend is not None:
            heapq.heappush(self._repairs, (time.monotonic() + seconds, next(self._numbers), mend))

    def _repair(self, now: float) -> None:
        while self._repairs and self._repairs[0][0] <= now:
            heapq.heappop(self._repairs)[2]()

    def _cancel(self, victim: int) -> str:
        begin = time.monotonic()
        found = self._clients[victim].cancel()
        self._cancels.append((begin, time.monotonic()))
        return "cancel" if found else "cancel of nothing"

    @staticmethod
    def _serve(endpoint: NodeEndpoint) -> Callable[[], None]:
        def serve() -> None:
            endpoint.mode = WireMode.SERVING

        return serve


def _breaker(how: Break, action: str, times: int) -> Callable[[Exchange], Verdict]:
    """Break the next exchanges of a kind in one way."""
    left, lock = times, threading.Lock()

    def judge(exchange: Exchange) -> Verdict:
        nonlocal left
        with lock:
            if exchange.action != action or left == 0:
                return None
            left -= 1
            return how

    return judge
