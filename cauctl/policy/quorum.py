"""Votes: does the cluster keep its majority when a node goes down.

The arithmetic is done on what dynamic quorum gives at this moment: every vote that exists, in the hand of a running
member or not, counts towards the total, and more than half of it must stay present. The cluster's own answer is asked
besides, never instead: the arithmetic also serves the plan and the report, and explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.nodes import NodeState

if TYPE_CHECKING:
    from cauctl.models.nodes import ClusterFacts, ClusterNode

__all__ = ["Votes", "bears_another_loss", "votes", "votes_without"]

_MEMBERS = frozenset({NodeState.UP, NodeState.PAUSED})
_ENOUGH = 3
"""Members that bear the loss of one of them without a witness."""


@frozen
class Votes:
    """Votes at one moment, or after a step."""

    present: int
    """Votes of running members and of a witness that is online."""
    total: int = field(kw_only=True)
    """All votes that exist."""

    @property
    def needed(self) -> int:
        """Votes that make a majority."""
        return self.total // 2 + 1

    @property
    def margin(self) -> int:
        """Votes that may still be lost; negative without a majority."""
        return self.present - self.needed

    @property
    def quorate(self) -> bool:
        """Whether there is a majority."""
        return self.present >= self.needed

    def __str__(self) -> str:
        return f"{self.present} of {self.total} votes, {self.needed} needed"


def votes(facts: ClusterFacts) -> Votes:
    """Count the votes as they stand."""
    quorum = facts.quorum
    witness = quorum.witness_weight if quorum.witness is not None else 0
    present = sum(_vote(node) for node in facts.nodes if node.state in _MEMBERS)
    total = sum(_vote(node) for node in facts.nodes)
    return Votes(present + (witness if quorum.witness_online else 0), total=total + witness)


def votes_without(facts: ClusterFacts, name: str) -> Votes:
    """Count the votes as they would stand right after the node went down, before anything is recomputed."""
    now, node = votes(facts), facts.node(name)
    lost = _vote(node) if node.state in _MEMBERS else 0
    return Votes(now.present - lost, total=now.total)


def bears_another_loss(facts: ClusterFacts, name: str) -> bool:
    """Say whether the cluster outlives one more failure while the node is out, after votes were recomputed.

    Dynamic quorum keeps the votes odd: two members with a witness that is online, or three members, bear it; two alone
    do so only where the right one fails. A witness that is away has used the reserve up already.
    """
    gone, quorum = facts.node(name).name, facts.quorum
    members = sum(bool(node.node_weight) for node in facts.nodes if node.state in _MEMBERS and node.name != gone)
    if quorum.witness is not None and not quorum.witness_online:
        return False
    return members >= _ENOUGH or (members == _ENOUGH - 1 and quorum.witness is not None)


def _vote(node: ClusterNode) -> int:
    return node.dynamic_weight if node.node_weight else 0
