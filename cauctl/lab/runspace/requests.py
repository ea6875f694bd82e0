"""What a client asks a pool to run: the CREATE_PIPELINE message as values (MS-PSRP 2.2.2.10, 2.2.3.11 to 2.2.3.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.lab.wsman import faults
from cauctl.psobject import PSList, PSObject
from cauctl.psobject.clixml import read_fragment

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Argument", "CommandRequest", "PipelineRequest", "read_pipeline", "read_value"]

_ERROR_TO_OUTPUT: Final = 2
_OUTPUT: Final = 1


@frozen
class Argument:
    """One argument of a command as it was sent: a name, a value, or both."""

    name: str | None
    """Parameter name without dash and colon; None for a positional argument."""
    value: Any = None
    valueless: bool = field(default=False, kw_only=True)
    """Only a name was sent, as ``-Force`` on a command line: the next argument may be its value."""


@frozen
class CommandRequest:
    """One command of a pipeline."""

    text: str
    """Name of a command, or a script."""
    is_script: bool = field(default=False, kw_only=True)
    arguments: tuple[Argument, ...] = field(default=(), kw_only=True)
    merges_errors: bool = field(default=False, kw_only=True)
    """Non-terminating errors go to the output, as ``2>&1`` does."""


@frozen
class PipelineRequest:
    """All statements of one pipeline, each a list of commands."""

    statements: tuple[tuple[CommandRequest, ...], ...]
    expects_input: bool = field(default=False, kw_only=True)
    """The client sends objects for the first command."""
    is_nested: bool = field(default=False, kw_only=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all commands in order; scripts are left out."""
        return tuple(command.text for statement in self.statements for command in statement if not command.is_script)


def read_value(data: bytes) -> Any:
    """Read the CLIXML of a message."""
    try:
        return read_fragment(data.decode("utf-8"))
    except (InputError, UnicodeDecodeError) as error:
        raise faults.invalid_fragment(str(error)) from None


def read_pipeline(data: bytes) -> PipelineRequest:
    """Read a CREATE_PIPELINE message."""
    message = read_value(data)
    try:
        pipeline = message["PowerShell"]
        statements = [entry["Cmds"] for entry in _items(pipeline.get("ExtraCmds"))] or [pipeline["Cmds"]]
        return PipelineRequest(
            tuple(tuple(_read_command(command) for command in _items(statement)) for statement in statements),
            expects_input=message.get("NoInput") is False,
            is_nested=pipeline.get("IsNested") is True,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise faults.invalid_fragment(f"a pipeline without {error}") from None


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, PSObject) and isinstance(value.base, PSList):
        yield from value.base


def _read_command(command: PSObject) -> CommandRequest:
    merged = _number(command.get("MergeError")) == _OUTPUT or (
        _number(command.get("MergeMyResult")) == _ERROR_TO_OUTPUT and _number(command.get("MergeToResult")) == _OUTPUT
    )
    return CommandRequest(
        str(command["Cmd"]),
        is_script=command.get("IsScript") is True,
        arguments=tuple(_read_argument(argument) for argument in _items(command.get("Args"))),
        merges_errors=merged,
    )


def _number(value: Any) -> int | None:
    """Give the number of an enum value."""
    number = value.base if isinstance(value, PSObject) else value
    return number if isinstance(number, int) else None


def _read_argument(argument: PSObject) -> Argument:
    name, value = argument.get("N"), argument.get("V")
    if name is None:
        return Argument(None, value)
    text = str(name)
    if not text.startswith(("-", "\u2013", "\u2014", "\u2015")):
        return Argument(text, value)
    stripped = text.rstrip()
    has_colon = stripped.endswith(":")
    return Argument(stripped[1:].removesuffix(":"), value, valueless=value is None and not has_colon)
