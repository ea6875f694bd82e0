"""Reading many objects of one shape fast: the shape of a few is learnt, the others are matched as a whole.

A shape is the text of an object as PowerShell writes it, with holes for values and RefIds: one regular expression.
Rules kept here:

* What a shape reads is exactly what the reader would have read. Whatever does not match, and whatever matched and then
  turns out odd, is left to the reader, which also finds the words for what is wrong.
* Learnt are objects without references and new type names; each hole of a member takes its type or null. Containers
  inside are learnt with the number and the types of their items.
* A shape is learnt when objects of the same class and names have come often enough: compiling one costs as much as
  reading dozens of objects. 8 for a class and its names, 64 in a document at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from cauctl.errors import InputError
from cauctl.psobject.clixml_columns import Texts
from cauctl.psobject.clixml_learner import Learner, UnlearnableError
from cauctl.psobject.clixml_nodes import Node, count_objects

if TYPE_CHECKING:
    from cauctl.psobject.clixml_reader import Reader
    from cauctl.psobject.objects import PSObject

__all__ = ["Shapes"]

_SEEN_BEFORE_LEARNING: Final = 16
_MOST_OF_A_KIND: Final = 8
_MOST_ITEMS: Final = 32
_NEVER: Final = -(1 << 62)
_MOST_SHAPES: Final = 64
_ROWS_AT_ONCE: Final = 2000

_LEAD: Final = re.compile(r'<Obj(?: N="[^"<&]*")? RefId="[^"<&]*">[ \t\n]*<TNRef RefId="([^"<&]*)" />')


@frozen
class _Shape:
    """A learnt shape."""

    match: Callable[[str, int], re.Match[str] | None]
    node: Node


class Shapes:
    """The shapes of one document.

    Args:
        reader: the reader whose objects and type names the shapes use.
    """

    def __init__(self, reader: Reader, *, longest: int) -> None:
        self._reader, self._longest = reader, longest
        self._texts = Texts(reader.syntax)
        self._by_class: dict[tuple[str, ...], list[_Shape]] = {}
        self._seen: dict[Any, int] = {}
        self._learnt = 0
        self._last: _Shape | None = None
        self._odd_until = 0

    def renew(self) -> None:
        """Go on with the text that the reader has now; what was learnt stays."""
        self._texts = Texts(self._reader.syntax)
        self._odd_until = 0

    def read(self, pos: int) -> tuple[list[PSObject], int] | None:
        """Read all objects from ``pos`` that have one known shape; None where the reader must look itself."""
        if not self._learnt or pos < self._odd_until:
            return None
        text = self._reader.syntax.text
        for shape in self._candidates(text, pos):
            found = shape.match(text, pos)
            if found is not None:
                self._last = shape
                return self._run(shape, found, pos)
        return None

    def _candidates(self, text: str, pos: int) -> Iterator[_Shape]:
        last = self._last
        if last is not None:
            yield last
        lead = _LEAD.match(text, pos)
        if lead is not None:
            names = self._reader.type_names.get(lead[1], ())
            yield from (shape for shape in self._by_class.get(names, ()) if shape is not last)

    def _run(self, shape: _Shape, found: re.Match[str] | None, pos: int) -> tuple[list[PSObject], int] | None:
        text, match, longest = self._reader.syntax.text, shape.match, self._longest
        rows: list[tuple[str | None, ...]] = []
        end = pos
        while found is not None and len(rows) < _ROWS_AT_ONCE:
            stop = found.end()
            if stop - end > longest:
                break
            rows.append(found.groups())
            end = stop
            found = match(text, end)
        objects = self._build(shape, rows)
        if objects is None:
            self._odd_until = end
            return None
        return objects, end

    def _build(self, shape: _Shape, rows: list[tuple[str | None, ...]]) -> list[PSObject] | None:
        """Make the objects of all rows; None where anything is odd, a RefId that repeats too."""
        if not rows:
            return None
        known = self._reader.objects
        before = len(known)
        columns = list(zip(*rows, strict=True))
        try:
            objects = shape.node.build(columns, self._reader, self._texts)
        except (ValueError, KeyError, OverflowError, ArithmeticError, InputError):
            return None
        if len(known) - before != count_objects(shape.node, columns):
            return None
        return list(objects)

    def learn(self, found: PSObject, pos: int) -> None:
        """Look at an object that the reader read at ``pos``; learn its shape once it has come often enough."""
        if self._learnt >= _MOST_SHAPES or (found.is_container and len(found.base) > _MOST_ITEMS):
            return
        adapted = None if found.adapted is None else tuple(found.adapted)
        length = len(found.base) if found.is_container else 0
        kind = found.type_names, tuple(found.extended), adapted, found.text is None, type(found.base), length
        seen = self._seen[kind] = self._seen.get(kind, 0) + 1
        if seen < 0 or seen % _SEEN_BEFORE_LEARNING or seen > _SEEN_BEFORE_LEARNING * _MOST_OF_A_KIND:
            return
        try:
            pattern, node = Learner(self._reader.syntax.text, pos).learn()
        except UnlearnableError:
            self._seen[kind] = _NEVER
            return
        self._learnt += 1
        self._by_class.setdefault(found.type_names, []).insert(0, _Shape(pattern.match, node))
