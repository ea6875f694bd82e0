"""Ctrl-C and SIGTERM in the middle of a run.

First Ctrl-C, SIGTERM, and SIGHUP (the terminal is gone): nothing new starts, the node in work is finished or undone.
Second Ctrl-C: the run is left as it is, with its lock and journal. Signals reach the main thread only; elsewhere
nothing is changed.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from cauctl.coordinator.stop_switch import StopSwitch

__all__ = ["INTERRUPTED", "heeding_signals"]

INTERRUPTED: Final = "Ctrl-C"
"""Who asked, as journals and reports have it."""
_STOPPING: Final = "Stopping: nothing new starts; the node in work is finished or undone. Ctrl-C again to leave."
_LEAVING: Final = "Leaving the run as it is; its lock and journal stay."


def _heeded() -> list[signal.Signals]:
    """Name the signals to heed; a hangup that is ignored (nohup) stays ignored."""
    hangup = getattr(signal, "SIGHUP", None)
    further = [] if hangup is None or signal.getsignal(hangup) is signal.SIG_IGN else [hangup]
    return [signal.SIGINT, signal.SIGTERM, *further]


@contextmanager
def heeding_signals(switch: StopSwitch, say: Callable[[str], None]) -> Iterator[None]:
    """Turn the switch when signals come; ``say`` tells people what happens now."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if switch.stop_requested:
            switch.detach()
            tell(_LEAVING)
        else:
            switch.stop(INTERRUPTED)
            tell(_STOPPING)

    def terminate(number: int, _frame: FrameType | None) -> None:
        switch.stop(signal.Signals(number).name)
        tell(_STOPPING)

    def tell(text: str) -> None:
        with suppress(OSError):  # the terminal may be what is gone
            say(text)

    before = {number: signal.getsignal(number) for number in _heeded()}
    for number in before:
        signal.signal(number, interrupt if number == signal.SIGINT else terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
