"""Writing many objects of one shape fast: one template for the text, columns for the values.

Rules kept here:

* Objects are alike if their type names, the names of their members and the types of all values are the same; then their
  texts differ in RefIds and values only.
* Only objects take part whose values are primitives, and which were not written before.
* What is written is what :class:`~cauctl.psobject.clixml_writer.Writer` would have written one by one.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cauctl.psobject.clixml_text import TEXTS, escape_all, escape_attribute
from cauctl.psobject.objects import PSObject
from cauctl.psobject.values import Byte, Int16, Int64, SByte, ScriptBlock, UInt16, UInt32, UInt64

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["SHORTEST_RUN", "Shape", "runs", "write_rows"]

SHORTEST_RUN: Final = 8
_LONGEST_RUN: Final = 2000
_NUMBERS: Final = frozenset((int, Byte, SByte, Int16, UInt16, UInt32, Int64, UInt64))
_LEAVES: Final = frozenset((*TEXTS, type(None)))
_INT32: Final = range(-(1 << 31), 1 << 31)


class Shape(NamedTuple):
    """What like objects have in common."""

    type_names: tuple[str, ...]
    text: bool | None
    """Whether there is a ToString (None), and whether it is a non-empty one."""
    base: type
    adapted: tuple[str, ...] | None
    extended: tuple[str, ...]
    types: tuple[type, ...]
    """Types of the adapted and the extended values."""
    deserialized: bool


def shape_of(item: Any) -> Shape | None:
    """Give the shape of an object of primitives; None for anything else."""
    if type(item) is not PSObject or (item.base is not None and type(item.base) not in _LEAVES):
        return None
    adapted, extended = item.parts()
    types = tuple(map(type, extended[1] if adapted is None else (*adapted[1], *extended[1])))
    if not types or not _LEAVES.issuperset(types):
        return None
    text = None if item.text is None else bool(item.text)
    names = None if adapted is None else adapted[0]
    return Shape(item.type_names, text, type(item.base), names, extended[0], types, item.deserialized)


def runs(items: Sequence[Any]) -> Iterator[tuple[Shape | None, list[Any]]]:
    """Cut items into runs of like objects with their shape; what is no such run comes without a shape."""
    for shape, group in groupby(items, shape_of):
        found = list(group)
        if shape is None or len(found) < SHORTEST_RUN:
            yield None, found
        else:
            for start in range(0, len(found), _LONGEST_RUN):
                yield shape, found[start : start + _LONGEST_RUN]


def write_rows(shape: Shape, type_names: str, rows: Sequence[PSObject], first: int, pads: Sequence[str]) -> str | None:
    """Write like objects; None where a value needs a look of its own.

    Args:
        shape: what they have in common.
        type_names: the element that stands for their type names.
        rows: the objects.
        first: RefId of the first.
        pads: line beginnings of the objects, their parts and their members.
    """
    columns: list[Iterable[Any]] = [range(first, first + len(rows))]
    template = [f'{pads[0]}<Obj RefId="%d">{pads[1]}{type_names}' if type_names else f'{pads[0]}<Obj RefId="%d">']
    if shape.text is not None:
        template.append(f"{pads[1]}<ToString>%s</ToString>" if shape.text else f"{pads[1]}<ToString />")
        if shape.text:
            columns.append(escape_all([row.text or "" for row in rows]))
    parts = [row.parts() for row in rows]
    groups: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]] = []
    if shape.base is not type(None):
        template.append(_leaf(shape.base, "", pads[1]))
        groups.append(("", ("",), [(row.base,) for row in rows]))
    if shape.adapted is not None:
        groups.append(("Props", shape.adapted, [part[0][1] for part in parts if part[0] is not None]))
    if shape.extended:
        groups.append(("MS", shape.extended, [part[1][1] for part in parts]))
    for tag, names, values in groups:
        if tag:
            template.append(_group(tag, names, values[0], pads))
        for column in zip(*values, strict=True):
            text = _column(column)
            if text is None:
                return None
            columns.extend(text)
    template.append(f"{pads[0]}</Obj>")
    return "".join(map("".join(template).__mod__, zip(*columns, strict=True)))


def _group(tag: str, names: tuple[str, ...], values: tuple[Any, ...], pads: Sequence[str]) -> str:
    """Build the template of a member group from the values of one object."""
    if not names:
        return f"{pads[1]}<{tag} />"
    leaves = [
        _leaf(type(value), f' N="{escape_attribute(name).replace("%", "%%")}"', pads[2])
        for name, value in zip(names, values, strict=True)
    ]
    return f"{pads[1]}<{tag}>{''.join(leaves)}{pads[1]}</{tag}>"


def _leaf(kind: type, named: str, pad: str) -> str:
    if kind is type(None):
        return f"{pad}<Nil{named} />"
    tag = TEXTS[kind][0]
    return f"{pad}<{tag}{named}>%{'d' if kind in _NUMBERS else 's'}</{tag}>"


def _column(values: Sequence[Any]) -> tuple[Sequence[Any], ...] | None:
    """Give the texts of a column: none for nulls; None where a value is not written in the usual way."""
    kind = type(values[0])
    if kind is type(None):
        return ()
    if kind in (str, ScriptBlock):
        return (escape_all(values),)
    if kind is int:
        return (values,) if min(values) in _INT32 and max(values) in _INT32 else None
    if kind in _NUMBERS:
        return (values,)
    if kind is bytes and not all(values):
        return None
    return (list(map(TEXTS[kind][1], values)),)
