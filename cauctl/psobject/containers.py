"""What objects are made of: member groups, and the containers that a PSObject may hold.

Rules kept here:

* Member names are found in any case; two names that differ only in case are one member.
* A dictionary is a list of pairs in order: PowerShell's documents may hold a key twice, and keys of any type.
* Containers know what they are by their class; what .NET called them stands in the type names of the PSObject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["MemberSet", "Members", "PSDictionary", "PSEnumerable", "PSList", "PSQueue", "PSStack"]


class Members(dict[str, Any]):
    """Properties by name, in order. Names keep their case and are found in any.

    Two names that differ only in case cannot both be members: setting one replaces the other, name included.
    """

    __slots__ = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Members:
        """Build a member group; of two names that differ in case the later one stays, at the place of the first."""
        if len({name.upper() for name in given}) == len(given):
            return cls(given)
        return cls.joined(tuple(given), tuple(given.values()))

    @classmethod
    def joined(cls, names: Sequence[str], values: Sequence[Any]) -> Self:
        """Build a member group of names and values; a name that comes again replaces the one before, at its place."""
        found: dict[str, tuple[str, Any]] = {}
        for name, value in zip(names, values, strict=True):
            found[name.upper()] = (name, value)
        return cls(found.values())

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

    def discard(self, name: str) -> None:
        """Remove a member, in any case of its name, if there is one."""
        if self and name in self:
            del self[name]

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

    RESERVED: ClassVar[frozenset[str]] = frozenset(("psobject", "psbase", "psadapted", "psextended", "pstypenames"))
    """Names in lower case that PowerShell keeps for itself: no member of a set may be called so, a note may."""


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
