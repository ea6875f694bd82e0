"""HTTP/1.1 of one connection, no more than WinRM needs: requests with Content-Length, answers one at a time.

The connection is an ``asyncio.Protocol``, so that it owns its transport: it can be reset, hung or cut in the middle.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from attrs import field, frozen

from cauctl.lab.wsman.auth import AuthenticationDenied, ConnectionAuth, UnreadableMessage, certificate_subject
from cauctl.lab.wsman.exchange import Answer, Pending
from cauctl.lab.wsman.wire import Break, Substitute, WireMode

if TYPE_CHECKING:
    from cauctl.lab.wsman.auth import Accepted, Credentials
    from cauctl.lab.wsman.exchange import Exchange
    from cauctl.lab.wsman.service import WSManService
    from cauctl.lab.wsman.wire import Verdict

__all__ = ["Connection", "Host"]

_HEAD_LIMIT: Final = 64 << 10
_BODY_LIMIT: Final = 4 << 20
_BUFFER_LIMIT: Final = 8 << 20
_SLOW_PIECES: Final = 20
_SLOW_PAUSE: Final = 0.02
"""Seconds between the pieces of a slow answer."""
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST, as a crash does."""

Headers = list[tuple[str, str]]


class Host(Protocol):
    """What a connection needs of its node."""

    service: WSManService
    credentials: Credentials
    connections: set[Connection]

    @property
    def mode(self) -> WireMode:
        """How everybody is treated now."""
        ...

    def judge(self, exchange: Exchange) -> Verdict:
        """Decide what becomes of an exchange."""
        ...


class _BadRequestError(Exception):
    """The request cannot be read; answer with ``status`` and close."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@frozen
class _Head:
    """Request line and headers."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    length: int


def _parse_head(data: bytes) -> _Head:
    lines = data.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3:  # noqa: PLR2004  method, path, version
        raise _BadRequestError(HTTPStatus.BAD_REQUEST)
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal():
        raise _BadRequestError(HTTPStatus.LENGTH_REQUIRED)
    if int(length) > _BODY_LIMIT:
        raise _BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return _Head(parts[0], parts[1].partition("?")[0], headers, int(length))


