"""What happens between a decision and its deed: everything that was true may have changed, and is looked at again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.actions import Call, RenewLease
from cauctl.coordinator.events import (
    AgentBegun,
    ClusterObserved,
    GatesChecked,
    LockLost,
    LockReleased,
    NodeProbed,
    StopReason,
    StopRequested,
)
from cauctl.coordinator.machine import step
from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import NodeWork, Phase, RunPhase, RunState, changed
from cauctl.errors import AuthenticationError, ClusterError, RemoteError
from cauctl.lab.world.scenario import Quirks
from cauctl.models.enums import FailbackType, SummaryStatus
from cauctl.models.nodes import ClusterFacts, NodeState, StorageFacts
from tests.trial import USER, Failing, Trial, scenario

MINUTE = timedelta(minutes=1)


def resume(trial: Trial, node: str) -> None:
    """Resume a node as a person does."""
    member = trial.world.cluster.member(node)
    if member.paused and member.joined:
        trial.world.cluster.resume(node, failback=FailbackType.IMMEDIATE, by="administrator")


def when(phase: Phase, act: object) -> object:
    """Watch a run, and act once when a node enters the phase."""
    met = []

    def watch(_event: object, state: object) -> None:
        for node in state.nodes.values():
            if node.phase is phase and not met:
                met.append(node.name)
                act(node.name)

    return watch


def moment(phase: Phase, **changes: object) -> tuple[RunState, NodeWork, int]:
    """Give a run at a moment at which a node in the phase has asked for something; the number of what it asked."""
    trial, seen = Trial(scenario(nodes=3, **changes), seed=3), []
    trial.run(on_event=lambda _event, state: seen.append(state))
    return next(
        (state, node, node.pending.number)
        for state in seen
        for node in state.nodes.values()
        if node.phase is phase and isinstance(node.pending, Call)
    )


# --- the restart -----------------------------------------------------------------------------------------------------


def test_a_node_that_is_resumed_while_it_does_not_answer_is_not_restarted_under_its_roles():
    """Design §4: no restart of a node that still owns a role, however late the request can be sent."""
    trial = Trial(scenario(nodes=3))

    def cut_and_resume(node: str) -> None:
        trial.world.machine(node).cut(3 * MINUTE)
        trial.world.kernel.after(MINUTE, lambda: resume(trial, node))

    trial.run(on_event=when(Phase.RESTARTING, cut_and_resume))
    assert trial.world.ledger.report(trial.world.now).roles_restarted_under == ()
    assert set(trial.statuses.values()) == {SummaryStatus.SUCCEEDED}


def test_a_node_is_not_restarted_late_while_another_one_has_fallen_meanwhile():
    """Design §4: no fault domain goes down by our hand while another is down."""
    trial = Trial(scenario(nodes=4))

    def cut_and_fell(node: str) -> None:
        other = next(name for name in trial.world.machines if name != node)
        trial.world.machine(node).cut(3 * MINUTE)
        trial.world.kernel.after(2 * MINUTE, trial.world.machine(other).lose_power)

    trial.run(on_event=when(Phase.RESTARTING, cut_and_fell))
    assert trial.world.ledger.most_nodes_down == 1
    assert trial.world.ledger.storage_losses == 0


class Killed(BaseException):
    """The coordinator is killed."""


def kill(_node: str) -> None:
    """Kill the coordinator: the event is written, what follows from it is not done."""
    raise Killed


@pytest.mark.parametrize("phase", [Phase.RESTARTING, Phase.INSTALLING])
def test_a_successor_does_not_carry_out_what_was_due_on_a_node_that_serves_again(phase):
    """Intents of a dead coordinator are held against the real cluster before they are carried out."""
    trial = Trial(scenario(nodes=3))
    with pytest.raises(Killed):
        trial.run(on_event=when(phase, kill))
    (node,) = trial.world.ledger.paused_now
    resume(trial, node)
    trial.world.advance(trial.world.now + 20 * MINUTE)
    trial.go_on(trial.journal.content)
    assert trial.world.ledger.report(trial.world.now).roles_restarted_under == ()
    assert all(each.paused for each in trial.world.ledger.installations)
    assert set(trial.statuses.values()) == {SummaryStatus.SUCCEEDED}


def test_a_successor_asks_the_gates_again_before_a_restart():
    """While nobody was there another node may have fallen, or come back with storage to repair."""
    trial = Trial(scenario(nodes=4, storage=True))
    with pytest.raises(Killed):
        trial.run(on_event=when(Phase.RESTARTING, kill))
    (node,) = trial.world.ledger.paused_now
    other = next(name for name in trial.world.machines if name != node)
    trial.world.machine(other).lose_power()
    trial.world.advance(trial.world.now + 3 * MINUTE)
    trial.go_on(trial.journal.content)
    ours = [each for each in trial.world.ledger.restarts if each.by == USER]
    assert [each for each in ours if each.resyncing or each.others_down] == []
    assert set(trial.statuses.values()) == {SummaryStatus.SUCCEEDED}


def test_a_node_that_somebody_resumes_again_and_again_is_given_up():
    """No wait without a limit: a script that resumes whatever is paused does not keep a run for ever."""
    trial = Trial(scenario(nodes=2))
    resumed = []

    def insist(event: object, state: object) -> None:
        for node in state.nodes.values():
            if node.phase is Phase.GUARDING and isinstance(event, NodeProbed) and len(resumed) < 1000:
                resumed.append(node.name)
                resume(trial, node.name)

    trial.run(on_event=insist, max_failed_nodes=1)
    assert trial.causes == {"NODE1": ["NodeNotKeptDrained"], "NODE2": ["NodeNotKeptDrained"]}
    assert len(resumed) < 20
    assert trial.world.ledger.restarts == []
    assert trial.world.ledger.paused_now == {}


@pytest.mark.parametrize("phase", [Phase.RESTARTING, Phase.VERIFYING])
def test_a_node_that_refuses_questions_while_it_goes_down_or_comes_up_is_waited_for(phase):
    """Windows answers with errors of its own while it shuts down and boots; that says nothing of the restart."""
    trial = Trial(scenario(nodes=2))
    node = Failing(trial.memory.node, {})

    def refuse(_name: str) -> None:
        error = RemoteError("A system shutdown is in progress.", node="NODE2", command="Get-CimInstance")
        node._errors["probe"] = [None, error, error] if phase is Phase.RESTARTING else [error, error]

    trial.run(on_event=when(phase, refuse), ports=evolve(trial.ports, node=node), max_retries_per_node=0)
    assert set(trial.statuses.values()) == {SummaryStatus.SUCCEEDED}
    assert trial.causes == {}


def test_a_site_that_holds_the_whole_cluster_does_not_let_two_nodes_go_down_at_once():
    """Design §4: a fault domain that all nodes share separates nothing; each node is one then."""
    plain = scenario(nodes=4)
    nodes = tuple(evolve(each, site="Default", down=each.name == "NODE4") for each in plain.nodes)
    trial = Trial(evolve(plain, nodes=nodes))
    trial.run(max_failed_nodes=0)
    assert trial.world.ledger.most_nodes_down == 1
    assert trial.suspended == []


# --- storage ---------------------------------------------------------------------------------------------------------


def test_storage_is_seen_healthy_several_times_before_each_node():
    """Jobs appear with a delay: looks from before the last node was out say nothing."""
    trial = Trial(scenario(nodes=3, storage=True))
    at_rest = trial.memory.cluster.storage()
    cluster = Failing(trial.memory.cluster, {})
    cluster.storage = lambda: at_rest
    looks: dict[str, int] = {}

    def count(event: object, state: object) -> None:
        if isinstance(event, GatesChecked) and state.nodes[event.node].phase in {Phase.CHECKING, Phase.SUSPENDING}:
            looks[event.node] = looks.get(event.node, 0) + 1

    limits = Limits(settle=timedelta())
    trial.run(on_event=count, ports=evolve(trial.ports, cluster=cluster), limits=limits)
    assert looks.keys() == trial.world.machines.keys()
    assert min(looks.values()) >= limits.storage_samples


def test_a_node_that_fell_and_rose_while_nobody_could_look_holds_the_restart_until_its_storage_is_repaired():
    """Two nodes without a witness: with one drained, the other one's loss is the loss of all sight."""
    suspended = evolve(Quirks.none(), repair_suspended=1.0)
    trial = Trial(evolve(scenario(nodes=2, storage=True, witness=False), quirks=suspended))
    nodes = list(trial.world.machines)

    def fell_other(node: str) -> None:
        trial.world.machine(next(each for each in nodes if each != node)).lose_power()

    trial.run(on_event=when(Phase.INSTALLING, fell_other))
    ours = [each for each in trial.world.ledger.restarts if each.by == USER]
    assert ours
    assert [each for each in ours if each.resyncing] == []


