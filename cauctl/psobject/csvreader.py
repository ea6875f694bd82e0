"""CSV as PowerShell reads it: text in, property bags out.

Rules kept here, those of PowerShell's own reader:

* A first line ``#TYPE Name`` names the types of the objects, ``Name`` and ``CSV:Name``; other lines that begin with
  ``#`` before the header are skipped, ``#Fields: `` of a W3C log is the header.
* Without ``header`` the first record names the columns; empty names at its end are cut, others become ``H1``, ``H2``
  with a warning. A name that comes twice, in any case, is refused.
* Blanks before a field are dropped, those after a closing quote too. Within quotes two quotes are one. What follows a
  closing quote still belongs to the field.
* Empty lines are skipped. A record that is too short leaves nulls, one that is too long loses its end.
* All values are text.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Final

from cauctl.errors import InputError
from cauctl.psobject.objects import CUSTOM_OBJECT, PSObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["UnnamedColumnWarning", "csv_columns", "read_csv"]

_TYPE_LINE: Final = "#type"
_W3C: Final = "#Fields: "
_BLANK: Final = " \t"
_LINE_END: Final = re.compile(r"[\r\n]")
_LONE_BLANKS: Final = re.compile(r"\A([^ \t]+[ \t])[ \t]+\Z")
"""Blanks after a field of one word: PowerShell keeps the first of them."""


class UnnamedColumnWarning(UserWarning):
    """A column has no name; PowerShell warns of it too."""


def read_csv(text: str, *, delimiter: str = ",", header: Sequence[str] | None = None) -> Iterator[PSObject]:
    """Give an object for each record, with the columns as notes.

    Args:
        text: the whole text.
        delimiter: one character.
        header: names of the columns, where the text has none.

    Raises:
        InputError: a column's name comes twice, or the delimiter is not one character.
    """
    reader = _Reader(text, delimiter)
    type_names = reader.type_names() if text.startswith("#") else CUSTOM_OBJECT
    columns = _named(reader.header() if header is None else list(header))
    for record in reader.records():
        values = [*record[: len(columns)], *[None] * (len(columns) - len(record))]
        yield PSObject(type_names=type_names, extended=dict(zip(columns, values, strict=True)))


def csv_columns(text: str, *, delimiter: str = ",") -> list[str]:
    """Read the names of the columns alone."""
    reader = _Reader(text, delimiter)
    if text.startswith("#"):
        reader.type_names()
    return reader.header()


def _named(columns: list[str]) -> list[str]:
    """Name the columns that have no name; refuse names that come twice."""
    found: list[str] = []
    for name in columns:
        found.append(name or f"H{sum(not each for each in columns[: len(found)]) + 1}")
    seen: set[str] = set()
    for name in found:
        if name.upper() in seen:
            raise InputError(f"The member {name!a} is already present.", where="header", expected="each name once")
        seen.add(name.upper())
    if found != columns:
        warnings.warn(
            'One or more headers were not specified. Default names starting with "H" have been used in place of them.',
            UnnamedColumnWarning,
            stacklevel=3,
        )
    return found


class _Reader:
    """Reads records one after the other."""

    def __init__(self, text: str, delimiter: str) -> None:
        if len(delimiter) != 1:
            raise InputError(f"{delimiter!a} is no delimiter.", where="delimiter", expected="one character")
        self._text, self._at, self._delimiter = text, 0, delimiter

    def type_names(self) -> tuple[str, ...]:
        """Read a first line that begins with ``#``."""
        end = self._line_end(self._at)
        line, self._at = self._text[self._at : end], self._after_line_end(end)
        name = line[len(_TYPE_LINE) :].strip() if line.lower().startswith(_TYPE_LINE) else ""
        return (name, f"CSV:{name}") if name else CUSTOM_OBJECT

    def header(self) -> list[str]:
        """Read the record that names the columns."""
        while self._at < len(self._text):
            record = self._record()
            while len(record) > 1 and not record[-1]:
                record.pop()
            if record and record[0].startswith(_W3C):
                return [record[0][len(_W3C) :], *record[1:]]
            if not (record and record[0].startswith("#")):
                return record
        return []

    def records(self) -> Iterator[list[str]]:
        """Read the records that are left; empty lines are none."""
        while self._at < len(self._text):
            record = self._record()
            if not record:
                return
            if record != [""]:
                yield record

    def _record(self) -> list[str]:
        """Read up to the end of a line or of the text."""
        found: list[str] = []
        text, ended = self._text, False
        while not ended and self._at < len(text):
            self._at = self._skip(self._at, _BLANK.replace(self._delimiter, ""))
            if self._at == len(text):
                break
            if text[self._at] == '"':
                if self._at == len(text) - 1:  # opened and never closed: no field
                    self._at += 1
                    break
                field, ended = self._quoted()
            else:
                field, ended = self._rest()
                field = _LONE_BLANKS.sub(r"\1", field)
            found.append(field)
        return found

    def _quoted(self) -> tuple[str, bool]:
        """Read a field that begins with a quote, and whether the record ends with it."""
        parts: list[str] = []
        at = self._at + 1
        while True:
            end = self._text.find('"', at)
            if end < 0:
                self._at = len(self._text)
                return "".join((*parts, self._text[at:])), True
            parts.append(self._text[at:end])
            if not self._text.startswith('""', end):
                break
            parts.append('"')
            at = end + 2
        self._at = end + 1
        rest, ended = self._rest()
        return "".join((*parts, rest if rest.strip(_BLANK) else "")), ended

    def _rest(self) -> tuple[str, bool]:
        """Read to the next delimiter or line end, and whether the record ends there."""
        end = self._line_end(self._at)
        stop = self._text.find(self._delimiter, self._at, end)
        if stop >= 0:
            field, self._at = self._text[self._at : stop], stop + 1
            return field, False
        field, self._at = self._text[self._at : end], self._after_line_end(end)
        return field, True

    def _line_end(self, at: int) -> int:
        found = _LINE_END.search(self._text, at)
        return found.start() if found else len(self._text)

    def _after_line_end(self, end: int) -> int:
        return end + (2 if self._text.startswith("\r\n", end) else 1)

    def _skip(self, at: int, blanks: str) -> int:
        while at < len(self._text) and self._text[at] in blanks:
            at += 1
        return at
