"""After a coordinator has died: who held the cluster, giving its run up, going on with it."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.checkpoint import checkpoint_of
from cauctl.coordinator.performer import Ports
from cauctl.coordinator.recovery import Abandonment, abandon
from cauctl.coordinator.remembered import unpack
from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import Phase
from cauctl.coordinator.takeover import find_run, make_sure_it_is_dead, take_over
from cauctl.errors import RunInProgressError, StateError
from cauctl.lab.memory import Ports as MemoryPorts
from cauctl.lab.world.scenario import Scenario
from cauctl.models.agent import AgentProgress, AgentState
from cauctl.models.enums import SummaryStatus
from cauctl.models.nodes import LockRecord
from tests.trial import USER, DeathError, Failing, FatalJournal, Trial, scenario


def die(trial: Trial, at: int, *, written: bool = True, **options: object) -> bytes:
    """Run until the coordinator dies at its n-th event; give what is left of its journal."""
    journal = trial.journal
    trial.journal = FatalJournal(journal, at, written=written)
    with pytest.raises(DeathError):
        trial.run(**options)
    trial.journal = journal
    return journal.content + (b"" if written else b'{"sum":"0a')


def die_in(phase: Phase, *faults: str, **changes: object) -> Trial:
    """Run until a node is in this phase, and die there."""
    trial = Trial(scenario(*faults, nodes=3, **changes))
    events = 0

    class Found(Exception):  # noqa: N818  a signal, not an error
        pass

    seen: list[int] = []

    def watch(_event: object, state: object) -> None:
        nonlocal events
        events += 1
        if not seen and any(node.phase is phase for node in state.nodes.values()):
            seen.append(events)

    probe = Trial(scenario(*faults, nodes=3, **changes))
    probe.run(on_event=watch)
    die(trial, seen[0] + 1)
    return trial


def successor(trial: Trial) -> Ports:
    """Give the ports of another coordinator in the same world."""
    return Trial.ports_of(MemoryPorts(trial.world, user=USER))


def wait_out_the_lease(trial: Trial) -> None:
    """Let the dead coordinator's lease end."""
    trial.world.advance(trial.world.now + Limits().lease + timedelta(minutes=1))


PHASES = [
    Phase.SCANNING,
    Phase.STAGING,
    Phase.CHECKING,
    Phase.SUSPENDING,
    Phase.INSTALLING,
    Phase.GUARDING,
    Phase.RESTARTING,
    Phase.VERIFYING,
    Phase.RESCANNING,
    Phase.RESUMING,
    Phase.FAILING_BACK,
]


@pytest.mark.parametrize("phase", PHASES)
def test_giving_up_a_dead_run_leaves_nothing_behind(phase):
    """Issue: recover --abandon resumes what the dead run paused and gives its lock back."""
    trial = die_in(phase)
    wait_out_the_lease(trial)
    result = abandon(successor(trial), owner="bob")
    assert (result.failures, result.unresumed) == ((), ())
    assert trial.world.ledger.paused_now == {}
    assert trial.memory.cluster.read_lock() is None
    assert [trial.left_on(node) for node in trial.world.machines] == [0, 0, 0]
    assert result.done[-1] == "The lock of the cluster is given back."


def test_a_node_that_an_administrator_paused_stays_paused():
    trial = die_in(Phase.INSTALLING)
    trial.world.cluster.suspend("NODE1", drain=True, by="administrator")
    wait_out_the_lease(trial)
    result = abandon(successor(trial), owner="bob")
    assert result.resumed == ("NODE2",)
    assert trial.world.ledger.paused_now == {"NODE1": "administrator"}
    assert "NODE1: paused by somebody else; it stays paused." in result.done


def test_an_installation_under_way_is_stopped_not_killed():
    trial = die_in(Phase.INSTALLING)
    trial.world.kernel.advance(trial.world.now + timedelta(minutes=1))
    lock = trial.memory.cluster.read_lock()
    trial.memory.cluster.write_lock(evolve(lock, lease_until=trial.world.now))
    abandon(successor(trial), owner="bob")
    assert trial.world.machine("NODE2").updates.installing is None
    assert [each.hresult for each in trial.world.ledger.installations] == [0] * len(trial.world.ledger.installations)


