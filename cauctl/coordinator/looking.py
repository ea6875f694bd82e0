"""What is looked at together: the gates of a node, and the cluster on behalf of a node that is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.actions import ObserveCluster
from cauctl.coordinator.events import ClusterObserved, GatesChecked, NetworksSeen
from cauctl.coordinator.sight import completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.coordinator.actions import Call
    from cauctl.coordinator.events import Event
    from cauctl.coordinator.performer import Ports
    from cauctl.coordinator.state import RunState
    from cauctl.models.nodes import ClusterFacts

__all__ = ["look", "look_at_cluster", "look_at_gates"]


def look(ports: Ports, state: RunState) -> ClusterFacts:
    """Look at the cluster; a node of the run that it does not name any more is there, evicted."""
    return completed(ports.cluster.observe(), state.nodes)


def look_at_cluster(ports: Ports, call: Call, state: RunState) -> Iterator[Event]:
    """Look at the cluster, and at a node's connections to its networks where that is asked for."""
    action, facts = call.action, ports.cluster.observe()
    if isinstance(action, ObserveCluster) and action.networks and action.node is not None:
        yield from _networks(ports, action.node, state)
    yield ClusterObserved(ports.clock.now(), call=call.number, node=call.node, facts=facts)


def look_at_gates(ports: Ports, call: Call, node: str, state: RunState) -> Iterator[Event]:
    """Look at all that the decision to take a node down depends on."""
    cluster = ports.cluster
    facts, storage = look(ports, state), cluster.storage()
    evicted = facts.node(node).evicted
    loses_quorum = not evicted and cluster.will_offline_lose_quorum(node)
    if not evicted:
        yield from _networks(ports, node, state)
    now = ports.clock.now()
    yield ClusterObserved(now, node=node, facts=facts)
    yield GatesChecked(now, call=call.number, node=node, loses_quorum=loses_quorum, storage=storage)


def _networks(ports: Ports, node: str, state: RunState) -> Iterator[Event]:
    """Tell a node's connections where they are not as they were."""
    up, work = ports.cluster.networks_up(node), state.nodes.get(node)
    if up is not None and work is not None and set(up) != set(work.record.networks):
        yield NetworksSeen(ports.clock.now(), node=node, up=up)
