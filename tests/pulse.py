"""How long a machine kept us waiting for a processor: what a test of a deadline does not hold against the product."""

from __future__ import annotations

import threading
import time
from typing import Final, Self

__all__ = ["Pulse"]

_BEAT: Final = 0.02


class Pulse:
    """A thread that should beat fifty times a second; where it is late, so is everybody.

    Use::

        with Pulse() as pulse:
            ...
        assert ended - due - pulse.stalled(due, ended) < 2
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._late: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def stalled(self, begin: float, end: float) -> float:
        """Seconds by which beats were late between two moments of monotonic time."""
        return sum(max(0.0, min(end, came) - max(begin, due)) for due, came in tuple(self._late))

    @property
    def longest(self) -> float:
        """Seconds by which the latest beat was late."""
        return max((came - due for due, came in tuple(self._late)), default=0.0)

    def _beat(self) -> None:
        while True:
            due = time.monotonic() + _BEAT
            if self._stop.wait(_BEAT):
                return
            came = time.monotonic()
            if came - due > _BEAT:
                self._late.append((due, came))
