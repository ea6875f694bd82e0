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
_MOST_HELD: Final = 64
_MOST_OBJECTS: Final = 64
_MOST_LAYOUTS: Final = 256
_TYPES: Final = 7
"""Place of the first class of a value in what an outline is found by."""


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
    types: tuple[type, ...] = field(kw_only=True)
    """Classes of all values, in the order of the row."""
    inner: tuple[Layout | int, ...] = field(default=(), kw_only=True)
    """Layouts of the objects among them; a number stands for the object of the row that came there, and comes again."""

    objects: tuple[int, ...] = field(init=False)
    """Places of objects among the values."""
    depth: int = field(init=False)
    """Depth from which on nothing is cut."""

    def __attrs_post_init__(self) -> None:
        """Look at the objects inside."""
        self.objects = tuple(place for place, kind in enumerate(self.types) if kind is PSObject)
        self.depth = int(not self.deserialized and self.base not in CONTAINERS and self.base is not PSDictionary)
        props = range(self.held, self.held + len(self.adapted or ()))
        for place, layout in zip(self.objects, self.inner):  # noqa: B905  an outline knows no layouts inside
            if isinstance(layout, Layout):
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
        if type(value) is not PSObject:
            row.append(value)
            return type(value) if type(value) in TEXTS else None
        ids.append(id(value))
        text, base = value.text, value.base
        adapted, (notes, values) = value.parts()
        props, held = None, ()
        if adapted is not None:
            props, values = adapted[0], adapted[1] + values
        if base is not None:
            held = _held(base)
            if len(held) > _MOST_HELD:
                return None
            values = held + values
        if text:
            row.append(text)
        row += values
        shown = text and True
        key = value.type_names, shown, type(base), len(held), props, notes, value.deserialized, *map(type, values)
        try:
            outline = self._outlines[key]
        except KeyError:
            outline = self._outline(key)
        return outline if outline is None or not outline.objects else self._filled(outline, values, row, ids)

    def _outline(self, key: tuple[Any, ...]) -> Layout | None:
        if len(self._outlines) >= _MOST_LAYOUTS:
            return None
        layout = Layout(*key[:_TYPES], types=key[_TYPES:])
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
            layout = self.of(value, row, ids) if len(ids) < _MOST_OBJECTS else None
            if not isinstance(layout, Layout):
                return None
            inner.append(layout)
        key = outline, tuple(inner)
        found = self._known.get(key)
        if found is None and len(self._known) < _MOST_LAYOUTS:
            found = self._known[key] = evolve(outline, inner=key[1])
        return found


def _held(base: Any) -> tuple[Any, ...]:
    """Give what a base value holds: items, keys and values by turns, or itself."""
    if type(base) in CONTAINERS:
        return tuple(base)
    return tuple(chain.from_iterable(base.pairs)) if type(base) is PSDictionary else (base,)
