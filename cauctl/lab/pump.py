"""Time of a lab that runs: a clock some times as fast as the real one, and the thread that lets the world follow it."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cauctl.lab.world import World

__all__ = ["LabClock", "Pump"]

log = logging.getLogger(__name__)

_LONGEST_REST: Final = 1.0
_PATIENCE: Final = 10.0


class LabClock:
    """Implements :class:`cauctl.lab.clock.NodeClock`: ``scale`` times as fast as real time, from ``epoch`` on."""

    def __init__(self, epoch: datetime, scale: float) -> None:
        self.epoch = epoch
        self.scale = scale
        self.started = datetime.now(UTC)
        """When it began, by the computer's clock."""
        self._monotonic = time.monotonic()

    def __repr__(self) -> str:
        return f"<LabClock {self.now().isoformat()}, {self.scale:g} times real time>"

    def now(self) -> datetime:
        """Give the lab's present moment, aware, UTC."""
        return self.epoch + timedelta(seconds=(time.monotonic() - self._monotonic) * self.scale)

    def real_seconds(self, duration: timedelta) -> float:
        """Give the real seconds that ``duration`` of this clock takes."""
        return max(0.0, duration.total_seconds() / self.scale)


class Pump:
    """A thread that lets a world go on with a clock: it sleeps until something is due."""

    def __init__(self, world: World, clock: LabClock) -> None:
        self._world = world
        self._clock = clock
        self._stopping = False
        self._planned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cauctl-lab-pump", daemon=True)

    def __repr__(self) -> str:
        return f"<Pump {'running' if self._thread.is_alive() else 'not running'}>"

    def start(self) -> None:
        """Begin."""
        self._world.kernel.on_plan = self._planned.set
        self._thread.start()

    def stop(self) -> None:
        """End and wait for the end; nothing happens if it never began."""
        self._stopping = True
        self._planned.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)
        self._world.kernel.on_plan = None

    def _go_on(self) -> datetime | None:
        """Let the world catch up; give when something is due next."""
        with self._world.lock:
            try:
                self._world.kernel.advance(self._clock.now())
            except Exception:
                # What failed is gone from the queue; a world that stood still would hang whoever waits for it.
                log.exception("something in the lab's world failed")
            return self._world.kernel.next_due()

    def _run(self) -> None:
        while not self._stopping:
            self._planned.clear()
            due = self._go_on()
            rest = _LONGEST_REST if due is None else self._clock.real_seconds(due - self._clock.now())
            self._planned.wait(min(rest, _LONGEST_REST))
