"""Where roles are, where they must leave, and where they go.

A node is empty when it owns no group that serves or is on its way; groups that are Offline or Failed serve nobody and
do not hold a node. A drain that reports success with a role left behind has not succeeded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.models.nodes import GroupState, NodeState
from cauctl.policy.budget import sick
from cauctl.policy.order import roles_owned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.models.nodes import ClusterFacts, ClusterGroup

__all__ = ["away", "holding", "homeless", "target"]

_HOLDING = frozenset({GroupState.ONLINE, GroupState.PARTIAL_ONLINE, GroupState.PENDING, GroupState.UNKNOWN})


def holding(facts: ClusterFacts, node: str) -> tuple[ClusterGroup, ...]:
    """Name the groups that keep the node from being taken down."""
    return tuple(group for group in facts.owned_by(node) if group.state in _HOLDING)


def target(facts: ClusterFacts, leaving: str, *, avoid: Iterable[str] = ()) -> str | None:
    """Choose where a role goes: the Up node with the fewest roles, by name where that is equal; None without any."""
    kept_out = {leaving.casefold(), *(name.casefold() for name in avoid)}
    fit = [
        node.name
        for node in facts.nodes
        if node.state is NodeState.UP
        and not sick(node)
        and "AvoidPlacement" not in node.status_information
        and node.name.casefold() not in kept_out
    ]
    return min(fit, key=lambda name: (roles_owned(facts, name), name.casefold()), default=None)


def away(facts: ClusterFacts, home: str, groups: Iterable[str]) -> tuple[ClusterGroup, ...]:
    """Name those of ``groups`` that ``home`` does not own; groups that no longer exist are left out."""
    wanted = set(groups)
    return tuple(
        group for group in facts.groups if group.name in wanted and group.owner_node.casefold() != home.casefold()
    )


def homeless(facts: ClusterFacts, groups: Iterable[str]) -> tuple[ClusterGroup, ...]:
    """Name those of ``groups``, which were online before, that are Offline or Failed now."""
    wanted = set(groups)
    return tuple(
        group
        for group in facts.groups
        if group.name in wanted and group.state in {GroupState.OFFLINE, GroupState.FAILED}
    )
