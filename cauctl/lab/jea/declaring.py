"""How the functions of the module are declared, and what their bodies have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from cauctl.lab.binder.metadata import ALL_SETS, CommandMetadata, ParameterMetadata, SetAttributes, Validation
from cauctl.lab.dispatch import CommandError, CommandTable, Handler, Step
from cauctl.psobject import array, custom_object, to_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cauctl.lab.dispatch import CommandContext, Value

__all__ = [
    "ID",
    "FunctionSet",
    "answer",
    "first",
    "identifier",
    "named",
    "parameter",
    "plain",
    "refuse",
    "select",
    "switch",
    "text",
    "texts",
]

MODULE: Final = "CauctlNode"
ID: Final = r"^(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?\Z"
"""What the id of a run or a request consists of."""
_LONGEST_NAME: Final = 255

HandlerT = TypeVar("HandlerT", bound=Handler)


class FunctionSet:
    """Functions of one subject."""

    def __init__(self) -> None:
        self._entries: list[tuple[CommandMetadata, Handler]] = []

    def __repr__(self) -> str:
        return f"<FunctionSet {', '.join(metadata.name for metadata, _ in self._entries)}>"

    def function(self, name: str, *parameters: ParameterMetadata) -> Callable[[HandlerT], HandlerT]:
        """Enter the decorated handler."""

        def enter(handler: HandlerT) -> HandlerT:
            self._entries.append((CommandMetadata.create(name, parameters, module=MODULE), handler))
            return handler

        return enter

    def table(self) -> CommandTable:
        """Make a table of them."""
        table = CommandTable()
        for metadata, handler in self._entries:
            table.command(metadata.name, metadata=metadata)(handler)
        return table


def parameter(
    name: str, *validate: Validation, mandatory: bool = True, kind: str = "System.String"
) -> ParameterMetadata:
    """Declare a parameter."""
    return ParameterMetadata(name, kind, sets=(SetAttributes(ALL_SETS, mandatory=mandatory),), validate=validate)


def text(name: str, *, mandatory: bool = True) -> ParameterMetadata:
    """Declare the name of a node, a role or a disk."""
    return parameter(name, Validation("Length", minimum=1, maximum=_LONGEST_NAME), mandatory=mandatory)


def identifier(name: str) -> ParameterMetadata:
    """Declare the id of a run or a request."""
    return parameter(name, Validation("Pattern", values=(ID,)))


def switch(name: str) -> ParameterMetadata:
    """Declare a switch."""
    return parameter(name, mandatory=False, kind="System.Management.Automation.SwitchParameter")


def select(ctx: CommandContext, names: Iterable[str], *steps: Step) -> Iterator[Value]:
    """Run a pipeline and give only these properties of its objects, in objects of no class."""
    chosen = list(names)
    for found in ctx.invoke(*steps, Step("Select-Object", parameters={"Property": array(chosen)})):
        yield custom_object({name: found[name] for name in chosen})


def texts(items: Iterable[str]) -> Value:
    """Make an array of strings."""
    return array(items, type_names=("System.String[]", "System.Array", "System.Object"))


def first(ctx: CommandContext, name: str, /, **parameters: Value) -> Value:
    """Give the first object that a command writes, None when it writes none."""
    return next(ctx.invoke(Step(name, parameters=parameters)), None)


def named(name: str, *, prop: str = "Name") -> Step:
    """Let only objects of exactly this name pass."""
    return Step("Where-Object", parameters={"Property": prop, "EQ": True, "Value": name})


def answer(**properties: Any) -> Value:
    """Make an object with these properties."""
    return custom_object(properties)


def plain(value: Value) -> Any:
    """Give a value as Python has it."""
    return to_python(value)


def refuse(error_id: str, category: str, message: str, target: Value = None) -> CommandError:
    """Make the error that a function throws."""
    return CommandError(
        message,
        error_id=f"{error_id},",
        category=category,
        exception_type="System.InvalidOperationException",
        target=target,
    )
