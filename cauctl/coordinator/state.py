"""The run as the machine knows it: values only, rebuilt by replaying a journal.

A run is a map of nodes and a few facts of its own; updating serially is a limit of one. Of each node, and of the run
itself, at most one thing is outstanding at any time (``pending``): a call that will be answered, or a pause after which
a call is made. So what to do after a crash is written in the state: perform what is pending, again.

``phase``, ``since`` and ``wait`` of a node tell people where it is, since when, what it waits for and for how long.

The classes that change with every event keep their fields in a ``__dict__``: :func:`changed` copies it, which costs a
tenth of what naming forty fields does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import field, frozen

from cauctl.coordinator.actions import Action, Call
from cauctl.coordinator.events import StopReason
from cauctl.coordinator.problems import Problem
from cauctl.coordinator.settings import RunSettings
from cauctl.models.agent import AgentEvent, AgentRequest, FoundUpdate, UpdateKey, UpdateOutcome
from cauctl.models.enums import NodeStatus, SummaryStatus
from cauctl.models.nodes import ClusterFacts, GroupState, LockRecord, NodeProbe, StorageFacts
from cauctl.models.timing import TimingBreakdown

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

T = TypeVar("T", bound="AgentWork | NodeRecord | NodeWork | RunState")


class RunPhase(Enum):
    """Where the run as a whole is."""

    OBSERVING = "Observing"
    """It looks whether it may begin."""
    INTERLOCK = "Interlock"
    """It looks for other coordinators."""
    LOCKING = "Locking"
    """It takes the cluster."""
    PREPARING = "Preparing"
    """All nodes scan and stage."""
    UPDATING = "Updating"
    """Nodes are updated, one after the other."""
    RELEASING = "Releasing"
    """It gives the cluster back."""
    ENDED = "Ended"
    """Nothing will be done any more."""


class Phase(Enum):
    """Where a node is; finer than :class:`~cauctl.models.enums.NodeStatus`, which people see."""

    IDLE = "Idle"
    """The run has not looked at it yet."""
    PROBING = "Probing"
    """It is asked for its boot time, build and pending work."""
    SCANNING = "Scanning"
    """It looks for updates, before its turn or again at the start of another attempt."""
    STAGING = "Staging"
    """It downloads them."""
    READY = "Ready"
    """It has updates, and its turn has not come."""
    CHECKING = "Checking"
    """Its turn: the gates are asked."""
    SUSPENDING = "Suspending"
    """It is paused and its roles leave."""
    EMPTYING = "Emptying"
    """Roles that the drain left behind are moved one by one."""
    GUARDING = "Guarding"
    """Drained and about to restart: all is looked at once more."""
    RESTARTING = "Restarting"
    """It was told to restart and has not come back."""
    VERIFYING = "Verifying"
    """It is back; the restart is proved."""
    INSTALLING = "Installing"
    """It installs updates."""
    RESCANNING = "Rescanning"
    """It looks for updates that the last ones made applicable."""
    RESTAGING = "Restaging"
    """It downloads those."""
    RESUMING = "Resuming"
    """It leaves maintenance."""
    FAILING_BACK = "FailingBack"
    """Its roles return."""
    STRANDED = "Stranded"
    """It failed while it was down or paused, and cannot be resumed yet."""
    DONE = "Done"
    """A result exists."""

    @property
    def status(self) -> NodeStatus:
        """The phase as people see it."""
        return _STATUS[self]

    @property
    def at_work(self) -> bool:
        """True from the start of the node's turn to its result."""
        return self in _AT_WORK


