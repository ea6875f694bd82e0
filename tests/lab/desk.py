"""Runs commands of a lab's node without an endpoint: the handler, a context that keeps what is written, and time."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from cauctl.lab.commands import node_commands
from cauctl.lab.dispatch import BoundCall, CommandError
from cauctl.lab.world import Quirks, World, standard_scenario
from cauctl.psobject import PSObject, to_python


class Context:
    """A pipeline's streams; waiting lets the world go on."""

    def __init__(self, world: World, node: str, user: str) -> None:
        self.world, self.node, self.user = world, node, user
        self.errors: list[CommandError] = []
        self.session: dict[str, Any] = {}
        self.stopping = threading.Event()

    def error(self, record: CommandError) -> None:
        """Keep an error that does not end the pipeline."""
        self.errors.append(record)

    def now(self) -> datetime:
        """Give the node's time."""
        return self.world.now

    def sleep(self, duration: timedelta) -> None:
        """Let lab time pass."""
        self.world.advance(self.world.now + duration)


class Desk:
    """One node of a world, and what its commands wrote last."""

    def __init__(self, world: World, node: str = "NODE1", *, user: str = "LAB\\Tester") -> None:
        self.world, self.node, self.user = world, node, user
        self.errors: list[CommandError] = []
        self._table = node_commands(world)

    def run(self, command: str, *arguments: str, piped: Any = None, **parameters: Any) -> list[Any]:
        """Run one command; errors that do not end the pipeline are kept in :attr:`errors`."""
        found = self._table.find(command)
        assert found is not None, command
        given = dict(parameters) if piped is None else {"InputObject": piped, **parameters}
        context = Context(self.world, self.node, self.user)
        call = BoundCall(found.name, parameters=given, arguments=arguments)
        try:
            return list(found.handler(context, call) or ())
        finally:
            self.errors = context.errors

    def one(self, command: str, *arguments: str, piped: Any = None, **parameters: Any) -> Any:
        """Run a command that writes exactly one object."""
        (written,) = self.run(command, *arguments, piped=piped, **parameters)
        return written

    def wait(self, seconds: float) -> None:
        """Let lab time pass."""
        self.world.advance(self.world.now + timedelta(seconds=seconds))


def quiet_world(*, nodes: int = 4, seed: int = 1, **changes: Any) -> World:
    """Give a world in which Windows behaves."""
    scenario = standard_scenario(nodes=nodes, quirks=changes.pop("quirks", Quirks.none()))
    return World(evolve(scenario, **changes), seed)


def shown(value: Any, *names: str) -> dict[str, Any]:
    """Give properties of an object as a client would print them: enums and nested objects by their text."""
    return {name: text_of(value[name]) for name in names}


def text_of(value: Any) -> Any:
    """Give a value as it reads: the text of an enum or nested object, else the plain value."""
    if isinstance(value, PSObject) and value.text is not None and not value.is_container:
        return value.text
    return to_python(value)
