"""Suspending and resuming one node: the steps of a turn without updates, on the lab's ground truth."""

from __future__ import annotations

import pytest
from attrs import evolve

from cauctl.coordinator.settings import Purpose, RunSettings, update_settings
from cauctl.coordinator.state import RefusalKind, RunState
from cauctl.models.enums import FailbackType, SummaryStatus
from cauctl.models.nodes import NodeState
from cauctl.models.options import UpdatingRunOptions
from tests.trial import USER, Trial, scenario

SUCCEEDED, FAILED, CANCELED = SummaryStatus.SUCCEEDED, SummaryStatus.FAILED, SummaryStatus.CANCELED


def suspend(trial: Trial, node: str = "node2", **options: object) -> RunState:
    return trial.run(purpose=Purpose.SUSPEND, target=node, max_retries_per_node=0, **options)


def resume(trial: Trial, node: str = "node2") -> RunState:
    return trial.run(purpose=Purpose.RESUME, target=node, max_retries_per_node=0)


def roles_on(trial: Trial, node: str) -> set[str]:
    return {group.name for group in trial.world.cluster.roles.owned_by(node) if not group.core}


def test_options_become_settings():
    given = UpdatingRunOptions(cluster_name="FC1", suspend_node="N1", force_pause_drain_and_reboot=True)
    expected = RunSettings(
        purpose=Purpose.SUSPEND, target="N1", max_retries_per_node=0, force_drain=True, always_restart=True
    )
    assert expected == update_settings(given)
    given = UpdatingRunOptions(cluster_name="FC1", resume_node="N1")
    assert RunSettings(purpose=Purpose.RESUME, target="N1", max_retries_per_node=0) == update_settings(given)


def test_a_node_is_paused_drained_and_stays_so():
    """It is handed over: nothing is unresumed, the lock is free, nothing was installed or restarted."""
    trial = Trial(scenario(nodes=3, storage=True))
    state = suspend(trial)
    assert {"NODE2": SUCCEEDED} == trial.statuses
    assert {"NODE2": USER} == dict(trial.world.ledger.paused_now)
    assert (set(), (), None) == (roles_on(trial, "NODE2"), state.unresumed, trial.memory.cluster.read_lock())
    assert ([], []) == (list(trial.world.ledger.installations), list(trial.world.ledger.restarts))
    assert ("It stays paused until it is resumed; runs leave it alone.",) == state.nodes["NODE2"].record.notes


def test_a_later_run_leaves_it_alone():
    trial = Trial(scenario(nodes=3))
    suspend(trial)
    trial.run(max_failed_nodes=1)
    assert ["NodePaused"] == trial.causes["NODE2"]
    assert {"NODE2": USER} == dict(trial.world.ledger.paused_now)


def test_it_is_resumed_and_its_roles_return():
    trial = Trial(scenario(nodes=3))
    home = roles_on(trial, "NODE2")
    suspend(trial)
    resume(trial)
    assert {"NODE2": SUCCEEDED} == trial.statuses
    assert {} == dict(trial.world.ledger.paused_now)
    assert home <= roles_on(trial, "NODE2")


def test_a_node_that_somebody_else_has_paused_is_resumed_because_that_was_asked_for():
    trial = Trial(scenario(nodes=2))
    trial.world.cluster.suspend("NODE2", drain=True, by="administrator")
    resume(trial)
    assert ({"NODE2": SUCCEEDED}, {}) == (trial.statuses, dict(trial.world.ledger.paused_now))


def test_a_node_that_is_up_needs_no_resume():
    trial = Trial(scenario(nodes=2))
    resume(trial)
    assert ({"NODE2": SUCCEEDED}, []) == (trial.statuses, list(trial.world.ledger.pauses))


def test_it_is_restarted_where_that_was_asked_for_and_still_stays_paused():
    """ForcePauseDrainAndReboot."""
    trial = Trial(scenario(nodes=3))
    suspend(trial, force_drain=True, always_restart=True)
    assert ["NODE2"] == [each.node for each in trial.world.ledger.restarts]
    assert ({"NODE2": SUCCEEDED}, NodeState.PAUSED) == (trial.statuses, trial.world.cluster.member("NODE2").state)


def test_a_drain_that_fails_is_undone():
    trial = Trial(scenario("drain-fails:NODE2", nodes=3))
    suspend(trial)
    assert ({"NODE2": FAILED}, {"NODE2": ["DrainFailed"]}) == (trial.statuses, trial.causes)
    assert {} == dict(trial.world.ledger.paused_now)


def test_gates_hold_for_it_as_for_a_turn():
    trial = Trial(evolve(scenario("witness-offline", nodes=2), dynamic_quorum=False))
    suspend(trial)
    assert {"NODE2": ["QuorumTimeout"]} == trial.causes
    assert [] == trial.suspended


@pytest.mark.parametrize(
    ("nodes", "target", "told"),
    [
        (2, "NODE7", "LAB-FC1 has no node NODE7, expected one of NODE1, NODE2."),
        (1, "NODE1", "LAB-FC1 has one node, and a single node cannot be updated: its roles have nowhere to go."),
    ],
)
def test_what_cannot_be_suspended_is_refused(nodes: int, target: str, told: str):
    trial = Trial(scenario(nodes=nodes))
    refusal = suspend(trial, target).refusal
    assert refusal is not None
    assert (RefusalKind.OPTIONS, told) == (refusal.kind, refusal.problem.message)


def test_a_node_paused_by_somebody_else_is_not_suspended():
    trial = Trial(scenario(nodes=2))
    trial.world.cluster.suspend("NODE2", drain=True, by="administrator")
    suspend(trial)
    assert ({"NODE2": CANCELED}, {"NODE2": ["NodePaused"]}) == (trial.statuses, trial.causes)
    trial.world.cluster.resume("NODE2", failback=FailbackType.IMMEDIATE, by="administrator")
