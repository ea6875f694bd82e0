"""Read the records of PSRP's streams: errors with all their facts, the texts of warnings and verbose messages.

What a record lacks stays empty; a node of any age is read. Source: [MS-PSRP] 2.2.3.15 and 2.2.3.16.
"""

from __future__ import annotations

from typing import Any, Final

from cauctl.psobject import PSObject, to_python
from cauctl.psrp.pipeline import ErrorRecord

__all__ = ["error_record", "record_text"]

ERROR_CATEGORIES: Final = (
    *("NotSpecified", "OpenError", "CloseError", "DeviceError", "DeadlockDetected", "InvalidArgument", "InvalidData"),
    *("InvalidOperation", "InvalidResult", "InvalidType", "MetadataError", "NotImplemented", "NotInstalled"),
    *("ObjectNotFound", "OperationStopped", "OperationTimeout", "SyntaxError", "ParserError", "PermissionDenied"),
    *("ResourceBusy", "ResourceExists", "ResourceUnavailable", "ReadError", "WriteError", "FromStdErr"),
    *("SecurityError", "ProtocolError", "ConnectionError", "AuthenticationError", "LimitsExceeded", "QuotaExceeded"),
    "NotEnabled",
)
"""Names of System.Management.Automation.ErrorCategory by number."""


def error_record(value: Any) -> ErrorRecord:
    """Read an error record from its CLIXML object."""
    if not isinstance(value, PSObject):
        return ErrorRecord(_text(value))
    exception = value.get("Exception")
    return ErrorRecord(
        _text(value.get("ErrorDetails_Message")) or _message_of(exception) or value.text or "",
        fully_qualified_error_id=_text(value.get("FullyQualifiedErrorId")),
        category=_category(value.get("ErrorCategory_Category")),
        activity=_text(value.get("ErrorCategory_Activity")),
        reason=_text(value.get("ErrorCategory_Reason")),
        target_name=_text(value.get("ErrorCategory_TargetName")),
        target_type=_text(value.get("ErrorCategory_TargetType")),
        exception_type=_type_of(exception),
        hresult=_hresult(exception),
        script_stack_trace=_text(value.get("ErrorDetails_ScriptStackTrace")) or None,
    )


def record_text(value: Any) -> str:
    """Read the message of a warning, verbose or debug record."""
    if not isinstance(value, PSObject):
        return _text(value)
    return _text(value.get("InformationalRecord_Message")) or value.text or ""


def _text(value: Any) -> str:
    plain = to_python(value)
    if isinstance(plain, str):
        return plain
    if isinstance(value, PSObject):
        return value.text or ""
    return "" if plain is None else str(plain)


def _message_of(exception: Any) -> str:
    if not isinstance(exception, PSObject):
        return _text(exception)
    return _text(exception.get("Message")) or exception.text or ""


def _type_of(exception: Any) -> str | None:
    if not isinstance(exception, PSObject) or not exception.type_names:
        return None
    return exception.type_names[0].removeprefix("Deserialized.")


def _hresult(exception: Any) -> int | None:
    number = to_python(exception.get("HResult")) if isinstance(exception, PSObject) else None
    return number & 0xFFFF_FFFF if isinstance(number, int) else None


def _category(value: Any) -> str:
    number = to_python(value)
    if isinstance(number, int) and 0 <= number < len(ERROR_CATEGORIES):
        return ERROR_CATEGORIES[number]
    return _text(value) or ERROR_CATEGORIES[0]
