"""How a model looks to .NET: full type name, property order, declared types.

PowerShell's texts depend on what Python's types cannot say: the full .NET type name of an object, the order in which
.NET reports its properties, and the declared type of each, which is what a null prints. Each model is described once,
by a :class:`DotNetType` that stands beside it; nothing is derived from attribute order.

Where Microsoft documents nothing and the description is our inference, ``inferred`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import field, frozen

if TYPE_CHECKING:
    from enum import Enum

__all__ = [
    "DotNetEnum",
    "DotNetProperty",
    "DotNetType",
    "describe",
    "dotnet_enum",
    "dotnet_type",
    "dotnet_type_of",
    "inferences",
]

T = TypeVar("T", bound=type)


@frozen
class DotNetProperty:
    """One property as .NET declares it."""

    name: str
    """PowerShell's name, such as ``NodeName``."""
    attribute: str = field(kw_only=True)
    """The model's Python attribute, such as ``node_name``."""
    declared: str = field(kw_only=True)
    """``Type.FullName`` of the declared type, such as ``System.String``; what a null prints."""
    inferred: bool = field(default=False, kw_only=True)
    """True where neither a document nor a sample confirms the name or the type."""


@frozen
class DotNetType:
    """One class as .NET declares it: derived class's properties first, each class in declaration order."""

    name: str
    properties: tuple[DotNetProperty, ...] = field(kw_only=True)
    bases: tuple[str, ...] = field(default=("System.Object",), kw_only=True)
    """Base types, nearest first; the tail of ``PSTypeNames``."""
    text: str | None = field(default=None, kw_only=True)
    """Attribute whose text is the object's ``ToString()``; None: the type name is."""
    text_inferred: bool = field(default=False, kw_only=True)
    """True where it is our inference that, or what, ``ToString()`` prints."""
    inferred: bool = field(default=False, kw_only=True)
    """True where the order of the properties is not documented anywhere."""


@frozen
class DotNetEnum:
    """One enum as .NET declares it; the Python enum's member names are the .NET names."""

    name: str
    underlying: str = field(default="System.Int32", kw_only=True)
    numbers: Mapping[str, int] = field(kw_only=True)
    """Number of each member by its .NET name."""
    inferred: bool = field(default=False, kw_only=True)


_types: dict[type, DotNetType] = {}
_enums: dict[type, DotNetEnum] = {}


def describe(description: DotNetType) -> Any:
    """Class decorator: this Python class appears to PowerShell as ``description`` says."""

    def register(cls: T) -> T:
        _types[cls] = description
        return cls

    return register


def dotnet_enum(
    name: str, *, underlying: str = "System.Int32", numbers: Mapping[str, int], inferred: bool = False
) -> Any:
    """Class decorator for enums: ``numbers`` gives the .NET number of each member by its .NET name (``Enum.value``)."""

    def register(cls: T) -> T:
        _enums[cls] = DotNetEnum(name, underlying=underlying, numbers=numbers, inferred=inferred)
        return cls

    return register


def dotnet_type(cls: type) -> DotNetType | None:
    """The description of a model class, or None for a class that is no model."""
    return _types.get(cls)


def inferences() -> Iterator[str]:
    """Tell, one line each, what in the descriptions is our inference: the one list of all of them."""
    for described in _types.values():
        if described.inferred:
            yield f"{described.name}: order of the properties"
        if described.text_inferred:
            yield f"{described.name}: text"
        for each in described.properties:
            if each.inferred:
                yield f"{described.name}.{each.name} ({each.declared})"
    for enum in _enums.values():
        if enum.inferred:
            yield f"{enum.name}: see cauctl.models.enums.INFERRED"


def dotnet_type_of(value: Enum) -> DotNetEnum | None:
    """The description of an enum member's class; the .NET member name is ``value.value``, a str."""
    return _enums.get(type(value))
