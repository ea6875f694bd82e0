"""Conversion of values to what parameters want, by PowerShell's language (``LanguagePrimitives.ConvertTo``).

Results: ``str``, ``bool``, ``int`` (or its sized kin), ``DateTime``, ``TimeSpan``, ``UUID``, ``Uri``, ``Version``,
dictionaries as they are, arrays as lists; an enum as the name of its member, flags joined by comma and blank.
What does not convert raises :class:`ConversionError` with PowerShell's sentence.
"""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cauctl.errors import InputError
from cauctl.lab.binder.dotnet import (
    BOOLEAN,
    PSOBJECT,
    STRING,
    SWITCH,
    DotNetType,
    as_list,
    dotnet_name,
    is_instance,
    unwrap,
)
from cauctl.lab.binder.enums import convert_enum, enum_text
from cauctl.lab.binder.instants import parse_date, parse_duration
from cauctl.lab.binder.metadata import enum_type
from cauctl.lab.binder.numerals import to_double, to_integer
from cauctl.psobject import (
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    PSDictionary,
    PSObject,
    SByte,
    Single,
    TimeSpan,
    UInt16,
    UInt32,
    UInt64,
    Uri,
    Version,
    XmlDocument,
)
from cauctl.psobject.culture import INVARIANT, Culture
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objecttext import ObjectText

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ConversionError", "convert", "default_of", "is_number", "text_of"]

_TEXTS: Final = ObjectText(TextStyle())
_GUID: Final = "System.Guid"
_GUID_BYTES: Final = 16
_TICKS_END: Final = 3_155_378_976_000_000_000
_INTEGERS: Final[dict[str, tuple[int, int, Callable[[int], Any]]]] = {
    "System.Byte": (0, 255, Byte),
    "System.SByte": (-128, 127, SByte),
    "System.Int16": (-(1 << 15), (1 << 15) - 1, Int16),
    "System.UInt16": (0, (1 << 16) - 1, UInt16),
    "System.Int32": (-(1 << 31), (1 << 31) - 1, int),
    "System.UInt32": (0, (1 << 32) - 1, UInt32),
    "System.Int64": (-(1 << 63), (1 << 63) - 1, Int64),
    "System.UInt64": (0, (1 << 64) - 1, UInt64),
}


class ConversionError(Exception):
    """A value does not convert; the message is PowerShell's."""

    @classmethod
    def between(cls, value: Any, wanted: DotNetType, detail: str = "") -> ConversionError:
        """Say which value does not convert to which type, and why."""
        if detail:
            return cls(f'Cannot convert value "{text_of(value)}" to type "{wanted.name}". Error: "{detail}"')
        actual = dotnet_name(value) if value is not None else "null"
        return cls(f'Cannot convert the "{text_of(value)}" value of type "{actual}" to type "{wanted.name}".')


def text_of(value: Any) -> str:
    """Give the text of a value as the language converts it; null is empty."""
    if value is None:
        return ""
    if isinstance(value, PSObject) and dotnet_name(value) == SWITCH:
        return str(_present(value))
    if isinstance(value, PSObject) and value.base is not None and not value.is_container:
        return value.text if value.text is not None else _TEXTS.to_string(value.base)
    items = as_list(value)
    return " ".join(map(_item_text, items)) if items is not None else _TEXTS.to_string(value)


def _item_text(value: Any) -> str:
    """Give the text of an item; a list that came over the wire shows its type name there."""
    is_list = isinstance(value, PSObject) and value.is_container
    return dotnet_name(value) if is_list else text_of(value)


