"""The time of a lab's nodes, as commands see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["NodeClock", "SystemNodeClock"]


class NodeClock(Protocol):
    """Time of the nodes; a lab may let it pass faster than real time."""

    def now(self) -> datetime:
        """Give the present moment, aware, UTC."""
        ...

    def real_seconds(self, duration: timedelta) -> float:
        """Give the real seconds that ``duration`` of this clock takes."""
        ...


class SystemNodeClock:
    """The computer's own clock, unscaled."""

    def now(self) -> datetime:
        """Give the present moment, aware, UTC."""
        return datetime.now(UTC)

    def real_seconds(self, duration: timedelta) -> float:
        """Give the seconds of ``duration``."""
        return max(0.0, duration.total_seconds())
