"""One node's operating system: power, boot, services, registry, processes.

A restart takes the node through these moments; each is an action of the world's kernel:

1. asked: the shutdown begins after the delay; a second request is refused as Windows does
2. stopping: the Cluster service leaves the cluster, programs end, calls are still answered
3. off: nobody answers, every connection is broken
4. booted: a new boot time; waiting updates are completed or undone; the port is open
5. configured: the boot-time configuration is done
6. Cluster service running, then joining, then a member again; servicing ends
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from attrs import define, field

from cauctl.lab.faults import FaultKind
from cauctl.lab.world.files import FileSystem
from cauctl.lab.world.registry import (
    AUTO_LOGON_CHECKED,
    CBS_INTERFACE,
    CBS_REBOOT_PENDING,
    CURRENT_VERSION,
    WU_REBOOT_REQUIRED,
    Registry,
)
from cauctl.lab.world.tasks import TaskScheduler
from cauctl.lab.world.windows_update import WindowsUpdate

if TYPE_CHECKING:
    from datetime import datetime

    from cauctl.lab.world.catalogue import CatalogueUpdate
    from cauctl.lab.world.kernel import Action, Timer
    from cauctl.lab.world.scenario import NodeSpec
    from cauctl.lab.world.world import World

__all__ = ["Machine", "PowerState", "RestartRefusedError", "Service"]

BUILD: Final = 20348
_FIRST_UBR: Final = 3328
_SERVICING_WORKS: Final = 2
ERROR_SHUTDOWN_IS_SCHEDULED: Final = 1190
ERROR_SHUTDOWN_IN_PROGRESS: Final = 1115
ERROR_NO_SHUTDOWN_IN_PROGRESS: Final = 1116


class PowerState(Enum):
    """Where a node is between two boots."""

    RUNNING = "running"
    STOPPING = "stopping"
    OFF = "off"


class RestartRefusedError(Exception):
    """A request to restart, or to call a restart off, was refused; ``code`` is Windows' error code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"error {code}")


@define
class Service:
    """One Windows service."""

    name: str
    """Short name."""
    display_name: str
    """Name for people."""
    start_mode: str = field(default="Auto", kw_only=True)
    """Auto, Manual or Disabled."""
    delayed: bool = field(default=False, kw_only=True)
    """Delayed automatic start."""
    running: bool = field(default=True, kw_only=True)
    """Whether it runs."""


_SERVICES: Final = (
    ("ClusSvc", "Cluster Service", "Auto", False, True),
    ("WinRM", "Windows Remote Management (WS-Management)", "Auto", False, True),
    ("wuauserv", "Windows Update", "Manual", False, False),
    ("TrustedInstaller", "Windows Modules Installer", "Manual", False, False),
    ("Schedule", "Task Scheduler", "Auto", False, True),
    ("LanmanServer", "Server", "Auto", False, True),
    ("EventLog", "Windows Event Log", "Auto", False, True),
    ("vmms", "Hyper-V Virtual Machine Management", "Auto", False, True),
    ("sppsvc", "Software Protection", "Auto", True, False),
    ("ContosoBackup", "Contoso Backup Agent", "Auto", False, True),
)
CLUSTER_SERVICE: Final = "ClusSvc"
SLOW_SERVICE: Final = "ContosoBackup"
REMOTE_SHUTDOWN_RULES: Final = ("Wininit-Shutdown-In-Rule-TCP-RPC", "Wininit-Shutdown-In-Rule-TCP-RPC-EPMapper")
"""Firewall rules of the group Remote Shutdown."""


