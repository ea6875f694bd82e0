"""A whole lab that listens: world, node endpoints, the pump of time and the runtime record, under one name.

Use::

    with Lab(nodes=4, seed=7, faults=[Fault.parse("drain-fails:NODE2")]) as lab:
        ...                                  # clients find it by lab.name, or through lab.record
    print(lab.report().to_text())

Leaving it leaves nothing behind: no thread, no socket, no file.
"""

from __future__ import annotations

import os
import secrets
import threading
from typing import TYPE_CHECKING, Final, Self

from cauctl.errors import InputError
from cauctl.lab.commands import node_commands
from cauctl.lab.dispatch import CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.engine_commands import engine_commands
from cauctl.lab.jea import CONFIGURATION, jea_functions
from cauctl.lab.pump import LabClock, Pump
from cauctl.lab.pwsh.host import PwshHost
from cauctl.lab.pwsh.kit import find_pwsh
from cauctl.lab.record import LabNode, LabRecord, certificate_path, publish, refuse_second, withdraw
from cauctl.lab.world import World, standard_scenario
from cauctl.lab.world.machine import PowerState
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.tls import LabAuthority

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from cauctl.lab.faults import Fault
    from cauctl.lab.ledger import LedgerReport
    from cauctl.lab.lock import EndpointLock
    from cauctl.lab.world import Scenario
    from cauctl.lab.world.machine import Machine

__all__ = ["DEFAULT_TIME_SCALE", "ENGINES", "Lab"]

ENGINES: Final = ("python", "pwsh")
"""What can run the pipelines of nodes."""

DEFAULT_TIME_SCALE: Final = 600.0
"""Ten minutes of the lab a second."""
_USUAL_SCALES: Final = {"python": DEFAULT_TIME_SCALE, "pwsh": 60.0}
"""A PowerShell takes seconds to start; ten minutes of the lab would be too short a lease for that."""
_ADDRESS: Final = "127.0.0.1"
_LAST_PORT: Final = 65_535
_SLOWEST: Final = 0.001
_FASTEST: Final = 100_000
"""More than a day of the lab in a second; much faster, and its calendar ends while it runs."""


