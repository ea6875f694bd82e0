"""The machine: ``step(state, event) -> (state, instructions)``, pure and total.

Whatever event comes in whatever state, there is an answer: an answer to a call that is not waited for any more is taken
as news of the cluster and decides nothing, a timer that does not run any more is nothing. Nothing here waits, reads a
clock, draws a number or touches the outside; the same events give the same states and instructions.

>>> state, instructions = step(RunState(), event)

The rules of each phase of a node stand in a module of their own; this one knows who is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from attrs import evolve

from cauctl.coordinator import machine_run as run_rules
from cauctl.coordinator.actions import (
    Action,
    Call,
    CheckGates,
    Instruction,
    RenewLease,
    RestartNode,
    StartTimer,
    SuspendNode,
)
from cauctl.coordinator.events import (
    Answer,
    CallFailed,
    ClusterChanged,
    ClusterObserved,
    Detached,
    Event,
    GatesChecked,
    JournalLost,
    LeaseRenewed,
    LockLost,
    NetworksSeen,
    RunRestored,
    RunStarted,
    RunTakenOver,
    StopRequested,
    TimerFired,
)
from cauctl.coordinator.machine_agent import AGENT
from cauctl.coordinator.machine_attempt import PROBING, close_attempt
from cauctl.coordinator.machine_drain import EMPTYING, SUSPENDING
from cauctl.coordinator.machine_gates import CHECKING, GUARDING
from cauctl.coordinator.machine_restart import RESTARTING, VERIFYING
from cauctl.coordinator.machine_resume import FAILING_BACK, RESUMING, STRANDED
from cauctl.coordinator.machine_scripts import POST_SCRIPT, PRE_SCRIPT
from cauctl.coordinator.problems import ProblemKind
from cauctl.coordinator.remembered import restored
from cauctl.coordinator.sight import came_up, completed, differing
from cauctl.coordinator.state import NodeWork, Pause, Pending, Phase, RunPhase, RunState, changed
from cauctl.coordinator.turn import Playbook, Rules, Turn, problem, settle_call
from cauctl.models.nodes import NodeState

__all__ = ["PLAYBOOK", "Machine", "machine_of", "pending_instructions", "step"]

Machine = Callable[[RunState, Event], tuple[RunState, tuple[Instruction, ...]]]
"""What gives the next state, and what is to be done, after an event."""

_HELD = frozenset(
    {Phase.EMPTYING, Phase.INSTALLING, Phase.RESCANNING, Phase.RESTAGING, Phase.GUARDING, Phase.RESTARTING}
    | {Phase.VERIFYING}
)
"""Phases in which a node is drained and paused by us."""
_OTHERS_PAUSE = "Somebody resumed the node during its turn and paused it again: the pause is theirs and stays."


def _rest(_turn: Turn, _node: NodeWork) -> None:
    """Nothing is done; the run decides what comes next."""


def _unasked(_turn: Turn, _node: NodeWork, _event: Event) -> None:
    """Nothing was asked, so no answer is due."""


_SEARCHES = frozenset({Phase.SCANNING, Phase.STAGING, Phase.RESCANNING, Phase.RESTAGING})
"""Work of the update agent that changes nothing: it can be done again."""
PLAYBOOK = Playbook(
    MappingProxyType(
        {
            Phase.IDLE: Rules(_rest, _unasked),
            Phase.PROBING: PROBING,
            Phase.SCANNING: AGENT,
            Phase.STAGING: AGENT,
            Phase.READY: Rules(_rest, _unasked),
            Phase.PRE_SCRIPT: PRE_SCRIPT,
            Phase.CHECKING: CHECKING,
            Phase.SUSPENDING: SUSPENDING,
            Phase.EMPTYING: EMPTYING,
            Phase.GUARDING: GUARDING,
            Phase.RESTARTING: RESTARTING,
            Phase.VERIFYING: VERIFYING,
            Phase.INSTALLING: AGENT,
            Phase.RESCANNING: AGENT,
            Phase.RESTAGING: AGENT,
            Phase.RESUMING: RESUMING,
            Phase.FAILING_BACK: FAILING_BACK,
            Phase.POST_SCRIPT: POST_SCRIPT,
            Phase.STRANDED: STRANDED,
            Phase.DONE: Rules(_rest, _unasked),
        }
    ),
    close=close_attempt,
)
"""What is done in each phase of a node."""


def machine_of(playbook: Playbook) -> Machine:
    """Give the machine that goes by a playbook."""

    def step(state: RunState, event: Event) -> tuple[RunState, tuple[Instruction, ...]]:
        """Give the state after the event, and what is to be done because of it."""
        if isinstance(event, RunRestored) and state.started is None:
            state = restored(event)
        elif isinstance(event, RunTakenOver) and state.detached:
            state = changed(state, detached=False)
        turn = Turn(state, event.at, playbook)
        if not state.over:
            _take(turn, event)
        return turn.result()

    return step


step = machine_of(PLAYBOOK)


def pending_instructions(state: RunState) -> tuple[Instruction, ...]:
    """Name what is outstanding: what a coordinator that takes over performs again."""
    of_run = (state.pending, state.renewal, state.watch)
    return (
        *(_again(each, None) for each in of_run if each),
        *(_again(node.pending, name) for name, node in state.nodes.items() if node.pending),
        *(StartTimer(alarm.number, until=alarm.until) for alarm in state.alarms),
    )


def _again(pending: Call | Pause, node: str | None) -> Instruction:
    return pending if isinstance(pending, Call) else StartTimer(pending.number, until=pending.until, node=node)


def _take(turn: Turn, event: Event) -> None:
    match event:
        case TimerFired():
            _timer(turn, event)
        case Answer():
            _answer(turn, event)
        case RunStarted():
            if turn.run.started is None:
                run_rules.start(turn, event)
        case StopRequested():
            turn.change(stop_asked=True)
            run_rules.stop_requested(turn, event)
        case JournalLost():
            run_rules.journal_lost(turn, event)
        case Detached():
            turn.change(detached=True)
        case RunTakenOver():
            _take_over(turn, event.owner, event.fence)
        case RunRestored():
            _take_over(turn, event.lock.owner, event.lock.fence, forgetful=True)
        case _:
            pass


def _take_over(turn: Turn, owner: str, fence: int, *, forgetful: bool = False) -> None:
    """Perform again what was pending, and say in the cluster whose the run is now.

    A node that was about to be paused and is paused was paused by us. Nobody looked while nobody was there: waits have
    their whole time again, and before a restart the gates are asked again. Who is forgetful, and does not know what a
    search or a download has told, begins it anew.
    """
    turn.change(owner=owner, fence=fence)
    if turn.run.lock is not None and turn.run.renewal is not None:
        turn.change(renewal=Call(turn.number(), action=RenewLease()))
    anew = [node.name for node in turn.nodes.values() if forgetful and node.phase in _SEARCHES]
    for node in tuple(turn.nodes.values()):
        pending = None if node.name in anew else _once_more(node)
        wait = evolve(node.wait, since=turn.at) if node.wait else None
        if node.pending is not None:
            turn.set(node, pending=pending, wait=wait, since=turn.at, trouble=None)
    turn.instructions.extend(pending_instructions(turn.result()[0]))
    for name in anew:
        turn.go(turn.nodes[name], turn.nodes[name].phase)


def _once_more(node: NodeWork) -> Pending | None:
    pending = node.pending
    if isinstance(pending, Call) and isinstance(pending.action, SuspendNode):
        return evolve(pending, action=evolve(pending.action, again=True))
    if isinstance(pending, Call) and isinstance(pending.action, RestartNode):
        return evolve(pending, action=CheckGates(node.name))
    return pending


# --- timers ----------------------------------------------------------------------------------------------------------


def _timer(turn: Turn, event: TimerFired) -> None:
    run = turn.run
    node = turn.nodes.get(event.node) if event.node is not None else None
    if node is not None:
        if isinstance(node.pending, Pause) and node.pending.number == event.timer:
            turn.call(node, node.pending.then)
    elif isinstance(run.pending, Pause) and run.pending.number == event.timer:
        turn.call_for_run(run.pending.then)
    elif isinstance(run.renewal, Pause) and run.renewal.number == event.timer:
        run_rules.renew(turn)
    elif isinstance(run.watch, Pause) and run.watch.number == event.timer:
        run_rules.watch(turn)
    else:
        for alarm in run.alarms:
            if alarm.number == event.timer:
                run_rules.alarm_rang(turn, alarm)


# --- answers ---------------------------------------------------------------------------------------------------------


def _answer(turn: Turn, event: Answer) -> None:
    _learn(turn, event)
    run = turn.run
    if isinstance(event, LockLost):
        _lock_lost(turn, event)
        return
    if event.call is None:
        return
    name = getattr(event, "node", None)
    if _answers(run.pending, event):
        _run_answered(turn, event, run.pending)
    elif _answers(run.renewal, event):
        _renewal_answered(turn, event)
    elif _answers(run.watch, event):
        run_rules.watched(turn, event)
    elif name is not None and (node := turn.nodes.get(name)) is not None and _answers(node.pending, event):
        _node_answered(turn, node, event)
    else:
        return
    if turn.moved:
        run_rules.advance(turn)


def _lock_lost(turn: Turn, event: LockLost) -> None:
    """Do nothing more; once all is done, nothing is left that could be done wrong.

    A renewal that crosses the release on its way finds no lock any more: that is as it should be.
    """
    if turn.run.phase is not RunPhase.RELEASING:
        turn.change(fenced=True, holder=event.holder)
    elif _answers(turn.run.pending, event):
        turn.change(phase=RunPhase.ENDED, ended=turn.at, pending=None)


def _answers(pending: Call | Pause | None, event: Answer) -> bool:
    """Say whether an event answers what is outstanding; a look that was due is answered by its timer's number."""
    return pending is not None and pending.number == event.call


