"""What values that are written have in common, their layout, and what is left of each: a row of values.

Rules kept here:

* Values have one layout if their texts differ in RefIds and in primitives only: type names, names of members, types of
  all values, number of items, and which of the objects inside are the same.
* The row of an object holds the values that are its own, in the order of its text: ToString, base value or items,
  .NET properties, notes. The rows of the objects among them follow, one after the other.
* No layout has what is not made of primitives and objects alone, or of many items or objects: it is written one by one.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from attrs import evolve, field, mutable

from cauctl.psobject.clixml_text import TEXTS
from cauctl.psobject.containers import PSDictionary, PSEnumerable, PSList, PSQueue, PSStack
from cauctl.psobject.objects import PSObject

__all__ = ["CONTAINERS", "Layout", "Layouts"]

CONTAINERS: Final[dict[type, str]] = {PSList: "LST", PSStack: "STK", PSQueue: "QUE", PSEnumerable: "IE"}
"""Tags of lists by class."""
_NULL: Final = type(None)
_INSIDE: Final = frozenset((*TEXTS, _NULL, PSObject))
_MOST_ITEMS: Final = 32
_MOST_OBJECTS: Final = 16
_MOST_LAYOUTS: Final = 256


@mutable(eq=False)
class Layout:
    """What like objects have in common; the same one for all of them."""

    type_names: tuple[str, ...]
    text: Any
    """ToString: None for none, empty for an empty one, True for any other."""
    base: type
    held: int
    """How many of the values are base value, items, or keys and values of entries."""
    adapted: tuple[str, ...] | None
    """Names of the .NET properties."""
    extended: tuple[str, ...]
    """Names of the notes."""
    deserialized: bool
    types: tuple[type, ...]
    """Classes of all values, in the order of the row."""
    inner: tuple[Layout | int, ...] = ()
    """Layouts of the objects among them; a number stands for the object of the row that came there, and comes again."""

    objects: tuple[int, ...] = field(init=False)
    """Places of objects among the values."""
    levels: int = field(init=False, default=1)
    """How deep the objects nest."""
    depth: int = field(init=False)
    """Depth from which on nothing is cut."""

    def __attrs_post_init__(self) -> None:
        """Look at the objects inside."""
        self.objects = tuple(place for place, kind in enumerate(self.types) if kind is PSObject)
        self.depth = int(not self.deserialized and self.base not in CONTAINERS and self.base is not PSDictionary)
        props = range(self.held, self.held + len(self.adapted or ()))
        for place, layout in zip(self.objects, self.inner):  # noqa: B905  an outline knows no layouts inside
            if isinstance(layout, Layout):
                self.levels = max(self.levels, 1 + layout.levels)
                self.depth = max(self.depth, layout.depth + (place in props and layout.depth > 0))

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing in the object."""
        return not (self.type_names or self.extended) and self.text is self.adapted is None and self.base is _NULL


class Layouts:
    """The layouts that one writer met."""

    def __init__(self) -> None:
        self._outlines: dict[tuple[Any, ...], Layout | None] = {}  # layouts but for the objects inside
        self._known: dict[tuple[Layout, tuple[Layout | int, ...]], Layout] = {}

    def of(self, value: Any, row: list[Any], ids: list[int]) -> Layout | type | None:
        """Give the layout of a value, the class of a primitive; None where it has none.

        Args:
            value: any value.
            row: its values are added here.
            ids: the ids of the objects that it is made of are added here, in the order of their RefIds.
        """
        if type(value) is PSObject:
            return self._of_object(value, row, ids)
        row.append(value)
        return type(value) if type(value) in TEXTS else None

    def _of_object(self, value: PSObject, row: list[Any], ids: list[int]) -> Layout | None:
        ids.append(id(value))
        text, base = value.text, value.base
        adapted, (notes, values) = value.parts()
        props = None
        if adapted is not None:
            props, held = adapted
            values = held + values
        count = 0
        if base is not None:
            items = _items(base)
            if items is None:
                return None
            count = len(items)
            values = items + values
        if text:
            row.append(text)
        row += values
        types = tuple(map(type, values))
        key = value.type_names, text and True, type(base), count, props, notes, value.deserialized, types
        outline = self._outlines[key] if key in self._outlines else self._outline(key)
        return outline if outline is None or not outline.objects else self._filled(outline, values, row, ids)

    def _outline(self, key: tuple[Any, ...]) -> Layout | None:
        if len(self._outlines) >= _MOST_LAYOUTS:
            return None
        layout = Layout(*key)
        keys = layout.types[: layout.held : 2] if layout.base is PSDictionary else ()
        usual = _INSIDE.issuperset(layout.types) and _NULL not in keys
        found = self._outlines[key] = layout if usual else None
        return found

    def _filled(self, outline: Layout, values: tuple[Any, ...], row: list[Any], ids: list[int]) -> Layout | None:
        """Give the layout of an object with objects inside."""
        inner: list[Layout | int] = []
        for place in outline.objects:
            value = values[place]
            if id(value) in ids:
                inner.append(ids.index(id(value)))
                continue
            layout = self._of_object(value, row, ids) if len(ids) < _MOST_OBJECTS else None
            if layout is None:
                return None
            inner.append(layout)
        key = outline, tuple(inner)
        found = self._known.get(key)
        if found is None and len(self._known) < _MOST_LAYOUTS:
            found = self._known[key] = evolve(outline, inner=key[1])
        return found


def _items(base: Any) -> tuple[Any, ...] | None:
    """Give what a base value holds: items, keys and values by turns, or itself; None where it is too much."""
    if type(base) in CONTAINERS:
        return tuple(base) if len(base) <= _MOST_ITEMS else None
    if type(base) is PSDictionary:
        return tuple(chain.from_iterable(base.pairs)) if len(base.pairs) <= _MOST_ITEMS else None
    return (base,)
