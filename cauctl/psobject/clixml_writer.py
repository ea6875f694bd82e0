"""From values to CLIXML text, as PowerShell 7.6 writes it.

Rules kept here:

* In an ``Obj``: TN or TNRef, ToString, the base value or container, Props, MS. RefIds count up from 0, those of objects
  and those of type name lists apart; an object met again is a ``Ref``.
* An indented document has two spaces a level and no line end at its end; a fragment (PSRP) has no root and no
  indentation.
* ``depth`` works as PowerShell's: .NET properties cost one level, notes, items and entries none; at 0 an object is the
  text of its ToString, with its notes if it has any. None writes everything. What was read once is never cut.
* Nothing is written that PowerShell could not read back: 48 levels of ``Obj`` at most, no null key, no U+FFFE.
* Many values of one layout are written together (:mod:`clixml_layouts`, :mod:`clixml_rows`), to the same text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import InputError
from cauctl.psobject.clixml_layouts import CONTAINERS, Layout, Layouts
from cauctl.psobject.clixml_rows import Rows
from cauctl.psobject.clixml_text import TEXTS, element, escape, escape_attribute
from cauctl.psobject.containers import MemberSet, PSDictionary, PSList
from cauctl.psobject.members import is_bag
from cauctl.psobject.native import powershell_value
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objects import CUSTOM_OBJECT, PSObject
from cauctl.psobject.objecttext import ObjectText
from cauctl.psobject.values import ProgressRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cauctl.psobject.objects import Unopened

__all__ = ["DEEPEST", "Writer"]

DEEPEST: Final = 48
"""Levels of objects that are written; PowerShell reads no more."""
_FEWEST: Final = 8
"""Items of a list from which on it pays to look for like ones."""
_MOST_AT_ONCE: Final = 1000
_LEVELS_OF_TEXT: Final = 6 * DEEPEST


def _is_cut(value: PSObject) -> bool:
    """Tell whether an object is cut at the end of the depth: what was read, containers and boxed primitives are not."""
    return not value.deserialized and not value.is_container and (value.base is None or value.text is not None)


def _is_whole(layout: Layout | type, depth: int | None) -> bool:
    """Tell whether nothing of a value is cut at a depth."""
    return depth is None or isinstance(layout, type) or depth >= layout.depth


_USUAL: Final[dict[type, tuple[str, Callable[[Any], str], str]]] = {
    kind: (f"<{tag}", text, f"</{tag}>") for kind, (tag, text) in TEXTS.items() if kind not in (int, bytes)
}
"""Start, text and end of the primitives that are always written alike."""


class _Attributes(dict[str, str]):
    """The attribute that names a member, by its name."""

    def __missing__(self, name: str) -> str:
        attribute = self[name] = f' N="{escape_attribute(name)}"'
        return attribute


class Writer:
    """Writes values one after the other; remembers which objects and type names were written.

    Args:
        newline: line end of an indented document; None for no indentation.
        depth: PowerShell's depth, None for no limit.
    """

    def __init__(self, *, newline: str | None = None, depth: int | None = None) -> None:
        self._pads = ["" if newline is None else newline + "  " * level for level in range(_LEVELS_OF_TEXT)]
        self._depth = depth
        self._objects: dict[int, int] = {}  # RefIds by id
        self._kept: list[Any] = []  # an id is an object's own as long as it lives
        self._type_names: dict[tuple[str, ...], str] = {}  # the element that stands for them once they were written
        self._attributes = _Attributes()
        self._layouts = Layouts()
        self._out: list[str] = []
        self._texts = ObjectText(TextStyle())

    def write(self, values: Iterable[Any], *, stream: str | None = None) -> str:
        """Give the text of some values; in an indented document it begins with a line end."""
        self._out = []
        if stream is None and isinstance(values, list):
            self._items(values, 1, self._depth, 0)
        else:
            attribute = f' S="{escape_attribute(stream)}"' if stream else ""
            for value in values:
                self._value(value, attribute, 1, self._depth, 0)
        return "".join(self._out)

    def _value(self, value: Any, named: str, level: int, depth: int | None, nesting: int) -> None:
        """Write a value; ``named`` holds its attributes, ``nesting`` counts the Obj around it."""
        if type(value) in TEXTS:
            self._out.append(f"{self._pads[level]}{element(value, named)}")
        elif value is None:
            self._out.append(f"{self._pads[level]}<Nil{named} />")
        elif isinstance(value, PSObject):
            self._object(value, value, named, level, depth, nesting)
        elif type(value) is ProgressRecord:
            self._progress(value, named, level)
        else:
            held = powershell_value(value)
            if isinstance(held, PSObject):
                self._object(held, value, named, level, depth, nesting)
            else:
                self._value(held, named, level, depth, nesting)

    def _progress(self, value: ProgressRecord, named: str, level: int) -> None:
        current = value.current_operation
        parts = (
            f"<AV>{escape(value.activity)}</AV>",
            f"<AI>{value.activity_id}</AI>",
            "<Nil />" if not current else f"<S>{escape(current)}</S>",
            f"<PI>{value.parent_activity_id}</PI>",
            f"<PC>{value.percent_complete}</PC>",
            f"<T>{escape(value.record_type)}</T>",
            f"<SR>{value.seconds_remaining}</SR>",
            f"<SD>{escape(value.status_description)}</SD>",
        )
        pad = self._pads[level + 1]
        self._out.append(f"{self._pads[level]}<PR{named}>{pad}{pad.join(parts)}{self._pads[level]}</PR>")

    def _object(  # noqa: PLR0913, PLR0917  the state of the walk
        self, value: PSObject, identity: Any, named: str, level: int, depth: int | None, nesting: int
    ) -> None:
        """Write an object; ``identity`` is the Python object that stands for it, met again it is a Ref."""
        written = self._objects.get(id(identity))
        if written is not None:
            self._out.append(f'{self._pads[level]}<Ref{named} RefId="{written}" />')
            return
        adapted, extended = value.parts()
        cut = depth == 0 and _is_cut(value)
        if cut and not extended[0] and not is_bag(value):
            self._out.append(f"{self._pads[level]}<S{named}>{escape(self._texts.object_text(value))}</S>")
            return
        if nesting == DEEPEST:
            raise InputError(
                f"Objects are nested deeper than {DEEPEST} levels; PowerShell could not read the document.",
                expected="less nesting, or a smaller depth",
            )
        number = len(self._objects)
        self._objects[id(identity)] = number
        self._kept.append(identity)
        if not value.type_names and value.text is value.base is adapted is None and not extended[0]:
            self._out.append(f'{self._pads[level]}<Obj{named} RefId="{number}" />')
            return
        self._out.append(f'{self._pads[level]}<Obj{named} RefId="{number}">')
        if cut:
            self._limit(value, level + 1)
            depth, adapted = 0, None
        else:
            depth = 1 if depth == 0 and value.deserialized else depth
            self._content(value, level + 1, depth, nesting + 1)
        if adapted is not None:
            self._members("Props", "", adapted, level + 1, depth and depth - 1, nesting + 1)
        if extended[0]:
            self._members("MS", "", extended, level + 1, depth, nesting + 1)
        self._out.append(f"{self._pads[level]}</Obj>")

    def _limit(self, value: PSObject, level: int) -> None:
        """Write the text that is left of an object at the end of the depth; its notes follow."""
        if is_bag(value) and value.type_names != CUSTOM_OBJECT:
            self._names(value.type_names, level)
        self._out.append(f"{self._pads[level]}<S>{escape(self._texts.object_text(value))}</S>")

    def _content(self, value: PSObject, level: int, depth: int | None, nesting: int) -> None:
        """Write type names, text and base value of an object."""
        if value.type_names:
            self._names(value.type_names, level)
        text, base = value.text, value.base
        if text is not None:
            self._out.append(f"{self._pads[level]}<ToString{f'>{escape(text)}</ToString>' if text else ' />'}")
        if isinstance(base, PSList):
            self._container(base, level, depth, nesting)
        elif isinstance(base, PSDictionary):
            self._dictionary(base, level, depth, nesting)
        elif base is not None:
            self._value(base, "", level, depth, nesting)

    def _names(self, names: tuple[str, ...], level: int) -> None:
        known, pad = self._type_names.get(names), self._pads[level]
        if known is not None:
            self._out.append(pad + known)
            return
        number, inner = len(self._type_names), self._pads[level + 1]
        self._type_names[names] = f'<TNRef RefId="{number}" />'
        listed = "".join(f"{inner}<T>{escape(name)}</T>" for name in names)
        self._out.append(f'{pad}<TN RefId="{number}">{listed}{pad}</TN>')

    def _container(self, items: PSList, level: int, depth: int | None, nesting: int) -> None:
        tag, pad = CONTAINERS[type(items)], self._pads[level]
        if not items:
            self._out.append(f"{pad}<{tag} />")
            return
        self._out.append(f"{pad}<{tag}>")
        self._items(items, level + 1, depth, nesting)
        self._out.append(f"{pad}</{tag}>")

    def _items(self, items: Sequence[Any], level: int, depth: int | None, nesting: int) -> None:
        """Write the items of a list, as many at once as are alike."""
        if len(items) < _FEWEST:
            for item in items:
                self._value(item, "", level, depth, nesting)
            return
        for start in range(0, len(items), _MOST_AT_ONCE):
            self._together(items[start : start + _MOST_AT_ONCE], level, depth, nesting)

    def _together(self, items: Iterable[Any], level: int, depth: int | None, nesting: int) -> None:
        """Write some items: of each layout the first in full, so that its type names are known, the others together."""
        out, known, layout_of = self._out, self._objects, self._layouts.of
        seen, keep = known.keys(), self._kept.append
        alike: dict[Layout | type | None, Rows] = {}
        for item in items:
            row: list[Any] = [len(known)]
            ids: list[int] = []
            layout = layout_of(item, row, ids)
            new = seen.isdisjoint(ids)
            like = alike.get(layout) if new else None
            if like is None:
                self._value(item, "", level, depth, nesting)
                if new and layout is not None and _is_whole(layout, depth):
                    alike[layout] = Rows(layout)
                continue
            like.rows.append(row)
            like.places.append(len(out))
            out.append("")
            if ids:
                keep(item)
                for each in ids:
                    known[each] = len(known)
        for like in alike.values():
            like.write(out, self._pads[level:], self._type_names)

    def _dictionary(self, base: PSDictionary, level: int, depth: int | None, nesting: int) -> None:
        pad, inner, out = self._pads[level], self._pads[level + 1], self._out
        if not base.pairs:
            out.append(f"{pad}<DCT />")
            return
        out.append(f"{pad}<DCT>")
        for key, value in base.pairs:
            if key is None:
                raise InputError("A dictionary has a null key.", expected="a key; PowerShell reads no null key")
            out.append(f"{inner}<En>")
            self._value(key, ' N="Key"', level + 2, depth, nesting)
            self._value(value, ' N="Value"', level + 2, depth, nesting)
            out.append(f"{inner}</En>")
        out.append(f"{pad}</DCT>")

    def _members(  # noqa: PLR0913, PLR0917  the state of the walk
        self, tag: str, named: str, members: Unopened, level: int, depth: int | None, nesting: int
    ) -> None:
        """Write a member group; ``named`` holds the attributes of a member set."""
        out, pad, level = self._out, self._pads[level], level + 1
        if not members[0]:
            out.append(f"{pad}<{tag}{named} />")
            return
        out.append(f"{pad}<{tag}{named}>")
        inner, attributes = self._pads[level], self._attributes
        for name, value in zip(*members, strict=True):
            usual = _USUAL.get(type(value))
            if usual is not None:
                start, text, end = usual
                out.append(f"{inner}{start}{attributes[name]}>{text(value)}{end}")
            elif type(value) is MemberSet:
                if nesting == DEEPEST:
                    raise InputError(f"Member sets are nested deeper than {DEEPEST} levels.", expected="less nesting")
                group = tuple(value), tuple(value.values())
                self._members("MS", attributes[name], group, level, depth, nesting + 1)
            else:
                self._value(value, attributes[name], level, depth, nesting)
        out.append(f"{pad}</{tag}>")