def test_a_node_is_not_restarted_while_somebody_has_paused_another_one_whose_disks_are_out_then():
    """Storage Spaces Direct: a drain takes the disks of its node out; two nodes' disks out is data out of reach."""
    state, node, call = moment(Phase.GUARDING, storage=True)
    state, _ = step(state, NodeProbed(state.now, call=call, node=node.name, probe=node.record.probe))
    others = tuple(evolve(each, state=NodeState.PAUSED) for each in state.facts.nodes)
    facts = evolve(state.facts, nodes=others)
    state, _ = step(state, ClusterObserved(state.now, node=node.name, facts=facts))
    call = state.nodes[node.name].pending.number
    checked = GatesChecked(state.now, call=call, node=node.name, loses_quorum=False, storage=StorageFacts())
    after, _ = step(state, checked)
    assert after.nodes[node.name].phase is Phase.GUARDING
    assert "paused meanwhile" in after.nodes[node.name].wait.reason


# --- a node that somebody else pauses --------------------------------------------------------------------------------


def test_a_node_that_could_never_be_asked_and_that_somebody_paused_meanwhile_stays_paused():
    """Design §4: a node that an administrator paused stays paused; a pause that was never asked for is not ours."""
    trial = Trial(scenario(nodes=2))
    silence = [ClusterError("no node answers for the cluster.", cluster="LAB-FC1") for _ in range(1000)]
    cluster = Failing(trial.memory.cluster, {})

    def fall_silent(node: str) -> None:
        cluster._errors["observe"] = silence
        trial.world.kernel.after(5 * MINUTE, lambda: trial.world.cluster.suspend(node, drain=True, by="administrator"))
        trial.world.kernel.after(15 * MINUTE, silence.clear)

    trial.run(on_event=when(Phase.SUSPENDING, fall_silent), ports=evolve(trial.ports, cluster=cluster))
    assert trial.world.ledger.paused_now == {"NODE2": "administrator"}
    assert trial.state.unresumed == ()


