"""What of the options does not fit the cluster: found once it was looked at, before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.settings import Purpose
from cauctl.policy.order import sites, unknown_nodes, unknown_sites

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.coordinator.settings import RunSettings
    from cauctl.models.nodes import ClusterFacts

__all__ = ["option_faults"]


def option_faults(settings: RunSettings, facts: ClusterFacts) -> Iterator[str]:
    """Name every option that does not fit the cluster, a sentence each, and say what would."""
    count = len(facts.nodes)
    if settings.purpose.one_node and (strange := unknown_nodes(facts, [settings.target])):
        known = ", ".join(node.name for node in facts.nodes)
        yield f"{facts.name} has no node {strange[0]}, expected one of {known}."
    if count == 1 and settings.purpose in {Purpose.UPDATE, Purpose.SUSPEND}:
        yield f"{facts.name} has one node, and a single node cannot be updated: its roles have nowhere to go."
    if unknown := unknown_nodes(facts, settings.node_order):
        known = ", ".join(node.name for node in facts.nodes)
        yield f"NodeOrder names {', '.join(unknown)}, expected nodes of {facts.name}: {known}."
    if strange := unknown_sites(facts, settings.site_order):
        known = ", ".join(dict.fromkeys(site for node in facts.nodes for site in sites(node))) or "it has none"
        yield f"SiteAwareUpdatingOrder names {', '.join(strange)}, expected sites of {facts.name}: {known}."
    if settings.max_failed_nodes is not None and settings.max_failed_nodes >= count:
        yield f"MaxFailedNodes is {settings.max_failed_nodes}, expected less than the number of nodes, {count}."
