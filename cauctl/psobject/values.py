"""Primitive values of PowerShell as Python holds them: each knows its .NET type.

Rules kept here:

* A Python value that loses nothing stands for itself: ``None`` is null, ``bool`` Boolean, ``str`` String, ``int`` Int32
  (Int64 beyond 32 bits), ``float`` Double, :class:`decimal.Decimal` Decimal, :class:`uuid.UUID` Guid, ``bytes`` Byte[].
* What Python cannot tell apart has a class of its own. The other integers, Single, Char and ScriptBlock are subclasses
  of ``int``, ``float`` and ``str``: they compute and compare as those do, and :func:`type_name` names them.
  Code that writes values must therefore ask for the exact class (``type(value)``) before ``isinstance``.
* DateTime and TimeSpan keep 100 ns ticks; a DateTime also keeps its kind and the offset that it was read with.
* Strings are UTF-16 in .NET: a surrogate pair is one Python character here, a lone surrogate stays a lone surrogate.
* A SecureString is carried, never made: its text form is opaque and does not show in ``repr``.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, Self
from uuid import UUID

from attrs import field, frozen

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "TYPE_NAMES",
    "Byte",
    "Char",
    "DateTime",
    "Int16",
    "Int64",
    "Kind",
    "ProgressRecord",
    "SByte",
    "ScriptBlock",
    "SecureString",
    "Single",
    "TimeSpan",
    "UInt16",
    "UInt32",
    "UInt64",
    "Uri",
    "Version",
    "XmlDocument",
    "type_name",
]

TICKS_PER_SECOND: Final = 10_000_000
_DAY_TICKS: Final = 86_400 * TICKS_PER_SECOND
_FIRST_DAY: Final = datetime(1, 1, 1)  # noqa: DTZ001  .NET counts ticks from here, without a zone
_INT64_SPAN: Final = 1 << 63
_INT32_SPAN: Final = 1 << 31


class _Integer(int):
    """An integer of a fixed width; out of range is an InputError."""

    dotnet_type: ClassVar[str]
    lowest: ClassVar[int]
    highest: ClassVar[int]

    def __new__(cls, value: int = 0) -> Self:
        if not cls.lowest <= value <= cls.highest:
            raise InputError(
                f"{value} is out of the range of {cls.dotnet_type}.", expected=f"{cls.lowest} to {cls.highest}"
            )
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"

    def __str__(self) -> str:
        return int.__repr__(self)

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (int(self),)

    def to_python(self) -> int:
        """Give the number as a plain int."""
        return int(self)


class Byte(_Integer):
    """System.Byte."""

    dotnet_type, lowest, highest = "System.Byte", 0, 255


class SByte(_Integer):
    """System.SByte."""

    dotnet_type, lowest, highest = "System.SByte", -128, 127


class Int16(_Integer):
    """System.Int16."""

    dotnet_type, lowest, highest = "System.Int16", -32768, 32767


class UInt16(_Integer):
    """System.UInt16."""

    dotnet_type, lowest, highest = "System.UInt16", 0, 65535


class UInt32(_Integer):
    """System.UInt32."""

    dotnet_type, lowest, highest = "System.UInt32", 0, 0xFFFF_FFFF


class Int64(_Integer):
    """System.Int64; a plain int is Int32 as long as it fits."""

    dotnet_type, lowest, highest = "System.Int64", -_INT64_SPAN, _INT64_SPAN - 1


class UInt64(_Integer):
    """System.UInt64."""

    dotnet_type, lowest, highest = "System.UInt64", 0, (1 << 64) - 1


class Single(float):
    """System.Single: a float rounded to 32 bits."""

    dotnet_type: ClassVar[str] = "System.Single"

    def __new__(cls, value: float = 0.0) -> Self:
        """Round to the nearest 32-bit number; what is too large becomes infinite."""
        try:
            rounded = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            rounded = float("inf") if value > 0 else float("-inf")
        return super().__new__(cls, rounded)

    def __repr__(self) -> str:
        return f"Single({float(self)!r})"

    def __str__(self) -> str:
        return float.__repr__(self)

    def __reduce__(self) -> tuple[type[Self], tuple[float]]:
        return type(self), (float(self),)

    def to_python(self) -> float:
        """Give the number as a plain float, exactly."""
        return float(self)


class Char(str):
    """System.Char: one UTF-16 code unit, lone surrogates included."""

    dotnet_type: ClassVar[str] = "System.Char"
    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        """Take one code unit; anything else is an InputError."""
        if len(value) != 1 or ord(value) > 0xFFFF:  # noqa: PLR2004  a code unit has 16 bits
            raise InputError(f"{value!a} is no System.Char.", expected="one UTF-16 code unit")
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return f"Char({str.__repr__(self)})"

    def to_python(self) -> str:
        """Give the character as a plain str."""
        return str.__str__(self)


class ScriptBlock(str):
    """System.Management.Automation.ScriptBlock: its text, never run here. PowerShell reads one back as String."""

    dotnet_type: ClassVar[str] = "System.Management.Automation.ScriptBlock"
    __slots__ = ()

    def __repr__(self) -> str:
        return f"ScriptBlock({str.__repr__(self)})"

    def to_python(self) -> str:
        """Give the text as a plain str."""
        return str.__str__(self)


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
            + (self.hundred_nanoseconds)
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


_LAST_TICK: Final = 3_652_059 * _DAY_TICKS  # days from year 1 to the end of year 9999


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


@frozen
class Version:
    """System.Version: two to four parts, each 0 to 2147483647."""

    dotnet_type: ClassVar[str] = "System.Version"

    parts: tuple[int, ...] = field()

    @parts.validator
    def _given(self, _attribute: object, value: tuple[int, ...]) -> None:
        if not 2 <= len(value) <= 4 or not all(0 <= part < _INT32_SPAN for part in value):  # noqa: PLR2004  as .NET has it
            raise InputError(f"{value} is no System.Version.", expected="two to four parts, each 0 to 2147483647")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read ``major.minor[.build[.revision]]``."""
        pieces = text.split(".")
        if not all(piece.isascii() and piece.isdigit() for piece in pieces):
            raise InputError(f"{text!a} is no System.Version.", expected="two to four numbers with points between")
        return cls(tuple(int(piece) for piece in pieces))

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))

    def to_python(self) -> str:
        """Give the usual text, such as ``10.0.20348``."""
        return str(self)


