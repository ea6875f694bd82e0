"""The message that creates a pipeline, CREATE_PIPELINE ([MS-PSRP] 2.2.2.10), as CLIXML.

Rules kept here:

* It says what PowerShell's own client says of a pipeline without host, input and history: the same members in the same
  order. pypsrp says the same, at eight times the cost.
* Values stand in it as :mod:`cauctl.psrp.values` makes them. One that cannot be sent is named, and nothing is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import InputError
from cauctl.psobject import PSList, PSObject, write_fragment
from cauctl.psrp.values import to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.psrp.pipeline import Command, Pipeline
    from cauctl.psrp.values import Seal

__all__ = ["write_creation"]

_ENUM: Final = ("System.Enum", "System.ValueType", "System.Object")
_APARTMENT: Final = ("System.Management.Automation.Runspaces.ApartmentState", *_ENUM)
_STREAM_OPTIONS: Final = ("System.Management.Automation.Runspaces.RemoteStreamOptions", *_ENUM)
_RESULT_TYPES: Final = ("System.Management.Automation.Runspaces.PipelineResultTypes", *_ENUM)
_LIST: Final = (
    (
        "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, System.Management.Automation, "
        "Version=1.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]"
    ),
    "System.Object",
)
_MERGES_SINCE: Final = {
    (2, 2): ("MergeError", "MergeWarning", "MergeVerbose", "MergeDebug"),
    (2, 3): ("MergeInformation",),
}
"""Members of a command by the version of the protocol that brought them."""


def write_creation(pipeline: Pipeline, *, protocol: str, seal: Seal) -> str:
    """Write the message.

    Args:
        pipeline: what to run.
        protocol: version of the protocol that the node speaks, such as ``2.3``.
        seal: encrypts secrets.

    Raises:
        InputError: a value cannot be sent.
    """
    try:
        return write_fragment(_message(pipeline, _merges(protocol), seal))
    except InputError:
        _name_culprit(pipeline, seal)
        raise


def _name_culprit(pipeline: Pipeline, seal: Seal) -> None:
    """Say which value it was: each is tried alone, now that the whole could not be written."""
    for command in pipeline.commands:
        for place, (name, value) in enumerate(_arguments(command), 1 - len(command.parameters)):
            try:
                write_fragment(to_wire(value, seal=seal))
            except InputError as error:
                where = f"argument {place} of {command}" if name is None else f"-{name} of {command}"
                raise InputError(error.message, where=where, expected=error.expected) from error


def _message(pipeline: Pipeline, merges: tuple[str, ...], seal: Seal) -> PSObject:
    commands = _list(_command(command, merges, seal) for command in pipeline.commands)
    return _members(
        NoInput=True,
        ApartmentState=PSObject(2, type_names=_APARTMENT, text="UNKNOWN"),
        RemoteStreamOptions=PSObject(0, type_names=_STREAM_OPTIONS, text=""),
        AddToHistory=False,
        HostInfo=_members(_isHostNull=True, _isHostUINull=True, _isHostRawUINull=True, _useRunspaceHost=True),
        PowerShell=_members(
            IsNested=False, ExtraCmds=None, Cmds=commands, History=None, RedirectShellErrorOutputPipe=False
        ),
        IsNested=False,
    )


def _command(command: Command, merges: tuple[str, ...], seal: Seal) -> PSObject:
    arguments = _list(_members(N=name, V=to_wire(value, seal=seal)) for name, value in _arguments(command))
    return _members(
        Cmd=command.name,
        IsScript=command.is_script,
        UseLocalScope=None,
        MergeMyResult=_no_merge(),
        MergeToResult=_no_merge(),
        MergePreviousResults=_no_merge(),
        Args=arguments,
        **{name: _no_merge() for name in merges},
    )


def _arguments(command: Command) -> list[tuple[str | None, Any]]:
    """Give values with their parameters' names, then those without."""
    return [*command.parameters.items(), *((None, value) for value in command.arguments)]


def _merges(protocol: str) -> tuple[str, ...]:
    version = tuple(map(int, protocol.split(".")))
    return tuple(name for since, names in _MERGES_SINCE.items() if version >= since for name in names)


def _members(**members: Any) -> PSObject:
    return PSObject(extended=members)


def _list(items: Iterable[PSObject]) -> PSObject:
    return PSObject(PSList(items), type_names=_LIST)


def _no_merge() -> PSObject:
    """Make the value None; a new one each time, as the same object would be written as a reference to the first."""
    return PSObject(0, type_names=_RESULT_TYPES, text="None")
