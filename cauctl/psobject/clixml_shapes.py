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
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import field, frozen, mutable

from cauctl.errors import InputError
from cauctl.psobject.clixml_columns import HOLES, Column, Texts
from cauctl.psobject.clixml_syntax import unescape
from cauctl.psobject.containers import PSDictionary, PSEnumerable, PSList, PSQueue, PSStack
from cauctl.psobject.objects import DESERIALIZED, ORDERED_DICTIONARY, PSObject

if TYPE_CHECKING:
    from cauctl.psobject.clixml_reader import Reader

__all__ = ["CONTAINERS", "Shapes", "is_ordered"]

CONTAINERS: Final[dict[str, type[PSList]]] = {"LST": PSList, "IE": PSEnumerable, "STK": PSStack, "QUE": PSQueue}

_SEEN_BEFORE_LEARNING: Final = 16
_MOST_OF_A_KIND: Final = 8
_MOST_ITEMS: Final = 32
_NEVER: Final = -(1 << 62)
_MOST_SHAPES: Final = 64
_MOST_HOLES: Final = 200
_ROWS_AT_ONCE: Final = 2000

_LEAD: Final = re.compile(r'<Obj(?: N="[^"<&]*")? RefId="[^"<&]*">[ \t\n]*<TNRef RefId="([^"<&]*)" />')
_PART: Final = re.compile(
    r"(?P<space>[ \t\n]*)"
    r'(?:(?P<object><Obj)(?: N="(?P<owner>[^"<&]*)")? RefId="[^"<&]*">'
    r'|(?P<names><TNRef) RefId="[^"<&]*" />'
    r"|(?P<text><ToString)(?: />|>[^<]*</ToString>)"
    r"|<(?P<group>Props|MS)>"
    r'|(?P<null><Nil)(?: N="(?P<nothing>[^"<&]*)")? />'
    r"|<(?P<container>LST|IE|STK|QUE|DCT)(?P<empty> /)?>"
    r"|(?P<entry><En>)"
    r"|</(?P<close>Props|MS|Obj|LST|IE|STK|QUE|DCT|En)>"
    r'|<(?P<tag>[A-Za-z0-9]+)(?: N="(?P<name>[^"<&]*)")?>[^<]*</(?P=tag)>)'
)
_ID: Final = '([^"<&]*)'
_NO_NOTES: Final = ((), ())


def is_ordered(type_names: tuple[str, ...]) -> bool:
    """Tell whether the entries of an object with these type names keep their order in PowerShell."""
    return bool(type_names) and type_names[0].removeprefix(DESERIALIZED) == ORDERED_DICTIONARY[0]


@frozen
class _Leaf:
    """One primitive: the hole that holds its text, None for what is always null."""

    hole: int | None
    tag: str = field(default="Nil", kw_only=True)

    def build(self, columns: Sequence[Column], _reader: Reader, texts: Texts) -> Column:
        """Convert the texts of all rows; None where a row has null."""
        if self.hole is None:
            return [None] * len(columns[0])
        column = columns[self.hole]
        convert = HOLES[self.tag][1] if self.tag in HOLES else texts.convert
        if None not in column:
            return convert(column)
        present = [text for text in column if text is not None]
        found = iter(convert(present) if present else ())
        return [None if text is None else next(found) for text in column]


@frozen
class _Items:
    """A list of fixed length."""

    kind: type[PSList]
    items: list[_Leaf | _Node]

    def build(self, columns: Sequence[Column], reader: Reader, texts: Texts) -> Column:
        """Make the lists of all rows."""
        if not self.items:
            return [self.kind() for _ in columns[0]]
        return [
            self.kind(row) for row in zip(*[item.build(columns, reader, texts) for item in self.items], strict=True)
        ]


@frozen
class _Entries:
    """A dictionary of fixed length."""

    entries: list[tuple[_Leaf | _Node, _Leaf | _Node]]

    def build(self, columns: Sequence[Column], reader: Reader, texts: Texts) -> Column:
        """Make the dictionaries of all rows; whether they are ordered is their owner's to say."""
        if not self.entries:
            return [PSDictionary() for _ in columns[0]]
        keys = zip(*[key.build(columns, reader, texts) for key, _ in self.entries], strict=True)
        values = zip(*[value.build(columns, reader, texts) for _, value in self.entries], strict=True)
        return [PSDictionary(zip(*row, strict=True)) for row in zip(keys, values, strict=True)]


_Group: TypeAlias = "tuple[tuple[str, ...], list[_Leaf | _Node]]"


