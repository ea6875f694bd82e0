"""An object as PowerShell sees it: its .NET type and its properties, in PowerShell's order.

Rules kept here (numbers are those of the project's study of ConvertTo-Xml):

* Properties are the notes, then the .NET properties that no note hides; names are compared without case (R35, R48).
* In an object that was read, a note ``ToString`` comes first if a ToString is stored, then a note ``GetType`` if there
  are ``Props`` (R48a).
* An object that was read has no base object: its type is PSCustomObject; containers are rebuilt as ArrayList, Stack,
  Queue, Hashtable or OrderedDictionary, enums as their numbers (R47, R50).
* After its notes an enum has its number as ``value__``; one that was read has its stored text as ``Value``.
* A null shows its declared type: ``System.Object`` for a note, what .NET declares for a property, nothing for one that
  was read (R36, R48).

Use::

    for name, value, declared in ps_properties(update): ...
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from cauctl.psobject.native import powershell_value
from cauctl.psobject.objects import (
    CUSTOM_OBJECT,
    DESERIALIZED,
    Members,
    MemberSet,
    PSDictionary,
    PSObject,
    PSQueue,
    PSStack,
)
from cauctl.psobject.rebuilt import dictionary_type
from cauctl.psobject.typenames import shown_name
from cauctl.psobject.values import type_name

__all__ = [
    "Property",
    "base_type",
    "depth_within",
    "is_bag",
    "is_enum",
    "is_live_enum",
    "notes",
    "properties",
    "ps_properties",
]

BAG_TYPE: Final = CUSTOM_OBJECT[0]
ENUM_TYPE: Final = "System.Enum"
OBJECT_TYPE: Final = "System.Object"
_FIRST_NOTES: Final = ("TOSTRING", "GETTYPE")


class Property(NamedTuple):
    """One property of an object."""

    name: str
    value: Any
    """A value of the value model, or one of Python's own that :func:`powershell_value` turns into one."""
    declared: str
    """Full name of the declared type, which a null shows; empty where nobody knows it."""


def ps_properties(value: Any) -> list[Property]:
    """List the properties of a model, a PSObject or a property bag as PowerShell lists them.

    A mapping has none here: its entries are no properties.

    Raises:
        InputError: the value, or one of a model's, has no counterpart in PowerShell.
    """
    held = powershell_value(value)
    return properties(held) if isinstance(held, PSObject) else []


def properties(value: PSObject) -> list[Property]:
    """List the properties of a PSObject: notes, then what .NET gives it."""
    found = [Property(name, item, OBJECT_TYPE) for name, item in notes(value)]
    if value.deserialized and value.text is not None and is_enum(value):
        found.append(Property("Value", value.text, OBJECT_TYPE))
    if is_live_enum(value):
        found.append(Property("value__", value.base, ""))
    if value.adapted:
        hidden = {name.upper() for name in value.extended}
        declared = value.declared or {}
        found += [
            Property(name, item, declared.get(name, ""))
            for name, item in value.adapted.items()
            if not hidden or name.upper() not in hidden
        ]
    return found


def notes(value: PSObject) -> list[tuple[str, Any]]:
    """List the notes of a PSObject; member sets are no notes."""
    extended = value.extended
    if not extended:
        return []
    found = [(name, item) for name, item in extended.items() if type(item) is not MemberSet]
    if value.deserialized and _has_first_note(extended):
        first = [
            name for name, there in zip(_FIRST_NOTES, (value.text, value.adapted), strict=True) if there is not None
        ]
        found.sort(key=lambda pair: first.index(pair[0].upper()) if pair[0].upper() in first else len(first))
    return found


def _has_first_note(extended: Members) -> bool:
    return any(len(name) in {7, 8} and name.upper() in _FIRST_NOTES for name in extended)


def is_enum(value: PSObject) -> bool:
    """Tell whether the object is an enum's value, live or read."""
    names = value.type_names
    return len(names) > 1 and (ENUM_TYPE in names or DESERIALIZED + ENUM_TYPE in names)


def is_live_enum(value: PSObject) -> bool:
    """Tell whether the object is a value of an enum that was made here."""
    return (
        not value.deserialized and not value.is_container and value.base is not None and ENUM_TYPE in value.type_names
    )


def is_bag(value: PSObject) -> bool:
    """Tell whether the object is a PSCustomObject, as every object is that was read without a base value."""
    return value.base is None and (value.deserialized or not value.type_names or BAG_TYPE in value.type_names)


def base_type(value: PSObject) -> str:
    """Name the .NET type of the base object as ``Type.ToString()`` does (R14)."""
    if is_bag(value):
        return BAG_TYPE
    if value.is_container:
        return _container_type(value)
    if value.base is not None and not is_live_enum(value):
        return type_name(value.base) or BAG_TYPE
    return shown_name(value.type_names[0])


def _container_type(value: PSObject) -> str:
    base, names = value.base, value.type_names
    if not value.deserialized and names:
        return shown_name(names[0])
    if isinstance(base, PSDictionary):
        return dictionary_type(value)
    if isinstance(base, PSStack):
        return "System.Collections.Stack"
    if isinstance(base, PSQueue):
        return "System.Collections.Queue"
    return "System.Collections.ArrayList"


_ONE_LEVEL: Final = frozenset(
    (
        "System.Exception",
        "System.Net.IPAddress",
        "System.Net.Mail.MailAddress",
        "System.Globalization.CultureInfo",
        "System.Management.Automation.PSCredential",
        "System.Management.Automation.SwitchParameter",
        "System.Security.Cryptography.X509Certificates.X500DistinguishedName",
    )
)
"""Types whose properties are always written one level deep, whatever the depth asked for."""


def depth_within(value: PSObject, depth: int) -> int:
    """Give the depth that is left for an object's properties (R38)."""
    if not value.deserialized and not _ONE_LEVEL.isdisjoint(value.type_names):
        return 0
    return depth - 1
