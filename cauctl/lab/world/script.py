"""A world as a short script that plays it again: only what differs from the usual is written."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import attrs

from cauctl.lab.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.lab.world.world import World

__all__ = ["IMPORTS", "as_code", "replay_script"]

IMPORTS: Final = """\
from datetime import datetime, timedelta

from cauctl.lab.faults import Fault
from cauctl.lab.world import CatalogueUpdate, Durations, NodeSpec, Quirks, RoleSpec, Scenario, World
"""
"""What the code of a world needs to be imported."""


def replay_script(world: World) -> str:
    """Give Python that makes the world again, in its first moment."""
    return f"{IMPORTS}\nworld = World({as_code(world.scenario)}, seed={world.seed})\n"


def as_code(value: Any) -> str:
    """Give a scenario, or a value like those that it is made of, as an expression; usual fields are left out."""
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    return _call(value) if attrs.has(type(value)) else repr(value)


def _several(values: tuple[Any, ...]) -> str:
    return f"({''.join(f'{as_code(each)}, ' for each in values).rstrip()})" if values else "()"


def _set(values: frozenset[Any]) -> str:
    return f"frozenset({{{', '.join(sorted(map(as_code, values)))}}})" if values else "frozenset()"


def _table(values: dict[Any, Any]) -> str:
    return f"{{{', '.join(f'{as_code(key)}: {as_code(value)}' for key, value in values.items())}}}"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    Fault: lambda fault: f"Fault.parse({str(fault)!r})",
    datetime: lambda moment: f"datetime.fromisoformat({moment.isoformat()!r})",
    timedelta: lambda duration: f"timedelta(seconds={duration.total_seconds():g})",
    frozenset: _set,
    tuple: _several,
    dict: _table,
}


def _call(value: Any) -> str:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(value))
    given: list[str] = []
    for field in fields:
        own, usual = getattr(value, field.name), field.default
        make = getattr(usual, "factory", None)
        if own != (usual if make is None else make()):
            named = field.kw_only or given
            given.append(f"{field.name}={as_code(own)}" if named else as_code(own))
    return f"{type(value).__name__}({', '.join(given)})"
