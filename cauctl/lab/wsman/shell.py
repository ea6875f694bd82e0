"""Shells of a node: queues of PSRP fragments between an engine and the Receive requests of a client.

Rules kept here:

* A shell has one lock; queues and the engine's calls in both directions run under it.
* A fragment is handed out once. The last answer of each queue is kept: the same Receive (same MessageID), sent again
  after a broken connection, gets the same answer, so that no output is lost or doubled.
* An engine never blocks the caller: it answers by putting fragments, now or later, from any thread.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from cauctl.lab.wsman.faults import WSManFault

__all__ = ["Engine", "EngineFactory", "FragmentQueue", "Outlet", "Shell"]

QUEUE_LIMIT: Final = 8 << 20
"""Bytes that a command may have waiting before its writer has to wait for the client."""


_PROCESS_IDS: Final = itertools.count(4_000, 4)


class FragmentQueue:
    """Fragments that wait for a Receive. Every method runs under the shell's lock."""

    def __init__(self, lock: threading.RLock) -> None:
        self._fragments: deque[bytes] = deque()
        self._room = threading.Condition(lock)
        self._wakers: list[Callable[[], None]] = []
        self._last: tuple[str, bytes] | None = None
        self.size = 0
        self.done = False
        """The command has ended: nothing follows what is queued."""
        self.fault: WSManFault | None = None
        """What a Receive gets once the queue is empty and will stay so."""

    @property
    def ready(self) -> bool:
        """Whether a Receive can be answered now."""
        return bool(self._fragments) or self.done or self.fault is not None

    @property
    def empty(self) -> bool:
        """Whether no fragment waits."""
        return not self._fragments

    def put(self, fragment: bytes) -> None:
        """Append a fragment and wake who waits for one."""
        self._fragments.append(fragment)
        self.size += len(fragment)
        self._wake()

    def finish(self) -> None:
        """Say that nothing more comes."""
        self.done = True
        self._wake()

    def fail(self, fault: WSManFault) -> None:
        """Let every Receive from now on end with ``fault``."""
        self.fault = self.fault or fault
        self._wake()

    def take(self, limit: int) -> list[bytes]:
        """Remove and give fragments of at most ``limit`` bytes together, one at least if there is any."""
        taken: list[bytes] = []
        used = 0
        while self._fragments and (not taken or used + len(self._fragments[0]) <= limit):
            fragment = self._fragments.popleft()
            used += len(fragment)
            taken.append(fragment)
        self.size -= used
        if taken:
            self._room.notify_all()
        return taken

    def remember(self, message_id: str, answer: bytes) -> None:
        """Keep the answer of a Receive for its repetition."""
        self._last = (message_id, answer)

    def repeated(self, message_id: str) -> bytes | None:
        """Give the answer that request ``message_id`` got before, if it is the last one."""
        return self._last[1] if self._last is not None and self._last[0] == message_id else None

    def subscribe(self, waker: Callable[[], None]) -> None:
        """Call ``waker`` once when a Receive can be answered: at once if it can."""
        if self.ready:
            waker()
        else:
            self._wakers.append(waker)

    def unsubscribe(self, waker: Callable[[], None]) -> None:
        """Forget ``waker``."""
        if waker in self._wakers:
            self._wakers.remove(waker)

    def wait_for_room(self, give_up: Callable[[], bool]) -> None:
        """Block the writer while the client does not read, until there is room or ``give_up`` says so."""
        while self.size > QUEUE_LIMIT and self.fault is None and not give_up():
            self._room.wait()

    def wake_writer(self) -> None:
        """Let a blocked writer look again whether to give up."""
        self._room.notify_all()

    def _wake(self) -> None:
        self._room.notify_all()
        wakers, self._wakers = self._wakers, []
        for waker in wakers:
            waker()


class Engine(Protocol):
    """A runspace pool behind a shell: reads and writes PSRP fragments. Called under the shell's lock."""

    def open(self, data: bytes) -> None:
        """Take the fragments of the client's first request (``creationXml``)."""
        ...

    def connect(self, data: bytes) -> bytes:
        """Take ``connectXml`` of a client that connects to this disconnected pool; give ``connectResponseXml``."""
        ...

    def start(self, command: UUID, data: bytes) -> None:
        """Begin a pipeline with its first fragments; the rest may follow by :meth:`feed`."""
        ...

    def feed(self, data: bytes, command: UUID | None, *, prompt: bool = False) -> None:
        """Take further fragments for a pipeline or, without one, for the pool."""
        ...

    def stop(self, command: UUID) -> None:
        """Stop a pipeline, as Ctrl-C does; its end still comes through the queue."""
        ...

    def release(self, command: UUID) -> None:
        """Stop a pipeline if it runs, and forget it."""
        ...

    def disconnect(self) -> None:
        """Note that the client has gone away for a while; pipelines go on."""
        ...

    def reconnect(self) -> None:
        """Note that the same client is back."""
        ...

    def close(self) -> None:
        """End everything; nothing may be put afterwards."""
        ...

    def peek(self, data: bytes) -> tuple[str, ...]:
        """Name the commands of a pipeline's first fragments without starting it; empty where they cannot be told."""
        ...

    def describe(self, command: UUID) -> tuple[str, ...]:
        """Name the commands of a known pipeline."""
        ...


