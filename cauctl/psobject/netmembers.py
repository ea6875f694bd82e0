"""The properties that .NET gives primitives and containers; CSV prints them when such a value is a record itself (R53).

They are what .NET 10 reports, in its order: a number, a character and a Boolean have none, a String its Length. A Uri,
an XmlDocument and a ScriptBlock are refused: what they report is no fact of their own that a reader could want.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cauctl.errors import InputError
from cauctl.psobject.members import base_type
from cauctl.psobject.nettext import clock_text, local_clock
from cauctl.psobject.objects import ORDERED_DICTIONARY, PSDictionary, PSObject, PSQueue, PSStack, enum_value
from cauctl.psobject.values import (
    DateTime,
    Int16,
    Int64,
    Kind,
    ProgressRecord,
    ScriptBlock,
    SecureString,
    TimeSpan,
    Uri,
    Version,
    XmlDocument,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.psobject.nettext import TextStyle

__all__ = ["net_properties"]

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_GERMAN_DAYS: Final = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_GERMAN_MONTHS: Final = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
_LONG_DATES: Final = {
    "": ("{weekday}, {day:02d} {month} {year:04d}", _DAYS, _MONTHS),
    "en-US": ("{weekday}, {month} {day}, {year:04d}", _DAYS, _MONTHS),
    "de-DE": ("{weekday}, {day}. {month} {year:04d}", _GERMAN_DAYS, _GERMAN_MONTHS),
}
"""Long date by culture, as far as it is known: the pattern, names of weekdays and months."""
_KINDS: Final = {Kind.UNSPECIFIED: 0, Kind.UTC: 1, Kind.LOCAL: 2}
_REFUSED: Final = (Uri, XmlDocument, ScriptBlock, SecureString)


def net_properties(value: Any, style: TextStyle) -> list[tuple[str, Any]]:
    """List the properties of a primitive or of a container, a name and a value each.

    Raises:
        InputError: they are not known here.
    """
    if isinstance(value, PSObject):
        return _container(value)
    if type(value) is DateTime:
        return _date(value, style)
    read = _READERS.get(type(value))
    if read is not None:
        return read(value)
    if type(value) in _REFUSED:
        raise InputError(f"the .NET properties of a {value.dotnet_type} are not known here.")
    return []


def _date(value: DateTime, style: TextStyle) -> list[tuple[str, Any]]:
    clock = local_clock(value, style.time_zone)
    weekday = _DAYS[clock.weekday()]
    midnight = datetime(clock.year, clock.month, clock.day)  # noqa: DTZ001  a clock time without zone
    moved = DateTime(clock, hundred_nanoseconds=value.hundred_nanoseconds)
    since_midnight = (clock - midnight) // timedelta(microseconds=1) * 10 + value.hundred_nanoseconds
    return [
        ("DateTime", f"{_long_date(clock, style.culture.name)} {clock_text(clock, style.culture)}"),
        ("Date", DateTime(midnight)),
        ("Day", clock.day),
        ("DayOfWeek", enum_value("System.DayOfWeek", weekday, (clock.weekday() + 1) % 7)),
        ("DayOfYear", clock.timetuple().tm_yday),
        ("Hour", clock.hour),
        ("Kind", enum_value("System.DateTimeKind", value.kind.value, _KINDS[value.kind])),
        ("Millisecond", clock.microsecond // 1000),
        ("Microsecond", clock.microsecond % 1000),
        ("Nanosecond", value.hundred_nanoseconds * 100),
        ("Minute", clock.minute),
        ("Month", clock.month),
        ("Second", clock.second),
        ("Ticks", Int64(moved.ticks)),
        ("TimeOfDay", TimeSpan(since_midnight)),
        ("Year", clock.year),
    ]


def _long_date(clock: datetime, culture: str) -> str:
    if culture not in _LONG_DATES:
        raise InputError(
            f"a DateTime as a record shows its long date, which is not known in culture {culture}.",
            where="culture",
            expected=f"the invariant culture, {' or '.join(filter(None, _LONG_DATES))}",
        )
    pattern, days, months = _LONG_DATES[culture]
    return pattern.format(weekday=days[clock.weekday()], day=clock.day, month=months[clock.month - 1], year=clock.year)


def _span(value: TimeSpan) -> list[tuple[str, Any]]:
    ticks, sign = abs(value.ticks), -1 if value.ticks < 0 else 1
    seconds, fraction = divmod(ticks, 10_000_000)
    parts = {
        "Days": seconds // 86_400,
        "Hours": seconds // 3600 % 24,
        "Milliseconds": fraction // 10_000,
        "Microseconds": fraction // 10 % 1000,
        "Nanoseconds": fraction % 10 * 100,
        "Minutes": seconds // 60 % 60,
        "Seconds": seconds % 60,
    }
    totals = {
        "TotalDays": value.ticks / 864_000_000_000,
        "TotalHours": value.ticks / 36_000_000_000,
        "TotalMilliseconds": value.ticks / 10_000,
        "TotalMicroseconds": value.ticks / 10,
        "TotalNanoseconds": float(value.ticks * 100),
        "TotalMinutes": value.ticks / 600_000_000,
        "TotalSeconds": value.ticks / 10_000_000,
    }
    found: list[tuple[str, Any]] = [("Ticks", Int64(value.ticks))]
    found += [(name, sign * number) for name, number in parts.items()]
    return found + list(totals.items())


def _version(value: Version) -> list[tuple[str, Any]]:
    major, minor, build, revision = (*value.parts, -1, -1)[:4]
    found: list[tuple[str, Any]] = [("Major", major), ("Minor", minor), ("Build", build), ("Revision", revision)]
    halves = (revision >> 16, (revision & 0xFFFF) - (revision & 0x8000) * 2)
    return [*found, ("MajorRevision", Int16(halves[0])), ("MinorRevision", Int16(halves[1]))]


def _guid(value: UUID) -> list[tuple[str, Any]]:
    return [("Guid", str(value)), ("Variant", value.bytes[8] >> 4), ("Version", value.bytes[6] >> 4)]


def _progress(value: ProgressRecord) -> list[tuple[str, Any]]:
    return [
        ("ActivityId", value.activity_id),
        ("ParentActivityId", value.parent_activity_id),
        ("Activity", value.activity),
        ("StatusDescription", value.status_description),
        ("CurrentOperation", value.current_operation),
        ("PercentComplete", value.percent_complete),
        ("SecondsRemaining", value.seconds_remaining),
        ("RecordType", value.record_type),
    ]


def _array(type_name: str, length: int) -> list[tuple[str, Any]]:
    return [
        ("Length", length),
        ("LongLength", Int64(length)),
        ("Rank", 1),
        ("SyncRoot", type_name),
        ("IsReadOnly", False),
        ("IsFixedSize", True),
        ("IsSynchronized", False),
        ("Count", length),
    ]


def _dictionary(type_name: str, count: int) -> list[tuple[str, Any]]:
    """List what a Hashtable or an OrderedDictionary has."""
    of_keys = "System.Collections.Hashtable+KeyCollection"
    of_values = "System.Collections.Hashtable+ValueCollection"
    if type_name == ORDERED_DICTIONARY[0]:
        of_keys = of_values = f"{type_name}+OrderedDictionaryKeyValueCollection"
    flags = [(name, False) for name in ("IsReadOnly", "IsFixedSize", "IsSynchronized")]
    return [("Count", count), *flags, ("Keys", of_keys), ("Values", of_values), ("SyncRoot", type_name)]


def _container(value: PSObject) -> list[tuple[str, Any]]:
    name, count = base_type(value), len(value)
    if name.endswith("[]"):
        return _array(name, count)
    if isinstance(value.base, PSDictionary):
        return _dictionary(name, count)
    if isinstance(value.base, PSStack | PSQueue):
        return [("Count", count), ("IsSynchronized", False), ("SyncRoot", name)]
    if name != "System.Collections.ArrayList":
        raise InputError(f"the .NET properties of a {name} are not known here.")
    room = max(4, 1 << (count - 1).bit_length()) if count else 0
    fixed = [(each, False) for each in ("IsFixedSize", "IsReadOnly", "IsSynchronized")]
    return [("Capacity", room), ("Count", count), *fixed, ("SyncRoot", name)]


_READERS: Final[dict[type, Callable[[Any], list[tuple[str, Any]]]]] = {
    str: lambda value: [("Length", len(value.encode("utf-16-le", "surrogatepass")) // 2)],
    bytes: lambda value: _array("System.Byte[]", len(value)),
    Decimal: lambda value: [("Scale", len(format(value, "f").partition(".")[2]))],
    TimeSpan: _span,
    UUID: _guid,
    Version: _version,
    ProgressRecord: _progress,
}
