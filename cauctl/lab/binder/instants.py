"""Texts of moments and durations as ``DateTime.Parse`` and ``TimeSpan.Parse`` read them (invariant culture).

Of .NET's grammar of dates the usual forms are read: ISO 8601, ``M/d/yyyy`` with any of ``/ - .``, month names, times
with or without seconds and AM or PM, and an offset or ``Z``, which makes the result a local time. A node's zone is UTC.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cauctl.psobject import DateTime, Kind, TimeSpan

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parse_date", "parse_duration"]

_TICKS: Final = 10_000_000
_DAY: Final = 86_400
_MOST: Final = 1 << 63
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN: Final = re.compile(r"(?P<sign>-?)(?P<parts>\d+(?:[.:]\d+)?(?::\d+){0,3})(?:\.(?P<fraction>\d{1,7}))?", re.ASCII)
_TIME: Final = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,7})\d*)?)?)?\s*(?P<half>[AP]M?)?",
    re.IGNORECASE | re.ASCII,
)
_ZONE: Final = re.compile(r"\s*(?:(?P<z>Z|GMT)|(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?)$", re.IGNORECASE)
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?", re.ASCII
)
_MONTH_FIRST: Final = re.compile(
    r"(?P<month>\d{1,2})(?P<mark>[-/.])(?P<day>\d{1,2})(?:(?P=mark)(?P<year>\d{4}|\d{2}))?", re.ASCII
)
_NAMED: Final = re.compile(
    r"(?:(?P<weekday>[a-z]+),?\s+)??(?:(?P<name>[a-z]+)\.?\s+(?P<day>\d{1,2})(?:,?\s+(?P<year>\d{4}))?"
    r"|(?P<day2>\d{1,2})[\s-]+(?P<name2>[a-z]+)\.?(?:,?[\s-]+(?P<year2>\d{4}))?|(?P<name3>[a-z]+)\.?,?\s+(?P<year3>\d{4}))",
    re.IGNORECASE | re.ASCII,
)
_CENTURY_SPLIT: Final = 49
"""Two-digit years up to it are of this century (.NET 10: TwoDigitYearMax 2049)."""


def parse_duration(text: str) -> TimeSpan | None:
    """Read ``d``, ``[d.]hh:mm[:ss[.fffffff]]`` or ``d:hh:mm:ss``; None for anything else."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        return None
    whole = match["parts"]
    fraction = int((match["fraction"] or "0").ljust(7, "0"))
    days, dot, clock = whole.partition(".")
    if not dot:
        days, clock = "0", whole
    elif ":" not in clock:
        return None
    units = [int(part) for part in clock.split(":")]
    ticks = _span_ticks(int(days), units, fraction, dotted=bool(dot), has_fraction=match["fraction"] is not None)
    if ticks is None or ticks >= _MOST:
        return None
    return TimeSpan(-ticks if match["sign"] else ticks)


def _span_ticks(days: int, units: list[int], fraction: int, *, dotted: bool, has_fraction: bool) -> int | None:
    """Place the numbers between the colons; where the first is no hour it is days, if that makes sense of the rest."""
    if len(units) == 1:
        return None if dotted or has_fraction else units[0] * _DAY * _TICKS
    readings = [[days, *units, *[0] * (3 - len(units))]] if len(units) <= 3 else []  # noqa: PLR2004  h:m:s
    if not dotted and len(units) >= 3:  # noqa: PLR2004  d:h:m
        readings.append([*units, *[0] * (4 - len(units))])
    if has_fraction and len(units) < 3:  # noqa: PLR2004  a fraction belongs to seconds
        return None
    for day, hour, minute, second in readings:
        if hour < 24 and minute < 60 and second < 60:  # noqa: PLR2004  a clock
            return ((day * 24 + hour) * 3600 + minute * 60 + second) * _TICKS + fraction
    return None


