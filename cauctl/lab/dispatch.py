"""Commands of a lab node: what a handler is given, what it may do, and the table that names handlers.

This is the seam between the endpoint (which speaks PSRP and binds parameters) and the world (which knows what a
command does). Rules kept here:

* A handler is called once for each record, as ``ProcessRecord`` of a cmdlet is: once without pipeline input, else once
  for each piped object that binds, with the object already in :attr:`BoundCall.parameters` under the parameter that
  took it. A handler registered with ``streaming=True`` is called once and reads :attr:`BoundCall.input` itself.
* A handler returns or yields its output objects (values of :mod:`cauctl.psobject`, or plain ``str``, ``bool``,
  ``int``, ``float``, ``datetime``, ``timedelta``, ``list``, ``dict``, ``None``). Each one is an object of its own on
  the wire: a yielded list arrives as one list.
* All commands of a statement are bound before the first handler runs, as PowerShell does it.
* A handler raises :class:`CommandError` to end the pipeline, and passes one to :meth:`CommandContext.error` to go on.

Use::

    table = CommandTable()

    @table.command("Get-ClusterNode")
    def get_cluster_node(ctx: CommandContext, call: BoundCall) -> Iterable[Value]:
        for node in world.nodes(call.get("Name")):
            yield node_object(node)

    @table.native("shutdown.exe")
    def shutdown(ctx: CommandContext, call: BoundCall) -> None:
        world.restart(ctx.node, call.arguments)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.lab.binder.metadata import CommandMetadata

if TYPE_CHECKING:
    from datetime import datetime, timedelta


__all__ = [
    "BoundCall",
    "CommandContext",
    "CommandError",
    "CommandTable",
    "Handler",
    "PipelineStoppedError",
    "RegisteredCommand",
    "Step",
    "Stopping",
    "Value",
]

Value: TypeAlias = Any
"""An object of a pipeline: a value of :mod:`cauctl.psobject` or a plain Python value that has a CLIXML element."""


@frozen
class BoundCall:
    """One call of a command after binding."""

    command: str
    """The command's canonical name."""
    parameter_set: str = field(default="__AllParameterSets", kw_only=True)
    """The parameter set that PowerShell would report."""
    parameters: Mapping[str, Value] = field(factory=dict, kw_only=True)
    """Canonical names and converted values: an enum is its name, flags a comma list of names, a switch a bool."""
    arguments: tuple[Value, ...] = field(default=(), kw_only=True)
    """What a native program is given, in order."""
    input: Iterable[Value] | None = field(default=None, kw_only=True)
    """The piped objects (one for a handler called by record); None when nothing is piped."""
    common: Mapping[str, Value] = field(factory=dict, kw_only=True)
    """Common parameters that were given (``ErrorAction``, ``WhatIf`` ...), by canonical name."""

    def get(self, name: str, default: Value = None) -> Value:
        """Value of parameter ``name`` (any case), or ``default`` when it was not bound."""
        value = self.parameters.get(name, self)
        if value is not self:
            return value
        wanted = name.casefold()
        return next((value for key, value in self.parameters.items() if key.casefold() == wanted), default)

    def switch(self, name: str) -> bool:
        """Whether switch ``name`` is present and true."""
        return bool(self.get(name, False))


@frozen
class Step:
    """One command of a pipeline that a function of a node runs."""

    name: str
    """Name of the command or program."""
    parameters: Mapping[str, Value] = field(factory=dict, kw_only=True)
    """Values by parameter name."""
    arguments: tuple[str, ...] | None = field(default=None, kw_only=True)
    """What a program is given; None for a command."""


