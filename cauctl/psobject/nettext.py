"""The text that .NET's ``ToString()`` gives for each primitive, by culture.

Rules kept here (numbers in brackets are those of the project's study of ConvertTo-Xml):

* Double and Single print the shortest digits that parse back, positional up to 17 and 9 places and from 0.0001,
  else as ``d.dddE±XX`` (R19). Two powers of two print a digit less than would parse back, as .NET 10 has it.
* PowerShell's own conversion to String rounds Double and Single to 15 and 7 digits (R44); Windows PowerShell 5.1 prints
  them so everywhere, and has no negative zero.
* Decimal keeps its scale, is never scientific and has no negative zero (R20).
* DateTime is the culture's short date and long time; kind, offset and fractions are lost (R21). A local time that was
  read with an offset prints in the zone asked for, the process's by default.
* TimeSpan, Guid and Version print alike in every culture (R22, R23); the sign of a number is the culture's (R18).
* A TextStyle holds what varies (culture, zone, edition); its tables serve by exact class.

Use::

    TextStyle(find_culture("de-DE")).text(1.5)  # "1,5"
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.psobject.culture import INVARIANT, Culture
from cauctl.psobject.uri import canonical_uri
from cauctl.psobject.values import (
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    Kind,
    ProgressRecord,
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

__all__ = [
    "TextStyle",
    "bool_text",
    "clock_text",
    "datetime_text",
    "decimal_text",
    "double_text",
    "integer_text",
    "local_clock",
    "progress_text",
    "rounded_text",
    "single_text",
    "timespan_text",
]

DOUBLE_PLACES: Final = 17
"""Most digits before the point of a Double that still prints positional."""
SINGLE_PLACES: Final = 9
DOUBLE_DIGITS: Final = 15
"""Significant digits where PowerShell converts a Double to String, and of every Double in Windows PowerShell 5.1."""
SINGLE_DIGITS: Final = 7
_LEAST_PLACE: Final = -3
"""A number 0.ddd * 10^place below this place prints with an exponent."""
_SHORTENED: Final = {
    struct.unpack(">d", bytes.fromhex("3E60000000000000"))[0]: "2.980232238769531e-08",
    struct.unpack(">d", bytes.fromhex("0410000000000000"))[0]: "4.104536801298376e-289",
}
"""Powers of two for which .NET 10 prints one digit less than would parse back."""
_MAX_DECIMAL: Final = (1 << 96) - 1
_MAX_SCALE: Final = 28
_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(60))


# Numbers


def double_text(value: float, culture: Culture = INVARIANT) -> str:
    """Print a Double as ``Double.ToString()`` does."""
    text = repr(value)
    if culture is INVARIANT and "e" not in text and "n" not in text:
        return text.removesuffix(".0")
    special = _special_text(value, culture)
    if special is not None:
        return special
    return _number_text(_SHORTENED.get(abs(value)) or text.lstrip("-"), value, DOUBLE_PLACES, culture)


def single_text(value: float, culture: Culture = INVARIANT) -> str:
    """Print a Single as ``Single.ToString()`` does; ``value`` is exactly a 32-bit float."""
    special = _special_text(value, culture)
    if special is not None:
        return special
    return _number_text(_shortest_single(abs(value)), value, SINGLE_PLACES, culture)


def rounded_text(value: float, digits: int, culture: Culture = INVARIANT) -> str:
    """Print a Double or Single with at most ``digits`` significant digits, .NET's format ``G<digits>``."""
    special = _special_text(value, culture)
    if special is not None:
        return special
    return _number_text(f"{abs(value):.{digits - 1}e}", value, digits, culture)


def integer_text(value: int, culture: Culture = INVARIANT) -> str:
    """Print an integer of any width."""
    text = int.__repr__(value)
    return culture.negative_sign + text[1:] if value < 0 else text


def decimal_text(value: Decimal, culture: Culture = INVARIANT) -> str:
    """Print a Decimal: plain digits with its scale, no sign on zero.

    Raises:
        InputError: System.Decimal cannot hold the value.
    """
    if not value.is_finite():
        raise InputError(f"{value} is out of the range of System.Decimal.", expected="a finite number")
    text = format(value.copy_abs(), "f")
    whole, _, decimals = text.partition(".")
    if len(decimals) > _MAX_SCALE or (len(text) > _MAX_SCALE and int(whole + decimals) > _MAX_DECIMAL):
        expected = "at most 28 decimals and 96 bits of digits"
        raise InputError(f"{value} is out of the range of System.Decimal.", expected=expected)
    if culture is not INVARIANT:
        text = text.replace(".", culture.decimal_separator)
    return culture.negative_sign + text if value.is_signed() and value else text


def _special_text(value: float, culture: Culture) -> str | None:
    """Print what is not a finite number."""
    if value != value:  # noqa: PLR0124  only NaN differs from itself
        return culture.nan
    if value in (float("inf"), float("-inf")):
        return culture.infinity if value > 0 else culture.negative_infinity
    return None


