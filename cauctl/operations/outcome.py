"""What operations return: plain values, and the exit code that a process should end with."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.coordinator.problems import ProblemKind
from cauctl.errors import (
    AuthenticationError,
    CauError,
    ClusterError,
    FateUnknownError,
    InputError,
    NodeError,
    NodeUnreachableError,
    RunInProgressError,
    SessionLostError,
    TlsError,
    TransportError,
)
from cauctl.models.enums import RunState, SummaryStatus
from cauctl.models.nodes import ClusterFacts, LockRecord
from cauctl.models.report import CauReport
from cauctl.models.run import CauRun
from cauctl.models.updates import UpdateInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.coordinator.problems import Problem

__all__ = ["LOCK_LOST_NODE_PAUSED", "ClusterStatus", "ExitCode", "RunOutcome", "ScanResult", "failure_of"]

LOCK_LOST_NODE_PAUSED: Final = "LockLostNodePaused"
"""Error id of a run that lost its lock while a node was paused by it."""


class ExitCode(IntEnum):
    """What the process's exit code says; documented in the README and in every ``--help``."""

    SUCCEEDED = 0
    FAILED = 1
    USAGE = 2
    PARTIALLY_FAILED = 3
    RUN_IN_PROGRESS = 4
    NODE_NOT_RESUMED = 5
    INTERRUPTED = 130

    @classmethod
    def of(cls, error: CauError) -> ExitCode:
        """The code for an operation that ended with ``error``."""
        if isinstance(error, InputError):
            return cls.USAGE
        if error.fully_qualified_error_id == LOCK_LOST_NODE_PAUSED:
            return cls.NODE_NOT_RESUMED
        return cls.RUN_IN_PROGRESS if isinstance(error, RunInProgressError) else cls.FAILED


@frozen
class ScanResult:
    """What a scan found, and what could not be asked."""

    updates: tuple[UpdateInfo, ...] = ()
    """One for each applicable update and node, in the order in which nodes answered."""
    failures: tuple[CauError, ...] = field(default=(), kw_only=True)
    """Nodes that could not be scanned, one error each."""
    scanned: int = field(default=0, kw_only=True)
    """How many nodes answered."""
    notices: tuple[str, ...] = field(default=(), kw_only=True)
    """What people should know about the cluster, such as a run that died in it."""

    @property
    def exit_code(self) -> ExitCode:
        """FAILED when no node could be scanned, PARTIALLY_FAILED when some could not."""
        if not self.failures:
            return ExitCode.SUCCEEDED
        return ExitCode.PARTIALLY_FAILED if self.scanned else ExitCode.FAILED


@frozen
class RunOutcome:
    """How an Updating Run ended."""

    report: CauReport
    """The report, as it was stored."""
    objects: tuple[Any, ...] = field(default=(), kw_only=True)
    """What Invoke-CauRun writes, in order: notifications, updates, results, one NodeResult a node, a ClusterResult."""
    unresumed: tuple[str, ...] = field(default=(), kw_only=True)
    """Nodes that the run paused and could not resume."""
    interrupted: bool = field(default=False, kw_only=True)
    """True when the caller asked the run to stop; a run that was stopped from elsewhere is Canceled, no more."""
    detached: bool = field(default=False, kw_only=True)
    """True when the caller left before the run was finished or undone: lock and journal stay."""
    report_path: Path | None = field(default=None, kw_only=True)
    """Where the report was stored."""
    journal_path: Path | None = field(default=None, kw_only=True)
    """Where the journal lies."""
    notices: tuple[str, ...] = field(default=(), kw_only=True)
    """What people should know."""

    @property
    def exit_code(self) -> ExitCode:
        """INTERRUPTED for a run that was left; else the worst of: a node left paused, an interruption, the status."""
        if self.detached:
            return ExitCode.INTERRUPTED
        if self.unresumed:
            return ExitCode.NODE_NOT_RESUMED
        if self.interrupted:
            return ExitCode.INTERRUPTED
        by_status = {
            SummaryStatus.SUCCEEDED: ExitCode.SUCCEEDED,
            SummaryStatus.PARTIALLY_FAILED: ExitCode.PARTIALLY_FAILED,
        }
        return by_status.get(self.report.cluster_result.status, ExitCode.FAILED)


@frozen
class ClusterStatus:
    """What a cluster is doing, as far as updating is concerned."""

    state: RunState
    """Whether a run holds the cluster."""
    facts: ClusterFacts = field(kw_only=True)
    """Nodes, groups and quorum now."""
    run: CauRun | None = field(default=None, kw_only=True)
    """The run that holds the cluster, as far as its checkpoint tells."""
    lock: LockRecord | None = field(default=None, kw_only=True)
    """Who holds the cluster."""
    notices: tuple[str, ...] = field(default=(), kw_only=True)
    """What people should know, such as how to recover a run that died."""


_FAMILIES: Mapping[ProblemKind, type[TransportError]] = {
    ProblemKind.UNREACHABLE: NodeUnreachableError,
    ProblemKind.FATE_UNKNOWN: FateUnknownError,
    ProblemKind.SESSION_LOST: SessionLostError,
    ProblemKind.NOT_AUTHENTICATED: AuthenticationError,
    ProblemKind.NOT_TRUSTED: TlsError,
}


def failure_of(why: Problem, *, node: str = "", cluster: str = "") -> CauError:
    """Make a problem that a run met an error that can be raised and printed.

    Args:
        why: the problem.
        node: where it happened; empty: the node that the message begins with, if any.
        cluster: the cluster, for problems that are no node's.
    """
    named, colon, rest = why.message.partition(": ")
    message = rest if colon and (not node or named == node) and " " not in named else why.message
    where = node or (named if message is rest else "")
    family = _FAMILIES.get(why.kind)
    if family is not None:
        return family(message, node=where, advice=why.advice, error_id=why.error_id)
    if where and node:
        return NodeError(
            f"{where}: {message}", node=where, advice=why.advice, error_id=why.error_id, category=why.category
        )
    return ClusterError(why.message, cluster=cluster, advice=why.advice, error_id=why.error_id, category=why.category)
