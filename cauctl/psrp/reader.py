"""Read what a pipeline writes: its objects, its records, and how it ended.

Rules kept here:

* Everything that is read goes through one decoder, :func:`cauctl.psobject.read_fragment`.
* Memory is bounded: what is kept may have :data:`MOST_KEPT` bytes of CLIXML. That is output that nobody takes, and
  records in any case.
* Where an answer cannot be read, the pipeline's fate is unknown; nothing is skipped.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import FateUnknownError, InputError
from cauctl.psobject import PSObject, read_fragment
from cauctl.psrp.display import show_text
from cauctl.psrp.fragments import FragmentError, Fragments, Message
from cauctl.psrp.pipeline import ErrorRecord, PipelineResult
from cauctl.psrp.records import error_record, record_text

if TYPE_CHECKING:
    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.shell import Receipt

__all__ = ["MOST_KEPT", "PipelineReader", "PipelineState"]

MOST_KEPT: Final = 64 * 1024 * 1024
"""Bytes of CLIXML that may be kept of a pipeline; as objects they take at most seven times as much."""


class PipelineState(Enum):
    """How a pipeline ended, or that it has not; numbers as in [MS-PSRP] 2.2.3.5 (PSInvocationState)."""

    RUNNING = 1
    STOPPED = 3
    COMPLETED = 4
    FAILED = 5


class PipelineReader:
    """What has been read of one pipeline.

    Args:
        connection: the node, for errors.
        keep_output: whether :attr:`output` is read only at the end, and so must stay bounded.
    """

    def __init__(self, connection: NodeConnection, *, keep_output: bool) -> None:
        self._connection = connection
        self._keep_output = keep_output
        self._fragments = Fragments()
        self._size = 0
        self.state = PipelineState.RUNNING
        self.output: list[Any] = []
        self.errors: list[ErrorRecord] = []
        self.terminating: ErrorRecord | None = None
        self._warnings: list[str] = []
        self._verbose: list[str] = []

    @property
    def is_running(self) -> bool:
        """Whether the node has not yet said how the pipeline ended."""
        return self.state is PipelineState.RUNNING

    def take(self, receipt: Receipt) -> None:
        """Read one answer of the node."""
        if receipt.repeated:
            self._fragments.resume()
        try:
            for message in self._fragments.feed(receipt.data):
                self._read(message)
        except (FragmentError, InputError) as error:
            raise self._unreadable(show_text(str(error), 300)) from error
        if receipt.done and self.is_running:
            raise self._unreadable("the node ended the stream without the pipeline's state")

    def take_output(self) -> list[Any]:
        """Give the objects that have arrived since the last call."""
        batch, self.output = self.output, []
        return batch

    def result(self) -> PipelineResult:
        """Give all that was read."""
        return PipelineResult(
            self.output, errors=tuple(self.errors), warnings=tuple(self._warnings), verbose=tuple(self._verbose)
        )

    def _read(self, message: Message) -> None:
        if message.kind not in _READERS:
            return
        if self._keep_output or message.kind != _OUTPUT:
            self._size += message.size
            if self._size > MOST_KEPT:
                raise FragmentError(f"the pipeline wrote more than {MOST_KEPT:,} bytes; take its output in batches")
        value = read_fragment(message.text) if message.text else None
        getattr(self, _READERS[message.kind])(value)

    def _read_state(self, value: Any) -> None:
        number = value.get("PipelineState") if isinstance(value, PSObject) else None
        self.state = _STATES.get(_plain_number(number), PipelineState.RUNNING)
        record = value.get("ExceptionAsErrorRecord") if isinstance(value, PSObject) else None
        if record is not None:
            self.terminating = error_record(record)

    def _unreadable(self, reason: str) -> FateUnknownError:
        return FateUnknownError(
            f"the answer cannot be read ({reason}). The pipeline may have run.",
            node=self._connection.node,
            address=f"{self._connection.address}:{self._connection.port}",
        )

    def _read_output(self, value: Any) -> None:
        self.output.append(value)

    def _read_error(self, value: Any) -> None:
        self.errors.append(error_record(value))

    def _read_warning(self, value: Any) -> None:
        self._warnings.append(record_text(value))

    def _read_verbose(self, value: Any) -> None:
        self._verbose.append(record_text(value))


def _plain_number(value: Any) -> int:
    """Give a number, or what an enum holds; 0 for anything else, which no node writes."""
    plain = value.base if isinstance(value, PSObject) else value
    return plain if isinstance(plain, int) else 0


_STATES: Final = {state.value: state for state in PipelineState}
_OUTPUT: Final = 0x00041004
_READERS: Final = {
    _OUTPUT: "_read_output",
    0x00041005: "_read_error",
    0x00041006: "_read_state",
    0x00041008: "_read_verbose",
    0x00041009: "_read_warning",
}
"""Method by message type; debug, progress, information records and host calls are not read."""