class CommandError(Exception):
    """A PowerShell error record: raised it is terminating, passed to :meth:`CommandContext.error` it is not.

    It is what a node tells its client, not a failure of this package, and so stands outside ``CauError``.

    Args:
        message: the exception's message.
        error_id: first part of the FullyQualifiedErrorId; the endpoint appends the command's class, as PowerShell does,
            unless a comma in the id shows that it is complete (one at its end is dropped).
        category: name of an ``ErrorCategory`` (``ObjectNotFound`` ...).
        exception_type: full .NET type name of the exception.
        target: the TargetObject.
        target_type: type name that CategoryInfo shows for the target; found by itself for plain values.
        hresult: HResult of the exception, signed or unsigned.
        terminating: False makes a raised record end only this call, not the pipeline.
    """

    def __init__(  # noqa: PLR0913  an error record has these fields
        self,
        message: str,
        *,
        error_id: str = "CommandFailed",
        category: str = "NotSpecified",
        exception_type: str = "System.Management.Automation.RuntimeException",
        target: Value = None,
        target_type: str | None = None,
        hresult: int | None = None,
        terminating: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.category = category
        self.exception_type = exception_type
        self.target = target
        self.target_type = target_type
        self.hresult = hresult
        self.terminating = terminating


class PipelineStoppedError(BaseException):
    """The client stopped the pipeline: leaves a handler from its next write or sleep. Never caught by handlers.

    A ``BaseException``, so that a handler's ``except Exception`` cannot keep a stopped pipeline alive.
    """


class Stopping(Protocol):
    """What a handler may ask about the stop of its pipeline; ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Whether the client has stopped the pipeline or its shell is gone."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the stop, at most ``timeout`` seconds of real time; True when it came."""
        ...


class CommandContext(Protocol):
    """What a handler sees of the pipeline it runs in. Each write may raise :class:`PipelineStoppedError`."""

    @property
    def node(self) -> str:
        """Name of the node that runs the command."""
        ...

    @property
    def user(self) -> str:
        """Account of the session."""
        ...

    @property
    def stopping(self) -> Stopping:
        """Set when the pipeline is stopped."""
        ...

    @property
    def commands(self) -> CommandTable:
        """The commands that the session shows."""
        ...

    @property
    def session(self) -> dict[str, Value]:
        """What handlers keep between pipelines; lives as long as the shell."""
        ...

    def invoke(self, *steps: Step) -> Iterator[Value]:
        """Run a pipeline of the node's commands, shown or not, as the body of a function does; an error ends it."""
        ...

    def error(self, record: CommandError) -> None:
        """Write a non-terminating error."""
        ...

    def warning(self, text: str) -> None:
        """Write to the warning stream."""
        ...

    def verbose(self, text: str) -> None:
        """Write to the verbose stream, which shows only with ``-Verbose``."""
        ...

    def information(self, text: str) -> None:
        """Write to the information stream."""
        ...

    def progress(
        self, activity: str, *, status: str = "Processing", percent: int = -1, completed: bool = False
    ) -> None:
        """Write a progress record; ``percent`` is -1 when unknown."""
        ...

    def now(self) -> datetime:
        """Time of the node (lab time, aware)."""
        ...

    def sleep(self, duration: timedelta) -> None:
        """Wait for ``duration`` of lab time; raises :class:`PipelineStoppedError` once the pipeline is stopped."""
        ...


Handler: TypeAlias = Callable[[CommandContext, BoundCall], Iterable[Value] | None]
"""What a command does. It returns an iterable of output objects (a generator streams), or None."""

HandlerT = TypeVar("HandlerT", bound=Handler)


@frozen
class RegisteredCommand:
    """A command of a node: its handler, and how the endpoint calls it."""

    name: str
    """Canonical name; of a native program with its extension; of a script its exact text."""
    handler: Handler = field(kw_only=True)
    streaming: bool = field(default=False, kw_only=True)
    """The handler reads the whole pipeline input itself."""
    native: bool = field(default=False, kw_only=True)
    """A program: arguments are passed unbound."""
    metadata: CommandMetadata | None = field(default=None, kw_only=True)
    """Parameters, when they are not those of the packaged metadata."""


class CommandTable:
    """Commands, native programs, aliases and accepted script texts of a node; names compare without case."""

    def __init__(self, *others: CommandTable) -> None:
        self._commands: dict[str, RegisteredCommand] = {}
        self._aliases: dict[str, str] = {}
        self._scripts: dict[str, RegisteredCommand] = {}
        self.read_script: Callable[[str], RegisteredCommand | None] | None = None
        """Makes a command of a text that is not on the list; None: such a text is refused."""
        for other in others:
            self.include(other)

    def __repr__(self) -> str:
        return f"<CommandTable {len(self._commands)} commands, {len(self._scripts)} scripts>"

    def __iter__(self) -> Iterator[RegisteredCommand]:
        return iter(self._commands.values())

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def command(
        self, name: str, *, streaming: bool = False, metadata: CommandMetadata | None = None
    ) -> Callable[[HandlerT], HandlerT]:
        """Register the decorated handler as command ``name``; its parameters come from the packaged metadata."""

        def register(handler: HandlerT) -> HandlerT:
            self.add(RegisteredCommand(name, handler=handler, streaming=streaming, metadata=metadata))
            return handler

        return register

    def native(self, name: str) -> Callable[[HandlerT], HandlerT]:
        """Register the decorated handler as program ``name`` (with extension; found without it too)."""

        def register(handler: HandlerT) -> HandlerT:
            self.add(RegisteredCommand(name, handler=handler, native=True))
            return handler

        return register

    def script(self, text: str) -> Callable[[HandlerT], HandlerT]:
        """Accept exactly this script text; any other is refused as an endpoint without language refuses it."""

        def register(handler: HandlerT) -> HandlerT:
            self._scripts[text] = RegisteredCommand(text, handler=handler, native=True)
            return handler

        return register

    def add(self, command: RegisteredCommand) -> None:
        """Add a command; a name that is taken is refused."""
        key = command.name.casefold()
        if key in self._commands:
            raise InputError("the command is registered twice", where=command.name)
        self._commands[key] = command

    def alias(self, alias: str, name: str) -> None:
        """Let ``alias`` mean ``name``."""
        self._aliases[alias.casefold()] = name

    def include(self, other: CommandTable, *, override: bool = False) -> None:
        """Take over all of ``other``; with ``override`` its commands replace those of the same name."""
        for command in other:
            if override:
                self._commands.pop(command.name.casefold(), None)
            self.add(command)
        self._aliases.update(other._aliases)
        self._scripts.update(other._scripts)
        self.read_script = self.read_script or other.read_script

    def only(self, names: Iterable[str]) -> CommandTable:
        """Return a table that shows only the named commands, as a JEA endpoint does."""
        shown = CommandTable()
        for name in names:
            command = self.find(name)
            if command is None:
                raise InputError("no such command", where=name, expected="a command of the table")
            shown.add(command)
        return shown

    def names(self) -> list[str]:
        """Canonical names in alphabetical order."""
        return sorted((command.name for command in self), key=str.casefold)

    def find(self, name: str) -> RegisteredCommand | None:
        r"""Find a command by name, alias, ``Module\Name``, or program name with or without ``.exe``."""
        key = name.rpartition("\\")[2].casefold()
        key = self._aliases.get(key, key).casefold()
        return self._commands.get(key) or self._commands.get(f"{key}.exe")

    def find_script(self, text: str) -> RegisteredCommand | None:
        """Find the handler of a script text that is accepted as it stands."""
        known = self._scripts.get(text)
        return known if known is not None or self.read_script is None else self.read_script(text)
