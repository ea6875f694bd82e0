"""One PowerShell shell on a node: create it, start pipelines in it, fetch their output, stop, remove.

Rules kept here:

* pypsrp's exceptions end here. What is unknown once a pipeline may have started is a
  :class:`~cauctl.errors.FateUnknownError`, never :class:`~cauctl.errors.NodeUnreachableError`.
* One thread at a time; :meth:`Shell.stop_aside` and :meth:`Shell.abort` alone may be called from another one, and use a
  connection and a security context of their own.
* A transport that was silent for a minute is rebuilt before it is used: http.sys drops the connection after two.
"""

from __future__ import annotations

import base64
import math
import struct
import time
import uuid
import xml.etree.ElementTree as ET
from contextlib import contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.exceptions import WinRMError, WSManFaultError
from pypsrp.serializer import TaggedValue
from pypsrp.shell import SignalCode, WinRS

from cauctl.errors import (
    AuthenticationError,
    FateUnknownError,
    InputError,
    NodeUnreachableError,
    SessionLostError,
    TransportError,
)
from cauctl.psrp.creation import write_creation
from cauctl.psrp.display import bare_reason, show_text
from cauctl.psrp.transport import NodePool, NodeWSMan, pack_creation, select_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.deadline import Deadline
    from cauctl.psrp.pipeline import Pipeline

__all__ = ["Receipt", "Shell"]

LONGEST_SILENCE: Final = 60.0
MOST_TO_OPEN: Final = 1024 * 1024
"""Bytes of all answers until a session is open; pypsrp reads those and bounds nothing. Windows' have 3 to 18 KB."""
_ACCESS_DENIED: Final = 5
_OPERATION_TIMED_OUT: Final = 0x80338029
_NO_CONFIGURATION: Final = 0x8033801A
_SHELL_GONE: Final = {0x8033805B, 0x8033805C, 0x803381DE, 0x803381C4, 995}
_DONE: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"


_UNREADABLE: Final = (
    *(WinRMError, ET.ParseError, struct.error),
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError),
)
"""What pypsrp raises over an answer that no node gives."""


class _Phase(Enum):
    """What a failure of the way leaves behind."""

    OPENING = "opening"
    """No pipeline: a request to open, or to prepare one."""
    STARTING = "starting"
    """This request starts one."""
    RUNNING = "running"
    """One was started before."""


@frozen
class Receipt:
    """One answer to a request for output."""

    data: bytes
    """Fragments; may be empty."""
    done: bool
    """The node has nothing more to send for this pipeline."""
    repeated: bool
    """The answer had to be asked for more than once."""


