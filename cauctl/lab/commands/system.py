"""Commands about a node's operating system: services, processes, updates, events, firewall, restart."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import cim_not_found, service_not_found
from cauctl.lab.commands.scene import CommandSet, Scene, one, strings, texts_match
from cauctl.lab.commands.shapes import enum, make
from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.machine import CLUSTER_SERVICE, REMOTE_SHUTDOWN_RULES, RestartRefusedError
from cauctl.psobject import PSDictionary, PSObject, enum_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.machine import Machine, Service
    from cauctl.lab.world.windows_update import HistoryEntry

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()

_START_TYPES: Final = {"Auto": "Automatic", "Manual": "Manual", "Disabled": "Disabled"}
_REMOTE_SHUTDOWN: Final = (
    (REMOTE_SHUTDOWN_RULES[0], "Inbound Rule for Remote Shutdown (TCP-In)"),
    (REMOTE_SHUTDOWN_RULES[1], "Inbound Rule for Remote Shutdown (RPC-EP-In)"),
)
_SHUTDOWN_TEXTS: Final = {
    1190: "A system shutdown has already been scheduled.(1190)",
    1115: "A system shutdown is in progress.(1115)",
    1116: "Unable to abort the system shutdown because no shutdown was in progress.(1116)",
}


# Services


@COMMANDS.command("Get-Service")
def get_service(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write services: all, or by name."""
    return [_service(service) for service in _named(scene, call, every=True)]


def _named(scene: Scene, call: BoundCall, *, every: bool = False) -> Iterator[Service]:
    names = [*strings(call.get("Name")), *_piped_names(call)]
    services = scene.node.services.values()
    if not names and every:
        yield from services
    for name in names:
        found = [service for service in services if texts_match([name], service.name)]
        if not found and "*" not in name:
            scene.context.error(service_not_found(name))
        yield from found


def _piped_names(call: BoundCall) -> list[str]:
    piped = call.get("InputObject")
    items = [piped] if isinstance(piped, PSObject) and not piped.is_container else list(piped or ())
    return [str(each.get("Name") or each.get("ServiceName")) for each in items if isinstance(each, PSObject)]


def _service(service: Service) -> PSObject:
    made = make(
        "ServiceController",
        ServiceName=service.name,
        DisplayName=service.display_name,
        Status="Running" if service.running else "Stopped",
        StartType=_START_TYPES[service.start_mode],
        ServiceType=enum_value("System.ServiceProcess.ServiceType", "Win32OwnProcess", 16),
        CanStop=service.running,
        CanShutdown=service.running,
        ServicesDependedOn=[],
    )
    made.text = service.name
    made.extended["Name"] = service.name
    made.extended["RequiredServices"] = made["ServicesDependedOn"]
    return made


@COMMANDS.command("Start-Service", "Stop-Service", "Restart-Service")
def control_service(scene: Scene, call: BoundCall) -> None:
    """Start and stop services; the Cluster service joins or leaves with it."""
    verb = call.command.partition("-")[0].casefold()
    for service in list(_named(scene, call)):
        if service.name == CLUSTER_SERVICE:
            _control_cluster_service(scene, verb)
        else:
            service.running = verb != "stop"
    scene.world.kernel.touch()


def _control_cluster_service(scene: Scene, verb: str) -> None:
    if verb in {"stop", "restart"}:
        scene.node.stop_cluster_service(scene.context.user)
    if verb in {"start", "restart"} and not scene.node.services[CLUSTER_SERVICE].running:
        scene.node.start_cluster_service()


