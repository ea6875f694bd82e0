"""Performing calls: looking before acting, the lock before every destructive step, errors as events."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.actions import (
    AcquireLock,
    BeginAgent,
    Call,
    CheckGates,
    MoveGroup,
    ObserveCluster,
    ProbeNode,
    RenewLease,
    RepairDisk,
    RestartNode,
    ResumeNode,
    SuspendNode,
)
from cauctl.coordinator.checkpoint import read_checkpoint
from cauctl.coordinator.events import (
    CallFailed,
    ClusterObserved,
    FoundPaused,
    GatesChecked,
    LockAcquired,
    LockFoundHeld,
    LockLost,
    NodeProbed,
    RestartRequested,
    ResumeRequested,
    SuspendRequested,
)
from cauctl.coordinator.performer import Performer
from cauctl.coordinator.problems import ProblemKind
from cauctl.coordinator.state import NodeWork, RunState
from cauctl.errors import StateError
from cauctl.models.agent import AgentOperation, AgentRequest
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import NodeState
from tests.trial import Failing, Trial, scenario

REQUEST = AgentRequest("r-1", run_id="run-1", operation=AgentOperation.INSTALL, query="q")


class Bench:
    """A performer over a lab whose cluster the run has locked."""

    def __init__(self) -> None:
        self.trial = Trial(scenario(nodes=2, storage=True))
        self.cluster = Failing(self.trial.memory.cluster, {})
        self.state = RunState(run_id="run-1", cluster="LAB-FC1", owner="alice", started=self.trial.world.now)
        ports = evolve(self.trial.ports, cluster=self.cluster)
        self.performer = Performer(ports, lambda: self.state)
        (locked,) = self.perform(AcquireLock())
        self.state = evolve(self.state, lock=locked.record)

    def perform(self, action: object) -> tuple[object, ...]:
        """Perform an action."""
        return self.performer.perform(Call(1, action=action), self.state)

    def lose_lock(self) -> None:
        """Let another coordinator take over."""
        lock = self.trial.memory.cluster.read_lock()
        self.trial.memory.cluster.take_over_lock(evolve(lock, fence=lock.fence + 1, owner="bob"))


@pytest.fixture
def bench() -> Bench:
    return Bench()


DESTRUCTIVE = [
    SuspendNode("NODE1"),
    ResumeNode("NODE1", failback=FailbackType.IMMEDIATE),
    MoveGroup("NODE1", group="VM01", target="NODE2"),
    RepairDisk("NODE1", disk="Volume01"),
    BeginAgent("NODE1", request=REQUEST),
]


@pytest.mark.parametrize("action", DESTRUCTIVE, ids=lambda action: type(action).__name__)
def test_without_the_lock_nothing_destructive_is_done(bench, action):
    assert action.destructive
    bench.lose_lock()
    before = bench.trial.world.snapshot()
    answers = bench.perform(action)
    assert isinstance(answers[-1], LockLost)
    assert answers[-1].holder.owner == "bob"
    assert bench.trial.world.snapshot() == before
    assert bench.trial.left_on("NODE1") == 0


def test_without_the_lock_no_node_is_restarted(bench):
    boot_time = bench.trial.world.machine("NODE1").boot_time
    bench.lose_lock()
    (answer,) = bench.perform(RestartNode("NODE1", boot_time=boot_time, reason="r"))
    assert isinstance(answer, LockLost)
    assert bench.trial.world.machine("NODE1").requested_restart is None


def test_a_lock_that_is_none_of_ours_is_a_lost_lock(bench):
    bench.cluster._errors["write_lock"] = [StateError("the lock of the cluster is not one of ours.")]
    (answer,) = bench.perform(RenewLease())
    assert (type(answer), answer.holder.run_id) == (LockLost, "run-1")


def test_the_checkpoint_is_written_before_the_node_is_suspended(bench):
    bench.perform(SuspendNode("NODE1"))
    assert [call.split()[0] for call in bench.cluster.calls[1:]] == ["observe", "write_lock", "suspend"]


def test_a_checkpoint_is_never_taken_back_by_a_call_that_was_made_earlier(bench):
    old = bench.state
    paused = NodeWork("NODE1", since=bench.trial.world.now, paused_by_us=True)
    bench.state = evolve(old, nodes={"NODE1": paused})
    bench.performer.perform(Call(1, action=RenewLease()), old)
    assert read_checkpoint(bench.trial.memory.cluster.read_lock().checkpoint).paused == ("NODE1",)


def test_suspending_a_node_that_is_up(bench):
    seen, answer = bench.perform(SuspendNode("NODE1"))
    assert isinstance(seen, ClusterObserved)
    assert isinstance(answer, SuspendRequested)
    assert bench.trial.world.cluster.member("NODE1").state is NodeState.PAUSED


def test_a_node_that_is_paused_already_was_paused_by_somebody_else(bench):
    bench.trial.world.cluster.suspend("NODE1", drain=True, by="administrator")
    assert isinstance(bench.perform(SuspendNode("NODE1"))[-1], FoundPaused)
    assert "suspend NODE1" not in bench.cluster.calls


def test_unless_we_have_asked_for_it_before(bench):
    bench.perform(SuspendNode("NODE1"))
    assert isinstance(bench.perform(SuspendNode("NODE1", again=True))[-1], SuspendRequested)


def test_a_node_that_has_restarted_already_is_not_restarted(bench):
    boot_time = bench.trial.world.machine("NODE1").boot_time - timedelta(days=1)
    (answer,) = bench.perform(RestartNode("NODE1", boot_time=boot_time, reason="r"))
    assert isinstance(answer, NodeProbed)
    assert bench.trial.world.machine("NODE1").requested_restart is None


def drain(bench: Bench) -> None:
    """Pause NODE1 and let its roles leave."""
    bench.perform(SuspendNode("NODE1"))
    bench.trial.world.advance(bench.trial.world.now + timedelta(minutes=10))


@pytest.mark.parametrize("action", ["restart", "install"])
def test_a_node_that_serves_is_neither_restarted_nor_installed_on(bench, action):
    boot_time = bench.trial.world.machine("NODE1").boot_time
    actions = {
        "restart": RestartNode("NODE1", boot_time=boot_time, reason="r"),
        "install": BeginAgent("NODE1", request=REQUEST),
    }
    (answer,) = bench.perform(actions[action])
    assert (type(answer), answer.call) == (ClusterObserved, 1)
    assert bench.trial.world.machine("NODE1").requested_restart is None
    assert bench.trial.left_on("NODE1") == 0


def test_a_drained_node_is_not_restarted_while_another_one_is_down(bench):
    drain(bench)
    bench.trial.world.machine("NODE2").lose_power()
    boot_time = bench.trial.world.machine("NODE1").boot_time
    assert isinstance(bench.perform(RestartNode("NODE1", boot_time=boot_time, reason="r"))[-1], ClusterObserved)
    assert bench.trial.world.machine("NODE1").requested_restart is None


def test_restarting_twice_is_harmless(bench):
    drain(bench)
    action = RestartNode("NODE1", boot_time=bench.trial.world.machine("NODE1").boot_time, reason="r")
    assert isinstance(bench.perform(action)[-1], RestartRequested)
    assert isinstance(bench.perform(action)[-1], RestartRequested)
    bench.trial.world.advance(bench.trial.world.now + timedelta(minutes=10))
    assert len(bench.trial.world.ledger.restarts) == 1


def test_resuming_a_node_that_is_up_is_harmless(bench):
    assert isinstance(bench.perform(ResumeNode("NODE1", failback=FailbackType.IMMEDIATE))[-1], ResumeRequested)


def test_taking_the_lock_twice_for_the_same_run_is_taking_it_once(bench):
    """After a crash right behind AcquireLock the same run finds its own lock."""
    assert isinstance(bench.perform(AcquireLock())[0], LockAcquired)
    bench.state = evolve(bench.state, run_id="run-2")
    (answer,) = bench.perform(AcquireLock())
    assert isinstance(answer, LockFoundHeld)
    assert answer.record.run_id == "run-1"


def test_the_gates_are_asked_together(bench):
    seen, answer = bench.perform(CheckGates("NODE1"))
    assert (type(seen), seen.call) == (ClusterObserved, None)
    assert (type(answer), answer.loses_quorum, len(answer.storage.virtual_disks)) == (GatesChecked, False, 2)


def test_errors_are_answers(bench):
    bench.trial.world.machine("NODE1").lose_power()
    bench.perform(ProbeNode("NODE1"))
    (answer,) = bench.perform(ProbeNode("NODE1"))
    assert (type(answer), answer.node, answer.problem.kind) == (CallFailed, "NODE1", ProblemKind.UNREACHABLE)


def test_errors_that_nobody_foresaw_are_answers_without_their_text(bench):
    """An exception's text may hold anything; only its class goes into the journal."""
    bench.cluster._errors["observe"] = [ZeroDivisionError("secret")]
    (answer,) = bench.perform(ObserveCluster())
    assert answer.problem.message == "ObserveCluster failed in a way that was not foreseen: ZeroDivisionError."