def test_a_node_that_somebody_pauses_right_after_we_resumed_it_stays_paused():
    """What we resumed is looked at at once; a pause that comes later is not taken for a resume that did not work."""
    trial = Trial(scenario(nodes=3))

    def pause(node: str) -> None:
        def act() -> None:
            trial.world.cluster.suspend(node, drain=True, by="administrator")

        trial.world.kernel.after(timedelta(seconds=2), act)

    trial.run(on_event=when(Phase.RESUMING, pause))
    assert list(trial.world.ledger.paused_now.values()) == ["administrator"]


def with_roles_elsewhere(run: RunState, node: str, **changes: object) -> ClusterFacts:
    """Give the cluster as it was last seen, with the node changed and none of its roles on it."""
    facts = run.facts
    other = next(each.name for each in facts.nodes if each.name != node)
    groups = tuple(evolve(each, owner_node=other) for each in facts.groups)
    nodes = tuple(evolve(each, **changes) if each.name == node else each for each in facts.nodes)
    return evolve(facts, groups=groups, nodes=nodes)


def test_a_node_that_somebody_pauses_before_its_roles_are_back_is_left_alone():
    """Nothing is moved to a node that somebody else has paused."""
    state, node, call = moment(Phase.FAILING_BACK)
    facts = with_roles_elsewhere(state, node.name, state=NodeState.PAUSED)
    after, _ = step(state, ClusterObserved(state.now, call=call, node=node.name, facts=facts))
    assert after.nodes[node.name].phase is Phase.DONE
    assert after.unresumed == ()


