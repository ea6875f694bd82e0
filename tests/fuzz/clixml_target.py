"""What fuzzing CLIXML runs: bytes in; a value, or an InputError with its place, and nothing else.

Each input is read whole, in pieces and as a fragment. What is read is written and read again: the same text must come.
"""

from __future__ import annotations

from collections.abc import Iterator

from cauctl.errors import InputError
from cauctl.psobject import Limits, clixml_stream, iter_clixml, read_clixml, read_fragment, to_python, write_clixml

LIMITS = Limits(text=1 << 20, document=1 << 22)


def check(data: bytes) -> bool:
    """Run one input; tell whether it was read. An AssertionError, or any error but InputError, is a find."""
    whole, error = outcome(lambda: read_clixml(data, limits=LIMITS))
    pieces, other = outcome(lambda: list(in_pieces(data)))
    assert str(error) == str(other), (error, other)
    if error is not None:
        assert error.line is not None
        assert error.column is not None
        assert error.column >= 1
        assert error.expected
    else:
        assert [repr(to_python(value)) for value in whole] == [repr(to_python(value)) for value in pieces]
        again(whole)
    outcome(lambda: [read_fragment(data.decode("utf-8", "replace"), limits=LIMITS)])
    return error is None


def in_pieces(data: bytes) -> Iterator[object]:
    """Read an input through a small window."""
    usual, clixml_stream._WINDOW = clixml_stream._WINDOW, 40 + len(data) % 400
    try:
        yield from iter_clixml(data, limits=LIMITS)
    finally:
        clixml_stream._WINDOW = usual


def outcome(read) -> tuple[list[object], InputError | None]:
    """Give the values that come out, and the refusal."""
    try:
        return read(), None
    except InputError as refusal:
        return [], refusal


def again(values: list[object]) -> None:
    """Write what was read, and read and write that: the same text both times."""
    texts, refusal = outcome(lambda: [write_clixml(values)])
    if refusal is None:
        assert [write_clixml(read_clixml(text)) for text in texts] == texts
    else:
        assert "U+FFF" in refusal.message  # the one thing that can be read and not written
