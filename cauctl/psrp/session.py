"""A session with one node: open it, run pipelines in it, cancel from another thread, close it.

Rules kept here:

* One thread at a time works in a session; a second one waits for its turn within its own deadline. ``cancel`` is the
  exception: it may be called from any thread at any time.
* Every call ends at its deadline (real time, monotonic), at the latest two seconds after.
* Whatever fails leaves as a member of the error family. :class:`~cauctl.errors.NodeUnreachableError` means that nothing
  was sent; once a pipeline may have started, a failure of the way is a :class:`~cauctl.errors.FateUnknownError`.
* Only opening is retried. A pipeline of unknown fate is never sent again, and its session is given up.
* Every pipeline is closed on the node.

Use::

    with NodeSession(NodeConnection("N1", credential=credential)) as session:
        session.open(within=timedelta(seconds=30))
        nodes = session.run(command("Get-ClusterNode"), within=timedelta(seconds=30)).output
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from types import TracebackType

    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult

__all__ = ["NodeSession"]


class NodeSession:
    """A PowerShell session on one node.

    Args:
        connection: how to reach the node. Nothing is sent before :meth:`open` or :meth:`run`.
    """

    def __init__(self, connection: NodeConnection) -> None:
        self.connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether a session was opened and nothing has shown since that it is gone. Asks nobody."""
        raise NotImplementedError

    def open(self, within: timedelta) -> None:
        """Open the session, trying again while nobody answers, until ``within`` has passed.

        Raises:
            NodeUnreachableError: nobody answered until then.
            AuthenticationError, TlsError: at once.
            OperationCancelledError: ``cancel`` was called.
        """
        raise NotImplementedError

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
            NodeUnreachableError: nothing was sent.
            FateUnknownError: the way broke after the pipeline may have started.
            SessionLostError: the node no longer knows the session.
            OperationTimeoutError, OperationCancelledError: the pipeline was stopped.
            InputError: a value cannot be sent.
        """
        raise NotImplementedError

    def cancel(self) -> bool:
        """Stop what runs or opens now, from any thread; False when nothing does. The call itself then raises."""
        raise NotImplementedError

    def close(self) -> None:
        """Remove the session from the node and forget it; never raises for a node that does not answer."""
        raise NotImplementedError
