"""The switch by which people stop a run: once kindly, a second time at once.

It only remembers what was asked; the driver heeds it at its next turn. It may be used from a signal handler or from
another thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cauctl.coordinator.state import RunState

__all__ = ["StopSwitch"]


class StopSwitch:
    """What was asked of a run from outside."""

    __slots__ = ("_detach", "_stop", "by")

    def __init__(self) -> None:
        self.by = ""
        self._stop = False
        self._detach = False

    def __repr__(self) -> str:
        asked = "detach" if self._detach else "stop" if self._stop else "nothing"
        return f"<StopSwitch asks for {asked}>"

    def stop(self, by: str = "") -> None:
        """Ask that nothing new starts and the node in work is finished or undone; ``by`` says who asks."""
        if not self._stop:
            self.by = by
        self._stop = True

    def detach(self) -> None:
        """Ask the coordinator to leave at once; lock and journal stay for recovery."""
        self._detach = True

    @property
    def stop_requested(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop

    @property
    def detach_requested(self) -> bool:
        """Whether it was asked to leave."""
        return self._detach

    def unheeded(self, state: RunState) -> bool:
        """Say whether something was asked that the run does not know of yet."""
        return (self._detach and not state.detached) or (self._stop and not state.stop_asked)
