"""Checks models at construction: types from the annotations, ranges from ``Annotated``, all faults in one error.

A model calls :func:`check` from ``__attrs_post_init__``. What an annotation says is what is held: ``datetime`` must
know its zone, ``int`` is no ``bool``, ``tuple[X, ...]`` is a tuple of nothing but ``X``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Union, get_args, get_origin, get_type_hints

from attrs import field, fields, frozen

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attrs import AttrsInstance

__all__ = [
    "Between",
    "Count",
    "Int32",
    "Mark",
    "Name",
    "NotEmpty",
    "check",
    "fault",
    "faults_of",
    "marks_of",
    "raise_faults",
    "value_type",
]


class Mark(Protocol):
    """A restriction that stands in ``Annotated`` beside a type."""

    def admits(self, value: Any) -> bool:
        """Say whether a value of the right type is accepted."""
        ...

    @property
    def text(self) -> str:
        """What is accepted, to follow the type's name, such as ``from 0 to 64``."""
        ...


@frozen
class Between:
    """A whole number from ``low`` to ``high``, both included; None: no limit on that side."""

    low: int | None
    high: int | None

    def admits(self, value: int) -> bool:
        """Say whether ``value`` lies within."""
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)

    @property
    def text(self) -> str:
        """The range in words."""
        if self.high is None:
            return f"of at least {self.low}"
        return f"from {self.low} to {self.high}"


@frozen
class NotEmpty:
    """A text of at least one character that is not blank."""

    def admits(self, value: str) -> bool:
        """Say whether ``value`` holds more than blanks."""
        return bool(value.strip())

    @property
    def text(self) -> str:
        """The restriction in words."""
        return "that is not blank"


Int32 = Annotated[int, Between(-(2**31), 2**31 - 1)]
Count = Annotated[int, Between(0, 2**31 - 1)]
Name = Annotated[str, NotEmpty()]


@frozen
class _Rule:
    expected: str
    admits: Callable[[Any], bool]


@frozen
class _Held:
    name: str
    rule: _Rule
    secret: bool = field(kw_only=True)


def check(model: AttrsInstance) -> None:
    """Hold ``model`` to its annotations; raise one :class:`~cauctl.errors.InputError` that lists all faults."""
    raise_faults(type(model).__name__, faults_of(model))


def faults_of(model: AttrsInstance) -> list[str]:
    """List what is wrong with the fields of ``model``, one sentence each."""
    return [
        fault(held.name, value, held.rule.expected, secret=held.secret)
        for held in _held(type(model))
        if not held.rule.admits(value := getattr(model, held.name))
    ]


def fault(name: str, value: object, expected: str, *, secret: bool = False) -> str:
    """Say in one sentence what was given for ``name`` and what would be accepted; of a secret only its type."""
    return f"{name} is {_given(value, secret=secret)}, expected {expected}"


def _given(value: object, *, secret: bool) -> str:
    if value is None:
        return "nothing"
    if secret:
        return f"of type {type(value).__name__}"
    return str(value) if isinstance(value, Enum) else f"{value!r:.80}"


def raise_faults(where: str, faults: Iterable[str], *, error_id: str | None = None) -> None:
    """Raise one :class:`~cauctl.errors.InputError` for all ``faults``; return when there are none."""
    if found := list(faults):
        raise InputError("; ".join(found) + ".", where=where, error_id=error_id)


def value_type(annotation: Any) -> Any:
    """Give the type of one value of ``annotation``: without ``None``, restrictions and the tuple around it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated or origin is tuple:
        return value_type(arguments[0])
    if origin in {Union, types.UnionType}:
        return value_type(next(each for each in arguments if each is not types.NoneType))
    return annotation


def marks_of(annotation: Any) -> tuple[Mark, ...]:
    """Give the restrictions of the values of ``annotation``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return arguments[1:]
    if origin in {Union, types.UnionType, tuple}:
        return tuple(mark for each in arguments if each is not Ellipsis for mark in marks_of(each))
    return ()


@cache
def _held(model: type[AttrsInstance]) -> tuple[_Held, ...]:
    hints = get_type_hints(model, include_extras=True)
    return tuple(_Held(each.name, _rule(hints[each.name]), secret=not each.repr) for each in fields(model))


def _rule(annotation: Any) -> _Rule:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _marked(_rule(arguments[0]), arguments[1:])
    if origin in {Union, types.UnionType}:
        return _one_of([_rule(argument) for argument in arguments])
    if origin is tuple:
        return _tuple_of(_rule(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_of(*(_rule(argument) for argument in arguments))
    return _plain(annotation)


def _plain(annotation: Any) -> _Rule:
    if annotation in {None, types.NoneType}:
        return _Rule("nothing", lambda value: value is None)
    if annotation is Any:
        return _Rule("anything", lambda _: True)
    if annotation is datetime:
        return _Rule("a datetime with a time zone", lambda value: isinstance(value, datetime) and _aware(value))
    if annotation is int:
        return _Rule("an int", lambda value: isinstance(value, int) and not isinstance(value, bool))
    if issubclass(annotation, Enum):
        return _Rule(", ".join(str(member) for member in annotation), lambda value: isinstance(value, annotation))
    article = "an" if annotation.__name__[0] in "AEIOUaeiou" else "a"
    return _Rule(f"{article} {annotation.__name__}", lambda value: isinstance(value, annotation))


def _aware(value: datetime) -> bool:
    """Say whether the moment has a zone and exists in UTC."""
    if value.tzinfo is UTC:
        return True
    try:
        return value.utcoffset() is not None and value.astimezone(UTC) is not None
    except OverflowError:
        return False


def _marked(rule: _Rule, marks: tuple[Mark, ...]) -> _Rule:
    expected = " ".join([rule.expected, *(mark.text for mark in marks)])
    return _Rule(expected, lambda value: rule.admits(value) and all(mark.admits(value) for mark in marks))


def _one_of(rules: list[_Rule]) -> _Rule:
    admitting = tuple(rule.admits for rule in rules)

    def admits(value: Any) -> bool:
        for rule in admitting:  # noqa: SIM110  in a tenth of the time of any()
            if rule(value):
                return True
        return False

    return _Rule(" or ".join(rule.expected for rule in rules), admits)


def _tuple_of(item: _Rule) -> _Rule:
    return _Rule(
        f"a tuple, each item {item.expected}",
        lambda value: isinstance(value, tuple) and all(item.admits(each) for each in value),
    )


def _mapping_of(key: _Rule, value: _Rule) -> _Rule:
    return _Rule(
        f"a mapping of {key.expected} to {value.expected}",
        lambda given: (
            isinstance(given, Mapping) and all(key.admits(name) and value.admits(item) for name, item in given.items())
        ),
    )
