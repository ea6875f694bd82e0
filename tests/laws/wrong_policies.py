"""Wrong policies, one or more for each law: each must be found out by the law that it breaks.

A policy is wrong in one place and right in all others. Where it decides wrongly, a phase of the machine has other
rules; where it trusts something that it should not trust, it sees the world, or acts on it, through other ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from types import MappingProxyType

from attrs import evolve

from cauctl.coordinator.actions import Instruction
from cauctl.coordinator.events import Event, FoundPaused, GatesChecked, SuspendRequested
from cauctl.coordinator.machine import PLAYBOOK, Machine, machine_of, step
from cauctl.coordinator.machine_attempt import close_attempt
from cauctl.coordinator.performer import Ports
from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import NodeWork, Phase, RunState, changed
from cauctl.coordinator.turn import Rules, Turn
from cauctl.lab.memory import MemoryAgent, Wire
from cauctl.lab.world import World
from cauctl.lab.world.agent_twin import AgentTwin
from cauctl.models.agent import AgentRequest
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import ClusterFacts, DrainStatus, GroupState, NodeState, StorageFacts
from tests.laws.course import Policy
from tests.trial import USER

__all__ = ["BREAKS", "WRONG"]

_FOR_EVER = timedelta(days=30)


# --- how a policy is made wrong --------------------------------------------------------------------------------------


def _with(phase: Phase, rules: Rules) -> Machine:
    """Give a machine with other rules in one phase."""
    return machine_of(evolve(PLAYBOOK, phases=MappingProxyType({**PLAYBOOK.phases, phase: rules})))


class _Through:
    """A port that is itself but for what a subclass says."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)


Facts = Callable[[ClusterFacts], ClusterFacts]


def _seeing(change: Facts, **others: object) -> Callable[[Ports, World], Ports]:
    """Give eyes that see another cluster than there is."""

    class Seen(_Through):
        def observe(self) -> ClusterFacts:
            return change(self._port.observe())

    for name, method in others.items():
        setattr(Seen, name, method)
    return lambda ports, _world: evolve(ports, cluster=Seen(ports.cluster))


def _nodes(facts: ClusterFacts, **changes: object) -> ClusterFacts:
    return evolve(facts, nodes=tuple(evolve(node, **changes) for node in facts.nodes))


# --- taking nodes down -----------------------------------------------------------------------------------------------


def _all_members(facts: ClusterFacts) -> ClusterFacts:
    """Take nodes that are down for running ones."""
    gone = {NodeState.DOWN, NodeState.JOINING}
    return evolve(
        facts,
        nodes=tuple(evolve(node, state=NodeState.UP) if node.state in gone else node for node in facts.nodes),
    )


def _all_vote(facts: ClusterFacts) -> ClusterFacts:
    """Count a vote for every node and the witness, whoever really has one."""
    quorum = facts.quorum
    return evolve(
        _nodes(facts, node_weight=1, dynamic_weight=1),
        quorum=evolve(quorum, witness_online=True, witness_weight=1),
    )


def _always_healthy(_cluster: object) -> StorageFacts:
    return StorageFacts()


def _drained_is_empty(facts: ClusterFacts) -> ClusterFacts:
    """Believe a drain that says Completed, whatever the owner list says."""
    drained = {node.name for node in facts.nodes if node.drain_status is DrainStatus.COMPLETED}
    elsewhere = next((node.name for node in facts.nodes if node.name not in drained), None)
    if elsewhere is None:
        return facts
    return evolve(
        facts,
        groups=tuple(
            evolve(group, owner_node=elsewhere) if group.owner_node in drained else group for group in facts.groups
        ),
    )


def _without_pausing() -> Machine:
    """Install, and restart, without pausing the node first."""

    def enter(turn: Turn, node: NodeWork) -> None:
        turn.go(turn.set(node, paused_by_us=False), Phase.INSTALLING)

    return _with(Phase.SUSPENDING, evolve(PLAYBOOK.phases[Phase.SUSPENDING], enter=enter))


