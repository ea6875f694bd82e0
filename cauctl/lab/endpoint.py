r"""A node's remoting endpoint: listener, shells and engine under one name.

Use::

    table = CommandTable(engine_commands(), ...)
    credentials = Credentials({"CONTOSO\\admin": password})
    with EndpointLoop() as loop:
        nodes = [NodeEndpoint(name, loop=loop, commands=table, credentials=credentials) for name in names]
        for node in nodes:
            node.start()                      # listens on 127.0.0.1:node.port
        ...
        nodes[0].stop()                       # the node restarts: connections reset, port closed, shells lost
        nodes[0].start()                      # and is back on the same port
    # leaving the loop closes all nodes and joins all threads
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from cauctl.lab.clock import SystemNodeClock
from cauctl.lab.wsman.auth import NtlmUserFile
from cauctl.lab.wsman.faults import access_denied
from cauctl.lab.wsman.listener import Listener
from cauctl.lab.wsman.service import WSManService

if TYPE_CHECKING:
    import ssl
    import threading
    from collections.abc import Callable, Mapping

    from cauctl.lab.clock import NodeClock
    from cauctl.lab.dispatch import CommandTable
    from cauctl.lab.wsman.auth import Credentials
    from cauctl.lab.wsman.loop import EndpointLoop
    from cauctl.lab.wsman.service import Quotas
    from cauctl.lab.wsman.shell import Engine, EngineFactory, Outlet, Shell
    from cauctl.lab.wsman.wire import Break, Interceptor, WireMode

__all__ = ["NodeEndpoint"]

log = logging.getLogger(__name__)

_JOIN_PATIENCE: Final = 10.0
"""Seconds that a command may take to leave once its pipeline was stopped."""


class NodeEndpoint:
    """The WinRM endpoint of one node, on loopback.

    Args:
        name: name of the node.
        loop: the loop that serves it; leaving the loop closes the endpoint.
        commands: what the node can do.
        credentials: who may sign in, and how.
        tls: TLS context (``LabAuthority.server_context``); None for plain HTTP.
        host: a loopback address.
        port: port, 0 to take a free one; it stays the node's for good.
        clock: the node's time.
        quotas: limits of WinRM.
        hidden: what functions among ``commands`` may run besides.
        configuration: the one session configuration that admits anybody; None: every name does.
        engine: makes what stands behind each shell instead of the lab's own engine; ``commands`` is then not used.

    Raises:
        InputError: a port or an account that cannot be used; the endpoint then holds nothing.
    """

    def __init__(  # noqa: PLR0913  each is a fact of the endpoint
        self,
        name: str,
        *,
        loop: EndpointLoop,
        commands: CommandTable,
        credentials: Credentials,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: NodeClock | None = None,
        quotas: Quotas | None = None,
        versions: Mapping[str, str] | None = None,
        hidden: CommandTable | None = None,
        configuration: str | None = None,
        engine: EngineFactory | None = None,
    ) -> None:
        self.name = name
        self._threads: set[threading.Thread] = set()
        made = engine or self._own_engine(commands, hidden, clock or SystemNodeClock(), versions)
        self._service = WSManService(
            name, made if configuration is None else _admitting(configuration, made), quotas=quotas
        )
        self._uses_tls = tls is not None
        with ExitStack() as undo:
            if "negotiate" in credentials.schemes:
                NtlmUserFile.add(credentials.passwords)
                undo.callback(NtlmUserFile.remove, credentials.passwords)
            # Last, so that an endpoint that cannot be made holds no port.
            self._listener = Listener(self._service, credentials, loop=loop, tls=tls, host=host, port=port)
            self._accounts = undo.pop_all()
        self._closed = False
        loop.on_close(self.close)

    def __repr__(self) -> str:
        return f"<NodeEndpoint {self.name} {self.url}: {'up' if self.is_up else 'down'}, {len(self.shells)} shells>"

    def _own_engine(
        self,
        commands: CommandTable,
        hidden: CommandTable | None,
        clock: NodeClock,
        versions: Mapping[str, str] | None,
    ) -> EngineFactory:
        from cauctl.lab.runspace.engine import VERSIONS, NodeFacts, PythonEngine  # noqa: PLC0415  another engine may serve

        facts = NodeFacts(
            self.name,
            commands=commands,
            hidden=hidden,
            clock=clock,
            versions={**VERSIONS, **(versions or {})},
            threads=self._threads,
        )

        def make(outlet: Outlet, _configuration: str) -> Engine:
            return PythonEngine(outlet, facts)

        return make

    @property
    def port(self) -> int:
        """The port, also while the node is down."""
        return self._listener.port

    @property
    def url(self) -> str:
        """Where clients connect."""
        host = f"[{self._listener.host}]" if ":" in self._listener.host else self._listener.host
        return f"{'https' if self._uses_tls else 'http'}://{host}:{self.port}/wsman"

    @property
    def is_up(self) -> bool:
        """Whether the node takes connections."""
        return self._listener.listening

    @property
    def shells(self) -> tuple[Shell, ...]:
        """Shells that clients have open."""
        return self._service.shells

    @property
    def running(self) -> int:
        """How many pipelines run."""
        return len(self._threads)

    @property
    def mode(self) -> WireMode:
        """How the listener treats everybody: serving, hanging, unavailable (503), slow."""
        return self._listener.mode

    @mode.setter
    def mode(self, mode: WireMode) -> None:
        self._listener.mode = mode

    def start(self) -> None:
        """Take connections; nothing happens if the node is up."""
        self._listener.start()

    def stop(self) -> None:
        """Go down as a restart does: connections reset, port closed, shells and pipelines lost."""
        self._listener.stop()
        self._service.reset()

    def lose_shells(self) -> None:
        """Lose shells and pipelines but keep listening and the connections, as when the shells' host process dies."""
        self._service.reset()

    def refuse(self) -> None:
        """Take no connections and end those there are, but keep the shells: a firewall, or WinRM not up yet."""
        self._listener.stop(reset=False)

    def drop_connections(self, *, reset: bool = False) -> None:
        """End every connection, keep listening and keep the shells: an idle limit, a cut cable with ``reset``."""
        self._listener.drop_connections(reset=reset)

    def cut(self, how: Break, *, command: str | None = None, action: str | None = None, times: int = 1) -> None:
        """Break the next exchanges about a command (by name) or an action (``Command``, ``Receive`` ...)."""
        self._listener.cut(how, command=command, action=action, times=times)

    def intercept(self, interceptor: Interceptor) -> Callable[[], None]:
        """Let a function judge each request before it is acted on; what is given back removes it."""
        return self._listener.intercept(interceptor)

    def close(self) -> None:
        """Go down for good: give the port back and wait for commands to leave."""
        if self._closed:
            return
        self._closed = True
        self.stop()
        self._listener.close()
        self._accounts.close()
        for thread in list(self._threads):
            thread.join(_JOIN_PATIENCE)
            if thread.is_alive():
                log.error("%s: a command did not leave after its pipeline was stopped", self.name)


def _admitting(configuration: str, make: EngineFactory) -> EngineFactory:
    """Make engines for one session configuration only."""

    def admit(outlet: Outlet, asked: str) -> Engine:
        if asked.casefold() != configuration.casefold():
            raise access_denied()
        return make(outlet, asked)

    return admit
