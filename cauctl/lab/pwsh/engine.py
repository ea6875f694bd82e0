"""A shell whose runspace pool is a real PowerShell process (``pwsh -s``): PSRP fragments pass through unread.

=============================  ======================================================================
WSMan                          PSRP over standard input and output, one XML element a line
=============================  ======================================================================
Create with creationXml        ``<Data PSGuid=0>``
Command, its first fragments   ``<Command PSGuid=id>``, ``<Data PSGuid=id>``
Send stdin, pr                 ``<Data Stream='Default'>``, ``<Data Stream='PromptResponse'>``
Signal ctrl_c, Terminate       ``<Signal PSGuid=id>``, ``<Close PSGuid=id>``
Delete                         the process ends
=============================  ======================================================================

Rules kept here:

* Each element waits for its acknowledgement before the next is written: PowerShell hands lines to a thread pool, and a
  pipeline whose data overtakes its Command never answers.
* The end of the startup text is told as a PIPELINE_STATE on the pool's channel; no client expects it, so it is dropped.
* A command is done when the last fragment of its PIPELINE_STATE has passed.
* A process that ends, for whatever reason, ends its shell: whoever waits gets the fault of an aborted operation.
"""

from __future__ import annotations

import base64
import logging
import queue
import re
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cauctl.lab.runspace.framing import Assembler, MessageType, split_fragments
from cauctl.lab.runspace.requests import read_pipeline
from cauctl.lab.wsman import faults
from cauctl.lab.wsman.faults import WSManFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cauctl.lab.wsman.shell import Outlet

__all__ = ["PwshEngine"]

log = logging.getLogger(__name__)

_POOL: Final = UUID(int=0)
_ACKNOWLEDGED_WITHIN: Final = 60.0
"""Seconds that PowerShell may take to acknowledge an element; the first one waits for its start."""
_ENDS_WITHIN: Final = 5.0
_ELEMENT: Final = re.compile(rb"<(\w+) ([^>]*?)(?:/>|>([^<]*)</\1>)")
_GUID: Final = re.compile(rb"PSGuid=['\"]([0-9a-fA-F-]+)['\"]")
_FLAGS_AT: Final = 16
_KIND: Final = slice(25, 29)


