"""The one tree of errors, sorted by whose fault it is.

Rules kept here:

* A caller who catches :class:`CauError` catches all that this package raises on purpose.
* Facts are attributes; the sentence is built from them and says what went wrong, where, and what to do (``advice``).
* ``fully_qualified_error_id`` and ``category`` are PowerShell's where Microsoft has one, ours otherwise.
* A transport error tells apart what a careful caller must know: that nothing was sent (:class:`NodeUnreachableError`),
  that the command may have run (:class:`FateUnknownError`), that the session's state is lost.

No secret may be put into a fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = [
    "AuthenticationError",
    "CauError",
    "ClusterError",
    "ConfirmationRequiredError",
    "FateUnknownError",
    "InputError",
    "JournalInUseError",
    "NodeError",
    "NodeUnreachableError",
    "OperationCancelledError",
    "OperationTimeoutError",
    "RemoteError",
    "RunInProgressError",
    "RunInterruptedError",
    "SessionBusyError",
    "SessionLostError",
    "StateError",
    "TlsError",
    "TransportError",
    "UnsupportedParameterError",
]


class CauError(Exception):
    """Root of all errors that this package raises on purpose."""

    default_error_id: ClassVar[str] = "CauError"
    default_category: ClassVar[str] = "NotSpecified"

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        error_id: str | None = None,
        category: str | None = None,
    ) -> None:
        self.message = message
        self.advice = advice
        self.fully_qualified_error_id = error_id or self.default_error_id
        self.category = category or self.default_category
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message} {self.advice}" if self.advice else self.message


class InputError(CauError):
    """What the caller gave cannot be used: a parameter, a file, a document.

    Args:
        message: what is wrong.
        where: parameter name, file name or element path.
        line: line in a text, counted from 1.
        column: column in a text, counted from 1.
        expected: what would have been accepted.
    """

    default_error_id = "InvalidArgument"
    default_category = "InvalidArgument"

    def __init__(  # noqa: PLR0913  each is a fact that a reader of the error wants apart
        self,
        message: str,
        *,
        where: str | None = None,
        line: int | None = None,
        column: int | None = None,
        expected: str | None = None,
        advice: str | None = None,
        error_id: str | None = None,
        category: str | None = None,
    ) -> None:
        self.where, self.line, self.column, self.expected = where, line, column, expected
        place = ", ".join(
            part
            for part in (where, line is not None and f"line {line}", column is not None and f"column {column}")
            if part
        )
        text = f"{place}: {message}" if place else message
        if expected:
            text = f"{text.rstrip('.')}; expected {expected}."
        super().__init__(text, advice=advice, error_id=error_id, category=category)


class UnsupportedParameterError(InputError):
    """A documented parameter that this version does not serve; it is refused rather than ignored."""

    default_error_id = "ParameterNotSupported"
    default_category = "NotImplemented"

    def __init__(self, parameter: str, *, cmdlet: str) -> None:
        self.parameter, self.cmdlet = parameter, cmdlet
        super().__init__(
            f"{cmdlet}: parameter {parameter} is not served by this version.",
            advice="Leave it out; nothing was touched.",
        )


class ConfirmationRequiredError(InputError):
    """An operation that changes a cluster was called without ``force=True`` and without a ``confirm`` callback."""

    default_error_id = "ConfirmationRequired"
    default_category = "PermissionDenied"


class NodeError(CauError):
    """A node answered, and the answer was a failure.

    Args:
        message: what failed.
        node: the node's name.
    """

    default_error_id = "NodeFailed"
    default_category = "InvalidResult"

    def __init__(
        self,
        message: str,
        *,
        node: str,
        advice: str | None = None,
        error_id: str | None = None,
        category: str | None = None,
    ) -> None:
        self.node = node
        super().__init__(message, advice=advice, error_id=error_id, category=category)


class RemoteError(NodeError):
    """A command on a node ended with a PowerShell error record.

    ``fully_qualified_error_id``, ``category``, ``exception_type`` and ``target`` are the record's; ``hresult`` is the
    exception's code as an unsigned 32-bit number where the record carries one.
    """

    default_error_id = "RemoteCommandFailed"

    def __init__(  # noqa: PLR0913  an error record has these fields
        self,
        message: str,
        *,
        node: str,
        command: str,
        error_id: str | None = None,
        category: str | None = None,
        exception_type: str | None = None,
        target: str | None = None,
        hresult: int | None = None,
        advice: str | None = None,
    ) -> None:
        self.command, self.exception_type, self.target, self.hresult = command, exception_type, target, hresult
        super().__init__(
            f"{node}: {command}: {message}", node=node, advice=advice, error_id=error_id, category=category
        )
        self.remote_message = message


class ClusterError(CauError):
    """The cluster as a whole refuses or failed: unknown, no quorum, not the cluster that was asked for.

    Args:
        message: what failed.
        cluster: the cluster's name.
    """

    default_error_id = "ClusterFailed"
    default_category = "InvalidOperation"

    def __init__(
        self,
        message: str,
        *,
        cluster: str,
        advice: str | None = None,
        error_id: str | None = None,
        category: str | None = None,
    ) -> None:
        self.cluster = cluster
        super().__init__(message, advice=advice, error_id=error_id, category=category)


class RunInProgressError(ClusterError):
    """Another Updating Run holds the cluster; ``owner`` and ``since`` (ISO 8601) say who and since when."""

    default_error_id = "RunInProgress"
    default_category = "ResourceBusy"

    def __init__(self, message: str, *, cluster: str, owner: str, since: str | None, advice: str | None = None) -> None:
        self.owner, self.since = owner, since
        super().__init__(message, cluster=cluster, advice=advice)


class RunInterruptedError(ClusterError):
    """A coordinator died in the middle of a run and left its lock; ``run_id`` names the run."""

    default_error_id = "RunFailed"
    default_category = "InvalidOperation"

    def __init__(self, message: str, *, cluster: str, run_id: str, owner: str, advice: str | None = None) -> None:
        self.run_id, self.owner = run_id, owner
        super().__init__(message, cluster=cluster, advice=advice)


class TransportError(CauError):
    """The way to a node failed, before any word of the node on what was asked.

    Args:
        message: what happened.
        node: the node's name.
        address: host and port that were tried.
    """

    default_error_id = "PSSessionStateBroken"
    default_category = "ConnectionError"

    def __init__(
        self,
        message: str,
        *,
        node: str,
        address: str | None = None,
        advice: str | None = None,
        error_id: str | None = None,
    ) -> None:
        self.node, self.address = node, address
        super().__init__(f"{node}: {message}", advice=advice, error_id=error_id)


class NodeUnreachableError(TransportError):
    """Nobody answered and nothing was sent: trying again is safe."""

    default_error_id = "NodeUnreachable"


class SessionBusyError(NodeUnreachableError):
    """Another thread used our session with the node until the deadline; nothing was sent, the node may be well."""

    default_error_id = "SessionBusy"
    default_category = "ResourceBusy"


class FateUnknownError(TransportError):
    """The connection broke after the request had left: the command may have run. Never retried without looking."""

    default_error_id = "ConnectionLost"


class SessionLostError(TransportError):
    """The node no longer knows the session: it restarted, timed out or ran into a quota."""

    default_error_id = "SessionLost"


class AuthenticationError(TransportError):
    """The node refused the credential. Never retried: repeated attempts lock accounts."""

    default_error_id = "AuthenticationFailed"
    default_category = "AuthenticationError"


class TlsError(TransportError):
    """The node's certificate was not accepted. Never retried."""

    default_error_id = "CertificateNotTrusted"
    default_category = "SecurityError"


class OperationTimeoutError(TransportError):
    """The deadline passed; the command was told to stop, its effect is unknown."""

    default_error_id = "OperationTimeout"
    default_category = "OperationTimeout"

    def __init__(self, message: str, *, node: str, after: timedelta, advice: str | None = None) -> None:
        self.after = after
        super().__init__(message, node=node, advice=advice)


class OperationCancelledError(TransportError):
    """The caller cancelled the command."""

    default_error_id = "OperationStopped"
    default_category = "OperationStopped"


class StateError(CauError):
    """What we remember cannot be used: a journal, a checkpoint, a stored report.

    Args:
        message: what is wrong.
        path: the file or property concerned.
    """

    default_error_id = "StateInvalid"
    default_category = "InvalidData"

    def __init__(self, message: str, *, path: str | None = None, advice: str | None = None) -> None:
        self.path = path
        super().__init__(f"{path}: {message}" if path else message, advice=advice)


class JournalInUseError(StateError):
    """A process on this computer holds the journal: the coordinator that writes it lives."""

    default_error_id = "JournalInUse"
    default_category = "ResourceBusy"