@mutable
class _Node:
    """One object: the holes of its RefId, TNRef and text, and what it is made of."""

    ref: int
    type_names: int | None = None
    text: int | None = None
    base: _Leaf | _Items | _Entries | None = None
    adapted: _Group | None = None
    extended: _Group | None = None

    def build(self, columns: Sequence[Column], reader: Reader, texts: Texts) -> Column:
        """Make the objects of all rows; None where a row has null."""
        refs = columns[self.ref]
        if None not in refs:
            return self._objects(columns, reader, texts)
        present = [ref is not None for ref in refs]
        if not any(present):
            return [None] * len(refs)
        found = iter(self._objects([tuple(compress(column, present)) for column in columns], reader, texts))
        return [next(found) if there else None for there in present]

    def _objects(self, columns: Sequence[Column], reader: Reader, texts: Texts) -> list[PSObject]:
        refs = columns[self.ref]
        names = (
            [()] * len(refs) if self.type_names is None else [reader.type_names[x] for x in columns[self.type_names]]
        )
        shown = self._shown(columns, texts)
        base = [None] * len(refs) if self.base is None else self.base.build(columns, reader, texts)
        adapted = [None] * len(refs) if self.adapted is None else _members(self.adapted, columns, reader, texts)
        extended = [_NO_NOTES] * len(refs) if self.extended is None else _members(self.extended, columns, reader, texts)
        if isinstance(self.base, _Entries):
            for type_names, dictionary in zip(names, base, strict=True):
                dictionary.ordered = is_ordered(type_names)
        new, found = PSObject.__new__, []
        for type_names, text, value, props, notes in zip(names, shown, base, adapted, extended, strict=True):
            made = new(PSObject)
            made.type_names, made.text, made.base = type_names, text, value
            made._adapted, made._extended = props, notes  # noqa: SLF001  the unopened form that PSObject keeps for this
            made.declared, made.deserialized = None, True
            found.append(made)
        reader.objects.update(zip(refs, found, strict=True))
        return found

    def _shown(self, columns: Sequence[Column], texts: Texts) -> Column:
        if self.text is None:
            return [None] * len(columns[self.ref])
        return texts.convert([text or "" for text in columns[self.text]])


def _members(group: _Group, columns: Sequence[Column], reader: Reader, texts: Texts) -> Column:
    """Make the unopened member groups of all rows: names and values."""
    names, members = group
    values = zip(*[member.build(columns, reader, texts) for member in members], strict=True)
    return [(names, row) for row in values]


class _UnlearnableError(Exception):
    """The object holds something that shapes do not cover."""


