"""What the coordinator asks of a node's update agent, and what the agent tells: values, no I/O.

The agent is one constant script that outlives the session that started it. It is asked by a request file and answers
by numbered events; a reader that comes back after a lost connection goes on at the number it has.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import field, frozen

__all__ = [
    "AgentEvent",
    "AgentEventKind",
    "AgentOperation",
    "AgentProgress",
    "AgentRequest",
    "AgentState",
    "FoundUpdate",
    "OperationResultCode",
    "UpdateKey",
    "UpdateOutcome",
]


class AgentOperation(Enum):
    """What an agent can be asked to do; each is one request."""

    SCAN = "Scan"
    STAGE = "Stage"
    INSTALL = "Install"


class OperationResultCode(Enum):
    """Windows Update's ``OperationResultCode``; the value is its number (MS-UAMG)."""

    NOT_STARTED = 0
    IN_PROGRESS = 1
    SUCCEEDED = 2
    SUCCEEDED_WITH_ERRORS = 3
    FAILED = 4
    ABORTED = 5


@frozen(order=True)
class UpdateKey:
    """The identity of an update: the pair, since a revision can change between scan and installation."""

    update_id: str
    """GUID, lower case, without braces."""
    revision: int
    """``RevisionNumber``."""


@frozen
class FoundUpdate:
    """One applicable update, with what decisions and reports need of ``IUpdate``."""

    key: UpdateKey
    """Update id and revision."""
    title: str = field(kw_only=True)
    """Localized title: for display only."""
    description: str = field(default="", kw_only=True)
    """Localized description."""
    kb_article_ids: tuple[str, ...] = field(default=(), kw_only=True)
    """Article numbers without ``KB``."""
    msrc_severity: str = field(default="", kw_only=True)
    """Critical, Important, Moderate, Low or empty."""
    max_download_size: int = field(default=0, kw_only=True)
    """Bytes."""
    is_downloaded: bool = field(default=False, kw_only=True)
    """True when nothing must be fetched."""
    eula_accepted: bool = field(default=True, kw_only=True)
    """False: a licence must be accepted before anything else."""
    can_request_user_input: bool = field(default=False, kw_only=True)
    """True: cannot be installed unattended."""
    reboot_behavior: int = field(default=2, kw_only=True)
    """``RebootBehavior``: 0 never, 1 always, 2 may ask; a hint."""
    exclusive: bool = field(default=False, kw_only=True)
    """True: must be installed alone (``Impact`` 2)."""
    support_url: str = field(default="", kw_only=True)
    """Address of the article."""


@frozen
class UpdateOutcome:
    """What became of one update in one operation."""

    key: UpdateKey
    """Update id and revision."""
    result: OperationResultCode = field(kw_only=True)
    """Windows Update's result for this update."""
    hresult: int = field(default=0, kw_only=True)
    """Unsigned 32-bit code; 0 without an error."""
    reboot_required: bool = field(default=False, kw_only=True)
    """True when this update asks for a restart."""
    at: datetime = field(kw_only=True)
    """When, by the node's clock, UTC."""


@frozen
class AgentRequest:
    """One piece of work for the agent of one node."""

    request_id: str
    """Unique within the run; names the task and the folder, letters, digits and hyphens only."""
    run_id: str = field(kw_only=True)
    """The run that asks; leftovers of a dead run are found by it."""
    operation: AgentOperation = field(kw_only=True)
    """What to do."""
    query: str = field(kw_only=True)
    """Windows Update search criteria."""
    include_recommended: bool = field(default=False, kw_only=True)
    """Recommended updates as well."""
    updates: tuple[UpdateKey, ...] = field(default=(), kw_only=True)
    """For staging and installing: exactly these; one that the search no longer offers is not touched and reported."""


class AgentEventKind(Enum):
    """What an agent event tells."""

    STARTED = "Started"
    HEARTBEAT = "Heartbeat"
    FOUND = "Found"
    EULA_ACCEPTED = "EulaAccepted"
    DOWNLOADING = "Downloading"
    DOWNLOADED = "Downloaded"
    INSTALLING = "Installing"
    INSTALLED = "Installed"
    NOT_OFFERED = "NotOffered"
    DONE = "Done"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


@frozen
class AgentEvent:
    """One numbered event of an agent."""

    sequence: int
    """From 1, without gaps."""
    kind: AgentEventKind = field(kw_only=True)
    """What happened."""
    at: datetime = field(kw_only=True)
    """When, by the node's clock, UTC."""
    update: FoundUpdate | None = field(default=None, kw_only=True)
    """For FOUND: the update."""
    key: UpdateKey | None = field(default=None, kw_only=True)
    """For events about one update: which."""
    outcome: UpdateOutcome | None = field(default=None, kw_only=True)
    """For DOWNLOADED and INSTALLED: what became of the update."""
    hresult: int | None = field(default=None, kw_only=True)
    """For FAILED: unsigned 32-bit code, where there is one."""
    message: str = field(default="", kw_only=True)
    """For FAILED and HEARTBEAT: text for people."""
    reboot_required: bool = field(default=False, kw_only=True)
    """For DONE: the node must restart to finish."""


class AgentState(Enum):
    """Whether an agent is still at work."""

    RUNNING = "Running"
    FINISHED = "Finished"
    LOST = "Lost"


@frozen
class AgentProgress:
    """One poll: the new events and whether more will come.

    LOST means that the task no longer runs and its last event is none of DONE, FAILED and CANCELLED: it was killed, or
    the node restarted under it. What it installed before is told by the events and by the next scan.
    """

    state: AgentState
    """Whether more events can come."""
    events: tuple[AgentEvent, ...] = field(default=(), kw_only=True)
    """Events with a number above the one that was asked for, in order."""
