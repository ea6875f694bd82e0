"""What is due when, for the driver: timers of the machine, and looks that are repeated until they show something.

A look that showed nothing new is repeated at the pace of its wait without a word to anybody. Where the clock can
foresee that nothing happens for a while, as a virtual one can, the looks of that while are left out: they would show
nothing. As soon as anything is told or done that no longer holds, and :meth:`Timetable.heed` puts them back where they
would have been.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

__all__ = ["Timetable"]


@frozen
class _LeftOut:
    """Looks that are left out."""

    node: str | None
    last: datetime = field(kw_only=True)
    """The last one that was made."""
    following: Callable[[datetime], datetime] = field(kw_only=True)
    """Gives when the look after one comes."""


class Timetable:
    """Timers by their time, and by their number where that is equal."""

    __slots__ = ("_left_out", "_queue", "_until")

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, str | None]] = []
        self._until: dict[int, datetime] = {}
        self._left_out: dict[int, _LeftOut] = {}

    def __repr__(self) -> str:
        return f"<Timetable of {len(self._until)} timers>"

    def start(self, number: int, until: datetime, node: str | None) -> None:
        """Have a timer fire; one of the same number that has not fired is put off or forward."""
        self._until[number] = until
        heapq.heappush(self._queue, (until, number, node))

    def repeat(
        self,
        number: int,
        node: str | None,
        *,
        last: datetime,
        following: Callable[[datetime], datetime],
        idle: datetime,
    ) -> None:
        """Have a look repeated.

        Args:
            number: number of its timer.
            node: the node that it is made for.
            last: when it was made.
            following: gives when the look after one comes.
            idle: nothing happens before this moment.
        """
        at = following(last)
        if at < idle:
            self._left_out[number] = _LeftOut(node, last=last, following=following)
            while at < idle:
                at = following(at)
        self.start(number, at, node)

    def heed(self, now: datetime) -> None:
        """Put back what was left out and is not past: something was told or is done."""
        for number, look in self._left_out.items():
            at = look.following(look.last)
            while at < now:
                at = look.following(at)
            self.start(number, at, look.node)
        self._left_out.clear()

    def next(self) -> datetime | None:
        """When the next timer fires; None without any."""
        queue = self._queue
        while queue and self._until.get(queue[0][1]) != queue[0][0]:
            heapq.heappop(queue)
        return queue[0][0] if queue else None

    def take(self, now: datetime) -> tuple[int, str | None] | None:
        """Give number and node of a timer that is due; None when none is."""
        until = self.next()
        if until is None or until > now:
            return None
        _, number, node = heapq.heappop(self._queue)
        del self._until[number]
        self._left_out.pop(number, None)
        return number, node
