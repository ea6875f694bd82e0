"""Looks that show nothing new are told to nobody, and nothing is lost by it."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cauctl.coordinator.actions import ObserveCluster, PollAgent
from cauctl.coordinator.events import AgentPolled, CallFailed, ClusterChanged, Event, StopReason
from cauctl.coordinator.machine import step
from cauctl.coordinator.news import following_look, is_news
from cauctl.coordinator.problems import Problem, ProblemKind
from cauctl.coordinator.state import NodeWork, Pause, RunState, changed
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentState
from tests.trial import Trial, scenario


@cache
def states() -> tuple[RunState, ...]:
    """Every state of a run with storage, quirks and a connection that breaks."""
    seen: list[RunState] = []
    trial = Trial(scenario("connection-cut:NODE2", nodes=3, storage=True, quirks=True))
    trial.run(on_event=lambda _event, state: seen.append(state))
    return tuple(seen)


def looking(state: RunState) -> list[NodeWork]:
    """Nodes at which is looked next."""
    return [node for node in state.nodes.values() if isinstance(node.pending, Pause) and node.pending.then.looks]


PASSING = Problem(ProblemKind.UNREACHABLE, message="nobody answers.", error_id="NodeUnreachable")


def answer(data: st.DataObject, state: RunState, node: NodeWork) -> Event:
    """An answer that tells little."""
    at = state.now + timedelta(seconds=data.draw(st.integers(0, 5000), label="after"))
    if isinstance(node.pending.then, PollAgent) and data.draw(st.booleans(), label="polled"):
        beat = AgentEvent(
            node.agent.after + 1,
            kind=data.draw(st.sampled_from([AgentEventKind.HEARTBEAT, AgentEventKind.HEARTBEAT, AgentEventKind.DONE])),
            at=at,
            message=data.draw(st.sampled_from([node.agent.at_work_on, "installing something else"])),
        )
        events = (beat,) * data.draw(st.integers(0, 1))
        working = data.draw(st.sampled_from([AgentState.RUNNING, AgentState.RUNNING, AgentState.LOST]))
        return AgentPolled(at, call=node.pending.number, node=node.name, state=working, events=events)
    return CallFailed(at, call=node.pending.number, node=node.name, problem=PASSING)


@given(st.data())
def test_what_is_no_news_changes_nothing_but_the_next_look(data):
    """So the machine decides the same whether it hears of it or not, and so does whoever replays the journal."""
    state = data.draw(st.sampled_from([each for each in states() if looking(each)]))
    node = data.draw(st.sampled_from(looking(state)))
    event = answer(data, state, node)
    if is_news(state, event):
        return
    after, instructions = step(state, event)
    next_look = following_look(state, node, event.at)
    assert [next_look] == [each.until for each in instructions]
    again = {node.name: changed(after.nodes[node.name], pending=node.pending)}
    same = changed(after, now=state.now, counter=state.counter, nodes={**after.nodes, **again})
    beats = getattr(event, "events", ())
    if beats:
        agent = changed(same.nodes[node.name].agent, after=node.agent.after)
        same = changed(same, nodes={**same.nodes, node.name: changed(same.nodes[node.name], agent=agent)})
    assert same == state


@pytest.mark.parametrize("kind", [AgentPolled, CallFailed])
def test_once_the_run_stops_every_answer_is_news(kind):
    """Nodes heed a stop at their next event."""
    state = next(
        each
        for each in states()
        for node in looking(each)
        if isinstance(node.pending.then, PollAgent) and node.wait is not None
    )
    node = next(node for node in looking(state) if isinstance(node.pending.then, PollAgent))
    facts = {"state": AgentState.RUNNING} if kind is AgentPolled else {"problem": PASSING}
    event = kind(state.now, call=node.pending.number, node=node.name, **facts)
    assert is_news(changed(state, stopping=StopReason.REQUESTED), event)


def test_the_cluster_unchanged_is_no_news_unless_it_was_out_of_sight():
    state = next(each for each in states() if each.watch is not None)
    event = ClusterChanged(state.now, call=state.watch.number, node=None)
    assert [False, True] == [is_news(state, event), is_news(changed(state, blind=True), event)]


def test_a_look_that_a_node_waits_for_is_news_also_when_nothing_differs():
    """Some phases count their looks."""
    state, node = next(
        (each, node) for each in states() for node in looking(each) if isinstance(node.pending.then, ObserveCluster)
    )
    assert is_news(state, ClusterChanged(state.now, call=node.pending.number, node=node.name))


class ShortSighted:
    """A virtual clock that does not tell when nothing will happen."""

    def __init__(self, trial: Trial) -> None:
        self.now, self.wait = trial.memory.clock.now, trial.memory.clock.wait


@pytest.mark.parametrize(
    "faults", [(), ("restart-hangs:NODE2",), ("connection-cut:*,after=1,lasts=600",), ("storage-stays-degraded",)]
)
def test_looks_that_are_left_out_would_have_shown_nothing(faults):
    """A clock with foresight makes a run quicker to simulate, never different."""
    seeing, looking = (Trial(scenario(*faults, nodes=3, storage=True, quirks=True)) for _ in range(2))
    seeing.run()
    looking.run(ports=evolve(looking.ports, clock=ShortSighted(looking)))
    assert looking.journal.content == seeing.journal.content


def test_no_timer_is_told_where_only_a_look_is_due():
    """Each look is one event, and only when it shows something."""
    events: list[Event] = []
    trial = Trial(scenario(nodes=2))
    trial.run(on_event=lambda event, _state: events.append(event))
    polls = [event for event in events if isinstance(event, AgentPolled)]
    assert [] == [event for event in polls if not event.events]
    timed = sum(type(event).__name__ == "TimerFired" for event in events)
    renewals = sum(type(event).__name__ == "LeaseRenewed" for event in events)
    assert timed <= renewals, "a lease is renewed by a timer, and when a checkpoint is due besides"
