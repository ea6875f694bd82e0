"""The listener of one node: its port, its connections, and what a fault does to them.

Rules kept here:

* Only loopback addresses are bound; a lab is never reachable from another machine.
* The port stays the node's own while it is down: a bound socket that does not listen keeps others off it, and clients
  are refused.
* Control methods may be called from any thread, the loop's included; when one returns, its effect is there.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cauctl.errors import InputError
from cauctl.lab.wsman.http import Connection
from cauctl.lab.wsman.tls import ServerTls
from cauctl.lab.wsman.wire import WireMode

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from cauctl.lab.wsman.auth import Credentials
    from cauctl.lab.wsman.exchange import Exchange
    from cauctl.lab.wsman.loop import EndpointLoop
    from cauctl.lab.wsman.service import WSManService
    from cauctl.lab.wsman.wire import Break, Interceptor, Verdict

__all__ = ["Listener"]

log = logging.getLogger(__name__)

_BACKLOG: Final = 128
_CLOSING_ROUNDS: Final = 2


class Listener:
    """Takes connections for one node.

    Args:
        service: what answers requests.
        credentials: who may sign in.
        loop: the loop that serves.
        tls: TLS context; None for plain HTTP.
        host: loopback address or ``localhost``.
        port: port, 0 to take a free one and keep it.
    """

    def __init__(  # noqa: PLR0913  each is a fact of the listener
        self,
        service: WSManService,
        credentials: Credentials,
        *,
        loop: EndpointLoop,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.service = service
        self.credentials = credentials
        self.connections: set[Connection] = set()
        self._loop = loop
        self._tls = tls
        self._host = _loopback(host)
        self._mode = WireMode.SERVING
        self._interceptors: list[Interceptor] = []
        self._listening: socket.socket | None = None
        self._handshakes: set[asyncio.Task[None]] = set()
        self._reserved: socket.socket | None = self._bind(port)
        self.port: int = self._reserved.getsockname()[1]

    def __repr__(self) -> str:
        state = self._mode.value if self.listening else "not listening"
        return f"<Listener {self._host}:{self.port}: {state}, {len(self.connections)} connections>"

    @property
    def host(self) -> str:
        """The address that is bound."""
        return self._host

    @property
    def listening(self) -> bool:
        """Whether connections are taken."""
        return self._listening is not None

    @property
    def mode(self) -> WireMode:
        """How everybody is treated."""
        return self._mode

    @mode.setter
    def mode(self, mode: WireMode) -> None:
        def change() -> None:
            self._mode = mode
            if mode is not WireMode.HANGING:
                for connection in list(self.connections):
                    connection.resume()

        self._loop.call(change)

    def intercept(self, interceptor: Interceptor) -> Callable[[], None]:
        """Let ``interceptor`` judge each request; what is given back removes it."""
        self._interceptors.append(interceptor)

        def remove() -> None:
            with suppress(ValueError):
                self._interceptors.remove(interceptor)

        return remove

    def judge(self, exchange: Exchange) -> Verdict:
        """Ask the interceptors in order; the first verdict counts."""
        for interceptor in list(self._interceptors):
            verdict = interceptor(exchange)
            if verdict is not None:
                return verdict
        return None

    def cut(self, how: Break, *, command: str | None = None, action: str | None = None, times: int = 1) -> None:
        """Break the next ``times`` exchanges that match.

        Args:
            how: in which way.
            command: name of a command of the pipeline concerned; any if None.
            action: the request's action (``Command``, ``Receive`` ...); any if None.
            times: how many exchanges.
        """
        left = times

        def judge(exchange: Exchange) -> Verdict:
            nonlocal left
            if action is not None and exchange.action != action:
                return None
            if command is not None and command.casefold() not in map(str.casefold, exchange.commands):
                return None
            left -= 1
            if left <= 0:
                remove()
            return how

        remove = self.intercept(judge)

    def start(self) -> None:
        """Listen; nothing happens if it does."""
        self._loop.call(self._start)

    def stop(self, *, reset: bool = True) -> None:
        """Stop listening and end every connection: by RST, as a node does that dies, or in order."""
        self._loop.call(lambda: self._stop(reset=reset))

    def drop_connections(self, *, reset: bool = False) -> None:
        """End every connection but keep listening, as http.sys does after 120 s of silence."""

        def drop() -> None:
            for connection in list(self.connections):
                if reset:
                    connection.reset()
                else:
                    connection.close()

        self._loop.call(drop)
        for _ in range(_CLOSING_ROUNDS):  # asyncio closes a socket in a later round; whoever called may count on it now
            self._loop.call(lambda: None)

    def close(self) -> None:
        """Stop, and give the port back."""
        self.stop()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, port))
        except OSError as error:
            bound.close()
            raise InputError(
                f"port {port} of {self._host} cannot be used: {error.strerror}", where="port", expected="a free port"
            ) from error
        return bound

    def _start(self) -> None:
        if self._listening is not None:
            return
        listening, self._reserved = self._reserved or self._bind(self.port), None
        listening.setblocking(False)
        listening.listen(_BACKLOG)
        self._loop.asyncio_loop.add_reader(listening, self._accept, listening)
        self._listening = listening

    def _stop(self, *, reset: bool) -> None:
        if self._listening is not None:
            self._loop.asyncio_loop.remove_reader(self._listening)
            self._listening.close()
            self._listening = None
            self._reserved = self._bind(self.port)
        for handshake in list(self._handshakes):
            handshake.cancel()
        for connection in list(self.connections):
            if reset:
                connection.reset()
            else:
                connection.close()

    def _accept(self, listening: socket.socket) -> None:
        """Take the connections that wait."""
        for _ in range(_BACKLOG):
            try:
                accepted, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("port %s: a connection could not be taken: %s", self.port, error)
                return
            accepted.setblocking(False)
            handshake = self._loop.asyncio_loop.create_task(self._welcome(accepted))
            self._handshakes.add(handshake)
            handshake.add_done_callback(partial(self._welcomed, accepted))

    async def _welcome(self, accepted: socket.socket) -> None:
        """Make a connection of an accepted socket; a client that breaks off its TLS handshake is no failure of ours."""
        loop, connection = self._loop.asyncio_loop, Connection(self)
        with suppress(OSError, asyncio.CancelledError):
            if self._tls is None:
                await loop.connect_accepted_socket(lambda: connection, accepted)
                return
            agreed: asyncio.Future[None] = loop.create_future()
            protocol = ServerTls(loop, connection, self._tls, agreed, server_side=True)
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted)
            try:
                await agreed
            except BaseException:
                transport.abort()
                raise

    def _welcomed(self, accepted: socket.socket, handshake: asyncio.Task[None]) -> None:
        self._handshakes.discard(handshake)
        if handshake.cancelled():  # before it began: nobody else owns the socket
            accepted.close()


def _loopback(host: str) -> str:
    """Give the address for a host; anything but loopback is refused."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        allowed = ip_address(address).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise InputError(f"{host} is not a loopback address", where="host", expected="127.0.0.1, ::1 or localhost")
    return address
