"""How a call that does not bind is refused: PowerShell's error records."""

from __future__ import annotations

from enum import Enum
from typing import Any

from cauctl.lab.dispatch import CommandError

__all__ = ["BindingError", "Fault", "ambiguous_set", "input_error", "missing_mandatory"]

_AUTOMATION = "System.Management.Automation."


class Fault(Enum):
    """Kinds of binding errors, which decide whether another parameter may still take the value."""

    BINDING = "ParameterBindingException"
    VALIDATION = "ParameterBindingValidationException"
    TRANSFORMATION = "ParameterBindingArgumentTransformationException"


class BindingError(CommandError):
    """A call or a piped object does not bind.

    Args:
        message: PowerShell's sentence.
        error_id: first part of the FullyQualifiedErrorId.
        category: error category.
        fault: kind of exception.
        parameter: name of the parameter concerned, if any.
        failed_cast: the fault is a cast that PowerShell would try otherwise for a piped object.
    """

    def __init__(  # noqa: PLR0913  an error record has these fields
        self,
        message: str,
        *,
        error_id: str,
        category: str = "InvalidArgument",
        fault: Fault = Fault.BINDING,
        parameter: str | None = None,
        failed_cast: bool = False,
        target: Any = None,
    ) -> None:
        super().__init__(
            message,
            error_id=error_id,
            category=category,
            exception_type=_AUTOMATION + fault.value,
            target=target,
        )
        self.fault = fault
        self.parameter = parameter
        self.failed_cast = failed_cast


def ambiguous_set() -> BindingError:
    """Refuse a call that fits no parameter set, or several."""
    return BindingError(
        "Parameter set cannot be resolved using the specified named parameters. One or more parameters issued cannot "
        "be used together or an insufficient number of parameters were provided.",
        error_id="AmbiguousParameterSet",
    )


def missing_mandatory(names: list[str]) -> BindingError:
    """Refuse a call without its mandatory parameters; a remote session cannot ask for them."""
    shown = " ".join(names)
    return BindingError(
        f"Cannot process command because of one or more missing mandatory parameters: {shown}.",
        error_id="MissingMandatoryParameter",
        parameter=shown,
    )


def input_error(value: Any, missing: list[str]) -> BindingError:
    """Refuse a piped object that binds to nothing, or leaves mandatory parameters open."""
    if missing:
        return BindingError(
            "The input object cannot be bound because it did not contain the information required to bind all "
            f"mandatory parameters:  {' '.join(missing)}",
            error_id="InputObjectMissingMandatory",
            parameter=" ".join(missing),
            target=value,
        )
    return BindingError(
        "The input object cannot be bound to any parameters for the command either because the command does not take "
        "pipeline input or the input and its properties do not match any of the parameters that take pipeline input.",
        error_id="InputObjectNotBound",
        target=value,
    )
