"""Columns of primitive texts, converted at once: what :mod:`clixml_shapes` finds in many objects of one shape.

A converter takes the texts of one property in many objects and gives its values, exactly those that the parsers of
:mod:`clixml_primitives` would give one by one; an oddity is a ValueError, or the reader's own error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

from cauctl.psobject.clixml_escapes import replace_entities, resolve, unescape
from cauctl.psobject.clixml_primitives import PRIMITIVES, USUAL_DATE, usual_date
from cauctl.psobject.times import utc_dates
from cauctl.psobject.values import Byte, Int16, Int64, SByte, UInt16, UInt32, UInt64, Version

__all__ = ["HOLES", "Column", "Convert", "Texts"]

Column: TypeAlias = Sequence[Any]
Convert: TypeAlias = Callable[[Column], Column]

_UTC_LENGTH: Final = 27
"""Length of a date in UTC with microseconds, which Python's own parser reads whole."""


def _integers(cls: type[int], lowest: int, highest: int) -> Convert:
    make: Callable[[str], int] = int if cls is int else partial(int.__new__, cls)  # the range is looked at below

    def convert(texts: Column) -> Column:
        numbers = list(map(make, texts))
        if min(numbers) < lowest or max(numbers) > highest:
            raise ValueError(cls)
        return numbers

    return convert


def _dates(texts: Column) -> Column:
    joined = " ".join(texts)
    if joined.count("Z") < len(texts) or ("." in joined and max(map(len, texts)) > _UTC_LENGTH):
        return list(map(usual_date, texts))
    return utc_dates(map(datetime.fromisoformat, joined.replace("Z", "").split(" ")))


def _decimals(texts: Column) -> Column:
    numbers = list(map(Decimal, texts))
    return [number or abs(number) for number in numbers]


def _each(tag: str) -> Convert:
    parse = PRIMITIVES[tag]
    return lambda texts: list(map(parse, texts))


_NUMBER: Final = "-?[0-9]{1,%d}"
HOLES: Final[dict[str, tuple[str, Convert]]] = {
    "B": ("true|false", lambda texts: [text == "true" for text in texts]),
    "By": ("[0-9]{1,3}", _integers(Byte, 0, 0xFF)),
    "SB": (_NUMBER % 3, _integers(SByte, -0x80, 0x7F)),
    "I16": (_NUMBER % 5, _integers(Int16, -0x8000, 0x7FFF)),
    "U16": ("[0-9]{1,5}", _integers(UInt16, 0, 0xFFFF)),
    "I32": (_NUMBER % 10, _integers(int, -0x8000_0000, 0x7FFF_FFFF)),
    "U32": ("[0-9]{1,10}", _integers(UInt32, 0, 0xFFFF_FFFF)),
    "I64": (_NUMBER % 19, _integers(Int64, -(1 << 63), (1 << 63) - 1)),
    "U64": ("[0-9]{1,20}", _integers(UInt64, 0, (1 << 64) - 1)),
    "Db": (r"-?[0-9]+(?:\.[0-9]+)?(?:E[+-][0-9]+)?", lambda texts: list(map(float, texts))),
    "D": (r"-?[0-9]{1,19}(?:\.[0-9]{1,9})?", _decimals),
    "DT": (USUAL_DATE, _dates),
    "G": ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", lambda texts: list(map(UUID, texts))),
    "Version": (
        r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}",
        lambda texts: [Version(tuple(map(int, text.split(".")))) for text in texts],
    ),
    **{tag: ("[^<&]+", _each(tag)) for tag in ("Sg", "C", "TS", "URI", "BA", "XD")},
}
"""Pattern and converter of a column by tag; the pattern is the form that PowerShell writes."""


class Texts:
    """Converter of text columns; most hold nothing that needs a look."""

    def __init__(self, text: str) -> None:
        self._plain = not ("&" in text or "_" in text or "]]>" in text)

    def convert(self, texts: Column) -> Column:
        """Resolve references and escapes in all texts."""
        if self._plain:
            return texts
        joined = "\0".join(texts)  # no text holds U+0000 yet: it keeps them apart
        if "]]>" in joined:
            raise ValueError("]]>")
        if "&" in joined:
            plain = replace_entities(joined)
            texts = list(map(resolve, texts)) if plain is None else plain.split("\0")
        if "_" in joined and ("_x" in joined or "_X" in joined):
            texts = list(map(unescape, texts))
        return texts
