"""Where a run and its nodes can be."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from cauctl.models.enums import NodeStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Phase", "RunPhase"]


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

    @property
    def is_watched(self) -> bool:
        """True while the cluster is looked at every now and then, whatever else is waited for."""
        return self in {RunPhase.PREPARING, RunPhase.UPDATING}


class Phase(Enum):
    """Where a node is; finer than :class:`~cauctl.models.enums.NodeStatus`, which people see."""

    __hash__ = object.__hash__  # a member is itself alone, and is looked up with every event

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
    PRE_SCRIPT = "PreUpdateScript"
    """Its turn: the pre-update script runs."""
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
    POST_SCRIPT = "PostUpdateScript"
    """It is Up again; the post-update script runs."""
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
        Phase.PRE_SCRIPT: NodeStatus.PRE_UPDATE_SCRIPT,
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
        Phase.POST_SCRIPT: NodeStatus.POST_UPDATE_SCRIPT,
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