def _run_answered(turn: Turn, event: Answer, pending: Call | Pause | None) -> None:
    if isinstance(event, CallFailed) and isinstance(pending, Call):
        run_rules.failed_run(turn, event, pending.action)
    else:
        run_rules.answered_run(turn, event)


def _renewal_answered(turn: Turn, event: Answer) -> None:
    if isinstance(event, LeaseRenewed):
        run_rules.renewed(turn, event)
    elif isinstance(event, CallFailed):
        run_rules.renewal_failed(turn, event)


def _node_answered(turn: Turn, node: NodeWork, event: Answer) -> None:
    pending, rules = node.pending, turn.playbook.phases[node.phase]
    if pending is None:
        return
    action = pending.action if isinstance(pending, Call) else pending.then
    if isinstance(event, CallFailed):
        rules.failed(turn, node, event, action)
        return
    rules.answered(turn, node, event)
    after = turn.nodes[node.name]
    if after.pending is pending:
        _misfit(turn, after, event, action)


def _misfit(turn: Turn, node: NodeWork, event: Answer, action: Action) -> None:
    """Treat an answer that does not fit its call as a failure of the call; no driver of ours gives one."""
    why = problem("UnexpectedAnswer", f"{type(action).__name__} was answered by {type(event).__name__}.")
    settle_call(turn, node, CallFailed(event.at, call=event.call, node=node.name, problem=why), action)