def is_number(value: Any) -> bool:
    """Tell whether a value is of a numeric type; a boolean and an enum's box are none and one."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _present(value: PSObject) -> bool:
    return value.get("IsPresent") is True


def convert(
    value: Any,
    wanted: DotNetType,
    *,
    culture: Culture = INVARIANT,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Any:
    """Convert a value to a type.

    Args:
        value: what was given.
        wanted: the parameter's type.
        culture: in which moments are written as text.
        now: the present moment, for dates that leave part of it open.
    """
    if value is None:
        return _convert_null(wanted)
    inner = wanted.element or wanted.nullable
    if inner is not None and wanted.element is not None:
        items = as_list(value)
        if items is None:
            items = list(unwrap(value)) if inner.name == "System.Char" and isinstance(unwrap(value), str) else [value]
        return [convert(item, inner, culture=culture, now=now) for item in items]
    if inner is not None:
        return convert(value, inner, culture=culture, now=now)
    if wanted.name == STRING and isinstance(unwrap(value), DateTime):
        return TextStyle(culture=culture).text(unwrap(value))
    if wanted.name in {"System.DateTime", "System.TimeSpan"}:
        return _convert_moment(unwrap(value), wanted, now)
    return _convert_single(value, wanted)


def _convert_single(value: Any, wanted: DotNetType) -> Any:
    """Convert what needs neither culture nor clock."""
    if wanted.enum is not None:
        return _convert_enum(value, wanted)
    if wanted.name in _INTEGERS:
        return _convert_integer(unwrap(value), wanted)
    converter = _CONVERTERS.get(wanted.name)
    if converter is not None and not (isinstance(value, PSObject) and is_instance(value, wanted)):
        return converter(value, wanted)
    if is_instance(value, wanted) or wanted.name == PSOBJECT:
        return value
    raise ConversionError.between(value, wanted)


def _convert_null(wanted: DotNetType) -> Any:
    """Convert null: zero for numbers, false, the empty text, null where it may be; else refused."""
    if wanted.name == STRING:
        return ""
    if wanted.is_value_type and (
        wanted.enum is not None or wanted.name in {"System.DateTime", "System.TimeSpan", _GUID}
    ):
        raise ConversionError(f'Cannot convert null to type "{wanted.name}".')
    return default_of(wanted)


def default_of(wanted: DotNetType) -> Any:
    """Give the default of a value type; null for any other."""
    if wanted.enum is not None:
        return enum_text(0, wanted.enum) or "0"
    if wanted.name in _INTEGERS:
        return _INTEGERS[wanted.name][2](0)
    return _DEFAULTS.get(wanted.name)


def _convert_enum(value: Any, wanted: DotNetType) -> str:
    assert wanted.enum is not None  # noqa: S101  asked by _convert_single()
    if isinstance(value, PSObject) and dotnet_name(value) == wanted.name:
        return value.text or ""
    items = as_list(value)
    given = [unwrap(value)] if items is None else [unwrap(item) for item in items]
    try:
        return convert_enum(given, wanted.enum)
    except ValueError as error:
        raise ConversionError.between(value, wanted, str(error)) from None


def _convert_integer(value: Any, wanted: DotNetType) -> Any:
    lowest, highest, make = _INTEGERS[wanted.name]
    found: int | None
    if isinstance(value, Char):
        found = ord(value)
    elif isinstance(value, str):
        found = to_integer(value, lowest, highest)
        if found is None:
            raise ConversionError.between(value, wanted, f"The input string '{value}' was not in a correct format.")
    elif isinstance(value, bool | int):
        found = int(value)
    elif isinstance(value, float | Decimal) and math.isfinite(value):
        found = round(Fraction(value))
    else:
        raise ConversionError.between(value, wanted)
    if not lowest <= found <= highest:
        raise ConversionError.between(value, wanted, f"Value was either too large or too small for {wanted.name}.")
    return make(found)


def _convert_moment(value: Any, wanted: DotNetType, now: Callable[[], datetime]) -> Any:
    """Convert to DateTime or TimeSpan: whole numbers are ticks, texts are parsed, other numbers go by their text."""
    is_date = wanted.name == "System.DateTime"
    if isinstance(value, DateTime if is_date else TimeSpan):
        return value
    if isinstance(value, Char):
        value = ord(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _from_ticks(value, wanted, is_date=is_date)
    if isinstance(value, str) or is_number(value):
        text = text_of(value)
        found = parse_date(text, now=now) if is_date else parse_duration(text)
        if found is None:
            raise ConversionError.between(
                value, wanted, f"String '{text}' was not recognized as a valid {wanted.name}."
            )
        return found
    raise ConversionError.between(value, wanted)


def _from_ticks(ticks: int, wanted: DotNetType, *, is_date: bool) -> Any:
    if is_date and 0 <= ticks < _TICKS_END:
        return DateTime.from_ticks(ticks)
    if not is_date and -(1 << 63) <= ticks < 1 << 63:
        return TimeSpan(ticks)
    raise ConversionError.between(ticks, wanted, "Ticks are out of range.")


def _convert_text(value: Any, wanted: DotNetType) -> str:  # noqa: ARG001  one signature for all
    return text_of(value)


def _convert_boolean(value: Any, wanted: DotNetType) -> bool:
    """Give the truth of a value: of a list of one, that of its item."""
    items = as_list(value)
    if items is not None:
        return _convert_boolean(items[0], wanted) if len(items) == 1 else bool(items)
    plain = unwrap(value)
    if isinstance(plain, PSObject) and dotnet_name(plain) == SWITCH:
        return _present(plain)
    if isinstance(plain, str):
        return plain != "\0" if isinstance(plain, Char) else bool(plain)
    return bool(plain) if isinstance(plain, bool) or is_number(plain) else plain is not None


def _convert_switch(value: Any, wanted: DotNetType) -> bool:
    plain = unwrap(value)
    if isinstance(plain, bool):
        return plain
    if isinstance(plain, PSObject) and dotnet_name(plain) == SWITCH:
        return _present(plain)
    raise ConversionError.between(value, wanted)


def _convert_double(value: Any, wanted: DotNetType) -> float:
    plain = unwrap(value)
    found = to_double(plain) if isinstance(plain, str) and not isinstance(plain, Char) else None
    if isinstance(plain, bool) or is_number(plain):
        found = float(plain)
    if found is None:
        raise ConversionError.between(value, wanted)
    return Single(found) if wanted.name == "System.Single" else found


def _convert_guid(value: Any, wanted: DotNetType) -> UUID:
    plain = unwrap(value)
    if isinstance(plain, UUID):
        return plain
    if isinstance(plain, str) and not isinstance(plain, Char):
        with contextlib.suppress(ValueError):
            return UUID(plain.strip().strip("()"))
        raise ConversionError.between(value, wanted, "Unrecognized Guid format.")
    if isinstance(plain, bytes) and len(plain) == _GUID_BYTES:
        return UUID(bytes_le=plain)
    raise ConversionError.between(value, wanted)


def _convert_uri(value: Any, wanted: DotNetType) -> Uri:
    plain = unwrap(value)
    if isinstance(plain, Uri):
        return plain
    if is_number(plain) or (isinstance(plain, str) and not isinstance(plain, Char)):
        return Uri(text_of(plain))
    raise ConversionError.between(value, wanted)


def _convert_version(value: Any, wanted: DotNetType) -> Version:
    plain = unwrap(value)
    if isinstance(plain, Version):
        return plain
    if isinstance(plain, float | Decimal) or (isinstance(plain, str) and not isinstance(plain, Char)):
        with contextlib.suppress(InputError):
            return Version.from_text(text_of(plain).strip())
        raise ConversionError.between(value, wanted, "The version string is too short, too long or no version.")
    raise ConversionError.between(value, wanted)


def _convert_dictionary(value: Any, wanted: DotNetType) -> Any:
    if isinstance(value, dict) or (isinstance(value, PSObject) and isinstance(value.base, PSDictionary)):
        return value
    raise ConversionError.between(value, wanted)


def _convert_char(value: Any, wanted: DotNetType) -> Char:
    plain = unwrap(value)
    if isinstance(plain, str) and len(plain) == 1 and ord(plain) <= 0xFFFF:  # noqa: PLR2004  a code unit has 16 bits
        return Char(plain)
    if isinstance(plain, int) and not isinstance(plain, bool) and 0 <= plain <= 0xFFFF:  # noqa: PLR2004  as above
        return Char(chr(plain))
    raise ConversionError.between(value, wanted)


def _convert_xml(value: Any, wanted: DotNetType) -> XmlDocument:
    plain = unwrap(value)
    if isinstance(plain, XmlDocument):
        return plain
    if isinstance(plain, str) and (not plain.strip() or plain.lstrip().startswith("<")):
        return XmlDocument(plain)
    raise ConversionError.between(value, wanted)


def _keep_text(value: Any, wanted: DotNetType) -> str:
    """Take what is made from a text alone and is never taken apart here."""
    plain = unwrap(value)
    if isinstance(plain, str) or (is_number(plain) and wanted.name == "System.Exception"):
        return text_of(plain)
    raise ConversionError.between(value, wanted)


def _keep_flags_expression(value: Any, wanted: DotNetType) -> str:
    """Take an expression of flags: names with ``!`` before, ``+`` and ``,`` between."""
    plain = unwrap(value)
    flags = enum_type(wanted.name[wanted.name.index("[") + 1 : -1])
    if not isinstance(plain, str) or not plain.strip() or any(map(str.isdigit, plain)) or flags is None:
        raise ConversionError.between(value, wanted)
    try:
        for part in plain.replace("+", ",").split(","):
            convert_enum([part.strip().removeprefix("!").strip()], flags)
    except ValueError as error:
        raise ConversionError.between(value, wanted, str(error)) from None
    return plain


def _keep_specification(value: Any, wanted: DotNetType) -> Any:
    """Take the name of a module, or a dictionary that describes one."""
    return unwrap(value) if isinstance(unwrap(value), str) else _convert_dictionary(value, wanted)


def _convert_credential(value: Any, wanted: DotNetType) -> Any:
    """Take a credential; one that came over the wire is revived by every reader."""
    if isinstance(value, PSObject) and value.is_a(wanted.name):
        return value
    raise ConversionError.between(value, wanted)


_AUTOMATION: Final = "System.Management.Automation."
_DEFAULTS: Final[dict[str, Any]] = {
    BOOLEAN: False,
    SWITCH: False,
    "System.Char": Char("\0"),
    "System.Double": 0.0,
    "System.Single": Single(0.0),
    "System.Decimal": Decimal(0),
    "System.DateTime": DateTime.from_ticks(0),
    "System.TimeSpan": TimeSpan(0),
    _GUID: UUID(int=0),
}
_CONVERTERS: Final[dict[str, Callable[[Any, DotNetType], Any]]] = {
    STRING: _convert_text,
    BOOLEAN: _convert_boolean,
    SWITCH: _convert_switch,
    "System.Double": _convert_double,
    "System.Single": _convert_double,
    _GUID: _convert_guid,
    "System.Uri": _convert_uri,
    "System.Version": _convert_version,
    "System.Collections.Hashtable": _convert_dictionary,
    "System.Collections.IDictionary": _convert_dictionary,
    "System.Char": _convert_char,
    "System.Xml.XmlDocument": _convert_xml,
    "System.Exception": _keep_text,
    _AUTOMATION + "PSCredential": _convert_credential,
    _AUTOMATION + "WildcardPattern": _keep_text,
    _AUTOMATION + "PSTypeName": _keep_text,
    _AUTOMATION + "FlagsExpression`1[System.IO.FileAttributes]": _keep_flags_expression,
    "Microsoft.PowerShell.Commands.ModuleSpecification": _keep_specification,
}
