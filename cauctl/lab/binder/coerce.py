"""One argument and one parameter: conversion, required type name, validation (``ParameterBinderBase.BindParameter``).

A compiled cmdlet's argument is coerced (elements of a collection one by one, a list refused for a single value); a
function's is converted by the language first and fails with another error id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.binder.convert import ConversionError, convert, default_of, is_number, text_of
from cauctl.lab.binder.dotnet import (
    BOOLEAN,
    OBJECT,
    PSOBJECT,
    STRING,
    SWITCH,
    DotNetType,
    as_list,
    dotnet_name,
    dotnet_type,
    is_array,
    is_instance,
    unwrap,
)
from cauctl.lab.binder.errors import BindingError, Fault
from cauctl.lab.binder.validate import validate
from cauctl.psobject import PSObject
from cauctl.psobject.culture import find_culture

if TYPE_CHECKING:
    from cauctl.lab.binder.metadata import ParameterMetadata

__all__ = ["NOT_BOUND", "bind_value"]

NOT_BOUND: Final = object()
"""What :func:`bind_value` gives when a value would need conversion and none is allowed."""

SESSION_CULTURE: Final = find_culture("en-US", windows_powershell=True)
"""Culture of a node's sessions; compiled cmdlets convert by it, functions by the invariant one."""
_CREDENTIAL: Final = "System.Management.Automation.PSCredential"
_CIM: Final = "Microsoft.Management.Infrastructure."
_BY_TYPE_NAME: Final = frozenset({
    _CIM + "CimInstance", _CIM + "CimClass", _CIM + "CimSession", "System.ServiceProcess.ServiceController",
    "System.CodeDom.Compiler.CodeDomProvider", "System.CodeDom.Compiler.CompilerParameters",
    "Microsoft.WSMan.Management.SessionOption", "Microsoft.PowerShell.Commands.DnsNameRepresentation",
})  # fmt: skip
"""Classes whose objects are known by their PowerShell type names: nothing converts to them."""


def bind_value(value: Any, parameter: ParameterMetadata, *, compiled: bool, coerce: bool) -> Any:
    """Give the value that the parameter takes, or :data:`NOT_BOUND`.

    Args:
        value: what was given or piped.
        parameter: the parameter.
        compiled: whether the command is a compiled cmdlet.
        coerce: whether the value may be converted.

    Raises:
        BindingError: it does not convert, lacks the type name, or is not valid.
    """
    wanted, type_name = _wanted(parameter)
    if coerce:
        bound = _coerced(value, wanted, parameter, compiled=compiled or parameter.common)
    else:
        bound = _uncoerced(value, wanted, parameter)
        if bound is NOT_BOUND:
            return NOT_BOUND
    if type_name is not None and bound is not None:
        items = as_list(bound)
        for item in [bound] if items is None else items:
            _check_type_name(item, type_name, parameter, coerce=coerce)
    validate(bound, wanted, parameter)
    if bound is None and wanted.is_value_type:
        raise BindingError(
            f'Cannot bind parameter \'{parameter.name}\' to the target. Exception setting "{parameter.name}": "Cannot '
            f'convert null to type "{wanted.name}"."',
            error_id="ParameterBindingFailed",
            category="WriteError",
            parameter=parameter.name,
        )
    return bound


def _wanted(parameter: ParameterMetadata) -> tuple[DotNetType, str | None]:
    """Give the type that a value must have, and the PowerShell type name that it must carry."""
    wanted = dotnet_type(parameter.type)
    element = wanted.element if wanted.is_array and wanted.element is not None else wanted
    if element.name not in _BY_TYPE_NAME:
        return wanted, parameter.type_name
    stand_in = dotnet_type(PSOBJECT + ("[]" if wanted.is_array else ""))
    if element.name == _CIM + "CimSession" and not any(found.by_value for found in parameter.sets):
        return stand_in, None  # a computer name becomes a session
    return stand_in, parameter.type_name or element.name


