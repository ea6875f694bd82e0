"""Error codes of Windows Update, servicing and Windows by name, with what to do about each.

A code is a signed 32-bit number in .NET objects and is shown to people as eight hexadecimal digits; :func:`unsigned`
and :func:`signed` convert. The table holds the codes that updating nodes meets; any other code still has its digits.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HRESULTS", "HResult", "Remedy", "hex_code", "hresult", "signed", "unsigned"]


class Remedy(Enum):
    """What helps; the value is advice in a sentence."""

    NONE = "Nothing needs to be done."
    RESTART = "Restart the node, then try again."
    RETRY = "Wait and try again."
    WAIT = "The node is about to restart by another hand; wait until it is back."
    CONFIGURE = "An administrator must change a setting first."
    REPAIR = "Repair the component store of the node (DISM /Online /Cleanup-Image /RestoreHealth)."
    INSPECT = "Look into the logs of the node (CBS.log, WindowsUpdate.log) for the error behind this one."
    SKIP = "Leave this update out; it cannot be installed unattended here."
    CORRECT = "Correct the QueryString that was given: it is not what a search of Windows Update accepts."
    REPORT = "The request was not as Windows Update needs it; please report this as a defect."


@frozen
class HResult:
    """One code."""

    code: int
    """Unsigned 32-bit number."""
    name: str = field(kw_only=True)
    """Symbol in the Windows headers."""
    meaning: str = field(kw_only=True)
    """What it says, in a few words."""
    remedy: Remedy = field(kw_only=True)
    """What helps."""


_TABLE: Final[tuple[tuple[int, str, str, Remedy], ...]] = (
    (0x00240001, "WU_S_SERVICE_STOP", "the agent stopped cleanly during the call", Remedy.RETRY),
    (0x00240003, "WU_S_UPDATE_ERROR", "the call finished, some updates failed", Remedy.INSPECT),
    (0x00240005, "WU_S_REBOOT_REQUIRED", "done, a restart completes it", Remedy.RESTART),
    (0x00240006, "WU_S_ALREADY_INSTALLED", "already installed", Remedy.NONE),
    (0x00240008, "WU_S_ALREADY_DOWNLOADED", "already downloaded", Remedy.NONE),
    (0x00242015, "WU_S_UH_INSTALLSTILLPENDING", "the installation is still running", Remedy.RETRY),
    (0x80240004, "WU_E_NOT_INITIALIZED", "the agent is not ready yet", Remedy.RETRY),
    (0x80240009, "WU_E_OPERATIONINPROGRESS", "another search or installation holds the agent", Remedy.RETRY),
    (0x8024000B, "WU_E_CALL_CANCELLED", "the call was cancelled", Remedy.RETRY),
    (0x8024000E, "WU_E_XML_INVALID", "the metadata of the update is damaged", Remedy.SKIP),
    (0x80240016, "WU_E_INSTALL_NOT_ALLOWED", "another installation runs or a restart is pending", Remedy.RESTART),
    (0x80240017, "WU_E_NOT_APPLICABLE", "not for this machine", Remedy.NONE),
    (0x80240018, "WU_E_NO_USERTOKEN", "the caller has no usable token", Remedy.REPORT),
    (0x80240019, "WU_E_EXCLUSIVE_INSTALL_CONFLICT", "an exclusive update came in a group", Remedy.REPORT),
    (0x8024001B, "WU_E_SELFUPDATE_IN_PROGRESS", "the agent updates itself", Remedy.RETRY),
    (0x8024001E, "WU_E_SERVICE_STOP", "the service or the system goes down", Remedy.RETRY),
    (0x8024001F, "WU_E_NO_CONNECTION", "no network connection", Remedy.RETRY),
    (0x80240020, "WU_E_NO_INTERACTIVE_USER", "needs somebody logged on", Remedy.SKIP),
    (0x80240021, "WU_E_TIME_OUT", "the agent ran out of time", Remedy.RETRY),
    (0x80240022, "WU_E_ALL_UPDATES_FAILED", "every update failed", Remedy.INSPECT),
    (0x80240023, "WU_E_EULAS_DECLINED", "a licence was not accepted", Remedy.CONFIGURE),
    (0x80240024, "WU_E_NO_UPDATE", "nothing to do", Remedy.NONE),
    (0x8024002E, "WU_E_WU_DISABLED", "policy forbids an unmanaged update server", Remedy.CONFIGURE),
    (0x80240032, "WU_E_INVALID_CRITERIA", "the search text is wrong", Remedy.CORRECT),
    (0x80240034, "WU_E_DOWNLOAD_FAILED", "the download failed", Remedy.RETRY),
    (0x80240037, "WU_E_NOT_SUPPORTED", "not offered on this edition", Remedy.CONFIGURE),
    (0x80240042, "WU_E_UNKNOWN_SERVICE", "the update service is not registered", Remedy.CONFIGURE),
    (0x80240044, "WU_E_PER_MACHINE_UPDATE_ACCESS_DENIED", "not an administrator, or a remote token", Remedy.REPORT),
    (0x8024004A, "WU_E_SETUP_IN_PROGRESS", "setup of the operating system runs", Remedy.RETRY),
    (0x80240438, "WU_E_PT_ENDPOINT_UNREACHABLE", "no way to the update server", Remedy.CONFIGURE),
    (0x80240FFF, "WU_E_UNEXPECTED", "an error without a name of its own", Remedy.RETRY),
    (0x80242006, "WU_E_UH_INVALIDMETADATA", "the update cache of the node is damaged", Remedy.REPAIR),
    (0x80242007, "WU_E_UH_INSTALLERHUNG", "the installer passed its time limit", Remedy.RETRY),
    (0x8024200B, "WU_E_UH_INSTALLERFAILURE", "the installer reported an error", Remedy.INSPECT),
    (0x8024200D, "WU_E_UH_NEEDANOTHERDOWNLOAD", "the files must be fetched again", Remedy.RETRY),
    (0x80242014, "WU_E_UH_POSTREBOOTSTILLPENDING", "the work after the restart is not done", Remedy.RESTART),
    (0x80242015, "WU_E_UH_POSTREBOOTRESULTUNKNOWN", "the result was lost in the restart", Remedy.RETRY),
    (0x80242016, "WU_E_UH_POSTREBOOTUNEXPECTEDSTATE", "rolled back during the restart", Remedy.REPAIR),
    (0x80242017, "WU_E_UH_NEW_SERVICING_STACK_REQUIRED", "needs a newer servicing stack first", Remedy.RETRY),
    (0x8024201D, "WU_E_UH_HANDLER_DISABLEDUNTILREBOOT", "the installer is off until a restart", Remedy.RESTART),
    (0x80244007, "WU_E_PT_SOAPCLIENT_SOAPFAULT", "the update server answered with a fault", Remedy.RETRY),
    (0x80244010, "WU_E_PT_EXCEEDED_MAX_SERVER_TRIPS", "the catalogue is too large for one search", Remedy.RETRY),
    (0x80244011, "WU_E_PT_SUS_SERVER_NOT_SET", "no update server is set by policy", Remedy.CONFIGURE),
    (0x80244017, "WU_E_PT_HTTP_STATUS_DENIED", "the update server refuses (HTTP 401)", Remedy.CONFIGURE),
    (0x80244018, "WU_E_PT_HTTP_STATUS_FORBIDDEN", "the update server refuses (HTTP 403)", Remedy.CONFIGURE),
    (0x80244019, "WU_E_PT_HTTP_STATUS_NOT_FOUND", "the update server lacks the file (HTTP 404)", Remedy.CONFIGURE),
    (0x8024401B, "WU_E_PT_HTTP_STATUS_PROXY_AUTH_REQ", "the proxy wants a login (HTTP 407)", Remedy.CONFIGURE),
    (0x8024401C, "WU_E_PT_HTTP_STATUS_REQUEST_TIMEOUT", "the update server timed out (HTTP 408)", Remedy.RETRY),
    (0x8024401F, "WU_E_PT_HTTP_STATUS_SERVER_ERROR", "the update server failed (HTTP 500)", Remedy.RETRY),
    (0x80244022, "WU_E_PT_HTTP_STATUS_SERVICE_UNAVAIL", "the update server is overloaded (HTTP 503)", Remedy.RETRY),
    (0x80244023, "WU_E_PT_HTTP_STATUS_GATEWAY_TIMEOUT", "the gateway timed out (HTTP 504)", Remedy.RETRY),
    (0x8024402C, "WU_E_PT_WINHTTP_NAME_NOT_RESOLVED", "the name of server or proxy is not known", Remedy.CONFIGURE),
    (0x8024500C, "WU_E_REDIRECTOR_CONNECT_POLICY", "policy forbids update servers of the Internet", Remedy.CONFIGURE),
    (0x80246007, "WU_E_DM_NOTDOWNLOADED", "installation was asked before the download", Remedy.REPORT),
    (0x80246017, "WU_E_DM_UNAUTHORIZED_LOCAL_USER", "the account may not download", Remedy.REPORT),
    (0x8024A004, "WU_E_AU_PAUSED", "automatic updates are paused", Remedy.CONFIGURE),
    (0x8024A007, "WU_E_REBOOT_IN_PROGRESS", "the machine restarts", Remedy.WAIT),
    (0x8024A10A, "USO_E_SERVICE_SHUTTING_DOWN", "the update orchestrator goes idle", Remedy.RETRY),
    (0x8024E007, "WU_E_EE_CLUSTER_ERROR", "the state of the cluster could not be read", Remedy.RETRY),
    (0x80070005, "E_ACCESSDENIED", "access denied", Remedy.CONFIGURE),
    (0x8007000D, "ERROR_INVALID_DATA", "the files of the update are damaged", Remedy.RETRY),
    (0x80070070, "ERROR_DISK_FULL", "no space on the disk", Remedy.CONFIGURE),
    (0x80070422, "ERROR_SERVICE_DISABLED", "the Windows Update service is disabled", Remedy.CONFIGURE),
    (0x8007045B, "ERROR_SHUTDOWN_IN_PROGRESS", "the machine shuts down", Remedy.WAIT),
    (0x80070643, "ERROR_INSTALL_FAILURE", "the installer failed", Remedy.INSPECT),
    (0x800706BA, "RPC_S_SERVER_UNAVAILABLE", "a service does not answer", Remedy.RETRY),
    (0x800706BE, "RPC_S_CALL_FAILED", "a service ended during the call", Remedy.RETRY),
    (0x80070BC9, "ERROR_FAIL_REBOOT_REQUIRED", "failed, and a restart must undo it", Remedy.RESTART),
    (0x80072EE2, "ERROR_INTERNET_TIMEOUT", "the network timed out", Remedy.RETRY),
    (0x80072EFD, "ERROR_INTERNET_CANNOT_CONNECT", "the server cannot be reached", Remedy.RETRY),
    (0x80072EFE, "ERROR_INTERNET_CONNECTION_ABORTED", "the connection was cut", Remedy.RETRY),
    (0x80073712, "ERROR_SXS_COMPONENT_STORE_CORRUPT", "the component store is damaged", Remedy.REPAIR),
    (0x800F081F, "CBS_E_SOURCE_MISSING", "the component store lacks a source", Remedy.REPAIR),
    (0x800F0831, "CBS_E_STORE_CORRUPTION", "an earlier package is missing from the component store", Remedy.REPAIR),
    (0x800F0922, "CBS_E_INSTALLERS_FAILED", "an installer of the servicing stack failed", Remedy.INSPECT),
)

HRESULTS: Final[Mapping[int, HResult]] = MappingProxyType(
    {code: HResult(code, name=name, meaning=meaning, remedy=remedy) for code, name, meaning, remedy in _TABLE}
)
"""The known codes by their unsigned number."""


def unsigned(code: int) -> int:
    """Give the unsigned 32-bit number of a code in either form."""
    return code & 0xFFFF_FFFF


def signed(code: int) -> int:
    """Give the signed 32-bit number of a code in either form, as .NET holds it."""
    number = unsigned(code)
    return number - 2**32 if number >= 2**31 else number


def hresult(code: int) -> HResult | None:
    """Find a code in either form; None when the table does not hold it."""
    return HRESULTS.get(unsigned(code))


def hex_code(code: int) -> str:
    """Show a code in either form as people know it, such as ``0x80240022``."""
    return f"0x{unsigned(code):08X}"
