"""The user's scripts over a world in memory: nothing is read or run, what they do is told beforehand.

Use::

    ports.scripts.does["C:/check.ps1"] = lambda node: ScriptOutcome("no backup found")
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.nodes import NodeState
from cauctl.models.scripts import ScriptOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from cauctl.lab.world.world import World
    from cauctl.models.scripts import ScriptFile

__all__ = ["MemoryScripts", "ScriptCall"]


@frozen
class ScriptCall:
    """A script ran."""

    node: str
    """Where."""
    path: str = field(kw_only=True)
    """Which."""
    at: datetime = field(kw_only=True)
    """When."""
    state: NodeState = field(kw_only=True)
    """What the node was then."""


class MemoryScripts:
    """:class:`cauctl.ports.Scripts` in memory; a script that nothing is told of comes to its end at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.does: dict[str, Callable[[str], ScriptOutcome]] = {}
        """By path, what a script does on a node."""
        self.calls: list[ScriptCall] = []
        """What ran, in order."""

    def run(self, node: str, script: ScriptFile, *, within: timedelta) -> ScriptOutcome:  # noqa: ARG002  no time passes
        """Do what was told."""
        state = self._world.cluster.member(node).state
        self.calls.append(ScriptCall(node, path=script.path, at=self._world.now, state=state))
        does = self.does.get(script.path)
        return does(node) if does is not None else ScriptOutcome()
