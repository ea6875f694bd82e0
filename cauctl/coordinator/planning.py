"""The plan: what a run would do, without touching anything.

It is made of what can be looked at now: the order with its reasons, the updates that a scan found, the votes that each
step leaves, and what each gate says at this moment. It promises nothing: the world goes on until the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.coordinator.machine_gates import paused_by_others
from cauctl.errors import CauError
from cauctl.models.agent import FoundUpdate
from cauctl.models.nodes import ClusterFacts, NodeState, StorageFacts
from cauctl.policy import gates
from cauctl.policy.budget import default_max_failed_nodes
from cauctl.policy.gates import Gate, Verdict
from cauctl.policy.order import update_order
from cauctl.policy.quorum import Votes, votes_without
from cauctl.policy.storage import StorageState, assess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cauctl.coordinator.performer import Ports
    from cauctl.coordinator.settings import RunSettings
    from cauctl.coordinator.state import RunState

__all__ = ["Plan", "PlanStep", "make_plan", "plan_from_scan"]


@frozen
class PlanStep:
    """One node's turn."""

    node: str
    """The node."""
    reason: str = field(kw_only=True)
    """Why its turn comes here."""
    updates: tuple[FoundUpdate, ...] = field(default=(), kw_only=True)
    """What would be installed first; more may come to light after that."""
    restart_expected: bool = field(default=False, kw_only=True)
    """True where an update says that it may ask for a restart."""
    votes: Votes = field(kw_only=True)
    """Votes while the node is down."""
    gates: tuple[Gate, ...] = field(default=(), kw_only=True)
    """What each gate says now."""
    left_alone: str | None = field(default=None, kw_only=True)
    """Why the node would not be touched; None: it would."""


@frozen
class Plan:
    """What a run would do."""

    cluster: str
    """Name of the cluster."""
    max_failed_nodes: int = field(kw_only=True)
    """Failed nodes that the run would bear."""
    steps: tuple[PlanStep, ...] = field(kw_only=True)
    """All nodes, in the order of their turns."""

    def lines(self) -> Iterator[str]:
        """Tell the plan to people."""
        yield f"Cluster {self.cluster}: {len(self.steps)} nodes, MaxFailedNodes {self.max_failed_nodes}."
        for place, step in enumerate(self.steps, 1):
            yield f"{place}. {step.node} ({step.reason}): {_what(step)}"
            yield from (f"     {update.title}" for update in step.updates)
            if step.left_alone is None:
                yield f"     while it is down: {step.votes}"
                closed = [gate for gate in step.gates if gate.verdict is not Verdict.PASS]
                yield from (f"     now waits for {gate.name}: {gate.reason}" for gate in closed)


def _what(step: PlanStep) -> str:
    if step.left_alone is not None:
        return f"left alone: {step.left_alone}"
    count = len(step.updates)
    restart = ", a restart is expected" if step.restart_expected else ""
    return f"{count} update{'' if count == 1 else 's'}{restart}"


def make_plan(  # noqa: PLR0913  each is one thing that was looked at
    facts: ClusterFacts,
    *,
    storage: StorageFacts,
    updates: Mapping[str, tuple[FoundUpdate, ...]],
    failures: Mapping[str, str],
    loses_quorum: Mapping[str, bool],
    settings: RunSettings,
) -> Plan:
    """Make the plan from what was seen.

    Args:
        facts: the cluster.
        storage: its storage.
        updates: by node, what its scan found.
        failures: by node, why its scan failed.
        loses_quorum: by node, the cluster's own answer.
        settings: what the run would be asked for.
    """
    allowed = settings.max_failed_nodes
    steps = []
    for place in update_order(facts, requested=settings.node_order):
        name = place.node
        found = updates.get(name, ())
        left_alone = _left_alone(facts, name, found, failures.get(name))
        steps.append(
            PlanStep(
                name,
                reason=place.reason,
                updates=found,
                restart_expected=any(update.reboot_behavior for update in found),
                votes=votes_without(facts, name),
                gates=_gates(facts, storage, name, loses_quorum=loses_quorum.get(name, False)),
                left_alone=left_alone,
            )
        )
    limit = default_max_failed_nodes(len(facts.nodes)) if allowed is None or allowed < 0 else allowed
    return Plan(facts.name, max_failed_nodes=limit, steps=tuple(steps))


def _left_alone(facts: ClusterFacts, name: str, found: tuple[FoundUpdate, ...], failure: str | None) -> str | None:
    state = facts.node(name).state
    if state is NodeState.PAUSED:
        return paused_by_others(name).message
    if state is not NodeState.UP:
        return f"{name} is {state.value}"
    if failure is not None:
        return failure
    return None if found else "it needs no update"


def _gates(facts: ClusterFacts, storage: StorageFacts, name: str, *, loses_quorum: bool) -> tuple[Gate, ...]:
    report = assess(storage)
    return (
        gates.node_is_up(facts, name),
        gates.health(facts, name),
        gates.roles_at_rest(facts),
        gates.quorum(facts, name, loses_quorum=loses_quorum),
        gates.storage_at_rest(report, believed=report.state is StorageState.AT_REST, missing=""),
    )


def plan_from_scan(ports: Ports, scan: RunState, settings: RunSettings) -> Plan:
    """Look at the rest and make the plan; ``scan`` is the state at the end of a run whose purpose was to scan."""
    cluster = ports.cluster
    facts = cluster.observe()
    done = scan.nodes.values()
    return make_plan(
        facts,
        storage=cluster.storage(),
        updates={node.name: tuple(node.record.offered.values()) for node in done},
        failures={node.name: node.record.causes[0].problem.message for node in done if node.record.causes},
        loses_quorum={node.name: _asked(ports, node.name) for node in facts.nodes},
        settings=settings,
    )


def _asked(ports: Ports, node: str) -> bool:
    try:
        return ports.cluster.will_offline_lose_quorum(node)
    except CauError:
        return False
