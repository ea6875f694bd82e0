"""Values of PowerShell as JSON has them: ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None``.

Rules kept here:

* Numbers are numbers, but decimals, NaN and the infinities, which JSON has not or would round: they are texts.
* Times are ISO 8601, in UTC where the offset is known and without zone else; durations are as .NET prints them, ids as
  texts, bytes in base64. An enum is its name. A SecureString is the name of its type.
* A dictionary whose keys print alike is a list of pairs.
* What holds itself is refused, and so is a value that repeats its parts beyond measure: a small text could fill a disk.
"""

from __future__ import annotations

import math
from base64 import b64encode
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cauctl.errors import InputError
from cauctl.psobject.members import is_enum
from cauctl.psobject.netmembers import net_properties
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objects import PSDictionary, PSList, PSObject
from cauctl.psobject.values import DateTime, ProgressRecord, TimeSpan, Uri, Version, XmlDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["json_value"]

_MOST_PARTS: Final = 100_000
"""Parts of one value that are given without asking how often they repeat each other."""
_MOST_REPEATED: Final = 100
"""Beyond that: how often, on average, the same part may come."""
_STYLE: Final = TextStyle()


def json_value(value: Any) -> Any:
    """Give what stands for a value that was read from CLIXML.

    Raises:
        InputError: the value holds itself, or repeats its parts too often.
    """
    return _Walk().value(value)


class _Walk:
    """One walk through a value: what is open, what was met, how many parts were given."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._met: set[int] = set()
        self._parts = 0

    def value(self, value: Any) -> Any:
        if not isinstance(value, PSObject):
            return _scalar(value)
        if is_enum(value) and value.text is not None:
            return value.text
        if value.base is not None and not value.is_container:
            return _scalar(value.base)
        self._count(value)
        self._open.add(id(value))
        found = self._object(value)
        self._open.remove(id(value))
        return found

    def _object(self, value: PSObject) -> Any:
        if isinstance(value.base, PSList):
            return [self.value(item) for item in value.base]
        if isinstance(value.base, PSDictionary):
            return self._entries(value.base)
        return {name: self.value(item) for name, item in value.items()}

    def _entries(self, entries: PSDictionary) -> Any:
        pairs = [(self.value(key), self.value(item)) for key, item in entries.items()]
        keys = [_key(key) for key, _ in pairs]
        if None in keys or len(set(keys)) < len(keys):
            return [list(pair) for pair in pairs]
        return {str(key): item for key, (_, item) in zip(keys, pairs, strict=True)}

    def _count(self, value: PSObject) -> None:
        if id(value) in self._open:
            raise InputError("the value holds itself, which JSON cannot tell.", expected="a value without a circle")
        self._parts += 1
        self._met.add(id(value))
        if self._parts > _MOST_PARTS and self._parts > _MOST_REPEATED * len(self._met):
            raise InputError(
                f"the value has {len(self._met)} parts and would be written as more than {_MOST_PARTS}.",
                expected=f"no more than {_MOST_REPEATED} times its parts",
            )


def _key(value: Any) -> str | None:
    """Give the text of a key; None for one that is no text, number or the like."""
    if isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, str | int | float) else None


def _scalar(value: Any) -> Any:
    for cls, give in _GIVEN.items():
        if isinstance(value, cls):
            return give(value)
    return value if value is None else _STYLE.text(value)


def _number(value: float) -> Any:
    return float(value) if math.isfinite(value) else _STYLE.text(float(value))


def _moment(value: DateTime) -> str:
    moment = value.to_python()
    if moment.tzinfo is None:
        return moment.isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_GIVEN: Final[Mapping[type, Callable[[Any], Any]]] = {
    bool: bool,
    int: int,
    float: _number,
    str: str.__str__,
    bytes: lambda value: b64encode(value).decode("ascii"),
    DateTime: _moment,
    TimeSpan: _STYLE.text,
    Decimal: _STYLE.text,
    UUID: str,
    Version: str,
    Uri: str,
    XmlDocument: lambda value: value.text,
    ProgressRecord: lambda value: dict(net_properties(value, _STYLE)),
}
"""What stands for a primitive, by class, the first that fits; else it is its text."""
