"""A session with one node: open it, run pipelines in it, cancel from another thread, close it.

Rules kept here:

* One thread at a time works in a session; a second one waits for its turn within its own deadline. ``cancel`` is the
  exception: it may be called from any thread at any time.
* Every call ends at its deadline (real time, monotonic), at the latest two seconds after.
* Whatever fails leaves as a member of the error family. :class:`~cauctl.errors.NodeUnreachableError` means that nothing
  was sent, as nobody answered or (:class:`~cauctl.errors.SessionBusyError`) the thread's turn did not come; once a
  pipeline may have started, a failure of the way is a :class:`~cauctl.errors.FateUnknownError`.
* Only opening is retried, and that only for who insists. A pipeline of unknown fate is never sent again, and its
  session is given up.
* Every pipeline is closed on the node, and every session removed from it: one that could not be reached to remove it
  is removed when the next one opens.
* Whoever leaves is not held up: an interrupt (Ctrl-C) and ``retire`` clean up for half a second each.

Use::

    with NodeSession(NodeConnection("N1", credential=credential)) as session:
        session.open(within=timedelta(seconds=30))
        nodes = session.run(command("Get-ClusterNode"), within=timedelta(seconds=30)).output
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from cauctl.errors import (
    AuthenticationError,
    FateUnknownError,
    InputError,
    NodeUnreachableError,
    OperationCancelledError,
    OperationTimeoutError,
    RemoteError,
    SessionBusyError,
    SessionLostError,
    TlsError,
    TransportError,
)
from cauctl.psrp.advice import add_port_advice
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.display import bare_reason
from cauctl.psrp.invocation import STOP_TIME, Invocation
from cauctl.psrp.orphans import Orphans
from cauctl.psrp.pipeline import ErrorRecord, as_pipeline
from cauctl.psrp.reader import PipelineState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from types import TracebackType

    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult
    from cauctl.psrp.reader import PipelineReader
    from cauctl.psrp.shell import Shell

__all__ = ["NodeSession"]

_CLEAN_UP, _LONGEST_CLEAN_UP = 0.5, 2.0
"""Seconds that removing a session from a node may take: when somebody waits for the call to end, and else."""
_GRACE: Final = 1.8
"""Seconds after its deadline at which a call is content with what it has cleaned up; two are promised."""
_HURRY: Final = 3.0
"""Seconds that a connection may take where the caller has another node to ask."""
_FIRST_DELAY, _LONGEST_DELAY, _DELAY_GROWTH = 0.1, 2.0, 1.7


class _Work:
    """What a session does now, as other threads see it."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.since = time.monotonic()
        self.shell: Shell | None = None
        self.invocation: Invocation | None = None
        self.cancelled = threading.Event()
        self.ended = threading.Event()