_STATUS: Mapping[Phase, NodeStatus] = MappingProxyType(
    {
        Phase.IDLE: NodeStatus.WAITING,
        Phase.PROBING: NodeStatus.SCANNING,
        Phase.SCANNING: NodeStatus.SCANNING,
        Phase.STAGING: NodeStatus.STAGING,
        Phase.READY: NodeStatus.WAITING,
        Phase.CHECKING: NodeStatus.CHECKING,
        Phase.SUSPENDING: NodeStatus.SUSPENDING,
        Phase.EMPTYING: NodeStatus.SUSPENDING,
        Phase.GUARDING: NodeStatus.RESTARTING,
        Phase.RESTARTING: NodeStatus.RESTARTING,
        Phase.VERIFYING: NodeStatus.VERIFYING,
        Phase.INSTALLING: NodeStatus.INSTALLING,
        Phase.RESCANNING: NodeStatus.SCANNING,
        Phase.RESTAGING: NodeStatus.STAGING,
        Phase.RESUMING: NodeStatus.RESUMING,
        Phase.FAILING_BACK: NodeStatus.FAILING_BACK,
        Phase.STRANDED: NodeStatus.RESUMING,
        Phase.DONE: NodeStatus.DONE,
    }
)

_AT_WORK = frozenset(Phase) - {
    Phase.IDLE,
    Phase.PROBING,
    Phase.SCANNING,
    Phase.STAGING,
    Phase.READY,
    Phase.DONE,
}


@frozen
class Pause:
    """Nothing is done until a timer fires; then ``then`` is performed."""

    number: int
    """Number of the timer."""
    until: datetime = field(kw_only=True)
    """When it fires."""
    then: Action = field(kw_only=True)
    """What is performed then."""


Pending = Call | Pause


@frozen
class Waiting:
    """Something is waited for."""

    name: str
    """What, such as ``StorageRepair``; stable over versions."""
    since: datetime = field(kw_only=True)
    """Since when."""
    limit: timedelta | None = field(default=None, kw_only=True)
    """For how long at most; None: as long as it takes."""
    reason: str = field(default="", kw_only=True)
    """What is not yet as it has to be, for people."""


@frozen
class Trouble:
    """Calls that failed one after the other, without a success between."""

    first: Problem
    """The first of them: the cause, should they not end."""
    since: datetime = field(kw_only=True)
    """When it failed."""
    count: int = field(default=1, kw_only=True)
    """How many there were."""


@frozen
class Cause:
    """A failure with its place."""

    problem: Problem
    """What failed."""
    at: datetime = field(kw_only=True)
    """When."""
    node: str | None = field(default=None, kw_only=True)
    """Where; None: the run as a whole."""
    phase: Phase | None = field(default=None, kw_only=True)
    """What the node was doing."""
    attempt: int = field(default=0, kw_only=True)
    """In which attempt of the node."""


@frozen(slots=False)
class AgentWork:
    """One piece of Windows Update work and what was heard of it."""

    request: AgentRequest
    """What was asked."""
    after: int = field(default=0, kw_only=True)
    """Number of the last event that was read."""
    found: tuple[FoundUpdate, ...] = field(default=(), kw_only=True)
    """Updates that the search found."""
    outcomes: tuple[UpdateOutcome, ...] = field(default=(), kw_only=True)
    """What became of each, in order; a later word on the same update replaces an earlier one."""
    not_offered: tuple[UpdateKey, ...] = field(default=(), kw_only=True)
    """Updates of the request that the search did not offer any more."""
    ending: AgentEvent | None = field(default=None, kw_only=True)
    """Its last event: done, failed or cancelled."""
    at_work_on: str = field(default="", kw_only=True)
    """Title or text of what it does now, for people."""
    cancelled: bool = field(default=False, kw_only=True)
    """True once it was told to stop."""
    lost: bool = field(default=False, kw_only=True)
    """True when it is gone without a last word."""
    restarted: bool = field(default=False, kw_only=True)
    """True when the node restarted while it worked."""


@frozen
class Installation:
    """What became of one update on a node, at last."""

    update: FoundUpdate
    """The update as it was found."""
    outcome: UpdateOutcome = field(kw_only=True)
    """Windows Update's last word on it."""


@frozen
class Placed:
    """A role that the node owned before it was drained."""

    group: str
    """Name of the role."""
    state: GroupState = field(kw_only=True)
    """Its state then."""
    core: bool = field(default=False, kw_only=True)
    """True for the cluster's own groups: they may live anywhere."""


