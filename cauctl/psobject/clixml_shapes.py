"""Reading many objects of one shape fast: the shape of a few is learnt, the others are matched as a whole.

A shape is the text of an object as PowerShell writes it, with holes for values and RefIds: one regular expression.
Rules kept here:

* What a shape reads is exactly what the reader would have read. Whatever does not match, and whatever matched and then
  turns out odd, is left to the reader, which also finds the words for what is wrong.
* Objects are first taken, their texts kept and their RefIds announced, and then made many at once, column by column.
* Learnt are objects without references and new type names; each hole of a member takes its type or null. Containers
  inside are learnt with the number and the types of their items.
* A shape is learnt when objects of the same class and names have come often enough: compiling one costs as much as
  reading dozens of objects. 8 for a class and its names, 64 in a document at most.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from attrs import field, mutable

from cauctl.errors import InputError
from cauctl.psobject.clixml_columns import Texts
from cauctl.psobject.clixml_learner import Learner, UnlearnableError
from cauctl.psobject.clixml_nodes import Node, ref_holes
from cauctl.psobject.clixml_references import PENDING, References

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cauctl.psobject.clixml_syntax import Syntax
    from cauctl.psobject.objects import PSObject

__all__ = ["Shapes"]

_SEEN_BEFORE_LEARNING: Final = 16
_MOST_OF_A_KIND: Final = 8
_MOST_ITEMS: Final = 32
_NEVER: Final = -(1 << 62)
_MOST_SHAPES: Final = 64
_ROWS_AT_ONCE: Final = 2000

_LEAD: Final = re.compile(
    r'[ \t\n]*<Obj(?: N="[^"<&]*")? RefId="[^"<&]*">[ \t\n]*<TNRef RefId="([^"<&]*)" />'
    r"(?:[ \t\n]*<ToString>[^<]*</ToString>)?"
    r'[ \t\n]*<([A-Za-z0-9]+)>?(?:[ \t\n]*<[A-Za-z0-9]+(?: N="([^"<&]*)")?)?'
)
"""Beginning of an object, up to the name of its first member: by these a shape is looked for."""


class _FindAll(Protocol):
    """The method ``finditer`` of a compiled pattern."""

    def __call__(self, text: str, pos: int, /) -> Iterator[re.Match[str]]: ...


@mutable(eq=False)
class _Shape:
    """A learnt shape, and the objects of it that were seen and are not made yet."""

    finditer: _FindAll
    """Gives a match for each object from an offset on; an empty one, whose groups are None, where there are no more."""
    node: Node
    refs: list[int]
    """Holes that hold RefIds of objects."""
    pointers: list[int]
    """Holes that hold RefIds of references."""
    alone: bool
    """True if the objects hold no others and no references."""
    rows: list[tuple[str | None, ...]] = field(factory=list)
    """Texts in the holes, an object a row."""
    spans: list[_Span] = field(factory=list)


class _Span(NamedTuple):
    """Some objects in a row, in the text and in the list that they belong to."""

    items: list[Any]
    place: int
    """Place of the first in the list."""
    size: int
    pos: int
    """Offset of the first in the text."""
    depth: int
    top: int
    """Index of the top-level value that the objects are part of, or of the first if they are such values."""


class Shapes:
    """The shapes of one document.

    Args:
        syntax: the text.
        references: where objects are announced and remembered.
        careful: reads one value at an offset and depth; what turns out odd is read by it.
        longest: longest text of an object that is read so.
    """

    def __init__(
        self, syntax: Syntax, references: References, careful: Callable[[int, int], tuple[Any, int]], *, longest: int
    ) -> None:
        self._syntax, self._references, self._careful, self._longest = syntax, references, careful, longest
        self._text = syntax.text
        self._texts = Texts(syntax.text)
        self._by_lead: dict[Any, list[_Shape]] = {}
        self._seen: dict[Any, int] = {}
        self._learnt = 0
        self._waiting: list[_Shape] = []
        self._rows = 0
        self._busy = False
        self.odd_top: int | None = None
        """Index of the top-level value in which something could not be read; None as long as all could."""

    def take(self, items: list[Any], pos: int, depth: int, top: int) -> int | None:
        """Take the objects from ``pos`` that have known shapes; None where the reader must look itself.

        The objects are announced, and their places in ``items`` held; :meth:`settle` makes them.
        """
        if not self._learnt or self._busy:
            return None
        text, start = self._syntax.text, pos
        while True:
            for shape in self._by_lead.get(self._lead(text, pos), ()):
                end = self._run(shape, items, pos, depth, top)
                if end is not None:
                    pos = end
                    break
            else:
                return None if pos == start else pos

    def _lead(self, text: str, pos: int) -> Any:
        """Give what a shape is looked for by: type names, first part, name of the first member."""
        lead = _LEAD.match(text, pos)
        return None if lead is None else (self._references.type_names.get(lead[1]), lead[2], lead[3])

    def _run(self, shape: _Shape, items: list[Any], pos: int, depth: int, top: int) -> int | None:
        """Take the objects of one shape; None where there are none."""
        text, rows, last = self._syntax.text, shape.rows, None
        known, alone, unbounded = self._references.objects, shape.alone, len(text) <= self._longest
        before, most = len(rows), len(rows) + _ROWS_AT_ONCE
        for found in shape.finditer(text, pos):
            row = found.groups()
            ref = row[0]
            if ref is None or not (unbounded or found.end() - found.start() <= self._longest):
                break
            if not alone:
                if not self._announce(shape, row):
                    break
            elif ref in known:
                break
            else:
                known[ref] = PENDING
            rows.append(row)
            last = found
            if len(rows) == most:
                break
        if last is None:
            return None
        size = len(rows) - before
        if not shape.spans:
            self._waiting.append(shape)
        shape.spans.append(_Span(items, len(items), size, pos, depth, top))
        items.extend([None] * size)
        self._rows += size
        if self._rows >= _ROWS_AT_ONCE:
            self.settle()
        return last.end()

    def _announce(self, shape: _Shape, row: Sequence[str | None]) -> bool:
        """Announce the objects of a row; False, and nothing done, where the careful way must look.

        It must if a RefId is known already, or if a reference finds nothing before it, or only what is not made yet.
        """
        known, holes = self._references.objects, shape.refs
        ids = [ref for hole in holes if (ref := row[hole]) is not None]
        if len(set(ids)) < len(ids) or not known.keys().isdisjoint(ids):
            return False
        for pointer in shape.pointers:
            ref = row[pointer]
            if ref is not None and not any(row[hole] == ref for hole in holes if hole < pointer):
                seen = self._references.seen(ref)
                if seen is None or seen is PENDING:
                    return False
        known.update(dict.fromkeys(ids, PENDING))
        return True

    def settle(self) -> None:
        """Make all objects that were taken; what turns out odd is read with care, in the order of the text."""
        odd: list[_Span] = []
        waiting, self._waiting, self._rows = self._waiting, [], 0
        if self._text is not self._syntax.text:
            self._text, self._texts = self._syntax.text, Texts(self._syntax.text)
        for shape in waiting:
            rows, spans, shape.rows, shape.spans = shape.rows, shape.spans, [], []
            try:
                objects = shape.node.build(list(zip(*rows, strict=True)), self._references, self._texts)
            except (ValueError, KeyError, OverflowError, ArithmeticError, InputError):
                odd += spans
                continue
            start = 0
            for span in spans:
                span.items[span.place : span.place + span.size] = objects[start : start + span.size]
                start += span.size
        if odd:
            self._read_odd(sorted(odd, key=lambda span: span.pos))

    def _read_odd(self, spans: list[_Span]) -> None:
        self._busy = True
        try:
            for span in spans:
                pos = span.pos
                for number in range(span.size):
                    self.odd_top = span.top + number if span.depth == 0 else span.top
                    span.items[span.place + number], pos = self._careful(self._syntax.skip(pos), span.depth)
            self.odd_top = None
        finally:
            self._busy = False

    def drop(self, top: int) -> None:
        """Forget what was taken of the top-level value of that index, which is read again later."""
        for shape in self._waiting:
            while shape.spans and shape.spans[-1].depth and shape.spans[-1].top == top:
                count = shape.spans.pop().size
                del shape.rows[len(shape.rows) - count :]
        self._waiting = [shape for shape in self._waiting if shape.spans]

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
            pattern, node = Learner(self._syntax.text, pos).learn()
        except UnlearnableError:
            self._seen[kind] = _NEVER
            return
        self._learnt += 1
        refs, pointers = ref_holes(node)
        shape = _Shape(pattern.finditer, node, refs, pointers, alone=len(refs) == 1 and not pointers)
        self._by_lead.setdefault(self._lead(self._syntax.text, pos), []).insert(0, shape)
