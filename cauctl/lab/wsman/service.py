"""The WS-Management service of one node: actions on shells. No sockets; a front end feeds it request bodies.

Every request is answered at once, but for a Receive that has nothing yet: that gives a :class:`Pending`, on which the
front end waits in its own way. Quotas and faults are Windows' (MS-WSMV 3.1.4, recorded sessions).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.lab.wsman import faults, soap
from cauctl.lab.wsman.exchange import (
    Answer,
    Exchange,
    Pending,
    command_id,
    command_response,
    connect_response,
    enumerate_response,
    enumerated_commands,
    joined_text,
    read_fragments,
    read_id,
    receive_response,
    resource_created,
    shell_xml,
)
from cauctl.lab.wsman.faults import WSManFault
from cauctl.lab.wsman.shell import FragmentQueue, Shell
from cauctl.lab.wsman.soap import PWSH, RSP, WSMAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from cauctl.lab.wsman.shell import Engine, EngineFactory

__all__ = ["Quotas", "WSManService"]

log = logging.getLogger(__name__)

_SHELL_URI: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_CONFIGURATION_URI: Final = "http://schemas.microsoft.com/powershell/"
_TERMINATE: Final = f"{_SHELL_URI}/signal/Terminate"
_ENVELOPE_OVERHEAD: Final = 2048
"""Bytes of an answer that are not fragments."""


@frozen
class Quotas:
    """Limits of WinRM's plug-in Microsoft.PowerShell, with Windows' defaults."""

    max_shells_per_user: int = field(default=30, kw_only=True)
    max_commands_per_shell: int = field(default=1000, kw_only=True)
    idle_timeout: timedelta = field(default=timedelta(hours=2), kw_only=True)
    """Idle timeout of a shell whose client asks for none."""
    max_idle_timeout: timedelta = field(default=timedelta(milliseconds=2_147_483_647), kw_only=True)


class WSManService:
    """Shells of one node.

    Args:
        machine: name of the node, shown in faults.
        engine: makes what stands behind each shell.
        quotas: limits.
        monotonic: seconds of a steady clock, for idle timeouts.
    """

    def __init__(
        self,
        machine: str,
        engine: EngineFactory,
        *,
        quotas: Quotas | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.machine = machine
        self.quotas = quotas or Quotas()
        self._engine = engine
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._shells: dict[str, Shell] = {}
        self._actions: dict[str, Callable[[Exchange], Answer | Pending]] = {
            "Create": self._create,
            "Delete": self._delete,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": self._signal,
            "Disconnect": self._disconnect,
            "Reconnect": self._reconnect,
            "Connect": self._connect,
            "Get": self._get,
            "Enumerate": self._enumerate,
        }

    def __repr__(self) -> str:
        return f"<WSManService {self.machine}: {len(self._shells)} shells>"

    @property
    def shells(self) -> tuple[Shell, ...]:
        """Shells that exist now."""
        with self._lock:
            return tuple(self._shells.values())

    def reset(self) -> None:
        """Lose every shell, as a restart does."""
        with self._lock:
            shells, self._shells = list(self._shells.values()), {}
        for shell in shells:
            shell.close(faults.aborted())

    def read(self, data: bytes, user: str) -> Exchange | Answer:
        """Read a request without doing anything; what cannot be read is answered by its fault."""
        try:
            return Exchange(soap.parse(data), user, self.commands_of)
        except WSManFault as fault:
            return self._fault(fault, "")

    def perform(self, exchange: Exchange) -> Answer | Pending:
        """Do what a request asks for."""
        request = exchange.request
        try:
            return self._actions.get(request.action, _unknown_action)(exchange)
        except WSManFault as fault:
            return self._fault(fault, request.message_id)
        except Exception as error:  # a bug of one node must not take the loop's others along
            log.exception("%s: a request failed", self.machine)
            return self._fault(faults.internal_error(f"{type(error).__name__}: {error}"), request.message_id)

    def handle(self, data: bytes, user: str) -> Answer | Pending:
        """Read a request and do what it asks for."""
        exchange = self.read(data, user)
        return exchange if isinstance(exchange, Answer) else self.perform(exchange)

    def commands_of(self, exchange: Exchange) -> tuple[str, ...]:
        """Name the commands of the pipeline that a request starts or is about."""
        request = exchange.request
        try:
            shell, engine = self._shell(exchange, connected=False)
            if request.action == "Command":
                return engine.peek(read_fragments(joined_text(request.element(f"{RSP}CommandLine"), f"{RSP}Arguments")))
            command = next((found for found in map(command_id, request.body.iter()) if found is not None), None)
            with shell.lock:
                return () if command is None else engine.describe(command)
        except WSManFault:
            return ()

    def _fault(self, fault: WSManFault, message_id: str) -> Answer:
        return Answer(500, soap.fault_answer(message_id, fault, machine=self.machine))

    def _shell(self, exchange: Exchange, *, connected: bool = True) -> tuple[Shell, Engine]:
        """Find the shell of a request and its engine."""
        self._reap()
        shell_id = exchange.request.shell_id
        with self._lock:
            shell = self._shells.get(shell_id)
        if shell is None or shell.closed or shell.engine is None or shell.owner != exchange.user:
            raise faults.shell_not_found(shell_id)
        if connected and not shell.connected:
            raise faults.shell_disconnected()
        shell.touched = self._monotonic()
        return shell, shell.engine

    def _reap(self) -> None:
        """Close the shells whose clients have been silent for too long."""
        now = self._monotonic()
        with self._lock:
            expired = [shell for shell in self._shells.values() if shell.expired(now)]
            for shell in expired:
                del self._shells[shell.shell_id]
        for shell in expired:
            shell.close(faults.shell_not_found(shell.shell_id))

    def _create(self, exchange: Exchange) -> Answer:
        request = exchange.request
        configuration = request.resource_uri.removeprefix(_CONFIGURATION_URI)
        if configuration == request.resource_uri or not configuration:
            raise faults.resource_not_served(request.resource_uri)
        element = request.element(f"{RSP}Shell")
        creation = request.element(f"{RSP}Shell/{PWSH}creationXml")
        shell_id = (element.get("ShellId") or str(uuid.uuid4())).upper()
        shell = Shell(
            shell_id,
            owner=exchange.user,
            resource_uri=request.resource_uri,
            session_id=request.session_id,
            opened=self._monotonic(),
        )
        asked = soap.read_duration(element.findtext(f"{RSP}IdleTimeOut"), default=self.quotas.idle_timeout)
        shell.idle_timeout = min(asked, self.quotas.max_idle_timeout)
        self._admit(shell)
        try:
            with shell.lock:
                shell.engine = self._engine(shell, configuration)
                shell.engine.open(read_fragments(creation.text))
        except WSManFault:
            self._drop(shell)
            raise
        return self._ok(exchange, resource_created(shell, machine=self.machine) + self._shell_xml(shell))

    def _admit(self, shell: Shell) -> None:
        self._reap()
        limit = self.quotas.max_shells_per_user
        with self._lock:
            if sum(other.owner == shell.owner for other in self._shells.values()) >= limit:
                raise faults.too_many_shells(limit)
            self._shells[shell.shell_id] = shell

    def _drop(self, shell: Shell) -> None:
        with self._lock:
            self._shells.pop(shell.shell_id, None)
        shell.close(faults.aborted())

    def _delete(self, exchange: Exchange) -> Answer:
        shell, _ = self._shell(exchange, connected=False)
        self._drop(shell)
        return self._ok(exchange, "")

    def _command(self, exchange: Exchange) -> Answer:
        shell, engine = self._shell(exchange)
        element = exchange.request.element(f"{RSP}CommandLine")
        command = read_id(element.get("CommandId") or str(uuid.uuid4()))
        data = read_fragments(joined_text(element, f"{RSP}Arguments"))
        with shell.lock:
            if len(shell.commands) >= self.quotas.max_commands_per_shell:
                raise faults.too_many_commands()
            if command in shell.commands:
                raise faults.command_exists(str(command))
            shell.commands[command] = FragmentQueue(shell.lock)
            try:
                engine.start(command, data)
            except WSManFault:
                shell.forget(command)
                raise
        return self._ok(exchange, command_response(command))

    def _send(self, exchange: Exchange) -> Answer:
        shell, engine = self._shell(exchange)
        with shell.lock:
            for stream in exchange.request.body.iterfind(f"{RSP}Send/{RSP}Stream"):
                command = command_id(stream)
                if command is not None:
                    _queue(shell, command)
                engine.feed(read_fragments(stream.text), command, prompt=stream.get("Name") == "pr")
        return self._ok(exchange, "<rsp:SendResponse/>")

    def _receive(self, exchange: Exchange) -> Answer | Pending:
        shell, _ = self._shell(exchange)
        command = command_id(exchange.request.element(f"{RSP}Receive/{RSP}DesiredStream"))
        with shell.lock:
            queue = shell.queue if command is None else _queue(shell, command)
            if queue.ready or queue.repeated(exchange.request.message_id) is not None:
                return self._received(exchange, shell, command, queue)
        timeout = exchange.request.operation_timeout.total_seconds()
        return Pending(queue, shell.lock, timeout, lambda: self._received(exchange, shell, command, queue))

    def _received(self, exchange: Exchange, shell: Shell, command: UUID | None, queue: FragmentQueue) -> Answer:
        """Answer a Receive with what there is now."""
        request = exchange.request
        with shell.lock:
            shell.touched = self._monotonic()
            before = queue.repeated(request.message_id)
            if before is not None:
                return Answer(200, before)
            fragments = queue.take((request.max_envelope - _ENVELOPE_OVERHEAD) * 3 // 4)
            if not fragments and not queue.done:
                return self._fault(queue.fault or faults.timed_out(), request.message_id)
            body = soap.answer(request, receive_response(command, fragments, done=queue.done and queue.empty))
            queue.remember(request.message_id, body)
        return Answer(200, body)

    def _signal(self, exchange: Exchange) -> Answer:
        shell, engine = self._shell(exchange)
        element = exchange.request.element(f"{RSP}Signal")
        command = command_id(element)
        if command is None:
            raise faults.command_not_found()
        with shell.lock:
            _queue(shell, command)
            if (element.findtext(f"{RSP}Code") or "").strip() == _TERMINATE:
                engine.release(command)
                shell.forget(command)
            else:
                engine.stop(command)
                shell.wake_writer(command)
        return self._ok(exchange, "<rsp:SignalResponse/>")

    def _disconnect(self, exchange: Exchange) -> Answer:
        shell, engine = self._shell(exchange)
        asked = exchange.request.body.findtext(f"{RSP}Disconnect/{RSP}IdleTimeOut")
        with shell.lock:
            shell.idle_timeout = min(
                soap.read_duration(asked, default=shell.idle_timeout), self.quotas.max_idle_timeout
            )
            shell.connected = False
            engine.disconnect()
        return self._ok(exchange, "")

    def _reconnect(self, exchange: Exchange) -> Answer:
        shell, engine = self._shell(exchange, connected=False)
        if shell.session_id != exchange.request.session_id:
            raise faults.shell_disconnected()
        with shell.lock:
            shell.connected = True
            engine.reconnect()
        return self._ok(exchange, "")

    def _connect(self, exchange: Exchange) -> Answer:
        shell, engine = self._shell(exchange, connected=False)
        element = exchange.request.element(f"{RSP}Connect")
        command = command_id(element)
        with shell.lock:
            if command is not None:
                _queue(shell, command)
                return self._ok(exchange, "<rsp:ConnectResponse/>")
            shell.queue.take(1 << 62)
            reply = engine.connect(read_fragments(element.findtext(f"{PWSH}connectXml")))
            shell.connected, shell.session_id = True, exchange.request.session_id
        return self._ok(exchange, connect_response(reply))

    def _get(self, exchange: Exchange) -> Answer:
        if exchange.request.resource_uri.endswith("/config"):
            return self._ok(
                exchange,
                '<cfg:Config xmlns:cfg="http://schemas.microsoft.com/wbem/wsman/1/config">'
                f"<cfg:MaxEnvelopeSizekb>{soap.LARGEST_ENVELOPE // 1024}</cfg:MaxEnvelopeSizekb></cfg:Config>",
            )
        shell, _ = self._shell(exchange, connected=False)
        return self._ok(exchange, self._shell_xml(shell))

    def _enumerate(self, exchange: Exchange) -> Answer:
        self._reap()
        mine = [shell for shell in self.shells if shell.owner == exchange.user and not shell.closed]
        items = ""
        if exchange.request.resource_uri == _SHELL_URI:
            items = "".join(map(self._shell_xml, mine))
        elif exchange.request.resource_uri == f"{_SHELL_URI}/Command":
            wanted = (exchange.request.body.findtext(f".//{WSMAN}Selector") or "").strip().upper()
            items = "".join(enumerated_commands(shell) for shell in mine if shell.shell_id == wanted)
        return self._ok(exchange, enumerate_response(items))

    def _shell_xml(self, shell: Shell) -> str:
        return shell_xml(shell, now=self._monotonic(), max_idle_timeout=self.quotas.max_idle_timeout)

    def _ok(self, exchange: Exchange, body: str) -> Answer:
        return Answer(200, soap.answer(exchange.request, body))


def _unknown_action(exchange: Exchange) -> Answer:
    raise faults.action_not_supported(exchange.request.action_uri)


def _queue(shell: Shell, command: UUID) -> FragmentQueue:
    queue = shell.commands.get(command)
    if queue is None:
        raise faults.command_not_found()
    return queue
