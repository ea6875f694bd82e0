"""The run as the machine knows it: values only, rebuilt by replaying a journal.

A run is a map of nodes and a few facts of its own; updating serially is a limit of one. Of each node, and of the run
itself, at most one thing is outstanding at any time (``pending``): a call that will be answered, or a pause after which
a call is made. So what to do after a crash is written in the state: perform what is pending, again.

``phase``, ``since`` and ``wait`` of a node tell people where it is, since when, what it waits for and for how long.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from attrs import field, frozen

from cauctl.coordinator.events import StopReason
from cauctl.coordinator.phases import Phase, RunPhase
from cauctl.coordinator.problems import Problem
from cauctl.coordinator.settings import RunSettings
from cauctl.coordinator.work import (
    AgentWork,
    Cause,
    Installation,
    NodeRecord,
    NodeWork,
    Pause,
    Pending,
    Placed,
    RestartRecord,
    Trouble,
    Waiting,
    changed,
)
from cauctl.models.nodes import ClusterFacts, LockRecord, StorageFacts

__all__ = [
    "AgentWork",
    "Alarm",
    "Cause",
    "Installation",
    "NodeRecord",
    "NodeWork",
    "Pause",
    "Pending",
    "Phase",
    "Placed",
    "Refusal",
    "RefusalKind",
    "RestartRecord",
    "RunPhase",
    "RunState",
    "StorageStreak",
    "Trouble",
    "Waiting",
    "changed",
]


@frozen
class StorageStreak:
    """Looks in a row that found storage healthy and at rest."""

    count: int = 0
    """How many."""
    last: datetime | None = field(default=None, kw_only=True)
    """When the last of them was."""


@frozen
class Alarm:
    """A timer of the run as a whole."""

    number: int
    """Number of the timer."""
    name: str = field(kw_only=True)
    """``StopAfter`` or ``WarnAfter``."""
    until: datetime = field(kw_only=True)
    """When it fires."""


class RefusalKind(Enum):
    """Why a run did not begin."""

    OPTIONS = "Options"
    """The options do not fit the cluster."""
    CLUSTER = "Cluster"
    """The cluster cannot be looked at, or is not the one asked for."""
    NODES = "Nodes"
    """Not all nodes are online, and all were required."""
    IN_PROGRESS = "InProgress"
    """Another coordinator is at work."""
    INTERRUPTED = "Interrupted"
    """A dead coordinator left its lock."""


@frozen
class Refusal:
    """The run did not begin; nothing was touched."""

    kind: RefusalKind
    """Why."""
    problem: Problem = field(kw_only=True)
    """In words."""
    holder: LockRecord | None = field(default=None, kw_only=True)
    """Lock that stands in the way."""
    owner: str = field(default="", kw_only=True)
    """Other coordinator that stands in the way."""


@frozen(kw_only=True, slots=False)
class RunState:
    """The run."""

    run_id: str = ""
    """GUID; empty before the run is started."""
    cluster: str = ""
    """Name of the cluster, in its own spelling once it was seen."""
    owner: str = ""
    """The coordinator."""
    started: datetime | None = None
    """When the run began."""
    settings: RunSettings = field(factory=RunSettings)
    """What was asked for."""
    phase: RunPhase = RunPhase.OBSERVING
    """Where it is."""
    now: datetime | None = None
    """Time of the last event."""
    counter: int = 0
    """Number of the last call or timer."""
    facts: ClusterFacts | None = None
    """The cluster as it was last seen."""
    storage: StorageFacts | None = None
    """Storage as it was last seen."""
    streak: StorageStreak = field(factory=StorageStreak)
    """How long storage has been seen healthy."""
    repaired: tuple[str, ...] = ()
    """Virtual disks whose repair we started since storage was last healthy."""
    came_up: Mapping[str, datetime] = field(factory=dict)
    """When a node that was not Up was first seen Up again."""
    blind: bool = False
    """True since nobody answered for the cluster, until somebody does."""
    nodes: Mapping[str, NodeWork] = field(factory=dict)
    """Every node of the cluster by its name."""
    order: tuple[str, ...] = ()
    """Nodes in the order of their turns; decided when all have scanned."""
    max_failed_nodes: int = 0
    """Failed nodes that the run bears."""
    pending: Pending | None = None
    """What is outstanding for the run itself."""
    trouble: Trouble | None = None
    """Calls for the run itself that fail at present."""
    renewal: Pending | None = None
    """The next or present renewal of the lease."""
    watch: Pending | None = None
    """The next or present look at the cluster that is not for a node's sake."""
    lock: LockRecord | None = None
    """Our lock."""
    lock_left: bool = False
    """True when the lock could not be given back at the end."""
    fence: int = 1
    """Fencing counter of the coordinator that acts."""
    alarms: tuple[Alarm, ...] = ()
    """Timers of the run."""
    warned: bool = False
    """True once WarnAfter has passed."""
    stop_asked: bool = False
    """True once somebody asked to stop, whatever else stopped the run before."""
    stopping: StopReason | None = None
    """Why nothing new starts."""
    stop_problem: Problem | None = None
    """Error of the run as a whole."""
    first_cause: Cause | None = None
    """The first failure of the run."""
    refusal: Refusal | None = None
    """Why it did not begin."""
    fenced: bool = False
    """True when the lock is not ours any more: nothing is done any more."""
    holder: LockRecord | None = None
    """Who holds the lock instead."""
    detached: bool = False
    """True when the coordinator left."""
    ended: datetime | None = None
    """When the run ended."""

    @property
    def over(self) -> bool:
        """True when no instruction will come any more."""
        return self.phase is RunPhase.ENDED or self.fenced or self.detached

    @property
    def unresumed(self) -> tuple[str, ...]:
        """Nodes that the run paused and has not seen Up again."""
        return tuple(node.name for node in self.nodes.values() if node.paused_by_us)