@frozen
class Uri:
    """System.Uri by the text it was made from; .NET's canonical form is the business of who prints it."""

    dotnet_type: ClassVar[str] = "System.Uri"

    text: str

    def __str__(self) -> str:
        return self.text

    def to_python(self) -> str:
        """Give the text."""
        return self.text


@frozen
class XmlDocument:
    """System.Xml.XmlDocument by its text, as it stands in the CLIXML; empty for a document without a root."""

    dotnet_type: ClassVar[str] = "System.Xml.XmlDocument"

    text: str

    def to_python(self) -> str:
        """Give the text of the document."""
        return self.text


@frozen(repr=False)
class SecureString:
    """System.Security.SecureString as it was read: opaque, carried unchanged, never printed."""

    dotnet_type: ClassVar[str] = "System.Security.SecureString"

    protected: str
    """Text between ``<SS>`` and ``</SS>``: DPAPI data, session-key data or (Linux) no protection at all. A secret."""

    def __repr__(self) -> str:
        return "SecureString(...)"

    def to_python(self) -> Self:
        """Give itself: there is no open form of a secret here."""
        return self


@frozen
class ProgressRecord:
    """System.Management.Automation.ProgressRecord."""

    dotnet_type: ClassVar[str] = "System.Management.Automation.ProgressRecord"

    activity: str
    activity_id: int = field(default=0, kw_only=True)
    status_description: str = field(kw_only=True)
    current_operation: str | None = field(default=None, kw_only=True)
    parent_activity_id: int = field(default=-1, kw_only=True)
    percent_complete: int = field(default=-1, kw_only=True)
    """-1: not known."""
    seconds_remaining: int = field(default=-1, kw_only=True)
    """-1: not known."""
    record_type: str = field(default="Processing", kw_only=True)
    """``Processing`` or ``Completed``."""

    def to_python(self) -> Self:
        """Give itself: there is nothing plainer."""
        return self


TYPE_NAMES: Final[dict[type, str]] = {
    bool: "System.Boolean",
    str: "System.String",
    float: "System.Double",
    Decimal: "System.Decimal",
    UUID: "System.Guid",
    bytes: "System.Byte[]",
    int: "System.Int32",
    **{
        cls: cls.dotnet_type
        for cls in (
            *(Byte, SByte, Int16, UInt16, UInt32, Int64, UInt64, Single, Char, ScriptBlock, DateTime, TimeSpan),
            *(Version, Uri, XmlDocument, SecureString, ProgressRecord),
        )
    },
}
"""Full .NET type name by exact Python class; the classes of this table are the primitives. Plain int: see type_name."""


PLAIN: Final = frozenset((type(None), bool, int, float, str, bytes, Decimal, UUID))
"""Python's own classes among the primitives; they need no conversion."""


def type_name(value: object) -> str | None:
    """Name the .NET type of a primitive; None for null and for what is no primitive (a PSObject knows its own)."""
    kind = type(value)
    if kind is int and not -_INT32_SPAN <= value < _INT32_SPAN:  # type: ignore[operator]  # it is an int
        return "System.Int64"
    return TYPE_NAMES.get(kind)
