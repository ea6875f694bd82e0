"""Columns of primitives turned into CLIXML texts at once: what :mod:`clixml_text` would make of them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from cauctl.psobject.clixml_text import ESCAPED, INT32, MARKUP, TEXTS, escape
from cauctl.psobject.values import Byte, DateTime, Int16, Int64, Kind, SByte, ScriptBlock, UInt16, UInt32, UInt64

__all__ = ["column_texts", "escape_all"]

_Convert: TypeAlias = Callable[[Sequence[Any]], "Sequence[str] | None"]


def column_texts(values: Sequence[Any]) -> Sequence[str] | None:
    """Write many values of one class, which is not null's; None where they do not all have the usual element."""
    kind = type(values[0])
    convert = _CONVERT.get(kind)
    return list(map(TEXTS[kind][1], values)) if convert is None else convert(values)


def escape_all(texts: Sequence[str]) -> Sequence[str]:
    """Write many texts as PowerShell does."""
    joined = "".join(texts)
    usual = joined.isascii() and joined.isprintable() and "_x" not in joined and "_X" not in joined
    if not usual and ESCAPED.search(joined):
        return list(map(escape, texts))
    if not any(char in joined for char in MARKUP):
        return texts
    joined = "\0".join(texts)  # no text holds U+0000: it would have been found
    for char, entity in MARKUP.items():
        joined = joined.replace(char, entity)
    return joined.split("\0")


def _int32(values: Sequence[int]) -> Sequence[str] | None:
    return _integers(values) if min(values) in INT32 and max(values) in INT32 else None


def _integers(values: Sequence[int]) -> Sequence[str]:
    return list(map(int.__repr__, values))


def _doubles(values: Sequence[float]) -> Sequence[str]:
    joined = f"{' '.join(map(repr, values))} "
    if "e" in joined or "n" in joined:  # an exponent, an infinity or no number
        return list(map(TEXTS[float][1], values))
    return joined.replace(".0 ", " ").split()


def _dates(values: Sequence[DateTime]) -> Sequence[str]:
    utc = Kind.UTC
    texts = [f"{value.clock.isoformat()}Z" for value in values if value.kind is utc and not value.hundred_nanoseconds]
    if len(texts) < len(values) or "." in "".join(texts):
        return list(map(TEXTS[DateTime][1], values))
    return texts


def _bytes(values: Sequence[bytes]) -> Sequence[str] | None:
    return list(map(TEXTS[bytes][1], values)) if all(values) else None


_CONVERT: Final[dict[type, _Convert]] = {
    str: escape_all,
    ScriptBlock: escape_all,
    bool: lambda values: ["true" if value else "false" for value in values],
    int: _int32,
    **dict.fromkeys((Byte, SByte, Int16, UInt16, UInt32, Int64, UInt64), _integers),
    float: _doubles,
    DateTime: _dates,
    bytes: _bytes,
}
"""By class; the others are written one by one."""
