"""Records of PowerShell's other streams as objects of the wire (MS-PSRP 2.2.3.15 to 2.2.3.17, 2.2.2.25 ff.).

Property names and order are those of recorded sessions with Windows PowerShell 5.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.psobject import DateTime, Int64, PSDictionary, PSObject, UInt32, array, enum_value, type_name

if TYPE_CHECKING:
    from datetime import datetime

    from cauctl.lab.dispatch import CommandError

__all__ = ["CATEGORIES", "Invocation", "error_record", "information_record", "message_record", "progress_record"]

_CATEGORY_NAMES: Final = """
    NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation
    InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped
    OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable
    ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError LimitsExceeded
    QuotaExceeded NotEnabled
"""
CATEGORIES: Final = {name: number for number, name in enumerate(_CATEGORY_NAMES.split())}
"""Numbers of System.Management.Automation.ErrorCategory."""

_AUTOMATION: Final = "System.Management.Automation."
_RUNTIME_EXCEPTION: Final = _AUTOMATION + "RuntimeException"
_PARENTS: Final = {
    _AUTOMATION + "ParameterBindingValidationException": _AUTOMATION + "ParameterBindingException",
    _AUTOMATION + "ParameterBindingArgumentTransformationException": _AUTOMATION + "ParameterBindingException",
    _AUTOMATION + "ParameterBindingException": _RUNTIME_EXCEPTION,
    _AUTOMATION + "CommandNotFoundException": _RUNTIME_EXCEPTION,
    _AUTOMATION + "ItemNotFoundException": _AUTOMATION + "SessionStateException",
    _AUTOMATION + "ProviderNotFoundException": _AUTOMATION + "SessionStateException",
    _AUTOMATION + "SessionStateException": _RUNTIME_EXCEPTION,
    _AUTOMATION + "PipelineStoppedException": _RUNTIME_EXCEPTION,
    _AUTOMATION + "ParseException": _RUNTIME_EXCEPTION,
    _AUTOMATION + "RemoteException": _RUNTIME_EXCEPTION,
    _RUNTIME_EXCEPTION: "System.SystemException",
    "Microsoft.PowerShell.Commands.WriteErrorException": "System.SystemException",
    "System.Management.Automation.PSInvalidOperationException": "System.InvalidOperationException",
    "System.InvalidOperationException": "System.SystemException",
    "System.ArgumentException": "System.SystemException",
    "System.UnauthorizedAccessException": "System.SystemException",
    "System.SystemException": "System.Exception",
}
_E_SYSTEM: Final = -2146233087
_E_EXCEPTION: Final = -2146233088
_TARGET_SHOWN: Final = 40
_HALF_SHOWN: Final = 15
_MSCORLIB: Final = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_STRING: Final = f"[System.String, {_MSCORLIB}]"
_ANY: Final = f"[System.Object, {_MSCORLIB}]"
_BOUND_PARAMETERS: Final = (f"System.Collections.Generic.Dictionary`2[{_STRING},{_ANY}]", "System.Object")
_STRING_LIST: Final = (f"System.Collections.Generic.List`1[{_STRING}]", "System.Object")
_OBJECT_LIST: Final = (f"System.Collections.Generic.List`1[{_ANY}]", "System.Object")


@frozen
class Invocation:
    """The command that writes a record."""

    command: str = ""
    error_class: str = field(default="", kw_only=True)
    """What follows the comma in FullyQualifiedErrorId."""


def exception_type_names(name: str) -> tuple[str, ...]:
    """Give an exception's type names, most derived first, as far as its ancestry is known."""
    chain = [name]
    while chain[-1] in _PARENTS:
        chain.append(_PARENTS[chain[-1]])
    if chain[-1] != "System.Exception":
        chain.append("System.Exception")
    return (*chain, "System.Object")


def error_record(error: CommandError, invocation: Invocation, *, write_error_stream: bool) -> PSObject:
    """Make the ErrorRecord of an error.

    Args:
        error: what happened.
        invocation: who says so.
        write_error_stream: whether it goes to the error stream rather than into a pipeline's end.
    """
    reason = error.exception_type.rpartition(".")[2]
    target_name, target_type = _target(error)
    shown = f"{error.category}: ({_shortened(target_name)}:{target_type}) [{invocation.command}], {reason}"
    properties: dict[str, Any] = {"writeErrorStream": True} if write_error_stream else {}
    properties |= {
        "Exception": _exception(error),
        "TargetObject": error.target,
        "FullyQualifiedErrorId": full_error_id(error.error_id, invocation),
        "InvocationInfo": _invocation_info(invocation),
        "ErrorCategory_Category": CATEGORIES.get(error.category, 0),
        "ErrorCategory_Activity": invocation.command,
        "ErrorCategory_Reason": reason,
        "ErrorCategory_TargetName": target_name,
        "ErrorCategory_TargetType": target_type,
        "ErrorCategory_Message": shown,
        "SerializeExtendedInfo": False,
    }
    return PSObject(type_names=(_AUTOMATION + "ErrorRecord", "System.Object"), text=error.message, extended=properties)