class _Pretending:
    """Shows a node as paused and empty once it was to be paused, and pauses nothing.

    Args:
        ports: the world as it is.
        at_the_gates: already from the moment on at which the gates were asked.
    """

    def __init__(self, ports: Ports, *, at_the_gates: bool = False) -> None:
        self._begun: set[str] = set()
        pretending = self

        class Cluster(_Through):
            def observe(self) -> ClusterFacts:
                return pretending.paint(self._port.observe())

            def suspend(self, node: str, **_how: bool) -> None:
                pretending._begun.add(node)

            def will_offline_lose_quorum(self, node: str) -> bool:
                if at_the_gates:
                    pretending._begun.add(node)
                return self._port.will_offline_lose_quorum(node)

        self.ports = evolve(ports, cluster=Cluster(ports.cluster))

    def paint(self, facts: ClusterFacts) -> ClusterFacts:
        """Paint over what is not as it should be."""
        begun = {node.name for node in facts.nodes if node.name in self._begun and node.state is NodeState.UP}
        return evolve(
            facts,
            nodes=tuple(evolve(node, state=NodeState.PAUSED) if node.name in begun else node for node in facts.nodes),
            groups=tuple(group for group in facts.groups if group.owner_node not in begun),
        )


# --- pausing ---------------------------------------------------------------------------------------------------------


def _forget_to_resume() -> Machine:
    """Fail without undoing: the node stays as it was when it failed, and nobody speaks of it."""

    def enter(turn: Turn, node: NodeWork) -> None:
        if node.failing is not None:
            close_attempt(turn, turn.set(node, paused_by_us=False))
        else:
            PLAYBOOK.phases[Phase.RESUMING].enter(turn, node)

    return _with(Phase.RESUMING, evolve(PLAYBOOK.phases[Phase.RESUMING], enter=enter))


def _take_every_pause_for_ours() -> Machine:
    """Go on with a node that somebody else has paused meanwhile as if we had."""
    rules = PLAYBOOK.phases[Phase.SUSPENDING]

    def answered(turn: Turn, node: NodeWork, event: Event) -> None:
        if isinstance(event, FoundPaused):
            event = SuspendRequested(event.at, call=event.call, node=event.node)
        rules.answered(turn, node, event)

    def checked(turn: Turn, node: NodeWork, event: Event) -> None:
        paused = turn.facts.node(node.name).state is NodeState.PAUSED
        if isinstance(event, GatesChecked) and paused:
            turn.go(node, Phase.SUSPENDING, paused_by_us=True)
        else:
            PLAYBOOK.phases[Phase.CHECKING].answered(turn, node, event)

    checking = evolve(PLAYBOOK.phases[Phase.CHECKING], answered=checked)
    phases = {**PLAYBOOK.phases, Phase.SUSPENDING: evolve(rules, answered=answered), Phase.CHECKING: checking}
    return machine_of(evolve(PLAYBOOK, phases=MappingProxyType(phases)))


# --- installing ------------------------------------------------------------------------------------------------------


class _StaleTwin(AgentTwin):
    """An agent that installs what it was told to, without a search of its own."""

    def _each(self, found: list[object]) -> Iterator[object]:
        stale = self._machine.world.scenario.catalogue
        return super()._each([*found, *(each for each in stale if each.key in self.request.updates)])


def _stale(ports: Ports, world: World) -> Ports:
    return evolve(ports, agent=MemoryAgent(Wire(world, USER), _StaleTwin))


def _believe_the_installer() -> Machine:
    """Take what was installed with success for there: no search after it, however the restart went."""

    def enter(turn: Turn, node: NodeWork) -> None:
        turn.go(turn.keep(node, updates=()), Phase.RESUMING)

    return _with(Phase.RESCANNING, evolve(PLAYBOOK.phases[Phase.RESCANNING], enter=enter))


# --- what is left ----------------------------------------------------------------------------------------------------


def _stopping(ports: Ports, world: World) -> Ports:
    """Stop roles to fail them back, and start none again."""

    class Cluster(_Through):
        def resume(self, node: str, *, failback: FailbackType) -> None:
            self._port.resume(node, failback=failback)
            for group in world.cluster.roles:
                if group.target == node and group.wanted and not group.core:
                    group.state, group.target, group.moves = GroupState.OFFLINE, None, group.moves + 1

        def move_group(self, group: str, node: str) -> None:
            """Nothing."""

    return evolve(ports, cluster=Cluster(ports.cluster))


