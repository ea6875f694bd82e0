"""The text at hand, with its place in the document, and the errors that name the place.

Rules kept here: a character that XML does not allow ends the text, as does whatever a source says is wrong; the error
is told when the reader gets there. Lines and columns count from 1.
"""

from __future__ import annotations

import re
from typing import Final

from cauctl.errors import InputError

__all__ = ["TruncatedError", "Window", "first_illegal"]

_CONTROLS: Final = tuple(chr(code) for code in range(32) if code not in (9, 10, 13))
_CONTROL_BYTES: Final = tuple(char.encode() for char in _CONTROLS)
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL_UTF8: Final = re.compile(rb"\xed[\xa0-\xbf]|\xef\xbf[\xbe\xbf]")


class TruncatedError(Exception):
    """The text at hand ends within a token, and more may follow."""


def first_illegal(text: str) -> int | None:
    """Find the first character that XML 1.0 does not allow raw; None if all are allowed."""
    # Searching for each character alone is ten times as fast as searching for one of them.
    if text.isascii():
        if not any(char in text for char in _CONTROLS):
            return None
    else:
        data = text.encode("utf-8", "surrogatepass")
        if not any(byte in data for byte in _CONTROL_BYTES) and not _ILLEGAL_UTF8.search(data):
            return None
    found = _ILLEGAL.search(text)
    return found.start() if found else None


class Window:
    r"""A text, or the part of it that is at hand.

    Args:
        text: the text, line ends already ``\n``.
        where: name of the source in errors.
        final: False while more text may follow: what is cut off at the end then raises TruncatedError.
        fault: what is wrong behind the last character, where something is.
    """

    def __init__(self, text: str, *, where: str | None = None, final: bool = True, fault: str | None = None) -> None:
        self._where = where
        self._line = self._column = 1
        self._take(text, final=final, fault=fault)

    def _take(self, text: str, *, final: bool, fault: str | None) -> None:
        illegal = first_illegal(text)
        self.final, self._fault = final, fault
        if illegal is not None:
            self.final = True
            self._fault = f"The character U+{ord(text[illegal]):04X} is not allowed in XML"
            text = text[:illegal]
        self.text = text
        """The text at hand, as far as its characters may stand in XML."""

    def advance(self, pos: int, more: str, *, final: bool, fault: str | None) -> None:
        """Drop the text before ``pos`` and add ``more`` behind; offsets count from the new beginning."""
        self._line, self._column = self.position(pos)
        self._take(self.text[pos:] + more, final=final, fault=fault)

    def position(self, pos: int) -> tuple[int, int]:
        """Give line and column of an offset."""
        lines = self.text.count("\n", 0, pos)
        if not lines:
            return self._line, self._column + pos
        return self._line + lines, pos - self.text.rindex("\n", 0, pos)

    def error(self, pos: int, message: str, expected: str | None = None) -> InputError:
        """Build the error for an offset."""
        line, column = self.position(pos)
        return InputError(
            message, where=self._where, line=line, column=column, expected=expected, error_id="InvalidCliXml"
        )

    def cut(self, expected: str) -> Exception:
        """Build the error for text that ends too early."""
        if not self.final:
            return TruncatedError()
        if self._fault is not None:
            return self.error(len(self.text), f"{self._fault}.", expected)
        return self.error(len(self.text), "The text ends too early.", expected)

    def check_end(self) -> None:
        """Raise if the text does not simply end but is followed by what is no text."""
        if self._fault is not None:
            raise self.error(len(self.text), f"{self._fault}.", "the end")