def full_error_id(error_id: str, invocation: Invocation) -> str:
    """Complete an error id with the class of the command, as ``Cmdlet.ThrowTerminatingError`` does."""
    if "," in error_id or not invocation.error_class:
        return error_id.removesuffix(",")
    return f"{error_id},{invocation.error_class}"


def _exception(error: CommandError) -> PSObject:
    names = exception_type_names(error.exception_type)
    hresult = error.hresult
    if hresult is None:
        hresult = _E_SYSTEM if "System.SystemException" in names else _E_EXCEPTION
    signed = hresult - (1 << 32) if hresult >= 1 << 31 else hresult
    return PSObject(
        type_names=names,
        text=f"{error.exception_type}: {error.message}",
        adapted={
            "Message": error.message,
            "Data": PSObject(PSDictionary(), type_names=("System.Collections.ListDictionaryInternal", "System.Object")),
            "InnerException": None,
            "TargetSite": None,
            "StackTrace": None,
            "HelpLink": None,
            "Source": None,
            "HResult": signed,
        },
    )


def _target(error: CommandError) -> tuple[str, str]:
    """Name the target as CategoryInfo shows it, and its type without namespace."""
    target = error.target
    if target is None:
        return "", error.target_type or ""
    if isinstance(target, PSObject):
        full = target.type_names[0] if target.type_names else "PSObject"
        return target.text or full, error.target_type or full.rpartition(".")[2]
    full = type_name(target) or "System.Object"
    return str(target), error.target_type or full.rpartition(".")[2]


def _shortened(text: str) -> str:
    if len(text) <= _TARGET_SHOWN:
        return text
    return f"{text[:_HALF_SHOWN]}...{text[-_HALF_SHOWN:]}"


def _invocation_info(invocation: Invocation) -> PSObject:
    return PSObject(
        type_names=(_AUTOMATION + "InvocationInfo", "System.Object"),
        text=_AUTOMATION + "InvocationInfo",
        adapted={
            "MyCommand": invocation.command or None,
            "BoundParameters": PSObject(PSDictionary(), type_names=_BOUND_PARAMETERS),
            "UnboundArguments": array((), type_names=_OBJECT_LIST),
            "ScriptLineNumber": 0,
            "OffsetInLine": 0,
            "HistoryId": Int64(1),
            "ScriptName": "",
            "Line": "",
            "PositionMessage": "",
            "PSScriptRoot": "",
            "PSCommandPath": None,
            "InvocationName": invocation.command,
            "PipelineLength": 0,
            "PipelinePosition": 0,
            "ExpectingInput": False,
            "CommandOrigin": "Internal",
            "DisplayScriptPosition": None,
        },
    )


def message_record(kind: str, text: str) -> PSObject:
    """Make a record of a text stream; ``kind`` is Warning, Verbose or Debug."""
    return PSObject(
        type_names=(f"{_AUTOMATION}{kind}Record", _AUTOMATION + "InformationalRecord", "System.Object"),
        text=text,
        extended={
            "InformationalRecord_Message": text,
            "InformationalRecord_SerializeInvocationInfo": False,
            "InformationalRecord_PipelineIterationInfo": None,
        },
    )


def information_record(text: str, *, source: str, user: str, computer: str, now: datetime) -> PSObject:
    """Make a record of the information stream."""
    return PSObject(
        extended={
            "MessageData": text,
            "Source": source,
            "TimeGenerated": DateTime.from_python(now),
            "Tags": array((), type_names=_STRING_LIST),
            "User": user,
            "Computer": computer,
            "ProcessId": UInt32(0),
            "NativeThreadId": UInt32(0),
            "ManagedThreadId": UInt32(0),
        },
    )


def progress_record(activity: str, *, status: str, percent: int, done: bool) -> PSObject:
    """Make a progress record."""
    kind = ("Completed", 1) if done else ("Processing", 0)
    return PSObject(
        extended={
            "Activity": activity,
            "ActivityId": 0,
            "StatusDescription": status,
            "CurrentOperation": None,
            "ParentActivityId": -1,
            "PercentComplete": percent,
            "Type": enum_value(_AUTOMATION + "ProgressRecordType", *kind),
            "SecondsRemaining": -1,
        },
    )