def _heed_hands(turn: Turn) -> None:
    """Notice who is resumed and paused by others during its turn: a pause that is not ours is not ours to end."""
    for node in tuple(turn.nodes.values()):
        if not node.paused_by_us or node.phase not in _HELD:
            continue
        state = turn.facts.node(node.name).state
        if state is NodeState.UP and not node.released:
            turn.set(node, released=True)
        elif state is NodeState.PAUSED and node.released:
            turn.set(turn.note(node, _OTHERS_PAUSE), paused_by_us=False)


def _learn(turn: Turn, event: Answer) -> None:
    """Take what an answer tells of the cluster, whoever asked.

    While nobody answers for the cluster any node may go and come back unseen: all that are Up then have only just come.
    """
    run = turn.run
    if isinstance(event, CallFailed):
        if event.problem.kind is ProblemKind.CLUSTER:
            turn.change(blind=True)
        return
    if isinstance(event, NetworksSeen) and (work := turn.nodes.get(event.node)) is not None:
        turn.keep(work, networks=event.up)
    elif isinstance(event, ClusterObserved):
        facts = completed(event.facts, turn.nodes)
        turn.change(facts=facts, came_up=came_up(run.came_up, run.facts, facts.nodes, event.at))
    elif isinstance(event, ClusterChanged) and run.facts is not None:
        turn.change(facts=differing(run.facts, event), came_up=came_up(run.came_up, run.facts, event.nodes, event.at))
    elif isinstance(event, GatesChecked):
        turn.change(storage=event.storage)
    if isinstance(event, (ClusterObserved, ClusterChanged)):
        _heed_hands(turn)
    if run.blind and isinstance(event, (ClusterObserved, ClusterChanged)):
        up = {node.name: event.at for node in turn.facts.nodes if node.state is NodeState.UP}
        turn.change(blind=False, came_up={**turn.run.came_up, **up})
