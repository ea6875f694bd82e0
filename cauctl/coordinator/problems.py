"""What went wrong with one call to the outside, as a value that a journal can hold.

A :class:`Problem` keeps the facts of an error of :mod:`cauctl.errors`; decisions are made by its ``kind``: whether
nothing was sent, whether the call may have had its effect, whether a retry could do harm.
"""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen

from cauctl.errors import (
    AuthenticationError,
    CauError,
    ClusterError,
    FateUnknownError,
    NodeUnreachableError,
    OperationCancelledError,
    OperationTimeoutError,
    RemoteError,
    SessionBusyError,
    SessionLostError,
    StateError,
    TlsError,
)
from cauctl.models.failure import ErrorRecordData, ExceptionData
from cauctl.models.hresult import unsigned

__all__ = ["Problem", "ProblemKind", "problem_of"]

_EXCEPTION_TYPE = "Microsoft.ClusterAwareUpdating.ClusterUpdateException"


class ProblemKind(Enum):
    """What a failed call allows to conclude."""

    UNREACHABLE = "Unreachable"
    """Nobody answered and nothing was sent."""
    FATE_UNKNOWN = "FateUnknown"
    """The call may have had its effect: look before acting again."""
    SESSION_LOST = "SessionLost"
    """The node forgot the session: it restarted, or ran into a quota."""
    TIMED_OUT = "TimedOut"
    """The deadline of the call passed; it may have had its effect."""
    NOT_AUTHENTICATED = "NotAuthenticated"
    """The credential was refused; never tried again."""
    NOT_TRUSTED = "NotTrusted"
    """The certificate was refused; never tried again."""
    CANCELLED = "Cancelled"
    """We cancelled the call ourselves."""
    REFUSED = "Refused"
    """The node or the cluster answered, and the answer was an error."""
    CLUSTER = "Cluster"
    """No node answers for the cluster, or the cluster refuses as a whole."""
    MEMORY = "Memory"
    """What we remember (lock, checkpoint) cannot be used."""
    OTHER = "Other"
    """An error of ours that has no other name."""

    @property
    def passing(self) -> bool:
        """True where the same call may succeed later without anybody's help."""
        return self in _PASSING

    @property
    def hopeless(self) -> bool:
        """True where trying again could do harm: it locks accounts or answers an impostor."""
        return self in {ProblemKind.NOT_AUTHENTICATED, ProblemKind.NOT_TRUSTED}


_PASSING = frozenset(
    {
        ProblemKind.UNREACHABLE,
        ProblemKind.FATE_UNKNOWN,
        ProblemKind.SESSION_LOST,
        ProblemKind.TIMED_OUT,
        ProblemKind.CANCELLED,
        ProblemKind.CLUSTER,
    }
)

_KINDS: tuple[tuple[type[CauError], ProblemKind], ...] = (
    (SessionBusyError, ProblemKind.TIMED_OUT),  # the node is not lost, and its session is at work: not to be dropped
    (NodeUnreachableError, ProblemKind.UNREACHABLE),
    (FateUnknownError, ProblemKind.FATE_UNKNOWN),
    (SessionLostError, ProblemKind.SESSION_LOST),
    (OperationTimeoutError, ProblemKind.TIMED_OUT),
    (AuthenticationError, ProblemKind.NOT_AUTHENTICATED),
    (TlsError, ProblemKind.NOT_TRUSTED),
    (OperationCancelledError, ProblemKind.CANCELLED),
    (RemoteError, ProblemKind.REFUSED),
    (ClusterError, ProblemKind.CLUSTER),
    (StateError, ProblemKind.MEMORY),
)


_ANOTHER_CLUSTER = "ClusterNameMismatch"
"""Error id of a node that belongs to another cluster: asking again changes nothing."""


@frozen
class Problem:
    """The facts of one failure."""

    kind: ProblemKind
    """What it allows to conclude."""
    message: str = field(kw_only=True)
    """What happened, for people."""
    error_id: str = field(kw_only=True)
    """``FullyQualifiedErrorId``: Microsoft's where there is one."""
    advice: str | None = field(default=None, kw_only=True)
    """What to do about it."""
    category: str | None = field(default=None, kw_only=True)
    """PowerShell's error category."""
    exception_type: str | None = field(default=None, kw_only=True)
    """Full .NET name of the exception, where the node told it."""
    hresult: int | None = field(default=None, kw_only=True)
    """Unsigned 32-bit code, where the node told it."""
    final: bool = field(default=False, kw_only=True)
    """True where another attempt cannot help."""

    @property
    def record(self) -> ErrorRecordData:
        """The failure as results and reports carry it."""
        return ErrorRecordData(
            self.error_id,
            exception_data=ExceptionData(self.exception_type or _EXCEPTION_TYPE, message=self.message),
            category=self.category,
            advice=self.advice,
        )


def problem_of(error: CauError) -> Problem:
    """Keep the facts of an error."""
    code = error.hresult if isinstance(error, RemoteError) else None
    kind = next((kind for family, kind in _KINDS if isinstance(error, family)), ProblemKind.OTHER)
    if error.fully_qualified_error_id == _ANOTHER_CLUSTER:
        kind = ProblemKind.REFUSED
    return Problem(
        kind,
        message=error.message,
        error_id=error.fully_qualified_error_id,
        advice=error.advice,
        category=error.category,
        exception_type=error.exception_type if isinstance(error, RemoteError) else None,
        hresult=None if code is None else unsigned(code),
    )