class _Learner:
    """Turns the text of one object into a pattern with holes, and the node that reads them."""

    def __init__(self, text: str, pos: int) -> None:
        self._text, self._pos = text, pos
        self._pattern: list[str] = []
        self._holes = 0

    def learn(self) -> tuple[re.Pattern[str], _Node]:
        """Learn the object at the place given."""
        part = self._next()
        if not part["object"]:
            raise _UnlearnableError
        node = self._object(part)
        return re.compile("[ \t\n]*" + "".join(self._pattern)), node

    def _next(self) -> re.Match[str]:
        part = _PART.match(self._text, self._pos)
        if part is None or self._holes > _MOST_HOLES:
            raise _UnlearnableError
        self._pos = part.end()
        self._pattern.append(re.escape(part["space"]) if self._pattern else "")
        return part

    def _hole(self, before: str, pattern: str, after: str) -> int:
        """Add a hole; give its number among the groups."""
        self._pattern.append(f"{before}{pattern}{after}")
        self._holes += 1
        return self._holes - 1

    def _object(self, lead: re.Match[str]) -> _Node:
        owner = lead["owner"]
        named = "" if owner is None else f' N="{re.escape(owner)}"'
        if owner is not None:
            self._pattern.append("(?:")
        node = _Node(self._hole(f'<Obj{named} RefId="', _ID, '">'))
        while (part := self._next())["close"] is None:
            self._part(node, part)
        if part["close"] != "Obj":
            raise _UnlearnableError
        self._pattern.append("</Obj>" if owner is None else f"</Obj>|<Nil{named} />)")
        return node

    def _part(self, node: _Node, part: re.Match[str]) -> None:
        if part["names"] and node.type_names is None:
            node.type_names = self._hole('<TNRef RefId="', _ID, '" />')
        elif part["text"] and node.text is None:
            node.text = self._hole("(?:<ToString>", "([^<]*)", "</ToString>|<ToString />)")
        elif part["group"] == "Props" and node.adapted is None:
            node.adapted = self._members("Props")
        elif part["group"] == "MS" and node.extended is None:
            node.extended = self._members("MS")
        elif part["tag"] and part["name"] is None and node.base is None:
            node.base = self._leaf(part["tag"], "")
        elif part["container"] and node.base is None:
            node.base = self._container(part)
        else:
            raise _UnlearnableError

    def _members(self, tag: str) -> _Group:
        self._pattern.append(f"<{tag}>")
        members: dict[str, _Leaf | _Node] = {}
        while (part := self._next())["close"] is None:
            if part["object"] and part["owner"] is not None:
                name, member = part["owner"], self._object(part)
            elif part["null"]:
                name, member = part["nothing"], _Leaf(None)
                self._pattern.append(f'<Nil N="{re.escape(name)}" />')
            elif part["tag"] and part["name"] is not None:
                name, member = part["name"], self._leaf(part["tag"], part["name"])
            else:
                raise _UnlearnableError
            members[unescape(name)] = member
        self._pattern.append(f"</{tag}>")
        if part["close"] != tag or not members:
            raise _UnlearnableError
        return tuple(members), list(members.values())

    def _container(self, part: re.Match[str]) -> _Items | _Entries:
        tag = part["container"]
        if part["empty"]:
            self._pattern.append(f"<{tag} />")
            return _Entries([]) if tag == "DCT" else _Items(CONTAINERS[tag], [])
        self._pattern.append(f"<{tag}>")
        found = _Entries(self._entries()) if tag == "DCT" else _Items(CONTAINERS[tag], self._items(tag))
        self._pattern.append(f"</{tag}>")
        return found

    def _items(self, tag: str) -> list[_Leaf | _Node]:
        items: list[_Leaf | _Node] = []
        while (part := self._next())["close"] is None:
            items.append(self._item(part, None))
        if part["close"] != tag:
            raise _UnlearnableError
        return items

    def _entries(self) -> list[tuple[_Leaf | _Node, _Leaf | _Node]]:
        entries = []
        while (part := self._next())["entry"]:
            self._pattern.append("<En>")
            entries.append((self._item(self._next(), "Key"), self._item(self._next(), "Value")))
            if self._next()["close"] != "En":
                raise _UnlearnableError
            self._pattern.append("</En>")
        if part["close"] != "DCT":
            raise _UnlearnableError
        return entries

    def _item(self, part: re.Match[str], name: str | None) -> _Leaf | _Node:
        """Learn an item of a list (no name), a key or a value."""
        if part["object"] and part["owner"] == name and name != "Key":
            return self._object(part)
        if part["null"] and part["nothing"] == name and name != "Key":
            self._pattern.append("<Nil />" if name is None else f'<Nil N="{name}" />')
            return _Leaf(None)
        if part["tag"] and part["name"] == name:
            return self._leaf(part["tag"], name or "")
        raise _UnlearnableError

    def _leaf(self, tag: str, name: str) -> _Leaf:
        if tag not in HOLES and tag not in ("S", "SBK"):
            raise _UnlearnableError
        pattern = f"({HOLES[tag][0]})" if tag in HOLES else "([^<]*)"
        if not name:
            return _Leaf(self._hole(f"<{tag}>", pattern, f"</{tag}>"), tag=tag)
        named = f' N="{re.escape(name)}"'
        if name == "Key":
            return _Leaf(self._hole(f"<{tag}{named}>", pattern, f"</{tag}>"), tag=tag)
        return _Leaf(self._hole(f"(?:<{tag}{named}>", pattern, f"</{tag}>|<Nil{named} />)"), tag=tag)


@frozen
class _Shape:
    """A learnt shape."""

    match: Callable[[str, int], re.Match[str] | None]
    node: _Node


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
        rows, end = [], pos
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
        if len(known) - before != _count(shape.node, columns):
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
            pattern, node = _Learner(self._reader.syntax.text, pos).learn()
        except _UnlearnableError:
            self._seen[kind] = _NEVER
            return
        self._learnt += 1
        self._by_class.setdefault(found.type_names, []).insert(0, _Shape(pattern.match, node))


def _count(node: _Node, columns: Sequence[Column]) -> int:
    """Count the objects that a node makes of all rows."""
    own = sum(ref is not None for ref in columns[node.ref])
    inner: list[Any] = [each for group in (node.adapted, node.extended) if group is not None for each in group[1]]
    if isinstance(node.base, _Items):
        inner += node.base.items
    elif isinstance(node.base, _Entries):
        inner += [each for entry in node.base.entries for each in entry]
    return own + sum(_count(each, columns) for each in inner if isinstance(each, _Node))
