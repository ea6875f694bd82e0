"""A run in progress as Get-CauRun shows it, and the history of a run that Microsoft's objects have no field for.

:class:`RunHistory` is read from a run's journal; a report is shown together with it when the journal lies beside it.

ActivityIdMap, which some cmdlets can write, has no property that any document or sample shows; we write none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from cauctl.models.dotnet import DotNetProperty, DotNetType, describe
from cauctl.models.enums import NodeStatus
from cauctl.models.failure import FirstCause
from cauctl.models.results import CauNode, NodeResult
from cauctl.models.validation import Count, Name, check

__all__ = [
    "CauRun",
    "NodeHistory",
    "NodeStatusNotification",
    "PlannedTurn",
    "Restart",
    "RolePlacement",
    "RunHistory",
    "TimelineEntry",
    "Wait",
]

_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"


@describe(
    DotNetType(
        f"{_NAMESPACE}.NodeStatusNotification",
        properties=(
            DotNetProperty("Node", attribute="node", declared=f"{_NAMESPACE}.CauNode"),
            DotNetProperty("Status", attribute="status", declared=f"{_NAMESPACE}.NodeStatusType", inferred=True),
            DotNetProperty("Timestamp", attribute="timestamp", declared="System.DateTime"),
        ),
    )
)
@frozen
class NodeStatusNotification:
    """A node entered a phase of the run."""

    node: CauNode
    """The node."""
    status: NodeStatus = field(kw_only=True)
    """The phase."""
    timestamp: datetime = field(kw_only=True)
    """When it entered."""

    def __attrs_post_init__(self) -> None:
        check(self)


@describe(
    DotNetType(
        f"{_NAMESPACE}.CauRun",
        properties=(
            DotNetProperty("RunId", attribute="run_id", declared="System.Guid"),
            DotNetProperty("RunStartTime", attribute="run_start_time", declared="System.DateTime"),
            DotNetProperty("CurrentOrchestrator", attribute="current_orchestrator", declared="System.String"),
            DotNetProperty(
                "NodeStatusNotifications",
                attribute="node_status_notifications",
                declared=f"{_NAMESPACE}.NodeStatusNotification[]",
            ),
            DotNetProperty("NodeResults", attribute="node_results", declared=f"{_NAMESPACE}.NodeResult[]"),
            DotNetProperty("CancelPending", attribute="cancel_pending", declared="System.Boolean", inferred=True),
        ),
        inferred=True,
    )
)
@frozen
class CauRun:
    """An Updating Run in progress."""

    run_id: UUID
    """Id of the run."""
    run_start_time: datetime = field(kw_only=True)
    """When it began."""
    current_orchestrator: str = field(kw_only=True)
    """Computer of the coordinator."""
    node_status_notifications: tuple[NodeStatusNotification, ...] = field(default=(), kw_only=True)
    """Latest phase of each node that has no result yet."""
    node_results: tuple[NodeResult, ...] = field(default=(), kw_only=True)
    """Results of the nodes that the coordinator is done with."""
    cancel_pending: bool = field(default=False, kw_only=True)
    """True when the run was asked to stop and has not ended yet."""

    def __attrs_post_init__(self) -> None:
        check(self)


@frozen
class Wait:
    """The run waited for something."""

    name: Name
    """What was waited for, such as ``StorageRepair``; stable over versions."""
    reason: str = field(kw_only=True)
    """Why, in words: what was not yet as it had to be."""
    started: datetime = field(kw_only=True)
    """When the wait began."""
    duration: timedelta | None = field(default=None, kw_only=True)
    """How long it took; None: it had not ended when the history was read."""
    limit: timedelta | None = field(default=None, kw_only=True)
    """How long it was allowed to take."""
    satisfied: bool = field(default=True, kw_only=True)
    """False when it was given up at its limit or by a cancellation."""

    def __attrs_post_init__(self) -> None:
        check(self)


@frozen
class Restart:
    """A node was restarted."""

    requested: datetime
    """When the restart was asked for."""
    proved: datetime | None = field(default=None, kw_only=True)
    """When all proofs of it held; None: it was never proved."""
    reason: str = field(default="", kw_only=True)
    """What asked for it: an update, or work that was pending before the run."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it was not proved."""
        return None if self.proved is None else self.proved - self.requested


@frozen
class RolePlacement:
    """Where a role that a node owned before its turn was afterwards."""

    role: Name
    """Name of the clustered role."""
    before: Name = field(kw_only=True)
    """Owner before the node was drained."""
    after: Name | None = field(default=None, kw_only=True)
    """Owner when the coordinator was done with the node; None: not known."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def returned(self) -> bool:
        """Whether the role is where it was."""
        return self.after is not None and self.after.casefold() == self.before.casefold()


@frozen
class NodeHistory:
    """What happened to one node beyond its NodeResult."""

    node_name: Name
    """Name of the node."""
    attempts: Count = field(default=0, kw_only=True)
    """How often its update process was begun."""
    build_before: str | None = field(default=None, kw_only=True)
    """Build and update revision before, such as ``20348.2227``."""
    build_after: str | None = field(default=None, kw_only=True)
    """Build and update revision afterwards."""
    restarts: tuple[Restart, ...] = field(default=(), kw_only=True)
    """Its restarts, in order."""
    waits: tuple[Wait, ...] = field(default=(), kw_only=True)
    """What was waited for on its behalf, in order."""
    placement: tuple[RolePlacement, ...] = field(default=(), kw_only=True)
    """The roles that it owned before its turn."""
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """What people must know, such as why it was left alone or could not be resumed."""

    def __attrs_post_init__(self) -> None:
        check(self)


@frozen
class TimelineEntry:
    """One thing that happened, for people."""

    timestamp: datetime
    """When."""
    text: str = field(kw_only=True)
    """What, in one sentence."""
    node_name: Name | None = field(default=None, kw_only=True)
    """Where; None: the run as a whole."""
    failure: bool = field(default=False, kw_only=True)
    """True when it is a failure."""

    def __attrs_post_init__(self) -> None:
        check(self)


@frozen
class PlannedTurn:
    """What a node's turn was to be when the order of the turns was decided."""

    node_name: Name
    """Name of the node."""
    updates: Count = field(default=0, kw_only=True)
    """Updates that were to be installed first."""
    restart_expected: bool = field(default=False, kw_only=True)
    """True where an update said that it may ask for a restart, or one was pending."""
    predicted: timedelta | None = field(default=None, kw_only=True)
    """How long the turn was to take, by earlier runs; None: they could not tell."""

    def __attrs_post_init__(self) -> None:
        check(self)


@frozen
class RunHistory:
    """What a run's journal tells beyond its report."""

    run_id: UUID
    """Id of the run."""
    first_cause: FirstCause | None = field(default=None, kw_only=True)
    """The first failure; None: there was none."""
    nodes: tuple[NodeHistory, ...] = field(default=(), kw_only=True)
    """One for each node that the run met."""
    waits: tuple[Wait, ...] = field(default=(), kw_only=True)
    """What was waited for on behalf of no node in particular."""
    timeline: tuple[TimelineEntry, ...] = field(default=(), kw_only=True)
    """All that happened, in order."""
    plan: tuple[PlannedTurn, ...] = field(default=(), kw_only=True)
    """The turns as they were planned, in their order; empty where no order was decided."""

    def __attrs_post_init__(self) -> None:
        check(self)

    def node(self, name: str) -> NodeHistory | None:
        """Find the history of a node, in any letter case; None when the run never met it."""
        return next((node for node in self.nodes if node.node_name.casefold() == name.casefold()), None)
