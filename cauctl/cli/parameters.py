"""Options of the command line, projected from the cmdlets' parameters: no option is written twice.

Rules kept here:

* An option is the kebab-case of the parameter; its help, range and default are the parameter's.
* A parameter that this version does not serve has no option.
* A credential is a user name on the command line; the password comes from the environment or a prompt, never from an
  argument, where other users of the machine could read it.
"""

from __future__ import annotations

import inspect
import re
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter as Option

from cauctl.errors import InputError
from cauctl.models.parameters import CmdletOptions, Parameter, parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cyclopts import Token

__all__ = ["OUTPUT", "duration", "project"]

_TIMESPAN = re.compile(
    r"(?:(?P<days>\d+)\.)?(?P<hours>[01]?\d|2[0-3]):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d{1,6})?))?"
)
_UNITS = re.compile(r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m(?:in)?)?(?:(?P<seconds>\d+)s)?")

_TABLES = "cau_plugin_arguments"

OUTPUT = Annotated[
    Literal["table", "xml", "json", "csv", "clixml"],
    Option(help="Form of the data on standard output; xml is what ConvertTo-Xml prints."),
]


def duration(_: type, tokens: Sequence[Token]) -> timedelta:
    """Read ``01:30:00``, ``1.12:00:00`` (a day and a half), ``90m`` or ``2h30m``; a bare number is refused."""
    text = tokens[0].value.strip()
    found = _TIMESPAN.fullmatch(text) or (_UNITS.fullmatch(text.casefold()) if text else None)
    parts = {name: float(value) for name, value in found.groupdict().items() if value} if found else {}
    if not parts:
        raise ValueError(f"{text!r} is no duration; expected 01:30:00, 90m or 2h30m.")
    return timedelta(**parts)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """Read ``Name=value`` texts into one table."""
    table = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{text!r} is no argument", where="--cau-plugin-arguments", expected="Name=value")
        table[name.strip()] = value
    return table


def project(
    options: type[CmdletOptions],
    handler: Callable[..., int],
    *,
    extra: Mapping[str, tuple[Any, Any]],
    without: frozenset[str] = frozenset({"credential"}),
) -> Callable[..., int]:
    """Make a command function whose options are the served parameters of ``options``.

    Args:
        options: the cmdlet's parameters.
        handler: called with the given parameters in a dict, and with each of ``extra`` by name.
        extra: options beyond the cmdlet's: name to (annotation, default).
        without: parameters that get no option.
    """
    served = [each for each in parameters(options) if each.served and each.attribute not in without]
    kinds = inspect.Parameter

    def command(*values: Any, **named: Any) -> int:
        given = signature.bind(*values, **named).arguments
        others = {name: given.pop(name, default) for name, (_, default) in extra.items()}
        if tables := given.pop(_TABLES, None):
            given[_TABLES] = _pairs(tables)
        return handler({name: value for name, value in given.items() if value is not None}, **others)

    arguments = [_argument(each) for each in sorted(served, key=lambda each: each.position is None)]
    arguments += [
        kinds(name, kinds.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in extra.items()
    ]
    signature = inspect.Signature(arguments)
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in arguments}
    command.__doc__ = handler.__doc__
    command.__name__ = handler.__name__
    return command


def _argument(parameter: Parameter) -> inspect.Parameter:
    kinds = inspect.Parameter
    annotation = _annotation(parameter)
    if parameter.position == 0:
        return kinds(parameter.attribute, kinds.POSITIONAL_OR_KEYWORD, annotation=annotation)
    default = False if parameter.python_type is bool else None
    return kinds(parameter.attribute, kinds.KEYWORD_ONLY, annotation=annotation, default=default)


def _annotation(parameter: Parameter) -> Any:
    kind, value = parameter.python_type, _help(parameter)
    if kind is bool:
        return Annotated[bool, Option(help=value)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        names = tuple(str(member.value) for member in kind)
        return Annotated[Literal[names] | None, Option(help=value)]
    if kind is timedelta:
        return Annotated[timedelta | None, Option(help=value, converter=duration)]
    plain: Any = kind if kind in {int, str, datetime, Path} else str
    if parameter.position == 0:
        return Annotated[plain, Option(help=value)]
    if parameter.many:
        return Annotated[tuple[plain, ...] | None, Option(help=value)]
    return Annotated[plain | None, Option(help=value)]


def _help(parameter: Parameter) -> str:
    parts = [parameter.help]
    if parameter.attribute == _TABLES:
        parts = ["Argument of the plug-in as Name=value; repeat the option for more."]
    if parameter.python_type is timedelta:
        parts.append("For example 90m, 2h30m or 1.12:00:00.")
    if parameter.range_text and parameter.python_type in {int, timedelta}:
        parts.append(f"Accepted: {parameter.range_text}.")
    default = parameter.default_text or _default(parameter)
    if default and parameter.python_type is not bool and not parameter.mandatory and parameter.position != 0:
        parts.append(f"[default: {default}]")
    return " ".join(parts)


def _default(parameter: Parameter) -> str:
    value = parameter.default
    if value is None or value == ():
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