def parse_date(text: str, *, now: Callable[[], datetime]) -> DateTime | None:
    """Read a date, a time of today, or both; None for anything else.

    Args:
        text: what was given.
        now: the present moment; today completes a time alone, this year a month and a day.
    """
    rest = text.strip()
    zone = _ZONE.search(rest)
    offset = None
    if zone is not None and ":" in rest[: zone.start()]:
        offset = _offset(zone)
        rest = rest[: zone.start()]
    try:
        found = _read_moment(rest, now)
        if found is None:
            return None
        clock, tick = found
        if offset is None:
            return DateTime(clock, hundred_nanoseconds=tick)
        return DateTime(clock - offset, hundred_nanoseconds=tick, kind=Kind.LOCAL, offset=timedelta(0))
    except (ValueError, OverflowError):
        return None


def _offset(zone: re.Match[str]) -> timedelta:
    if zone["z"]:
        return timedelta(0)
    size = timedelta(hours=int(zone["hours"]), minutes=int(zone["minutes"] or 0))
    return -size if zone["sign"] == "-" else size


def _read_moment(text: str, now: Callable[[], datetime]) -> tuple[datetime, int] | None:
    """Read a date in front and a time behind; give the clock and the seventh fraction digit."""
    date = _read_date(text, now)
    if date is None:
        clock = _read_time(text)
        if clock is None or (":" not in text and "m" not in text.lower()):
            return None
        today = now()
        day, rest_time = datetime(today.year, today.month, today.day), clock  # noqa: DTZ001  a clock time has no zone
    else:
        day, rest = date
        rest = rest.removeprefix("T").strip() if rest[:1] in {"T", "t"} else rest.strip().removeprefix(",").strip()
        found = (timedelta(0), 0) if not rest else _read_time(rest)
        if found is None:
            return None
        rest_time = found
    return day + rest_time[0], rest_time[1]


def _read_date(text: str, now: Callable[[], datetime]) -> tuple[datetime, str] | None:
    for pattern in (_YEAR_FIRST, _MONTH_FIRST):
        match = pattern.match(text)
        if match is not None:
            year = _year(match["year"], now)
            return datetime(year, int(match["month"]), int(match["day"] or 1)), text[match.end() :]  # noqa: DTZ001  as above
    match = _NAMED.match(text)
    return None if match is None else _named_date(match, text, now)


def _named_date(match: re.Match[str], text: str, now: Callable[[], datetime]) -> tuple[datetime, str] | None:
    month = _month(match["name"] or match["name2"] or match["name3"])
    weekday = match["weekday"]
    if month is None or (weekday and not any(day.startswith(weekday.lower()[:3]) for day in _DAYS)):
        return None
    year = _year(match["year"] or match["year2"] or match["year3"], now)
    day = int(match["day"] or match["day2"] or 1)
    return datetime(year, month, day), text[match.end() :]  # noqa: DTZ001  a clock time has no zone


def _month(name: str) -> int | None:
    lowered = name.lower()
    return next((n for n, month in enumerate(_MONTHS, 1) if lowered in {month, month[:3]}), None)


def _year(text: str | None, now: Callable[[], datetime]) -> int:
    if text is None:
        return now().year
    if len(text) == 2:  # noqa: PLR2004  a two-digit year
        return int(text) + (2000 if int(text) <= _CENTURY_SPLIT else 1900)
    return int(text)


def _read_time(text: str) -> tuple[timedelta, int] | None:
    match = _TIME.fullmatch(text.strip())
    if match is None or not (match["minute"] or match["half"]):
        return None
    hour, half = int(match["hour"]), (match["half"] or "").upper()
    if half and not (1 <= hour <= 12 or (hour == 0 and half.startswith("A"))):  # noqa: PLR2004  twelve hours
        return None
    if half:
        hour = hour % 12 + (12 if half.startswith("P") else 0)
    minute, second = int(match["minute"] or 0), int(match["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004  a clock
        return None
    ticks = int((match["fraction"] or "0").ljust(7, "0"))
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=ticks // 10), ticks % 10