def _check_type_name(value: Any, wanted: str, parameter: ParameterMetadata, *, coerce: bool) -> None:
    if value is None:
        return
    names = value.ps_type_names if isinstance(value, PSObject) else (dotnet_name(value),)
    if wanted.casefold() in (name.casefold() for name in names):
        return
    raise BindingError(
        f"Cannot bind argument to parameter '{parameter.name}', because PSTypeNames of the argument do not match the "
        f"PSTypeName required by the parameter: {wanted}.",
        error_id="MismatchedPSTypeName",
        fault=Fault.TRANSFORMATION if coerce else Fault.BINDING,
        parameter=parameter.name,
        failed_cast=True,
    )


def _uncoerced(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> Any:
    """Take a value as it is if its type allows it."""
    if value is None:
        return NOT_BOUND if wanted.is_value_type or wanted.name == STRING else None
    if wanted.takes_raw:
        return _fill_raw(value, wanted, parameter)
    for form in (value, unwrap(value)):
        if is_instance(form, wanted):
            return _plain(form, wanted)
    return NOT_BOUND if wanted.element is None else _uncoerced_items(value, wanted.element)


def _uncoerced_items(value: Any, wanted: DotNetType) -> Any:
    """Take the items of a collection, or one value for it, if each fits."""
    items = as_list(value)
    elements = [value] if items is None else items
    if all(item is None or is_instance(item, wanted) or is_instance(unwrap(item), wanted) for item in elements):
        return [_plain(item, wanted) for item in elements]
    return NOT_BOUND


def _fill_raw(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> list[str | None]:
    """Fill a collection that knows no element type: what it cannot hold is refused, not converted."""
    items = as_list(value)
    filled: list[str | None] = []
    for item in [value] if items is None else items:
        plain = unwrap(item)
        if plain is not None and (not isinstance(plain, str) or dotnet_name(plain) != STRING):
            raise _not_supported(item, wanted, parameter, "Unable to cast object to type 'System.String'.")
        filled.append(plain)
    return filled


def _plain(value: Any, wanted: DotNetType) -> Any:
    """Give a value in the form that handlers see: switches, enums and lists are Python's."""
    if wanted.element is not None or wanted.name in {BOOLEAN, SWITCH, STRING} or wanted.enum is not None:
        return None if value is None else convert(value, wanted)
    return value


def _coerced(value: Any, wanted: DotNetType, parameter: ParameterMetadata, *, compiled: bool) -> Any:
    if parameter.credential and value is not None:
        value = _credential(value, parameter)
    if compiled:
        return _coerce(value, wanted, parameter)
    try:
        return _transform(value, wanted)
    except ConversionError as error:
        raise BindingError(
            f"Cannot process argument transformation on parameter '{parameter.name}'. {error}",
            error_id="ParameterArgumentTransformationError",
            category="InvalidData",
            fault=Fault.TRANSFORMATION,
            parameter=parameter.name,
            failed_cast=True,
        ) from None


def _credential(value: Any, parameter: ParameterMetadata) -> Any:
    """Take a credential; a user name alone would make PowerShell ask for the password, which nobody can answer."""
    if isinstance(value, PSObject) and value.is_a(parameter.type):
        return value
    raise BindingError(
        f"Cannot process argument transformation on parameter '{parameter.name}'. A command that prompts the user "
        "failed because the host program or the command type does not support user interaction.",
        error_id="ParameterArgumentTransformationError",
        category="InvalidData",
        fault=Fault.TRANSFORMATION,
        parameter=parameter.name,
    )


def _transform(value: Any, wanted: DotNetType) -> Any:
    """Convert for a function: by the language, but no array to a text and nothing but numbers to a truth."""
    if wanted.name == STRING and is_array(value):
        raise ConversionError("Cannot convert value to type System.String.")
    _check_truth(value, wanted)
    if wanted.element is not None:
        items = as_list(value)
        for item in [value] if items is None else items:
            _check_truth(item, wanted.element)
    return convert(value, wanted)


def _check_truth(value: Any, wanted: DotNetType) -> None:
    truth = wanted.nullable or wanted
    if truth.name not in {BOOLEAN, SWITCH} or (value is None and wanted.name != BOOLEAN):
        return
    plain = unwrap(value)
    allowed = isinstance(plain, bool) or is_number(plain) or (value is not None and dotnet_name(value) == SWITCH)
    if not allowed:
        actual = "null" if value is None else dotnet_name(value)
        raise ConversionError(
            f'Cannot convert value "{actual}" to type "{wanted.name}". Boolean parameters accept only Boolean values '
            "and numbers, such as $True, $False, 1 or 0."
        )


def _coerce(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> Any:
    """Coerce for a compiled cmdlet."""
    if value is None:
        return _coerce_null(wanted, parameter)
    if wanted.name in {BOOLEAN, SWITCH}:
        return _coerce_truth(value, wanted, parameter)
    if wanted.element is not None:
        return _coerce_items(value, wanted, parameter)
    if is_instance(value, wanted) or _constructs(value, wanted):
        return _plain(value, wanted)
    if wanted.nullable is not None and wanted.nullable.name == BOOLEAN:
        return _coerce_truth(value, wanted, parameter)
    if as_list(value) is not None and wanted.name not in {OBJECT, PSOBJECT} and wanted.enum is None:
        raise _not_supported(value, wanted, parameter, "Specified method is not supported.")
    try:
        return convert(value, wanted, culture=SESSION_CULTURE)
    except ConversionError as error:
        raise BindingError(
            f"Cannot bind parameter '{parameter.name}'. {error}",
            error_id="CannotConvertArgumentNoMessage",
            parameter=parameter.name,
            failed_cast=True,
        ) from None


def _coerce_items(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> list[Any]:
    """Fill a collection, item by item."""
    if wanted.takes_raw or wanted.element is None:
        return _fill_raw(value, wanted, parameter)
    items = as_list(value)
    return [_coerce_element(item, wanted.element, parameter) for item in ([value] if items is None else items)]


def _constructs(value: Any, wanted: DotNetType) -> bool:
    """Tell whether the class has a constructor for any object with properties."""
    return wanted.name == _CREDENTIAL and isinstance(value, PSObject) and value.base is None


def _coerce_element(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> Any:
    """Coerce an item of a collection; null in an array of a value type becomes the type's default."""
    if value is None and wanted.is_value_type and wanted.name != BOOLEAN:
        return default_of(wanted)
    return _coerce(value, wanted, parameter)


def _coerce_null(wanted: DotNetType, parameter: ParameterMetadata) -> Any:
    if wanted.name == SWITCH:
        return True  # its name alone is enough
    if wanted.name == BOOLEAN:
        raise BindingError(
            f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
            error_id="ParameterArgumentValidationErrorNullNotAllowed",
            parameter=parameter.name,
        )
    return None


def _coerce_truth(value: Any, wanted: DotNetType, parameter: ParameterMetadata) -> bool:
    """Take a boolean, a switch or a number; anything else is refused."""
    plain = unwrap(value)
    if isinstance(plain, bool):
        return plain
    if dotnet_name(value) == SWITCH:
        return bool(convert(value, dotnet_type(SWITCH)))
    if is_number(plain):
        return bool(plain)
    raise _not_supported(value, wanted, parameter, "")


def _not_supported(value: Any, wanted: DotNetType, parameter: ParameterMetadata, reason: str) -> BindingError:
    shown = dotnet_name(value) if wanted.name in {BOOLEAN, SWITCH} else text_of(value)
    return BindingError(
        f"Cannot convert '{shown}' to the type '{wanted.name}' required by parameter '{parameter.name}'. {reason}",
        error_id="CannotConvertArgument",
        parameter=parameter.name,
    )
