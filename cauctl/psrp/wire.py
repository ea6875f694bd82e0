"""The HTTP connection to a node, bounded in time and size, that knows whether anything was sent.

Rules kept here:

* A request ends at its deadline, however slowly bytes trickle: each read waits only for what is left of it. Looking up
  the name counts too.
* An answer is at most :data:`LONGEST_ANSWER` bytes, headers included, and is never decompressed.
* A way that fails before a byte of the request has left is a :class:`~cauctl.errors.NodeUnreachableError` or a
  :class:`~cauctl.errors.TlsError`; one that fails after it a :class:`~cauctl.errors.FateUnknownError`.
* Nothing is repeated and no redirect is followed here; the environment decides nothing.

:class:`Line` is what a connection, the request on it and another thread that wants to end both have in common.
"""

from __future__ import annotations

import errno
import http.client
import io
import itertools
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from cauctl.errors import FateUnknownError, NodeUnreachableError, TransportError
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.display import show_text
from cauctl.psrp.lookup import SocketAddress, addresses
from cauctl.psrp.tls import tls_context, tls_failure

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from cauctl.psrp.connection import NodeConnection

__all__ = ["LONGEST_ANSWER", "Line", "NodeAdapter"]

LONGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of one HTTP answer; WinRM's own limit (MaxEnvelopeSizekb) is 500 KB unless an administrator raised it."""


_RECORD = 16 * 1024
"""Bytes of one TLS record."""


