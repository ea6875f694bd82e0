"""What happens between a decision and its deed: everything that was true may have changed, and is looked at again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.events import GatesChecked, NodeProbed
from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import Phase
from cauctl.errors import RemoteError
from cauctl.models.enums import FailbackType, SummaryStatus
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
