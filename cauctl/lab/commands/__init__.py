"""What the commands of a lab's nodes do: handlers over a world, with the objects and errors of Windows.

Use::

    table = node_commands(world)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.lab.commands import cim, cluster, content, groups, items, scheduling, storage, system
from cauctl.lab.commands.scripts import read_script
from cauctl.lab.dispatch import CommandTable

if TYPE_CHECKING:
    from cauctl.lab.world import World

__all__ = ["node_commands"]


def node_commands(world: World) -> CommandTable:
    """Make the table of all commands that know the world; it serves every node."""
    subjects = (cluster, groups, storage, cim, scheduling, items, content, system)
    table = CommandTable(*(subject.COMMANDS.bind(world) for subject in subjects))
    table.read_script = read_script
    return table
