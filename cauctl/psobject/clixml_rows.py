"""Writing many values of one layout fast: literal text that all share, and a column of texts for what differs.

Rules kept here:

* What is written is what :class:`~cauctl.psobject.clixml_writer.Writer` would have written one by one.
* The type names of the objects were written before; the elements that stand for them are known.
"""

from __future__ import annotations

from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, mutable

from cauctl.psobject.clixml_column_texts import column_texts, escape_all
from cauctl.psobject.clixml_layouts import CONTAINERS, Layout
from cauctl.psobject.clixml_text import TEXTS, element, escape_attribute
from cauctl.psobject.containers import PSDictionary
from cauctl.psobject.objects import PSObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Rows"]

_Part: TypeAlias = "Layout | int | Sequence[Any]"
"""An object, the number of an object that comes again, or a column of primitives."""


@mutable(eq=False)
class Rows:
    """Values of one layout that are to be written."""

    layout: Layout | type
    rows: list[list[Any]] = field(factory=list)
    """Of each the RefId of its first object, and what the layout leaves of it."""
    places: list[int] = field(factory=list)
    """Where each will stand in the list of pieces."""

    def write(self, out: list[str], pads: Sequence[str], type_names: Mapping[tuple[str, ...], str]) -> None:
        """Put the texts at their places.

        Args:
            out: the list of pieces.
            pads: line beginnings of the values, of their parts, and so on.
            type_names: the elements that stand for type names.
        """
        if self.rows:
            texts = _Texts(self.rows, pads, type_names).of(self.layout)
            for place, text in zip(self.places, texts, strict=True):
                out[place] = text


class _Texts:
    """Goes through a layout once and makes the texts of all rows, part by part."""

    def __init__(
        self, rows: Sequence[Sequence[Any]], pads: Sequence[str], type_names: Mapping[tuple[str, ...], str]
    ) -> None:
        self._columns = zip(*rows, strict=True)
        self._numbers = next(self._columns)
        self._pads, self._type_names = pads, type_names
        self._ref_ids: list[Sequence[str]] = []
        self._literal: list[str] = []
        self._parts: list[Iterable[str]] = []

    def of(self, layout: Layout | type) -> Iterator[str]:
        """Give the texts, in order."""
        self._value(layout if isinstance(layout, Layout) else next(self._columns), "", 0)
        self._hole(())
        del self._parts[-1]
        return map("".join, zip(*self._parts))  # noqa: B905  literals are repeated without end

    def _hole(self, column: Iterable[str]) -> None:
        """Go on with the texts of a column."""
        self._parts += repeat("".join(self._literal)), column
        self._literal.clear()

    def _write(self, text: str) -> None:
        """Go on with a text that all rows share."""
        self._literal.append(text)

    def _value(self, part: _Part, named: str, level: int) -> None:
        if isinstance(part, Layout):
            self._object(part, named, level)
        elif isinstance(part, int):
            self._write(f'{self._pads[level]}<Ref{named} RefId="')
            self._hole(self._ref_ids[part])
            self._write('" />')
        else:
            self._primitives(part, named, level)

    def _primitives(self, values: Sequence[Any], named: str, level: int) -> None:
        pad = self._pads[level]
        if values[0] is None:
            self._write(f"{pad}<Nil{named} />")
            return
        texts = column_texts(values)
        if texts is None:
            self._write(pad)
            self._hole([element(value, named) for value in values])
        else:
            tag = TEXTS[type(values[0])][0]
            self._write(f"{pad}<{tag}{named}>")
            self._hole(texts)
            self._write(f"</{tag}>")

    def _object(self, layout: Layout, named: str, level: int) -> None:
        pad = self._pads[level]
        self._write(f'{pad}<Obj{named} RefId="')
        self._ref_ids.append([str(number + len(self._ref_ids)) for number in self._numbers])
        self._hole(self._ref_ids[-1])
        if layout.is_bare:
            self._write('" />')
            return
        self._write('">')
        level += 1
        if layout.type_names:
            self._write(f"{self._pads[level]}{self._type_names[layout.type_names]}")
        if layout.text is not None:
            self._text(next(self._columns) if layout.text else (), level)
        parts = self._of_object(layout)
        self._base(layout, parts, level)
        self._members("Props", layout.adapted, parts, level)
        self._members("MS", layout.extended or None, parts, level)
        self._write(f"{pad}</Obj>")

    def _of_object(self, layout: Layout) -> Iterator[_Part]:
        """Give what an object is made of."""
        columns, inner = list(islice(self._columns, len(layout.types))), iter(layout.inner)
        for kind, column in zip(layout.types, columns, strict=True):
            yield next(inner) if kind is PSObject else column

    def _text(self, shown: Sequence[str], level: int) -> None:
        pad = self._pads[level]
        if not shown:
            self._write(f"{pad}<ToString />")
            return
        self._write(f"{pad}<ToString>")
        self._hole(escape_all(shown))
        self._write("</ToString>")

    def _base(self, layout: Layout, parts: Iterator[_Part], level: int) -> None:
        dictionary = layout.base is PSDictionary
        tag, pad = "DCT" if dictionary else CONTAINERS.get(layout.base), self._pads[level]
        if tag is None:
            for part in islice(parts, layout.held):
                self._value(part, "", level)
        elif not layout.held:
            self._write(f"{pad}<{tag} />")
        else:
            self._write(f"{pad}<{tag}>")
            if dictionary:
                self._entries(islice(parts, layout.held), level + 1)
            else:
                for part in islice(parts, layout.held):
                    self._value(part, "", level + 1)
            self._write(f"{pad}</{tag}>")

    def _entries(self, parts: Iterator[_Part], level: int) -> None:
        pad = self._pads[level]
        for key, value in zip(parts, parts, strict=True):
            self._write(f"{pad}<En>")
            self._value(key, ' N="Key"', level + 1)
            self._value(value, ' N="Value"', level + 1)
            self._write(f"{pad}</En>")

    def _members(self, tag: str, names: Sequence[str] | None, parts: Iterator[_Part], level: int) -> None:
        pad = self._pads[level]
        if names is None:
            return
        if not names:
            self._write(f"{pad}<{tag} />")
            return
        self._write(f"{pad}<{tag}>")
        for name, part in zip(names, parts):  # noqa: B905  the notes follow the .NET properties
            self._value(part, f' N="{escape_attribute(name)}"', level + 1)
        self._write(f"{pad}</{tag}>")
