"""What happened: past-tense values, each with its time ``at`` by the coordinator's clock.

Events are all that the machine learns of the world and all that a journal keeps. An :class:`Answer` carries the number
of the :class:`~cauctl.coordinator.actions.Call` that it answers; one with a number that the machine no longer waits for
is news, and decides nothing.

Large observations come whole once (:class:`ClusterObserved`) and as differences afterwards (:class:`ClusterChanged`).
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import field, frozen

from cauctl.coordinator.problems import Problem
from cauctl.coordinator.settings import RunSettings
from cauctl.models.agent import AgentEvent, AgentState
from cauctl.models.nodes import (
    ClusterFacts,
    ClusterGroup,
    ClusterNode,
    ForeignCoordinator,
    LockRecord,
    NodeProbe,
    Quorum,
    StorageFacts,
)
from cauctl.models.scripts import ScriptOutcome, ScriptPlace

__all__ = [
    "AgentBegun",
    "AgentCancelled",
    "AgentCollected",
    "AgentPolled",
    "Answer",
    "CallFailed",
    "ClusterChanged",
    "ClusterObserved",
    "Detached",
    "Event",
    "FoundPaused",
    "GatesChecked",
    "InterlockChecked",
    "JournalLost",
    "LeaseRenewed",
    "LockAcquired",
    "LockFoundHeld",
    "LockLost",
    "LockReleased",
    "MoveRequested",
    "NetworksSeen",
    "NodeAnswer",
    "NodeProbed",
    "RepairRequested",
    "RestartRequested",
    "RestartsAllowed",
    "ResumeRequested",
    "RunRestored",
    "RunStarted",
    "RunTakenOver",
    "ScriptRan",
    "StopReason",
    "StopRequested",
    "SuspendRequested",
    "TimerFired",
]


@frozen
class Event:
    """Something happened."""

    at: datetime
    """When, by the coordinator's clock, UTC."""


@frozen
class RunStarted(Event):
    """Somebody asked for a run; nothing is touched yet."""

    run_id: str = field(kw_only=True)
    """GUID of the run."""
    cluster: str = field(kw_only=True)
    """Name of the cluster, as it was asked for."""
    owner: str = field(kw_only=True)
    """``user@machine (pid n)`` of the coordinator."""
    settings: RunSettings = field(kw_only=True)
    """What was asked for."""


@frozen
class RunTakenOver(Event):
    """Another coordinator goes on with the run from its journal; what was pending is performed again."""

    owner: str = field(kw_only=True)
    """``user@machine (pid n)`` of the new coordinator."""
    fence: int = field(kw_only=True)
    """Fencing counter of the lock since the take-over."""


@frozen
class RunRestored(Event):
    """Another coordinator goes on with the run from its checkpoint, the journal being out of reach."""

    packed: str = field(kw_only=True, repr=False)
    """The state of the run as the checkpoint has it; see :mod:`cauctl.coordinator.remembered`."""
    facts: ClusterFacts = field(kw_only=True)
    """The cluster as it is now."""
    lock: LockRecord = field(kw_only=True)
    """The lock since the take-over; its owner is the new coordinator."""


class StopReason(Enum):
    """Why nothing new may start."""

    REQUESTED = "Requested"
    """Somebody asked the coordinator to stop."""
    STOP_AFTER = "StopAfter"
    """The time that StopAfter gives has passed."""
    FAILED_NODES = "FailedNodes"
    """More nodes failed than the run may bear."""
    NODES_OFFLINE = "NodesOffline"
    """All nodes were required, and one could not be reached."""
    UNSAFE = "Unsafe"
    """A node could not be brought back, or storage is in danger."""


@frozen
class StopRequested(Event):
    """Somebody asked to stop: nothing new starts, the node in work is finished or undone."""

    by: str = field(default="", kw_only=True)
    """Who, or which signal."""


@frozen
class JournalLost(Event):
    """Nothing can be written down any more: what was begun is undone, by the checkpoint in the cluster alone."""

    message: str = field(kw_only=True)
    """Why, for people."""


@frozen
class Detached(Event):
    """The coordinator leaves at once; lock and journal stay for recovery."""


@frozen
class TimerFired(Event):
    """The time of a timer has come."""

    timer: int = field(kw_only=True)
    """Number of the timer."""
    node: str | None = field(default=None, kw_only=True)
    """Node that it was started for."""


@frozen
class Answer(Event):
    """A call was performed, or at least tried."""

    call: int | None = field(default=None, kw_only=True)
    """Number of the call; None: news that nobody asked for by itself."""


