"""Names of arguments: which parameter each means, and which value belongs to a name that came without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.lab.binder.dotnet import SWITCH
from cauctl.lab.binder.errors import BindingError
from cauctl.lab.runspace.requests import Argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cauctl.lab.binder.metadata import CommandMetadata, ParameterMetadata

__all__ = ["find_parameter", "pair_arguments"]


def find_parameter(metadata: CommandMetadata, name: str) -> ParameterMetadata | None:
    """Find the parameter that a name, alias or prefix means; None if none does.

    Raises:
        BindingError: the prefix means several.
    """
    wanted = name.casefold()
    for parameter in metadata.parameters:
        if parameter.name.casefold() == wanted:
            return parameter
    for parameter in metadata.parameters:
        if wanted in (alias.casefold() for alias in parameter.aliases):
            return parameter
    matches = [
        parameter
        for parameter in metadata.parameters
        if any(known.casefold().startswith(wanted) for known in (parameter.name, *parameter.aliases))
    ]
    if len(matches) > 1:
        own = [parameter for parameter in matches if not parameter.common]
        if len(own) != 1:
            raise _ambiguous(name, matches)
        matches = own
    return matches[0] if matches else None


def _ambiguous(name: str, matches: Sequence[ParameterMetadata]) -> BindingError:
    shown = "".join(f" -{parameter.name}" for parameter in matches)
    return BindingError(
        f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
        f"include:{shown}.",
        error_id="AmbiguousParameter",
        parameter=name,
    )


def pair_arguments(metadata: CommandMetadata, arguments: Sequence[Argument]) -> list[Argument]:
    """Give each name that came alone its value: a switch is present, any other takes the next argument."""
    paired: list[Argument] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        parameter = find_parameter(metadata, argument.name) if argument.valueless and argument.name else None
        if parameter is None:
            paired.append(argument)
        elif parameter.type == SWITCH:
            paired.append(Argument(argument.name, True))
        elif waiting and waiting[0].name is None:
            paired.append(Argument(argument.name, waiting.pop(0).value))
        else:
            raise BindingError(
                f"Missing an argument for parameter '{parameter.name}'. Specify a parameter of type "
                f"'{parameter.type}' and try again.",
                error_id="MissingArgument",
                parameter=parameter.name,
            )
    return paired
