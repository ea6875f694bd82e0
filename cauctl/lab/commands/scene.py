"""Where a command runs: the world, the node and the pipeline; and the registry that commands enter themselves in.

Rules kept here:

* A command is a function ``(scene, call)``. It runs with the world locked and never sleeps: a command that has to wait
  returns :class:`Until`, and is asked again as lab time passes.
* What it returns is made whole before it is written, so a slow client never holds the world.
* What the world refuses becomes the error record that Windows writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from attrs import field, frozen

from cauctl.lab.commands.failures import cluster_refusal, file_failure, no_cluster_service
from cauctl.lab.dispatch import BoundCall, CommandContext, CommandError, CommandTable, RegisteredCommand
from cauctl.lab.world.files import FileError
from cauctl.lab.world.machine import Machine
from cauctl.lab.world.roles import ClusterApiError
from cauctl.lab.world.world import World
from cauctl.psobject import PSObject

if TYPE_CHECKING:
    from datetime import datetime

    from cauctl.lab.dispatch import Value
    from cauctl.lab.world.cluster import Cluster

__all__ = ["CommandSet", "Scene", "Until", "one", "strings", "texts_match"]

_PAUSE: Final = timedelta(seconds=1)


@frozen
class Scene:
    """What a command sees."""

    world: World
    """The lab's world."""
    node: Machine
    """Node that runs the command."""
    context: CommandContext
    """The pipeline's streams."""

    @property
    def now(self) -> datetime:
        """The present moment of the world."""
        return self.world.now

    def cluster(self, call: BoundCall) -> Cluster:
        """Give the cluster as a cluster cmdlet reaches it from this node, or raise the error that Windows gives."""
        cluster = self.world.cluster
        if not (cluster.members[self.node.name].joined and cluster.has_quorum):
            raise no_cluster_service(call.command)
        other = call.get("Cluster")
        if other not in {None, "", "."}:
            raise CommandError(
                f"You do not have administrative privileges on the cluster '{other}'. Contact your network "
                "administrator to request access.\r\n    Access is denied",
                error_id="ClusterAccessDenied",
                category="PermissionDenied",
                exception_type="Microsoft.FailoverClusters.PowerShell.ClusterCmdletException",
                hresult=0x80070005,
            )
        return cluster


@frozen
class Until:
    """A command's answer that has to wait: asked once a second of lab time until it is ready."""

    ready: Callable[[], bool]
    """Tells whether the wait is over; called with the world locked."""
    then: Callable[[], Iterable[Any]]
    """Gives the output; called with the world locked."""
    limit: timedelta | None = field(default=None, kw_only=True)
    """How long to wait at most; None: to the end."""


Answer: TypeAlias = "Iterable[Value] | Until | None"
Command: TypeAlias = Callable[[Scene, BoundCall], Answer]
CommandT = TypeVar("CommandT", bound=Command)


@frozen
class _Entry:
    name: str
    command: Command
    native: bool
    streaming: bool


class CommandSet:
    """Commands of one subject; :meth:`bind` makes handlers of them for one world."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def __repr__(self) -> str:
        return f"<CommandSet {', '.join(entry.name for entry in self._entries)}>"

    def command(self, *names: str, streaming: bool = False) -> Callable[[CommandT], CommandT]:
        """Enter the decorated function under each name."""
        return self._enter(names, native=False, streaming=streaming)

    def native(self, name: str) -> Callable[[CommandT], CommandT]:
        """Enter the decorated function as a program."""
        return self._enter((name,), native=True, streaming=False)

    def _enter(self, names: tuple[str, ...], *, native: bool, streaming: bool) -> Callable[[CommandT], CommandT]:
        def enter(command: CommandT) -> CommandT:
            self._entries += [_Entry(name, command, native, streaming) for name in names]
            return command

        return enter

    def bind(self, world: World) -> CommandTable:
        """Make the table of these commands in a world."""
        table = CommandTable()
        for entry in self._entries:
            table.add(
                RegisteredCommand(
                    entry.name, handler=_handler(world, entry.command), native=entry.native, streaming=entry.streaming
                )
            )
        return table


def _handler(world: World, command: Command) -> Callable[[CommandContext, BoundCall], Iterable[Any] | None]:
    def handle(context: CommandContext, call: BoundCall) -> Iterable[Any] | None:
        with world.lock:
            world.kernel.advance(context.now())
            scene = Scene(world, world.machine(context.node), context)
            answer = _asked(lambda: command(scene, call), call)
        return _waited(scene, call, answer) if isinstance(answer, Until) else answer

    return handle


def _asked(ask: Callable[[], Answer], call: BoundCall) -> list[Any] | Until | None:
    try:
        answer = ask()
        return answer if answer is None or isinstance(answer, Until) else list(answer)
    except ClusterApiError as error:
        raise cluster_refusal(error, call.command) from error
    except FileError as error:
        raise file_failure(error) from error


def _waited(scene: Scene, call: BoundCall, wait: Until) -> list[Any]:
    world, context = scene.world, scene.context
    until = None if wait.limit is None else context.now() + wait.limit
    while True:
        with world.lock:
            world.kernel.advance(context.now())
            if wait.ready() or (until is not None and world.now >= until):
                answer = _asked(wait.then, call)
                return answer if isinstance(answer, list) else []
        context.sleep(_PAUSE)


def strings(value: Any) -> list[str]:
    """Give the texts of a parameter that takes one or several."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, PSObject) and not value.is_container:
        return [_text(value)]
    return [_text(each) for each in value]


def one(value: Any) -> str | None:
    """Give the text of a parameter that takes one; None when it is not bound."""
    return next(iter(strings(value)), None)


def _text(value: Any) -> str:
    if isinstance(value, PSObject):
        return str(value.base if value.base is not None else value.text or "")
    return str(value)


def texts_match(patterns: Iterable[str], text: str) -> bool:
    """Tell whether a text meets one of some wildcard patterns (``*``, ``?``), without regard to case."""
    return any(_matches(pattern.casefold(), text.casefold()) for pattern in patterns)


def _matches(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        return any(_matches(rest, text[at:]) for at in range(len(text) + 1))
    return bool(text) and first in {"?", text[0]} and _matches(rest, text[1:])
