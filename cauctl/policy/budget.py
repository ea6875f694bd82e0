"""What may be out of service at once: one fault domain, and so many failed nodes.

A node is out of service while it is not a running member, is isolated or in quarantine, or joins. Nodes without a fault
domain are one each, and so are all nodes where one domain holds the whole cluster (a site that was assigned by itself
does): a domain without a counterpart separates nothing. A paused node serves no roles but keeps its vote: it is not out
of service; whether its disks are is storage's question. An evicted node is no part of the cluster any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.models.nodes import NodeState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.models.nodes import ClusterFacts, ClusterNode

__all__ = ["default_max_failed_nodes", "domain", "in_the_way", "out_of_service", "sick"]

_SICK = frozenset({"Isolated", "Quarantined"})


def default_max_failed_nodes(nodes: int) -> int:
    """Give MaxFailedNodes where nobody said one: about a third of the nodes, less one (formula inferred)."""
    return max(0, nodes // 3 - 1)


def domain(node: ClusterNode) -> str:
    """Name what falls together with the node: its fault domain, or itself."""
    return node.fault_domain or node.name


def sick(node: ClusterNode) -> bool:
    """Say whether the cluster keeps the node apart."""
    return not _SICK.isdisjoint(node.status_information)


def out_of_service(node: ClusterNode) -> str | None:
    """Say why the node is out of service; None when it is not."""
    if node.state in {NodeState.DOWN, NodeState.UNKNOWN, NodeState.JOINING}:
        return f"{node.name} is {node.state.value}"
    for flag in node.status_information:
        if flag in _SICK:
            return f"{node.name} is {flag}"
    return None


def in_the_way(facts: ClusterFacts, name: str, *, taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Say what forbids to take the node down: whatever is out of service in another fault domain.

    Args:
        facts: the cluster.
        name: the node that would go down.
        taken: nodes that our own hand has taken, or is about to take, out of service.
    """
    here, ours = domain(facts.node(name)), set(taken)
    undivided = all(domain(node) == here for node in facts.nodes)
    others = [
        node
        for node in facts.nodes
        if node.name.casefold() != name.casefold() and not node.evicted and (undivided or domain(node) != here)
    ]
    return tuple(
        reason
        for node in others
        if (reason := out_of_service(node) or (f"{node.name} is being updated" if node.name in ours else None))
    )