def test_a_node_that_cannot_be_resumed_is_named_and_the_next_try_goes_on():
    trial = Trial(scenario("restart-hangs:NODE2", nodes=2))
    trial.run(node_order=("NODE2",))
    first = abandon(successor(trial), owner="bob")
    assert first.unresumed == ("NODE2",)
    assert "NODE2: could not be resumed, it is Down." in first.failures
    trial.world.machine("NODE2").switch_on()
    trial.world.advance(trial.world.now + timedelta(minutes=3))
    second = abandon(successor(trial), owner="bob")
    assert (second.resumed, second.unresumed, second.failures) == (("NODE2",), (), ())
    assert (trial.world.ledger.paused_now, trial.memory.cluster.read_lock()) == ({}, None)


def test_a_node_that_was_evicted_does_not_hold_the_lock_for_ever():
    trial = die_in(Phase.INSTALLING)
    wait_out_the_lease(trial)
    ports = successor(trial)
    cluster = Failing(ports.cluster, {})
    seen = trial.memory.cluster.observe()
    cluster.observe = lambda: evolve(seen, nodes=tuple(each for each in seen.nodes if each.name != "NODE2"))
    result = abandon(evolve(ports, cluster=cluster), owner="bob")
    assert (result.unresumed, result.failures) == ((), ())
    assert "NODE2: no node of the cluster any more; nothing is to be resumed." in result.done
    assert trial.memory.cluster.read_lock() is None


def test_who_is_overtaken_in_giving_up_a_run_touches_nothing_of_the_next_one():
    """Somebody who recovers falls asleep; another one does it meanwhile, and a new run is at work when he wakes up."""
    trial = die_in(Phase.INSTALLING)
    wait_out_the_lease(trial)
    slow = successor(trial)
    agent = Failing(slow.agent, {})
    asleep: list[str] = []

    def fall_asleep(node: str) -> tuple[str, ...]:
        if not asleep:
            asleep.append(node)
            wait_out_the_lease(trial)
            abandon(successor(trial), owner="carol")
            lock = LockRecord("run-2", owner="carol", fence=1, acquired=trial.world.now, lease_until=trial.world.now)
            trial.memory.cluster.acquire_lock(lock)
            trial.world.cluster.suspend("NODE2", drain=True, by="carol")
        return ()

    agent.leftovers = fall_asleep
    with pytest.raises(RunInProgressError, match="taken over by carol"):
        abandon(evolve(slow, agent=agent), owner="bob")
    assert trial.world.ledger.paused_now == {"NODE2": "carol"}
    assert trial.memory.cluster.read_lock().run_id == "run-2"


def test_a_run_that_lives_is_not_given_up():
    trial = die_in(Phase.INSTALLING)
    with pytest.raises(RunInProgressError) as raised:
        abandon(successor(trial), owner="bob")
    assert raised.value.owner == "alice@console (pid 4711)"
    assert trial.world.ledger.paused_now == {"NODE2": USER}


def test_without_a_run_there_is_nothing_to_do():
    trial = Trial(scenario(nodes=2))
    assert abandon(trial.ports, owner="bob") == Abandonment(done=("No run holds the cluster.",))


def test_a_checkpoint_that_cannot_be_read_is_not_guessed_at():
    trial = die_in(Phase.INSTALLING)
    wait_out_the_lease(trial)
    trial.memory.cluster.write_lock(evolve(trial.memory.cluster.read_lock(), checkpoint='{"version":99}'))
    with pytest.raises(StateError, match="cannot be read"):
        abandon(successor(trial), owner="bob")
    assert trial.world.ledger.paused_now == {"NODE2": USER}


def test_a_coordinator_that_wakes_up_after_its_run_was_given_up_does_nothing_more():
    trial = Trial(scenario(nodes=2))
    given_up: list[Abandonment] = []

    def sleep(_event: object, state: object) -> None:
        if not given_up and any(node.phase is Phase.INSTALLING for node in state.nodes.values()):
            wait_out_the_lease(trial)
            given_up.append(abandon(successor(trial), owner="bob"))

    trial.run(on_event=sleep)
    assert trial.state.fenced
    assert trial.world.ledger.paused_now == {}
    assert trial.suspended == ["NODE2"]


