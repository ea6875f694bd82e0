"""The world's side of a real PowerShell: sessions ask over loopback, handlers answer.

Rules kept here:

* Only 127.0.0.1 is bound; a call must begin with the token of a session that lives, and is closed without an answer
  otherwise.
* A call is a thread that runs the handler as the lab's own engine would. A caller that closes the connection has
  stopped its pipeline: the handler leaves at its next write or sleep.
* An answer is made whole before it is sent, so a slow session never holds the world.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.lab.clock import NodeClock
from cauctl.lab.dispatch import CommandError, CommandTable, PipelineStoppedError
from cauctl.lab.pwsh.bound import read_call
from cauctl.lab.runspace.records import exception_type_names
from cauctl.psobject import PSObject, write_clixml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from cauctl.lab.dispatch import Step, Value
    from cauctl.lab.pwsh.bound import Asked

__all__ = ["CallServer", "Caller"]

log = logging.getLogger(__name__)

_LARGEST: Final = 64 << 20
"""Bytes of a call; far more than a command's arguments need."""
_PATIENCE: Final = 10.0
_ANSWER_DEPTH: Final = 8
_LENGTH: Final = struct.Struct(">I")


@frozen
class Caller:
    """Who a token stands for."""

    node: str
    """Name of the node."""
    user: str
    """Account of the session."""
    commands: CommandTable = field(kw_only=True, repr=False)
    clock: NodeClock = field(kw_only=True, repr=False)
    session: dict[str, Any] = field(factory=dict, kw_only=True, repr=False)
    """What handlers keep between pipelines."""


class _Hangup:
    """Whether the caller has closed the connection. Implements :class:`~cauctl.lab.dispatch.Stopping`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, selectors.EVENT_READ)
                return bool(selector.select(timeout)) and not self._connection.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True


class _Answer:
    """What a handler writes, as frames. Implements :class:`~cauctl.lab.dispatch.CommandContext`."""

    def __init__(self, connection: socket.socket, caller: Caller, asked: Asked) -> None:
        self._connection = connection
        self._caller = caller
        self._asked = asked
        self._stopping = _Hangup(connection)

    @property
    def node(self) -> str:
        return self._caller.node

    @property
    def user(self) -> str:
        return self._caller.user

    @property
    def stopping(self) -> _Hangup:
        return self._stopping

    @property
    def commands(self) -> CommandTable:
        return self._caller.commands

    @property
    def session(self) -> dict[str, Any]:
        return self._caller.session

    def give(self, values: Iterable[Any]) -> None:
        """Write objects."""
        for value in values:
            self._frame(b"O", write_clixml([value], depth=_ANSWER_DEPTH))

    def invoke(self, *steps: Step) -> Iterator[Value]:
        """Refuse: here functions are PowerShell's own and call commands themselves."""
        raise CommandError(f"No function of the lab runs {', '.join(step.name for step in steps)} here.")

    def error(self, record: CommandError) -> None:
        """Write an error; under ``-ErrorAction Stop`` the handler leaves, since PowerShell ends the command there."""
        self._frame(b"E", _told(record))
        if self._asked.error_action == "Stop":
            raise PipelineStoppedError

    def fail(self, record: CommandError) -> None:
        """Write the error that ends the command."""
        self._frame(b"X", _told(record))

    def end(self) -> None:
        """Say that nothing follows."""
        self._frame(b"D", "")

    def warning(self, text: str) -> None:
        self._frame(b"W", text)

    def verbose(self, text: str) -> None:
        self._frame(b"V", text)

    def information(self, text: str) -> None:
        self._frame(b"I", text)

    def progress(
        self, activity: str, *, status: str = "Processing", percent: int = -1, completed: bool = False
    ) -> None:
        told = {"Activity": activity, "Status": status, "Percent": percent, "Completed": completed}
        self._frame(b"P", write_clixml([told]))

    def now(self) -> datetime:
        return self._caller.clock.now()

    def sleep(self, duration: timedelta) -> None:
        if self._stopping.wait(self._caller.clock.real_seconds(duration)):
            raise PipelineStoppedError

    def _frame(self, kind: bytes, text: str) -> None:
        body = text.encode("utf-8", "surrogatepass")
        try:
            self._connection.sendall(kind + _LENGTH.pack(len(body)) + body)
        except OSError:
            raise PipelineStoppedError from None