class PwshEngine:
    """The runspace pool of one shell. Implements :class:`~cauctl.lab.wsman.shell.Engine`.

    Args:
        outlet: the shell.
        arguments: the command line that starts PowerShell as a server.
        environment: its environment.
        ended: called once when the process has ended.
    """

    def __init__(
        self,
        outlet: Outlet,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._outlet = outlet
        self._ended = ended
        self._kinds: dict[UUID, int] = {}
        self._first: dict[UUID, bytes] = {}
        self._closed = False
        self._over = False
        self._elements: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._acknowledged: queue.SimpleQueue[bool] = queue.SimpleQueue()
        try:
            self._process = subprocess.Popen(  # noqa: S603  the program that the lab was given
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            ended()
            raise faults.internal_error(f"PowerShell does not start: {error}") from error
        self._threads = [
            threading.Thread(target=work, name=f"cauctl-lab-pwsh-{self._process.pid}", daemon=True)
            for work in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"<PwshEngine process {self._process.pid}, {'closed' if self._closed else 'open'}>"

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return not self._over

    @property
    def process_id(self) -> int:
        """Identifier of the process."""
        return self._process.pid

    # To the process

    def open(self, data: bytes) -> None:
        """Pass on the client's capability and the pool's settings."""
        self.feed(data, None)

    def connect(self, data: bytes) -> bytes:  # noqa: ARG002  nothing can be done with it
        """Refuse: PowerShell's server on standard input knows no clients that come and go."""
        raise faults.action_not_supported("Connect to a shell of another client")

    def start(self, command: UUID, data: bytes) -> None:
        """Begin a pipeline."""
        self._first[command] = data
        self._send("Command", command)
        self.feed(data, command)

    def feed(self, data: bytes, command: UUID | None, *, prompt: bool = False) -> None:
        """Pass on further fragments."""
        stream = "PromptResponse" if prompt else "Default"
        text = base64.b64encode(data).decode("ascii")
        self._elements.put(f"<Data Stream='{stream}' PSGuid='{command or _POOL}'>{text}</Data>\n".encode())

    def stop(self, command: UUID) -> None:
        """Stop a pipeline; its end comes through the queue."""
        self._send("Signal", command)

    def release(self, command: UUID) -> None:
        """Stop a pipeline if it runs, and forget it."""
        self._first.pop(command, None)
        self._kinds.pop(command, None)
        self._send("Close", command)

    def disconnect(self) -> None:
        """Do nothing: the pool does not notice that its client has gone away."""

    def reconnect(self) -> None:
        """Do nothing: what came in between waits in the queues."""

    def close(self) -> None:
        """End the process; nothing is put afterwards."""
        self._closed = True
        self._elements.put(None)
        self._process.kill()

    def join(self) -> None:
        """Wait for the end of a closed engine."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_ENDS_WITHIN)
                if thread.is_alive():
                    log.error("PowerShell process %d did not end", self._process.pid)

    def peek(self, data: bytes) -> tuple[str, ...]:
        """Name the commands that a pipeline would run."""
        for message in Assembler().feed(data):
            if message.kind == MessageType.CREATE_PIPELINE:
                return read_pipeline(message.data).names
        return ()

    def describe(self, command: UUID) -> tuple[str, ...]:
        """Name the commands of a pipeline."""
        return self.peek(self._first.get(command, b""))

    def _send(self, name: str, command: UUID) -> None:
        self._elements.put(f"<{name} PSGuid='{command}' />\n".encode())

    def _write(self) -> None:
        """Write element by element; an acknowledgement that does not come ends the shell."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101  a pipe was asked for
        with suppress(OSError):
            while (element := self._elements.get()) is not None:
                stdin.write(element)
                stdin.flush()
                if not self._is_acknowledged():
                    break
        self._process.kill()
        with suppress(OSError):
            stdin.close()

    def _is_acknowledged(self) -> bool:
        try:
            return self._acknowledged.get(timeout=_ACKNOWLEDGED_WITHIN)
        except queue.Empty:
            log.error("PowerShell process %d does not acknowledge", self._process.pid)  # noqa: TRY400  no cause to show
            return False

    # From the process

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  a pipe was asked for
        try:
            for line in stdout:
                self._take(line)
        except WSManFault:
            log.exception("PowerShell process %d wrote what is no fragment", self._process.pid)
        finally:
            self._process.kill()
            self._process.wait()
            self._over = True
            stdout.close()
            self._elements.put(None)
            self._acknowledged.put(False)
            if not self._closed:
                self._outlet.fail(faults.aborted())
            self._ended()

    def _take(self, line: bytes) -> None:
        element = _ELEMENT.match(line)
        guid = _GUID.search(element[2]) if element is not None else None
        if element is None or guid is None:
            log.warning("PowerShell process %d: %s", self._process.pid, line.decode("utf-8", "replace").rstrip())
        elif element[1] != b"Data":
            self._acknowledged.put(True)
        else:
            self._pass_on(UUID(guid[1].decode("ascii")), base64.b64decode(element[3] or b""))

    def _pass_on(self, guid: UUID, data: bytes) -> None:
        """Hand fragments to the client's queue; only the kind of a message is looked at."""
        with self._outlet.lock:
            if self._closed:
                return
            for fragment in split_fragments(data):
                flags = fragment[_FLAGS_AT]
                if flags & 1:
                    self._kinds[guid] = int.from_bytes(fragment[_KIND], "little")
                is_state = self._kinds.get(guid) == MessageType.PIPELINE_STATE
                if guid != _POOL:
                    self._outlet.put(fragment, guid)
                    if is_state and flags & 2:
                        del self._kinds[guid]
                        self._outlet.finish(guid)
                elif not is_state:
                    self._outlet.put(fragment)
