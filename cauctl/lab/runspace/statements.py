"""Statements of a pipeline: resolve and bind every command, then let objects flow from one to the next.

Rules kept here, as PowerShell keeps them:

* All commands of a statement are bound before the first one runs; a fault there runs nothing.
* Objects flow one by one: a command sees an object as soon as the one before it has written it.
* A piped object that does not bind is an error of its own; the next one is tried.
* A terminating error ends the statement. In a pipeline of several statements the next one still runs, unless it was
  the last: then the pipeline has failed.
* Script text is refused as an endpoint without language refuses it, but for texts that the node accepts as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.lab.binder.bind import Binding
from cauctl.lab.binder.errors import BindingError
from cauctl.lab.binder.metadata import CommandMetadata, command_metadata
from cauctl.lab.dispatch import BoundCall, CommandError, RegisteredCommand
from cauctl.lab.runspace.confirm import should_process
from cauctl.lab.runspace.records import Invocation
from cauctl.lab.runspace.requests import Argument, CommandRequest
from cauctl.lab.runspace.streams import CommandStreams, Preferences, StatementError
from cauctl.psobject import PSObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import CommandTable, Step
    from cauctl.lab.runspace.pipeline import Pipeline
    from cauctl.lab.runspace.requests import PipelineRequest

__all__ = ["run_function", "run_statements"]

_AUTOMATION: Final = "System.Management.Automation."


def run_statements(pipeline: Pipeline, request: PipelineRequest, table: CommandTable) -> None:
    """Run all statements of a pipeline and write what they give.

    Raises:
        StatementError: the last statement ended with a terminating error.
        PipelineStoppedError: the pipeline was stopped.
    """
    last = len(request.statements) - 1
    for number, statement in enumerate(request.statements):
        try:
            _run_statement(pipeline, statement, table, expects_input=request.expects_input and number == 0)
        except StatementError as error:
            if number == last:
                raise
            CommandStreams(pipeline, error.invocation).error(error.error)


def _run_statement(
    pipeline: Pipeline, statement: tuple[CommandRequest, ...], table: CommandTable, *, expects_input: bool
) -> None:
    for value in _flow(pipeline, statement, table, pipeline.read_input() if expects_input else None):
        pipeline.output(value)


def run_function(pipeline: Pipeline, steps: tuple[Step, ...], table: CommandTable) -> Iterator[Any]:
    """Run what a function of the node calls, under ``$ErrorActionPreference = 'Stop'``, and give its output."""
    return _flow(pipeline, tuple(map(_request, steps)), table, None)


def _request(step: Step) -> CommandRequest:
    if step.arguments is not None:
        given = tuple(Argument(None, value) for value in step.arguments)
        return CommandRequest(step.name, arguments=given, merges_errors=True)
    parameters = {"ErrorAction": "Stop", **step.parameters}
    return CommandRequest(step.name, arguments=tuple(Argument(name, value) for name, value in parameters.items()))


def _flow(
    pipeline: Pipeline, statement: tuple[CommandRequest, ...], table: CommandTable, flow: Iterator[Any] | None
) -> Iterator[Any]:
    """Bind every command, then give what the last one writes."""
    expects_input = flow is not None
    stages = [
        _prepare(pipeline, command, table, expects_input=expects_input or number > 0)
        for number, command in enumerate(statement)
    ]
    for stage in stages:
        flow = stage.run(flow)
    return flow or iter(())


def _prepare(pipeline: Pipeline, request: CommandRequest, table: CommandTable, *, expects_input: bool) -> _Stage:
    """Resolve and bind one command."""
    command = table.find_script(request.text) if request.is_script else table.find(request.text)
    if command is None:
        raise StatementError((_no_script if request.is_script else _not_found)(request.text), Invocation())
    if command.native:
        streams = CommandStreams(pipeline, Invocation(command.name))
        return _Stage(command, streams, arguments=tuple(_native_arguments(request)), merges=request.merges_errors)
    metadata = command.metadata or command_metadata(command.name) or CommandMetadata.create(command.name)
    invocation = Invocation(metadata.name, error_class=metadata.error_class)
    try:
        binding = Binding(metadata, request.arguments, expects_input=expects_input)
    except BindingError as error:
        raise StatementError(error, invocation) from None
    streams = CommandStreams(pipeline, invocation, Preferences.of(binding.common))
    return _Stage(command, streams, binding=binding, merges=request.merges_errors)


def _native_arguments(request: CommandRequest) -> Iterator[Any]:
    """Flatten what a program is given: names as they stand, lists item by item."""
    for argument in request.arguments:
        if argument.name is not None:
            yield f"-{argument.name}"
        if argument.value is not None:
            yield argument.value


def _no_script(text: str) -> CommandError:
    return CommandError(
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
        error_id="ScriptsNotAllowed",
        category="ParserError",
        exception_type=_AUTOMATION + "ParseException",
        target=text,
    )


def _not_found(name: str) -> CommandError:
    return CommandError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        error_id="CommandNotFoundException",
        category="ObjectNotFound",
        exception_type=_AUTOMATION + "CommandNotFoundException",
        target=name,
    )


@frozen
class _Stage:
    """A command that is ready to run."""

    command: RegisteredCommand
    streams: CommandStreams
    binding: Binding | None = field(default=None, kw_only=True)
    arguments: tuple[Any, ...] = field(default=(), kw_only=True)
    merges: bool = field(default=False, kw_only=True)

    def run(self, flow: Iterator[Any] | None) -> Iterator[Any]:
        """Give the command's output, object by object."""
        values = self._outputs(flow)
        return self.streams.with_merged(values) if self.merges else values

    def _outputs(self, flow: Iterator[Any] | None) -> Iterator[Any]:
        try:
            for call in self._calls(flow):
                if self.binding is None or should_process(self.binding, call):
                    yield from self._handled(call)
        except CommandError as error:
            raise StatementError(error, self.streams.invocation) from None
        if self.command.native:
            for _ in flow or ():
                pass  # a program that does not read its input holds nobody up

    def _handled(self, call: BoundCall) -> Iterator[Any]:
        """Call the handler and pass on what it gives; an error that does not terminate ends only this call."""
        try:
            for value in _objects(self.command.handler(self.streams, call)):
                self.streams.check()
                yield value
        except CommandError as error:
            if error.terminating:
                raise
            self.streams.error(error)

    def _calls(self, flow: Iterator[Any] | None) -> Iterator[BoundCall]:
        """Give the calls of the handler: one, or one for each object that binds."""
        if self.binding is None or self.command.streaming:
            yield self._call(flow)
        elif flow is None:
            yield self._call(None)
        else:
            for value in flow:
                if self._binds(value):
                    yield self._call((value,))

    def _binds(self, value: Any) -> bool:
        assert self.binding is not None  # noqa: S101  asked by _calls()
        try:
            self.binding.bind_object(value)
        except BindingError as error:
            self.streams.error(error)
            return False
        return True

    def _call(self, given: Iterable[Any] | None) -> BoundCall:
        if self.binding is None:
            return BoundCall(self.command.name, arguments=self.arguments, input=given)
        return BoundCall(
            self.binding.metadata.name,
            parameter_set=self.binding.parameter_set,
            parameters=self.binding.parameters,
            common=self.binding.common,
            input=given,
        )


def _objects(result: Any) -> Iterable[Any]:
    """Give what a handler returned as output objects; one object that could be iterated is still one object."""
    if result is None:
        return ()
    return (result,) if isinstance(result, str | bytes | dict | PSObject) else result