class NodeSession:
    """A PowerShell session on one node.

    Args:
        connection: how to reach the node. Nothing is sent before :meth:`open` or :meth:`run`.
    """

    def __init__(self, connection: NodeConnection) -> None:
        self.connection = connection
        self._turn = threading.Lock()
        self._ending = threading.Lock()
        self._work: _Work | None = None
        self._shell: Shell | None = None
        self._orphans = Orphans()
        self._retired = False

    def __repr__(self) -> str:
        work = self._work
        state = "open" if self.is_open else "not open"
        doing = f", {work.what} for {time.monotonic() - work.since:.1f} s" if work else ""
        return f"<NodeSession {self.connection.node} {self.connection.url} {state}{doing}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether a session was opened and nothing has shown since that it is gone. Asks nobody."""
        return self._shell is not None

    def open(self, within: timedelta, *, insist: bool = True) -> None:
        """Open the session.

        Args:
            within: deadline of the call.
            insist: try again while nobody answers. Otherwise try once and wait three seconds for the connection, no
                less than it takes over a poor line: for a caller who has another node to ask.

        Raises:
            NodeUnreachableError: nobody answered until then, or another thread used the session.
            AuthenticationError, TlsError: at once.
            OperationCancelledError: ``cancel`` was called.
        """
        deadline = Deadline.after(within)
        with self._working("opening", deadline, within) as work:
            delay = _FIRST_DELAY
            while self._shell is None:
                try:
                    self._open_once(work, deadline, connect_within=None if insist else _HURRY)
                except (NodeUnreachableError, FateUnknownError, SessionLostError) as error:
                    if work.cancelled.is_set():
                        raise self._cancelled("Opening the session was cancelled.") from error
                    if not insist:
                        raise
                    # With less than that, another attempt would only hide why this one failed.
                    if deadline.remaining <= 2 * delay:
                        add_port_advice(error, self.connection)
                        raise
                work.cancelled.wait(0 if self._shell else delay)
                delay = min(delay * _DELAY_GROWTH, _LONGEST_DELAY)

    def run(
        self,
        pipeline: Pipeline | Command,
        *,
        within: timedelta,
        on_output: Callable[[list[Any]], None] | None = None,
        collect_errors: bool = False,
    ) -> PipelineResult:
        """Run ``pipeline`` to its end and return what it wrote; opens the session first when it is not open.

        Args:
            pipeline: what to run.
            within: deadline of the whole call; at its end the pipeline is stopped.
            on_output: is given each batch of output objects as it arrives, in this thread; they are not kept then.
            collect_errors: return non-terminating errors in the result. By default the pipeline runs to its end and
                the first of them is raised.

        Raises:
            RemoteError: the pipeline ended with an error record, or wrote one.
            NodeUnreachableError: nothing was sent; SessionBusyError where another thread used the session all the time.
            FateUnknownError: the way broke after the pipeline may have started.
            SessionLostError: the node no longer knows the session.
            OperationTimeoutError, OperationCancelledError: the pipeline was stopped.
            InputError: a value cannot be sent.
        """
        pipeline = as_pipeline(pipeline)
        deadline = Deadline.after(within)
        with self._working(f"running {pipeline}", deadline, within) as work:
            shell = work.shell = self._shell or self._open_for_run(work, deadline)
            invocation = Invocation(shell, deadline=deadline, cancelled=work.cancelled, on_output=on_output)
            work.invocation = invocation
            try:
                invocation.run(pipeline)
            except TransportError as error:
                self._give_up(shell, work, deadline, error)
                if (judged := self._judged(error, work, deadline, within)) is not error:
                    raise judged from error
                raise
            except BaseException as error:
                if invocation.started.is_set() or not isinstance(error, InputError):
                    self._give_up(shell, work, deadline, error)
                raise
            if not invocation.close():
                self._give_up(shell, work, deadline, None)
        if invocation.reader.state is PipelineState.STOPPED:
            raise self._stopped(work, deadline, within)
        return self._settled(invocation.reader, pipeline, collect_errors=collect_errors)

    def cancel(self) -> bool:
        """Stop what runs or opens now, from any thread; False when nothing does.

        The stopped call raises :class:`~cauctl.errors.OperationCancelledError` within two seconds, unless it had just
        ended.
        """
        work = self._work
        if work is None:
            return False
        work.cancelled.set()
        shell, invocation = work.shell, work.invocation
        if shell is None:
            return True
        if invocation is not None and invocation.started.wait(0.3) and invocation.command_id is not None:
            work.ended.wait(self._stop_aside(shell, invocation.command_id))
        with self._ending:
            if not work.ended.is_set():
                shell.abort()
        return True

    @staticmethod
    def _stop_aside(shell: Shell, command_id: str) -> float:
        """Ask the node to stop the pipeline; returns how many seconds it is worth waiting for it."""
        try:
            shell.stop_aside(command_id, Deadline.after(0.6))
        except (NodeUnreachableError, FateUnknownError):
            return 0.1
        except TransportError:
            pass
        return 0.4

    def close(self) -> None:
        """Remove the session from the node and forget it; never raises for a node that does not answer."""
        if self._retired:
            return
        mine = self._turn.acquire(blocking=False)
        if not mine:
            self.cancel()
            mine = self._turn.acquire(timeout=2 * STOP_TIME)
        try:
            self._leave(Deadline.after(_LONGEST_CLEAN_UP))
        finally:
            if mine:
                self._turn.release()

    def retire(self) -> None:
        """Close for good and soon: what runs is cancelled, what waits for its turn is refused, at most for a second.

        What the node still holds then goes with the session's idle timeout.
        """
        self._retired = True
        if (work := self._work) is not None:
            work.cancelled.set()
            with self._ending:
                if work.shell is not None and not work.ended.is_set():
                    work.shell.abort()
        if self._turn.acquire(timeout=2 * _CLEAN_UP):
            try:
                self._leave(Deadline.after(_CLEAN_UP))
            finally:
                self._turn.release()

    def _leave(self, deadline: Deadline) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            try:
                shell.close(deadline)
            except TransportError:
                self._orphans.add(shell)
        self._orphans.remove(deadline)

    @contextmanager
    def _working(self, what: str, deadline: Deadline, within: timedelta) -> Iterator[_Work]:
        if not self._turn.acquire(timeout=deadline.remaining):
            raise SessionBusyError(
                f"the session was in use by another thread for {within.total_seconds():g} s; nothing was sent.",
                node=self.connection.node,
            )
        work = self._work = _Work(what)
        try:
            # Looked at after self._work is set, so that retire either sees the work or is seen here.
            if self._retired:
                raise self._cancelled("the session was closed; nothing was sent.")
            yield work
        finally:
            with self._ending:
                self._work = None
                work.ended.set()
                if self._shell is not None and self._shell.aborted:
                    self._orphans.add(self._shell)
                    self._shell = None
            self._turn.release()

    def _open_once(self, work: _Work, deadline: Deadline, *, connect_within: float | None = None) -> Shell:
        # pypsrp and what it needs is a third of a second of imports: only those who connect pay for it.
        from cauctl.psrp.shell import Shell  # noqa: PLC0415

        shell = work.shell = Shell(self.connection)
        # Looked at after work.shell is set, so that cancel either sees the shell or is seen here.
        if work.cancelled.is_set():
            raise self._cancelled("Opening the session was cancelled; nothing was sent.")
        try:
            shell.open(deadline, connect_within=connect_within)
        except BaseException as error:
            if shell.may_exist and not isinstance(error, AuthenticationError | TlsError):
                self._orphans.add(shell)
            shell.disconnect()
            raise
        self._shell = shell
        self._orphans.remove(deadline.within(_LONGEST_CLEAN_UP))
        return shell

    def _open_for_run(self, work: _Work, deadline: Deadline) -> Shell:
        try:
            return self._open_once(work, deadline)
        except NodeUnreachableError as error:
            self._check_cancelled(work, error)
            add_port_advice(error, self.connection)
            raise
        except (FateUnknownError, SessionLostError) as error:
            self._check_cancelled(work, error)
            raise NodeUnreachableError(
                f"no session could be opened, and so nothing was sent: {bare_reason(error)}",
                node=error.node,
                address=error.address,
            ) from error

    def _check_cancelled(self, work: _Work, error: BaseException) -> None:
        if work.cancelled.is_set():
            raise self._cancelled("Opening the session was cancelled; nothing was sent.") from error

    def _give_up(self, shell: Shell, work: _Work, deadline: Deadline, error: BaseException | None) -> None:
        """Drop a session that cannot be trusted any more and try, briefly, to remove it from the node."""
        self._shell = None
        if isinstance(error, AuthenticationError | SessionLostError | TlsError):
            shell.disconnect()
            return
        if self._retired:  # whoever retires the session waits for its turn, and removes what is left
            shell.disconnect()
            self._orphans.add(shell)
            return
        interrupted = error is not None and not isinstance(error, Exception)
        hurry = interrupted or work.cancelled.is_set() or deadline.passed
        try:
            shell.remove(min(Deadline.after(_CLEAN_UP if hurry else _LONGEST_CLEAN_UP), deadline.plus(_GRACE)))
        except TransportError:
            self._orphans.add(shell)

    def _judged(self, error: TransportError, work: _Work, deadline: Deadline, within: timedelta) -> TransportError:
        """Say what a failure of the way means for who waits: that it was cancelled, that time is up, or itself."""
        if isinstance(error, AuthenticationError | TlsError):
            if work.invocation is None or not work.invocation.started.is_set():
                return error
            reason = f"{bare_reason(error)} But the pipeline had been started before."
            return FateUnknownError(reason, node=error.node, address=error.address, advice=error.advice)
        sent = not isinstance(error, NodeUnreachableError)
        if work.cancelled.is_set():
            return self._cancelled("Cancelled. The pipeline may have run." if sent else "Cancelled; nothing was sent.")
        if deadline.passed and sent:
            return self._timed_out(within, f"Whether it ran is unknown: {bare_reason(error)}")
        return error

    def _stopped(self, work: _Work, deadline: Deadline, within: timedelta) -> TransportError:
        if work.cancelled.is_set():
            return self._cancelled("The pipeline was stopped.")
        if deadline.passed:
            return self._timed_out(within, "It was stopped.")
        return FateUnknownError("the node itself stopped the pipeline.", node=self.connection.node)

    def _settled(self, reader: PipelineReader, pipeline: Pipeline, *, collect_errors: bool) -> PipelineResult:
        if reader.state is PipelineState.FAILED:
            record = reader.terminating or (reader.errors or [ErrorRecord("The pipeline failed.")])[-1]
            raise self._remote_error(record, pipeline)
        if reader.errors and not collect_errors:
            raise self._remote_error(reader.errors[0], pipeline)
        return reader.result()

    def _remote_error(self, record: ErrorRecord, pipeline: Pipeline) -> RemoteError:
        return RemoteError(
            record.message,
            node=self.connection.node,
            command=str(pipeline),
            error_id=record.fully_qualified_error_id or None,
            category=record.category,
            exception_type=record.exception_type,
            target=record.target_name or None,
            hresult=record.hresult,
        )

    def _timed_out(self, within: timedelta, what: str) -> OperationTimeoutError:
        return OperationTimeoutError(
            f"the pipeline had not ended after {within.total_seconds():g} s. {what}",
            node=self.connection.node,
            after=within,
        )

    def _cancelled(self, what: str) -> OperationCancelledError:
        return OperationCancelledError(what, node=self.connection.node)
