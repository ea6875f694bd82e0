"""Time of the run: the system's, or an embedded lab's that runs faster from an epoch of its own.

A lab publishes its epoch and scale; the coordinator adopts them, so that its limits are the lab's minutes. Whatever the
scale, two looks at the outside are never closer than 50 ms of real time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ScaledClock", "SystemClock"]

SHORTEST_PAUSE: Final = 0.05
_SHORTEST_NAP: Final = 0.001
_SLEEPLESS: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""The clock that goes on while the computer sleeps: Linux's of boot, macOS's monotonic one; Windows needs none."""


def elapsed() -> float:
    """Give seconds since some moment, never stepped, time in which the computer slept included."""
    return time.monotonic() if _SLEEPLESS is None else time.clock_gettime(_SLEEPLESS)


class SystemClock:
    """The computer's clock, kept monotonic within the process: a step of the wall clock moves no deadline.

    Time in which the computer sleeps passes: a coordinator that wakes up must know that its lease has ended.
    """

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._elapsed = elapsed()

    def now(self) -> datetime:
        """The present moment, UTC."""
        return self._started + timedelta(seconds=elapsed() - self._elapsed)

    def wait(self, until: datetime, wake: Callable[[], bool]) -> None:
        """Return at ``until`` or soon after ``wake()`` turns true."""

        def left() -> float:
            return (until - self.now()).total_seconds()

        _wait(left, wake)

    def __repr__(self) -> str:
        return f"<SystemClock {self.now():%Y-%m-%d %H:%M:%S} UTC>"


class ScaledClock:
    """A lab's clock: ``scale`` times as fast as real time since ``started``, where it stood at ``epoch``.

    Args:
        epoch: what the lab's clock showed when it was started, aware.
        started: when that was, by the computer's clock, aware.
        scale: how many times as fast as real time it runs.
    """

    def __init__(self, epoch: datetime, started: datetime, scale: float) -> None:
        self._epoch, self._scale = epoch, scale
        self._offset = (datetime.now(UTC) - started).total_seconds()
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """The present moment of the lab."""
        real = self._offset + time.monotonic() - self._monotonic
        return self._epoch + timedelta(seconds=real * self._scale)

    def wait(self, until: datetime, wake: Callable[[], bool]) -> None:
        """Return at ``until`` or soon after ``wake()`` turns true; never before 50 ms of real time, unless woken."""
        earliest = time.monotonic() + SHORTEST_PAUSE

        def left() -> float:
            return max((until - self.now()).total_seconds() / self._scale, earliest - time.monotonic())

        _wait(left, wake)

    def __repr__(self) -> str:
        return f"<ScaledClock {self.now():%Y-%m-%d %H:%M:%S} UTC, {self._scale:g} times real time>"


def _wait(left: Callable[[], float], wake: Callable[[], bool]) -> None:
    """Sleep until nothing is left; ``wake`` is asked often at first, as most answers come soon, then every 50 ms."""
    nap = _SHORTEST_NAP
    while not wake():
        remaining = left()
        if remaining <= 0:
            return
        time.sleep(min(nap, remaining))
        nap = min(nap * 1.5, SHORTEST_PAUSE)
