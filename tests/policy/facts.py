"""Clusters as values, for tables."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from cauctl.models.nodes import ClusterFacts, ClusterGroup, ClusterNode, GroupState, NodeState, Quorum

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)

UP, DOWN, PAUSED = NodeState.UP, NodeState.DOWN, NodeState.PAUSED


def node(name: str, state: NodeState = UP, **changes: object) -> ClusterNode:
    """One node, Up with one vote unless said otherwise."""
    weight = 1 if state in {UP, PAUSED} else 0
    return evolve(ClusterNode(name, state=state, dynamic_weight=weight), **changes)


def group(name: str, owner: str, state: GroupState = GroupState.ONLINE, **changes: object) -> ClusterGroup:
    """One role, online unless said otherwise."""
    return evolve(ClusterGroup(name, owner_node=owner, state=state), **changes)


def cluster(*nodes: ClusterNode, groups: tuple[ClusterGroup, ...] = (), witness: int | None = None) -> ClusterFacts:
    """A cluster; ``witness`` is the vote of a witness that is online, None without a witness."""
    quorum = Quorum() if witness is None else Quorum("Share", witness_online=True, witness_weight=witness)
    return ClusterFacts("FC1", domain="lab.test", nodes=nodes, groups=groups, quorum=quorum, observed=NOON)
