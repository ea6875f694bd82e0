r"""What is asked of a node and what it answered: commands with typed parameters, never script text.

Rules kept here:

* A command and its parameters are values. Nothing is quoted, joined or interpolated on the way to the node, so no
  parameter value can become code.
* ``str(pipeline)`` is for people (errors, journals, progress). It reads like PowerShell, stays short, keeps one line,
  and never shows a secret. It is never sent and never parsed.

Use::

    pipeline = command("Get-ClusterGroup", Cluster=".") | command("Move-ClusterGroup", Node="N2", Wait=0)
    result = session.run(pipeline, within=timedelta(minutes=1))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from attrs import Attribute, field, frozen

from cauctl.errors import InputError
from cauctl.psrp.display import show_value

__all__ = ["Command", "ErrorRecord", "Pipeline", "PipelineResult", "command", "native", "script"]

_COMMAND_NAME = re.compile(r"[\w.\\:\-]+")
_PARAMETER_NAME = re.compile(r"\w+")


def _read_only(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(parameters))


@frozen
class Command:
    """One command of a pipeline."""

    name: str = field()
    """Name of a cmdlet, function or program; the text itself when ``is_script``."""
    parameters: Mapping[str, Any] = field(factory=dict, converter=_read_only, kw_only=True, hash=False)
    """Values by parameter name; True for a switch. Accepted values: see :mod:`cauctl.psrp.values`."""
    arguments: tuple[Any, ...] = field(default=(), kw_only=True)
    """Positional arguments, after the parameters; what a program is given."""
    is_script: bool = field(default=False, kw_only=True)
    """``name`` is a script of the user, sent unchanged. No other text is ever sent as script."""

    @name.validator
    def _check_name(self, attribute: Attribute[str], value: str) -> None:
        if not self.is_script and not _COMMAND_NAME.fullmatch(value):
            raise InputError(
                f"{value!r} is not the name of a command",
                where=attribute.name,
                expected="a name such as Get-ClusterNode",
            )

    @parameters.validator
    def _check_parameters(self, attribute: Attribute[Mapping[str, Any]], value: Mapping[str, Any]) -> None:
        for name in value:
            if not _PARAMETER_NAME.fullmatch(name):
                raise InputError(f"{name!r} is not the name of a parameter", where=attribute.name)

    def __str__(self) -> str:
        if self.is_script:
            return f"<script, {len(self.name.splitlines())} lines>"
        return " ".join([self.name, *self._shown_parameters(), *(show_value(value) for value in self.arguments)])

    def _shown_parameters(self) -> Iterator[str]:
        for name, value in self.parameters.items():
            if value is True:
                yield f"-{name}"
            elif value is False:
                yield f"-{name}:$false"
            else:
                yield f"-{name} {show_value(value, parameter=name)}"

    def __or__(self, other: Command | Pipeline) -> Pipeline:
        return Pipeline((self,)) | other


@frozen
class Pipeline:
    """Commands of which each reads the output of the one before it."""

    commands: tuple[Command, ...] = field()
    """First to last; at least one."""

    @commands.validator
    def _check_commands(self, attribute: Attribute[tuple[Command, ...]], value: tuple[Command, ...]) -> None:
        if not value:
            raise InputError("a pipeline needs a command", where=attribute.name)

    def __str__(self) -> str:
        return " | ".join(map(str, self.commands))

    def __or__(self, other: Command | Pipeline) -> Pipeline:
        return Pipeline((*self.commands, *as_pipeline(other).commands))


def as_pipeline(work: Command | Pipeline) -> Pipeline:
    """Make a pipeline of a single command; leave a pipeline as it is."""
    return work if isinstance(work, Pipeline) else Pipeline((work,))


def command(name: str, /, *arguments: Any, **parameters: Any) -> Command:
    """Build a command: ``command("Get-ClusterNode", Name="N1")``."""
    return Command(name, parameters=parameters, arguments=arguments)


def native(program: str, /, *arguments: str) -> Command:
    """Build the call of a program: ``native("shutdown.exe", "/r", "/t", "2")``."""
    return Command(program, arguments=arguments)


def script(text: str) -> Command:
    """Wrap a script of the user, which is sent unchanged. An endpoint without language refuses it."""
    return Command(text, is_script=True)


@frozen
class ErrorRecord:
    """A PowerShell error record as plain facts."""

    message: str = field()
    """The exception's message, or the details message where the record carries one."""
    fully_qualified_error_id: str = field(default="", kw_only=True)
    """Such as ``CommandNotFoundException`` or ``ClusterObjectNotFound,Microsoft.FailoverClusters.PowerShell...``."""
    category: str = field(default="NotSpecified", kw_only=True)
    """Name of the ``ErrorCategory``, such as ``ObjectNotFound``."""
    activity: str = field(default="", kw_only=True)
    """The command that failed, as CategoryInfo names it."""
    reason: str = field(default="", kw_only=True)
    """Short type name of the exception, as CategoryInfo gives it."""
    target_name: str = field(default="", kw_only=True)
    """Text of the TargetObject, as CategoryInfo gives it."""
    target_type: str = field(default="", kw_only=True)
    """Type name of the TargetObject, as CategoryInfo gives it."""
    exception_type: str | None = field(default=None, kw_only=True)
    """Full .NET type name of the exception."""
    hresult: int | None = field(default=None, kw_only=True)
    """The exception's HResult as an unsigned 32-bit number, or None where the record carries none."""
    script_stack_trace: str | None = field(default=None, kw_only=True)
    """Where in scripts of the node the error arose."""

    def __str__(self) -> str:
        return f"{self.message} ({self.fully_qualified_error_id})" if self.fully_qualified_error_id else self.message


@frozen
class PipelineResult:
    """What a pipeline left when it had ended."""

    output: list[Any] = field(factory=list)
    """Objects of the output stream: values of :mod:`cauctl.psobject`. Empty when ``on_output`` took them."""
    errors: tuple[ErrorRecord, ...] = field(default=(), kw_only=True)
    """Non-terminating errors in order."""
    warnings: tuple[str, ...] = field(default=(), kw_only=True)
    """Messages of the warning stream."""
    verbose: tuple[str, ...] = field(default=(), kw_only=True)
    """Messages of the verbose stream."""

    @property
    def had_errors(self) -> bool:
        """Whether the error stream holds a record; PowerShell's own ``HadErrors`` does not travel."""
        return bool(self.errors)
