"""Proof of a restart: what must be seen before a node is believed to be back.

The boot is known by its time; a port that closes and opens proves nothing (a quick restart is missed). Windows moves
the boot time whenever the node's clock is set, so the boot is counted back from our own clock as well: two looks are of
the same boot when either agrees, within a tolerance. After the boot has changed the proofs are asked in a fixed order,
each with its own name and limit.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.nodes import NodeState
from cauctl.policy.budget import sick

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from cauctl.models.nodes import ClusterFacts, NodeProbe

__all__ = ["Boot", "Lacking", "boot_of", "lacking", "rejoined", "same_boot"]


@frozen
class Lacking:
    """The first proof that is missing."""

    name: str
    """BootFinished, ServicingIdle, ClusterService, ClusterMembership, ClusterNetworks or Services."""
    reason: str = field(kw_only=True)
    """What was seen instead, for people."""


@frozen
class Boot:
    """One boot of a node, as a look at it saw it."""

    told: datetime
    """When it was, by the node's clock as that stood at the look."""
    counted: datetime | None = field(default=None, kw_only=True)
    """When it was by our clock: the moment of the look less the node's uptime. None: the uptime was not told."""


def boot_of(probe: NodeProbe, at: datetime) -> Boot:
    """Name the boot that a probe answered at this moment saw."""
    return Boot(probe.boot_time, counted=None if probe.uptime is None else at - probe.uptime)


def same_boot(one: Boot, other: Boot, tolerance: timedelta) -> bool:
    """Say whether two looks saw the same boot."""
    if abs(one.told - other.told) <= tolerance:
        return True
    return one.counted is not None and other.counted is not None and abs(one.counted - other.counted) <= tolerance


def rejoined(facts: ClusterFacts, name: str) -> bool:
    """Say whether the other nodes see the node as a member in good standing."""
    node = facts.node(name)
    return node.state in {NodeState.UP, NodeState.PAUSED} and not sick(node)


def lacking(probe: NodeProbe, facts: ClusterFacts, networks: Iterable[str] = ()) -> Lacking | None:
    """Name the first proof that is missing; None when all hold at this look.

    Args:
        probe: what the node says of itself.
        facts: what the others see.
        networks: connections of the node to cluster networks that were Up before and are not now.
    """
    return _of_itself(probe) or _of_others(probe.node, facts, ", ".join(networks)) or _of_services(probe)


def _of_itself(probe: NodeProbe) -> Lacking | None:
    name = probe.node
    if not probe.boot_finished:
        return Lacking("BootFinished", reason=f"{name} has not finished its boot-time configuration")
    if probe.servicing_in_progress:
        return Lacking("ServicingIdle", reason=f"{name} is still servicing")
    if not probe.cluster_service_running:
        return Lacking("ClusterService", reason=f"the Cluster service of {name} does not run")
    return None


def _of_others(name: str, facts: ClusterFacts, away: str) -> Lacking | None:
    if not rejoined(facts, name):
        node = facts.node(name)
        flags = "".join(f", {flag}" for flag in node.status_information)
        return Lacking("ClusterMembership", reason=f"the other nodes see {name} as {node.state.value}{flags}")
    return Lacking("ClusterNetworks", reason=f"not up again: {away}") if away else None


def _of_services(probe: NodeProbe) -> Lacking | None:
    stopped = ", ".join(probe.stopped_services)
    return Lacking("Services", reason=f"not running on {probe.node}: {stopped}") if stopped else None