def _told(error: CommandError) -> str:
    """Describe an error record."""
    hresult = error.hresult
    return write_clixml([{
        "Message": error.message,
        "ErrorId": error.error_id.removesuffix(","),
        "Category": error.category,
        "ExceptionTypes": list(exception_type_names(error.exception_type)),
        "HResult": hresult - (1 << 32) if hresult is not None and hresult >= 1 << 31 else hresult,
        "Target": error.target,
        "TargetType": error.target_type,
    }], depth=_ANSWER_DEPTH)  # fmt: skip


class CallServer:
    """Listens for the calls of all sessions of a lab.

    Use::

        server = CallServer()
        token = server.admit(Caller("NODE1", "admin", commands=table, clock=clock))
        ...                                    # a session is told server.address(token)
        server.dismiss(token)
        server.close()
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._callers: dict[str, Caller] = {}
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name="cauctl-lab-calls", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<CallServer {'closed' if self._closed else 'open'}, {len(self._callers)} sessions>"

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        port: int = self._listener.getsockname()[1]
        return port

    def admit(self, caller: Caller) -> str:
        """Let a session call; give its token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._callers[token] = caller
        return token

    def address(self, token: str) -> str:
        """Give what a session needs to know."""
        return f"127.0.0.1 {self.port} {token}"

    def dismiss(self, token: str) -> None:
        """Take no more calls of a session."""
        with self._lock:
            self._callers.pop(token, None)

    def close(self) -> None:
        """End every call and stop listening; nothing happens if it is closed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._callers.clear()
            connections, threads = list(self._connections), list(self._threads)
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), _PATIENCE).close()  # wakes who waits for a caller
        for connection in connections:
            _shut(connection)
        for thread in (self._thread, *threads):
            thread.join(_PATIENCE)
            if thread.is_alive():
                log.error("a call of a session did not end")

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            with self._lock:
                if self._closed:
                    connection.close()
                    break
                thread = threading.Thread(target=self._serve, args=(connection,), name="cauctl-lab-call", daemon=True)
                self._connections.add(connection)
                self._threads.add(thread)
            thread.start()
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._answer(connection)
        except (OSError, PipelineStoppedError):
            pass  # the caller is gone
        except Exception:
            log.exception("a call of a session failed")
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())
            connection.close()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        text = _read(connection)
        connection.settimeout(None)
        token, mark, document = text.partition("<")
        caller = self._find(token)
        if caller is None:
            log.warning("a call without the token of a session was refused")
            return
        asked = read_call(mark + document, caller.commands)
        answer = _Answer(connection, caller, asked)
        try:
            answer.give(_objects(asked.command.handler(answer, asked.call)))
        except CommandError as error:
            (answer.fail if error.terminating else answer.error)(error)
        answer.end()

    def _find(self, token: str) -> Caller | None:
        with self._lock:
            callers = dict(self._callers)
        return next((caller for known, caller in callers.items() if hmac.compare_digest(known, token)), None)


def _objects(result: Any) -> Iterable[Any]:
    """Give what a handler returned as output objects; one object that could be iterated is still one object."""
    if result is None:
        return ()
    return (result,) if isinstance(result, str | bytes | dict | PSObject) else result


def _read(connection: socket.socket) -> str:
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > _LARGEST:
        raise InputError(f"{length:,} bytes", where="call", expected=f"at most {_LARGEST:,}")
    return _exactly(connection, length).decode("utf-8")


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 16))
        if not part:
            raise PipelineStoppedError
        data += part
    return bytes(data)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
