"""A point of real time at which waiting ends.

Real time is monotonic seconds, never a wall clock: a node's clock or a change of ours moves no deadline.
"""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Self

from attrs import frozen

__all__ = ["Deadline"]


@frozen(order=True)
class Deadline:
    """A point of monotonic time; the smaller one is the earlier."""

    at: float

    @classmethod
    def after(cls, duration: timedelta | float) -> Self:
        """Set a deadline ``duration`` (seconds when a number) from now."""
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
        return cls(time.monotonic() + seconds)

    @classmethod
    def never(cls) -> Self:
        """Set no deadline."""
        return cls(math.inf)

    @property
    def remaining(self) -> float:
        """Seconds left, 0 when none are."""
        return max(0.0, self.at - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.remaining == 0

    def plus(self, seconds: float) -> Self:
        """Set a deadline ``seconds`` later than this one."""
        return type(self)(self.at + seconds)

    def within(self, duration: timedelta | float) -> Self:
        """Set the earlier of this deadline and one ``duration`` from now."""
        return min(self, self.after(duration))