@frozen
class NodeAnswer(Answer):
    """A call for one node was performed."""

    node: str = field(kw_only=True)
    """The node."""


@frozen
class CallFailed(Answer):
    """A call did not succeed."""

    node: str | None = field(default=None, kw_only=True)
    """Node that the call was for."""
    problem: Problem = field(kw_only=True)
    """What is known of it."""


@frozen
class ClusterObserved(Answer):
    """The cluster was looked at."""

    node: str | None = field(default=None, kw_only=True)
    """Node on whose behalf."""
    facts: ClusterFacts = field(kw_only=True)
    """All that was seen."""


@frozen
class ClusterChanged(Answer):
    """The cluster was looked at and has the same nodes and groups as before; what differs stands here."""

    node: str | None = field(default=None, kw_only=True)
    """Node on whose behalf."""
    nodes: tuple[ClusterNode, ...] = field(default=(), kw_only=True)
    """Nodes that changed."""
    groups: tuple[ClusterGroup, ...] = field(default=(), kw_only=True)
    """Groups that changed."""
    quorum: Quorum | None = field(default=None, kw_only=True)
    """Witness and dynamic quorum, where they changed."""


@frozen
class GatesChecked(NodeAnswer):
    """All that the decision to take a node down depends on was observed (the cluster just before)."""

    loses_quorum: bool = field(kw_only=True)
    """The cluster's own answer: quorum would be lost without the node."""
    storage: StorageFacts = field(kw_only=True)
    """Storage jobs and virtual disks."""


@frozen
class NetworksSeen(NodeAnswer):
    """A node's connections to cluster networks are not those of the look before."""

    up: tuple[str, ...] = field(kw_only=True)
    """Names of those that are Up."""


@frozen
class InterlockChecked(Answer):
    """Other coordinators were looked for."""

    foreign: tuple[ForeignCoordinator, ...] = field(kw_only=True)
    """Those that were found."""


@frozen
class LockAcquired(Answer):
    """The cluster is ours."""

    record: LockRecord = field(kw_only=True)
    """The lock as we wrote it."""


@frozen
class LockFoundHeld(Answer):
    """The cluster is another run's."""

    record: LockRecord = field(kw_only=True)
    """The lock as it stands."""


@frozen
class LeaseRenewed(Answer):
    """The lock is still ours, and its lease lasts longer now."""

    until: datetime = field(kw_only=True)
    """End of the lease."""


@frozen
class LockLost(Answer):
    """The lock is not ours any more: another coordinator took over, or somebody removed it."""

    holder: LockRecord | None = field(default=None, kw_only=True)
    """Who holds it now; None: nobody."""


@frozen
class LockReleased(Answer):
    """The cluster is given back."""


@frozen
class NodeProbed(NodeAnswer):
    """A node told about its operating system."""

    probe: NodeProbe = field(kw_only=True)
    """What it told."""


@frozen
class RestartsAllowed(NodeAnswer):
    """A node's firewall rules for remote shutdown are on."""

    were_off: bool = field(kw_only=True)
    """Whether they had to be switched on."""


@frozen
class ScriptRan(NodeAnswer):
    """A script of the user ran on a node, to its end or to its failure."""

    place: ScriptPlace = field(kw_only=True)
    """Which of them."""
    outcome: ScriptOutcome = field(kw_only=True)
    """What came of it."""


@frozen
class AgentBegun(NodeAnswer):
    """Windows Update work was started on a node."""


@frozen
class AgentPolled(NodeAnswer):
    """A node's agent was asked how far it is."""

    state: AgentState = field(kw_only=True)
    """Whether it is at work."""
    events: tuple[AgentEvent, ...] = field(default=(), kw_only=True)
    """What is new."""


@frozen
class AgentCancelled(NodeAnswer):
    """A node's agent was told to stop."""


@frozen
class AgentCollected(NodeAnswer):
    """What the agent left on the node is removed."""


@frozen
class SuspendRequested(NodeAnswer):
    """The cluster was asked to pause and drain the node, which was Up."""


@frozen
class FoundPaused(NodeAnswer):
    """The node was to be paused for the first time and was paused already, by somebody else."""


@frozen
class MoveRequested(NodeAnswer):
    """The cluster was asked to move a role."""


@frozen
class RepairRequested(NodeAnswer):
    """The repair of a virtual disk was started."""


@frozen
class RestartRequested(NodeAnswer):
    """The node was told to restart."""


@frozen
class ResumeRequested(NodeAnswer):
    """The cluster was asked to resume the node."""
