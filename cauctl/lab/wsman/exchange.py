"""One request and its answer: the values that pass between a front end and the service, and their XML bodies."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from attrs import field, frozen

from cauctl.lab.wsman import faults, soap

if TYPE_CHECKING:
    import threading
    from datetime import timedelta
    from uuid import UUID
    from xml.etree.ElementTree import Element

    from cauctl.lab.wsman.shell import FragmentQueue, Shell

__all__ = [
    "Answer",
    "Exchange",
    "Pending",
    "command_id",
    "command_response",
    "connect_response",
    "enumerate_response",
    "enumerated_commands",
    "joined_text",
    "read_fragments",
    "read_id",
    "receive_response",
    "resource_created",
    "shell_xml",
]

_DONE: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"


@frozen
class Answer:
    """A complete answer: HTTP status and envelope."""

    status: int
    body: bytes = field(repr=False)


class Pending:
    """A Receive that waits for output."""

    def __init__(
        self, queue: FragmentQueue, lock: threading.RLock, timeout: float, finish: Callable[[], Answer]
    ) -> None:
        self._queue, self._lock = queue, lock
        self.timeout = timeout
        """Seconds after which :meth:`finish` is to be called even if nothing came."""
        self.finish = finish
        """Give the answer: what has come, or the fault TimedOut."""

    def subscribe(self, waker: Callable[[], None]) -> None:
        """Call ``waker`` once, from any thread, when there is something to answer."""
        with self._lock:
            self._queue.subscribe(waker)

    def unsubscribe(self, waker: Callable[[], None]) -> None:
        """Forget ``waker``: its connection is gone."""
        with self._lock:
            self._queue.unsubscribe(waker)


@frozen
class Exchange:
    """One request as it arrived, before anything was done."""

    request: soap.Request
    user: str
    naming: Callable[[Exchange], tuple[str, ...]] = field(repr=False, eq=False)
    """Names the commands of the pipeline concerned; the service knows how."""

    @property
    def action(self) -> str:
        """``Create``, ``Command``, ``Receive``, ``Send``, ``Signal``, ``Delete`` and so on."""
        return self.request.action

    @property
    def commands(self) -> tuple[str, ...]:
        """Names of the commands of the pipeline concerned; empty where there is none or it cannot be told."""
        return self.naming(self)


def command_id(element: Element) -> UUID | None:
    """Read the CommandId of an element; None where it has none."""
    text = element.get("CommandId")
    return None if text is None else read_id(text)


def read_id(text: str) -> UUID:
    """Read an identifier; what is none names no command."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise faults.command_not_found() from None


def joined_text(element: Element, path: str) -> str:
    """Join the texts of all elements at ``path``."""
    return "".join(part.text or "" for part in element.iterfind(path))


def read_fragments(text: str | None) -> bytes:
    """Decode base64 of PSRP fragments."""
    try:
        return base64.b64decode(text or "")
    except binascii.Error as error:
        raise faults.invalid_fragment(str(error)) from None


def shell_xml(shell: Shell, *, now: float, max_idle_timeout: timedelta) -> str:
    """Describe a shell."""
    return (
        f"<rsp:Shell><rsp:ShellId>{escape(shell.shell_id)}</rsp:ShellId>"
        f"<rsp:ResourceUri>{escape(shell.resource_uri)}</rsp:ResourceUri>"
        f"<rsp:Owner>{escape(shell.owner)}</rsp:Owner><rsp:ClientIP>127.0.0.1</rsp:ClientIP>"
        f"<rsp:ProcessId>{shell.process_id}</rsp:ProcessId>"
        f"<rsp:IdleTimeOut>{soap.xml_duration(shell.idle_timeout)}</rsp:IdleTimeOut>"
        "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
        f"<rsp:MaxIdleTimeOut>{soap.xml_duration(max_idle_timeout)}</rsp:MaxIdleTimeOut>"
        "<rsp:Locale>en-US</rsp:Locale><rsp:DataLocale>en-US</rsp:DataLocale>"
        "<rsp:CompressionMode>NoCompression</rsp:CompressionMode><rsp:ProfileLoaded>Yes</rsp:ProfileLoaded>"
        "<rsp:Encoding>UTF8</rsp:Encoding><rsp:BufferMode>Block</rsp:BufferMode>"
        f"<rsp:State>{'Connected' if shell.connected else 'Disconnected'}</rsp:State>"
        f"<rsp:ShellRunTime>P0DT0H0M{int(now - shell.opened)}S</rsp:ShellRunTime>"
        f"<rsp:ShellInactivity>P0DT0H0M{int(now - shell.touched)}S</rsp:ShellInactivity></rsp:Shell>"
    )


def resource_created(shell: Shell, *, machine: str) -> str:
    """Say where the new shell is."""
    return (
        f"<x:ResourceCreated><a:Address>http://{escape(machine)}/wsman</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(shell.resource_uri)}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{escape(shell.shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        "</x:ResourceCreated>"
    )


def command_response(command: UUID) -> str:
    """Acknowledge a command."""
    return f"<rsp:CommandResponse>{_id_xml(command)}</rsp:CommandResponse>"


def receive_response(command: UUID | None, fragments: list[bytes], *, done: bool) -> str:
    """Hand out fragments; all go into one Stream element, which is valid and cheaper than one each."""
    owner = "" if command is None else f' CommandId="{str(command).upper()}"'
    body = ""
    if fragments:
        body = f'<rsp:Stream Name="stdout"{owner}>{base64.b64encode(b"".join(fragments)).decode()}</rsp:Stream>'
    if done and command is not None:
        body += f'<rsp:CommandState{owner} State="{_DONE}"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>'
    return f"<rsp:ReceiveResponse>{body}</rsp:ReceiveResponse>"


def connect_response(fragments: bytes) -> str:
    """Answer a client that connects to a disconnected shell."""
    return (
        "<rsp:ConnectResponse><rsp:InputStreams>stdin pr</rsp:InputStreams>"
        "<rsp:OutputStreams>stdout</rsp:OutputStreams>"
        '<pwsh:connectResponseXml xmlns:pwsh="http://schemas.microsoft.com/powershell">'
        f"{base64.b64encode(fragments).decode()}</pwsh:connectResponseXml></rsp:ConnectResponse>"
    )


def enumerate_response(items: str) -> str:
    """Give all items of an enumeration at once."""
    context = "<n:EnumerationContext/>"
    return f"<n:EnumerateResponse>{context}<w:Items>{items}</w:Items><w:EndOfSequence/></n:EnumerateResponse>"


def enumerated_commands(shell: Shell) -> str:
    """Describe the commands of a shell."""
    with shell.lock:
        return "".join(
            f"<rsp:Command><rsp:ShellId>{escape(shell.shell_id)}</rsp:ShellId>{_id_xml(command)}</rsp:Command>"
            for command in shell.commands
        )


def _id_xml(command: UUID) -> str:
    return f"<rsp:CommandId>{str(command).upper()}</rsp:CommandId>"