@frozen
class RestartRecord:
    """One restart that we asked for, or found."""

    asked: datetime
    """When."""
    boot_time: datetime = field(kw_only=True)
    """Boot time of the boot that it ended."""
    reason: str = field(kw_only=True)
    """What it was for."""
    proved: datetime | None = field(default=None, kw_only=True)
    """When all proofs held."""
    ours: bool = field(default=True, kw_only=True)
    """False where the node restarted by itself."""


@frozen(kw_only=True, slots=False)
class NodeRecord:
    """What the run did on a node and found there: what its result and history are made of."""

    probe: NodeProbe | None = None
    """The last probe."""
    build_before: str | None = None
    """Build of the first probe."""
    updates: tuple[FoundUpdate, ...] = ()
    """Updates to install now, in the order in which they were found."""
    offered: Mapping[UpdateKey, FoundUpdate] = field(factory=dict)
    """All updates that any scan of this run found and chose."""
    skipped: Mapping[UpdateKey, FoundUpdate] = field(factory=dict)
    """Updates left out because they need a licence or somebody at the keyboard."""
    staged: Mapping[UpdateKey, UpdateOutcome] = field(factory=dict)
    """What became of each download."""
    installed: Mapping[UpdateKey, Installation] = field(factory=dict)
    """What became of each installation, in the order of the first try."""
    round: int = 0
    """Installations begun in this attempt."""
    reboot_required: bool = False
    """True while a restart is needed to finish what was installed, or was pending before."""
    placement: tuple[Placed, ...] = ()
    """Roles that the node owned before it was drained."""
    placed_after: Mapping[str, str] = field(factory=dict)
    """Owner of each of those when the run was done with the node."""
    moves: Mapping[str, int] = field(factory=dict)
    """Explicit moves of each role in the present phase."""
    suspended: datetime | None = None
    """When it was first paused by us."""
    paused_for: timedelta | None = None
    """How long it was paused by us, once it is resumed."""
    restarts: tuple[RestartRecord, ...] = ()
    """Its restarts."""
    causes: tuple[Cause, ...] = ()
    """Failures in order; the first is the cause."""
    transient: tuple[Problem, ...] = ()
    """Failures of attempts that were tried again."""
    notes: tuple[str, ...] = ()
    """What people must know."""
    timing: TimingBreakdown = field(factory=TimingBreakdown)
    """When each step began and ended."""
    status: SummaryStatus | None = None
    """How it ended."""


@frozen(slots=False)
class NodeWork:
    """One node in the run."""

    name: str
    """The cluster's spelling of its name."""
    phase: Phase = field(default=Phase.IDLE, kw_only=True)
    """Where it is."""
    since: datetime = field(kw_only=True)
    """Since when."""
    attempt: int = field(default=0, kw_only=True)
    """1 for the first."""
    pending: Pending | None = field(default=None, kw_only=True)
    """What is outstanding."""
    wait: Waiting | None = field(default=None, kw_only=True)
    """What is waited for."""
    trouble: Trouble | None = field(default=None, kw_only=True)
    """Calls that fail at present."""
    paused_by_us: bool = field(default=False, kw_only=True)
    """True from the intent to suspend it until it is seen Up again."""
    failing: Cause | None = field(default=None, kw_only=True)
    """Failure of this attempt: it is being undone."""
    agent: AgentWork | None = field(default=None, kw_only=True)
    """Its Windows Update work."""
    steady: int = field(default=0, kw_only=True)
    """Looks in a row that found the same, where a phase counts them."""
    stranded: int = field(default=0, kw_only=True)
    """Times that it could not be resumed and was watched."""
    record: NodeRecord = field(factory=NodeRecord, kw_only=True)
    """What was done and found."""


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


def changed(value: T, **changes: Any) -> T:
    """Give a copy of a value with some fields changed; TypeError for a field that it has not."""
    if not changes.keys() <= value.__dict__.keys():
        raise TypeError(f"{type(value).__name__} has no {', '.join(changes.keys() - value.__dict__.keys())}")
    copy = object.__new__(type(value))
    copy.__dict__.update(value.__dict__, **changes)
    return copy
