"""Errors as results and reports carry them: without the objects that raised them.

The first failure of a run is its cause (:class:`FirstCause`); it is kept apart from all that followed from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Self

from attrs import field, frozen

from cauctl.errors import CauError, RemoteError
from cauctl.models.dotnet import DotNetProperty, DotNetType, describe
from cauctl.models.enums import NodeStatus
from cauctl.models.validation import Name, check

__all__ = ["ErrorRecordData", "ExceptionData", "FirstCause"]

_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"
_CLUSTER_UPDATE_EXCEPTION: Final = f"{_NAMESPACE}.ClusterUpdateException"
_REMOTE_EXCEPTION: Final = "System.Management.Automation.RemoteException"


@describe(
    DotNetType(
        f"{_NAMESPACE}.ExceptionData",  # no document names this type
        properties=(
            DotNetProperty("Type", attribute="exception_type", declared="System.String", inferred=True),
            DotNetProperty("Message", attribute="message", declared="System.String"),
        ),
        text="text",
        inferred=True,
    )
)
@frozen
class ExceptionData:
    """The exception behind an error; prints as ``type: message``."""

    exception_type: Name
    """Full .NET name of the exception's class."""
    message: str = field(kw_only=True)
    """What happened, for people."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def text(self) -> str:
        """What PowerShell prints for it."""
        return f"{self.exception_type}: {self.message}"


@describe(
    DotNetType(
        f"{_NAMESPACE}.ErrorRecordData",
        properties=(
            DotNetProperty("FullyQualifiedErrorId", attribute="fully_qualified_error_id", declared="System.String"),
            DotNetProperty(
                "ExceptionData", attribute="exception_data", declared=f"{_NAMESPACE}.ExceptionData", inferred=True
            ),
        ),
        text="text",
        text_inferred=True,
        inferred=True,
    )
)
@frozen
class ErrorRecordData:
    """An error of a node or of the run, without the objects that raised it."""

    fully_qualified_error_id: Name
    """Stable name of the error, such as ``MaxFailedNodesExceeded``."""
    exception_data: ExceptionData | None = field(default=None, kw_only=True)
    """The exception, where there was one."""
    category: str | None = field(default=None, kw_only=True)
    """PowerShell's error category; ours, not a property of Microsoft's class."""
    advice: str | None = field(default=None, kw_only=True)
    """What to do about it; ours, not a property of Microsoft's class."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @classmethod
    def of(cls, error: CauError) -> Self:
        """Carry over the facts of an error of ours."""
        exception_type = _CLUSTER_UPDATE_EXCEPTION
        if isinstance(error, RemoteError):
            exception_type = error.exception_type or _REMOTE_EXCEPTION
        return cls(
            error.fully_qualified_error_id,
            exception_data=ExceptionData(exception_type, message=error.message),
            category=error.category,
            advice=error.advice,
        )

    @classmethod
    def saying(cls, error_id: str, message: str, *, category: str | None = None, advice: str | None = None) -> Self:
        """Make an error of the coordinator's own, without an exception behind it."""
        exception = ExceptionData(_CLUSTER_UPDATE_EXCEPTION, message=message)
        return cls(error_id, exception_data=exception, category=category, advice=advice)

    @property
    def message(self) -> str:
        """What happened; the error's id where no exception tells more."""
        return self.exception_data.message if self.exception_data else self.fully_qualified_error_id

    @property
    def text(self) -> str:
        """The exception as it prints, or the error's id."""
        return self.exception_data.text if self.exception_data else self.fully_qualified_error_id


@frozen
class FirstCause:
    """The first failure of a run: what happened, where and when. No class of Microsoft's."""

    error: ErrorRecordData
    """What happened."""
    node_name: Name | None = field(default=None, kw_only=True)
    """Node where it happened; None: the run as a whole."""
    phase: NodeStatus | None = field(default=None, kw_only=True)
    """What the node was doing."""
    timestamp: datetime | None = field(default=None, kw_only=True)
    """When it happened."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def text(self) -> str:
        """One line: where, while doing what, and what."""
        place = self.node_name or "The run"
        doing = f" ({self.phase})" if self.phase else ""
        return f"{place}{doing}: {self.error.message}"
