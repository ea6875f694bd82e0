"""Positions: which parameters a positional argument may mean, in the order of their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cauctl.lab.binder.metadata import ParameterMetadata, SetAttributes

__all__ = ["PositionalTable"]


class PositionalTable:
    """Unbound positional parameters by place."""

    def __init__(self, unbound: Sequence[ParameterMetadata], sets: int) -> None:
        self._places: dict[int, list[tuple[ParameterMetadata, SetAttributes]]] = {}
        for parameter in unbound:
            for attributes in parameter.matching(sets):
                if attributes.position is not None and not attributes.remaining:
                    self._places.setdefault(attributes.position, []).append((parameter, attributes))
        self._order = sorted(self._places)

    def next(self) -> Sequence[tuple[ParameterMetadata, SetAttributes]] | None:
        """Give the candidates for the next argument; None when no place is left."""
        while self._order:
            candidates = self._places[self._order.pop(0)]
            if candidates:
                return candidates
        return None

    def narrow(self, sets: int) -> None:
        """Forget what is not of ``sets``."""
        for place, candidates in self._places.items():
            self._places[place] = [entry for entry in candidates if entry[1].matches(sets)]