class Shell:
    """A shell of a node that this client creates.

    Args:
        connection: how to reach the node.
    """

    def __init__(self, connection: NodeConnection) -> None:
        self.connection = connection
        self._wsman = NodeWSMan(connection)
        idle = connection.idle_timeout
        self._pool = NodePool(
            self._wsman,
            configuration_name=connection.configuration_name,
            idle_timeout=None if idle is None else round(idle.total_seconds()),
        )
        self.may_exist = False
        """Whether the node may hold the shell: true from the first byte of its creation to its removal."""
        self._used = time.monotonic()

    @property
    def id(self) -> str:
        """The shell's id, which we choose."""
        return str(self._pool.id)

    def open(self, deadline: Deadline, *, connect_within: float | None = None) -> None:
        """Create the shell and wait until it is usable; ``connect_within`` seconds bound its connections alone."""
        transport = self._prepare(deadline)
        transport.allowance = MOST_TO_OPEN
        try:
            with self._translated(_Phase.OPENING), self._wsman.transport.line.hurrying(connect_within):
                self._pool.open()
        except NodeUnreachableError:
            self.may_exist = self._pool.state != RunspacePoolState.BEFORE_OPEN
            raise
        except BaseException:
            self.may_exist = True
            raise
        self.may_exist = True
        transport.allowance = math.inf
        self._used = time.monotonic()

    def start(self, pipeline: Pipeline, deadline: Deadline) -> str:
        """Send ``pipeline`` and return the id of its command; it runs from now on."""
        self._prepare(deadline)
        pipeline_id = str(uuid.uuid4()).upper()
        first, *rest = self._pack(pipeline, pipeline_id)
        with self._translated(_Phase.STARTING):
            encoded = base64.b64encode(first).decode("ascii")
            answer = self._pool.shell.command("", arguments=[encoded], command_id=pipeline_id)
            command_id = answer.findtext("{*}CommandResponse/{*}CommandId") or pipeline_id
        with self._translated(_Phase.RUNNING):
            for fragment in rest:
                self._pool.shell.send("stdin", fragment, command_id=command_id)
        return command_id

    def receive(self, command_id: str, hold: float, deadline: Deadline) -> Receipt:
        """Ask for output; the node answers within ``hold`` seconds, with nothing if there is nothing."""
        transport = self._prepare(deadline)
        repeats = transport.repeats
        with self._translated(_Phase.RUNNING):
            try:
                state, _, streams = self._pool.shell.receive("stdout", command_id=command_id, timeout=_seconds(hold))
            except WSManFaultError as fault:
                if fault.code != _OPERATION_TIMED_OUT:
                    raise
                return Receipt(b"", done=False, repeated=transport.repeats != repeats)
            return Receipt(streams["stdout"], done=state == _DONE, repeated=transport.repeats != repeats)

    def stop(self, command_id: str, deadline: Deadline) -> None:
        """Stop a pipeline, as Ctrl-C does."""
        self._signal(SignalCode.PS_CTRL_C, command_id, deadline)

    def end(self, command_id: str, deadline: Deadline) -> None:
        """Free what the node holds for a pipeline that has ended; without it the thousandth is refused."""
        self._signal(SignalCode.TERMINATE, command_id, deadline)

    def stop_aside(self, command_id: str, deadline: Deadline) -> None:
        """Stop a pipeline over a connection of its own, while another thread waits for output."""
        with self._aside(deadline) as shell, self._translated(_Phase.RUNNING):
            shell.signal(SignalCode.PS_CTRL_C, command_id)

    def close(self, deadline: Deadline) -> None:
        """Remove the shell from the node over the connection it has, and close that."""
        self._prepare(deadline)
        try:
            with suppress(SessionLostError), self._translated(_Phase.RUNNING):
                self._pool.shell.close()
            self.may_exist = False
        finally:
            self.disconnect()

    def remove(self, deadline: Deadline) -> None:
        """Remove the shell from the node over a new connection, whatever has become of the one it had."""
        self.disconnect()
        with self._aside(deadline) as shell, suppress(SessionLostError), self._translated(_Phase.RUNNING):
            shell.close()
        self.may_exist = False

    @property
    def aborted(self) -> bool:
        """Whether ``abort`` was called."""
        return self._wsman.transport.line.aborted

    def abort(self) -> None:
        """End whatever waits for the node now, from any thread; the shell cannot be used afterwards."""
        self._wsman.transport.line.abort()

    def disconnect(self) -> None:
        """Close the connection and leave the shell to the node."""
        self._wsman.transport.reset()

    def seal(self, text: str) -> str:
        """Encrypt a secret with the session's key, which is agreed on when first needed."""
        transport = self._wsman.transport
        transport.allowance = MOST_TO_OPEN
        try:
            with self._translated(_Phase.OPENING):
                self._pool.exchange_keys()
                element = self._pool.serialize(TaggedValue("SS", text))
                return (element.text if element is not None else None) or ""
        finally:
            transport.allowance = math.inf

    @contextmanager
    def _aside(self, deadline: Deadline) -> Iterator[WinRS]:
        """Give the same shell over a connection and a security context of its own."""
        wsman = NodeWSMan(self.connection)
        wsman.session_id = self._wsman.session_id
        wsman.transport.deadline = deadline
        shell = WinRS(wsman, resource_uri=self._pool.shell.resource_uri, id=self.id)
        select_shell(shell, self.id)
        try:
            yield shell
        finally:
            wsman.transport.reset()

    def _prepare(self, deadline: Deadline) -> Any:
        transport = self._wsman.transport
        now = time.monotonic()
        if now - self._used > LONGEST_SILENCE:
            transport.reset()
        self._used = now
        transport.deadline = deadline
        return transport

    def _signal(self, code: str, command_id: str, deadline: Deadline) -> None:
        self._prepare(deadline)
        with self._translated(_Phase.RUNNING):
            self._pool.shell.signal(code, command_id)

    def _pack(self, pipeline: Pipeline, pipeline_id: str) -> list[bytes]:
        text = write_creation(pipeline, protocol=self._pool.protocol_version or "2.3", seal=self.seal)
        return pack_creation(self._pool, text, pipeline_id)

    @contextmanager
    def _translated(self, phase: _Phase) -> Iterator[None]:
        line = self._wsman.transport.line
        try:
            yield
        except NodeUnreachableError as error:
            if phase is not _Phase.RUNNING:
                raise
            raise _of_unknown_fate(error, "But the pipeline had been started before.") from error
        except TransportError as error:
            if phase is _Phase.OPENING or type(error) is not TransportError:
                raise
            raise _of_unknown_fate(error, "The pipeline may have run.") from error
        except InputError as error:  # a file of the connection that could be read before and cannot now
            if phase is not _Phase.RUNNING:
                raise
            raise FateUnknownError(
                f"{error.message} But the pipeline had been started before.", node=line.node, address=line.peer
            ) from error
        except WSManFaultError as fault:
            raise self._fault(fault, phase) from fault
        except _UNREADABLE as error:
            refusal = line.refuse(f"its answer is no WSMan message ({show_text(str(error))})")
            if phase is not _Phase.OPENING:
                refusal = _of_unknown_fate(refusal, "The pipeline may have run.")
            raise refusal from error

    def _fault(self, fault: WSManFaultError, phase: _Phase) -> TransportError:
        line = self._wsman.transport.line
        facts: dict[str, Any] = {"node": line.node, "address": line.peer}
        running = phase is _Phase.RUNNING
        ran = "The pipeline may have run." if running else "Nothing ran."
        reason = show_text(str(fault.provider_fault or fault.reason or f"fault {fault.code}"), 400).rstrip(".")
        if fault.code in _SHELL_GONE:
            return SessionLostError(f"the session is gone ({reason}). {ran}", **facts)
        if fault.code == _ACCESS_DENIED:
            return AuthenticationError(
                f"access is denied ({reason}).",
                **facts,
                advice="The account must be an administrator of the node, or be named by the session configuration.",
            )
        if running:
            return FateUnknownError(f"the session failed ({reason}). {ran}", **facts)
        advice = f"Is there a session configuration {self.connection.configuration_name}?"
        return TransportError(
            f"the node refused the request ({reason}). {ran}",
            **facts,
            advice=advice if fault.code == _NO_CONFIGURATION else None,
        )


def _seconds(hold: float) -> Any:
    """Give whole seconds as an int, as pypsrp expects it, else milliseconds, which Windows takes as well."""
    return math.ceil(hold * 1000) / 1000 if hold % 1 else int(hold)


def _of_unknown_fate(error: TransportError, consequence: str) -> FateUnknownError:
    return FateUnknownError(
        f"{bare_reason(error)} {consequence}", node=error.node, address=error.address, advice=error.advice
    )
