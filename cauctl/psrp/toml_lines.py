"""On which line of a TOML text a key was set: tomllib keeps no positions, so it is asked again, line by line.

Only done when something is wrong with a file; the time grows with the square of its length, and such files are short.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Path", "key_lines", "parse_toml"]

Path = tuple[str, ...]
"""Keys from the root of the document to a value."""

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse_toml(text: str, *, where: str) -> dict[str, Any]:
    """Parse ``text``; raises InputError with ``where``, line and column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line, column = (int(group) for group in place.groups()) if place and place[1] else (text.count("\n") + 1, None)
        raise InputError(
            f"{_PLACE.sub('', message)}.", where=where, line=line, column=column, expected="a TOML document"
        ) from error


def key_lines(text: str) -> dict[Path, int]:
    """Give the line, counted from 1, on which each key and table of a valid document starts."""
    found: dict[Path, int] = {}
    lines = text.split("\n")
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        first = next((number for number in range(begin, end) if _is_statement(lines[number])), begin)
        for path in _paths(document, ()):
            found.setdefault(path, first + 1)
        begin = end
    return found


def _is_statement(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _paths(value: Any, path: Path) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _paths(item, (*path, str(number)))
