"""One pipeline of a pool: its request, its input, its stop."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.dispatch import PipelineStoppedError
from cauctl.lab.runspace.framing import MessageType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from cauctl.lab.runspace.engine import PythonEngine
    from cauctl.lab.runspace.requests import PipelineRequest

__all__ = ["Pipeline"]

_END: Final = object()


class Pipeline:
    """State of one pipeline; commands write through a :class:`CommandStreams` of their own."""

    def __init__(self, pipeline_id: UUID, engine: PythonEngine) -> None:
        self.pipeline_id = pipeline_id
        """WSMan's identifier of the command."""
        self.wire_id = pipeline_id
        """The identifier within messages, as the client spells it."""
        self.engine = engine
        self.request: PipelineRequest | None = None
        self.stopping = threading.Event()
        self.finished = False
        """Its end state was sent."""
        self._input: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def is_nested(self) -> bool:
        """Whether it runs within another pipeline and needs no runspace of its own."""
        return self.request is not None and self.request.is_nested

    def begin(self, request: PipelineRequest, wire_id: UUID | None) -> None:
        """Take the request."""
        self.request = request
        self.wire_id = wire_id or self.pipeline_id

    def put_input(self, value: Any) -> None:
        """Queue an object that the client pipes in."""
        self._input.put(value)

    def end_input(self) -> None:
        """Say that the client pipes nothing more."""
        self._input.put(_END)

    def stop(self) -> None:
        """Let the commands leave at their next write, sleep or read."""
        self.stopping.set()
        self._input.put(_END)

    def read_input(self) -> Iterator[Any]:
        """Give the client's objects as they come."""
        while (value := self._input.get()) is not _END:
            yield value
        self.check()

    def check(self) -> None:
        """Leave if the pipeline was stopped."""
        if self.stopping.is_set():
            raise PipelineStoppedError

    def output(self, value: Any) -> None:
        """Write an object to the client."""
        self.engine.write(self, MessageType.PIPELINE_OUTPUT, value)