def test_what_was_asked_of_a_dead_coordinator_is_asked_of_its_successor():
    """Also what is asked while its lock is watched: a request to stop that was taken is never forgotten."""
    trial = die_in(Phase.INSTALLING)
    wait_out_the_lease(trial)
    cluster, clock, limits = trial.memory.cluster, trial.memory.clock, Limits()
    held = find_run(cluster, trial.world.now)
    trial.world.kernel.after(timedelta(minutes=1), lambda: cluster.request_stop(trial.run_id, "carol@desk (pid 1)"))
    held = make_sure_it_is_dead(cluster, clock, held, name="", limits=limits)
    take_over(cluster, clock, held, owner="bob@other (pid 1)", name="", limits=limits)
    assert (2, "carol@desk (pid 1)") == ((lock := cluster.read_lock()).fence, lock.stop)
    state = trial.restore()
    assert "The run was asked to stop by carol@desk (pid 1)." == state.first_cause.problem.message
    assert {} == trial.world.ledger.paused_now
    assert cluster.read_lock() is None


def test_the_run_that_holds_a_cluster_is_told():
    trial = die_in(Phase.INSTALLING)
    held = find_run(trial.memory.cluster, trial.world.now)
    assert (held.alive, held.lock.run_id, held.checkpoint.paused) == (True, trial.run_id, ("NODE2",))
    assert held.checkpoint.nodes[1].phase is Phase.INSTALLING
    assert find_run(trial.memory.cluster, held.lock.lease_until).alive is False
    trial.memory.cluster.release_lock(trial.run_id)
    assert find_run(trial.memory.cluster, trial.world.now) is None


def test_a_foreign_checkpoint_does_not_hide_who_holds_the_cluster():
    trial = Trial(scenario(nodes=2))
    record = LockRecord("r", owner="o", fence=1, acquired=trial.world.now, lease_until=trial.world.now)
    trial.memory.cluster.acquire_lock(record)
    held = find_run(trial.memory.cluster, trial.world.now)
    assert (held.lock, held.alive, held.checkpoint) == (record, False, None)


# --- going on --------------------------------------------------------------------------------------------------------


def outcome(trial: Trial) -> tuple[object, ...]:
    """What must be the same with and without a crash: results, causes, placement, pauses, lock."""
    nodes = {
        node.name: (
            node.record.status,
            sorted(key.update_id for key in node.record.installed),
            node.record.causes[0].problem.error_id if node.record.causes else None,
        )
        for node in trial.state.nodes.values()
    }
    owners = {group.name: group.owner for group in trial.world.cluster.roles if not group.core}
    return nodes, owners, trial.world.ledger.paused_now, trial.memory.cluster.read_lock()


BUILT = scenario(nodes=2, storage=True, quirks=True)
UNLUCKY = scenario("drain-fails:NODE1", "connection-cut:NODE2,lasts=400", nodes=2, storage=True, quirks=True)


def survive(built: Scenario, whole: Trial, dies_at: int, *, written: bool, elsewhere: bool) -> None:
    """Die at an event, go on from the journal's bytes or the checkpoint, and come to the same end."""
    trial = Trial(built, seed=5)
    content = die(trial, dies_at, written=written)
    trial.world.advance(trial.world.now + timedelta(minutes=dies_at % 20))
    if not elsewhere:
        trial.go_on(content)
    elif trial.is_held:
        trial.restore()
    else:
        return  # nothing was locked yet, or all was done
    assert outcome(trial) == outcome(whole), f"died at event {dies_at}"
    assert [trial.left_on(node) for node in trial.world.machines] == [0, 0]


def whole_run(built: Scenario) -> tuple[Trial, int]:
    """A run that nobody kills, and how many events it has."""
    whole = Trial(built, seed=5)
    whole.run()
    return whole, whole.journal.content.count(b"\n") - 1


