"""PowerShell's comparison operators and truth, on values of pipelines.

The right side is converted to the left one's type, texts compare without case unless asked otherwise, and a list on
the left filters: it is true if any item passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from cauctl.lab.binder.convert import ConversionError, convert, is_number, text_of
from cauctl.lab.binder.dotnet import BOOLEAN, as_list, dotnet_name, dotnet_type, unwrap
from cauctl.lab.binder.numerals import scan_number
from cauctl.lab.wildcard import matches
from cauctl.psobject import DateTime, PSObject, TimeSpan

__all__ = ["compare", "equals", "operator", "order_key", "property_of", "truth"]

Operator = Callable[[Any, Any], bool]

_BOOLEAN: Final = dotnet_type(BOOLEAN)


def truth(value: Any) -> bool:
    """Give the truth of a value."""
    return value is not None and bool(convert(value, _BOOLEAN))


def property_of(value: Any, name: str) -> Any:
    """Give a property of an object, an entry of a dictionary, a text's length or a list's count; else null."""
    folded = name.casefold()
    if isinstance(value, PSObject):
        found = value.get(name)
        if found is None and value.is_container and folded == "count":
            return len(value.base)
        return found
    if isinstance(value, dict):
        return next((item for key, item in value.items() if str(key).casefold() == folded), None)
    if isinstance(value, str) and folded == "length":
        return len(value)
    if isinstance(value, list | tuple) and folded in {"count", "length"}:
        return len(value)
    return None


def equals(left: Any, right: Any, *, case_sensitive: bool = False) -> bool:
    """Tell whether ``left -eq right``, for one left value."""
    if left is None or right is None:
        return left is right
    if isinstance(left, PSObject) and left.base is None:
        return left is right
    return compare(left, right, case_sensitive=case_sensitive) == 0


def compare(left: Any, right: Any, *, case_sensitive: bool = False) -> int | None:
    """Order two values by the left one's type: negative, zero, positive; None where they cannot be compared."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if isinstance(left, PSObject) and left.text is not None and left.base is not None:
        return _compare_enum(left, right)
    plain = unwrap(left)
    if isinstance(plain, str):
        return _compare_texts(plain, text_of(right), case_sensitive=case_sensitive)
    if isinstance(plain, bool):
        return plain - truth(right)
    return _compare_numbers(plain, unwrap(right)) if is_number(plain) else _compare_converted(left, right)


def _compare_converted(left: Any, right: Any) -> int | None:
    """Compare moments, durations, identifiers and the like with what converts to them."""
    try:
        converted = convert(right, dotnet_type(dotnet_name(left)))
    except ConversionError:
        return None
    return _sign(*_keys(unwrap(left), converted))


def _compare_enum(left: PSObject, right: Any) -> int | None:
    """Compare an enum by its name with a text, else by its number."""
    other = unwrap(right)
    if isinstance(other, str) and not isinstance(right, PSObject):
        return 0 if (left.text or "").casefold() == other.casefold() else _compare_numbers(left.base, other)
    return _compare_numbers(left.base, other)


def _compare_texts(left: str, right: str, *, case_sensitive: bool) -> int:
    if not case_sensitive or left.casefold() != right.casefold():
        left, right = left.casefold(), right.casefold()
    return (left > right) - (left < right)


def _compare_numbers(left: Any, right: Any) -> int | None:
    number = scan_number(right) if isinstance(right, str) else right
    if not isinstance(number, Fraction | int | float | Decimal):
        return None
    exact = [Fraction(value) if isinstance(value, Decimal) else value for value in (left, number)]
    return _sign(*exact)


def _keys(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, DateTime | TimeSpan):
        return left.ticks, right.ticks
    return str(left), str(right)


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def order_key(value: Any) -> tuple[int, Any]:
    """Give a sort key: null first, then numbers, moments and texts, as Sort-Object puts mixed values."""
    plain = unwrap(value)
    if plain is None:
        return 0, 0
    if is_number(plain) or isinstance(plain, bool):
        return 1, plain
    if isinstance(plain, DateTime | TimeSpan):
        return 2, plain.ticks
    return 3, text_of(value).casefold()


