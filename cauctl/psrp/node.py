"""The node port over PowerShell remoting: what a node says of its own operating system, and its restart.

Rules kept here:

* A restart is proved by others, by boot time and build: here it is only asked for. Once the request may have left, a
  broken connection is what a restart looks like and counts as asked.
* What cannot be read is not taken for idle: only a registry key or value that is not there means "no".
* The reason of a restart is an argument of its own. Windows PowerShell does not escape quotes in the arguments of
  programs, so quotes and a closing backslash are taken out of it, and it cannot begin with a slash.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cauctl.errors import FateUnknownError, NodeError, OperationTimeoutError, RemoteError, SessionLostError
from cauctl.models.nodes import NodeProbe
from cauctl.psobject import to_python
from cauctl.psrp.answers import Answer, answers, enum_name
from cauctl.psrp.commands import send, send_native

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.psrp.fleet import Fleet
    from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult

__all__ = ["BOOT_MARK", "SIGNALS", "PsrpNode", "plain_reason", "restart_command"]

_SOFTWARE: Final = "HKLM:\\SOFTWARE\\Microsoft"
_SERVICING: Final = f"{_SOFTWARE}\\Windows\\CurrentVersion\\Component Based Servicing"
_UPDATE: Final = f"{_SOFTWARE}\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update"
_SERVICES: Final = "HKLM:\\SYSTEM\\CurrentControlSet\\Services"

SIGNALS: Final[Mapping[str, str]] = {
    "CBS RebootPending": f"{_SERVICING}\\RebootPending",
    "CBS RebootInProgress": f"{_SERVICING}\\RebootInProgress",
    "CBS PackagesPending": f"{_SERVICING}\\PackagesPending",
    "WU RebootRequired": f"{_UPDATE}\\RebootRequired",
    "WU PostRebootReporting": f"{_UPDATE}\\PostRebootReporting",
}
"""Registry keys whose existence says that a restart is pending: the strong signals."""
BOOT_MARK: Final = f"{_SOFTWARE}\\Windows NT\\CurrentVersion\\Winlogon\\AutoLogonChecked"
"""Key that LogonUI makes once the configuration at boot is done."""

_BOOT: Final[Pipeline] = send(
    "Get-CimInstance",
    ClassName="Win32_OperatingSystem",
    Property=["CSName", "LastBootUpTime", "LocalDateTime"],
    OperationTimeoutSec=30,
) | send("Select-Object", Property=["CSName", "LastBootUpTime", "LocalDateTime"])
_BUILD: Final[Pipeline] = send("Get-ItemProperty", LiteralPath=f"{_SOFTWARE}\\Windows NT\\CurrentVersion") | send(
    "Select-Object", Property=["CurrentBuild", "UBR"]
)
_KEYS: Final = send("Test-Path", LiteralPath=[*SIGNALS.values(), BOOT_MARK])
_BUSY: Final[Pipeline] = send("Get-ItemProperty", LiteralPath=f"{_SERVICING}\\Interface") | send(
    "Select-Object", Property=["ServicingInProgress"]
)
_WORKERS: Final[Pipeline] = send(
    "Get-Process", Name=["TiWorker", "TrustedInstaller"], ErrorAction="SilentlyContinue"
) | send("Select-Object", Property=["Name"])
_CLUSTER_SERVICE: Final[Pipeline] = send("Get-Service", Name="ClusSvc") | send(
    "Select-Object", Property=["Name", "Status"]
)
_STOPPED: Final[Pipeline] = (
    send(
        "Get-CimInstance",
        ClassName="Win32_Service",
        Property=["Name", "State", "StartMode", "DelayedAutoStart"],
        OperationTimeoutSec=30,
    )
    | send("Where-Object", Property="StartMode", EQ=True, Value="Auto")
    | send("Where-Object", Property="State", NE=True, Value="Running")
    | send("Select-Object", Property=["Name", "DelayedAutoStart"])
)
_SERVICE_STATES: Final[Mapping[int, str]] = {
    1: "Stopped",
    2: "StartPending",
    3: "StopPending",
    4: "Running",
    5: "ContinuePending",
    6: "PausePending",
    7: "Paused",
}
_REMOTE_SHUTDOWN: Final = "@firewallapi.dll,-36751"
"""The group Remote Shutdown, whatever the node's language calls it."""
_RULES: Final[Pipeline] = send("Get-NetFirewallRule", Group=_REMOTE_SHUTDOWN) | send(
    "Select-Object", Property=["Name", "Enabled"]
)
_ENABLED: Final[Mapping[int, str]] = {1: "True", 2: "False"}
_WORKING: Final = 2
_LONGEST_REASON: Final = 400
_CODE: Final = re.compile(r"\((\d{1,5})\)")
ALREADY_SCHEDULED: Final = 1190
ALREADY_UNDER_WAY: Final = 1115


