"""What a lab's node shows behind an endpoint without language: the twin of the module that real nodes have.

``cauctl jea export`` writes that module. The twin has the same functions with the same parameters, does the same with
the node's own commands, and answers with the same properties; a test holds it to the product's list of functions.

Use::

    with Lab(lock=jea_lock()) as lab: ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.lab.dispatch import CommandTable
from cauctl.lab.jea import cluster, node, work
from cauctl.lab.lock import EndpointLock

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CONFIGURATION", "jea_functions", "jea_lock"]

CONFIGURATION: Final = "cauctl"
"""Name of the session configuration."""


def jea_functions() -> CommandTable:
    """Make a table of the functions."""
    return CommandTable(*(subject.FUNCTIONS.table() for subject in (cluster, node, work)))


def jea_lock(module: Path | None = None) -> EndpointLock:
    """Give the lock of nodes that show these functions alone.

    Args:
        module: the exported module (``CauctlNode.psd1``) for real PowerShell; the lab's own engine has the twin.
    """
    modules = () if module is None else (module,)
    return EndpointLock(tuple(jea_functions().names()), modules=modules, configuration=CONFIGURATION)
