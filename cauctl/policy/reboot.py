"""Proof of a restart: what must be seen before a node is believed to be back.

The boot time is the boot id; a port that closes and opens proves nothing (a quick restart is missed). Clock corrections
move a boot time a little, so times within a tolerance are the same boot. After the boot time has changed the proofs
are asked in a fixed order, each with its own name and limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.nodes import NodeState
from cauctl.policy.budget import sick

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cauctl.models.nodes import ClusterFacts, NodeProbe

__all__ = ["Lacking", "lacking", "rejoined", "same_boot"]


@frozen
class Lacking:
    """The first proof that is missing."""

    name: str
    """BootFinished, ServicingIdle, ClusterService, ClusterMembership or Services."""
    reason: str = field(kw_only=True)
    """What was seen instead, for people."""


def same_boot(one: datetime, other: datetime, tolerance: timedelta) -> bool:
    """Say whether two boot times are of the same boot."""
    return abs(one - other) <= tolerance


def rejoined(facts: ClusterFacts, name: str) -> bool:
    """Say whether the other nodes see the node as a member in good standing."""
    node = facts.node(name)
    return node.state in {NodeState.UP, NodeState.PAUSED} and not sick(node)


def lacking(probe: NodeProbe, facts: ClusterFacts) -> Lacking | None:
    """Name the first proof that is missing; None when all hold at this look."""
    name, node = probe.node, facts.node(probe.node)
    if not probe.boot_finished:
        return Lacking("BootFinished", reason=f"{name} has not finished its boot-time configuration")
    if probe.servicing_in_progress:
        return Lacking("ServicingIdle", reason=f"{name} is still servicing")
    if not probe.cluster_service_running:
        return Lacking("ClusterService", reason=f"the Cluster service of {name} does not run")
    if not rejoined(facts, name):
        flags = "".join(f", {flag}" for flag in node.status_information)
        return Lacking("ClusterMembership", reason=f"the other nodes see {name} as {node.state.value}{flags}")
    if probe.stopped_services:
        return Lacking("Services", reason=f"not running on {name}: {', '.join(probe.stopped_services)}")
    return None
