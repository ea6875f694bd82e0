"""A world as a short script that plays it again: only what differs from the usual is written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs

from cauctl.lab.faults import Fault
from cauctl.lab.world.scenario import Durations, NodeSpec, Quirks, RoleSpec, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.lab.world.world import World

__all__ = ["replay_script"]

_HEAD: Final = """\
from datetime import datetime, timedelta

from cauctl.lab.faults import Fault
from cauctl.lab.world import Durations, NodeSpec, Quirks, RoleSpec, Scenario, World
"""
_WRITTEN: Final = (Durations, NodeSpec, Quirks, RoleSpec, Scenario)


def replay_script(world: World) -> str:
    """Give Python that makes the world again, in its first moment. A catalogue of its own is left out."""
    return f"{_HEAD}\nworld = World({_code(world.scenario)}, seed={world.seed})\n"


def _code(value: Any) -> str:
    if isinstance(value, _WRITTEN):
        return _call(value)
    write = _WRITERS.get(type(value), repr)
    return write(value)


def _several(values: tuple[Any, ...]) -> str:
    return f"({''.join(f'{_code(each)}, ' for each in values).rstrip()})" if values else "()"


def _set(values: frozenset[Any]) -> str:
    return f"frozenset({{{', '.join(sorted(map(_code, values)))}}})" if values else "frozenset()"


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    Fault: lambda fault: f"Fault.parse({str(fault)!r})",
    datetime: lambda moment: f"datetime.fromisoformat({moment.isoformat()!r})",
    timedelta: lambda duration: f"timedelta(seconds={duration.total_seconds():g})",
    frozenset: _set,
    tuple: _several,
}


def _call(value: Any) -> str:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(value))
    given = []
    for field in fields:
        own = getattr(value, field.name)
        if field.repr and own != field.default:
            given.append(f"{field.name}={_code(own)}")
    return f"{type(value).__name__}({', '.join(given)})"
