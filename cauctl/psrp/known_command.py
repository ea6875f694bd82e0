"""What a list of commands says of each: its name, its parameters, the constants that they are given.

Rules kept here:

* A parameter that only ever takes constants lists them; everything else is data and travels as a typed value.
* What is not on a list is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.errors import InputError

if TYPE_CHECKING:
    from cauctl.psrp.pipeline import Command

__all__ = ["ANY", "KnownCommand", "by_name", "check_listed"]

ANY: Final[tuple[Any, ...]] = ()
"""A parameter whose value is data."""


def _read_only(parameters: Mapping[str, tuple[Any, ...]]) -> Mapping[str, tuple[Any, ...]]:
    return MappingProxyType(dict(parameters))


@frozen
class KnownCommand:
    """One command that the product sends."""

    name: str
    """Name of a cmdlet, function or program."""
    module: str = field(kw_only=True)
    """Module that brings it; empty for a program."""
    parameters: Mapping[str, tuple[Any, ...]] = field(kw_only=True, converter=_read_only)
    """By parameter: the constants it is given, or :data:`ANY` for data."""
    purpose: str = field(kw_only=True)
    """What it is used for, for an administrator who reads the list."""


def by_name(commands: tuple[KnownCommand, ...]) -> Mapping[str, KnownCommand]:
    """Make the list of these commands."""
    return MappingProxyType({known.name: known for known in commands})


def check_listed(sent: Command, listed: Mapping[str, KnownCommand]) -> Command:
    """Return ``sent`` when it is on the list, raise InputError when it is not."""
    known = listed.get(sent.name)
    if known is None or sent.is_script:
        raise InputError(f"{sent.name} is not a command that this package sends", where="commands")
    if sent.arguments and known.module:
        raise InputError(f"{sent.name} is given its parameters by name only", where="commands")
    for name, value in sent.parameters.items():
        if name not in known.parameters:
            raise InputError(f"{sent.name} has no parameter {name} on the list", where="commands")
        constants = known.parameters[name]
        values = value if isinstance(value, list | tuple) else [value]
        if constants and not all(item in constants for item in values):
            raise InputError(f"{sent.name} -{name} {value!r} is not on the list", where="commands")
    return sent
