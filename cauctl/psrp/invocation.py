"""One pipeline on a node, from its start to its end there.

Rules kept here:

* It is followed until it has ended, its deadline has passed or it is cancelled; then it is stopped, as Ctrl-C does, and
  has :data:`STOP_TIME` to say so.
* It is closed on the node. If that fails, its result stands: only the session is lost.
* All that follows a deadline is counted from that deadline, whatever came before took longer than it should have.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import TransportError
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.reader import PipelineReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.psrp.pipeline import Pipeline
    from cauctl.psrp.shell import Shell

__all__ = ["STOP_TIME", "Invocation"]

STOP_TIME: Final = 1.1
"""Seconds that a pipeline which is being stopped has to end."""
_LATE_ANSWER: Final = 0.3
"""Seconds that an answer may take beyond the time that the node was told to hold it."""
_CLOSE_TIME: Final = 1.6
"""Seconds after the deadline at which closing a pipeline is given up."""
_SHORTEST_HOLD: Final = 0.25


class Invocation:
    """A pipeline that runs.

    Args:
        shell: where.
        deadline: when to stop it.
        cancelled: set by another thread to stop it.
        on_output: takes batches of output.
    """

    def __init__(
        self,
        shell: Shell,
        *,
        deadline: Deadline,
        cancelled: threading.Event,
        on_output: Callable[[list[Any]], None] | None,
    ) -> None:
        self._shell = shell
        self._deadline = deadline
        self._cancelled = cancelled
        self._on_output = on_output
        self._longest_hold = shell.connection.operation_timeout.total_seconds()
        self.reader = PipelineReader(shell.connection, keep_output=on_output is None)
        self.command_id: str | None = None
        self.started = threading.Event()

    def run(self, pipeline: Pipeline) -> None:
        """Start ``pipeline`` and read until it has ended or was stopped."""
        self.command_id = self._shell.start(pipeline, self._deadline)
        self.started.set()
        while self.reader.is_running and not (self._deadline.passed or self._cancelled.is_set()):
            self._read(self._deadline)
        if self.reader.is_running:
            self._stop(self.command_id)

    def close(self) -> bool:
        """Free what the node holds for the pipeline; False when the session is of no use any more."""
        if self.command_id is None:
            return True
        try:
            soon = max(self._deadline, Deadline.after(STOP_TIME / 2))
            self._shell.end(self.command_id, min(soon, self._deadline.plus(_CLOSE_TIME)))
        except TransportError:
            return False
        return True

    def _stop(self, command_id: str) -> None:
        """Stop it; its output is still read, as it may end by itself before the node stops it."""
        until = min(Deadline.after(STOP_TIME), self._deadline.plus(STOP_TIME))
        self._shell.stop(command_id, until)
        while self.reader.is_running:
            self._read(until)

    def _read(self, until: Deadline) -> None:
        hold = max(_SHORTEST_HOLD, min(self._longest_hold, until.remaining))
        self.reader.take(self._shell.receive(self.command_id or "", hold, until.plus(_LATE_ANSWER)))
        if self._on_output is not None and self.reader.output:
            self._on_output(self.reader.take_output())