class Outlet(Protocol):
    """Where an engine puts what it has for the client. Safe from any thread."""

    @property
    def shell_id(self) -> str:
        """Identifier of the shell."""
        ...

    @property
    def owner(self) -> str:
        """Account that opened the shell."""
        ...

    @property
    def lock(self) -> threading.RLock:
        """The shell's lock."""
        ...

    def put(self, fragment: bytes, command: UUID | None = None) -> None:
        """Queue one whole fragment."""
        ...

    def finish(self, command: UUID) -> None:
        """Say that a pipeline has ended."""
        ...

    def fail(self, fault: WSManFault) -> None:
        """Say that the engine is gone."""
        ...

    def wait_for_room(self, command: UUID, give_up: Callable[[], bool]) -> None:
        """Block while the client does not read what is queued for a pipeline."""
        ...


class EngineFactory(Protocol):
    """Makes the engine of a new shell."""

    def __call__(self, outlet: Outlet, configuration: str, /) -> Engine:
        """Make an engine for session configuration ``configuration`` (last part of the resource URI)."""
        ...


class Shell:
    """One shell: its engine, its commands' queues, and whose it is. Implements :class:`Outlet`."""

    def __init__(self, shell_id: str, *, owner: str, resource_uri: str, session_id: str, opened: float) -> None:
        self.shell_id = shell_id
        self.owner = owner
        self.resource_uri = resource_uri
        self.session_id = session_id
        """The client session that may use it; another takes it over by Connect."""
        self.opened = self.touched = opened
        """Monotonic seconds of the creation and of the last request."""
        self.idle_timeout = timedelta(hours=2)
        self.process_id = next(_PROCESS_IDS)
        """Of the process that would host it on Windows; it only has to look like one."""
        self.connected = True
        self.closed = False
        self.lock = threading.RLock()
        self.queue = FragmentQueue(self.lock)
        self.commands: dict[UUID, FragmentQueue] = {}
        self.engine: Engine | None = None

    def __repr__(self) -> str:
        state = "closed" if self.closed else "connected" if self.connected else "disconnected"
        return f"<Shell {self.shell_id} of {self.owner}: {state}, {len(self.commands)} commands>"

    def expired(self, now: float) -> bool:
        """Tell whether the client has been silent for longer than the idle timeout."""
        return now - self.touched > self.idle_timeout.total_seconds()

    def put(self, fragment: bytes, command: UUID | None = None) -> None:
        """Queue one fragment; what is for a command that is gone is dropped."""
        with self.lock:
            queue = self.queue if command is None else self.commands.get(command)
            if queue is not None and not self.closed:
                queue.put(fragment)

    def finish(self, command: UUID) -> None:
        """Mark a command's queue as ended."""
        with self.lock:
            queue = self.commands.get(command)
            if queue is not None:
                queue.finish()

    def fail(self, fault: WSManFault) -> None:
        """Let every waiting and later Receive end with ``fault``."""
        with self.lock:
            for queue in (self.queue, *self.commands.values()):
                queue.fail(fault)

    def wait_for_room(self, command: UUID, give_up: Callable[[], bool]) -> None:
        """Block the writer of a command while its client does not read."""
        with self.lock:
            queue = self.commands.get(command)
            if queue is not None:
                queue.wait_for_room(lambda: self.closed or give_up())

    def wake_writer(self, command: UUID) -> None:
        """Let the writer of a command look again whether to give up."""
        with self.lock:
            queue = self.commands.get(command)
            if queue is not None:
                queue.wake_writer()

    def forget(self, command: UUID) -> None:
        """Drop a command and its queue."""
        queue = self.commands.pop(command, None)
        if queue is not None:
            queue.wake_writer()

    def close(self, fault: WSManFault) -> None:
        """End the engine; whoever waits gets ``fault``."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
            if self.engine is not None:
                self.engine.close()
            self.fail(fault)