class Line:
    """The state of one connection to a node and of the request on it.

    Args:
        connection: whom to reach.
    """

    def __init__(self, connection: NodeConnection) -> None:
        self.connection = connection
        self.node = connection.node
        self.peer = f"{connection.address}:{connection.port}"
        self.deadline = Deadline.never()
        self._connect_timeout = connection.connect_timeout
        self.carries_message = False
        self.sent = False
        self._numbers = itertools.count(1)
        self._used: set[int] = set()
        self._received = 0
        self._handle: socket.socket | None = None
        """Second handle of the connection in use: TLS takes the first one over, and ``abort`` must find it before."""
        self._handle_lock = threading.Lock()
        self._aborted = threading.Event()

    def begin(self, deadline: Deadline) -> None:
        """Start a request that must end at ``deadline``."""
        if self._aborted.is_set():
            raise NodeUnreachableError("the session was given up; nothing was sent.", node=self.node, address=self.peer)
        if deadline.passed:
            raise NodeUnreachableError("no time was left; nothing was sent.", node=self.node, address=self.peer)
        self.deadline = deadline
        self.sent = False

    @contextmanager
    def hurrying(self, connect_within: float | None) -> Iterator[None]:
        """Give connections at most ``connect_within`` seconds meanwhile; None leaves them their time."""
        usual = self._connect_timeout
        if connect_within is not None:
            self._connect_timeout = min(usual, timedelta(seconds=connect_within))
        try:
            yield
        finally:
            self._connect_timeout = usual

    @property
    def aborted(self) -> bool:
        """Whether ``abort`` was called."""
        return self._aborted.is_set()

    def abort(self) -> None:
        """End what waits on this line now, from any thread; nothing can be sent on it afterwards."""
        self._aborted.set()
        with self._handle_lock, suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def hold(self, connection: socket.socket | None) -> None:
        """Keep a second handle of the connection in use, which keeps it open; None lets it go."""
        with self._handle_lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = connection.dup() if connection is not None else None
            # ``abort`` sets its flag before it looks here: it finds the handle, or is found.
            if connection is not None and self._aborted.is_set():
                raise ConnectionAbortedError(errno.ECONNABORTED, "given up")

    def pause(self, seconds: float) -> None:
        """Wait before another try, at most until ``abort``."""
        self._aborted.wait(seconds)

    def begin_exchange(self, *, carries_message: bool) -> None:
        """Start an exchange with the node, which may take several round trips to authenticate."""
        self.carries_message = carries_message
        self._used.clear()

    def begin_handshake(self) -> None:
        """Start to sign in: a connection that the node closed before, with its challenge, was not changed under way."""
        self._used.clear()

    def next_number(self) -> int:
        """Number a new connection."""
        return next(self._numbers)

    def note_sent(self, connection_number: int) -> None:
        """Record that a part of the message is about to leave over a connection."""
        self.sent = self.sent or self.carries_message
        self._used.add(connection_number)

    @property
    def changed_connection(self) -> bool:
        """Whether the exchange used more than one connection: a node authenticates each for itself."""
        return len(self._used) > 1

    def next_timeout(self) -> float:
        """Seconds that the next read or write may take; raises TimeoutError when none are left."""
        if self._aborted.is_set() or self.deadline.passed:
            raise TimeoutError("the deadline of the request has passed")
        return min(self.deadline.remaining, threading.TIMEOUT_MAX)

    def note_received(self, count: int) -> None:
        """Record ``count`` more bytes of the answer and refuse what is longer than any answer may be."""
        self._received += count
        if self._received > LONGEST_ANSWER:
            raise self.refuse(f"its answer is longer than {LONGEST_ANSWER:,} bytes")

    def expect_answer(self) -> None:
        """Start counting the bytes of a new answer."""
        self._received = 0

    def refuse(self, reason: str) -> TransportError:
        """Build the error for an answer that no node gives; what that means for a pipeline, the caller knows."""
        return TransportError(
            f"{reason}.", node=self.node, address=self.peer, advice=f"Is the service at {self.peer} really WinRM?"
        )

    def broken(self, error: BaseException) -> TransportError:
        """Build the error for a connection that ended or stayed silent."""
        if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
            reason = f"{self.peer} did not answer in time"
        else:
            reason = f"the connection to {self.peer} broke ({_innermost(error)})"
        if not self.sent:
            return NodeUnreachableError(f"{reason}; nothing was sent.", node=self.node, address=self.peer)
        return FateUnknownError(f"{reason} after the request had left.", node=self.node, address=self.peer)

    def connect(self, host: str, port: int, options: Any) -> socket.socket:
        """Open a TCP connection; each address of ``host`` gets its share of the time."""
        deadline = self.deadline.within(self._connect_timeout)
        addresses = self._look_up(host, port, deadline)
        failure: OSError = TimeoutError("timed out")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                found = self._connect_to(address, max(deadline.remaining / left, 0.05), options)
            except OSError as error:
                failure = error
            else:
                # The handshake that may follow has what is left of the time, not a share of it once more.
                found.settimeout(max(deadline.remaining, 0.05))
                return found
        raise self._nobody_answers(failure) from failure

    def _connect_to(self, address: SocketAddress, seconds: float, options: Any) -> socket.socket:
        family, kind, protocol, _, target = address
        found = socket.socket(family, kind, protocol)
        try:
            self.hold(found)
            for option in options or ():
                found.setsockopt(*option)
            found.settimeout(seconds)
            found.connect(target)
        except BaseException:
            self.hold(None)
            found.close()
            raise
        return found

    def _look_up(self, host: str, port: int, deadline: Deadline) -> list[SocketAddress]:
        try:
            answer = addresses(host, port, deadline)
        except OSError as error:
            raise NodeUnreachableError(
                f"the name {host} was not found ({error.strerror or error}); nothing was sent.",
                node=self.node,
                address=self.peer,
                advice="Check the name, or give the node's address.",
            ) from error
        if answer is None:
            raise NodeUnreachableError(
                f"no name server told the address of {host} in time; nothing was sent.",
                node=self.node,
                address=self.peer,
            )
        return answer

    def _nobody_answers(self, error: OSError) -> NodeUnreachableError:
        if isinstance(error, ConnectionRefusedError):
            reason = f"{self.peer} refused the connection"
        elif isinstance(error, TimeoutError):
            reason = f"nobody answered at {self.peer}"
        else:
            reason = f"{self.peer} cannot be reached ({error.strerror or error})"
        return NodeUnreachableError(f"{reason}; nothing was sent.", node=self.node, address=self.peer)


