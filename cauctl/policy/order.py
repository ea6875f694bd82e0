"""In which order nodes are updated.

Nodes that NodeOrder names come first, as it says; then those of the sites that SiteAwareUpdatingOrder names, site by
site; then all others. Among those of a site, and among the others, the number of clustered roles that they own decides,
fewest first (core groups are the cluster's own and do not count), and the name where that is equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cauctl.models.nodes import ClusterFacts, ClusterNode

__all__ = ["Place", "roles_owned", "sites", "unknown_nodes", "unknown_sites", "update_order"]


@frozen
class Place:
    """One node's place in the order."""

    node: str
    """Name of the node."""
    reason: str = field(kw_only=True)
    """Why it stands there, for people."""


def roles_owned(facts: ClusterFacts, node: str) -> int:
    """Count the clustered roles that the node owns, core groups left out."""
    return sum(not group.is_core_group for group in facts.owned_by(node))


def unknown_nodes(facts: ClusterFacts, requested: Iterable[str]) -> tuple[str, ...]:
    """Name what NodeOrder names and the cluster does not have."""
    known = {node.name.casefold() for node in facts.nodes}
    return tuple(name for name in requested if name.casefold() not in known)


def sites(node: ClusterNode) -> tuple[str, ...]:
    """Name the fault domains that the node stands in: the cluster may name several, each with its kind."""
    named = [part.strip() for part in (node.fault_domain or "").split(",")]
    return tuple(part.partition(":")[2] or part for part in named if part)


def unknown_sites(facts: ClusterFacts, requested: Iterable[str]) -> tuple[str, ...]:
    """Name what SiteAwareUpdatingOrder names and no node of the cluster stands in."""
    known = {site.casefold() for node in facts.nodes for site in sites(node)}
    return tuple(name for name in requested if name.casefold() not in known)


def update_order(
    facts: ClusterFacts, *, requested: Sequence[str] = (), by_site: Sequence[str] = ()
) -> tuple[Place, ...]:
    """Order all nodes of the cluster; names match in any letter case, unknown ones are left out.

    Args:
        facts: the cluster.
        requested: nodes that come first, in this order.
        by_site: sites whose nodes come next, in this order.
    """
    wanted = {name.casefold(): place for place, name in reversed(tuple(enumerate(requested)))}
    named = sorted(
        (node.name for node in facts.nodes if node.name.casefold() in wanted), key=lambda name: wanted[name.casefold()]
    )
    places = [site.casefold() for site in by_site]
    rank = {node.name: _rank(node, places) for node in facts.nodes}
    others = sorted(
        (node.name for node in facts.nodes if node.name.casefold() not in wanted),
        key=lambda name: (rank[name], roles_owned(facts, name), name.casefold()),
    )
    return (
        *(Place(name, reason=f"place {place} in NodeOrder") for place, name in enumerate(named, 1)),
        *(
            Place(name, reason=_reason(by_site[rank[name] : rank[name] + 1], roles_owned(facts, name)))
            for name in others
        ),
    )


def _rank(node: ClusterNode, places: Sequence[str]) -> int:
    return min(
        (places.index(site.casefold()) for site in sites(node) if site.casefold() in places), default=len(places)
    )


def _reason(site: Sequence[str], roles: int) -> str:
    return ", ".join([*(f"in site {name}" for name in site), _roles(roles)])


def _roles(count: int) -> str:
    return f"owns {count} clustered role{'' if count == 1 else 's'}"
