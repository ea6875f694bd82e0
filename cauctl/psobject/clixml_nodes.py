"""What a learnt shape is made of, and how the texts found in its holes become objects, column by column.

A node is built for many objects at once: its holes are numbers of columns, one text an object, None for null. What
comes out is exactly what the reader would have made of each object alone.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import field, frozen, mutable

from cauctl.psobject.clixml_columns import HOLES, Column, Texts
from cauctl.psobject.containers import PSDictionary, PSEnumerable, PSList, PSQueue, PSStack
from cauctl.psobject.objects import DESERIALIZED, ORDERED_DICTIONARY, PSObject, read_objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cauctl.psobject.clixml_references import References

__all__ = ["CONTAINERS", "Entries", "Items", "Leaf", "Node", "NodeMembers", "is_ordered", "ref_holes"]

CONTAINERS: Final[dict[str, type[PSList]]] = {"LST": PSList, "IE": PSEnumerable, "STK": PSStack, "QUE": PSQueue}


def is_ordered(type_names: tuple[str, ...]) -> bool:
    """Tell whether the entries of an object with these type names keep their order in PowerShell."""
    return bool(type_names) and type_names[0].removeprefix(DESERIALIZED) == ORDERED_DICTIONARY[0]


@frozen
class Leaf:
    """One primitive or reference: the hole that holds its text or RefId, None for what is always null."""

    hole: int | None
    tag: str = field(default="Nil", kw_only=True)

    def build(self, columns: Sequence[Column], references: References, texts: Texts) -> Column:
        """Convert the texts of all rows; None where a row has null."""
        if self.hole is None:
            return [None] * len(columns[0])
        column = columns[self.hole]
        if self.tag == "Ref":
            return [None if ref is None else references.made(ref) for ref in column]
        convert = HOLES[self.tag][1] if self.tag in HOLES else texts.convert
        if None not in column:
            return convert(column)
        present = [text for text in column if text is not None]
        found = iter(convert(present) if present else ())
        return [None if text is None else next(found) for text in column]


@frozen
class Items:
    """A list of fixed length."""

    kind: type[PSList]
    items: list[Leaf | Node]

    def build(self, columns: Sequence[Column], references: References, texts: Texts) -> Column:
        """Make the lists of all rows."""
        if not self.items:
            return [self.kind() for _ in columns[0]]
        return [
            self.kind(row) for row in zip(*[item.build(columns, references, texts) for item in self.items], strict=True)
        ]


@frozen
class Entries:
    """A dictionary of fixed length."""

    entries: list[tuple[Leaf | Node, Leaf | Node]]

    def build(self, columns: Sequence[Column], references: References, texts: Texts) -> Column:
        """Make the dictionaries of all rows; whether they are ordered is their owner's to say."""
        if not self.entries:
            return [PSDictionary() for _ in columns[0]]
        keys = zip(*[key.build(columns, references, texts) for key, _ in self.entries], strict=True)
        values = zip(*[value.build(columns, references, texts) for _, value in self.entries], strict=True)
        return [PSDictionary(zip(*row, strict=True)) for row in zip(keys, values, strict=True)]


NodeMembers: TypeAlias = "tuple[tuple[str, ...], list[Leaf | Node]]"


@mutable
class Node:
    """One object: the holes of its RefId, TNRef and text, and what it is made of."""

    ref: int
    type_names: int | None = None
    text: int | None = None
    base: Leaf | Items | Entries | None = None
    adapted: NodeMembers | None = None
    extended: NodeMembers | None = None

    def build(self, columns: Sequence[Column], references: References, texts: Texts) -> Column:
        """Make the objects of all rows; None where a row has null."""
        refs = columns[self.ref]
        if None not in refs:
            return self._objects(columns, references, texts)
        present = [ref is not None for ref in refs]
        if not any(present):
            return [None] * len(refs)
        found = iter(self._objects([tuple(compress(column, present)) for column in columns], references, texts))
        return [next(found) if there else None for there in present]

    def _objects(self, columns: Sequence[Column], references: References, texts: Texts) -> list[PSObject]:
        refs, known = columns[self.ref], references.type_names
        nothing = [None] * len(refs)
        names = [()] * len(refs) if self.type_names is None else [known[ref] for ref in columns[self.type_names]]
        shown = self._shown(columns, texts)
        base = nothing if self.base is None else self.base.build(columns, references, texts)
        if isinstance(self.base, Entries):
            for type_names, dictionary in zip(names, base, strict=True):
                dictionary.ordered = is_ordered(type_names)
        props = nothing if self.adapted is None else _values(self.adapted, columns, references, texts)
        notes = [()] * len(refs) if self.extended is None else _values(self.extended, columns, references, texts)
        found = read_objects(
            zip(names, shown, base, props, notes, strict=True),
            () if self.adapted is None else self.adapted[0],
            () if self.extended is None else self.extended[0],
        )
        references.objects.update(zip(refs, found, strict=True))
        return found

    def _shown(self, columns: Sequence[Column], texts: Texts) -> Column:
        if self.text is None:
            return [None] * len(columns[self.ref])
        return texts.convert([text or "" for text in columns[self.text]])


def _values(group: NodeMembers, columns: Sequence[Column], references: References, texts: Texts) -> Column:
    """Make the values of a member group, a tuple for each row."""
    return list(zip(*[member.build(columns, references, texts) for member in group[1]], strict=True))


def ref_holes(node: Node) -> tuple[list[int], list[int]]:
    """Give the holes that hold RefIds, in the order of the text: of objects, and of references."""
    objects, pointers = [node.ref], []
    for each in _inner(node):
        if isinstance(each, Node):
            own, others = ref_holes(each)
            objects += own
            pointers += others
        elif each.tag == "Ref" and each.hole is not None:
            pointers.append(each.hole)
    return objects, pointers


def _inner(node: Node) -> list[Leaf | Node]:
    """Give what an object is made of."""
    inner: list[Leaf | Node] = []
    if isinstance(node.base, Items):
        inner += node.base.items
    elif isinstance(node.base, Entries):
        inner += [each for entry in node.base.entries for each in entry]
    return inner + [each for group in (node.adapted, node.extended) if group is not None for each in group[1]]