# --- the lock --------------------------------------------------------------------------------------------------------


def releasing() -> tuple[RunState, int]:
    """Give a run that gives its lock back while a renewal is on its way, and the number of that renewal."""
    trial, seen = Trial(scenario("scan-error:NODE1", nodes=2)), []
    trial.run(on_event=lambda _event, state: seen.append(state))
    state = next(state for state in seen if state.phase is RunPhase.RELEASING)
    renewal = Call(9_999, action=RenewLease())
    return changed(state, renewal=renewal), renewal.number


def test_a_renewal_that_crosses_the_release_is_no_lost_lock():
    """A run that is done is not made a failure by finding its own lock gone."""
    state, renewal = releasing()
    after, _ = step(state, LockLost(state.now, call=renewal))
    assert not after.fenced
    done, _ = step(after, LockReleased(state.now, call=state.pending.number))
    assert (done.phase, done.fenced) == (RunPhase.ENDED, False)


def test_a_lock_that_is_gone_when_it_is_to_be_given_back_is_given_back():
    state, _ = releasing()
    after, _ = step(state, LockLost(state.now, call=state.pending.number))
    assert (after.phase, after.fenced) == (RunPhase.ENDED, False)


@pytest.mark.parametrize("method", ["write_lock", "observe"])
def test_a_credential_that_is_refused_on_the_way_is_not_tried_again_and_again(method):
    """Design §9: renewals and watches are calls as well; repeated attempts lock accounts."""
    trial = Trial(scenario(nodes=4))
    cluster = Failing(trial.memory.cluster, {})
    before: list[int] = []

    def refuse(event: object, state: object) -> None:
        if isinstance(event, AgentBegun) and state.nodes[event.node].phase is Phase.INSTALLING and not before:
            before.append(len(cluster.calls))
            cluster._errors[method] = [AuthenticationError("access is denied.", node="NODE1") for _ in range(1000)]

    limits = Limits(renewal=timedelta(seconds=30), watch=timedelta(seconds=5))
    trial.run(on_event=refuse, ports=evolve(trial.ports, cluster=cluster), limits=limits)
    tried = [call for call in cluster.calls[before[0] :] if call == method]
    assert trial.state.stopping is StopReason.UNSAFE
    assert trial.state.first_cause.problem.error_id == "AuthenticationFailed"
    assert len(tried) <= 8


# --- stopping --------------------------------------------------------------------------------------------------------


def test_a_stop_while_the_last_roles_leave_begins_no_installation():
    """Design §9: nothing new starts."""
    state, node, call = moment(Phase.EMPTYING, quirks=True)
    state, _ = step(state, StopRequested(state.now, by="Ctrl-C"))
    facts = with_roles_elsewhere(state, node.name)
    after, _ = step(state, ClusterObserved(state.now, call=call, node=node.name, facts=facts))
    assert after.nodes[node.name].phase is Phase.RESUMING


def test_a_stop_while_more_is_downloaded_begins_no_further_installation():
    trial = Trial(scenario(nodes=2))
    rounds: list[int] = []

    def stop(_event: object, state: object) -> None:
        for node in state.nodes.values():
            if node.phase is Phase.RESTAGING and not rounds:
                rounds.append(node.record.round)
                trial.switch.stop("Ctrl-C")

    trial.run(on_event=stop)
    assert [max(node.record.round for node in trial.state.nodes.values())] == rounds
