"""Top-level values, as many at once as are at hand.

Rules kept here: values before a fault are given, and the fault is the first in the order of the text; a value that is
cut off by the end of the text at hand leaves nothing behind.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from cauctl.errors import InputError
from cauctl.psobject.clixml_reader import ODD, Reader
from cauctl.psobject.clixml_usual import LEAF
from cauctl.psobject.clixml_window import TruncatedError

__all__ = ["Batch", "Batches"]

_BATCH: Final = 4000


class Batch(NamedTuple):
    """Top-level values as far as they could be read."""

    values: list[tuple[str | None, Any]]
    """Each with the name of its stream."""
    end: int
    """Offset behind them."""
    fault: Exception | None
    """Why there are no more: an InputError, or a TruncatedError where the text at hand ends."""
    last: bool
    """True at the end tag around the values."""


class Batches:
    """Reads top-level values by a reader.

    Args:
        reader: the reader.
        across: references may point to earlier top-level values.
    """

    def __init__(self, reader: Reader, *, across: bool) -> None:
        self._reader, self._across = reader, across

    def read(self, pos: int, wanted: frozenset[str] | None = None) -> Batch:
        """Read top-level values from ``pos`` on, up to the end tag around them, to a fault, or to a few thousand.

        Args:
            pos: where to begin.
            wanted: RefIds of the objects that are remembered for later batches; None for all.
        """
        values: list[Any] = []
        streams: dict[int, str] = {}
        fault: Exception | None = None
        last = False
        try:
            while not last and len(values) < _BATCH:
                end = self._next(values, streams, pos)
                last = end < 0
                pos = pos if last else end
        except TruncatedError as cut:
            fault = cut
            self._reader.references.undo()
            self._reader.shapes.drop(len(values))
        except InputError as refusal:
            fault = refusal
        try:
            self._reader.shapes.settle()
        except InputError as refusal:
            fault = refusal
            del values[self._reader.shapes.odd_top :]
        if wanted is not None:
            self._reader.references.keep(wanted)
        return Batch([(streams.get(index), value) for index, value in enumerate(values)], pos, fault, last)

    def _next(self, values: list[Any], streams: dict[int, str], pos: int) -> int:
        """Read the next top-level values; give the offset behind them, -1 at the end tag around them."""
        syntax = self._reader.syntax
        found = LEAF.match(syntax.text, pos) if syntax.usual else None
        if found is not None:
            value = self._reader.leaf(found[1], found[3], found[4])
            if value is not ODD:
                values.append(value)
                return found.end()
        pos = syntax.skip(pos)
        if syntax.text.startswith("</", pos):
            return -1
        if not self._across:
            self._reader.shapes.settle()
            self._reader.references.keep(())
        self._reader.top = len(values)
        self._reader.references.begin()
        taken = self._reader.take(values, pos, 0)
        if taken is not None:
            return taken
        value, end = self._reader.one(pos, 0)
        if not syntax.text.startswith("<Obj R", pos) and (stream := syntax.start(pos).stream) is not None:
            streams[len(values)] = stream
        values.append(value)
        return end