def _innermost(error: BaseException) -> str:
    """Name the first cause in a few words, without the addresses of objects that urllib3 prints."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return show_text(str(error)) or type(error).__name__


class _Reader(io.RawIOBase):
    """Bytes of one answer, each read bounded by the line's deadline, all together by the size of an answer."""

    def __init__(self, inner: socket.SocketIO, line: Line) -> None:
        self._inner, self._line = inner, line
        self.ended = False
        line.expect_answer()

    @property
    def _sock(self) -> Any:
        return self._inner._sock  # type: ignore[attr-defined]  # noqa: SLF001  where pypsrp looks for the certificate

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._line.next_timeout())
        count = self._inner.readinto(buffer)
        self.ended = count == 0
        self._line.note_received(count or 0)
        return count

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, line: Line, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._reader = _Reader(self.fp.detach(), line)  # type: ignore[arg-type]
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """Read status and headers; http.client takes headers that break off for whole ones."""
        super().begin()
        if self._reader.ended:
            raise ConnectionResetError(errno.ECONNRESET, "the answer ended within its headers")


class _Bounded:
    """What both kinds of connection have in common; mixed in before urllib3's class."""

    line: Line
    sock: Any
    _connecting = False
    _number = 0

    def _new_conn(self) -> socket.socket:
        return self.line.connect(self._dns_host, self.port, self.socket_options)  # type: ignore[attr-defined]

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]
        self.sock.settimeout(self.line.next_timeout())

    def connect(self) -> None:
        self._connecting = True
        self._number = self.line.next_number()
        try:
            super().connect()  # type: ignore[misc]
        except TransportError:
            raise
        except Exception as error:
            raise tls_failure(self.line.connection, error) or self.line.broken(error) from error
        finally:
            self._connecting = False

    def close(self) -> None:
        self.line.hold(None)
        super().close()  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._connecting:
            self.line.next_timeout()
            self.line.note_sent(self._number)
        # TLS waits for each of its records anew, so that whoever reads slowly would stretch a long message.
        for start in range(0, len(data), _RECORD):
            self.sock.settimeout(self.line.next_timeout())
            super().send(data[start : start + _RECORD])  # type: ignore[misc]

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        if response.headers.get("content-encoding", "identity").casefold() != "identity":
            raise self.line.refuse("its answer is compressed, which was not asked for")
        return response


class _Connection(_Bounded, urllib3.connection.HTTPConnection):
    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self.line = line
        self.response_class = partial(_Response, line)  # type: ignore[assignment]


class _TlsConnection(_Bounded, urllib3.connection.HTTPSConnection):
    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self.line = line
        self.response_class = partial(_Response, line)  # type: ignore[assignment]


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ConnectionCls = partial(_Connection, line=line)  # type: ignore[assignment]


class _TlsPool(urllib3.connectionpool.HTTPSConnectionPool):
    def __init__(self, *args: Any, line: Line, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ConnectionCls = partial(_TlsConnection, line=line)  # type: ignore[assignment]

    def _validate_conn(self, conn: Any) -> None:
        """Connect. Whether to check the certificate was decided, and said, where the connection was described."""
        if conn.is_closed:
            conn.connect()


class NodeAdapter(requests.adapters.HTTPAdapter):
    """Connections to one node for a ``requests`` session; TLS as the connection says, not as the session does."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._tls = _tls_options(line.connection)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002  requests' signature
        """Build the pool of connections."""
        super().init_poolmanager(connections, maxsize, block, **options, **self._tls)
        self._use_own_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Build the pool of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options, **self._tls)
        self._use_own_pools(manager)
        return manager

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,  # noqa: FBT001  requests' signature
        cert: Any = None,
    ) -> Any:
        """Name host and port only; TLS is settled."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the connection as it is; TLS is settled."""

    def _use_own_pools(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            "http": partial(_Pool, line=self._line),
            "https": partial(_TlsPool, line=self._line),
        }


def _tls_options(connection: NodeConnection) -> Mapping[str, ssl.SSLContext | str]:
    if not connection.tls:
        return {}
    options: dict[str, ssl.SSLContext | str] = {"ssl_context": tls_context(connection)}
    if connection.certificate_name:
        options |= {"assert_hostname": connection.certificate_name, "server_hostname": connection.certificate_name}
    return options
