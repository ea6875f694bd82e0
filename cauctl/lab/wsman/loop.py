"""The event loop that serves every node of a lab: one thread, however many nodes."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["EndpointLoop"]

T = TypeVar("T")

_PATIENCE: Final = 30.0
"""Seconds that a call from another thread waits for the loop; it never does anything long."""


class EndpointLoop:
    """An event loop in a thread of its own, started by the first use as a context manager or by :meth:`start`.

    Use::

        with EndpointLoop() as loop:
            node = NodeEndpoint("NODE1", loop=loop, commands=table, credentials=credentials)
            node.start()
            ...

    Leaving it closes every listener and connection that still lives on it, and joins the threads of pipelines.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closers: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        state = "running" if self._thread is not None else "not running"
        return f"<EndpointLoop {state}, {len(self._closers)} listeners>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        """The loop itself."""
        if self._loop is None:
            raise RuntimeError("the endpoint loop is not running; start it first")
        return self._loop

    def start(self) -> None:
        """Start the thread; nothing happens if it runs."""
        if self._thread is not None:
            return
        ready = threading.Event()
        self._loop = asyncio.SelectorEventLoop()  # on every system: sockets are accepted by add_reader
        self._thread = threading.Thread(target=self._run, args=(self._loop, ready), name="cauctl-lab-loop", daemon=True)
        self._thread.start()
        ready.wait(_PATIENCE)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Call ``closer`` when the loop is closed, latest first, from the thread that closes it."""
        self._closers.append(closer)

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` on the loop's thread and give its result; from that thread it runs at once."""
        if threading.current_thread() is self._thread:
            return function()
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(function())
            except BaseException as error:  # noqa: BLE001  it is the caller's, whatever it is
                result.set_exception(error)

        self.asyncio_loop.call_soon_threadsafe(run)
        return result.result(_PATIENCE)

    def close(self) -> None:
        """Close what lives on the loop, then the loop; nothing happens if it does not run."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        while self._closers:
            self._closers.pop()()
        self.call(lambda: None)  # what the closers have asked the loop for is done now
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        self._thread = self._loop = None

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(asyncio.sleep(0))  # transports that were aborted say so now
            asyncio.set_event_loop(None)
            loop.close()
