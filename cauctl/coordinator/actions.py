"""What the machine wants done: imperative values without behaviour.

Two instructions leave the machine: :class:`Call` has the driver perform an action through a port and feed back the
event that answers it, by its number; :class:`StartTimer` has a ``TimerFired`` come back, or, where what is due then
only looks, the answer to that look at once, by the timer's number.

Every action looks before it acts, or goes to a port that does, so each can be performed again: after a crash, the
pending ones of a replayed journal are. ``destructive`` actions are performed only by the coordinator that the lock
names at that moment; the driver reads it again before each.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from attrs import field, frozen

from cauctl.models.agent import AgentRequest
from cauctl.models.enums import FailbackType
from cauctl.models.scripts import ScriptFile, ScriptPlace

__all__ = [
    "AcquireLock",
    "Action",
    "AllowRestarts",
    "BeginAgent",
    "Call",
    "CancelAgent",
    "CheckGates",
    "CheckInterlock",
    "CollectAgent",
    "Instruction",
    "LeaveLock",
    "MoveGroup",
    "NodeAction",
    "ObserveCluster",
    "PollAgent",
    "ProbeNode",
    "ReleaseLock",
    "RenewLease",
    "RepairDisk",
    "RestartNode",
    "ResumeNode",
    "RunScript",
    "StartTimer",
    "SuspendNode",
]


@frozen
class Action:
    """Something to do outside."""

    destructive: ClassVar[bool] = False
    """True where the cluster or a node is changed: the lock is read again first."""
    looks: ClassVar[bool] = False
    """True where it does nothing but look, so that an answer that tells nothing new need not be told at all."""


@frozen
class CheckInterlock(Action):
    """Look for other coordinators."""


@frozen
class AcquireLock(Action):
    """Take the cluster for this run."""


@frozen
class RenewLease(Action):
    """Say that this coordinator lives, and write the checkpoint."""


@frozen
class ReleaseLock(Action):
    """Give the cluster back."""


@frozen
class LeaveLock(Action):
    """End the lease but leave lock and checkpoint: nodes are left that only a recovery can resume."""


@frozen
class ObserveCluster(Action):
    """Look at nodes, groups and quorum; for ``node`` where it is asked on a node's behalf."""

    looks: ClassVar[bool] = True
    node: str | None = None
    networks: bool = field(default=False, kw_only=True)
    """The node's connections to cluster networks as well."""


@frozen
class NodeAction(Action):
    """An action for one node."""

    node: str


@frozen
class ProbeNode(NodeAction):
    """Ask a node for its boot time, its build and unfinished work."""

    looks: ClassVar[bool] = True


@frozen
class AllowRestarts(NodeAction):
    """Switch the node's firewall rules for remote shutdown on where they are off."""

    destructive: ClassVar[bool] = True


@frozen
class RunScript(NodeAction):
    """Run a script of the user on the node. Whether it ran before cannot be seen: it may run again after a crash."""

    destructive: ClassVar[bool] = True
    place: ScriptPlace = field(kw_only=True)
    script: ScriptFile = field(kw_only=True)
    within: timedelta = field(kw_only=True)


@frozen
class BeginAgent(NodeAction):
    """Start Windows Update work on a node."""

    request: AgentRequest = field(kw_only=True)

    @property
    def destructive(self) -> bool:  # type: ignore[override]  # searching changes nothing, installing does
        """True for an installation."""
        return self.request.operation.value == "Install"


@frozen
class PollAgent(NodeAction):
    """Read what the agent has to tell beyond event number ``after``."""

    looks: ClassVar[bool] = True
    request: AgentRequest = field(kw_only=True)
    after: int = field(kw_only=True)


@frozen
class CancelAgent(NodeAction):
    """Tell the agent to stop after what it cannot interrupt."""

    request: AgentRequest = field(kw_only=True)


@frozen
class CollectAgent(NodeAction):
    """Remove what the agent left on the node."""

    request: AgentRequest = field(kw_only=True)

    @property
    def destructive(self) -> bool:  # type: ignore[override]  # a search can be done again, what was installed cannot
        """True after an installation: the checkpoint must hold what became of it before the node forgets it."""
        return self.request.operation.value == "Install"


@frozen
class CheckGates(NodeAction):
    """Observe all that the decision to take the node down depends on: cluster, storage, the cluster's own answer."""

    looks: ClassVar[bool] = True


@frozen
class SuspendNode(NodeAction):
    """Pause the node and let its roles leave, unless ``drain`` is off; ``again``: this run has asked for it before."""

    destructive: ClassVar[bool] = True
    again: bool = field(default=False, kw_only=True)
    force: bool = field(default=False, kw_only=True)
    drain: bool = field(default=True, kw_only=True)


@frozen
class MoveGroup(NodeAction):
    """Move a role to ``target`` on behalf of a node that it must leave or return to."""

    destructive: ClassVar[bool] = True
    group: str = field(kw_only=True)
    target: str = field(kw_only=True)


@frozen
class RepairDisk(NodeAction):
    """Start the repair of a virtual disk whose repair is suspended."""

    destructive: ClassVar[bool] = True
    disk: str = field(kw_only=True)


@frozen
class RestartNode(NodeAction):
    """Restart the node, unless it did already; ``boot_time`` and ``counted`` are those of the boot to end."""

    destructive: ClassVar[bool] = True
    boot_time: datetime = field(kw_only=True)
    counted: datetime | None = field(default=None, kw_only=True)
    reason: str = field(kw_only=True)


@frozen
class ResumeNode(NodeAction):
    """Resume the node."""

    destructive: ClassVar[bool] = True
    failback: FailbackType = field(kw_only=True)


@frozen
class Call:
    """Perform ``action``; the event that answers it carries ``number``."""

    number: int
    action: Action = field(kw_only=True)

    @property
    def node(self) -> str | None:
        """The node that the action is performed for; None: the run as a whole."""
        return getattr(self.action, "node", None)


@frozen
class StartTimer:
    """Wake the machine at ``until``; the event carries ``number``."""

    number: int
    until: datetime = field(kw_only=True)
    node: str | None = field(default=None, kw_only=True)


Instruction = Call | StartTimer