class _Keeping(_Through):
    """Forgets to give the lock back."""

    def release_lock(self, run_id: str) -> None:
        """Nothing."""


class _Untidy(_Through):
    """Leaves its task behind."""

    def collect(self, node: str, request: AgentRequest) -> None:
        """Nothing."""


# --- what is said ----------------------------------------------------------------------------------------------------


def _last_cause_wins() -> Machine:
    """Overwrite the first cause with each later one."""

    def wrong(state: RunState, event: Event) -> tuple[RunState, tuple[Instruction, ...]]:
        after, instructions = step(state, event)
        causes = [node.record.causes[-1] for node in after.nodes.values() if node.record.causes]
        if after.first_cause is None or not causes:
            return after, instructions
        return changed(after, first_cause=max(causes, key=lambda cause: cause.at)), instructions

    return wrong


_luck = count()


def _choose_without_a_seed() -> Machine:
    """Draw lots that no seed decides: the order of the turns depends on what was run before."""
    lot = next(_luck)

    def wrong(state: RunState, event: Event) -> tuple[RunState, tuple[Instruction, ...]]:
        after, instructions = step(state, event)
        if after.order and not state.order and lot % 2:
            after = changed(after, order=after.order[::-1])
        return after, instructions

    return wrong


# --- all of them -----------------------------------------------------------------------------------------------------

_PATIENT = Limits(verify=_FOR_EVER, gates=_FOR_EVER, storage=_FOR_EVER, stranded=_FOR_EVER, drain=_FOR_EVER)

BREAKS: dict[str, tuple[str, Policy]] = {
    policy.name: (law, policy)
    for law, policy in (
        (
            "one-domain",
            Policy(
                "takes nodes that are down for running ones",
                eyes=_seeing(_all_members, storage=_always_healthy),
                options={"force_drain": True},
            ),
        ),
        (
            "resync",
            Policy(
                "takes storage for healthy, and insists",
                eyes=_seeing(lambda facts: facts, storage=_always_healthy),
                options={"force_drain": True},
            ),
        ),
        (
            "votes",
            Policy(
                "counts votes that nobody has",
                eyes=_seeing(_all_vote, will_offline_lose_quorum=lambda _cluster, _node: False),
            ),
        ),
        ("roles", Policy("believes a drain that says Completed", eyes=_seeing(_drained_is_empty))),
        ("restart-paused", Policy("only pretends to pause", eyes=lambda ports, _world: _Pretending(ports).ports)),
        ("left-paused", Policy("fails without undoing", machine=_forget_to_resume)),
        ("others-pauses", Policy("takes every pause for its own", machine=_take_every_pause_for_ours)),
        ("offered", Policy("installs by a stale scan", eyes=_stale)),
        (
            "install-paused",
            Policy(
                "installs without pausing",
                machine=_without_pausing,
                eyes=lambda ports, _world: _Pretending(ports, at_the_gates=True).ports,
            ),
        ),
        ("success", Policy("believes the installer", machine=_believe_the_installer)),
        ("homeless", Policy("stops roles to fail them back", eyes=_stopping)),
        (
            "lock",
            Policy("keeps the lock", eyes=lambda ports, _world: evolve(ports, cluster=_Keeping(ports.cluster))),
        ),
        (
            "leftovers",
            Policy("tidies nothing up", eyes=lambda ports, _world: evolve(ports, agent=_Untidy(ports.agent))),
        ),
        ("first-cause", Policy("lets the last cause win", machine=_last_cause_wins)),
        ("end", Policy("waits for ever", options={"reboot_timeout": _FOR_EVER, "limits": _PATIENT})),
        ("same-run", Policy("draws lots without a seed", machine=_choose_without_a_seed)),
    )
}
"""By name of the policy: the law that must find it, and the policy."""

WRONG = {name: policy for name, (_, policy) in BREAKS.items()}
"""The policies by name."""
