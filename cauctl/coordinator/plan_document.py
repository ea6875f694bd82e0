"""Plans as JSON documents and back, as ``plan.schema.json`` describes them.

Names are the fields' own, moments ISO 8601 with their zone, durations seconds, enums by name. Reading is strict: what
this version does not know is refused with its place in the document.
"""

from __future__ import annotations

import json
from typing import Final

from cattrs import BaseValidationError, transform_error

from cauctl.coordinator.codec import strict_converter
from cauctl.coordinator.plan import Plan
from cauctl.errors import InputError

__all__ = ["PLAN_VERSION", "read_plan", "write_plan"]

PLAN_VERSION: Final = 1
"""Grows with every change after which older documents can no longer be read."""


def write_plan(plan: Plan) -> str:
    """Give a plan as JSON text."""
    predicted = plan.predicted.total_seconds() if plan.predicted is not None else None
    document = {"version": PLAN_VERSION, **_converter.unstructure(plan), "predicted": predicted}
    return json.dumps(document, indent=2, ensure_ascii=False)


def read_plan(text: str, *, source: str = "plan") -> Plan:
    """Read a plan.

    Args:
        text: the JSON text.
        source: name of the file, for messages.

    Raises:
        InputError: it is no JSON, of another version, or a value is not as the schema says; the message says where.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"is no JSON: {error.msg}.", where=source, line=error.lineno, column=error.colno, expected="a saved plan"
        ) from error
    if not isinstance(document, dict) or document.pop("version", None) != PLAN_VERSION:
        raise InputError(
            "is no plan of this version", where=source, expected=f"an object whose version is {PLAN_VERSION}"
        )
    document.pop("predicted", None)  # a sum of what stands in the steps
    try:
        return _converter.structure(document, Plan)
    except BaseValidationError as error:
        faults = "; ".join(transform_error(error, path="plan"))
        raise InputError(faults, where=source, expected="what plan.schema.json describes") from error


_converter = strict_converter(omit_defaults=False, detailed=True)