@COMMANDS.command("Get-Process")
def get_process(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write processes: all, or by name."""
    wanted = strings(call.get("Name"))
    for name in wanted:
        if "*" not in name and not any(texts_match([name], each) for each in scene.node.processes):
            scene.context.error(_no_process(name))
    names = ("System.Diagnostics.Process", "System.ComponentModel.Component", "System.MarshalByRefObject")
    return [
        PSObject(
            type_names=(*names, "System.Object"),
            adapted={"ProcessName": each, "Id": 400 + 4 * number, "Responding": True},
            extended={"Name": each},
            text=f"System.Diagnostics.Process ({each})",
        )
        for number, each in enumerate(scene.node.processes)
        if not wanted or texts_match(wanted, each)
    ]


def _no_process(name: str) -> CommandError:
    return CommandError(
        f'Cannot find a process with the name "{name}". Verify the process name and call the cmdlet again.',
        error_id="NoProcessFoundForGivenName",
        category="ObjectNotFound",
        exception_type="Microsoft.PowerShell.Commands.ProcessCommandException",
        target=name,
        terminating=False,
    )


# Updates and events


@COMMANDS.command("Get-HotFix")
def get_hot_fix(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the installed updates that servicing knows."""
    wanted = strings(call.get("Id"))
    found = {f"KB{entry.update.kb}": entry for entry in scene.node.updates.history.values() if entry.update.servicing}
    for name in wanted:
        if not any(texts_match([name], own) for own in found):
            scene.context.error(_no_hot_fix(name))
    return [_hot_fix(scene.node, own, entry) for own, entry in found.items() if not wanted or texts_match(wanted, own)]


def _hot_fix(node: Machine, name: str, entry: HistoryEntry) -> PSObject:
    return make(
        "Win32_QuickFixEngineering",
        CSName=node.name,
        HotFixID=name,
        Caption=entry.update.support_url,
        Description="Security Update",
        InstalledBy="NT AUTHORITY\\SYSTEM",
        InstalledOn=f"{entry.at.month}/{entry.at.day}/{entry.at.year}",
    )


def _no_hot_fix(name: str) -> CommandError:
    return CommandError(
        f"Cannot find the requested hotfix on the 'localhost' computer. Verify the input and run the command again: "
        f"{name}",
        error_id="GetHotFixNoEntriesFound",
        category="ObjectNotFound",
        exception_type="System.ArgumentException",
        target=name,
        terminating=False,
    )


_BOOT_EVENTS: Final = (
    (12, "Microsoft-Windows-Kernel-General", "The operating system started at system time {at}.", timedelta(0)),
    (6005, "EventLog", "The Event log service was started.", timedelta(seconds=5)),
)


@COMMANDS.command("Get-WinEvent")
def get_win_event(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the boot events of the System log, the newest first."""
    wanted, log = _event_filter(call)
    events: list[PSObject] = []
    for boot in scene.node.boots if log in {"", "system"} else ():
        events += [
            _event(scene.node, number, source, text.format(at=boot.isoformat()), boot + after)
            for number, source, text, after in _BOOT_EVENTS
            if not wanted or number in wanted
        ]
    if not events:
        raise CommandError(
            "No events were found that match the specified selection criteria.",
            error_id="NoMatchingEventsFound",
            category="ObjectNotFound",
            exception_type="System.Exception",
            terminating=False,
        )
    most = call.get("MaxEvents")
    newest = events[::-1]
    return newest if most is None else newest[: int(most)]


def _event_filter(call: BoundCall) -> tuple[set[int], str]:
    tables = call.get("FilterHashtable")
    items = list(tables) if isinstance(tables, list | tuple) else [tables]
    if isinstance(tables, PSObject) and not isinstance(tables.base, PSDictionary):
        items = list(tables)
    for table in items:
        pairs = dict(table.base.items()) if isinstance(table, PSObject) else dict(table or {})
        folded = {str(name).casefold(): value for name, value in pairs.items()}
        numbers = folded.get("id", ())
        values = [numbers] if isinstance(numbers, int) else [int(str(each)) for each in numbers]
        return set(values), str(folded.get("logname", "")).casefold()
    return set(), (one(call.get("LogName")) or "").casefold()


def _event(node: Machine, number: int, source: str, message: str, at: Any) -> PSObject:
    made = make(
        "EventLogRecord",
        Id=number,
        ProviderName=source,
        LogName="System",
        ContainerLog="System",
        MachineName=node.fqdn,
        TimeCreated=at,
        Level=4,
        LevelDisplayName="Information",
    )
    made.extended["Message"] = message
    return made


# Restart


@COMMANDS.native("shutdown.exe")
def shutdown(scene: Scene, call: BoundCall) -> None:
    """Restart the node, or call a restart off; any other use is refused as Windows refuses it."""
    words = [str(argument) for argument in call.arguments]
    options = {word.casefold() for word in words if word.startswith(("/", "-"))}
    try:
        if options & {"/a", "-a"}:
            scene.node.abort_restart()
        elif options & {"/r", "-r"}:
            _restart(scene, words)
        else:
            raise _complaint("The parameter is incorrect.(87)")
    except RestartRefusedError as error:
        raise _complaint(_SHUTDOWN_TEXTS[error.code]) from error


def _restart(scene: Scene, words: list[str]) -> None:
    given = {word.casefold().replace("-", "/", 1): words[at + 1] for at, word in enumerate(words[:-1])}
    seconds = given.get("/t", "30")
    if not seconds.isdigit():
        raise _complaint("The parameter is incorrect.(87)")
    if "/c" in given:
        scene.node.note(f"restart reason: {given['/c']}")
    scene.node.request_restart(scene.context.user, timedelta(seconds=int(seconds)))


def _complaint(text: str) -> CommandError:
    """What a program writes to its error stream."""
    return CommandError(
        f"shutdown.exe : {text}",
        error_id="NativeCommandError",
        category="NotSpecified",
        exception_type="System.Management.Automation.RemoteException",
        target=text,
        terminating=False,
    )


# Firewall


@COMMANDS.command("Get-NetFirewallRule", "Enable-NetFirewallRule", "Disable-NetFirewallRule", "Set-NetFirewallRule")
def net_firewall_rule(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write, switch on or switch off the rules of the group Remote Shutdown, the only ones of a lab."""
    groups = [*strings(call.get("DisplayGroup")), *strings(call.get("Group"))]
    if groups and not texts_match(groups, "Remote Shutdown") and not texts_match(groups, "@firewallapi.dll,-36751"):
        scene.context.error(cim_not_found("DisplayGroup", groups[0], "MSFT_NetFirewallRule"))
        return []
    enabled = scene.node.firewall
    verb = call.command.partition("-")[0].casefold()
    if verb != "get":
        wanted = {"enable": True, "disable": False}.get(verb, str(call.get("Enabled", "True")).casefold() == "true")
        enabled.update(dict.fromkeys((name for name, _ in _REMOTE_SHUTDOWN), wanted))
        if not call.switch("PassThru"):
            return []
    return [_rule(scene.node, name, title, enabled=enabled.get(name, False)) for name, title in _REMOTE_SHUTDOWN]


def _rule(node: Machine, name: str, title: str, *, enabled: bool) -> PSObject:
    rule = make(
        "MSFT_NetFirewallRule",
        node=node.name,
        InstanceID=name,
        DisplayName=title,
        ElementName=title,
        Enabled=1 if enabled else 2,
    )
    rule.extended["Name"] = name
    rule.extended["Enabled"] = enum("Enabled", "True" if enabled else "False").text
    rule.extended["Profile"] = "Domain"
    return rule
