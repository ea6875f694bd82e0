"""What each primitive tag of CLIXML accepts, and the value it gives.

Rules kept here: the text forms are those of .NET's XmlConvert, Guid, Version and Convert, as strict and as lenient:

* White space around numbers, booleans, dates and durations does not count; signs only where the type has one.
* INF, -INF and NaN, and .NET's own spellings; a double too large is infinite; a decimal with too many places is
  rounded.
* ``DT`` takes each XML Schema date form but a time alone, which would mean today; more than seven fraction digits round
  half to even. ``TS`` takes years of 365 days, twelve months as a year, other months as 30 days, no weeks; surplus
  digits are cut.
* Strings, names, scripts, URIs and XML texts undo ``_xHHHH_``. A script block is read as a string, as PowerShell does.

A refusal is a ValueError whose text says what was expected; the reader adds the place.
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cauctl.errors import InputError
from cauctl.psobject.clixml_embedded import check_document
from cauctl.psobject.clixml_escapes import unescape
from cauctl.psobject.times import TICKS_PER_SECOND, date_time
from cauctl.psobject.uri_syntax import is_absolute_uri
from cauctl.psobject.values import (
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    Kind,
    SByte,
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

__all__ = ["PRIMITIVES", "USUAL_DATE", "usual_date"]

_WHITE: Final = " \t\n\v\f\r"
_ANY_WHITE: Final = _WHITE + "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What .NET's ``Trim()`` takes off dates, durations and GUIDs; numbers have their own list."""
_SIGNED: Final = re.compile(r"[+-]?[0-9]+")
_UNSIGNED: Final = re.compile(r"[0-9]+")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_FLOAT_WORDS: Final = {
    "INF": float("inf"),
    "-INF": float("-inf"),
    **dict.fromkeys(("infinity", "+infinity"), float("inf")),
    "-infinity": float("-inf"),
    **dict.fromkeys(("nan", "+nan", "-nan"), float("nan")),
}
_DECIMAL: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_DECIMAL_TOP: Final = (1 << 96) - 1
_MOST_PLACES: Final = 28
_INT_DIGITS: Final = 40
_QUICK_DIGITS: Final = 10
_GUID: Final = re.compile(
    r"(\{|\()?([0-9A-Fa-f]{8})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{12})(\}|\))?"
)
_BARE_GUID: Final = re.compile(r"[0-9A-Fa-f]{32}")
_GUID_PARTS: Final = (8, 4, 4, 4, 12)
_EIGHT_DIGITS: Final = re.compile(r"[0-9A-Fa-f]{8}")
_GUID_NUMBER: Final = re.compile(r"\+?(?:0[xX])?([0-9A-Fa-f]+)")
_GUID_OF_NUMBERS: Final = re.compile(
    r"\{0x0*([0-9A-F]{1,8}),0x0*([0-9A-F]{1,4}),0x0*([0-9A-F]{1,4}),\{"
    + ",".join([r"0x0*([0-9A-F]{1,2})"] * 8)
    + r"\}\}",
    re.IGNORECASE,
)
_GUID_WIDTHS: Final = (8, 4, 4, *[2] * 8)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_VERSION_PART: Final = re.compile(r"[ \t\n\v\f\r]*\+?([0-9]+)[ \t\n\v\f\r]*")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_DPAPI: Final = "01000000d08c9ddf0115d1118c7a00c04fc297eb"
_DATE: Final = re.compile(
    r"(?:(?:([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?)?)?)?)"
    r"|--([0-9]{2})-([0-9]{2}))"
    r"(?:([zZ])|([+-])([0-9]{2}):([0-9]{2}))?"
)
USUAL_DATE: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,7})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""Pattern of a date as PowerShell writes it."""
_USUAL_DATE: Final = re.compile(USUAL_DATE)
_FULL_DATE: Final = 27
_MICROSECOND_DATE: Final = 26
_LEAP_YEAR: Final = 1904  # .NET's year for a date without one
_DURATION: Final = re.compile(
    r"(-?)P(?=.)(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?=.)(?:([0-9]+)H)?(?:([0-9]+)M)?(?:(?=[.0-9])([0-9]*)(?:\.([0-9]*))?S)?)?"
)
_INT32_TOP: Final = (1 << 31) - 1
_INT32_DIGITS: Final = 10
_MOST_FRACTION: Final = 7
_MIDDLE: Final = "5"


def _integer(lowest: int, highest: int, pattern: re.Pattern[str], make: Callable[[int], Any]) -> Callable[[str], Any]:
    """Build the parser of one integer type."""
    expected = f"a whole number from {lowest} to {highest}"

    def parse(text: str) -> Any:
        if len(text) < _QUICK_DIGITS and text.isascii() and text.isdigit() and (number := int(text)) <= highest:
            return make(number)
        digits = text.strip(_WHITE)
        if not pattern.fullmatch(digits):
            raise ValueError(expected)
        significant = digits.lstrip("+-").lstrip("0")
        if len(significant) > _INT_DIGITS:
            raise ValueError(expected)
        number = int(significant or "0") * (-1 if digits[0] == "-" else 1)
        if not lowest <= number <= highest:
            raise ValueError(expected)
        return make(number)

    return parse


def _boolean(text: str) -> bool:
    word = text.strip(" \t\r\n")
    if word in ("true", "1"):
        return True
    if word in ("false", "0"):
        return False
    raise ValueError("true, false, 1 or 0")


def _double(text: str) -> float:
    word = text.strip(" \t\r\n")
    special = _FLOAT_WORDS.get(word)
    if special is None:
        special = _FLOAT_WORDS.get(word.lower()) if word.lower() not in ("inf", "-inf") else None
    if special is not None:
        return special
    word = text.strip(_WHITE)
    if not _FLOAT.fullmatch(word):
        raise ValueError("a number such as 1.5 or 1E+20, INF, -INF or NaN")
    return float(word)


def _single(text: str) -> Single:
    value = _double(text)
    nearest = Single(value)
    if value - value != 0 or float(nearest) == value:
        return nearest
    return _single_of_tie(value, text.strip(_WHITE), nearest)


def _single_of_tie(value: float, text: str, nearest: Single) -> Single:
    """Round by the decimal text where the double lies exactly between two singles: rounding twice may err."""
    exact, other = Decimal(text), Decimal(value)
    if exact == other:
        return nearest
    upper = Single(value * (1 + 2**-40) if value > 0 else value * (1 - 2**-40))
    lower = Single(value * (1 - 2**-40) if value > 0 else value * (1 + 2**-40))
    if upper == lower:
        return nearest
    return upper if exact > other else lower


def _decimal(text: str) -> Decimal:
    found = _DECIMAL.fullmatch(text.strip(_WHITE))
    whole, places = (found[2] or "", found[3] or "") if found else ("", "")
    if found is None or not whole + places:
        raise ValueError("a decimal number such as 1.50")
    whole = whole.lstrip("0")
    if len(whole) > _MOST_PLACES + 1:
        raise ValueError("a number that System.Decimal can hold")
    kept = min(len(places), _MOST_PLACES)
    while True:
        coefficient = _rounded(whole + places, len(places) - kept)
        if coefficient <= _DECIMAL_TOP:
            break
        if kept == 0:
            raise ValueError("a number that System.Decimal can hold")
        kept -= 1
    sign = 1 if found[1] == "-" and coefficient else 0
    return Decimal((sign, tuple(map(int, str(coefficient))), -kept))


def _rounded(digits: str, surplus: int) -> int:
    """Cut ``surplus`` digits off a whole number, half to even."""
    if not surplus:
        return int(digits or "0")
    kept, cut = int(digits[:-surplus] or "0"), digits[-surplus:]
    beyond = cut[0] > _MIDDLE or (cut[0] == _MIDDLE and (bool(cut[1:].strip("0")) or kept % 2 == 1))
    return kept + beyond


def _char(text: str) -> Char:
    return Char(chr(_UINT16(text)))


def _datetime(text: str) -> DateTime:
    """Read a ``DT``: any XML Schema date that does not depend on today."""
    if _USUAL_DATE.fullmatch(text):
        try:
            return usual_date(text)
        except ValueError:
            pass  # no such day; the careful way says so
    expected = "a date such as 2026-11-22T15:40:01.1234567Z"
    found = _DATE.fullmatch(text.strip(_ANY_WHITE))
    if found is None:
        raise ValueError(expected)
    year, month, day, hour, minute, second, fraction, only_month, only_day, utc, sign, hours, minutes = found.groups()
    ticks = _fraction_ticks(fraction or "")
    try:
        clock = datetime(  # noqa: DTZ001  a clock time; what zone it means is the kind's business
            int(year or _LEAP_YEAR),
            int(month or only_month or 1),
            int(day or only_day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
        ) + timedelta(microseconds=ticks // 10)
    except (ValueError, OverflowError) as refusal:
        raise ValueError(expected) from refusal
    if sign is None:
        return DateTime(clock, hundred_nanoseconds=ticks % 10, kind=Kind.UTC if utc else Kind.UNSPECIFIED)
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return DateTime(clock, hundred_nanoseconds=ticks % 10, kind=Kind.LOCAL, offset=-offset if sign == "-" else offset)


def usual_date(text: str) -> DateTime:
    """Read a date that :data:`USUAL_DATE` matches; a ValueError if there is no such day."""
    kind, offset = Kind.UNSPECIFIED, None
    if text[-1] == "Z":
        kind, text = Kind.UTC, text[:-1]
    elif text[-6] in "+-":
        kind, offset, text = Kind.LOCAL, _offset(text[-6:]), text[:-6]
    digit = int(text[-1]) if len(text) == _FULL_DATE else 0
    return date_time(datetime.fromisoformat(text[:_MICROSECOND_DATE]), digit, kind, offset)


@cache
def _offset(zone: str) -> timedelta:
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
    return -ahead if zone[0] == "-" else ahead


def _fraction_ticks(digits: str) -> int:
    if len(digits) <= _MOST_FRACTION:
        return int(digits.ljust(_MOST_FRACTION, "0"))
    return _rounded(digits, len(digits) - _MOST_FRACTION)


def _timespan(text: str) -> TimeSpan:
    """Read a ``TS``: an XML Schema duration."""
    expected = "a duration such as P1DT2H3M4.5S or -PT5M"
    found = _DURATION.fullmatch(text.strip(_ANY_WHITE))
    if found is None:
        raise ValueError(expected)
    sign, *parts, fraction = found.groups()
    significant = [(part or "").lstrip("0") or "0" for part in parts]
    if any(len(part) > _INT32_DIGITS or int(part) > _INT32_TOP for part in significant):
        raise ValueError(expected)
    years, months, days, hours, minutes, seconds = map(int, significant)
    years, months = years + months // 12, months % 12
    total = ((((years * 365 + months * 30 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND
    total += int((fraction or "").ljust(_MOST_FRACTION, "0")[:_MOST_FRACTION])
    try:
        return TimeSpan(-total if sign else total)
    except InputError as refusal:
        raise ValueError("a duration of less than 10675200 days") from refusal


def _guid(text: str) -> UUID:
    word = text.strip(_ANY_WHITE)
    found = _GUID.fullmatch(word)
    if found is not None and (found[1] or "") + (found[7] or "") in ("", "{}", "()"):
        return UUID("".join(found.group(2, 3, 4, 5, 6)))
    if _BARE_GUID.fullmatch(word):
        return UUID(word)
    numbers = _GUID_OF_NUMBERS.fullmatch("".join(word.split()))
    if numbers is not None:
        return UUID("".join(map(str.zfill, numbers.groups(), _GUID_WIDTHS)))
    return _guid_of_parts(word[1:-1] if word[:1] + word[-1:] in ("{}", "()") else word)


def _guid_of_parts(word: str) -> UUID:
    """Read a GUID whose parts are numbers with a sign or ``0x`` in front, as long as without; .NET takes them."""
    parts = word.split("-")
    if tuple(map(len, parts)) == _GUID_PARTS and _EIGHT_DIGITS.fullmatch(parts[-1], 4):
        *numbers, last = parts
        found = [_GUID_NUMBER.fullmatch(number) for number in (*numbers, last[:4])]
        digits = [each[1].zfill(len(each[0])) for each in found if each is not None]
        if len(digits) == len(found):
            return UUID("".join(digits) + last[4:])
    raise ValueError("a GUID such as 01234567-89ab-cdef-0123-456789abcdef")


def _version(text: str) -> Version:
    parts = [_VERSION_PART.fullmatch(part) for part in text.split(".")]
    digits = [found[1].lstrip("0") or "0" for found in parts if found is not None]
    try:
        if len(digits) != len(parts) or any(len(part) > _INT32_DIGITS for part in digits):
            raise ValueError("two to four numbers with points between")
        numbers = tuple([int(part) for part in digits])
        return Version(numbers)
    except InputError as refusal:
        raise ValueError("two to four numbers from 0 to 2147483647 with points between") from refusal


def _bytes(text: str) -> bytes:
    packed = text.translate(_NO_WHITE)
    if len(packed) % 4 or not _BASE64.fullmatch(packed):
        raise ValueError("base64")
    return b64decode(packed)


def _uri(text: str) -> Uri:
    plain = unescape(text)
    is_absolute_uri(plain)
    return Uri(plain)


def _xml_document(text: str) -> XmlDocument:
    plain = unescape(text)
    check_document(plain)
    return XmlDocument(plain)


def _secure_string(text: str) -> SecureString:
    plain = unescape(text)
    if not _HEX.fullmatch(plain) or (len(plain) % 4 and not plain.lower().startswith(_DPAPI)):
        raise ValueError("a protected string in hexadecimal digits")
    return SecureString(plain)


_NO_WHITE: Final = dict.fromkeys(map(ord, " \t\r\n"))
_UINT16: Final = _integer(0, 0xFFFF, _UNSIGNED, int)

PRIMITIVES: Final[dict[str, Callable[[str], Any]]] = {
    "S": unescape,
    "B": _boolean,
    "By": _integer(0, 0xFF, _UNSIGNED, Byte),
    "SB": _integer(-0x80, 0x7F, _SIGNED, SByte),
    "I16": _integer(-0x8000, 0x7FFF, _SIGNED, Int16),
    "U16": _integer(0, 0xFFFF, _UNSIGNED, UInt16),
    "I32": _integer(-0x8000_0000, 0x7FFF_FFFF, _SIGNED, int),
    "U32": _integer(0, 0xFFFF_FFFF, _UNSIGNED, UInt32),
    "I64": _integer(-(1 << 63), (1 << 63) - 1, _SIGNED, Int64),
    "U64": _integer(0, (1 << 64) - 1, _UNSIGNED, UInt64),
    "Sg": _single,
    "Db": _double,
    "D": _decimal,
    "C": _char,
    "DT": _datetime,
    "TS": _timespan,
    "G": _guid,
    "URI": _uri,
    "Version": _version,
    "BA": _bytes,
    "XD": _xml_document,
    "SBK": unescape,
    "SS": _secure_string,
}
"""Parser by tag: element text in, value out, ValueError with what was expected otherwise. ``PR`` has children."""