def _number_text(magnitude: str, value: float, most_places: int, culture: Culture) -> str:
    """Arrange the digits of ``magnitude`` (a float as Python writes it, unsigned) as .NET's general format does."""
    digits, place = _digits_and_place(magnitude)
    negative = value < 0 or (value == 0 and repr(float(value))[0] == "-")
    sign = culture.negative_sign if negative else ""
    point = culture.decimal_separator
    if place > most_places or place < _LEAST_PLACE:
        exponent = place - 1
        exponent_sign = culture.negative_sign if exponent < 0 else culture.positive_sign
        fraction = point + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}E{exponent_sign}{abs(exponent):02d}"
    if place <= 0:
        return f"{sign}0{point}{'0' * -place}{digits}" if digits != "0" else f"{sign}0"
    whole, fraction = digits[:place].ljust(place, "0"), digits[place:]
    return f"{sign}{whole}{point}{fraction}" if fraction else sign + whole


def _digits_and_place(magnitude: str) -> tuple[str, int]:
    """Split into significant digits and place, so that the value is 0.digits * 10^place; zero is ``("0", 1)``."""
    mantissa, _, exponent = magnitude.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    place = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return (digits.rstrip("0"), place) if digits.strip("0") else ("0", 1)


def _shortest_single(value: float) -> str:
    """Find the shortest decimal that parses back to a non-negative 32-bit float, and the nearest among the shortest."""
    if not value:
        return "0"
    exact, (low, high, closed) = Fraction(value), _single_interval(value)
    for digits in range(1, SINGLE_PLACES + 1):
        text = f"{value:.{digits - 1}e}"
        nearest = Fraction(text)
        step = Fraction(10) ** (int(text.partition("e")[2]) - digits + 1)
        other = nearest + step if nearest < exact else nearest - step
        for candidate in (nearest, other):
            if low < candidate < high or (closed and candidate in (low, high)):
                return text if candidate is nearest else _scientific(candidate, step)
    return text


def _single_interval(value: float) -> tuple[Fraction, Fraction, bool]:
    """Bounds of the numbers that parse to this 32-bit float, and whether the bounds themselves do."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    exact = Fraction(value)
    below = Fraction(struct.unpack("<f", struct.pack("<I", bits - 1))[0])
    exponent_bits, mantissa = bits >> 23, bits & 0x7FFFFF
    gap = Fraction(2) ** (max(exponent_bits, 1) - 150)
    return (exact + below) / 2, exact + gap / 2, mantissa % 2 == 0


def _scientific(value: Fraction, step: Fraction) -> str:
    """Write a multiple of a power of ten as Python writes a float with exponent."""
    exponent = len(str(step.numerator)) - 1 if step.denominator == 1 else 1 - len(str(step.denominator))
    return f"{int(value / step)}e{exponent}"


# Everything else


def bool_text(value: bool) -> str:  # noqa: FBT001  the value is what is printed
    """Print a Boolean."""
    return "True" if value else "False"


def timespan_text(ticks: int) -> str:
    """Print a TimeSpan of so many steps of 100 ns: ``[-][d.]hh:mm:ss[.fffffff]``."""
    seconds, fraction = divmod(abs(ticks), 10_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    sign, day, tail = "-" * (ticks < 0), f"{days}." * (days > 0), f".{fraction:07d}" * (fraction > 0)
    return f"{sign}{day}{hour:02d}:{minute:02d}:{second:02d}{tail}"


def datetime_text(clock: datetime, culture: Culture = INVARIANT) -> str:
    """Print a clock time as the culture's short date and long time; a fraction of a second is dropped."""
    if culture is INVARIANT:
        two = _TWO_DIGITS
        day, time = f"{two[clock.month]}/{two[clock.day]}", f"{two[clock.hour]}:{two[clock.minute]}:{two[clock.second]}"
        return f"{day}/{clock.year:04d} {time}"
    return _formatted(culture.date_format, clock, culture)


def clock_text(clock: datetime, culture: Culture = INVARIANT) -> str:
    """Print the time of day as the culture's long time."""
    return _formatted(culture.time_format, clock, culture)


def _formatted(template: str, clock: datetime, culture: Culture) -> str:
    return template.format(
        year=clock.year,
        month=clock.month,
        day=clock.day,
        hour=clock.hour,
        half=clock.hour % 12 or 12,
        minute=clock.minute,
        second=clock.second,
        designator=culture.am if clock.hour < 12 else culture.pm,  # noqa: PLR2004  noon
    )


def local_clock(value: DateTime, zone: tzinfo | None) -> datetime:
    """Give the clock time that a DateTime shows in ``zone`` (None: the process's), without zone.

    Only a local time that was read with an offset is moved; others show what they hold. What leaves the range of dates
    stays at its end, and an offset with seconds (local mean time) is cut towards the zone's standard offset, as .NET
    does both.
    """
    if value.kind is not Kind.LOCAL or value.offset is None:
        return value.clock
    try:
        moment = (value.clock - value.offset).replace(tzinfo=UTC)
    except OverflowError:
        return _end_of_time(value.clock, value.offset, zone)
    return _shifted(moment.replace(tzinfo=None), _offset_at(moment, zone))


