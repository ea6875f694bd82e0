"""Commands of the engine itself and its utility module: filters, selections, sums, sleep, date, the list of commands.

They serve what structured pipelines use of them. A parameter that is not served is refused, never ignored; a script
block cannot arrive, since a session without language has none.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.binder.convert import is_number, text_of
from cauctl.lab.binder.dotnet import as_list, dotnet_name, unwrap
from cauctl.lab.binder.metadata import command_metadata
from cauctl.lab.comparison import equals, operator, order_key, property_of, truth
from cauctl.lab.dispatch import BoundCall, CommandContext, CommandError, CommandTable
from cauctl.lab.wildcard import has_wildcard, matches
from cauctl.psobject import DateTime, Kind, PSObject, custom_object, enum_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import RegisteredCommand

__all__ = ["engine_commands"]

_MEASURE: Final = "Microsoft.PowerShell.Commands.GenericMeasureInfo"
_COMMAND_TYPES: Final = {"Function": 2, "Cmdlet": 8, "Application": 32}
_OPERATOR_NAMES: Final = re.compile(
    r"[CI]?(?:Not)?(?:EQ|NE|GT|GE|LT|LE|Like|Match|Contains|In|Is)|IsNot", re.IGNORECASE
)


def engine_commands() -> CommandTable:
    """Make a table of these commands."""
    table = CommandTable()
    for name, handler in {
        "Where-Object": _where,
        "Select-Object": _select,
        "Sort-Object": _sort,
        "Measure-Object": _measure,
        "ForEach-Object": _for_each,
        "Out-Null": _out_null,
        "Write-Output": _write_output,
    }.items():
        table.command(name, streaming=True)(handler)
    table.command("Start-Sleep")(_start_sleep)
    table.command("Get-Date")(_get_date)
    table.command("Get-Command")(_get_command)
    for alias, name in {"where": "Where-Object", "select": "Select-Object", "sort": "Sort-Object"}.items():
        table.alias(alias, name)
    for alias, name in {"measure": "Measure-Object", "foreach": "ForEach-Object", "sleep": "Start-Sleep"}.items():
        table.alias(alias, name)
    for alias, name in {"echo": "Write-Output", "write": "Write-Output", "gcm": "Get-Command"}.items():
        table.alias(alias, name)
    return table


def _serve_only(call: BoundCall, *served: str) -> None:
    """Refuse a call that gives a parameter the lab does not serve."""
    extra = [name for name in call.parameters if name not in served]
    if extra:
        raise CommandError(
            f"The lab's {call.command} does not serve the parameter {extra[0]}.",
            error_id="ParameterNotSupported",
            category="NotImplemented",
            exception_type="System.NotImplementedException",
        )


def _items(call: BoundCall) -> Iterable[Any]:
    """Give the piped objects, or the InputObject."""
    if call.input is not None:
        return call.input
    return (call.get("InputObject"),) if "InputObject" in call.parameters else ()


def _where(_ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    names = [name for name in call.parameters if _OPERATOR_NAMES.fullmatch(name)]
    _serve_only(call, "Property", "Value", "InputObject", *names)
    if "Property" not in call.parameters:
        raise CommandError(
            "The lab runs no script block.", error_id="ScriptBlockNotSupported", category="NotImplemented"
        )
    name = call.get("Property")
    if names:
        test, wanted = operator(names[0]), call.get("Value")
        yield from (item for item in _items(call) if test(property_of(item, name), wanted))
    else:
        yield from (item for item in _items(call) if truth(property_of(item, name)))


def _select(ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    _serve_only(
        call, "Property", "ExpandProperty", "First", "Last", "Skip", "SkipLast", "Unique", "InputObject", "Wait"
    )
    names = [text_of(name) for name in call.get("Property") or ()]
    seen: list[Any] = []
    for item in _windowed(_items(call), call):
        found = _selected(item, names) if names else item
        for value in _expanded(ctx, found, item, call.get("ExpandProperty")):
            if call.switch("Unique"):
                if any(_same(value, other) for other in seen):
                    continue
                seen.append(value)
            yield value


def _windowed(items: Iterable[Any], call: BoundCall) -> Iterable[Any]:
    """Apply -First, -Last, -Skip and -SkipLast; -First reads no further than it needs."""
    first, last, skip, skip_last = (call.get(name) for name in ("First", "Last", "Skip", "SkipLast"))
    if last is None and skip_last is None:
        yield from _leading(items, first, skip or 0)
        return
    held = list(items)
    if skip_last is not None:
        yield from held[: len(held) - skip_last]
        return
    held = held[: len(held) - (skip or 0)] if first is None else held[skip or 0 :]
    chosen = {*range(max(0, len(held) - last), len(held)), *range(min(first or 0, len(held)))}
    yield from (held[number] for number in sorted(chosen))


def _leading(items: Iterable[Any], first: int | None, skip: int) -> Iterator[Any]:
    left = first
    for number, item in enumerate(items):
        if number < skip:
            continue
        if left is not None:
            if left <= 0:
                return
            left -= 1
        yield item
        if left == 0:
            return


def _selected(item: Any, names: list[str]) -> PSObject:
    """Make the object that Select-Object -Property gives: notes under a Selected type name; what is missing is null."""
    chosen: dict[str, Any] = {}
    known = item.keys() if isinstance(item, PSObject) else []
    for name in names:
        if has_wildcard(name):
            chosen.update((key, property_of(item, key)) for key in known if matches(name, key))
        else:
            spelled = next((key for key in known if key.casefold() == name.casefold()), name)
            chosen[spelled] = property_of(item, name)
    first = item.type_names[0] if isinstance(item, PSObject) and item.type_names else dotnet_name(item)
    return custom_object(chosen, type_name=f"Selected.{first.partition('#')[0]}")  # the class: a CIM instance is one


def _expanded(ctx: CommandContext, found: Any, item: Any, name: str | None) -> Iterable[Any]:
    if name is None:
        return (found,)
    if isinstance(item, PSObject) and name not in item.keys():  # noqa: SIM118  `in` also asks a container's items
        ctx.error(
            CommandError(
                f'Property "{name}" cannot be found.',
                error_id="ExpandPropertyNotFound",
                category="InvalidArgument",
                exception_type="System.Management.Automation.PSArgumentException",
                target=item,
            )
        )
        return ()
    value = property_of(item, name)
    items = as_list(value)
    return (value,) if items is None else items


def _same(left: Any, right: Any) -> bool:
    """Tell whether two selected values count as one."""
    if isinstance(left, PSObject) and isinstance(right, PSObject) and left.base is None:
        return left.keys() == right.keys() and all(equals(left[key], right[key], case_sensitive=True) for key in left)
    return equals(left, right, case_sensitive=True)


def _sort(_ctx: CommandContext, call: BoundCall) -> Iterable[Any]:
    _serve_only(call, "Property", "Descending", "Unique", "InputObject")
    names = [text_of(name) for name in call.get("Property") or ()]

    def key(item: Any) -> list[tuple[int, Any]]:
        return [order_key(property_of(item, name)) for name in names] if names else [order_key(item)]

    ordered = sorted(_items(call), key=key, reverse=call.switch("Descending"))
    if not call.switch("Unique"):
        return ordered
    return [item for number, item in enumerate(ordered) if number == 0 or key(item) != key(ordered[number - 1])]


def _measure(_ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    _serve_only(call, "Property", "Sum", "Average", "Maximum", "Minimum", "InputObject")
    items = [item for item in _items(call) if item is not None]
    for name in call.get("Property") or (None,):
        values = items if name is None else [property_of(item, name) for item in items]
        yield _measured([value for value in values if value is not None], name, call)


def _measured(values: list[Any], name: str | None, call: BoundCall) -> PSObject:
    numbers = [float(plain) for plain in map(unwrap, values) if is_number(plain)]
    ordered = sorted(values, key=order_key)
    return PSObject(
        type_names=(_MEASURE, "Microsoft.PowerShell.Commands.MeasureInfo", "System.Object"),
        text=_MEASURE,
        adapted={
            "Count": len(values),
            "Average": sum(numbers) / len(numbers) if call.switch("Average") and numbers else None,
            "Sum": sum(numbers) if call.switch("Sum") else None,
            "Maximum": ordered[-1] if call.switch("Maximum") and ordered else None,
            "Minimum": ordered[0] if call.switch("Minimum") and ordered else None,
            "Property": name,
        },
    )


def _for_each(_ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    _serve_only(call, "MemberName", "InputObject")
    name = call.get("MemberName")
    if name is None:
        raise CommandError(
            "The lab runs no script block.", error_id="ScriptBlockNotSupported", category="NotImplemented"
        )
    for item in _items(call):
        value = text_of(item) if name.casefold() == "tostring" else property_of(item, name)
        items = as_list(value)
        yield from (value,) if items is None else items


def _out_null(_ctx: CommandContext, call: BoundCall) -> None:
    for _ in _items(call):
        pass


def _write_output(_ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    for item in call.input if call.input is not None else call.get("InputObject") or ():
        items = None if call.switch("NoEnumerate") else as_list(item)
        yield from (item,) if items is None else items


def _start_sleep(ctx: CommandContext, call: BoundCall) -> None:
    ctx.sleep(timedelta(seconds=call.get("Seconds", 0), milliseconds=call.get("Milliseconds", 0)))


def _get_date(ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    """Give the node's time; a node's zone is UTC."""
    _serve_only(call, "Date", "Format", "DisplayHint")
    given = call.get("Date")
    clock = ctx.now().replace(tzinfo=None)
    moment = given if isinstance(given, DateTime) else DateTime(clock, kind=Kind.LOCAL, offset=timedelta(0))
    if "Format" in call.parameters:
        yield _formatted(moment, call.get("Format"))
    else:
        yield moment


def _formatted(moment: DateTime, form: str) -> str:
    """Write a moment in one of .NET's sortable formats."""
    texts = {
        "o": f"{moment.clock:%Y-%m-%dT%H:%M:%S}.{moment.ticks % 10_000_000:07d}+00:00",
        "s": f"{moment.clock:%Y-%m-%dT%H:%M:%S}",
        "u": f"{moment.clock:%Y-%m-%d %H:%M:%S}Z",
    }
    if form.casefold() not in texts:
        raise CommandError(
            "The lab's Get-Date serves the formats o, s and u.",
            error_id="FormatNotSupported",
            category="NotImplemented",
        )
    return texts[form.casefold()]


