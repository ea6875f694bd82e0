"""How each primitive stands in CLIXML: tag and text.

Rules kept here, as PowerShell 7.6 writes:

* Control characters, U+007F to U+009F, each surrogate code unit, and ``_`` before ``x`` become ``_xHHHH_``; then the
  characters of XML are escaped. U+FFFE and U+FFFF cannot be written at all.
* Double and Single have .NET's digits, INF, -INF and NaN; dates lose trailing zeros and carry ``Z`` or the offset that
  they were read with; a time span is an ISO 8601 duration of days, hours, minutes and seconds.
* A local date that was made without an offset gets that of the process's zone.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cauctl.errors import InputError
from cauctl.psobject.nettext import decimal_text, double_text, single_text
from cauctl.psobject.times import TICKS_PER_SECOND
from cauctl.psobject.values import (
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    Kind,
    SByte,
    ScriptBlock,
    SecureString,
    Single,
    TimeSpan,
    UInt16,
    UInt32,
    UInt64,
    Uri,
    Version,
    XmlDocument,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ESCAPED", "INT32", "MARKUP", "TEXTS", "element", "escape", "escape_attribute"]

_SPECIAL: Final = re.compile("[&<>\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]")
_LOOKS_ESCAPED: Final = (("_x", "_x005F_x"), ("_X", "_x005F_X"))
"""What would read as the beginning of an escape, and how it is written; first of all, for other escapes look so too."""
ESCAPED: Final = re.compile(f"{_SPECIAL.pattern.replace('&<>', '')}|_(?=[xX])")
"""What is written as ``_xHHHH_``, or not at all."""
MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""What is written as XML has it; in this order one after the other may be replaced."""
INT32: Final = range(-(1 << 31), 1 << 31)
_INT64: Final = range(-(1 << 63), 1 << 63)
_UNITS: Final = ((86_400, "D"), (3_600, "H"), (60, "M"))
_MOST_HOURS: Final = 99
_MOST_MINUTES: Final = 99
_ASTRAL: Final = 0x10000


def escape(text: str) -> str:
    """Write a text as PowerShell does."""
    if "_" in text:
        for plain, written in _LOOKS_ESCAPED:
            text = text.replace(plain, written)
    return _SPECIAL.sub(_escaped, text) if _SPECIAL.search(text) else text


def escape_attribute(text: str) -> str:
    """Write a text between double quotes as PowerShell does."""
    return escape(text).replace('"', "&quot;")


def _escaped(found: re.Match[str]) -> str:
    return MARKUP.get(found[0]) or _escape_of(found[0])


@lru_cache(maxsize=1024)
def _escape_of(char: str) -> str:
    code = ord(char)
    if code in (0xFFFE, 0xFFFF):
        raise InputError(
            f"The character U+{code:04X} stands in a text; PowerShell cannot write it to CLIXML either.",
            expected="a text without U+FFFE and U+FFFF",
        )
    if code < _ASTRAL:
        return f"_x{code:04X}_"
    code -= _ASTRAL
    return f"_x{0xD800 + (code >> 10):04X}__x{0xDC00 + (code & 0x3FF):04X}_"


def _double(value: float) -> str:
    return _special(value) or double_text(value)


def _single(value: float) -> str:
    return _special(value) or single_text(value)


def _special(value: float) -> str:
    if value != value:  # noqa: PLR0124  only NaN differs from itself
        return "NaN"
    if value - value != 0:
        return "INF" if value > 0 else "-INF"
    return ""


def _datetime(value: DateTime) -> str:
    clock = value.clock
    text = clock.isoformat()
    if value.hundred_nanoseconds:
        text = f"{text}{'' if clock.microsecond else '.000000'}{value.hundred_nanoseconds}"
    elif clock.microsecond:
        text = text.rstrip("0")
    if value.kind is Kind.UNSPECIFIED:
        return text
    if value.kind is Kind.UTC:
        return text + "Z"
    offset = value.offset
    if offset is None:
        offset = clock.astimezone().utcoffset() or timedelta()
    minutes = abs(offset) // timedelta(minutes=1)
    hours = min(minutes // 60, _MOST_HOURS)
    if minutes - hours * 60 > _MOST_MINUTES:
        raise InputError(f"The offset {offset} of a date is too far.", expected="99 hours and 99 minutes at most")
    return f"{text}{'-' if offset < timedelta() else '+'}{hours:02}:{minutes - hours * 60:02}"


def _timespan(value: TimeSpan) -> str:
    seconds, ticks = divmod(abs(value.ticks), TICKS_PER_SECOND)
    sign = "-" if value.ticks < 0 else ""
    parts = []
    for unit, letter in _UNITS:
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{count}{letter}")
    days = parts.pop(0) if parts and parts[0].endswith("D") else ""
    if seconds or ticks:
        parts.append(f"{seconds}{f'.{ticks:07}'.rstrip('0') if ticks else ''}S")
    if not parts and not days:
        return "PT0S"
    return f"{sign}P{days}{'T' if parts else ''}{''.join(parts)}"


def _number(value: int) -> str:
    return int.__repr__(value)


TEXTS: Final[dict[type, tuple[str, Callable[[Any], str]]]] = {
    str: ("S", escape),
    bool: ("B", lambda value: "true" if value else "false"),
    int: ("I32", _number),
    Byte: ("By", _number),
    SByte: ("SB", _number),
    Int16: ("I16", _number),
    UInt16: ("U16", _number),
    UInt32: ("U32", _number),
    Int64: ("I64", _number),
    UInt64: ("U64", _number),
    float: ("Db", _double),
    Single: ("Sg", _single),
    Decimal: ("D", decimal_text),
    Char: ("C", lambda value: str(ord(value))),
    DateTime: ("DT", _datetime),
    TimeSpan: ("TS", _timespan),
    UUID: ("G", str),
    Uri: ("URI", lambda value: escape(value.text)),
    Version: ("Version", str),
    bytes: ("BA", lambda value: b64encode(value).decode("ascii")),
    XmlDocument: ("XD", lambda value: escape(value.text)),
    ScriptBlock: ("SBK", escape),
    SecureString: ("SS", lambda value: escape(value.protected)),
}
"""Tag and text by exact class. A plain int beyond 32 bits is an I64; a ProgressRecord has children."""


def element(value: Any, named: str) -> str:
    """Write a primitive with its tags; ``named`` holds its attributes."""
    tag, text = TEXTS[type(value)]
    if tag == "I32" and value not in INT32:
        if value not in _INT64:
            raise InputError(f"{value} is out of the range of System.Int64.", expected="UInt64 or Decimal for it")
        tag = "I64"
    if tag == "BA" and not value:
        return f"<BA{named} />"
    return f"<{tag}{named}>{text(value)}</{tag}>"
