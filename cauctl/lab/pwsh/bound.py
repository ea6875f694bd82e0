"""Values that PowerShell has bound, as the handlers of commands take them; the lab's own binder gives the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from cauctl.errors import InputError
from cauctl.lab.binder.metadata import CommandMetadata, command_metadata
from cauctl.lab.dispatch import BoundCall, RegisteredCommand
from cauctl.psobject import PSDictionary, PSList, PSObject, read_clixml

if TYPE_CHECKING:
    from cauctl.lab.dispatch import CommandTable

__all__ = ["Asked", "read_call"]

_SWITCH: Final = "System.Management.Automation.SwitchParameter"
_ENUM: Final = "System.Enum"
_PREFIX: Final = "Deserialized."


@frozen
class Asked:
    """A call that PowerShell has bound."""

    command: RegisteredCommand
    call: BoundCall

    @property
    def error_action(self) -> str:
        """What the caller wants done about errors that do not terminate."""
        return str(self.call.common.get("ErrorAction", "Continue"))


def read_call(text: str, commands: CommandTable) -> Asked:
    """Read a call that a session sends.

    Raises:
        InputError: the text is no call of one of the commands.
    """
    (told,) = read_clixml(text)
    fields = _entries(told)
    name = str(fields.get("Command"))
    command = commands.find(name)
    if command is None:
        raise InputError(name, where="call", expected="a command of the node")
    if command.native:
        given = bound_value(fields.get("Arguments"))
        arguments = tuple(given) if isinstance(given, list) else ()
        return Asked(command, BoundCall(command.name, arguments=arguments))
    metadata = command.metadata or command_metadata(command.name) or CommandMetadata.create(command.name)
    commons = {parameter.name for parameter in metadata.parameters if parameter.common}
    parameters = {key: bound_value(value) for key, value in _entries(fields.get("Parameters")).items()}
    return Asked(
        command,
        BoundCall(
            metadata.name,
            parameter_set=str(fields.get("ParameterSet")),
            parameters={key: value for key, value in parameters.items() if key not in commons},
            common={key: value for key, value in parameters.items() if key in commons},
            input=_piped(metadata, parameters) if fields.get("Piped") is True else None,
        ),
    )


def _piped(metadata: CommandMetadata, parameters: dict[str, Any]) -> tuple[Any, ...]:
    """Give the object that a record brought: what a parameter took from the pipeline."""
    takers = [parameter.name for parameter in metadata.parameters if parameter.pipeline_somewhere]
    return tuple(parameters[name] for name in takers if name in parameters)[:1]


def _entries(value: Any) -> dict[str, Any]:
    held = value.base if isinstance(value, PSObject) else value
    return {str(key): entry for key, entry in held.items()} if isinstance(held, PSDictionary) else {}


def bound_value(value: Any) -> Any:
    """Give a value as the lab's binder would: an enum by its name, a switch as a bool, an array as a list."""
    if not isinstance(value, PSObject):
        return value
    names = [name.removeprefix(_PREFIX) for name in value.type_names]
    if names and names[0] == _SWITCH:
        return bool(value["IsPresent"])
    if _ENUM in names:
        return value.text
    if isinstance(value.base, PSList):
        return [bound_value(each) for each in value.base]
    return value