class Lab:
    """An embedded failover cluster on loopback.

    Args:
        name: name of the cluster, when no scenario says it.
        nodes: number of nodes, when no scenario says it.
        seed: the world's luck.
        time_scale: how many times as fast as real time its clock runs; by default 600, with real PowerShell 60.
        port: port of the first node, the others follow; 0 takes free ones.
        faults: what goes wrong, when no scenario says it.
        scenario: another world than the usual one.
        published: whether to write the runtime record by which other processes find the lab.
        engine: what runs the nodes' pipelines: ``python``, the lab's own engine, or ``pwsh``, a real PowerShell 7.
        pwsh: path of PowerShell 7; else ``$CAUCTL_PWSH``, else ``pwsh`` on the search path.
        lock: the nodes' endpoints show these commands only.
    """

    def __init__(  # noqa: PLR0913  each is a fact of the lab
        self,
        name: str = "LAB-FC1",
        *,
        nodes: int = 4,
        seed: int = 0,
        time_scale: float | None = None,
        port: int = 0,
        faults: Iterable[Fault] = (),
        scenario: Scenario | None = None,
        published: bool = True,
        engine: str = "python",
        pwsh: str | os.PathLike[str] | None = None,
        lock: EndpointLock | None = None,
    ) -> None:
        if engine not in ENGINES:
            raise InputError(engine, where="engine", expected=" or ".join(ENGINES))
        time_scale = _USUAL_SCALES[engine] if time_scale is None else time_scale
        if not _SLOWEST <= time_scale <= _FASTEST:
            raise InputError(
                f"{time_scale:g}", where="time_scale", expected=f"a number from {_SLOWEST:g} to {_FASTEST:,}"
            )
        self._pwsh = find_pwsh(pwsh) if engine == "pwsh" else None
        scenario = scenario or standard_scenario(name, nodes=nodes, faults=faults)
        if not 0 <= port <= _LAST_PORT - len(scenario.nodes):
            raise InputError(f"{port}", where="port", expected="0, or a port with room for one port a node above it")
        certificate_path(scenario.name)  # a name that cannot be published is refused before anything is started
        self.world = World(scenario, seed)
        """The ground truth."""
        self.authority = LabAuthority.create(f"cauctl lab {scenario.name}")
        self._time_scale = time_scale
        self._port = port
        self._published = published
        self._user = f"{scenario.name}\\Administrator"
        self._password = secrets.token_urlsafe(18)
        self._loop = EndpointLoop()
        self._endpoints: dict[str, NodeEndpoint] = {}
        self._boots: dict[str, int] = {}
        self._connections: dict[str, int] = {}
        self._clock: LabClock | None = None
        self._pump: Pump | None = None
        self._lock = lock
        self._host: PwshHost | None = None
        self._stopped = threading.Event()

    def __repr__(self) -> str:
        state = "stopped" if self._stopped.is_set() else "running" if self._pump else "not started"
        return f"<Lab {self.name} {state}, {len(self.world.machines)} nodes, seed {self.world.seed}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self.world.scenario.name

    @property
    def time_scale(self) -> float:
        """How many times as fast as real time its clock runs."""
        return self._time_scale

    @property
    def endpoints(self) -> dict[str, NodeEndpoint]:
        """The endpoint of each node, by name, once the lab has been started."""
        return self._endpoints

    @property
    def processes(self) -> tuple[int, ...]:
        """Identifiers of the PowerShell processes that live; none with the lab's own engine."""
        return self._host.processes if self._host is not None else ()

    @property
    def record(self) -> LabRecord:
        """How to reach the lab; InputError before it is started."""
        if self._clock is None:
            raise InputError("the lab does not run", where=self.name, expected="start() first")
        return LabRecord(
            self.name,
            nodes=tuple(LabNode(name, address=_ADDRESS, port=each.port) for name, each in self._endpoints.items()),
            user_name=self._user,
            password=self._password,
            ca_file=certificate_path(self.name),
            pid=os.getpid(),
            epoch=self._clock.epoch,
            started=self._clock.started,
            scale=self._clock.scale,
            seed=self.world.seed,
            jea=self._lock is not None and self._lock.configuration == CONFIGURATION,
        )

    def report(self) -> LedgerReport:
        """Sum the ledger up."""
        with self.world.lock:
            if self._clock is not None and not self._stopped.is_set():
                self.world.kernel.advance(self._clock.now())
            return self.world.ledger.report(self.world.now)

    def start(self) -> None:
        """Listen on every node that runs and let time pass; nothing happens if it does."""
        if self._clock is not None:
            return
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        if self._published:
            refuse_second(self.name)
        self._loop.start()
        clock = self._clock = LabClock(self.world.scenario.begins, self._time_scale)
        commands = CommandTable(engine_commands())
        commands.include(node_commands(self.world), override=True)
        if self._pwsh is not None:
            self._host = PwshHost(self._pwsh, commands, clock, lock=self._lock)
            self.world.launcher = self._host.launch
        shown = commands
        if self._host is None and self._lock is not None:
            shown = CommandTable(commands, jea_functions()).only(self._lock.visible)
        credentials = Credentials({self._user: self._password})
        for index, (name, machine) in enumerate(self.world.machines.items()):
            self._endpoints[name] = NodeEndpoint(
                name,
                loop=self._loop,
                commands=shown,
                hidden=commands,
                configuration=None if self._lock is None else self._lock.configuration,
                credentials=credentials,
                tls=self.authority.server_context(name, alternatives=(machine.fqdn, "localhost", _ADDRESS)),
                host=_ADDRESS,
                port=self._port + index if self._port else 0,
                clock=clock,
                engine=self._host.engine(name) if self._host is not None else None,
            )
            self._boots[name], self._connections[name] = len(machine.boots), machine.connections
        if self._published:
            publish(self.record, self.authority.pem)
        with self.world.lock:
            for machine in self.world.machines.values():
                self._follow(machine)
            self.world.watchers.append(self._follow)
        self._pump = Pump(self.world, clock)
        self._pump.start()

    def stop(self) -> None:
        """End: close ports, join threads, remove the record; nothing happens if it has ended."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._published and self._clock is not None:
            withdraw(self.name)
        with self.world.lock:
            if self._follow in self.world.watchers:
                self.world.watchers.remove(self._follow)
        if self._pump is not None:
            self._pump.stop()
        self._loop.close()
        if self._host is not None:
            self._host.close()

    def _follow(self, machine: Machine) -> None:
        """Let a node's endpoint do what its machine did: a restart loses shells, a cut wire keeps them."""
        endpoint, name = self._endpoints[machine.name], machine.name
        broken = machine.connections != self._connections[name]
        self._connections[name] = machine.connections
        if machine.power is PowerState.OFF or len(machine.boots) != self._boots[name]:
            endpoint.stop()
        elif broken:
            endpoint.drop_connections(reset=True)
        self._boots[name] = len(machine.boots)
        if machine.answers:
            endpoint.start()
        elif machine.power is not PowerState.OFF:
            endpoint.refuse()
