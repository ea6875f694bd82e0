"""Moments and durations as .NET counts them, in ticks of 100 ns; :mod:`cauctl.psobject.values` gives them out.

A DateTime keeps its clock time as it was written: it is moved to no other zone here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, Self

from attrs import field, frozen

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TICKS_PER_SECOND", "DateTime", "Kind", "TimeSpan", "date_time", "utc_dates"]

TICKS_PER_SECOND: Final = 10_000_000
_FIRST_DAY: Final = datetime(1, 1, 1)  # noqa: DTZ001  .NET counts ticks from here, without a zone
_LAST_TICK: Final = 3_652_059 * 86_400 * TICKS_PER_SECOND  # days from year 1 to the end of year 9999
_INT64_SPAN: Final = 1 << 63


class Kind(Enum):
    """System.DateTimeKind: what the clock time of a DateTime means."""

    UNSPECIFIED = "Unspecified"
    UTC = "Utc"
    LOCAL = "Local"


@frozen(order=False)
class DateTime:
    """System.DateTime: a clock time in steps of 100 ns, its kind, and for local times the offset it was read with."""

    dotnet_type: ClassVar[str] = "System.DateTime"

    clock: datetime
    """Clock time as it was written, naive, cut to microseconds."""
    hundred_nanoseconds: int = field(default=0, kw_only=True)
    """The seventh fraction digit, 0 to 9."""
    kind: Kind = field(default=Kind.UNSPECIFIED, kw_only=True)
    offset: timedelta | None = field(default=None, kw_only=True)
    """Offset from UTC of ``clock``; only local times have one, None there means the zone of whoever reads it."""

    @classmethod
    def from_ticks(cls, ticks: int, *, kind: Kind = Kind.UNSPECIFIED, offset: timedelta | None = None) -> Self:
        """Make the DateTime that lies ``ticks`` steps of 100 ns after 0001-01-01T00:00:00."""
        if not 0 <= ticks < _LAST_TICK:
            raise InputError(f"{ticks} ticks are out of the range of System.DateTime.", expected="years 1 to 9999")
        clock = _FIRST_DAY + timedelta(microseconds=ticks // 10)
        return cls(clock, hundred_nanoseconds=ticks % 10, kind=kind, offset=offset)

    @classmethod
    def from_python(cls, value: datetime) -> Self:
        """Take a Python datetime: naive is Unspecified, zone UTC is Utc, another zone is Local with its offset."""
        offset = value.utcoffset()
        clock = value.replace(tzinfo=None, fold=0)
        if offset is None:
            return cls(clock)
        if value.tzinfo is UTC or value.tzname() == "UTC":
            return cls(clock, kind=Kind.UTC)
        return cls(clock, kind=Kind.LOCAL, offset=offset)

    @property
    def ticks(self) -> int:
        """Steps of 100 ns since 0001-01-01T00:00:00 of the clock time."""
        since = self.clock - _FIRST_DAY
        return (
            (since.days * 86_400 + since.seconds) * TICKS_PER_SECOND
            + since.microseconds * 10
            + self.hundred_nanoseconds
        )

    def to_python(self) -> datetime:
        """Give a datetime in microseconds: aware where the offset is known, naive otherwise.

        An offset of a day or more, which .NET reads and Python has no zone for, gives the moment in UTC.
        """
        if self.kind is Kind.UTC:
            return self.clock.replace(tzinfo=UTC)
        if self.offset is None:
            return self.clock
        if abs(self.offset) < timedelta(days=1):
            return self.clock.replace(tzinfo=timezone(self.offset))
        try:
            return (self.clock - self.offset).replace(tzinfo=UTC)
        except OverflowError:
            end = datetime.min if self.offset > timedelta() else datetime.max  # noqa: DTZ901  the next line gives a zone
            return end.replace(tzinfo=UTC)


_set_clock = DateTime.__dict__["clock"].__set__
_set_hundred_nanoseconds = DateTime.__dict__["hundred_nanoseconds"].__set__
_set_kind = DateTime.__dict__["kind"].__set__
_set_offset = DateTime.__dict__["offset"].__set__


def date_time(clock: datetime, hundred_nanoseconds: int, kind: Kind, offset: timedelta | None) -> DateTime:
    """Make a DateTime in half the time that its class takes; for readers of many."""
    found = DateTime.__new__(DateTime)
    _set_clock(found, clock)
    _set_hundred_nanoseconds(found, hundred_nanoseconds)
    _set_kind(found, kind)
    _set_offset(found, offset)
    return found


def utc_dates(clocks: Iterable[datetime]) -> list[DateTime]:
    """Make a DateTime of kind Utc of each clock time; for readers of many."""
    new, utc, found = DateTime.__new__, Kind.UTC, []
    for clock in clocks:
        made = new(DateTime)
        _set_clock(made, clock)
        _set_hundred_nanoseconds(made, 0)
        _set_kind(made, utc)
        _set_offset(made, None)
        found.append(made)
    return found


@frozen(order=True)
class TimeSpan:
    """System.TimeSpan in ticks of 100 ns."""

    dotnet_type: ClassVar[str] = "System.TimeSpan"

    ticks: int = field()

    @ticks.validator
    def _fits(self, _attribute: object, value: int) -> None:
        if not -_INT64_SPAN <= value < _INT64_SPAN:
            raise InputError(f"{value} ticks are out of the range of System.TimeSpan.", expected="64 bits")

    @classmethod
    def from_python(cls, value: timedelta) -> Self:
        """Take a Python timedelta, exactly."""
        return cls(((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 10)

    def to_python(self) -> timedelta:
        """Give a timedelta; the last digit, a tenth of a microsecond, is cut towards zero."""
        micros = abs(self.ticks) // 10
        return timedelta(microseconds=micros if self.ticks >= 0 else -micros)
