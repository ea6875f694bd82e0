"""The gates: everything that must allow it before a node is taken out of service.

Each gate has a name that people and reports can rely on, a verdict and a reason. A verdict of WAIT passes with time, or
at a limit fails the node; STOP endangers data and ends the run. The gates are asked before the node is suspended and,
without storage (the node's own disks are out by then), once more right before it is restarted.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.nodes import GroupState, NodeState
from cauctl.policy.budget import in_the_way, sick
from cauctl.policy.quorum import votes_without
from cauctl.policy.storage import StorageReport, StorageState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.models.nodes import ClusterFacts

__all__ = [
    "Gate",
    "Verdict",
    "disks_of_paused",
    "health",
    "no_backup",
    "no_late_restart",
    "node_is_up",
    "quorum",
    "roles_at_rest",
    "storage_at_rest",
    "storage_of_others",
    "strictest",
]


class Verdict(Enum):
    """What a gate says."""

    PASS = "Pass"  # noqa: S105  no password
    WAIT = "Wait"
    STOP = "Stop"


@frozen
class Gate:
    """One gate's answer."""

    name: str
    """Quorum, Health, RolesPending, Backup, StorageRepair, StorageSettled or NodeUp."""
    verdict: Verdict = field(default=Verdict.PASS, kw_only=True)
    """What it says."""
    reason: str = field(default="", kw_only=True)
    """Why, for people."""


def quorum(facts: ClusterFacts, node: str, *, loses_quorum: bool) -> Gate:
    """Ask the votes: our own arithmetic and the cluster's answer must both allow it."""
    after = votes_without(facts, node)
    witness = facts.quorum
    away = f"; the witness {witness.witness} is offline" if witness.witness and not witness.witness_online else ""
    if not after.quorate:
        return Gate("Quorum", verdict=Verdict.WAIT, reason=f"without {node} the cluster has {after}{away}")
    if loses_quorum:
        return Gate("Quorum", verdict=Verdict.WAIT, reason=f"the cluster says it loses quorum without {node}{away}")
    return Gate("Quorum", reason=f"without {node} the cluster has {after}")


def health(facts: ClusterFacts, node: str, *, taken: Iterable[str] = ()) -> Gate:
    """Ask the other nodes: no other fault domain may be out of service, no node kept apart."""
    reasons = in_the_way(facts, node, taken=taken)
    return Gate("Health", verdict=Verdict.WAIT, reason="; ".join(reasons)) if reasons else Gate("Health")


def no_late_restart(late: Iterable[str]) -> Gate:
    """Ask for restarts that were asked for and did not come: they may still, beside the node."""
    if names := ", ".join(late):
        return Gate("Health", verdict=Verdict.WAIT, reason=f"told to restart, and may still go down: {names}")
    return Gate("Health")


def roles_at_rest(facts: ClusterFacts) -> Gate:
    """Ask the roles: none may be on its way."""
    moving = [group.name for group in facts.groups if group.state is GroupState.PENDING]
    if moving:
        return Gate("RolesPending", verdict=Verdict.WAIT, reason=f"pending: {', '.join(moving)}")
    return Gate("RolesPending")


def no_backup(facts: ClusterFacts) -> Gate:
    """Ask the cluster: its database must not be in the middle of a backup."""
    if facts.backup_in_progress:
        return Gate("Backup", verdict=Verdict.WAIT, reason="the cluster is being backed up")
    return Gate("Backup")


def storage_at_rest(report: StorageReport, *, believed: bool, missing: str) -> Gate:
    """Ask storage: at rest, and seen so long enough to be believed."""
    if report.state is StorageState.IN_DANGER:
        return Gate("StorageRepair", verdict=Verdict.STOP, reason=report.reason)
    if report.state is StorageState.BUSY:
        return Gate("StorageRepair", verdict=Verdict.WAIT, reason=report.reason)
    if not believed:
        return Gate("StorageSettled", verdict=Verdict.WAIT, reason=missing)
    return Gate("StorageRepair")


def storage_of_others(report: StorageReport, *, settled: bool) -> Gate:
    """Ask storage while the node's own disks are out: other nodes' data must be whole."""
    if report.state is not StorageState.AT_REST:
        return Gate("StorageRepair", verdict=Verdict.WAIT, reason=report.reason)
    if not settled:
        return Gate("StorageSettled", verdict=Verdict.WAIT, reason="another node has only just come back")
    return Gate("StorageRepair")


def disks_of_paused(paused: Iterable[str]) -> Gate:
    """Ask who was paused beside a drained node: a drain takes disks out, and whose are out cannot be seen then."""
    if names := ", ".join(paused):
        return Gate("StorageRepair", verdict=Verdict.WAIT, reason=f"paused meanwhile, its disks may be out: {names}")
    return Gate("StorageRepair")


def node_is_up(facts: ClusterFacts, name: str) -> Gate:
    """Ask the node itself: it must be Up, so that what pauses it is our own hand."""
    node = facts.node(name)
    if node.state is NodeState.UP and not sick(node):
        return Gate("NodeUp")
    flags = "".join(f", {flag}" for flag in node.status_information)
    return Gate("NodeUp", verdict=Verdict.WAIT, reason=f"{name} is {node.state.value}{flags}")


def strictest(gates: Iterable[Gate]) -> Gate | None:
    """Give the first gate that stops, else the first that waits; None when all pass."""
    closed = [gate for gate in gates if gate.verdict is not Verdict.PASS]
    return next((gate for gate in closed if gate.verdict is Verdict.STOP), closed[0] if closed else None)
