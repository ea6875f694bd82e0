"""The machine: pure, total, replayable."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cauctl.coordinator.actions import Call, SuspendNode
from cauctl.coordinator.events import (
    AgentBegun,
    AgentPolled,
    CallFailed,
    Detached,
    Event,
    FoundPaused,
    LockLost,
    MoveRequested,
    NodeProbed,
    RestartRequested,
    ResumeRequested,
    RunTakenOver,
    StopRequested,
    SuspendRequested,
    TimerFired,
)
from cauctl.coordinator.journal import read_journal
from cauctl.coordinator.machine import pending_instructions, step
from cauctl.coordinator.problems import Problem, ProblemKind
from cauctl.coordinator.state import NodeWork, Pause, Phase, RunState, changed
from cauctl.coordinator.story import replay
from cauctl.models.agent import AgentState
from tests.policy.facts import NOON
from tests.trial import Trial, scenario


@cache
def recorded() -> tuple[tuple[Event, ...], tuple[RunState, ...]]:
    """Events of a run with troubles, and the state that the run had after each."""
    trial = Trial(scenario("connection-cut:NODE2", "drain-fails:NODE1", nodes=2, storage=True, quirks=True), seed=3)
    states: list[RunState] = []
    trial.run(on_event=lambda _event, state: states.append(state))
    return read_journal(trial.journal.content).events, tuple(states)


def test_replaying_any_prefix_of_a_journal_gives_the_state_that_the_run_had_there():
    events, states = recorded()
    assert len(events) == len(states) > 500
    state = RunState()
    for event, had in zip(events, states, strict=True):
        state, _ = step(state, event)
        assert state == had


def test_replaying_all_of_it_gives_the_last_state():
    events, states = recorded()
    assert replay(events) == states[-1]


def test_an_answer_that_nobody_waits_for_decides_nothing():
    events, states = recorded()
    for event, state in zip(events[::37], states[::37], strict=True):
        after, instructions = step(state, evolve(event, at=state.now))
        assert instructions == () or isinstance(event, StopRequested)
        assert {name: node.phase for name, node in after.nodes.items()} == {
            name: node.phase for name, node in state.nodes.items()
        }


def test_of_each_node_at_most_one_thing_is_outstanding_and_an_unfinished_one_has_it():
    """So what to do after a crash is written in the state."""
    _, states = recorded()
    resting = {Phase.READY, Phase.DONE}
    for state in states:
        for node in state.nodes.values():
            assert (node.pending is None) == (node.phase in resting)


def test_taking_over_performs_again_what_was_pending():
    _, states = recorded()
    for state in states[5:-1:11]:
        taken = RunTakenOver(state.now, owner="bob", fence=2)
        after, instructions = step(state, taken)
        assert (after.owner, after.fence) == ("bob", 2)
        assert instructions == pending_instructions(after)
        assert {name: node.pending and node.pending.number for name, node in after.nodes.items()} == {
            name: node.pending and node.pending.number for name, node in state.nodes.items()
        }


def test_a_pause_that_was_only_intended_is_taken_for_ours_after_a_crash():
    """Otherwise a crash right after Suspend-ClusterNode would leave the node paused for good."""
    _, states = recorded()
    state = next(
        state
        for state in states
        if any(
            isinstance(node.pending, Call) and isinstance(node.pending.action, SuspendNode)
            for node in state.nodes.values()
        )
    )
    _, instructions = step(state, RunTakenOver(state.now, owner="bob", fence=2))
    suspends = [each.action for each in instructions if isinstance(each, Call) and isinstance(each.action, SuspendNode)]
    assert [each.again for each in suspends] == [True]


@pytest.mark.parametrize("end", [Detached(NOON), LockLost(NOON)])
def test_after_the_end_nothing_is_wanted_any_more(end):
    _, states = recorded()
    state, _ = step(states[200], end)
    assert state.over
    for event in recorded()[0][::50]:
        after, instructions = step(state, event)
        assert instructions == ()
        assert changed(after, now=state.now) == state


def test_a_field_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="NodeWork has no fase"):
        changed(NodeWork("N1", since=NOON), fase=Phase.DONE)


PROBLEMS = st.sampled_from(list(ProblemKind)).map(lambda kind: Problem(kind, message="m", error_id="E"))
NODES = st.sampled_from(["NODE1", "NODE2", "OTHER"])


@st.composite
def strange_events(draw: st.DrawFn, state: RunState) -> Event:
    """Any event: of the recorded run, or of a wrong kind for the call that it answers."""
    at = (state.now or NOON) + timedelta(seconds=draw(st.integers(0, 20_000)))
    if draw(st.booleans()):
        return evolve(draw(st.sampled_from(recorded()[0])), at=at)
    numbers = [each.number for each in pending_instructions(state)] or [0]
    call, node = draw(st.sampled_from([*numbers, 10**9])), draw(NODES)
    node = next((n.name for n in state.nodes.values() if n.pending and n.pending.number == call), node)
    kinds = [SuspendRequested, FoundPaused, ResumeRequested, MoveRequested, RestartRequested, AgentBegun]
    probes = [event for event in recorded()[0] if isinstance(event, NodeProbed)]
    return draw(
        st.one_of(
            st.sampled_from(kinds).map(lambda kind: kind(at, call=call, node=node)),
            st.sampled_from(probes).map(lambda probe: evolve(probe, at=at, call=call, node=node)),
            st.builds(CallFailed, st.just(at), call=st.just(call), node=st.just(node), problem=PROBLEMS),
            st.sampled_from(list(AgentState)).map(lambda now: AgentPolled(at, call=call, node=node, state=now)),
            st.just(TimerFired(at, timer=call, node=node if node in state.nodes else None)),
            st.just(StopRequested(at, by="x")),
        )
    )


@given(st.data())
def test_there_is_an_answer_to_every_event_in_every_state(data):
    """Design §4: the machine is total; and no node of the run is ever left with nothing outstanding."""
    states = recorded()[1]
    state = states[data.draw(st.integers(0, len(states) - 1), label="state")]
    for _ in range(data.draw(st.integers(1, 12), label="events")):
        state, instructions = step(state, data.draw(strange_events(state)))
        for instruction in instructions:
            assert instruction.number <= state.counter
        if not state.over:
            for node in state.nodes.values():
                assert node.pending is not None or node.phase in {Phase.READY, Phase.DONE}
                if isinstance(node.pending, Pause):
                    assert node.pending.until >= node.since