class Machine:
    """One node."""

    def __init__(self, world: World, spec: NodeSpec, number: int) -> None:
        self.world = world
        self.spec = spec
        self.name = spec.name
        self.number = number
        """Node id in the cluster, from 1."""
        self.power = PowerState.OFF if spec.down else PowerState.RUNNING
        self.boot_time: datetime = world.now - timedelta(days=35, minutes=7 * number)
        self.boots: list[datetime] = [self.boot_time]
        """Every boot so far; the last one is the present."""
        self.connections = 0
        """Grows each time that all connections to the node break."""
        self.cut_until: datetime | None = None
        """While the wire to the node is cut: until when."""
        self.old_restart_pending = spec.reboot_pending
        """A restart is pending from work before the world began."""
        self.registry = Registry()
        self.services = {
            row[0]: Service(*row[:2], start_mode=row[2], delayed=row[3], running=row[4]) for row in _SERVICES
        }
        self.updates = WindowsUpdate(self, world.scenario.catalogue)
        self.tasks = TaskScheduler(self)
        self.requested_restart: Timer | None = None
        self.firewall: dict[str, bool] = {}
        """Enabled firewall rules by name; what is missing is off."""
        self._ubr = _FIRST_UBR
        self._servicing = 0
        self._fill_registry()
        if spec.down:
            self.services[CLUSTER_SERVICE].running = False

    def __repr__(self) -> str:
        return f"<Machine {self.name} {self.power.value}, booted {self.boot_time.isoformat()}, {self.build}>"

    @cached_property
    def files(self) -> FileSystem:
        """The node's disk; made when somebody looks."""
        return FileSystem(self.world)

    # What others see

    @property
    def fqdn(self) -> str:
        """Full name in DNS."""
        return f"{self.name}.{self.world.scenario.domain}"

    @property
    def answers(self) -> bool:
        """Whether a call reaches the node."""
        return self.power is not PowerState.OFF and self.cut_until is None

    @property
    def build(self) -> str:
        """``CurrentBuild.UBR``."""
        return f"{BUILD}.{self._ubr}"

    @property
    def ubr(self) -> int:
        """Update build revision."""
        return self._ubr

    @property
    def servicing(self) -> bool:
        """Whether the servicing stack works now."""
        return self._servicing > 0

    @property
    def processes(self) -> tuple[str, ...]:
        """Names of the processes that updating looks at."""
        names = ["System", "lsass", "services", "wsmprovhost"]
        names += ["clussvc", "rhs"] if self.services[CLUSTER_SERVICE].running else []
        names += ["TiWorker", "TrustedInstaller"] if self.servicing else []
        return tuple(names)

    def note(self, text: str) -> None:
        """Write a line about this node into the ledger."""
        self.world.ledger.note(self.world.now, text, self.name)

    def vary(self, what: str, duration: timedelta) -> timedelta:
        """Vary a duration by the dice of this node."""
        return self.world.dice.vary(f"{what}/{self.name}", duration, self.world.scenario.durations.variation)

    # Installing

    def installation_began(self, update: CatalogueUpdate) -> None:
        """Windows Update begins to install here."""
        self.services["wuauserv"].running = True
        if update.servicing:
            self._begin_servicing()
        fault = self.world.faults.strike(FaultKind.CONNECTION_CUT, self.name)
        if fault is not None:
            self.world.kernel.after(fault.after, lambda: self.cut(fault.lasts))

    def installation_ended(self, update: CatalogueUpdate, *, restart_pending: bool) -> None:
        """Windows Update is done with one update."""
        if update.servicing:
            self._end_servicing()
        if restart_pending:
            self.registry.create(WU_REBOOT_REQUIRED)
            if update.servicing:
                self.registry.create(CBS_REBOOT_PENDING)

    def set_build(self, ubr: int) -> None:
        """Raise the build."""
        self._ubr = max(self._ubr, ubr)
        self.registry.create(CURRENT_VERSION, {"UBR": self._ubr})

    def _begin_servicing(self) -> None:
        self._servicing += 1
        self.registry.create(CBS_INTERFACE, {"ServicingInProgress": _SERVICING_WORKS})
        self.services["TrustedInstaller"].running = True

    def _end_servicing(self) -> None:
        self._servicing = max(self._servicing - 1, 0)
        if not self._servicing:
            self.registry.create(CBS_INTERFACE, {"ServicingInProgress": 0})
            self.services["TrustedInstaller"].running = False

    # The wire

    def cut(self, lasts: timedelta) -> None:
        """Break every connection and let nobody answer for a while; the node itself works on."""
        if self.power is PowerState.OFF:
            return
        self.note("connections are cut")
        self.connections += 1
        self.cut_until = self.world.now + lasts
        self.world.tell_answers(self)
        until = self.cut_until
        self.world.kernel.after(lasts, lambda: self.mend() if self.cut_until == until else None)

    def mend(self) -> None:
        """Make the wire whole again."""
        if self.cut_until is not None:
            self.cut_until = None
            self.world.tell_answers(self)

    # Restarting

    def request_restart(self, by: str, delay: timedelta = timedelta(seconds=2)) -> None:
        """Plan a restart; RestartRefusedError when one is planned or goes on already."""
        if self.power is not PowerState.RUNNING:
            raise RestartRefusedError(ERROR_SHUTDOWN_IN_PROGRESS)
        if self.requested_restart is not None:
            raise RestartRefusedError(ERROR_SHUTDOWN_IS_SCHEDULED)
        self.note(f"restart asked by {by}")
        self.requested_restart = self.world.kernel.after(delay, lambda: self._stop(by))

    def abort_restart(self) -> None:
        """Call a planned restart off; RestartRefusedError when there is none, or it has begun."""
        if self.requested_restart is None or self.power is not PowerState.RUNNING:
            raise RestartRefusedError(ERROR_NO_SHUTDOWN_IN_PROGRESS)
        self.requested_restart.cancel()
        self.requested_restart = None

    def lose_power(self) -> None:
        """Go off without a warning, and boot again."""
        if self.power is not PowerState.OFF:
            self.world.cluster.leave(self.name, graceful=False, by="power")
            self._off(quick=False)

    def _stop(self, by: str) -> None:
        self.requested_restart = None
        self.power = PowerState.STOPPING
        quick = self.world.dice.chance(f"quick restart/{self.name}", self.world.scenario.quirks.quick_restart)
        self.world.cluster.leave(self.name, graceful=True, by=by)
        self.services[CLUSTER_SERVICE].running = False
        self.tasks.stop_all()
        time = timedelta(milliseconds=500) if quick else self.vary("shutdown", self.world.scenario.durations.shutdown)
        self.world.kernel.after(time, lambda: self._off(quick=quick))

    def _off(self, *, quick: bool) -> None:
        self.power = PowerState.OFF
        self.connections += 1
        self.services[CLUSTER_SERVICE].running = False
        self.tasks.stop_all()
        self.updates.interrupt()
        self._servicing = 0
        if self.world.faults.strike(FaultKind.RESTART_HANGS, self.name):
            self.note("does not come back")
        else:
            self.world.kernel.after(self._boot_time(quick=quick), self._boot)
        self.world.tell_answers(self)

    def _boot_time(self, *, quick: bool) -> timedelta:
        durations = self.world.scenario.durations
        if quick:
            return timedelta(seconds=2)
        time = self.vary("boot", durations.boot)
        return time + durations.boot_servicing if self.updates.pending else time

    def switch_on(self) -> None:
        """Let a node boot that is off, as an administrator at its console does."""
        if self.power is PowerState.OFF:
            self._boot()

    def _boot(self) -> None:
        world, durations = self.world, self.world.scenario.durations
        self.power = PowerState.RUNNING
        self.boot_time = world.now
        self.boots.append(world.now)
        self.cut_until = None
        self.old_restart_pending = False
        self.registry.remove(AUTO_LOGON_CHECKED)
        self.registry.remove(CBS_REBOOT_PENDING)
        self.registry.remove(WU_REBOOT_REQUIRED)
        self.note("has booted")
        again = False
        if self.updates.restart():
            again = world.dice.chance(f"second restart/{self.name}", world.scenario.quirks.second_restart)
            self._begin_servicing()
            self._this_boot(self.vary("servicing", durations.servicing_tail), lambda: self._serviced(again=again))
        self._start_services()
        world.tell_answers(self)

    def _start_services(self) -> None:
        durations = self.world.scenario.durations
        slow = self.services[SLOW_SERVICE]
        slow.running = not self.spec.slow_service
        if self.spec.slow_service:
            self._this_boot(self.spec.slow_service, lambda: setattr(slow, "running", True))
        self._this_boot(self.vary("configured", durations.configured), lambda: self.registry.create(AUTO_LOGON_CHECKED))
        self._this_boot(self.vary("cluster start", durations.cluster_start), self.start_cluster_service)

    def _this_boot(self, delay: timedelta, action: Action) -> None:
        """Plan an action that happens only if the node still runs, and has not restarted."""
        boot = self.boot_time

        def act() -> None:
            if self.power is PowerState.RUNNING and self.boot_time == boot:
                action()

        self.world.kernel.after(delay, act)

    def start_cluster_service(self) -> None:
        """Start the Cluster service; the node joins a little later."""
        self.services[CLUSTER_SERVICE].running = True
        self.world.cluster.joining(self.name)

    def stop_cluster_service(self, by: str) -> None:
        """Stop the Cluster service; the node leaves the cluster."""
        if self.services[CLUSTER_SERVICE].running:
            self.services[CLUSTER_SERVICE].running = False
            self.world.cluster.leave(self.name, graceful=True, by=by)

    def _serviced(self, *, again: bool) -> None:
        self._end_servicing()
        if again:
            self._stop("servicing")

    def _fill_registry(self) -> None:
        registry = self.registry
        registry.create(
            CURRENT_VERSION,
            {
                "ProductName": "Windows Server 2022 Datacenter",
                "CurrentBuild": str(BUILD),
                "CurrentBuildNumber": str(BUILD),
                "UBR": self._ubr,
                "DisplayVersion": "21H2",
                "SystemRoot": r"C:\Windows",
                "InstallationType": "Server Core",
            },
        )
        registry.create(AUTO_LOGON_CHECKED)
        registry.create(CBS_INTERFACE, {"ServicingInProgress": 0})
        if self.spec.reboot_pending:
            registry.create(CBS_REBOOT_PENDING)
            registry.create(WU_REBOOT_REQUIRED)