class Connection(asyncio.Protocol):
    """One TCP connection of a client."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._busy = False
        self._held: list[tuple[bytes, bool]] = []
        self._waiting: tuple[Pending, _Waker] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  a stream is all that is listened for
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        subject = certificate_subject(tls.getpeercert()) if tls is not None else None
        self._auth = ConnectionAuth(self._host.credentials, subject=subject)
        self._host.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  as asyncio calls it
        """Forget the connection; what waits for output stays for the next Receive."""
        self._host.connections.discard(self)
        self._forget_waiting()

    def data_received(self, data: bytes) -> None:
        """Take bytes; one request is served at a time."""
        self._buffer += data
        if len(self._buffer) > _BUFFER_LIMIT:
            self.reset()
        elif not self._busy:
            self._advance()

    def reset(self) -> None:
        """End the connection with RST, as a node does that dies."""
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):  # it may be gone already
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def close(self) -> None:
        """End the connection in order, as http.sys does after a silence."""
        if not self._transport.is_closing():  # a second close would take the TLS transport apart, and reset needs it
            self._transport.close()

    def resume(self) -> None:
        """Go on after a hang."""
        held, self._held = self._held, []
        for payload, close in held:
            self._write(payload, close=close)
        if not self._busy:
            self._advance()

    def _advance(self) -> None:
        """Serve the request in the buffer if it is complete."""
        if self._host.mode is WireMode.HANGING or self._transport.is_closing():
            return
        try:
            self._read_head()
        except _BadRequestError as error:
            self._reply(error.status, b"", close=True)
            return
        if self._head is None or len(self._buffer) < self._head.length:
            return
        head, self._head = self._head, None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        self._busy = True
        self._serve(head, body)

    def _read_head(self) -> None:
        if self._head is not None:
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise _BadRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        head = _parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._head = head

    def _serve(self, head: _Head, body: bytes) -> None:
        if self._host.mode is WireMode.UNAVAILABLE:
            self._reply(HTTPStatus.SERVICE_UNAVAILABLE, b"")
        elif head.path != "/wsman":
            self._reply(HTTPStatus.NOT_FOUND, b"")
        elif head.method != "POST":
            self._reply(HTTPStatus.METHOD_NOT_ALLOWED, b"")
        else:
            self._authenticate(head, body)

    def _authenticate(self, head: _Head, body: bytes) -> None:
        try:
            accepted = self._auth.check(
                head.headers.get("authorization", ""), head.headers.get("content-type", ""), body
            )
        except AuthenticationDenied as denied:
            self._reply(HTTPStatus.UNAUTHORIZED, b"", denied.headers)
        except UnreadableMessage:
            self._reply(HTTPStatus.BAD_REQUEST, b"")
        else:
            if accepted.body:
                self._act(accepted)
            else:
                self._reply(HTTPStatus.OK, b"", accepted.headers)

    def _act(self, accepted: Accepted) -> None:
        """Read the envelope, ask what is to become of it, and let the service act."""
        exchange = self._host.service.read(accepted.body, accepted.user)
        if isinstance(exchange, Answer):
            self._answer(exchange, accepted.headers)
            return
        verdict = self._host.judge(exchange)
        if isinstance(verdict, Substitute):
            self._write(verdict.payload, close=verdict.close)
            self._done()
        elif verdict is not None and not verdict.acts:
            self._break(verdict, b"")
        else:
            self._finish(self._host.service.perform(exchange), accepted.headers, verdict)

    def _finish(self, result: Answer | Pending, headers: Headers, verdict: Break | None) -> None:
        if isinstance(result, Answer):
            self._answer(result, headers, verdict)
            return
        waker = _Waker(self, result, headers, verdict)
        self._waiting = (result, waker)
        result.subscribe(waker)

    def answer_waiting(self, waker: _Waker) -> None:
        """Answer the Receive that waits, now that something came or its time is over."""
        if self._waiting is None or self._waiting[1] is not waker:
            return
        self._forget_waiting()
        if not self._transport.is_closing():
            self._answer(waker.pending.finish(), waker.headers, waker.verdict)

    def _forget_waiting(self) -> None:
        if self._waiting is not None:
            pending, waker = self._waiting
            self._waiting = None
            waker.cancel()
            pending.unsubscribe(waker)

    def _answer(self, answer: Answer, headers: Headers, verdict: Break | None = None) -> None:
        content_type, body = self._auth.seal(answer.body)
        payload = _render(HTTPStatus(answer.status), body, [*headers, ("Content-Type", content_type)])
        if verdict is not None:
            self._break(verdict, payload)
        else:
            self._write(payload)
            self._done()

    def _break(self, verdict: Break, payload: bytes) -> None:
        """Break the exchange; a silent connection stays busy for ever."""
        if verdict in {Break.BEFORE, Break.AFTER}:
            self.reset()
        elif verdict is Break.MIDDLE:
            self._write(payload[: len(payload) // 2], close=True)

    def _reply(self, status: HTTPStatus, body: bytes, headers: Headers | None = None, *, close: bool = False) -> None:
        self._write(_render(status, body, headers or []), close=close)
        self._done()

    def _write(self, payload: bytes, *, close: bool = False) -> None:
        if self._host.mode is WireMode.HANGING:
            self._held.append((payload, close))
            return
        if self._host.mode is WireMode.SLOW and len(payload) > 1:
            size = max(1, len(payload) // _SLOW_PIECES)
            self._transport.write(payload[:size])
            rest = partial(self._write_rest, payload[size:], size, close=close)
            asyncio.get_running_loop().call_later(_SLOW_PAUSE, rest)
            return
        self._transport.write(payload)
        if close:
            self._transport.close()

    def _write_rest(self, payload: bytes, size: int, *, close: bool) -> None:
        """Let an answer trickle; once the mode has changed the rest goes out at once."""
        if self._transport.is_closing():
            return
        piece = payload if self._host.mode is not WireMode.SLOW else payload[:size]
        self._transport.write(piece)
        if len(piece) < len(payload):
            rest = partial(self._write_rest, payload[len(piece) :], size, close=close)
            asyncio.get_running_loop().call_later(_SLOW_PAUSE, rest)
        elif close:
            self._transport.close()

    def _done(self) -> None:
        """Go on with the next request, which may be in the buffer already."""
        self._busy = False
        if self._buffer:
            self._advance()


def _render(status: HTTPStatus, body: bytes, headers: Headers) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Server: Microsoft-HTTPAPI/2.0"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class _Waker:
    """Wakes a connection for a Receive: from any thread when output comes, on the loop when its time is over."""

    def __init__(self, connection: Connection, pending: Pending, headers: Headers, verdict: Break | None) -> None:
        self.pending, self.headers, self.verdict = pending, headers, verdict
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(pending.timeout, self._fire)

    def __call__(self) -> None:
        with suppress(RuntimeError):  # a closed loop: nobody waits any more
            self._loop.call_soon_threadsafe(self._fire)

    def cancel(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

    def _fire(self) -> None:
        self._connection.answer_waiting(self)