@pytest.mark.parametrize("elsewhere", [False, True], ids=["journal", "checkpoint"])
@pytest.mark.parametrize("written", [True, False], ids=["written", "torn"])
@pytest.mark.parametrize("built", [BUILT, UNLUCKY], ids=["lucky", "unlucky"])
def test_another_coordinator_goes_on_to_the_same_result(built, written, elsewhere):
    """All is dropped but the journal's bytes, or even those; some events here, every one is the nightly's."""
    whole, events = whole_run(built)
    for dies_at in range(2 + written, events, events // 12):
        survive(built, whole, dies_at, written=written, elsewhere=elsewhere)


@pytest.mark.nightly
@pytest.mark.parametrize("elsewhere", [False, True], ids=["journal", "checkpoint"])
@pytest.mark.parametrize("written", [True, False], ids=["written", "torn"])
@pytest.mark.parametrize("built", [BUILT, UNLUCKY], ids=["lucky", "unlucky"])
def test_another_coordinator_goes_on_from_every_single_event_to_the_same_result(built, written, elsewhere):
    """Issue: at every single event, on the lab in memory."""
    whole, events = whole_run(built)
    for dies_at in range(2, events):
        survive(built, whole, dies_at, written=written, elsewhere=elsewhere)


@pytest.mark.parametrize("luck", range(3))
def test_coordinators_that_die_one_after_the_other_come_to_the_same_result(luck):
    """Each from the checkpoint of the one before, on a machine of its own."""
    whole, _ = whole_run(BUILT)
    dice = random.Random(luck)
    trial = Trial(BUILT, seed=5)
    die(trial, dice.randint(12, 40))
    while trial.is_held:
        trial.world.advance(trial.world.now + timedelta(minutes=dice.randint(16, 25)))
        with suppress(DeathError):
            trial.restore(dies_at=dice.randint(8, 60))
    assert outcome(trial)[1:] == outcome(whole)[1:]
    assert {machine.build for machine in trial.world.machines.values()} == {
        machine.build for machine in whole.world.machines.values()
    }


def test_a_checkpoint_stays_within_a_few_kilobytes_for_16_nodes():
    trial = Trial(scenario(nodes=16, storage=True))
    sizes: list[int] = []

    def watch(_event: object, state: object) -> None:
        if state.now.minute % 10 == 0 and state.nodes:
            sizes.append(len(checkpoint_of(state)))

    trial.run(on_event=watch)
    assert max(sizes) < 10_000


@pytest.mark.parametrize("text", ["", "%", "e30=", "eJyrrgUAAXUA+Q==", "eJyLjgUAARUAuQ=="])
def test_a_state_that_is_none_is_refused(text):
    with pytest.raises(StateError, match="cannot be read"):
        unpack(text)


# --- is it dead ------------------------------------------------------------------------------------------------------


def test_a_clock_that_is_ahead_does_not_take_a_living_run_for_dead():
    """The lease has ended by our clock, which is an hour ahead; the record still changes, so somebody lives."""
    trial = Trial(scenario(nodes=2))
    told: list[RunInProgressError] = []

    class Ahead:
        def now(self) -> datetime:
            return trial.world.now + timedelta(hours=1)

        def wait(self, until: datetime, _wake: object) -> None:
            seen = trial.memory.cluster.read_lock()
            at = until - timedelta(hours=1)
            trial.memory.cluster.write_lock(evolve(seen, lease_until=at + Limits().lease))

    def intrude(_event: object, state: object) -> None:
        if not told and any(node.phase is Phase.INSTALLING for node in state.nodes.values()):
            with pytest.raises(RunInProgressError) as raised:
                abandon(evolve(successor(trial), clock=Ahead()), owner="bob")
            told.append(raised.value)

    trial.run(on_event=intrude)
    assert told[0].owner == "alice@console (pid 4711)"
    assert trial.result.status is SummaryStatus.SUCCEEDED


def test_a_lease_that_no_clock_of_ours_could_have_written_is_watched():
    """The dead coordinator's clock was a day ahead: its lease seems to last for ever, and nobody renews it."""
    trial = die_in(Phase.INSTALLING)
    lock = trial.memory.cluster.read_lock()
    trial.memory.cluster.write_lock(evolve(lock, lease_until=trial.world.now + timedelta(days=1)))
    before = trial.world.now
    assert abandon(successor(trial), owner="bob").unresumed == ()
    assert trial.world.now - before >= Limits().lease


def test_an_agent_that_does_not_stop_is_left_at_work_and_its_node_paused():
    """To end an installation half way, or to give roles to a node that installs, is worse than to come again."""
    trial = die_in(Phase.INSTALLING)
    wait_out_the_lease(trial)
    ports = successor(trial)
    agent = Failing(ports.agent, {})
    agent.poll = lambda *_: AgentProgress(AgentState.RUNNING)
    agent.leftovers = lambda _node: (trial.run_id,)
    first = abandon(evolve(ports, agent=agent), owner="bob")
    assert first.unresumed == ("NODE2",)
    assert "remove_leftovers NODE2" not in " ".join(agent.calls)
    assert trial.world.ledger.paused_now == {"NODE2": USER}
    second = abandon(successor(trial), owner="bob")
    assert (second.resumed, second.failures) == (("NODE2",), ())
