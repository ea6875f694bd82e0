"""PowerShell objects: a base value or container, type names, and two groups of properties.

Rules kept here:

* Whatever is more than a primitive is a :class:`PSObject`; each ``<Obj>`` of a CLIXML document is one. The same .NET
  object is the same Python object: compare with ``is``; ``==`` is identity, as .NET's references are.
* ``adapted`` (``<Props>``: .NET's own properties) and ``extended`` (``<MS>``: notes) stay apart. ``obj["Name"]``
  looks in both, notes first, without regard to case, as PowerShell does.
* ``base`` is None for a property bag, a primitive for a boxed value (an enum is its number; ``text`` is its name), or a
  container: PSList, PSStack, PSQueue, PSEnumerable, PSDictionary.
* Type names are kept as they were written. ``ps_type_names`` shows them as PowerShell shows them after reading.
* A plain ``list`` or ``tuple`` stands for ``Object[]`` and a plain ``dict`` for an OrderedDictionary where values are
  written; reading always gives PSObjects.

Reading a value::

    value = read_clixml(text)[0]
    value["ClusterName"], value.type_names[0], value.to_python()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from cauctl.errors import InputError
from cauctl.psobject.containers import (
    Members,
    MemberSet,
    PSDictionary,
    PSEnumerable,
    PSList,
    PSQueue,
    PSStack,
)
from cauctl.psobject.values import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "MemberSet",
    "Members",
    "PSDictionary",
    "PSEnumerable",
    "PSList",
    "PSObject",
    "PSQueue",
    "PSStack",
    "array",
    "custom_object",
    "enum_value",
    "hashtable",
    "ordered_dictionary",
    "read_objects",
    "to_python",
]

ARRAY: Final = ("System.Object[]", "System.Array", "System.Object")
CUSTOM_OBJECT: Final = ("System.Management.Automation.PSCustomObject", "System.Object")
HASHTABLE: Final = ("System.Collections.Hashtable", "System.Object")
ORDERED_DICTIONARY: Final = ("System.Collections.Specialized.OrderedDictionary", "System.Object")
DESERIALIZED: Final = "Deserialized."
_CONTAINERS: Final = (PSList, PSDictionary)


Unopened: TypeAlias = tuple[tuple[str, ...], tuple[Any, ...]]
"""Names and values of a member group."""


class PSObject:
    """One object of PowerShell.

    Args:
        base: None for a property bag; else the boxed primitive or the container; a list and a dict become such.
        type_names: type names, most derived first, as they are written; empty where none are given.
        text: stored ``ToString()``; None where there is none.
        adapted: .NET properties (``Props``); None where the element is missing, which is not the same as empty.
        extended: notes and other instance members (``MS``).
        declared: full names of the declared types of adapted properties, where known; only a null needs one.
        deserialized: True for what came by CLIXML, False for what was made here.
    """

    __slots__ = (
        *("base", "declared", "deserialized", "text", "type_names", "__weakref__"),
        *("_adapted", "_adapted_names", "_extended", "_extended_names"),
    )

    # A member group that nobody changed since it was read is a tuple of values beside one of names: most are only
    # looked at. The names are shared by all objects of a shape.
    _adapted: Members | tuple[Any, ...] | None
    _adapted_names: tuple[str, ...]
    _extended: Members | tuple[Any, ...]
    _extended_names: tuple[str, ...]

    def __init__(  # noqa: PLR0913  an object has these parts
        self,
        base: Any = None,
        *,
        type_names: tuple[str, ...] = (),
        text: str | None = None,
        adapted: Mapping[str, Any] | None = None,
        extended: Mapping[str, Any] | None = None,
        declared: Mapping[str, str] | None = None,
        deserialized: bool = False,
    ) -> None:
        self.base = _held(base)
        self.type_names = type_names
        self.text = text
        self._adapted = None if adapted is None else Members.of(adapted)
        self._extended = Members.of(extended) if extended else Members()
        self.declared: Mapping[str, str] | None = declared
        self.deserialized = deserialized

    @property
    def adapted(self) -> Members | None:
        """.NET properties (``Props``); None where the element is missing."""
        held = self._adapted
        if type(held) is tuple:
            held = self._adapted = Members(zip(self._adapted_names, held, strict=True))
        return held  # type: ignore[return-value]  # a tuple was replaced

    @adapted.setter
    def adapted(self, members: Members | None) -> None:
        self._adapted = members

    @property
    def extended(self) -> Members:
        """Notes and other instance members (``MS``), member sets among them."""
        held = self._extended
        if type(held) is tuple:
            held = self._extended = Members(zip(self._extended_names, held, strict=True))
        return held  # type: ignore[return-value]  # a tuple was replaced

    @extended.setter
    def extended(self, members: Members) -> None:
        self._extended = members

    def __repr__(self) -> str:
        what = self.type_names[0] if self.type_names else "no type name"
        if self.is_container:
            return f"<PSObject {what}, {len(self.base)} items>"
        shown = f" {self.text!a}" if self.text is not None else ""
        return f"<PSObject {what}{shown}: {', '.join(self.keys()) or 'no properties'}>"

    def __bool__(self) -> bool:
        return not self.is_container or bool(len(self.base))

    def __len__(self) -> int:
        if not self.is_container:
            raise TypeError("this PSObject holds no container and has no length")
        return len(self.base)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the items of a list, the keys of a dictionary, the property names of anything else."""
        return iter(self.base) if self.is_container else iter(self.keys())

    def __contains__(self, name: object) -> bool:
        if self.is_container and name in self.base:
            return True
        return isinstance(name, str) and (name in self.extended or (self.adapted is not None and name in self.adapted))

    def __getitem__(self, name: Any) -> Any:
        """Give an item (int, slice), a dictionary's value, or a property in any case of its name."""
        if isinstance(self.base, PSList) and isinstance(name, int | slice):
            return self.base[name]
        if isinstance(self.base, PSDictionary) and name in self.base:
            return self.base[name]
        if isinstance(name, str):
            for members in (self.extended, self.adapted):
                if members and name in members:
                    return members[name]
        raise KeyError(name)

    def __setitem__(self, name: str, value: Any) -> None:
        """Set a property where it stands; a new one becomes a note."""
        if name not in self.extended and self.adapted is not None and name in self.adapted:
            self.adapted[name] = value
        else:
            self.extended[name] = value

    def get(self, name: Any, default: Any = None) -> Any:
        """Give what ``self[name]`` gives, or ``default``."""
        try:
            return self[name]
        except (KeyError, IndexError):
            return default

    def parts(self) -> tuple[Unopened | None, Unopened]:
        """Give names and values of the adapted and of the extended members, member sets among them."""
        adapted, extended = self._adapted, self._extended
        if type(extended) is tuple:
            notes = self._extended_names, extended
        else:
            notes = tuple(extended), tuple(extended.values())  # type: ignore[union-attr]  # a tuple was seen to above
        if adapted is None:
            return None, notes
        if type(adapted) is tuple:
            return (self._adapted_names, adapted), notes
        return (tuple(adapted), tuple(adapted.values())), notes  # type: ignore[union-attr]  # as above

    def hold_adapted(self, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        """Take .NET properties as they are; no two names may differ in case alone."""
        self._adapted_names, self._adapted = names, values

    def hold_extended(self, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        """Take notes as they are; no two names may differ in case alone."""
        self._extended_names, self._extended = names, values

    @property
    def is_container(self) -> bool:
        """Whether the object holds items or entries."""
        return isinstance(self.base, _CONTAINERS)

    @property
    def properties(self) -> dict[str, Any]:
        """Properties in PowerShell's order: notes, then .NET properties that no note hides. No member sets."""
        found = {name: value for name, value in self.extended.items() if type(value) is not MemberSet}
        hidden = {name.upper() for name in self.extended}
        found.update((name, value) for name, value in (self.adapted or {}).items() if name.upper() not in hidden)
        return found

    def keys(self) -> list[str]:
        """Names of the properties in PowerShell's order."""
        return list(self.properties)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and values of the properties in PowerShell's order; items of a container come by iteration."""
        extended, adapted = self._extended, self._adapted
        if type(extended) is tuple:
            if adapted is None:
                return zip(self._extended_names, extended, strict=True)
            if not extended and type(adapted) is tuple:
                return zip(self._adapted_names, adapted, strict=True)
        return self.properties.items()

    @property
    def ps_type_names(self) -> tuple[str, ...]:
        """Type names as PowerShell shows them: with ``Deserialized.`` in front once the object was read."""
        if not self.deserialized:
            return self.type_names
        return tuple(name if name.startswith(DESERIALIZED) else DESERIALIZED + name for name in self.type_names)

    def is_a(self, name: str) -> bool:
        """Tell whether a type name is among the object's, in any case, live or deserialized."""
        wanted = name.removeprefix(DESERIALIZED).lower()
        return any(own.removeprefix(DESERIALIZED).lower() == wanted for own in self.type_names)

    def to_python(self) -> Any:
        """Give the plainest Python value: see :func:`to_python`."""
        return to_python(self)

    def copy(self) -> Self:
        """Give a shallow copy with member groups of its own."""
        return type(self)(
            self.base,
            type_names=self.type_names,
            text=self.text,
            adapted=self.adapted,
            extended=self.extended,
            declared=self.declared,
            deserialized=self.deserialized,
        )


def _held(base: Any) -> Any:
    """Give what an object holds: Python's own containers become those of the value model."""
    if isinstance(base, PSObject):
        raise InputError("An object cannot hold another as its base value.", where="base", expected="a primitive")
    if type(base) in (list, tuple):
        return PSList(base)
    return PSDictionary(base.items()) if type(base) is dict else base


def read_objects(
    parts: Iterable[tuple[tuple[str, ...], str | None, Any, tuple[Any, ...] | None, tuple[Any, ...]]],
    adapted_names: tuple[str, ...],
    extended_names: tuple[str, ...],
) -> list[PSObject]:
    """Make many objects that were read, in a third of the time that the class takes; for readers of many.

    Args:
        parts: type names, text, base value, values of .NET properties (None without) and of notes of each.
        adapted_names: names of the .NET properties.
        extended_names: names of the notes.
    """
    new, found = PSObject.__new__, []
    for type_names, text, base, adapted, extended in parts:
        made = new(PSObject)
        made.type_names, made.text, made.base = type_names, text, base
        made._adapted, made._adapted_names = adapted, adapted_names  # noqa: SLF001  the class is of this module
        made._extended, made._extended_names = extended, extended_names  # noqa: SLF001  as above
        made.declared, made.deserialized = None, True
        found.append(made)
    return found


def to_python(value: Any, _seen: dict[int, Any] | None = None) -> Any:
    """Give the plainest Python value of any value of PowerShell.

    Primitives become ``int``, ``float``, ``str``, ``datetime``, ``timedelta`` and so on; lists become ``list``;
    dictionaries ``dict``, or a list of pairs where keys repeat or cannot be dict keys; property bags ``dict`` by
    property name; boxed values and enums their base value. Notes on lists, dictionaries and boxed values are dropped.
    The same object becomes the same list or dict, so a cycle stays a cycle.
    """
    if type(value) in PLAIN:
        return value
    if isinstance(value, PSObject):
        return _object_to_python(value, {} if _seen is None else _seen)
    convert = getattr(value, "to_python", None)
    return value if convert is None else convert()


def _object_to_python(value: PSObject, seen: dict[int, Any]) -> Any:
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value.base, PSList):
        items: list[Any] = []
        seen[id(value)] = items
        items.extend(to_python(item, seen) for item in value.base)
        return items
    if isinstance(value.base, PSDictionary):
        return _entries_to_python(value, seen)
    if value.base is not None:
        return to_python(value.base, seen)
    bag: dict[str, Any] = {}
    seen[id(value)] = bag
    bag.update((name, to_python(item, seen)) for name, item in value.items())
    return bag


def _entries_to_python(value: PSObject, seen: dict[int, Any]) -> Any:
    keys = [to_python(key, seen) for key in value.base]
    try:
        plain = len(set(keys)) == len(keys)
    except TypeError:
        plain = False
    if plain:
        entries: dict[Any, Any] = {}
        seen[id(value)] = entries
        entries.update((key, to_python(item, seen)) for key, (_, item) in zip(keys, value.base.pairs, strict=True))
        return entries
    pairs: list[Any] = []
    seen[id(value)] = pairs
    pairs.extend((key, to_python(item, seen)) for key, (_, item) in zip(keys, value.base.pairs, strict=True))
    return pairs


def custom_object(properties: Mapping[str, Any] | None = None, /, *, type_name: str | None = None) -> PSObject:
    """Make a property bag, ``[pscustomobject]@{…}``; ``type_name`` goes in front of its type names."""
    names = CUSTOM_OBJECT if type_name is None else (type_name, *CUSTOM_OBJECT)
    return PSObject(type_names=names, extended=properties or {})


def array(items: Iterable[Any] = (), /, *, type_names: tuple[str, ...] = ARRAY) -> PSObject:
    """Make an array, ``Object[]`` unless told otherwise."""
    return PSObject(PSList(items), type_names=type_names)


def hashtable(entries: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (), /) -> PSObject:
    """Make a Hashtable, ``@{…}``."""
    return PSObject(_dictionary(entries), type_names=HASHTABLE)


def ordered_dictionary(entries: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (), /) -> PSObject:
    """Make an OrderedDictionary, ``[ordered]@{…}``."""
    found = _dictionary(entries)
    found.ordered = True
    return PSObject(found, type_names=ORDERED_DICTIONARY)


def _dictionary(entries: Any) -> PSDictionary:
    return PSDictionary(entries.items() if hasattr(entries, "items") else entries)


def enum_value(type_name: str, name: str, number: Any) -> PSObject:
    """Make an enum value: full type name, name of the member, number in the enum's underlying type."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise InputError(f"{number!a} is no number of an enum.", where="number", expected="an integer")
    names = (type_name, "System.Enum", "System.ValueType", "System.Object")
    return PSObject(number, type_names=names, text=name)
