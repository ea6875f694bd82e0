"""Time of a world: a queue of what happens when, and dice that a seed loads.

Rules kept here:

* No thread, no sleep, no real clock: time moves only in :meth:`Kernel.advance`, from one due action to the next.
* Two actions due at the same moment run in the order in which they were planned.
* A throw of the dice depends on the seed, on what it is thrown for, and on how often it was thrown for that; what else
  happens in the world does not change it. So the same seed gives the same run, and a shrunk world keeps its luck.
"""

from __future__ import annotations

import heapq
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from datetime import datetime
    from typing import TypeAlias, TypeVar

    Action: TypeAlias = Callable[[], object]
    Process: TypeAlias = Generator[timedelta, None, None]
    """A course of events: each value it yields is how long until it goes on."""

    T = TypeVar("T")

__all__ = ["Course", "Dice", "Kernel", "Timer"]

_MILLISECOND: Final = timedelta(milliseconds=1)
_DIE_BYTES: Final = 8
_DIE_FACES: Final = 1 << (8 * _DIE_BYTES)


class Timer:
    """One planned action, which may be called off."""

    __slots__ = ("action", "at")

    def __init__(self, at: datetime, action: Action | None) -> None:
        self.at = at
        self.action = action

    def __repr__(self) -> str:
        return f"<Timer {self.at.isoformat()}{'' if self.action else ', called off'}>"

    def cancel(self) -> None:
        """Call the action off; nothing happens when it ran already."""
        self.action = None


class Course:
    """A process under way."""

    __slots__ = ("_kernel", "_process", "_timer", "running")

    def __init__(self, kernel: Kernel, process: Process) -> None:
        self.running = True
        """False once the process came to its end or was ended."""
        self._kernel = kernel
        self._process = process
        self._timer: Timer | None = None

    def go_on(self) -> None:
        """Run to the next pause."""
        pause = next(self._process, None)
        self._kernel.touch()
        if pause is None or not self.running:
            self.running = False
        else:
            self._timer = self._kernel.after(pause, self.go_on)

    def cancel(self) -> None:
        """End the process where it pauses; one that ends itself goes on to its next pause."""
        self.running = False
        if self._timer is not None:
            self._timer.cancel()


class Kernel:
    """A clock and the actions that are due on it."""

    __slots__ = ("_planned", "_queue", "now", "on_plan", "version")

    def __init__(self, start: datetime) -> None:
        self.now = start
        """The present moment."""
        self.version = 0
        """Grows with everything that happens, so that views of the world can be kept as long as it stands still."""
        self.on_plan: Action | None = None
        """Called when something was planned, for whoever waits for :meth:`next_due`."""
        self._planned = 0
        self._queue: list[tuple[datetime, int, Timer]] = []

    def __repr__(self) -> str:
        return f"<Kernel {self.now.isoformat()}, {len(self._queue)} planned>"

    def touch(self) -> None:
        """Tell that something changed."""
        self.version += 1

    def after(self, delay: timedelta, action: Action) -> Timer:
        """Plan an action."""
        timer = Timer(self.now + delay, action)
        self._planned += 1
        heapq.heappush(self._queue, (timer.at, self._planned, timer))
        if self.on_plan is not None:
            self.on_plan()
        return timer

    def start(self, process: Process) -> Course:
        """Run a process to its first pause now, and to its end as time passes."""
        course = Course(self, process)
        course.go_on()
        return course

    def next_due(self) -> datetime | None:
        """When the next action is due; None when nothing is planned."""
        while self._queue and self._queue[0][2].action is None:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def advance(self, to: datetime) -> None:
        """Let everything happen that is due until ``to``; a moment that has passed changes nothing."""
        queue = self._queue
        while queue and queue[0][0] <= to:
            at, _, timer = heapq.heappop(queue)
            action = timer.action
            if action is None:
                continue
            timer.action = None
            self.now = max(self.now, at)
            self.version += 1
            action()
        self.now = max(self.now, to)


class Dice:
    """Luck that a seed decides."""

    __slots__ = ("_seed", "_thrown")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._thrown: dict[str, int] = {}

    def throw(self, purpose: str) -> float:
        """Give a number from 0 up to 1."""
        thrown = self._thrown.get(purpose, 0)
        self._thrown[purpose] = thrown + 1
        digest = blake2b(f"{self._seed}/{purpose}/{thrown}".encode(), digest_size=_DIE_BYTES).digest()
        return int.from_bytes(digest, "big") / _DIE_FACES

    def chance(self, purpose: str, rate: float) -> bool:
        """Tell whether something that happens at this rate (0 to 1) happens now."""
        return rate > 0 and self.throw(purpose) < rate

    def vary(self, purpose: str, duration: timedelta, by: float) -> timedelta:
        """Stretch or shorten a duration by up to this part of itself, to whole milliseconds."""
        if by == 0:
            return duration
        varied = duration * (1 + by * (2 * self.throw(purpose) - 1))
        return varied - varied % _MILLISECOND

    def pick(self, purpose: str, choices: Sequence[T]) -> T:
        """Choose one."""
        return choices[int(self.throw(purpose) * len(choices))]