def _get_command(ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
    _serve_only(call, "Name", "Module", "Verb", "Noun", "CommandType")
    names = call.get("Name")
    if names is None:
        yield from (_command_info(command) for command in _shown(ctx, call))
        return
    for wanted in names:
        found = [command for command in _shown(ctx, call) if matches(wanted, command.name)]
        named = ctx.commands.find(wanted)
        if not found and not has_wildcard(wanted) and named is None:
            ctx.error(_no_such_command(wanted))
        yield from (_command_info(command) for command in found or ([named] if named is not None else []))


def _shown(ctx: CommandContext, call: BoundCall) -> Iterator[RegisteredCommand]:
    """Give the commands that -Module, -Verb, -Noun and -CommandType leave."""
    for command in sorted(ctx.commands, key=lambda found: found.name.casefold()):
        verb, _, noun = command.name.partition("-")
        facts = {"Module": _module(command), "Verb": verb, "Noun": noun}
        fits = all(any(matches(p, facts[key]) for p in call.get(key) or ("*",)) for key in facts)
        kinds = call.get("CommandType")
        if fits and (kinds is None or kinds == "All" or _kind(command) in kinds.split(", ")):
            yield command


def _module(command: RegisteredCommand) -> str:
    metadata = command.metadata or command_metadata(command.name)
    return metadata.module if metadata is not None else ""


def _kind(command: RegisteredCommand) -> str:
    if command.native:
        return "Application"
    metadata = command.metadata or command_metadata(command.name)
    return "Cmdlet" if metadata is not None and metadata.compiled else "Function"


def _command_info(command: RegisteredCommand) -> PSObject:
    kind = _kind(command)
    return PSObject(
        type_names=(
            f"System.Management.Automation.{kind}Info",
            "System.Management.Automation.CommandInfo",
            "System.Object",
        ),
        text=command.name,
        adapted={
            "Name": command.name,
            "CommandType": enum_value("System.Management.Automation.CommandTypes", kind, _COMMAND_TYPES[kind]),
            "ModuleName": _module(command),
            "Source": _module(command),
        },
    )


def _no_such_command(name: str) -> CommandError:
    return CommandError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        error_id="CommandNotFoundException",
        category="ObjectNotFound",
        exception_type="System.Management.Automation.CommandNotFoundException",
        target=name,
    )
