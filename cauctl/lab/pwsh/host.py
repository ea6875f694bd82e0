"""Everything that real PowerShell needs behind the nodes of one lab: the kit, the world's ear, the living processes.

Use::

    host = PwshHost(find_pwsh(), commands, clock)
    endpoint = NodeEndpoint(name, ..., engine=host.engine(name))
    ...                                        # loop.close() ends all shells
    host.close()
"""

from __future__ import annotations

import subprocess
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from cauctl.lab.pwsh.agent import AgentProcess, launch_process
from cauctl.lab.pwsh.calls import Caller, CallServer
from cauctl.lab.pwsh.engine import PwshEngine
from cauctl.lab.pwsh.kit import PwshKit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cauctl.lab.clock import NodeClock
    from cauctl.lab.dispatch import CommandTable
    from cauctl.lab.lock import EndpointLock
    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.task_definition import TaskDefinition
    from cauctl.lab.wsman.shell import Engine, EngineFactory, Outlet

__all__ = ["PwshHost"]

_SYSTEM: Final = "NT AUTHORITY\\SYSTEM"


class PwshHost:
    """Starts a PowerShell for each shell of a node.

    Args:
        pwsh: the program.
        commands: what the nodes can do.
        clock: the nodes' time.
        lock: what the endpoints show; None: all commands of the lab.
    """

    def __init__(
        self, pwsh: Path, commands: CommandTable, clock: NodeClock, *, lock: EndpointLock | None = None
    ) -> None:
        self._commands = commands
        self._clock = clock
        self._kit = PwshKit(pwsh, commands)
        self._arguments = self._kit.server(
            visible=None if lock is None else lock.visible,
            modules=() if lock is None else tuple(map(str, lock.modules)),
        )
        self._calls = CallServer()
        self._engines: set[PwshEngine] = set()
        self._agents: set[AgentProcess] = set()
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"<PwshHost {self._kit!r}, {len(self.processes)} processes>"

    @property
    def processes(self) -> tuple[int, ...]:
        """Identifiers of the processes that live."""
        with self._guard:
            engines = [engine.process_id for engine in self._engines]
            return (*engines, *(agent.process_id for agent in self._agents if agent.running))

    def engine(self, node: str) -> EngineFactory:
        """Give what makes the engine of each shell of a node."""

        def make(outlet: Outlet, _configuration: str) -> Engine:
            token = self._calls.admit(Caller(node, outlet.owner, commands=self._commands, clock=self._clock))
            made: list[PwshEngine] = []

            def ended() -> None:
                self._calls.dismiss(token)
                with self._guard:
                    self._engines.difference_update(made)

            environment = self._kit.environment(self._calls.address(token))
            engine = PwshEngine(outlet, self._arguments, environment=environment, ended=ended)
            with self._guard:
                made.append(engine)
                if engine.running:  # one that has ended already has nobody left to say so
                    self._engines.add(engine)
            return engine

        return make

    def launch(self, machine: Machine, definition: TaskDefinition) -> AgentProcess | int:
        """Start what a scheduled task of a node runs: the real script of the agent."""
        launched = launch_process(machine, definition, clock=self._clock, start=partial(self._start_agent, machine))
        if isinstance(launched, AgentProcess):
            with self._guard:
                self._agents = {agent for agent in self._agents if agent.running} | {launched}
        return launched

    def _start_agent(
        self, machine: Machine, table: CommandTable, arguments: list[str]
    ) -> tuple[subprocess.Popen[bytes], Callable[[], None]]:
        token = self._calls.admit(Caller(machine.name, _SYSTEM, commands=table, clock=self._clock))
        try:
            process = subprocess.Popen(  # noqa: S603  the program that the lab was given
                self._kit.agent(arguments),
                env=self._kit.environment(self._calls.address(token)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError:
            self._calls.dismiss(token)
            raise
        return process, partial(self._calls.dismiss, token)

    def close(self) -> None:
        """End every process, wait for their ends, and leave nothing behind."""
        with self._guard:
            engines, agents = list(self._engines), list(self._agents)
        for agent in agents:
            with agent.lock:
                agent.kill()
        for engine in engines:
            engine.close()
        for engine in engines:
            engine.join()
        for agent in agents:
            agent.join()
        self._calls.close()
        self._kit.close()
