"""Shapes of the objects that a node's commands write: type names, properties in order, enums, usual values.

The facts stand in ``shapes.json``. Rules kept here:

* An object has every property of its type; what the caller leaves out has a usual value of a healthy server.
* Values get the width that .NET gives them. Enums and nested objects are live: the endpoint writes them as text where
  the wire's depth asks for it.
* Properties that a module's type extension adds (``HealthStatus`` as text beside its number) are notes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from cauctl.lab.binder.metadata import EnumType
from cauctl.psobject import (
    Byte,
    DateTime,
    Int16,
    Int64,
    Kind,
    PSObject,
    TimeSpan,
    UInt16,
    UInt32,
    UInt64,
    array,
    custom_object,
    enum_value,
)

__all__ = [
    "cim_type_names",
    "class_names",
    "enum",
    "enum_types",
    "local_time",
    "make",
    "property_names",
    "shape_names",
    "type_names",
]

_CIM: Final = "Microsoft.Management.Infrastructure.CimInstance"
_STRING_COLLECTION: Final = ("System.Collections.Specialized.StringCollection", "System.Object")
_ARRAYS: Final = {
    "S": ("System.String[]", "System.Array", "System.Object"),
    "U16": ("System.UInt16[]", "System.Array", "System.Object"),
    "U32": ("System.UInt32[]", "System.Array", "System.Object"),
    "ref": ("System.Object[]", "System.Array", "System.Object"),
}

Convert = Callable[[Any], Any]


@frozen
class _Enum:
    name: str
    underlying: str
    flags: bool
    values: dict[str, int]

    def value(self, given: str | int) -> PSObject:
        number = given if isinstance(given, int) else self._number(given)
        return enum_value(self.name, self._text(number), _WIDTHS[self.underlying](number))

    def _number(self, text: str) -> int:
        if text.isdigit():
            return int(text)
        folded = {name.casefold(): number for name, number in self.values.items()}
        return sum(folded[part.strip().casefold()] for part in text.split(","))

    def _text(self, number: int) -> str:
        exact = next((name for name, value in self.values.items() if value == number), None)
        if exact is not None or not self.flags:
            return exact or str(number)
        parts = [name for name, value in self.values.items() if value > 0 and number & value]
        return ", ".join(parts) or str(number)


@frozen
class _Property:
    name: str
    convert: Convert
    usual: Any


@frozen
class _Shape:
    names: tuple[str, ...]
    properties: dict[str, _Property]
    text: str | None
    script: dict[str, dict[str, str]]
    classes: tuple[str, ...]
    namespace: str | None


def local_time(value: datetime | DateTime | None) -> DateTime | None:
    """Give a time as a node's commands write it: local, with an offset; the nodes of a lab live in UTC."""
    if value is None or isinstance(value, DateTime):
        return value
    return DateTime(value.astimezone(UTC).replace(tzinfo=None), kind=Kind.LOCAL, offset=timedelta(0))


def _integer(width: Callable[[int], Any]) -> Convert:
    return lambda value: None if value is None else width(int(value))


def _span(value: Any) -> Any:
    return TimeSpan.from_python(value) if isinstance(value, timedelta) else value


_WIDTHS: Final[dict[str, Callable[[int], Any]]] = {
    "System.UInt16": UInt16,
    "System.Int32": int,
    "System.UInt32": UInt32,
    "System.UInt64": UInt64,
    "System.Int64": Int64,
}
_CONVERTERS: Final[dict[str, Convert]] = {
    "By": _integer(Byte),
    "U16": _integer(UInt16),
    "U32": _integer(UInt32),
    "U64": _integer(UInt64),
    "I16": _integer(Int16),
    "I64": _integer(Int64),
    "DT": local_time,
    "TS": _span,
    "G": lambda value: UUID(value) if isinstance(value, str) else value,
}


def _list(tag: str, *, strings: tuple[str, ...]) -> Convert:
    item, names = _CONVERTERS.get(tag, _same), strings if tag == "S" else _ARRAYS[tag]

    def convert(value: Any) -> Any:
        return None if value is None else array([item(each) for each in value], type_names=names)

    return convert


def _same(value: Any) -> Any:
    return value


