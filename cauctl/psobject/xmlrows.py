"""Templates for objects of one shape, so that ten thousand alike cost little more than their texts.

Rules kept here:

* A row is an object whose properties are all primitives, boxed ones too, or null. Its shape is its type names, its
  property names and the classes of its values; everything but the texts is the same for all rows of a shape.
* A template is made when a shape comes for the second time, by the writer that would write the object else.
* Whatever does not fit, or cannot be written, gives None: the writer then goes its own way.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from cauctl.psobject.escaping import IllegalCharacterError, element_text, is_plain
from cauctl.psobject.members import is_enum, properties
from cauctl.psobject.native import powershell_value
from cauctl.psobject.objects import PSObject
from cauctl.psobject.rebuilt import may_be_rebuilt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cauctl.psobject.nettext import TextStyle

__all__ = ["GAP", "RowTemplates"]

GAP: Final = "\0"
"""Stands for a text in the frame of a row; no XML holds it."""
_MOST_TEMPLATES: Final = 256
_INT32: Final = 1 << 31
_NATIVE: Final = frozenset((date, datetime, time, timedelta))
"""Classes of Python's own that each stand for one primitive."""


class _OddValueError(Exception):
    """A value whose .NET type is not that of its shape: an integer beyond 32 bits, another boxed type."""


class _Template:
    """The pieces of a row's text, every second of them a gap, and what fills the gaps."""

    __slots__ = ("declared", "gaps", "pieces")

    def __init__(self, frame: str, gaps: list[tuple[int, Callable[[Any], str]]], declared: Any) -> None:
        self.gaps, self.declared = gaps, declared
        self.pieces = [each for piece in frame.split(GAP) for each in (piece, "")][:-1]


class RowTemplates:
    """Templates of the shapes that were met, for one way of writing.

    Args:
        style: how primitives print.
        newline: line end within texts.
        empty_text: what stands for an empty text.
        frame: gives the whole text of a row, with :data:`GAP` in the place of each text.
    """

    def __init__(
        self, style: TextStyle, *, newline: str, empty_text: str, frame: Callable[[PSObject, str | None, int], str]
    ) -> None:
        self._printers: dict[type, Callable[[Any], str]] = {**style.printers, int: _int32_printer(style)}
        self._newline, self._empty_text, self._frame = newline, empty_text, frame
        self._templates: dict[Any, _Template] = {}
        self._met: set[Any] = set()

    def text(self, row: PSObject, name: str | None, level: int) -> str | None:
        """Give the text of a row, or None where there is no template for it."""
        adapted, (names, values) = row.parts()
        more_names = None
        if adapted is not None:
            more_names, more = adapted
            values += more
        key = (names, more_names, row.type_names, row.deserialized, row.text is None, name, level, *map(type, values))
        template = self._templates.get(key)
        if template is None:
            self._learn(key, row, name, level)
            return None
        if template.declared is not row.declared:
            return None
        try:
            texts = [printer(values[at]) for at, printer in template.gaps]
            if not is_plain("".join(texts), self._newline):
                texts = [element_text(text, self._newline) for text in texts]
        except (_OddValueError, IllegalCharacterError):
            return None
        if self._empty_text and "" in texts:
            texts = [text or self._empty_text for text in texts]
        pieces = template.pieces[:]
        pieces[1::2] = texts
        return "".join(pieces)

    def _learn(self, key: tuple[Any, ...], row: PSObject, name: str | None, level: int) -> None:
        """Make a template for a shape that was met before; remember a new one."""
        if key not in self._met:
            if len(self._met) < _MOST_TEMPLATES and not may_be_rebuilt(row) and not is_enum(row):
                self._met.add(key)
            return
        names: Sequence[str] = (*key[0], *(key[1] or ()))
        places = {each: at for at, each in reversed([*enumerate(names)])}
        gaps: list[tuple[int, Callable[[Any], str]]] = []
        for each in properties(row):
            if each.value is not None:
                printer = self._printer(each.value)
                if printer is None or each.name not in places or _is_odd(each.value):
                    return
                gaps.append((places[each.name], printer))
        self._templates[key] = _Template(self._frame(row, name, level), gaps, row.declared)

    def _printer(self, value: Any) -> Callable[[Any], str] | None:
        """Give what prints a value and others of its place: a primitive, or one that was read boxed, as enums are."""
        if type(value) in _NATIVE:
            inner = self._printers[type(powershell_value(value))]
            return lambda each: inner(powershell_value(each))
        if not isinstance(value, PSObject):
            return self._printers.get(type(value))
        kind = type(value.base)
        printer = self._printers.get(kind)
        if printer is None or not value.deserialized:
            return None

        def boxed(held: PSObject) -> str:
            if type(held.base) is not kind or not held.deserialized:
                raise _OddValueError
            return printer(held.base)

        return boxed


def _is_odd(value: Any) -> bool:
    """Tell whether an integer's type is not that of its class."""
    return type(value) is int and not -_INT32 <= value < _INT32


def _int32_printer(style: TextStyle) -> Callable[[int], str]:
    printer = style.printers[int]

    def text(value: int) -> str:
        if -_INT32 <= value < _INT32:
            return printer(value)
        raise _OddValueError

    return text
