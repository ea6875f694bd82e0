"""What Python's own values, and the project's models, are to PowerShell.

Rules kept here (they are ours; PowerShell has no say in them):

* ``None`` is null; ``bool``, ``str``, ``float``, ``bytes`` and ``UUID`` are Boolean, String, Double, Byte[] and Guid;
  ``int`` is Int32, beyond it Int64, and refused beyond that unless a model declares a wider type.
* A naive datetime is a DateTime as it stands; an aware one is shown in UTC. A date is its midnight, a time and a
  timedelta are TimeSpans.
* An enum that is described as .NET's is that enum, another is its ``value``.
* Lists, tuples, sets and iterators are ``System.Object[]``; a mapping is an OrderedDictionary. Iterators are consumed
  once.
* A described model is an object of its .NET type: its properties in declared order, values of the declared type.
* Nothing is guessed: any other value is an InputError.
* A PSObject is itself, or what PowerShell rebuilds from it (:mod:`cauctl.psobject.rebuilt`).

The conversion is shallow: what lies inside of a container or an object is converted when it is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from cauctl.errors import InputError
from cauctl.models.dotnet import DotNetType, dotnet_type, dotnet_type_of
from cauctl.psobject.objects import ARRAY, PSDictionary, PSList, PSObject, array, enum_value, ordered_dictionary
from cauctl.psobject.rebuilt import rebuilt
from cauctl.psobject.values import (
    TYPE_NAMES,
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    SByte,
    Single,
    TimeSpan,
    UInt16,
    UInt32,
    UInt64,
    Uri,
    Version,
)

__all__ = ["declared_value", "powershell_value"]

_INT64: Final = range(-(1 << 63), 1 << 63)
_NULLABLE: Final = "System.Nullable`1[["
_ACCEPTED: Final = (
    "None, a number, text, bytes, a date or time, a UUID, an enum, a list, a mapping, a model or a PSObject"
)


def powershell_value(value: Any) -> Any:
    """Give what stands for a Python value: None, a primitive of the value model, or a PSObject.

    Raises:
        InputError: the value has no counterpart.
    """
    kind = type(value)
    if value is None or (kind in TYPE_NAMES and kind is not int):
        return value
    if isinstance(value, PSObject):
        return rebuilt(value)
    convert = _converter(kind)
    if convert is None:
        raise InputError(f"{kind.__module__}.{kind.__qualname__} has no counterpart in PowerShell.", expected=_ACCEPTED)
    return convert(value)


def declared_value(value: Any, declared: str) -> Any:
    """Give a property's value as its declared .NET type has it; one that tells its type itself stays as it is.

    Raises:
        InputError: the value does not fit the declared type.
    """
    bare = declared.removeprefix(_NULLABLE).partition(",")[0] if declared.startswith(_NULLABLE) else declared
    read = _DECLARED.get((type(value), bare))
    if read is not None:
        return read(value)
    if isinstance(value, list | tuple) and bare not in {"System.Object", "System.Object[]"}:
        return array(value, type_names=(bare, *ARRAY[1:]) if bare.endswith("[]") else (bare, "System.Object"))
    return value


def _int32(value: int) -> int:
    if not -(1 << 31) <= value < 1 << 31:
        raise InputError(f"{value} is out of the range of System.Int32.", expected="32 bits")
    return value


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise InputError(f"{value!a} is no System.Guid.", expected="32 hexadecimal digits") from error


def _integer(value: int) -> int:
    if value not in _INT64:
        raise InputError(f"{value} is out of the range of System.Int64.", expected="64 bits, or a declared wider type")
    return int(value)


def _enum(value: Enum) -> Any:
    described = dotnet_type_of(value)
    if described is None:
        return powershell_value(value.value)
    name = str(value.value)
    return enum_value(described.name, name, _INTEGERS[described.underlying](described.numbers[name]))


def _aware(value: datetime) -> DateTime:
    return DateTime.from_python(value if value.utcoffset() is None else value.astimezone(UTC))


def _model(value: Any) -> PSObject:
    described, type_names, declared = _description(type(value))
    return PSObject(
        type_names=type_names,
        text=described.name if described.text is None else str(getattr(value, described.text)),
        adapted={
            each.name: declared_value(getattr(value, each.attribute), each.declared) for each in described.properties
        },
        declared=declared,
    )


_Description = tuple[DotNetType, tuple[str, ...], Mapping[str, str]]
_described: Final[dict[type, _Description]] = {}


def _description(model: type) -> _Description:
    """Give a model class's description, its type names and the declared types of its properties."""
    if model not in _described:
        described = dotnet_type(model)
        if described is None:
            raise InputError(f"{model.__qualname__} is not described as a .NET type.", expected=_ACCEPTED)
        declared = {each.name: each.declared for each in described.properties}
        _described[model] = described, (described.name, *described.bases), declared
    return _described[model]


_INTEGERS: Final[Mapping[str, Callable[[int], int]]] = {
    "System.Int32": _int32,
    **{cls.dotnet_type: cls for cls in (Byte, SByte, Int16, UInt16, UInt32, Int64, UInt64)},
}
_DECLARED: Final[Mapping[tuple[type, str], Callable[[Any], Any]]] = {
    **{(int, name): convert for name, convert in _INTEGERS.items()},
    (int, "System.Decimal"): Decimal,
    (float, "System.Single"): Single,
    (str, "System.Char"): Char,
    (str, "System.Uri"): Uri,
    (str, "System.Version"): Version.from_text,
    (str, "System.Guid"): _uuid,
}
"""Converters by class of the value and declared type, where the class alone does not tell."""
_CONVERTERS: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (Enum, _enum),
    (int, _integer),
    (str, str),
    (float, float),
    (Decimal, Decimal),
    (bytes | bytearray | memoryview, bytes),
    (datetime, _aware),
    (date, lambda value: DateTime(datetime(value.year, value.month, value.day))),  # noqa: DTZ001  a date has no zone
    (
        time,
        lambda value: TimeSpan.from_python(
            timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
        ),
    ),
    (timedelta, TimeSpan.from_python),
    (PSDictionary, ordered_dictionary),
    (Mapping, ordered_dictionary),
    (PSList, array),
    (Collection | Iterator, array),
)
"""Converters by class, the first that fits."""


_known: Final[dict[type, Callable[[Any], Any] | None]] = {}


def _converter(kind: type) -> Callable[[Any], Any] | None:
    if kind not in _known:
        found = next((convert for cls, convert in _CONVERTERS if issubclass(kind, cls)), None)
        _known[kind] = _model if dotnet_type(kind) is not None else found
    return _known[kind]
