"""What .NET a value is and what .NET a parameter wants, as far as binding asks.

A value is what CLIXML or a handler made: a primitive, a plain list or dict (an array, a dictionary), or a
:class:`~cauctl.psobject.PSObject`. Lists that came over the wire are ArrayLists, those of handlers are arrays.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.lab.binder.metadata import EnumType, enum_type
from cauctl.psobject import PSDictionary, PSList, PSObject, PSQueue, PSStack, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BOOLEAN",
    "OBJECT",
    "PSOBJECT",
    "STRING",
    "SWITCH",
    "DotNetType",
    "as_list",
    "dotnet_name",
    "dotnet_type",
    "is_instance",
    "unwrap",
]

STRING: Final = "System.String"
BOOLEAN: Final = "System.Boolean"
OBJECT: Final = "System.Object"
PSOBJECT: Final = "System.Management.Automation.PSObject"
SWITCH: Final = "System.Management.Automation.SwitchParameter"
_STRING_COLLECTION: Final = "System.Collections.Specialized.StringCollection"
_ARRAY_LIST: Final = "System.Collections.ArrayList"
_OBJECT_ARRAY: Final = "System.Object[]"
_VALUE_TYPES: Final = frozenset({
    BOOLEAN, SWITCH, "System.Byte", "System.SByte", "System.Int16", "System.UInt16", "System.Int32", "System.UInt32",
    "System.Int64", "System.UInt64", "System.Single", "System.Double", "System.Decimal", "System.Char",
    "System.DateTime", "System.TimeSpan", "System.Guid",
})  # fmt: skip
CUSTOM_OBJECT: Final = "System.Management.Automation.PSCustomObject"
_NULLABLE: Final = "System.Nullable`1["


@frozen
class DotNetType:
    """The type of a parameter, taken apart."""

    name: str
    element: DotNetType | None = None
    """Element type of a collection that the binder fills."""
    is_array: bool = field(default=False, kw_only=True)
    takes_raw: bool = field(default=False, kw_only=True)
    """A collection without a known element type: items are added as they are, and must fit."""
    nullable: DotNetType | None = field(default=None, kw_only=True)
    """The type itself when null is a value, too."""
    enum: EnumType | None = field(default=None, kw_only=True)

    @property
    def is_value_type(self) -> bool:
        """Whether null is no value of it."""
        return self.enum is not None or self.name in _VALUE_TYPES


@cache
def dotnet_type(name: str) -> DotNetType:
    """Take a full type name apart."""
    if name.endswith("[]"):
        return DotNetType(name, dotnet_type(name[:-2]), is_array=True)
    if name == _STRING_COLLECTION:
        return DotNetType(name, dotnet_type(STRING), takes_raw=True)
    if name.startswith(_NULLABLE):
        return DotNetType(name, nullable=dotnet_type(name[len(_NULLABLE) : -1]))
    return DotNetType(name, enum=enum_type(name))


def unwrap(value: Any) -> Any:
    """Give the base of a PSObject that boxes a primitive; containers, bags and primitives stay."""
    if isinstance(value, PSObject) and value.base is not None and not value.is_container:
        return value.base
    return value


def as_list(value: Any) -> Sequence[Any] | None:
    """Give the items of what .NET calls an IList; a queue or stack is none."""
    if isinstance(value, PSObject):
        value = value.base
    if isinstance(value, PSList):
        return None if isinstance(value, PSQueue | PSStack) else value
    if isinstance(value, list | tuple):
        return value
    return [*value] if type(value) is bytes else None


def is_array(value: Any) -> bool:
    """Tell whether a value is a .NET array; lists that came over the wire are not."""
    if isinstance(value, PSObject):
        return not value.deserialized and isinstance(value.base, PSList) and _first(value).endswith("[]")
    return isinstance(value, list | tuple | bytes)


def dotnet_name(value: Any) -> str:
    """Name the .NET type of a value that is not null."""
    if isinstance(value, PSObject):
        return _container_name(value) if value.is_container else _object_name(value)
    if isinstance(value, list | tuple):
        return _OBJECT_ARRAY
    if isinstance(value, dict):
        return "System.Collections.Specialized.OrderedDictionary"
    return type_name(value) or OBJECT


def _container_name(value: PSObject) -> str:
    if isinstance(value.base, PSDictionary):
        return _first(value) if "OrderedDictionary" in _first(value) else "System.Collections.Hashtable"
    if isinstance(value.base, PSQueue | PSStack):
        return "System.Collections.Queue" if isinstance(value.base, PSQueue) else "System.Collections.Stack"
    return _ARRAY_LIST if value.deserialized or not value.type_names else _first(value)


def _object_name(value: PSObject) -> str:
    """Name the type of a boxed value or of an object with properties."""
    if _first(value) == SWITCH:
        return SWITCH  # revived by every reader
    if value.base is not None:
        live_enum = not value.deserialized and "System.Enum" in value.type_names
        return _first(value) if live_enum else type_name(value.base) or OBJECT
    return CUSTOM_OBJECT if _is_bag(value) else _first(value)


def _is_bag(value: PSObject) -> bool:
    """Tell whether an object is a property bag, whatever type names it carries."""
    return value.deserialized or not value.type_names or CUSTOM_OBJECT in value.type_names


def _first(value: PSObject) -> str:
    return value.type_names[0] if value.type_names else ""


def is_instance(value: Any, wanted: DotNetType) -> bool:
    """Tell whether a value that is not null can be assigned without conversion."""
    if wanted.name == PSOBJECT:
        return isinstance(value, PSObject)
    if wanted.nullable is not None:
        return is_instance(value, wanted.nullable)
    if wanted.name in {OBJECT, dotnet_name(value)}:
        return True
    held = value.base if isinstance(value, PSObject) else value
    if wanted.name == "System.Collections.IDictionary":
        return isinstance(held, PSDictionary | dict)
    return isinstance(value, PSObject) and held is None and not _is_bag(value) and value.is_a(wanted.name)
