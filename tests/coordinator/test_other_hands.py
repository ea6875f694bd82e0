"""What others do to a node during its turn: resume it, pause it, evict it, set its clock; and a shutdown that hangs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.state import Phase, RunState
from cauctl.lab.memory import MemoryNode
from cauctl.models.enums import FailbackType, SummaryStatus
from cauctl.models.nodes import NodeProbe
from tests.trial import Trial, scenario

MINUTE = timedelta(minutes=1)
SUCCEEDED = SummaryStatus.SUCCEEDED


def in_phase(phase: Phase, act: Callable[[str], None]) -> Callable[[object, RunState], None]:
    """Watch a run, and act when the first node enters the phase."""
    met: list[str] = []

    def watch(_event: object, state: RunState) -> None:
        for node in state.nodes.values():
            if node.phase is phase and not met:
                met.append(node.name)
                act(node.name)

    return watch


# --- a pause of somebody else ----------------------------------------------------------------------------------------


def test_a_pause_that_followed_somebodys_resume_is_theirs_and_stays():
    """A node that an administrator paused stays paused, also where we had paused it before."""
    trial = Trial(scenario(nodes=3))
    cluster = trial.world.cluster

    def take_over(node: str) -> None:
        at = trial.world.kernel
        at.after(4 * MINUTE, lambda: cluster.resume(node, failback=FailbackType.NO_FAILBACK, by="administrator"))
        at.after(6 * MINUTE, lambda: cluster.suspend(node, drain=True, by="administrator"))

    trial.run(on_event=in_phase(Phase.INSTALLING, take_over), max_failed_nodes=1)
    (node,) = trial.world.ledger.paused_now
    assert ["NodePaused"] == trial.causes[node]
    assert any("the pause is theirs and stays" in note for note in trial.state.nodes[node].record.notes)
    assert () == trial.state.unresumed
    assert [node] == [each.node for each in trial.world.ledger.pauses if each.paused and each.by == "administrator"]


# --- an eviction -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.CHECKING, Phase.SUSPENDING, Phase.INSTALLING, Phase.RESTARTING])
def test_a_node_that_is_evicted_costs_no_waiting(phase: Phase):
    """Neither its own work nor the turns of the others wait for a node that the cluster no longer names."""
    trial = Trial(scenario(nodes=4))
    gone: list[tuple[str, object]] = []

    def evict(node: str) -> None:
        for group in trial.world.cluster.roles.owned_by(node):
            group.owner = next(name for name in trial.world.cluster.members if name != node)
        del trial.world.cluster.members[node]
        trial.world.kernel.touch()
        gone.append((node, trial.world.now))

    undisturbed = Trial(scenario(nodes=4))
    undisturbed.run()
    trial.run(on_event=in_phase(phase, evict), max_failed_nodes=1)
    ((node, _),) = gone
    assert "NodeEvicted" in trial.causes[node]
    assert {SUCCEEDED} == {status for name, status in trial.statuses.items() if name != node}
    assert trial.result.run_duration < undisturbed.result.run_duration + 5 * MINUTE
    assert () == trial.state.unresumed


# --- a clock that is set ---------------------------------------------------------------------------------------------


class Jumping:
    """The nodes as they are, one of them with a clock that is an hour ahead from its installation on."""

    def __init__(self, port: MemoryNode) -> None:
        self._port = port
        self.ahead: str | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    def probe(self, node: str) -> NodeProbe:
        """Tell the boot time by the node's own clock."""
        probe = self._port.probe(node)
        return evolve(probe, boot_time=probe.boot_time + 60 * MINUTE) if node == self.ahead else probe


