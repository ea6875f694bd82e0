"""SOAP faults of Windows' WS-Management service, with Windows' codes and words.

Codes are those of wsmerror.h (public in the Windows SDK); a client tells situations apart by them, so each fault that
the service can give is made here and nowhere else.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "WSManFault",
    "aborted",
    "access_denied",
    "action_not_supported",
    "command_exists",
    "command_not_found",
    "internal_error",
    "invalid_fragment",
    "resource_not_served",
    "schema_violation",
    "shell_disconnected",
    "shell_not_found",
    "timed_out",
    "too_many_commands",
    "too_many_shells",
]

_UNEXPECTED_SELECTORS: Final = 0x8033805B
_QUOTA_SHELLS: Final = 0x803381E4
_QUOTA_COMMANDS: Final = 0x803381E9


class WSManFault(Exception):  # noqa: N818  MS-WSMV calls it a fault
    """What a node answers instead of what was asked.

    Args:
        code: the error code, unsigned 32 bits.
        subcode: qualified name below ``s:Code``.
        reason: the sentence a person reads.
        sender: whether the request is to blame (``s:Sender``), else the node (``s:Receiver``).
        detail: URI of ``w:FaultDetail``.
    """

    def __init__(
        self, code: int, subcode: str, reason: str, *, sender: bool = False, detail: str | None = None
    ) -> None:
        super().__init__(reason)
        self.code, self.subcode, self.reason, self.sender, self.detail = code, subcode, reason, sender, detail


def timed_out() -> WSManFault:
    """Tell a Receive that nothing came within its OperationTimeout; the client asks again."""
    return WSManFault(
        0x80338029,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
    )


def shell_not_found(shell_id: str) -> WSManFault:
    """Refuse a shell that never was, was deleted, timed out, or died with a restart."""
    return WSManFault(
        _UNEXPECTED_SELECTORS,
        "w:InvalidSelectors",
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found on "
        "the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the "
        "server. Provide the correct ShellId or create a new shell and retry the operation.",
        sender=True,
        detail="http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/UnexpectedSelectors",
    )


def command_not_found() -> WSManFault:
    """Refuse a command identifier that the shell does not know."""
    return WSManFault(
        _UNEXPECTED_SELECTORS,
        "w:InvalidSelectors",
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not "
        "exist. Either the command has completed execution or the client specified an invalid command identifier.",
        sender=True,
        detail="http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/UnexpectedSelectors",
    )


def shell_disconnected() -> WSManFault:
    """Refuse an operation on a shell that its client has disconnected."""
    return WSManFault(
        0x803381DE,
        "w:InternalError",
        "The WS-Management service cannot process the request because the shell is disconnected. Connect to the shell "
        "and retry the operation.",
    )


def aborted() -> WSManFault:
    """End what was waiting when its shell or the node goes away (ERROR_OPERATION_ABORTED)."""
    return WSManFault(
        995,
        "w:InternalError",
        "The I/O operation has been aborted because of either a thread exit or an application request.",
    )


def too_many_shells(limit: int) -> WSManFault:
    """Refuse a shell beyond MaxShellsPerUser."""
    return WSManFault(
        _QUOTA_SHELLS,
        "w:QuotaLimit",
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
    )


def too_many_commands() -> WSManFault:
    """Refuse a command beyond MaxConcurrentCommandsPerShell; finished ones count until they are closed."""
    return WSManFault(
        _QUOTA_COMMANDS,
        "w:InternalError",
        "The WS-Management service cannot process the request. The maximum number of concurrent commands per shell has "
        "been exceeded. Retry the request later or raise the Maximum Commands per Shell quota.",
    )


def command_exists(command_id: str) -> WSManFault:
    """Refuse a command identifier that is in use: the same request sent twice runs once."""
    return WSManFault(
        0x80338000, "w:AlreadyExists", f"The command identifier {command_id} is in use already.", sender=True
    )


def schema_violation(what: str) -> WSManFault:
    """Refuse an envelope that is not what WS-Management expects."""
    return WSManFault(
        0x8033800F, "w:SchemaValidationError", f"The SOAP XML does not match the schema: {what}", sender=True
    )


def action_not_supported(action: str) -> WSManFault:
    """Refuse an action that no shell has."""
    return WSManFault(
        0x80338001,
        "a:ActionNotSupported",
        f"The WS-Management service does not support the action {action}.",
        sender=True,
    )


def resource_not_served(uri: str) -> WSManFault:
    """Refuse a resource that is no PowerShell session configuration of this node."""
    return WSManFault(
        0x80338131,
        "w:InvalidResourceURI",
        f"The WS-Management service cannot process the request. Cannot find the {uri} session configuration in the "
        "WSMan: drive on this computer.",
        sender=True,
    )


def access_denied() -> WSManFault:
    """Refuse an account that a session configuration does not admit (ERROR_ACCESS_DENIED)."""
    return WSManFault(5, "w:AccessDenied", "Access is denied.", sender=True)


def internal_error(what: str) -> WSManFault:
    """Say that the node itself failed."""
    return WSManFault(0x80338104, "w:InternalError", what)


def invalid_fragment(what: str) -> WSManFault:
    """Refuse PSRP data that cannot be read."""
    return WSManFault(
        0x80338104, "w:InternalError", f"The WSMan provider host process did not return a proper response: {what}"
    )
