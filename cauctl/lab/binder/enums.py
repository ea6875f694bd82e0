"""Names and numbers of enums, as the language converts them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cauctl.lab.binder.metadata import EnumType

__all__ = ["convert_enum", "enum_text"]

_NUMBER: Final = re.compile(r"[+-]?\d+", re.ASCII)


def convert_enum(given: Sequence[Any], wanted: EnumType) -> str:
    """Give the name of the member, or of the flags, that texts and numbers stand for together.

    Raises:
        ValueError: with PowerShell's reason.
    """
    parts = [part for item in given for part in (item.split(",") if isinstance(item, str) else [item])]
    if not parts:
        raise ValueError(_unknown("", wanted))
    number = 0
    for part in parts:
        number |= (
            _number_of_name(part.strip(), wanted, alone=len(parts) == 1)
            if isinstance(part, str)
            else _number(part, wanted)
        )
    return _checked(number, wanted, given)


def _checked(number: int, wanted: EnumType, given: Sequence[Any]) -> str:
    if any(value < 0 for value in wanted.values.values()):
        # An enum with a negative member takes every number, cut to its width.
        cut = (number + (1 << 31)) % (1 << 32) - (1 << 31)
        return enum_text(cut, wanted) or str(cut)
    name = enum_text(number, wanted)
    if name is None:
        shown = ", ".join(map(str, given))
        raise ValueError(
            f"Due to enumeration values that are not valid, {shown} cannot be converted. Specify one of the following "
            f'enumeration values and try again. The possible enumeration values are "{_names(wanted)}".'
        )
    return name


def enum_text(number: int, wanted: EnumType) -> str | None:
    """Give the text of a number: a member's name, or the names of its flags; None when it has none."""
    for name, value in wanted.values.items():
        if value == number:
            return name
    if not wanted.flags or number < 0:
        return None
    found: list[str] = []
    left = number
    for name, value in sorted(wanted.values.items(), key=lambda entry: -entry[1]):
        if value > 0 and left & value == value:
            found.insert(0, name)
            left &= ~value
    return ", ".join(found) if found and not left else None


def _number(part: Any, wanted: EnumType) -> int:
    if isinstance(part, bool) or not isinstance(part, int | float | Decimal):
        raise ValueError(f"Invalid cast from '{type(part).__name__}' to '{wanted.name}'.")  # noqa: TRY004  one reason for all
    if not math.isfinite(part) or part != int(part):
        raise ValueError(_unknown(str(part), wanted))
    return int(part)


def _number_of_name(part: str, wanted: EnumType, *, alone: bool) -> int:
    """Read a name; one that stands alone may be a prefix or a number."""
    if alone and _NUMBER.fullmatch(part):
        return int(part)
    folded = part.casefold()
    exact = [value for name, value in wanted.values.items() if name.casefold() == folded]
    if exact:
        return exact[0]
    matches = [name for name in wanted.values if name.casefold().startswith(folded)] if alone and part else []
    if len(matches) == 1:
        return wanted.values[matches[0]]
    if matches:
        raise ValueError(
            f"The identifier name {part} cannot be processed because it matches the following enumerator names: "
            f"{', '.join(matches)}. Use a more specific enumerator name."
        )
    raise ValueError(_unknown(part, wanted))


def _unknown(text: str, wanted: EnumType) -> str:
    return (
        f"Unable to match the identifier name {text} to a valid enumerator name. Specify one of the following "
        f"enumerator names and try again:\n{_names(wanted)}"
    )


def _names(wanted: EnumType) -> str:
    return ", ".join(wanted.values)
