"""What references of a document may point to: objects and type names by their RefIds.

Rules kept here:

* RefIds are plain strings and may come again; a reference finds what came last before it.
* An abandoned attempt to read a value leaves nothing behind (:meth:`References.begin`, :meth:`References.undo`).
* Objects that are read many at once are announced first (:data:`PENDING`) and made later; who asks for one, or comes
  with its RefId again, has them made at once (``settle``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.psobject.objects import PSObject

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["PENDING", "References"]

PENDING: Final = PSObject()
"""Stands for an object that was seen and is not made yet."""


class References:
    """The memory of one document."""

    def __init__(self) -> None:
        self.objects: dict[str, PSObject] = {}
        self.type_names: dict[str, tuple[str, ...]] = {}
        self.settle: Callable[[], None] = lambda: None
        self._earlier: dict[str, PSObject] = {}
        self._replaced: list[tuple[dict[str, Any], str, Any]] = []
        self._objects = self._names = 0

    def begin(self) -> None:
        """Remember where a top-level value begins."""
        self._replaced.clear()
        self._objects, self._names = len(self.objects), len(self.type_names)

    def undo(self) -> None:
        """Forget what was added since the last :meth:`begin`."""
        for table, ref_id, before in reversed(self._replaced):
            table[ref_id] = before
        self._replaced.clear()
        for table, count in ((self.objects, self._objects), (self.type_names, self._names)):
            while len(table) > count:
                table.popitem()

    def keep(self, wanted: Collection[str]) -> None:
        """Forget all objects but those of the wanted RefIds."""
        self._earlier.update((ref_id, self.objects[ref_id]) for ref_id in self.objects.keys() & wanted)
        self.objects = {}
        self._objects = 0

    def add(self, ref_id: str, found: PSObject) -> None:
        """Remember an object."""
        if ref_id in self.objects:
            self.settle()  # what was taken meant the object before
            self._replaced.append((self.objects, ref_id, self.objects[ref_id]))
        self.objects[ref_id] = found

    def find(self, ref_id: str) -> PSObject | None:
        """Find an object that was begun before."""
        found = self.seen(ref_id)
        if found is PENDING:
            self.settle()
            found = self.objects[ref_id]
        return found

    def seen(self, ref_id: str) -> PSObject | None:
        """Find an object that was begun before, or PENDING where it is not made yet."""
        found = self.objects.get(ref_id)
        return self._earlier.get(ref_id) if found is None else found

    def made(self, ref_id: str) -> PSObject:
        """Find an object that is made; a KeyError where there is none, or not yet."""
        found = self.seen(ref_id)
        if found is None or found is PENDING:
            raise KeyError(ref_id)
        return found

    def name(self, ref_id: str, names: tuple[str, ...]) -> None:
        """Remember type names."""
        before = self.type_names.get(ref_id)
        if before is not None:
            self.settle()
            self._replaced.append((self.type_names, ref_id, before))
        self.type_names[ref_id] = names