def operator(name: str) -> Operator:
    """Find an operator by the name of its switch: ``EQ``, ``CNotLike`` ..."""
    folded = name.casefold()
    case_sensitive = folded.startswith("c") and folded[1:] in _OPERATORS and folded not in _OPERATORS
    return _OPERATORS[folded[1:] if case_sensitive else folded](case_sensitive)


def _ordering(test: Callable[[int], bool]) -> Callable[[bool], Operator]:
    def make(case_sensitive: bool) -> Operator:  # noqa: FBT001  a step of a table
        def run(left: Any, right: Any) -> bool:
            found = compare(left, right, case_sensitive=case_sensitive)
            return found is not None and test(found)

        return _over_items(run)

    return make


def _equality(*, wanted: bool) -> Callable[[bool], Operator]:
    def make(case_sensitive: bool) -> Operator:  # noqa: FBT001  a step of a table
        return _over_items(lambda left, right: equals(left, right, case_sensitive=case_sensitive) is wanted)

    return make


def _pattern(test: Callable[[str, str, bool], bool], *, wanted: bool) -> Callable[[bool], Operator]:
    def make(case_sensitive: bool) -> Operator:  # noqa: FBT001  a step of a table
        return _over_items(lambda left, right: test(text_of(left), text_of(right), case_sensitive) is wanted)

    return make


def _over_items(test: Operator) -> Operator:
    """Let an operator filter a list on its left."""

    def run(left: Any, right: Any) -> bool:
        items = as_list(left)
        return test(left, right) if items is None else truth([item for item in items if test(item, right)])

    return run


def _containment(*, wanted: bool, swapped: bool) -> Callable[[bool], Operator]:
    def make(case_sensitive: bool) -> Operator:  # noqa: FBT001  a step of a table
        def run(left: Any, right: Any) -> bool:
            whole, part = (right, left) if swapped else (left, right)
            items = as_list(whole)
            found = any(
                equals(item, part, case_sensitive=case_sensitive) for item in ([whole] if items is None else items)
            )
            return found is wanted

        return run

    return make


def _kind(*, wanted: bool) -> Callable[[bool], Operator]:
    def make(_case_sensitive: bool) -> Operator:  # noqa: FBT001  a step of a table
        def run(left: Any, right: Any) -> bool:
            name = text_of(right).strip("[]").casefold()
            names = list(left.ps_type_names) if isinstance(left, PSObject) else []
            if left is not None:
                names.append(dotnet_name(left))
            return (
                name in {full.casefold() for full in names} | {n.rpartition(".")[2].casefold() for n in names}
            ) is wanted

        return run

    return make


def _like(text: str, pattern: str, case_sensitive: bool) -> bool:  # noqa: FBT001  a step of a table
    return matches(pattern, text, case_sensitive=case_sensitive)


def _match(text: str, pattern: str, case_sensitive: bool) -> bool:  # noqa: FBT001  a step of a table
    return re.search(pattern, text, 0 if case_sensitive else re.IGNORECASE) is not None


_OPERATORS: Final[dict[str, Callable[[bool], Operator]]] = {
    "eq": _equality(wanted=True),
    "ne": _equality(wanted=False),
    "lt": _ordering(lambda sign: sign < 0),
    "le": _ordering(lambda sign: sign <= 0),
    "gt": _ordering(lambda sign: sign > 0),
    "ge": _ordering(lambda sign: sign >= 0),
    "like": _pattern(_like, wanted=True),
    "notlike": _pattern(_like, wanted=False),
    "match": _pattern(_match, wanted=True),
    "notmatch": _pattern(_match, wanted=False),
    "contains": _containment(wanted=True, swapped=False),
    "notcontains": _containment(wanted=False, swapped=False),
    "in": _containment(wanted=True, swapped=True),
    "notin": _containment(wanted=False, swapped=True),
    "is": _kind(wanted=True),
    "isnot": _kind(wanted=False),
}