@cache
def _document() -> dict[str, Any]:
    text = files(__package__).joinpath("shapes.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@cache
def _enum(name: str) -> _Enum:
    entries = _document()["enums"]
    full = name if name in entries else next(each for each in entries if each.endswith((f".{name}", f"+{name}")))
    entry = entries[full]
    return _Enum(full, entry["underlying"], entry["flags"], entry["values"])


@cache
def _shape(name: str) -> _Shape:
    entry = _document()["types"][name]
    is_cim = entry["names"][0].startswith(_CIM)
    strings = _ARRAYS["S"] if is_cim else _STRING_COLLECTION
    properties = [_property(row, strings) for row in entry["properties"]]
    return _Shape(
        tuple(entry["names"]),
        {each.name: each for each in properties},
        entry.get("text"),
        entry.get("script", {}),
        (*reversed(entry.get("above", ())), entry.get("class", name)) if is_cim else (),
        entry.get("namespace"),
    )


def _property(row: list[Any], strings: tuple[str, ...]) -> _Property:
    name, tag, *rest = row
    usual = rest[0] if rest else None
    convert = _CONVERTERS.get(tag, _same)
    if tag.startswith("LST:"):
        convert = _list(tag.removeprefix("LST:"), strings=strings)
    elif tag == "enum":
        entries = _document()["enums"]
        convert = _enum_converter(rest[1]) if rest[1] in entries else _same
    return _Property(name, convert, convert(usual))


def _enum_converter(name: str) -> Convert:
    def convert(value: Any) -> Any:
        return value if value is None or isinstance(value, PSObject) else _enum(name).value(value)

    return convert


def enum(type_name: str, value: str | int) -> PSObject:
    """Make an enum value by the type's full name or its last part, and the member's name (several: by commas)."""
    return _enum(type_name).value(value)


def shape_names() -> tuple[str, ...]:
    """Give the names of all types that are described."""
    return tuple(_document()["types"])


def enum_types() -> list[EnumType]:
    """Give all enums of properties."""
    return [
        EnumType(name, entry["values"], flags=entry["flags"], underlying=entry["underlying"])
        for name, entry in _document()["enums"].items()
    ]


def type_names(type_name: str) -> tuple[str, ...]:
    """Give a type's names, most derived first."""
    return _shape(type_name).names


def property_names(type_name: str) -> tuple[str, ...]:
    """Give the names of a type's properties, in order."""
    return tuple(_shape(type_name).properties)


def class_names(type_name: str) -> tuple[str, ...]:
    """Give the CIM classes of a type, from the base to its own; empty for what is no CIM instance."""
    return _shape(type_name).classes


def cim_type_names(namespace: str, class_name: str) -> tuple[str, ...]:
    """Give the type names of an instance of a class without known superclasses."""
    return (f"{_CIM}#{namespace}/{class_name}", f"{_CIM}#{class_name}", _CIM, "System.Object")


def make(type_name: str, values: dict[str, Any] | None = None, *, node: str = "", **named: Any) -> PSObject:
    """Make an object of a type of ``shapes.json``; a property that the type does not have is a KeyError.

    Args:
        type_name: last part of the type's name, such as ``ClusterNode``.
        values: properties by name.
        node: node that a CIM instance comes from.
        named: further properties by name.
    """
    shape = _shape(type_name)
    adapted = {name: each.usual for name, each in shape.properties.items()}
    given = {**(values or {}), **named}
    for name, value in given.items():
        adapted[name] = shape.properties[name].convert(value)
    text = adapted.get(shape.text) if shape.text else None
    made = PSObject(type_names=shape.names, adapted=adapted, text=text or _text_of(shape, adapted))
    for name, texts in shape.script.items():
        made.extended[name] = _script_text(adapted.get(name), texts)
    if shape.classes:
        made.extended["__ClassMetadata"] = _class_metadata(shape, node)
    return made


def _text_of(shape: _Shape, adapted: dict[str, Any]) -> str | None:
    if not shape.classes:
        return shape.names[0]
    key = adapted.get("Name") or adapted.get("FriendlyName") or adapted.get("TaskName")
    return f"{shape.classes[-1]} ({key})" if key else shape.classes[-1]


def _script_text(value: Any, texts: dict[str, str]) -> Any:
    """Give the text that a script property shows beside a number, or the list of texts beside a list."""
    if isinstance(value, PSObject):
        return array([texts.get(str(each), str(each)) for each in value], type_names=_ARRAYS["S"])
    return texts.get(str(value), value) if texts else value


def _class_metadata(shape: _Shape, node: str) -> PSObject:
    entries = [
        custom_object(
            {
                "ClassName": name,
                "Namespace": (shape.namespace or "").replace("/", "\\"),
                "ServerName": node,
                "Hash": hash_of(name),
            }
        )
        for name in shape.classes
    ]
    return array(entries, type_names=("System.Collections.ArrayList", "System.Object"))


def hash_of(name: str) -> int:
    """Give a stable number for a class, in the range of Int32."""
    number = 0
    for character in name:
        number = (number * 31 + ord(character)) & 0xFFFF_FFFF
    return number - (1 << 32) if number >= 1 << 31 else number
