"""How often is looked at something that takes its time.

Often at first, then in proportion to the time that has passed: a wait is overshot by at most a fiftieth of its length,
and a long one costs few looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = ["next_look"]

_PART = 50


def next_look(now: datetime, *, since: datetime, shortest: timedelta, longest: timedelta) -> datetime:
    """Say when to look again at something that is waited for since ``since``."""
    return now + min(max((now - since) / _PART, shortest), longest)
