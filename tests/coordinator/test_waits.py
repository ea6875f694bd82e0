"""Every wait has a name, a limit, a line in the progress, and its reason in the journal: a test over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache

import pytest
from attrs import evolve

from cauctl.coordinator.explaining import WAIT_ADVICE
from cauctl.coordinator.journal import read_journal
from cauctl.coordinator.state import Phase, RunState, Waiting
from cauctl.coordinator.story import history_of
from cauctl.errors import NodeUnreachableError, RemoteError
from cauctl.lab.memory import MemoryCluster
from cauctl.lab.world.scenario import Quirks
from cauctl.models.nodes import ClusterFacts, GroupState
from cauctl.models.scripts import ScriptFile
from cauctl.operations.telling import Teller
from tests.trial import Failing, Trial, scenario

MINUTE = timedelta(minutes=1)
SCRIPTS = {each: ScriptFile(f"{each}.ps1", sha256="0" * 64) for each in ("pre_script", "post_script")}
WORK = {"AgentScan", "AgentStage", "AgentInstall"}
Seen = tuple[Waiting, Phase, str]


class Meddled:
    """The cluster as it is, but for what somebody sees differently for a while.

    Args:
        port: the cluster.
        until: the last moment at which it is seen so.
        facts: what is made of each look.
        networks: what is up of a node's connections meanwhile; None: what is.
    """

    def __init__(
        self,
        port: MemoryCluster,
        until: Callable[[], bool],
        facts: Callable[[ClusterFacts], ClusterFacts] = lambda seen: seen,
        networks: tuple[str, ...] | None = None,
    ) -> None:
        self._port, self._meddles, self._facts, self._networks = port, until, facts, networks

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    def observe(self) -> ClusterFacts:
        """Look."""
        return self._facts(self._port.observe()) if self._meddles() else self._port.observe()

    def networks_up(self, node: str) -> tuple[str, ...]:
        """Look at connections."""
        own = self._port.networks_up(node)
        return self._networks if self._networks is not None and self._meddles() else own


def early(trial: Trial, phase: Phase, lasts: timedelta = 2 * MINUTE) -> tuple[Callable[[], bool], Callable[..., None]]:
    """Say whether a node has entered the phase not long ago; and the watcher that finds out."""
    entered: list[datetime] = []

    def watch(_event: object, state: RunState) -> None:
        if not entered and any(node.phase is phase for node in state.nodes.values()):
            entered.append(trial.world.now)

    return (lambda: bool(entered) and trial.world.now < entered[0] + lasts), watch


def meddled(phase: Phase, facts: Callable[[ClusterFacts], ClusterFacts], networks: object = None) -> Trial:
    """A run in which the cluster is seen differently from the moment that a node enters the phase."""
    trial = Trial(scenario(nodes=3))
    when, watch = early(trial, phase)
    cluster = Meddled(trial.memory.cluster, when, facts, networks)
    return ran(trial, watch, ports=evolve(trial.ports, cluster=cluster))


SEEN: dict[int, list[Seen]] = {}


def ran(trial: Trial, also: Callable[..., None] = lambda _event, _state: None, **options: object) -> Trial:
    """Run, and keep every wait with the line of progress that told it."""
    seen: list[Seen] = []
    lines: list[str] = []
    teller = Teller(lambda _at, node, text: lines.append(f"{node} {text}"))

    def watch(event: object, state: RunState) -> None:
        also(event, state)
        lines.clear()
        teller.on_event(event, state)
        told = " | ".join(lines)
        for node in state.nodes.values():
            if node.wait is not None and node.wait.name not in {wait.name for wait, _, _ in seen}:
                seen.append((node.wait, node.phase, told))

    trial.run(on_event=watch, **options)
    SEEN[id(trial)] = seen
    return trial


def isolated(facts: ClusterFacts) -> ClusterFacts:
    nodes = tuple(evolve(node, status_information=("Isolated",)) for node in facts.nodes)
    return evolve(facts, nodes=nodes)


def one_isolated(facts: ClusterFacts) -> ClusterFacts:
    first, *others = facts.nodes
    return evolve(facts, nodes=(evolve(first, status_information=("Isolated",)), *others))


def pending(facts: ClusterFacts) -> ClusterFacts:
    first, *others = facts.groups
    return evolve(facts, groups=(evolve(first, state=GroupState.PENDING), *others))


def trials() -> Iterator[Trial]:
    """Runs in which, together, everything that a run can wait for is waited for."""
    rough = scenario("drain-fails:NODE2,times=1", nodes=3, storage=True, quirks=True)
    slow = tuple(evolve(node, slow_service=3 * MINUTE) for node in rough.nodes)
    late = evolve(rough.durations, cluster_start=2 * MINUTE)
    trial = Trial(evolve(rough, nodes=slow, durations=late, quirks=Quirks(0.5, 0.5, 0.0, 0.2, 0.5)))
    yield ran(trial, ports=evolve(trial.ports, scripts=trial.memory.scripts), **SCRIPTS)
    yield ran(Trial(evolve(scenario("witness-offline", nodes=2), dynamic_quorum=False)))
    yield ran(Trial(scenario("restart-hangs:NODE2", nodes=2)), node_order=("NODE2",))
    trial = Trial(scenario(nodes=2))
    degraded = RemoteError("degraded.", node="NODE1", command="Suspend-ClusterNode", hresult=0x80071763)
    yield ran(trial, ports=evolve(trial.ports, cluster=Failing(trial.memory.cluster, {"suspend": [degraded]})))
    trial = Trial(scenario(nodes=2))
    silent = [NodeUnreachableError("nobody answers.", node="NODE1", address="x")] * 2
    yield ran(trial, ports=evolve(trial.ports, node=Failing(trial.memory.node, {"probe": silent})))
    trial = Trial(scenario(nodes=2))
    yield ran(trial, lambda _event, state: trial.switch.stop() if state.nodes else None)
    yield meddled(Phase.CHECKING, lambda facts: evolve(facts, backup_in_progress=True))
    yield meddled(Phase.CHECKING, isolated)
    yield meddled(Phase.CHECKING, one_isolated)
    yield meddled(Phase.CHECKING, pending)
    yield meddled(Phase.VERIFYING, lambda facts: facts, networks=())


@cache
def waits() -> dict[str, list[tuple[Trial, Seen]]]:
    """All waits by name, each with the run in which it was seen."""
    found: dict[str, list[tuple[Trial, Seen]]] = {}
    for trial in trials():
        for each in SEEN[id(trial)]:
            found.setdefault(each[0].name, []).append((trial, each))
    return found


def test_there_is_no_wait_beyond_those_that_are_known():
    assert set(WAIT_ADVICE) == set(waits())


@pytest.mark.parametrize("name", WAIT_ADVICE)
def test_a_wait_has_a_limit_a_reason_and_a_line_in_the_progress(name: str):
    for _, (wait, _, line) in waits()[name]:
        assert wait.limit is not None
        assert wait.reason
        assert wait.reason in line


@pytest.mark.parametrize("name", sorted(set(WAIT_ADVICE) - WORK))
def test_the_journal_tells_the_reason_of_a_wait(name: str):
    """What was waited for, why, since when and for how long at most is read from the journal alone."""
    trial, (wait, _, _) = waits()[name][0]
    told = [each for node in history_of(read_journal(trial.journal.content).events).nodes for each in node.waits]
    assert any((each.name, each.started, each.limit) == (name, wait.since, wait.limit) for each in told)
    assert all(each.reason for each in told if each.name == name)
