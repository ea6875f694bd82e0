"""Validation of a bound value: the attributes of a parameter, and what mandatory parameters refuse by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.binder.convert import is_number, text_of
from cauctl.lab.binder.dotnet import PSOBJECT, STRING, DotNetType, as_list
from cauctl.lab.binder.errors import BindingError, Fault
from cauctl.psobject import PSDictionary, PSObject

if TYPE_CHECKING:
    from cauctl.lab.binder.metadata import ParameterMetadata, Validation

__all__ = ["validate"]

_SCOPES: Final = frozenset({"global", "local", "private", "script", "variable"})


def validate(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> None:
    """Refuse a value that a validation attribute or the parameter being mandatory forbids."""
    for validation in parameter.validate:
        reason = _fault(value, wanted, validation)
        if reason is not None:
            raise _refused(f"Cannot validate argument on parameter '{parameter.name}'. {reason}", parameter)
    if parameter.mandatory_somewhere:
        _validate_mandatory(value, wanted, parameter)


def _refused(message: str, parameter: ParameterMetadata, suffix: str = "") -> BindingError:
    return BindingError(
        message,
        error_id=f"ParameterArgumentValidationError{suffix}",
        category="InvalidData",
        fault=Fault.VALIDATION,
        parameter=parameter.name,
    )


def _fault(value: Any, wanted: DotNetType, validation: Validation) -> str | None:
    """Say why an attribute refuses a value; None if it does not."""
    if validation.kind in {"NotNull", "NotNullOrEmpty"}:
        return _null_fault(value, wanted) or (_empty_fault(value, wanted) if validation.kind != "NotNull" else None)
    if validation.kind == "VariableName":
        return _variable_fault(value)
    if validation.kind in _ITEM_FAULTS:
        return _items_fault(value, validation)
    return None


def _items_fault(value: Any, validation: Validation) -> str | None:
    """Check item by item."""
    if value is None:
        return "The argument is null. Provide a valid value for the argument, and then try running the command again."
    items = as_list(value)
    for item in [value] if items is None else items:
        reason = _ITEM_FAULTS[validation.kind](item, validation)
        if reason is not None:
            return reason
    return None


def _null_fault(value: Any, wanted: DotNetType) -> str | None:
    """Refuse null, and null in a collection; what a PSObject wraps is not looked into."""
    items = None if wanted.name == PSOBJECT else as_list(value)
    if value is None:
        return "The argument is null. Supply a non-null argument and try the command again."
    if items is not None and any(item is None for item in items):
        return "The argument is null, or an element of the argument collection contains a null value."
    return None


def _empty_fault(value: Any, wanted: DotNetType) -> str | None:
    """Refuse an empty text or collection, and an empty text in a collection; PSObjects are not looked into."""
    if wanted.name == PSOBJECT:
        return None
    items = as_list(value)
    wrapped = wanted.element is not None and wanted.element.name == PSOBJECT
    texts = () if items is None or wrapped else [item for item in items if isinstance(item, str)]
    empty = value == "" or (items is not None and not items) or "" in texts
    if empty or _is_empty_dictionary(value):
        return (
            "The argument is null, empty, or an element of the argument collection contains a null value. Supply a "
            "collection that does not contain any null values and then try the command again."
        )
    return None


def _is_empty_dictionary(value: Any) -> bool:
    held = value.base if isinstance(value, PSObject) else value
    return isinstance(held, PSDictionary | dict) and not len(held)


def _variable_fault(value: Any) -> str | None:
    """Refuse a name that means a drive's item rather than a variable."""
    scope, colon, _ = str(value or "").removeprefix("+").partition(":")
    if value and (not colon or scope.casefold() in _SCOPES):
        return None
    return f"{value} is not a valid variable name."


def _set_fault(item: Any, validation: Validation) -> str | None:
    text = text_of(item)
    if text.casefold() in (allowed.casefold() for allowed in validation.values):
        return None
    return (
        f'The argument "{text}" does not belong to the set "{",".join(validation.values)}" specified by the '
        "ValidateSet attribute. Supply an argument that is in the set and then try the command again."
    )


def _range_fault(item: Any, validation: Validation) -> str | None:
    if is_number(item) and validation.minimum <= item <= validation.maximum:
        return None
    if is_number(item) and item > validation.maximum:
        return f"The {item} argument is greater than the maximum allowed range of {validation.maximum}."
    return f"The {text_of(item)} argument is less than the minimum allowed range of {validation.minimum}."


def _pattern_fault(item: Any, validation: Validation) -> str | None:
    text, (pattern,) = text_of(item), validation.values
    if re.search(pattern, text):
        return None
    return (
        f'The argument "{text}" does not match the "{pattern}" pattern. Supply an argument that matches "{pattern}" '
        "and try the command again."
    )


def _length_fault(item: Any, validation: Validation) -> str | None:
    length = len(text_of(item))
    if validation.minimum <= length <= validation.maximum:
        return None
    side, limit = ("long", validation.maximum) if length > validation.maximum else ("short", validation.minimum)
    return (
        f"The character length of the {length} argument is too {side}. Specify an argument whose character length "
        f"agrees with the limit of {limit}, and then try the command again."
    )


_ITEM_FAULTS: Final = {"Set": _set_fault, "Range": _range_fault, "Pattern": _pattern_fault, "Length": _length_fault}


def _validate_mandatory(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> None:
    """Refuse null, empty texts and empty collections for a mandatory parameter that does not allow them."""
    _validate_element(value, wanted, parameter)
    if wanted.element is None or value is None:
        return
    items = as_list(value) or ()
    if not wanted.element.is_value_type:
        for item in items:
            _validate_element(item, wanted.element, parameter)
    if not items and not parameter.allows("AllowEmptyCollection"):
        kind = "Array" if wanted.is_array else "Collection"
        message = f"Cannot bind argument to parameter '{parameter.name}' because it is an empty {kind.lower()}."
        raise _refused(message, parameter, f"Empty{kind}NotAllowed")


def _validate_element(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> None:
    if value is None and not parameter.allows("AllowNull"):
        message = f"Cannot bind argument to parameter '{parameter.name}' because it is null."
        raise _refused(message, parameter, "NullNotAllowed")
    if wanted.name == STRING and value == "" and not parameter.allows("AllowEmptyString"):
        message = f"Cannot bind argument to parameter '{parameter.name}' because it is an empty string."
        raise _refused(message, parameter, "EmptyStringNotAllowed")
