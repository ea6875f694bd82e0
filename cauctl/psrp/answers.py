"""Read what nodes answer: properties by name and type, enums by name however they arrive.

Rules kept here:

* An enum is compared by its .NET name. It may arrive as a boxed value with a text (after Select-Object), as a text
  (sent as it is), or as a bare number (a CIM property): a known text wins, since numbers differ between the cmdlets
  and the CIM classes, and the number decides when the text is in the node's language.
* An answer that lacks what Windows always gives is a :class:`~cauctl.errors.NodeError` that names command and property,
  never a KeyError and never a guess.
"""

from __future__ import annotations

import reprlib
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import field, frozen

from cauctl.errors import NodeError
from cauctl.psobject import PSObject, to_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Answer", "answers", "enum_name", "flag_names", "name_of", "plain_text"]

_SHORT: Final = reprlib.Repr()
_SHORT.maxlevel = 3
_SHORT.maxlist = _SHORT.maxdict = 12
_SHORT.maxstring = _SHORT.maxother = 200
EnumT = TypeVar("EnumT", bound=Enum)
T = TypeVar("T")


def shown(value: Any) -> str:
    """Write a value of a node for people: one that holds itself many times over would be long beyond measure."""
    return _SHORT.repr(value)


def plain_text(value: Any) -> str:
    """Give a value of a node as text; a list or a table in short."""
    plain = to_python(value)
    return shown(plain) if isinstance(plain, dict | list) else str(plain)


def name_of(value: Any) -> str:
    """Name of a nested object: its Name property, else its text, else what it is as text; empty for null."""
    if value is None:
        return ""
    if isinstance(value, PSObject):
        name = value.get("Name")
        if isinstance(name, str):
            return name
        return value.text if value.text is not None else plain_text(value)
    return str(value)


def enum_name(value: Any, numbers: Mapping[int, str]) -> str:
    """Name of an enum member; ``numbers`` gives the names that are known, by number. Unknown ones come as they are."""
    text, number = _text_and_number(value)
    if text is not None:
        wanted = text.replace(" ", "").casefold()
        for known in numbers.values():
            if known.replace(" ", "").casefold() == wanted:
                return known
    if number is not None and number in numbers:
        return numbers[number]
    if text is not None:
        return text
    return "" if number is None else str(number)


def flag_names(value: Any, numbers: Mapping[int, str]) -> tuple[str, ...]:
    """Names of the bits of a flags enum, lowest bit first; the member of value 0 is no flag."""
    text, number = _text_and_number(value)
    given = {part.strip().casefold() for part in (text or "").split(",")}
    bits = [(bit, name) for bit, name in sorted(numbers.items()) if bit > 0]
    named = tuple(name for _, name in bits if name.casefold() in given)
    zero = numbers.get(0, "").casefold()
    if named or number is None or (zero and given == {zero}):
        return named
    return tuple(name for bit, name in bits if number & bit)


def _text_and_number(value: Any) -> tuple[str | None, int | None]:
    text = value.text if isinstance(value, PSObject) else None
    plain = to_python(value)
    if isinstance(plain, str):
        text = text if text is not None else plain
        plain = None
    if isinstance(plain, bool) or not isinstance(plain, int):
        plain = None
    if text is not None and plain is None and text.strip().lstrip("-").isdecimal():
        return None, int(text)
    return text, plain


@frozen
class Answer:
    """One object that a command on a node wrote."""

    value: Any = field()
    """The object."""
    node: str = field(kw_only=True)
    """Node that answered."""
    command: str = field(kw_only=True)
    """Command that wrote it, for errors."""

    def raw(self, name: str) -> Any:
        """A property as it came; NodeError when the object has none of that name."""
        if not isinstance(self.value, PSObject) or name not in self.value:
            raise self._wrong(f"has no property {name}")
        return self.value[name]

    def text(self, name: str) -> str:
        """A text; null is empty. A nested object gives its name."""
        return name_of(self.raw(name))

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number, also one written as text; ``default`` for null."""
        value = to_python(self.raw(name))
        if value is None and default is not None:
            return default
        return self._converted(name, value, int)

    def flag(self, name: str) -> bool:
        """A truth value as PowerShell sees it: a number by being not 0; null is False."""
        value = to_python(self.raw(name))
        if isinstance(value, str):
            if value.casefold() not in {"true", "false", ""}:
                raise self._wrong(f"gives {shown(value)} for {name}, not True or False")
            return value.casefold() == "true"
        return bool(value)

    def moment(self, name: str) -> datetime:
        """A point in time in UTC. A time without a zone is taken for UTC: nodes write their offset."""
        value = to_python(self.raw(name))
        if not isinstance(value, datetime):
            raise self._wrong(f"gives {shown(value)} for {name}, not a date")
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one, null an empty one."""
        value = self.raw(name)
        if value is None:
            return ()
        items = list(value) if isinstance(value, PSObject) and value.is_container else [value]
        return tuple(text for item in items if (text := name_of(item)))

    def enum(self, name: str, kind: type[EnumT], numbers: Mapping[int, str]) -> EnumT:
        """A member of ``kind``, whose values are .NET names; NodeError for a member that is not known."""
        found = enum_name(self.raw(name), numbers)
        try:
            return kind(found)
        except ValueError:
            raise self._wrong(f"gives {found!r} for {name}, not one of {', '.join(numbers.values())}") from None

    def _converted(self, name: str, value: Any, convert: Callable[[Any], T]) -> T:
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise self._wrong(f"gives {shown(value)} for {name}, not a number") from None

    def _wrong(self, what: str) -> NodeError:
        return NodeError(f"{self.node}: the answer of {self.command} {what}.", node=self.node)


def answers(values: Iterable[Any], *, node: str, command: str) -> list[Answer]:
    """Wrap what a pipeline wrote."""
    return [Answer(value, node=node, command=command) for value in values]