def test_a_clock_that_is_set_is_taken_for_no_restart():
    """The restart that was asked for is waited for, however the node's clock jumps before it."""
    trial = Trial(scenario(nodes=2))
    nodes = Jumping(trial.memory.node)
    unproved: list[str] = []

    def set_clock(name: str) -> None:
        nodes.ahead = name

    def watch(event: object, state: RunState) -> None:
        in_time(event, state)
        unproved.extend(
            node.name
            for node in state.nodes.values()
            if node.phase is Phase.VERIFYING and len(trial.world.machine(node.name).boots) == 1
        )

    in_time = in_phase(Phase.RESTARTING, set_clock)
    trial.run(ports=evolve(trial.ports, node=nodes), on_event=watch)
    assert ([], {SUCCEEDED}) == (unproved, set(trial.statuses.values()))
    assert all(each.ours for node in trial.state.nodes.values() for each in node.record.restarts)


# --- a shutdown that hangs -------------------------------------------------------------------------------------------


class Hanging:
    """The nodes as they are, of which one takes the order to restart and stays up."""

    def __init__(self, port: MemoryNode, node: str, times: int) -> None:
        self._port, self._node, self._left = port, node, times
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    def restart(self, node: str, *, reason: str) -> None:
        """Take the order."""
        self.asked.append(node)
        if node == self._node and self._left:
            self._left -= 1
        else:
            self._port.restart(node, reason=reason)


def test_a_node_whose_restart_did_not_come_is_resumed_without_its_roles():
    """The shutdown may still complete; then nothing must be lost under it. Roles come back once it is over."""
    trial = Trial(scenario(nodes=3))
    nodes = Hanging(trial.memory.node, "NODE2", times=3)
    owned: list[tuple[str, ...]] = []

    def watch(_event: object, state: RunState) -> None:
        node = state.nodes.get("NODE2")
        if node and node.phase is Phase.PROBING and node.attempt > 1:
            owned.append(tuple(group.name for group in trial.world.cluster.roles.owned_by("NODE2") if not group.core))

    before = {group.name for group in trial.world.cluster.roles.owned_by("NODE2") if not group.core}
    trial.run(ports=evolve(trial.ports, node=nodes), on_event=watch, node_order=("NODE2",))
    assert {()} == set(owned)
    assert ["RestartTimeout"] == [each.error_id for each in trial.state.nodes["NODE2"].record.transient]
    assert {SUCCEEDED} == set(trial.statuses.values())
    after = {group.name for group in trial.world.cluster.roles.owned_by("NODE2") if not group.core}
    assert before <= after
    assert 4 == nodes.asked.count("NODE2"), "it is told again every five minutes, not at every look"


def test_no_node_is_taken_down_beside_one_that_may_still_restart():
    """No fault domain goes down by our hand while another may go down by our order."""
    trial = Trial(scenario(nodes=3))
    nodes = Hanging(trial.memory.node, "NODE2", times=99)
    ports = evolve(trial.ports, node=nodes)
    trial.run(ports=ports, node_order=("NODE2",), max_failed_nodes=2, max_retries_per_node=0)
    assert ["NODE2"] == trial.suspended
    assert {"NODE1": ["HealthTimeout"], "NODE2": ["RestartTimeout"], "NODE3": ["HealthTimeout"]} == trial.causes
    assert {} == trial.world.ledger.paused_now


def test_a_node_that_restarted_late_after_all_holds_nobody_up():
    trial = Trial(scenario(nodes=3))
    nodes = Hanging(trial.memory.node, "NODE2", times=99)
    met: list[str] = []

    def restart_late(_event: object, state: RunState) -> None:
        node = state.nodes.get("NODE2")
        if node and node.phase is Phase.DONE and not met:
            met.append(node.name)
            trial.world.kernel.after(5 * MINUTE, lambda: trial.memory.node.restart("NODE2", reason="it came late"))

    ports = evolve(trial.ports, node=nodes)
    options = {"node_order": ("NODE2",), "max_failed_nodes": 2, "max_retries_per_node": 0}
    trial.run(ports=ports, on_event=restart_late, **options)
    assert (SUCCEEDED, SUCCEEDED) == (trial.statuses["NODE1"], trial.statuses["NODE3"])
