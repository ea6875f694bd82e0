"""Makes the plan: what a run would do, without touching anything.

It is made of what can be looked at now: the order with its reasons, the updates that a scan found, the votes that each
step leaves, what each gate says at this moment, what would refuse the run, and how long earlier runs took. It promises
nothing: the world goes on until the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.coordinator.machine_gates import paused_by_others
from cauctl.coordinator.machine_run import say_foreign
from cauctl.coordinator.plan import Plan, PlanStep
from cauctl.coordinator.work import NodeWork
from cauctl.errors import CauError
from cauctl.models.nodes import ClusterFacts, NodeState, StorageFacts
from cauctl.policy import gates
from cauctl.policy.budget import default_max_failed_nodes
from cauctl.policy.forecast import forecast, preparation
from cauctl.policy.gates import Gate, Verdict
from cauctl.policy.order import update_order
from cauctl.policy.quorum import votes_without
from cauctl.policy.storage import StorageState, assess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cauctl.coordinator.performer import Ports
    from cauctl.coordinator.settings import RunSettings
    from cauctl.coordinator.state import RunState
    from cauctl.models.agent import FoundUpdate
    from cauctl.models.report import CauReport

__all__ = ["Sight", "make_plan", "plan_from_scan", "restart_expected"]


@frozen(kw_only=True)
class Sight:
    """All that was looked at for a plan."""

    at: datetime
    """When."""
    facts: ClusterFacts
    """The cluster."""
    storage: StorageFacts
    """Its storage."""
    scanned: Mapping[str, NodeWork]
    """By node, its work at the end of a scan."""
    quorum_answers: Mapping[str, bool | str] = field(factory=dict)
    """By node, the cluster's own answer whether quorum would be lost without it; a text says why there is none."""
    obstacles: tuple[str, ...] = ()
    """Why a run would be refused now."""


def make_plan(sight: Sight, settings: RunSettings, earlier: Sequence[CauReport] = ()) -> Plan:
    """Make the plan from what was seen.

    Args:
        sight: what was seen.
        settings: what the run would be asked for.
        earlier: reports of runs of this cluster, oldest first; durations are foretold by them.
    """
    facts, allowed = sight.facts, settings.max_failed_nodes
    return Plan(
        facts.name,
        made=sight.at,
        max_failed_nodes=default_max_failed_nodes(len(facts.nodes)) if allowed is None or allowed < 0 else allowed,
        steps=tuple(
            _step(sight, place.node, place.reason, earlier)
            for place in update_order(facts, requested=settings.node_order, by_site=settings.site_order)
        ),
        obstacles=(*_offline(sight, settings), *sight.obstacles),
        preparation=preparation(earlier),
    )


def _step(sight: Sight, name: str, reason: str, earlier: Sequence[CauReport]) -> PlanStep:
    work = sight.scanned.get(name)
    found = tuple(work.record.offered.values()) if work is not None else ()
    restart = work is not None and restart_expected(work)
    left_alone = _left_alone(sight.facts, name, found, work)
    return PlanStep(
        name,
        reason=reason,
        updates=found,
        restart_expected=restart,
        votes=votes_without(sight.facts, name),
        gates=_gates(sight, name),
        left_alone=left_alone,
        predicted=None if left_alone is not None else forecast(name, restart=restart, earlier=earlier),
    )


def restart_expected(work: NodeWork) -> bool:
    """Say whether the turn of a scanned node will need a restart: one is pending, or an update may ask for it."""
    probe, found = work.record.probe, work.record.offered.values()
    pending = probe is not None and bool(probe.reboot_pending)
    return bool(found) and (pending or any(update.reboot_behavior for update in found))


def _left_alone(facts: ClusterFacts, name: str, found: tuple[FoundUpdate, ...], work: NodeWork | None) -> str | None:
    state = facts.node(name).state
    if state is NodeState.PAUSED:
        return paused_by_others(name).message
    if state is not NodeState.UP:
        return f"{name} is {state.value}"
    if work is not None and work.record.causes:
        return work.record.causes[0].problem.message
    return None if found else "it needs no update"


def _gates(sight: Sight, name: str) -> tuple[Gate, ...]:
    facts, report = sight.facts, assess(sight.storage)
    answer = sight.quorum_answers.get(name, False)
    quorum = gates.quorum(facts, name, loses_quorum=answer is True)
    if isinstance(answer, str) and quorum.verdict is Verdict.PASS:
        quorum = Gate("Quorum", verdict=Verdict.WAIT, reason=f"the cluster could not be asked: {answer}")
    return (
        gates.node_is_up(facts, name),
        gates.health(facts, name),
        gates.roles_at_rest(facts),
        gates.no_backup(facts),
        quorum,
        gates.storage_at_rest(report, believed=report.state is StorageState.AT_REST, missing=""),
    )


def _offline(sight: Sight, settings: RunSettings) -> Iterator[str]:
    if not settings.require_all_nodes_online:
        return
    for node in sight.facts.nodes:
        if node.state not in {NodeState.UP, NodeState.PAUSED}:
            yield f"RequireAllNodesOnline is asked for, and {node.name} is {node.state.value}."


# --- looking ---------------------------------------------------------------------------------------------------------


def plan_from_scan(ports: Ports, scan: RunState, settings: RunSettings, earlier: Sequence[CauReport] = ()) -> Plan:
    """Look at the rest and make the plan; ``scan`` is the state at the end of a run whose purpose was to scan."""
    cluster = ports.cluster
    facts = cluster.observe()
    sight = Sight(
        at=ports.clock.now(),
        facts=facts,
        storage=cluster.storage(),
        scanned=scan.nodes,
        quorum_answers={node.name: _asked(ports, node.name) for node in facts.nodes},
        obstacles=tuple(_obstacles(ports)),
    )
    return make_plan(sight, settings, earlier)


def _asked(ports: Ports, node: str) -> bool | str:
    try:
        return ports.cluster.will_offline_lose_quorum(node)
    except CauError as error:
        return error.message


def _obstacles(ports: Ports) -> Iterator[str]:
    """Say who else is at work on the cluster; what cannot be looked at is said too."""
    try:
        lock = ports.cluster.read_lock()
        if lock is not None:
            lives = lock.lease_until > ports.clock.now()
            state = "is at work" if lives else "was interrupted and still holds the cluster"
            yield f"the run {lock.run_id} of {lock.owner} {state}."
        for foreign in ports.cluster.foreign_coordinators():
            yield f"another coordinator updates the cluster: {say_foreign(foreign)}."
    except CauError as error:
        yield f"who else is at work could not be seen: {error.message}"
