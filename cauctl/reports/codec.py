"""Models as XML elements and back: the names are Microsoft's, the shape is the annotations'.

Rules kept here:

* The elements of a model stand in the order of its fields; None is no element, an empty tuple an empty one.
* Moments are UTC, durations seconds, enums their .NET names, texts escaped where XML cannot hold them.
* Reading gives an equal model back; what reads is held to the schema first, so only values are checked here.
"""

from __future__ import annotations

import re
import types
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from attrs import AttrsInstance, fields, has

from cauctl.models.naming import pascal_case
from cauctl.models.validation import value_type
from cauctl.psobject.documents import Element, escape, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["from_element", "to_element"]

_Model = TypeVar("_Model", bound=AttrsInstance)

_SPAN: Final = re.compile(r"(-?)PT(\d+)(?:\.(\d{1,6}))?S")


def to_element(model: AttrsInstance, name: str | None = None) -> Element:
    """Write a model as an element of that name, by default its class's."""
    return Element(name or type(model).__name__, children=tuple(_children(model)))


def from_element(model: type[_Model], element: Element) -> _Model:
    """Read a model from an element that the schema admits.

    Raises:
        InputError: a value is such as the model does not take.
    """
    children = {child.name: child for child in element.children}
    given = {
        attribute: _read(annotation, children.get(pascal_case(attribute)))
        for attribute, annotation in _annotations(model)
    }
    return model(**given)


def _children(model: AttrsInstance) -> Iterator[Element]:
    for attribute, _ in _annotations(type(model)):
        value = getattr(model, attribute)
        if value is not None:
            yield _element(pascal_case(attribute), value)


def _element(name: str, value: Any) -> Element:
    if isinstance(value, tuple):
        return Element(name, children=tuple(to_element(item) for item in value))
    if has(type(value)):
        return to_element(value, name)
    return Element(name, text=_text(value))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, timedelta):
        return _span(value)
    return str(value)


def _span(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    seconds = value.days * 86400 + value.seconds
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{sign}PT{seconds}{fraction}S"


def _read(annotation: Any, element: Element | None) -> Any:
    if element is None:
        return None
    kind = value_type(annotation)
    if _is_tuple(annotation):
        return tuple(from_element(kind, child) for child in element.children)
    if has(kind):
        return from_element(kind, element)
    return _value(kind, element.text)


def _value(kind: type, text: str) -> Any:
    if kind is str:
        return unescape(text)
    if kind is bool:
        return text.strip() in {"true", "1"}
    if kind is datetime:
        return datetime.fromisoformat(text.strip())
    if kind is timedelta:
        return _duration(text.strip())
    if issubclass(kind, (Enum, int, UUID)):
        return kind(text)
    raise TypeError(f"no XML form is defined for {kind}")


def _duration(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    value = timedelta(seconds=int(found[2]), microseconds=int((found[3] or "").ljust(6, "0")))
    return -value if found[1] else value


def _is_tuple(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, types.UnionType}:
        return any(_is_tuple(each) for each in get_args(annotation))
    return get_origin(annotation) is tuple


@cache
def _annotations(model: type[AttrsInstance]) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(model, include_extras=True)
    return tuple((each.name, hints[each.name]) for each in fields(model))
