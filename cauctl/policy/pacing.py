"""How often is looked at something that takes its time.

Often at first, then in proportion to the time that has passed: a wait is overshot by at most a hundredth of its length,
and a long one costs few looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = ["next_look", "next_watch"]

_PART = 100
_WATCH_SHARE = 5


def next_look(now: datetime, *, since: datetime, shortest: timedelta, longest: timedelta) -> datetime:
    """Say when to look again at something that is waited for since ``since``."""
    return now + min(max((now - since) / _PART, shortest), longest)


def next_watch(begun: datetime, now: datetime, *, every: timedelta) -> datetime:
    """Say when to look again without a reason; looks that take long are made rarer, and stay a small part of the time.

    Args:
        begun: when the last look was begun.
        now: when its answer came.
        every: longest time without a look.
    """
    return now + max(every, _WATCH_SHARE * (now - begun))
