"""One node in a run, as the machine knows it: where it is, what is outstanding, what was done and found.

The classes that change with every event keep their fields in a ``__dict__``: :func:`changed` copies it, which costs a
tenth of what naming forty fields does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from attrs import AttrsInstance, field, frozen

from cauctl.coordinator.actions import Action, Call
from cauctl.coordinator.phases import Phase
from cauctl.coordinator.problems import Problem
from cauctl.models.agent import AgentEvent, AgentRequest, FoundUpdate, UpdateKey, UpdateOutcome
from cauctl.models.enums import SummaryStatus
from cauctl.models.nodes import GroupState, NodeProbe
from cauctl.models.timing import TimingBreakdown

__all__ = [
    "AgentWork",
    "Cause",
    "Installation",
    "NodeRecord",
    "NodeWork",
    "Pause",
    "Pending",
    "Placed",
    "RestartRecord",
    "Trouble",
    "Waiting",
    "changed",
]

T = TypeVar("T", bound=AttrsInstance)
_new, _set = object.__new__, object.__setattr__


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
    again: datetime | None = field(default=None, kw_only=True)
    """When the node was told once more, because it still answered with the boot that was to end."""
    proved: datetime | None = field(default=None, kw_only=True)
    """When all proofs held."""
    ours: bool = field(default=True, kw_only=True)
    """False where the node restarted by itself."""


@frozen(kw_only=True, slots=False)
class NodeRecord:
    """What the run did on a node and found there: what its result and history are made of."""

    probe: NodeProbe | None = None
    """The last probe."""
    booted: datetime | None = None
    """When that boot was, counted back from our own clock; None: the node did not tell its uptime."""
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
    networks: tuple[str, ...] = ()
    """Its connections to cluster networks that are Up, as last seen."""
    networks_before: tuple[str, ...] = ()
    """Those that were Up before it was taken out of service."""
    placed_after: Mapping[str, str] = field(factory=dict)
    """Owner of each of those when the run was done with the node."""
    moves: Mapping[str, int] = field(factory=dict)
    """Explicit moves of each role in the present phase."""
    suspended: datetime | None = None
    """When it was first paused by us."""
    paused_since: datetime | None = None
    """Since when it is paused by us, while it is."""
    paused_for: timedelta | None = None
    """How long it was paused by us altogether, once it is resumed."""
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
    unpaused: int = field(default=0, kw_only=True)
    """Attempts that failed because it could not be paused, where those have a limit of their own."""
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
    paused_beside: tuple[str, ...] = field(default=(), kw_only=True)
    """Nodes that were paused already when this one was taken out of service."""
    regained: int = field(default=0, kw_only=True)
    """Times in this attempt that it was in service again although it had been drained."""
    released: bool = field(default=False, kw_only=True)
    """True since it was seen resumed by somebody else, until we pause it again."""
    stranded: int = field(default=0, kw_only=True)
    """Times that it could not be resumed and was watched."""
    record: NodeRecord = field(factory=NodeRecord, kw_only=True)
    """What was done and found."""

    @property
    def counted_attempts(self) -> int:
        """Attempts that MaxRetriesPerNode counts."""
        return self.attempt - self.unpaused


def changed(value: T, **changes: Any) -> T:
    """Give a copy of a value with some fields changed; TypeError for a field that it has not."""
    copy, had = _new(type(value)), value.__dict__
    fields = {**had, **changes}
    _set(copy, "__dict__", fields)
    if len(fields) != len(had):
        raise TypeError(f"{type(value).__name__} has no {', '.join(changes.keys() - had.keys())}")
    return copy