def _end_of_time(clock: datetime, offset: timedelta, zone: tzinfo | None) -> datetime:
    """Show a time whose universal time lies outside of the years 1 to 9999: add both offsets at once, then clamp."""
    return _shifted(clock, _offset_at(clock.replace(tzinfo=UTC), zone) - offset)


def _shifted(clock: datetime, offset: timedelta) -> datetime:
    try:
        return clock + offset
    except OverflowError:
        return datetime.max if offset > timedelta(0) else datetime.min  # noqa: DTZ901  a clock time without zone


def _offset_at(moment: datetime, zone: tzinfo | None) -> timedelta:
    """Offset of the zone at a moment, in whole minutes."""
    try:
        offset = moment.astimezone(zone).utcoffset() or timedelta(0)
        if not offset.seconds % 60:
            return offset
        recent = datetime(2020, 1, 1, tzinfo=UTC).astimezone(zone)
    except OverflowError:
        inside = moment.replace(year=2 if moment.year == 1 else 9998)
        return _offset_at(inside, zone)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the local time of {moment:%Y-%m-%dT%H:%M:%SZ} is not known to this system.",
            where="time_zone",
            expected="a time zone given as zoneinfo.ZoneInfo",
        ) from error
    standard = (recent.utcoffset() or timedelta(0)) - (recent.dst() or timedelta(0))
    odd = offset - standard
    return standard + timedelta(minutes=int(odd / timedelta(minutes=1)))


def progress_text(value: ProgressRecord, culture: Culture = INVARIANT) -> str:
    """Print a ProgressRecord as PowerShell does."""
    return (
        f"parent = {integer_text(value.parent_activity_id, culture)} id = {integer_text(value.activity_id, culture)} "
        f"act = {value.activity} stat = {value.status_description} cur = {value.current_operation or ''} "
        f"pct = {integer_text(value.percent_complete, culture)} sec = {integer_text(value.seconds_remaining, culture)} "
        f"type = {value.record_type}"
    )


@frozen
class TextStyle:
    """What the text of a primitive depends on besides its value."""

    culture: Culture = field(default=INVARIANT)
    time_zone: tzinfo | None = field(default=None, kw_only=True)
    """Zone in which local times that carry an offset print; None: the process's."""
    windows_powershell: bool = field(default=False, kw_only=True)
    """True for the digits of .NET Framework, on which Windows PowerShell 5.1 runs."""
    printers: dict[type, Callable[[Any], str]] = field(init=False, eq=False, repr=False)
    """``ToString()`` by exact Python class."""
    string_printers: dict[type, Callable[[Any], str]] = field(init=False, eq=False, repr=False)
    """PowerShell's conversion to String by exact Python class."""

    @time_zone.validator
    def _is_zone(self, _attribute: object, value: object) -> None:
        if value is not None and not isinstance(value, tzinfo):
            raise InputError(f"{value!r} is no time zone.", where="time_zone", expected="a zoneinfo.ZoneInfo")

    @printers.default
    def _printers(self) -> dict[type, Callable[[Any], str]]:
        local, windows = self.culture, self.windows_powershell
        integers: tuple[type, ...] = (int, Byte, SByte, Int16, UInt16, UInt32, Int64, UInt64)
        integer = int.__repr__ if local.negative_sign == "-" else lambda value: integer_text(value, local)
        return {
            **dict.fromkeys(integers, integer),
            bool: bool_text,
            str: str,
            Char: str.__str__,
            ScriptBlock: str.__str__,
            float: self._rounded_double if windows else lambda value: double_text(value, local),
            Single: self._rounded_single if windows else lambda value: single_text(value, local),
            Decimal: lambda value: decimal_text(value, local),
            UUID: UUID.__str__,
            bytes: lambda _: "System.Byte[]",
            DateTime: self._date,
            TimeSpan: lambda value: timespan_text(value.ticks),
            Version: Version.__str__,
            Uri: lambda value: canonical_uri(value.text),
            XmlDocument: lambda _: "System.Xml.XmlDocument",
            SecureString: lambda _: "System.Security.SecureString",
            ProgressRecord: lambda value: progress_text(value, local),
        }

    @string_printers.default
    def _string_printers(self) -> dict[type, Callable[[Any], str]]:
        return {**self.printers, float: self._rounded_double, Single: self._rounded_single}

    def text(self, value: Any) -> str:
        """Give ``value.ToString()`` of a primitive."""
        return self.printers[type(value)](value)

    def string(self, value: Any) -> str:
        """Give what PowerShell's own conversion to String gives (``"$value"``, a value in ``@{…}``, a joined item)."""
        return self.string_printers[type(value)](value)

    def _rounded_double(self, value: float) -> str:
        return rounded_text(self._without_negative_zero(value), DOUBLE_DIGITS, self.culture)

    def _rounded_single(self, value: float) -> str:
        return rounded_text(self._without_negative_zero(value), SINGLE_DIGITS, self.culture)

    def _without_negative_zero(self, value: float) -> float:
        return 0.0 if self.windows_powershell and not value else value

    def _date(self, value: DateTime) -> str:
        clock = value.clock if value.offset is None else local_clock(value, self.time_zone)
        return datetime_text(clock, self.culture)
