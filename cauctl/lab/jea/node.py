"""Functions about the node itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.binder.metadata import Validation
from cauctl.lab.dispatch import Step
from cauctl.lab.jea.declaring import FunctionSet, answer, first, parameter, plain, texts
from cauctl.psobject import array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.lab.dispatch import BoundCall, CommandContext, Value

__all__ = ["CURRENT_VERSION", "FUNCTIONS"]

FUNCTIONS = FunctionSet()

_SOFTWARE: Final = "HKLM:\\SOFTWARE\\Microsoft"
CURRENT_VERSION: Final = f"{_SOFTWARE}\\Windows NT\\CurrentVersion"
"""Registry key of the installed Windows."""
_SERVICING: Final = f"{_SOFTWARE}\\Windows\\CurrentVersion\\Component Based Servicing"
_UPDATE: Final = f"{_SOFTWARE}\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update"
_SERVICES: Final = "HKLM:\\SYSTEM\\CurrentControlSet\\Services"
_SIGNALS: Final = {
    "CBS RebootPending": f"{_SERVICING}\\RebootPending",
    "CBS RebootInProgress": f"{_SERVICING}\\RebootInProgress",
    "CBS PackagesPending": f"{_SERVICING}\\PackagesPending",
    "WU RebootRequired": f"{_UPDATE}\\RebootRequired",
    "WU PostRebootReporting": f"{_UPDATE}\\PostRebootReporting",
}
_BOOT_MARK: Final = f"{CURRENT_VERSION}\\Winlogon\\AutoLogonChecked"
_WORKING: Final = 2
_CIM_LIMIT: Final = 30
_REASON: Final = r'^[^"\x00-\x1F]*[^"\x00-\x20\\]\Z'
_LONGEST_REASON: Final = 400
_ALREADY_SCHEDULED: Final = 1190


@FUNCTIONS.function("Get-CauctlIdentity")
def get_identity(ctx: CommandContext, _call: BoundCall) -> Iterator[Value]:
    """Write who the node is."""
    yield answer(CSName=_system(ctx)["CSName"], ModuleVersion="0", AgentHash="")


@FUNCTIONS.function("Get-CauctlNodeState")
def get_state(ctx: CommandContext, _call: BoundCall) -> Iterator[Value]:
    """Write boot time, build and signs of unfinished work."""
    system, build = _system(ctx), first(ctx, "Get-ItemProperty", LiteralPath=CURRENT_VERSION)
    yield answer(
        CSName=system["CSName"],
        LastBootUpTime=system["LastBootUpTime"],
        LocalDateTime=system["LocalDateTime"],
        CurrentBuild=build["CurrentBuild"],
        UBR=build["UBR"],
        RebootPending=texts(name for name, path in _SIGNALS.items() if _exists(ctx, path)),
        BootFinished=_exists(ctx, _BOOT_MARK),
        ServicingInProgress=_is_busy(ctx),
        ClusterServiceRunning=_text(first(ctx, "Get-Service", Name="ClusSvc")["Status"]) == "Running",
        StoppedServices=texts(_stopped(ctx)),
    )


@FUNCTIONS.function(
    "Restart-CauctlNode",
    parameter(
        "Reason",
        Validation("Length", minimum=1, maximum=_LONGEST_REASON),
        Validation("Pattern", values=(_REASON,)),
    ),
)
def restart(ctx: CommandContext, call: BoundCall) -> Iterator[Value]:
    """Restart the node; a restart that somebody scheduled for later is replaced."""
    arguments = ("/r", "/t", "2", "/d", "p:2:17", "/c", f"cauctl: {call.get('Reason')}")
    code, told = _shut_down(ctx, *arguments)
    if code == _ALREADY_SCHEDULED:
        _shut_down(ctx, "/a")
        code, told = _shut_down(ctx, *arguments)
    yield answer(Code=code, Message=told)


def _shut_down(ctx: CommandContext, *arguments: str) -> tuple[int, str]:
    told = " ".join(map(_complaint, ctx.invoke(Step("shutdown.exe", arguments=arguments))))
    found = re.search(r"\(([0-9]{1,5})\)", told)
    return (int(found[1]) if found else -1 if told.strip() else 0), told


def _complaint(record: Value) -> str:
    exception = record.get("Exception") if hasattr(record, "get") else None
    return str(record if exception is None else exception["Message"])


def _system(ctx: CommandContext) -> Value:
    return first(
        ctx,
        "Get-CimInstance",
        ClassName="Win32_OperatingSystem",
        Property=array(["CSName", "LastBootUpTime", "LocalDateTime"]),
        OperationTimeoutSec=_CIM_LIMIT,
    )


def _exists(ctx: CommandContext, path: str) -> bool:
    return bool(plain(first(ctx, "Test-Path", LiteralPath=path)))


def _is_busy(ctx: CommandContext) -> bool:
    key = f"{_SERVICING}\\Interface"
    if _exists(ctx, key):
        progress = first(ctx, "Get-ItemProperty", LiteralPath=key).get("ServicingInProgress")
        if progress is not None and int(plain(progress)) == _WORKING:
            return True
    names = array(["TiWorker", "TrustedInstaller"])
    return first(ctx, "Get-Process", Name=names, ErrorAction="SilentlyContinue") is not None


def _stopped(ctx: CommandContext) -> Iterator[str]:
    services = Step(
        "Get-CimInstance",
        parameters={
            "ClassName": "Win32_Service",
            "Property": array(["Name", "State", "StartMode", "DelayedAutoStart"]),
            "OperationTimeoutSec": _CIM_LIMIT,
        },
    )
    for service in ctx.invoke(services):
        wanted = _text(service["StartMode"]) == "Auto" and not plain(service["DelayedAutoStart"])
        name = str(service["Name"])
        if wanted and _text(service["State"]) != "Running" and not _exists(ctx, f"{_SERVICES}\\{name}\\TriggerInfo"):
            yield name


def _text(value: Any) -> str:
    shown = getattr(value, "text", None)
    return str(value if shown is None else shown)
