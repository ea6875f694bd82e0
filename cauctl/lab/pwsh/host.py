"""Everything that real PowerShell needs behind the nodes of one lab: the kit, the world's ear, the living processes.

Use::

    host = PwshHost(find_pwsh(), commands, clock)
    endpoint = NodeEndpoint(name, ..., engine=host.engine(name))
    ...                                        # loop.close() ends all shells
    host.close()
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cauctl.lab.pwsh.calls import Caller, CallServer
from cauctl.lab.pwsh.engine import PwshEngine
from cauctl.lab.pwsh.kit import PwshKit

if TYPE_CHECKING:
    from pathlib import Path

    from cauctl.lab.clock import NodeClock
    from cauctl.lab.dispatch import CommandTable
    from cauctl.lab.lock import EndpointLock
    from cauctl.lab.wsman.shell import Engine, EngineFactory, Outlet

__all__ = ["PwshHost"]


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
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"<PwshHost {self._kit!r}, {len(self.processes)} processes>"

    @property
    def processes(self) -> tuple[int, ...]:
        """Identifiers of the processes that live."""
        with self._guard:
            return tuple(engine.process_id for engine in self._engines)

    def engine(self, node: str) -> EngineFactory:
        """Give what makes the engine of each shell of a node."""

        def make(outlet: Outlet, _configuration: str) -> Engine:
            token = self._calls.admit(Caller(node, outlet.owner, commands=self._commands, clock=self._clock))
            made: list[PwshEngine] = []

            def ended() -> None:
                self._calls.dismiss(token)
                with self._guard:
                    self._engines.difference_update(made)

            with self._guard:
                engine = PwshEngine(
                    outlet, self._arguments, environment=self._kit.environment(self._calls.address(token)), ended=ended
                )
                made.append(engine)
                self._engines.add(engine)
            return engine

        return make

    def close(self) -> None:
        """End every process, wait for their ends, and leave nothing behind."""
        with self._guard:
            engines = list(self._engines)
        for engine in engines:
            engine.close()
        for engine in engines:
            engine.join()
        self._calls.close()
        self._kit.close()