class PsrpNode:
    """Implements :class:`cauctl.ports.Node`.

    Args:
        fleet: sessions with the nodes.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def __repr__(self) -> str:
        return f"<PsrpNode {self._fleet!r}>"

    def probe(self, node: str) -> NodeProbe:
        """Boot time, build and signs of unfinished work; a transport error while nobody answers."""
        boot, build, keys = self._one(node, _BOOT), self._one(node, _BUILD), self._keys(node)
        return NodeProbe(
            node,
            boot_time=boot.moment("LastBootUpTime"),
            uptime=boot.moment("LocalDateTime") - boot.moment("LastBootUpTime"),
            build=f"{build.text('CurrentBuild')}.{build.integer('UBR', 0)}",
            reboot_pending=tuple(name for name, path in SIGNALS.items() if keys[path]),
            servicing_in_progress=self._services(node),
            boot_finished=keys[BOOT_MARK],
            cluster_service_running=self._cluster_service(node),
            stopped_services=self._stopped_services(node),
        )

    def allow_remote_restart(self, node: str) -> bool:
        """Switch the rules of the group Remote Shutdown on where one is off; NodeError where they stay off."""
        if not self._rules_off(node):
            return False
        self._fleet.act_on(node, send("Enable-NetFirewallRule", Group=_REMOTE_SHUTDOWN))
        if left := self._rules_off(node):
            raise NodeError(
                f"{node}: these firewall rules are still off: {', '.join(left)}.",
                node=node,
                advice="Group Policy may forbid them; allow the group Remote Shutdown there.",
            )
        return True

    def _rules_off(self, node: str) -> list[str]:
        rules = self._ask(node, _RULES)
        if not rules:
            raise NodeError(f"{node}: it has no firewall rules for remote shutdown.", node=node)
        return [rule.text("Name") for rule in rules if enum_name(rule.raw("Enabled"), _ENABLED) != "True"]

    def restart(self, node: str, *, reason: str) -> None:
        """Ask the node to restart now. A restart that somebody scheduled for later is replaced by ours."""
        # A question first: a session that the node has forgotten shows here, where nothing is at stake.
        self._one(node, _BOOT)
        code = self._shut_down(node, restart_command(reason))
        if code == ALREADY_SCHEDULED:
            self._shut_down(node, send_native("shutdown.exe", "/a"))
            code = self._shut_down(node, restart_command(reason))
        if code not in {None, ALREADY_UNDER_WAY, ALREADY_SCHEDULED}:
            raise NodeError(f"{node}: the restart was refused with code {code}.", node=node)
        self._fleet.expect_silence(node)

    def forget(self, node: str) -> None:
        """Drop the session with the node."""
        self._fleet.forget(node)

    # ---- Inside

    def _ask(self, node: str, pipeline: Pipeline | Command) -> list[Answer]:
        result = self._fleet.look_on(node, pipeline)
        return answers(result.output, node=node, command=str(pipeline).partition(" ")[0])

    def _one(self, node: str, pipeline: Pipeline) -> Answer:
        found = self._ask(node, pipeline)
        if not found:
            raise NodeError(f"{node}: {pipeline.commands[0].name} gave no answer.", node=node)
        return found[0]

    def _exist(self, node: str, keys: Command) -> list[bool]:
        given = [bool(to_python(value)) for value in self._fleet.look_on(node, keys).output]
        if len(given) != len(keys.parameters["LiteralPath"]):
            raise NodeError(f"{node}: Test-Path gave {len(given)} answers.", node=node)
        return given

    def _keys(self, node: str) -> dict[str, bool]:
        return dict(zip(_KEYS.parameters["LiteralPath"], self._exist(node, _KEYS), strict=True))

    def _services(self, node: str) -> bool:
        """Whether the servicing stack is at work."""
        try:
            found = self._ask(node, _BUSY)
        except RemoteError as error:
            if error.category != "ObjectNotFound":
                raise
            found = []
        busy = any(answer.integer("ServicingInProgress", 0) == _WORKING for answer in found)
        return busy or bool(self._ask(node, _WORKERS))

    def _cluster_service(self, node: str) -> bool:
        return enum_name(self._one(node, _CLUSTER_SERVICE).raw("Status"), _SERVICE_STATES) == "Running"

    def _stopped_services(self, node: str) -> tuple[str, ...]:
        stopped = [answer.text("Name") for answer in self._ask(node, _STOPPED) if not answer.flag("DelayedAutoStart")]
        if not stopped:
            return ()
        triggered = self._exist(
            node, send("Test-Path", LiteralPath=[f"{_SERVICES}\\{name}\\TriggerInfo" for name in stopped])
        )
        return tuple(name for name, waits in zip(stopped, triggered, strict=True) if not waits)

    def _shut_down(self, node: str, command: Command) -> int | None:
        """Run shutdown.exe; the code in what it complains about, None when it was asked as far as can be known."""
        try:
            result = self._fleet.act_on(node, command, collect_errors=True)
        except (FateUnknownError, SessionLostError, OperationTimeoutError):
            return None
        except RemoteError as error:
            return _code(error.remote_message, error)
        return _complaint(result, node)


def restart_command(reason: str) -> Command:
    """Build the restart: planned, operating system update, with ``reason`` for the node's event log."""
    return send_native("shutdown.exe", "/r", "/t", "2", "/d", "p:2:17", "/c", f"cauctl: {plain_reason(reason)}")


def plain_reason(reason: str) -> str:
    """Make a reason one line without quotes and without a backslash at its end; never empty."""
    plain = " ".join(reason.replace('"', "'").split())
    text = "".join(character for character in plain if character.isprintable())[:_LONGEST_REASON].rstrip("\\ ")
    return text or "update"


def _complaint(result: PipelineResult, node: str) -> int | None:
    """Read the code of Windows in what the program wrote to its error stream: the text is in the node's language."""
    if not result.errors:
        return None
    told = " ".join(record.message for record in result.errors)
    return _code(told, NodeError(f"{node}: shutdown.exe: {told}", node=node))


def _code(told: str, otherwise: NodeError) -> int:
    found = _CODE.search(told)
    if found is None:
        raise otherwise
    return int(found[1])
