"""An object as PowerShell sees it: its .NET type and its properties, in PowerShell's order.

Rules kept here (numbers are those of the project's study of ConvertTo-Xml):

* Properties are the notes, then the .NET properties that no note hides; names are compared without case (R35, R48).
* In an object that was read, a note ``ToString`` comes first if a ToString is stored, then a note ``GetType`` if there
  are ``Props`` (R48a).
* An object that was read has no base object: its type is PSCustomObject; containers are rebuilt as ArrayList, Stack,
  Queue, Hashtable or OrderedDictionary, enums as their numbers (R47, R50).
* After its notes an enum has its number as ``value__``. What was read as an enum has ``Value`` there, whatever it
  holds: a script property of PowerShell's type table that calls ``ToString()``, so a null where that fails.
* A null shows its declared type: ``System.Object`` for a note, what .NET declares for a property, nothing for one that
  was read (R36, R48).

Use::

    for name, value, declared in ps_properties(update): ...
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from cauctl.psobject.native import powershell_value
from cauctl.psobject.nettext import TextStyle
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
    "has_enum_text",
    "is_bag",
    "is_enum",
    "is_live_enum",
    "notes",
    "properties",
    "ps_properties",
]

BAG_TYPE: Final = CUSTOM_OBJECT[0]
ENUM_TYPE: Final = "System.Enum"
ENUM_TEXT: Final = "Value"
"""Name of the script property that every object has that was read as an enum."""
_ENUM: Final = ENUM_TYPE.lower()
_DESERIALIZED: Final = DESERIALIZED.lower()
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
    shown = () if has_written_properties_only(value) else notes(value)
    found = [Property(name, item, OBJECT_TYPE) for name, item in shown]
    scripted = has_enum_text(value)
    if scripted:
        found.append(Property(ENUM_TEXT, _enum_text(value), OBJECT_TYPE))
    if is_live_enum(value):
        found.append(Property("value__", value.base, ""))
    if value.adapted:
        hidden = {name.upper() for name in value.extended}
        if scripted:
            hidden.add(ENUM_TEXT.upper())
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
    return _is_enum_type(value.type_names)


@lru_cache(maxsize=1024)
def _is_enum_type(names: tuple[str, ...]) -> bool:
    return any(name.lower().removeprefix(_DESERIALIZED) == _ENUM for name in names)


def has_enum_text(value: PSObject) -> bool:
    """Tell whether PowerShell's type table gives an object that was read the script property ``Value``."""
    return value.deserialized and is_enum(value) and ENUM_TEXT not in value.extended


def _enum_text(value: PSObject) -> str | None:
    """Give what ``$this.ToString()`` gives in the script property of what was read as an enum; None where it fails."""
    if "ToString" in value.extended:
        return None
    if value.text is not None:
        return value.text
    if value.base is not None and not value.is_container:
        return TextStyle().text(value.base)
    if value.adapted is not None:
        return None
    return base_type(value) if value.is_container else ""


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
_WRITTEN_ONLY: Final = frozenset(
    (
        "System.Globalization.CultureInfo",
        "System.Security.Cryptography.X509Certificates.X500DistinguishedName",
    )
)
"""Types of which certain .NET properties are written and nothing else, notes neither."""
_DEPTHS_READ: Final = {
    "microsoft.powershell.commands.internal.format.formatinfodata": 1,
    "system.management.managementeventargs": 2,
}
"""Types that keep a depth of their own after reading."""


def has_written_properties_only(value: PSObject) -> bool:
    """Tell whether certain properties of an object are written and its notes are not (R38)."""
    return not value.deserialized and not _WRITTEN_ONLY.isdisjoint(value.type_names)


def depth_within(value: PSObject, depth: int) -> int:
    """Give the depth that is left for an object's properties (R38)."""
    if value.deserialized:
        return (_depth_read(value.type_names) or depth) - 1
    return 0 if not _ONE_LEVEL.isdisjoint(value.type_names) else depth - 1


@lru_cache(maxsize=1024)
def _depth_read(names: tuple[str, ...]) -> int | None:
    return next(filter(None, (_DEPTHS_READ.get(name.lower().removeprefix(_DESERIALIZED)) for name in names)), None)
