"""The lock, the interlock with Microsoft's coordinator, and being fenced off."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.checkpoint import read_checkpoint
from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import RefusalKind, RunPhase
from cauctl.errors import NodeUnreachableError
from cauctl.models.enums import SummaryStatus
from cauctl.models.nodes import LockRecord
from tests.trial import OWNER, Failing, Trial, scenario


def held_by(trial: Trial, lease: timedelta) -> LockRecord:
    """Let another run hold the cluster, with this much of its lease left."""
    now = trial.world.now
    record = LockRecord(
        "other", owner="bob@elsewhere", fence=3, acquired=now - timedelta(hours=1), lease_until=now + lease
    )
    assert trial.memory.cluster.acquire_lock(record) is None
    return record


def test_microsofts_coordinator_at_work_refuses_the_run_and_is_named():
    trial = Trial(scenario(nodes=2, foreign_run="NODE2"))
    trial.run()
    refusal = trial.state.refusal
    assert refusal.kind is RefusalKind.IN_PROGRESS
    assert "MSFT_CAURun 834dd11e-584b-41f2-8d22-4c9c0471dbad on NODE2" in refusal.problem.message
    assert (trial.suspended, trial.memory.cluster.read_lock()) == ([], None)


def test_an_enabled_self_updating_role_refuses_the_run_and_is_named():
    trial = Trial(scenario(nodes=2, self_updating=True))
    trial.run()
    assert "SelfUpdating CAULABROLE" in trial.state.refusal.problem.message


def test_a_run_that_lives_refuses_another_and_says_who_and_since_when():
    trial = Trial(scenario(nodes=2))
    record = held_by(trial, timedelta(minutes=5))
    trial.run()
    refusal = trial.state.refusal
    assert (refusal.kind, refusal.owner, refusal.holder.acquired) == (
        RefusalKind.IN_PROGRESS,
        "bob@elsewhere",
        record.acquired,
    )
    assert refusal.problem.message == "LAB-FC1 is being updated by bob@elsewhere since 2026-03-17 20:00 UTC."
    assert trial.memory.cluster.read_lock() == record


def test_a_run_that_died_refuses_another_and_says_how_to_recover():
    trial = Trial(scenario(nodes=2))
    record = held_by(trial, -timedelta(minutes=5))
    trial.run()
    refusal = trial.state.refusal
    assert (refusal.kind, refusal.holder.run_id) == (RefusalKind.INTERRUPTED, "other")
    assert refusal.problem.error_id == "RunFailed"
    assert refusal.problem.advice.endswith("cauctl recover LAB-FC1 --abandon")
    assert trial.memory.cluster.read_lock() == record


def test_of_two_coordinators_exactly_one_runs():
    """The cluster itself is the test-and-set: the second AcquireLock is told who holds it."""
    first = Trial(scenario(nodes=2))
    second: list[Trial] = []

    def intrude(_event: object, state: object) -> None:
        if state.phase is RunPhase.UPDATING and not second:
            other = Trial(scenario(nodes=2), seed=9)
            other.world, other.memory = first.world, type(first.memory)(first.world)
            other.run(ports=other.ports_of(other.memory))
            second.append(other)

    first.run(on_event=intrude)
    assert first.result.status is SummaryStatus.SUCCEEDED
    assert second[0].state.refusal.owner == OWNER


def test_the_lease_is_renewed_as_long_as_the_run_lasts():
    trial = Trial(scenario(nodes=3))
    ends: list[timedelta] = []

    def look(_event: object, state: object) -> None:
        lock = trial.memory.cluster.read_lock()
        if lock and state.phase is RunPhase.UPDATING:
            ends.append(lock.lease_until - trial.world.now)

    trial.run(on_event=look)
    assert min(ends) >= Limits().lease - Limits().renewal - timedelta(minutes=1)


def test_the_checkpoint_tells_the_intent_before_the_node_is_paused():
    trial = Trial(scenario(nodes=2))
    promised: list[tuple[str, ...]] = []
    suspend = trial.memory.cluster.suspend

    def watched(node: str, **kwargs: object) -> None:
        promised.append(read_checkpoint(trial.memory.cluster.read_lock().checkpoint).paused)
        suspend(node, **kwargs)

    trial.memory.cluster.suspend = watched
    trial.run()
    assert promised == [("NODE2",), ("NODE1",)]


@pytest.mark.parametrize("taken", [True, False], ids=["taken over", "removed"])
@pytest.mark.parametrize("phase", ["Ready", "Installing", "Restarting", "FailingBack"])
def test_a_coordinator_that_lost_its_lock_does_nothing_more(phase, taken):
    """Issue: a fenced-off coordinator that wakes up again does nothing more."""
    trial = Trial(scenario(nodes=2))
    lost: list[datetime] = []

    def strike(_event: object, state: object) -> None:
        if lost or not any(node.phase.value == phase for node in state.nodes.values()):
            return
        lost.append(trial.world.now)
        lock = trial.memory.cluster.read_lock()
        if taken:
            trial.memory.cluster.take_over_lock(evolve(lock, owner="bob@elsewhere", fence=lock.fence + 1))
        else:
            trial.memory.cluster.release_lock(lock.run_id)

    trial.run(on_event=strike)
    assert trial.state.fenced
    assert (trial.state.holder.owner if taken else trial.state.holder) == ("bob@elsewhere" if taken else None)
    deeds = [each.at for each in trial.world.ledger.pauses] + [each.at for each in trial.world.ledger.restarts]
    assert all(at <= lost[0] + timedelta(seconds=3) for at in deeds)


def test_after_a_silence_longer_than_the_lease_the_lock_is_read_before_anything_at_all():
    trial = Trial(scenario(nodes=2))
    slept: list[datetime] = []

    def sleep(_event: object, state: object) -> None:
        if not slept and any(node.phase.value == "Installing" for node in state.nodes.values()):
            trial.world.advance(trial.world.now + timedelta(hours=1))
            lock = trial.memory.cluster.read_lock()
            trial.memory.cluster.take_over_lock(evolve(lock, owner="bob@elsewhere", fence=lock.fence + 1))
            slept.append(trial.world.now)

    trial.run(on_event=sleep)
    assert trial.state.fenced
    assert trial.world.now == slept[0]


def test_a_lock_that_cannot_be_given_back_is_said_and_left_to_recovery():
    trial = Trial(scenario(nodes=2, catalogue=()))
    silence = [NodeUnreachableError("nobody answers.", node="NODE1") for _ in range(1000)]
    cluster = Failing(trial.memory.cluster, {"release_lock": silence})
    trial.run(ports=evolve(trial.ports, cluster=cluster))
    assert trial.state.lock_left
    assert trial.state.phase is RunPhase.ENDED


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"node_order": ("NODE1", "NODE9")}, ["NodeOrder names NODE9"]),
        ({"max_failed_nodes": 2}, ["MaxFailedNodes is 2, expected less than the number of nodes, 2"]),
        ({"node_order": ("X",), "max_failed_nodes": 5}, ["NodeOrder names X", "MaxFailedNodes is 5"]),
    ],
)
def test_options_that_do_not_fit_the_cluster_are_refused_all_at_once_and_nothing_is_touched(options, told):
    trial = Trial(scenario(nodes=2))
    trial.run(**options)
    assert trial.state.refusal.kind is RefusalKind.OPTIONS
    assert all(each in trial.state.refusal.problem.message for each in told)
    assert trial.memory.cluster.read_lock() is None


@pytest.mark.parametrize(
    ("down", "paused", "refused"), [(True, False, True), (False, True, False), (False, False, False)]
)
def test_require_all_nodes_online(down, paused, refused):
    """A paused node is a running member: it is online, and left alone."""
    plain = scenario(nodes=3, roles=())
    nodes = (*plain.nodes[:2], evolve(plain.nodes[2], down=down, paused=paused))
    trial = Trial(evolve(plain, nodes=nodes))
    trial.run(require_all_nodes_online=True, max_failed_nodes=1)
    assert refused is (trial.state.refusal is not None)
    if refused:
        assert trial.state.refusal.problem.message == "RequireAllNodesOnline was asked for: NODE3 is Down."


def test_require_all_nodes_online_means_reachable_as_well():
    trial = Trial(scenario(nodes=3))
    silence = [NodeUnreachableError("nobody answers.", node="NODE1") for _ in range(1000)]
    node = Failing(trial.memory.node, {"probe": silence})
    trial.run(ports=evolve(trial.ports, node=node), require_all_nodes_online=True, max_failed_nodes=1)
    assert trial.suspended == []
    assert trial.result.error_record_data.fully_qualified_error_id == "NodesOffline"


def test_nodes_of_another_cluster_are_refused():
    trial = Trial(scenario(nodes=2))
    trial.world.cluster.name = "OTHER-FC"
    trial.run()
    assert trial.state.refusal.problem.error_id == "WrongCluster"


def test_the_clusters_full_name_is_accepted():
    trial = Trial(scenario(nodes=2, catalogue=()))
    started = evolve(trial.started(trial.state.settings), cluster="lab-fc1.LAB.test")
    trial.started = lambda _settings: started
    trial.run()
    assert (trial.state.refusal, trial.state.cluster) == (None, "LAB-FC1")


def test_a_cluster_that_nobody_answers_for_is_refused_soon():
    trial = Trial(scenario(nodes=2))
    silence = [NodeUnreachableError("nobody answers.", node="NODE1") for _ in range(99)]
    cluster = Failing(trial.memory.cluster, {"observe": silence})
    trial.run(ports=evolve(trial.ports, cluster=cluster))
    assert trial.state.refusal.problem.error_id == "NodeUnreachable"
    assert len(cluster.calls) == Limits().tries
