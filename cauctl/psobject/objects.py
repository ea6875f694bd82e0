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

from typing import TYPE_CHECKING, Any, Final, Self

from cauctl.psobject.values import TYPE_NAMES

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator, Mapping

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
    "to_python",
]

ARRAY: Final = ("System.Object[]", "System.Array", "System.Object")
CUSTOM_OBJECT: Final = ("System.Management.Automation.PSCustomObject", "System.Object")
HASHTABLE: Final = ("System.Collections.Hashtable", "System.Object")
ORDERED_DICTIONARY: Final = ("System.Collections.Specialized.OrderedDictionary", "System.Object")
DESERIALIZED: Final = "Deserialized."


class Members(dict[str, Any]):
    """Properties by name, in order. Names keep their case and are found in any.

    Two names that differ only in case cannot both be members: setting one replaces the other, name included.
    """

    __slots__ = ()

    def _key(self, name: str) -> str | None:
        """Find the name as it is stored."""
        if dict.__contains__(self, name):
            return name
        folded = name.upper()
        return next((key for key in self if key.upper() == folded), None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._key(name) is not None

    def __getitem__(self, name: str) -> Any:
        key = self._key(name)
        if key is None:
            raise KeyError(name)
        return dict.__getitem__(self, key)

    def __setitem__(self, name: str, value: Any) -> None:
        self.put(name, value)

    def __delitem__(self, name: str) -> None:
        key = self._key(name)
        if key is None:
            raise KeyError(name)
        dict.__delitem__(self, key)

    def put(self, name: str, value: Any) -> None:
        """Set a member; one of the same name in any case gives its place, and its name is written as given now."""
        key = self._key(name)
        if key is None or key == name:
            dict.__setitem__(self, name, value)
            return
        renamed = [(name, value) if old == key else (old, kept) for old, kept in self.items()]
        self.clear()
        dict.update(self, renamed)

    def get(self, name: str, default: Any = None) -> Any:
        """Find a member's value in any case of its name."""
        key = self._key(name)
        return default if key is None else dict.__getitem__(self, key)


class MemberSet(Members):
    """A member set (``MS`` within ``MS``), such as PSStandardMembers; it stands among the extended members."""

    __slots__ = ()


class PSList(list[Any]):
    """Items of an array or a list (``LST``); PowerShell reads it back as an ArrayList."""

    __slots__ = ()


class PSStack(PSList):
    """Items of a stack (``STK``), in the order in which they pop."""

    __slots__ = ()


class PSQueue(PSList):
    """Items of a queue (``QUE``), first in first."""

    __slots__ = ()


class PSEnumerable(PSList):
    """Items of any other enumerable (``IE``); PowerShell reads it back as an ArrayList."""

    __slots__ = ()


class PSDictionary:
    """Entries of a dictionary (``DCT``) as a list of pairs in their order.

    Keys may be of any type and may occur twice. A text key is found in any case; the first such entry wins.
    """

    __slots__ = ("ordered", "pairs")

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = (), *, ordered: bool = False) -> None:
        self.pairs: list[tuple[Any, Any]] = list(pairs)
        self.ordered = ordered
        """True for an OrderedDictionary, False for a Hashtable, whose order means nothing to PowerShell."""

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self.pairs)

    def __contains__(self, key: object) -> bool:
        return any(_same_key(key, other) for other, _ in self.pairs)

    def __getitem__(self, key: Any) -> Any:
        for other, value in self.pairs:
            if _same_key(key, other):
                return value
        raise KeyError(key)

    def __repr__(self) -> str:
        return f"PSDictionary({self.pairs!r})"

    def get(self, key: Any, default: Any = None) -> Any:
        """Find a value by its key."""
        return next((value for other, value in self.pairs if _same_key(key, other)), default)

    def items(self) -> list[tuple[Any, Any]]:
        """Give the entries in order."""
        return list(self.pairs)


def _same_key(wanted: Any, key: Any) -> bool:
    """Compare keys as a Hashtable of PowerShell does: text without case, numbers of any width by value."""
    if isinstance(wanted, str) and isinstance(key, str):
        return wanted == key or wanted.upper() == key.upper()
    if isinstance(wanted, bool) or isinstance(key, bool):
        return wanted is key
    return bool(wanted == key)


class PSObject:
    """One object of PowerShell.

    Args:
        base: None for a property bag; else the boxed primitive or the container.
        type_names: type names, most derived first, as they are written; empty where none are given.
        text: stored ``ToString()``; None where there is none.
        adapted: .NET properties (``Props``); None where the element is missing, which is not the same as empty.
        extended: notes and other instance members (``MS``).
        declared: full names of the declared types of adapted properties, where known; only a null needs one.
        deserialized: True for what came by CLIXML, False for what was made here.
    """

    __slots__ = ("__weakref__", "adapted", "base", "declared", "deserialized", "extended", "text", "type_names")

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
        self.base = base
        self.type_names = type_names
        self.text = text
        self.adapted: Members | None = None if adapted is None else _members(adapted)
        self.extended: Members = _members(extended or {})
        self.declared: Mapping[str, str] | None = declared
        self.deserialized = deserialized

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

    @property
    def is_container(self) -> bool:
        """Whether the object holds items or entries."""
        return isinstance(self.base, PSList | PSDictionary)

    @property
    def properties(self) -> dict[str, Any]:
        """Properties in PowerShell's order: notes, then .NET properties that no note hides. No member sets."""
        found = {name: value for name, value in self.extended.items() if type(value) is not MemberSet}
        found.update((name, value) for name, value in (self.adapted or {}).items() if name not in self.extended)
        return found

    def keys(self) -> list[str]:
        """Names of the properties in PowerShell's order."""
        return list(self.properties)

    def items(self) -> ItemsView[str, Any]:
        """Names and values of the properties in PowerShell's order; items of a container come by iteration."""
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
        other = type(self)(self.base, type_names=self.type_names, text=self.text, deserialized=self.deserialized)
        other.adapted = None if self.adapted is None else Members(self.adapted)
        other.extended = Members(self.extended)
        other.declared = self.declared
        return other


def _members(given: Mapping[str, Any]) -> Members:
    """Build a member group; of two names that differ in case the later one stays."""
    found = Members()
    for name, value in given.items():
        found[name] = value
    return found


def to_python(value: Any, _seen: dict[int, Any] | None = None) -> Any:
    """Give the plainest Python value of any value of PowerShell.

    Primitives become ``int``, ``float``, ``str``, ``datetime``, ``timedelta`` and so on; lists become ``list``;
    dictionaries ``dict``, or a list of pairs where keys repeat or cannot be dict keys; property bags ``dict`` by
    property name; boxed values and enums their base value. Notes on lists, dictionaries and boxed values are dropped.
    The same object becomes the same list or dict, so a cycle stays a cycle.
    """
    if not isinstance(value, PSObject):
        convert = getattr(value, "to_python", None)
        return value if convert is None else convert()
    seen = {} if _seen is None else _seen
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
    if type(number) not in TYPE_NAMES:
        raise TypeError(f"the number of an enum is an integer, not {type(number).__name__}")
    names = (type_name, "System.Enum", "System.ValueType", "System.Object")
    return PSObject(number, type_names=names, text=name)
