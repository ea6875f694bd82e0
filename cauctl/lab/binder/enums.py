"""Names and numbers of enums, as the language converts them."""

from __future__ import annotations

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
    number = 0
    for item in given:
        number |= _number_of(item, wanted)
    if not given:
        raise ValueError(_unknown("", wanted))
    return _checked(number, wanted, given)


def _checked(number: int, wanted: EnumType, given: Sequence[Any]) -> str:
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


def _number_of(item: Any, wanted: EnumType) -> int:
    if isinstance(item, bool) or not isinstance(item, str | int | float | Decimal):
        raise ValueError(f"Invalid cast from '{type(item).__name__}' to '{wanted.name}'.")  # noqa: TRY004  one reason for all
    if isinstance(item, str):
        return _number_of_text(item, wanted)
    if item != int(item):
        raise ValueError(_unknown(str(item), wanted))
    return int(item)


def _number_of_text(text: str, wanted: EnumType) -> int:
    """Read a name, an unambiguous prefix of one, a number, or a comma list of whole names and numbers."""
    parts = [part.strip() for part in text.split(",")]
    number = 0
    for part in parts:
        number |= _number_of_name(part, wanted, prefixes=len(parts) == 1)
    if len(parts) > 1:
        _checked(number, wanted, parts)
    return number


def _number_of_name(part: str, wanted: EnumType, *, prefixes: bool) -> int:
    if _NUMBER.fullmatch(part):
        return int(part)
    folded = part.casefold()
    exact = [value for name, value in wanted.values.items() if name.casefold() == folded]
    if exact:
        return exact[0]
    matches = [name for name in wanted.values if name.casefold().startswith(folded)] if prefixes and part else []
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
