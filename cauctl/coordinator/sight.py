"""How observations of the cluster are told and taken: whole once, as differences afterwards.

A run looks at its cluster hundreds of times, and almost nothing differs from one look to the next. The driver tells the
difference, the machine takes it; both ends stand here, so that they fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.events import ClusterChanged, ClusterObserved
from cauctl.models.nodes import ClusterFacts, ClusterNode, NodeState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = ["came_up", "completed", "differing", "told"]


def told(
    before: ClusterFacts | None, now: ClusterFacts, *, at: datetime, call: int | None, node: str | None
) -> ClusterObserved | ClusterChanged:
    """Tell a look at the cluster by what differs from the look before, or whole where that is not enough."""
    if before is None or not _same_members(before, now):
        return ClusterObserved(at, call=call, node=node, facts=now)
    return ClusterChanged(
        at,
        call=call,
        node=node,
        nodes=tuple(new for old, new in zip(before.nodes, now.nodes, strict=True) if new is not old and new != old),
        groups=tuple(new for old, new in zip(before.groups, now.groups, strict=True) if new is not old and new != old),
        quorum=None if before.quorum == now.quorum else now.quorum,
    )


def differing(facts: ClusterFacts, event: ClusterChanged) -> ClusterFacts:
    """Take a difference."""
    nodes, groups = facts.nodes, facts.groups
    if event.nodes:
        news = {node.name: node for node in event.nodes}
        nodes = tuple(news.get(node.name, node) for node in nodes)
    if event.groups:
        moved = {group.name: group for group in event.groups}
        groups = tuple(moved.get(group.name, group) for group in groups)
    return evolve(facts, nodes=nodes, groups=groups, quorum=event.quorum or facts.quorum, observed=event.at)


def completed(facts: ClusterFacts, known: Mapping[str, object]) -> ClusterFacts:
    """Keep nodes that the run works on and the cluster no longer names: without vote, in no known state."""
    named = {node.name.casefold() for node in facts.nodes}
    gone = tuple(
        ClusterNode(name, state=NodeState.UNKNOWN, node_weight=0, dynamic_weight=0, evicted=True)
        for name in known
        if name.casefold() not in named
    )
    return evolve(facts, nodes=(*facts.nodes, *gone)) if gone else facts


def came_up(
    before: Mapping[str, datetime], facts: ClusterFacts | None, nodes: Iterable[ClusterNode], at: datetime
) -> Mapping[str, datetime]:
    """Note when a node that was not a running member was first seen Up again."""
    if facts is None:
        return before
    states = {node.name: node.state for node in facts.nodes}
    up = {
        node.name: at
        for node in nodes
        if node.state is NodeState.UP and states.get(node.name, NodeState.UP) is not NodeState.UP
    }
    return {**before, **up} if up else before


def _same_members(before: ClusterFacts, now: ClusterFacts) -> bool:
    return (
        (before.name, before.domain, before.s2d_enabled, before.backup_in_progress)
        == (now.name, now.domain, now.s2d_enabled, now.backup_in_progress)
        and [node.name for node in before.nodes] == [node.name for node in now.nodes]
        and [group.name for group in before.groups] == [group.name for group in now.groups]
    )
