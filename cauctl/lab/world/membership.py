"""One node as the cluster sees it."""

from __future__ import annotations

from enum import Enum

from attrs import define, field

from cauctl.models.nodes import DrainStatus, NodeState

__all__ = ["Member", "Presence"]


class Presence(Enum):
    """Whether a node takes part in the cluster."""

    GONE = "gone"
    JOINING = "joining"
    JOINED = "joined"


@define(eq=False)
class Member:
    """Membership of one node."""

    name: str
    """Name of the node."""
    number: int = field(kw_only=True)
    """Node id, from 1."""
    node_weight: int = field(kw_only=True)
    """0 when an administrator took the vote away."""
    site: str | None = field(default=None, kw_only=True)
    presence: Presence = field(default=Presence.JOINED, kw_only=True)
    paused: bool = field(default=False, kw_only=True)
    """Stays over a restart."""
    drain: DrainStatus = field(default=DrainStatus.NOT_INITIATED, kw_only=True)
    drain_error: int = field(default=0, kw_only=True)
    """Windows error code of a drain that failed."""
    dynamic_weight: int = field(default=1, kw_only=True)
    joins: int = field(default=0, kw_only=True)
    """How often it left or came, so that a planned step can tell that it is out of date."""

    @property
    def joined(self) -> bool:
        """Whether the node is a member."""
        return self.presence is Presence.JOINED

    @property
    def state(self) -> NodeState:
        """State as the cluster cmdlets show it."""
        if self.presence is Presence.JOINED:
            return NodeState.PAUSED if self.paused else NodeState.UP
        return NodeState.JOINING if self.presence is Presence.JOINING else NodeState.DOWN

    @property
    def status_information(self) -> tuple[str, ...]:
        """Flags by name; none of them is Normal."""
        flag = {
            DrainStatus.IN_PROGRESS: "DrainInProgress",
            DrainStatus.COMPLETED: "DrainCompleted",
            DrainStatus.FAILED: "DrainFailed",
        }.get(self.drain)
        return (flag,) if flag and self.joined else ()
