"""In which order nodes are updated.

Nodes that NodeOrder names come first, as it says; the others follow by the number of clustered roles that they own,
fewest first (core groups are the cluster's own and do not count), and by name where that is equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cauctl.models.nodes import ClusterFacts

__all__ = ["Place", "roles_owned", "unknown_nodes", "update_order"]


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


def update_order(facts: ClusterFacts, *, requested: Sequence[str] = ()) -> tuple[Place, ...]:
    """Order all nodes of the cluster; names in ``requested`` match in any letter case, unknown ones are left out."""
    wanted = {name.casefold(): place for place, name in reversed(tuple(enumerate(requested)))}
    named = sorted(
        (node.name for node in facts.nodes if node.name.casefold() in wanted), key=lambda name: wanted[name.casefold()]
    )
    others = sorted(
        (node.name for node in facts.nodes if node.name.casefold() not in wanted),
        key=lambda name: (roles_owned(facts, name), name.casefold()),
    )
    return (
        *(Place(name, reason=f"place {place} in NodeOrder") for place, name in enumerate(named, 1)),
        *(Place(name, reason=_roles(roles_owned(facts, name))) for name in others),
    )


def _roles(count: int) -> str:
    return f"owns {count} clustered role{'' if count == 1 else 's'}"
