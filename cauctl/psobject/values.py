"""Primitive values of PowerShell as Python holds them: each knows its .NET type.

Rules kept here:

* A Python value that loses nothing stands for itself: ``None`` is null, ``bool`` Boolean, ``str`` String, ``int`` Int32
  (Int64 beyond 32 bits), ``float`` Double, :class:`decimal.Decimal` Decimal, :class:`uuid.UUID` Guid, ``bytes`` Byte[].
* What Python cannot tell apart has a class of its own. The other integers, Single, Char and ScriptBlock are subclasses
  of ``int``, ``float`` and ``str``: they compute and compare as those do, and :func:`type_name` names them.
  Code that writes values must therefore ask for the exact class (``type(value)``) before ``isinstance``.
* DateTime and TimeSpan (made in :mod:`cauctl.psobject.times`) keep 100 ns ticks; a DateTime also keeps its kind and
  the offset that it was read with.
* Strings are UTF-16 in .NET: a surrogate pair is one Python character here, a lone surrogate stays a lone surrogate.
* A SecureString is carried, never made: its text form is opaque and does not show in ``repr``.
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import ClassVar, Final, Self
from uuid import UUID

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.psobject.times import DateTime, Kind, TimeSpan

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
