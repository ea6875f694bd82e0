"""The embedded failover cluster: a world, its nodes' commands and a PSRP endpoint for each node. Loopback only.

:class:`Lab` is the whole; what it is made of is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cauctl.lab.faults import Fault
    from cauctl.lab.server import Lab

__all__ = ["Fault", "Lab"]

_HOMES: Final = {"Fault": "cauctl.lab.faults", "Lab": "cauctl.lab.server"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
