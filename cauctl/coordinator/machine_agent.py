"""Windows Update work on a node: search, download, installation, and the search for what came newly.

The agent works on its own; losing the connection loses nothing, and the coordinator goes on reading where it was: as
long as the other nodes see the node as a member, up to the limit of the work, else as long as a restart may take. Work
has failed when the agent says so, when it passes its limit (it is told to stop first), or when it is gone while the
node never restarted. An agent that is gone because the node restarted under it is followed by the proof of that restart
and a new search.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.actions import (
    Action,
    BeginAgent,
    Call,
    CancelAgent,
    CollectAgent,
    ObserveCluster,
    PollAgent,
    ProbeNode,
)
from cauctl.coordinator.events import (
    AgentBegun,
    AgentCancelled,
    AgentCollected,
    AgentPolled,
    CallFailed,
    ClusterChanged,
    ClusterObserved,
    Event,
    NodeProbed,
)
from cauctl.coordinator.machine_attempt import cancel, heard, restarted, stop_problem
from cauctl.coordinator.machine_gates import empty_again
from cauctl.coordinator.machine_updates import CONCLUDED, take_outcomes
from cauctl.coordinator.state import AgentWork, NodeWork, Phase, RestartRecord, Trouble, changed
from cauctl.coordinator.turn import Rules, Turn, problem, settle_call
from cauctl.models.agent import (
    AgentEvent,
    AgentEventKind,
    AgentOperation,
    AgentRequest,
    AgentState,
    UpdateKey,
)
from cauctl.models.hresult import Remedy, hex_code, hresult
from cauctl.models.nodes import NodeState, readable
from cauctl.models.updates import WINDOWS_UPDATE_PLUGIN
from cauctl.policy.selection import batches

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from cauctl.coordinator.problems import Problem

__all__ = ["AGENT"]

_OPERATION: Mapping[Phase, AgentOperation] = MappingProxyType(
    {
        Phase.SCANNING: AgentOperation.SCAN,
        Phase.STAGING: AgentOperation.STAGE,
        Phase.INSTALLING: AgentOperation.INSTALL,
        Phase.RESCANNING: AgentOperation.SCAN,
        Phase.RESTAGING: AgentOperation.STAGE,
    }
)

_DOING: Mapping[AgentOperation, str] = MappingProxyType(
    {
        AgentOperation.SCAN: "scan for applicable updates",
        AgentOperation.STAGE: "stage updates",
        AgentOperation.INSTALL: "install updates",
    }
)

_LAST_WORDS = frozenset({AgentEventKind.DONE, AgentEventKind.FAILED, AgentEventKind.CANCELLED})
_HOPELESS = frozenset({Remedy.CONFIGURE, Remedy.CORRECT, Remedy.REPORT, Remedy.REPAIR, Remedy.SKIP})


def _enter(turn: Turn, node: NodeWork) -> None:
    operation = _OPERATION[node.phase]
    node = _stamp_start(turn, node)
    settings = turn.settings
    request = AgentRequest(
        f"{turn.run.run_id}-{turn.run.fence}-{turn.number()}",
        run_id=turn.run.run_id,
        operation=operation,
        query=settings.query,
        include_recommended=settings.include_recommended,
        updates=_keys(node),
    )
    node = turn.wait_for(
        node, f"Agent{operation.value}", f"Windows Update: {operation.value.lower()}", _limit(turn, node)
    )
    turn.call(node, BeginAgent(node.name, request=request), agent=AgentWork(request))


def _keys(node: NodeWork) -> tuple[UpdateKey, ...]:
    if node.phase in {Phase.SCANNING, Phase.RESCANNING}:
        return ()
    if node.phase is Phase.INSTALLING:
        return batches(node.record.updates)[0]
    return tuple(update.key for update in node.record.updates)


def _stamp_start(turn: Turn, node: NodeWork) -> NodeWork:
    if node.phase is Phase.SCANNING:
        return turn.stamp(node, scan_start=turn.at)
    if node.phase is Phase.STAGING:
        return turn.stamp(node, stage_start=turn.at)
    if node.phase is Phase.INSTALLING:
        return turn.keep(turn.stamp(node, install_start=turn.at), round=node.record.round + 1)
    return node


def _limit(turn: Turn, node: NodeWork) -> timedelta:
    limits = turn.limits
    return {
        AgentOperation.SCAN: limits.scan,
        AgentOperation.STAGE: limits.stage,
        AgentOperation.INSTALL: limits.install,
    }[_OPERATION[node.phase]]


# --- while it works --------------------------------------------------------------------------------------------------


def _answered(turn: Turn, node: NodeWork, event: Event) -> None:
    agent = node.agent
    if agent is None:
        return
    if isinstance(event, (ClusterObserved, ClusterChanged)):
        if not (_was_to_begin(node) and empty_again(turn, node)):
            _seen_by_others(turn, node, agent)
        return
    node = turn.calm(node)
    match event:
        case AgentBegun():
            _poll_later(turn, node, agent)
        case AgentPolled():
            heard_of = _fold(agent, event.events)
            node = node if heard_of is agent else turn.set(node, agent=heard_of)
            _polled(turn, node, heard_of, event.state)
        case AgentCancelled():
            agent = changed(agent, cancelled=True)
            node = turn.wait_for(node, "AgentStop", "Windows Update was told to stop", turn.limits.agent_stop)
            _poll_later(turn, turn.set(node, agent=agent), agent)
        case NodeProbed():
            _probed(turn, node, agent, event)
        case AgentCollected():
            _collected(turn, node, agent)
        case _:
            pass


def _was_to_begin(node: NodeWork) -> bool:
    """Say whether a look at the cluster is the answer to work that was to begin on a drained node."""
    pending = node.pending
    return isinstance(pending, Call) and isinstance(pending.action, BeginAgent)


def _poll_later(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    since = node.wait.since if node.wait else node.since
    turn.look_later(node, PollAgent(node.name, request=agent.request, after=agent.after), since=since)


def _polled(turn: Turn, node: NodeWork, agent: AgentWork, state: AgentState) -> None:
    if state is AgentState.FINISHED:
        turn.call(node, CollectAgent(node.name, request=agent.request))
    elif state is AgentState.LOST:
        turn.call(node, ProbeNode(node.name), agent=changed(agent, lost=True))
    elif agent.cancelled and turn.waited_out(node):
        turn.fail(node, problem("AgentStuck", f"Windows Update on {node.name} did not stop when it was told to."))
    elif not agent.cancelled and (turn.waited_out(node) or _unwanted(turn, node)):
        turn.call(node, CancelAgent(node.name, request=agent.request))
    else:
        doing = agent.at_work_on
        _poll_later(turn, turn.wait_for(node, node.wait.name, doing, None) if node.wait and doing else node, agent)


def _unwanted(turn: Turn, node: NodeWork) -> bool:
    """Say whether the run stops before the node's turn has begun."""
    return turn.stopping and node.phase in {Phase.SCANNING, Phase.STAGING}


def _fold(agent: AgentWork, events: tuple[AgentEvent, ...]) -> AgentWork:
    if not events:
        return agent
    found, outcomes = list(agent.found), {outcome.key: outcome for outcome in agent.outcomes}
    not_offered, ending, doing, after = list(agent.not_offered), agent.ending, agent.at_work_on, agent.after
    for event in events:
        if event.sequence <= after:
            continue
        after = event.sequence
        if event.update is not None and event.kind is AgentEventKind.FOUND:
            found.append(event.update)
        elif event.outcome is not None:
            outcomes[event.outcome.key] = event.outcome
        elif event.kind is AgentEventKind.NOT_OFFERED and event.key is not None:
            not_offered.append(event.key)
        elif event.kind in _LAST_WORDS:
            ending = event
        doing = event.message or doing
    return changed(
        agent,
        after=after,
        found=tuple(found),
        outcomes=tuple(outcomes.values()),
        not_offered=tuple(not_offered),
        ending=ending,
        at_work_on=doing,
    )


def _probed(turn: Turn, node: NodeWork, agent: AgentWork, event: NodeProbed) -> None:
    last, again = node.record.probe, restarted(turn, node, event)
    node = heard(turn, node, event)
    if again and last is not None:
        record = RestartRecord(turn.at, boot_time=last.boot_time, reason="the node restarted by itself", ours=False)
        node = turn.keep(node, restarts=(*node.record.restarts, record))
    agent = changed(agent, restarted=again)
    turn.call(node, CollectAgent(node.name, request=agent.request), agent=agent)


def _failed(turn: Turn, node: NodeWork, event: CallFailed, action: Action) -> None:
    agent = node.agent
    if agent is not None and isinstance(action, CollectAgent):
        _collect_failed(turn, node, event, agent)
    elif not event.problem.kind.passing or not node.phase.at_work:
        settle_call(turn, node, event, action)
    elif isinstance(action, (PollAgent, ProbeNode)):
        _out_of_sight(turn, node, event)
    elif isinstance(action, ObserveCluster) and agent is not None:
        _cut_off(turn, node, agent)
    else:
        settle_call(turn, node, event, action)


def _collect_failed(turn: Turn, node: NodeWork, event: CallFailed, agent: AgentWork) -> None:
    """Leave the agent's files to the next run rather than fail a node for them."""
    count = node.trouble.count + 1 if node.trouble else 1
    if count >= turn.limits.tries or not event.problem.kind.passing:
        node = turn.note(turn.calm(node), "Files of the update agent are left on the node.")
        _collected(turn, node, agent)
        return
    trouble = Trouble(event.problem, since=turn.at, count=count)
    again = CollectAgent(node.name, request=agent.request)
    turn.call_at(node, turn.at + turn.limits.retry_interval, again, trouble=trouble)


def _out_of_sight(turn: Turn, node: NodeWork, event: CallFailed) -> None:
    """Ask the other nodes about a node that does not answer while it works."""
    trouble = node.trouble or Trouble(event.problem, since=turn.at, count=0)
    trouble = evolve(trouble, count=trouble.count + 1)
    turn.call_at(node, turn.at + turn.limits.retry_interval, ObserveCluster(node.name), trouble=trouble)


def _cut_off(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    """Wait when nobody answers at all: nothing says that the node is lost."""
    trouble, poll = node.trouble, PollAgent(node.name, request=agent.request, after=agent.after)
    if trouble is not None and turn.waited_out(node):
        turn.fail(node, trouble.first)
    else:
        turn.look_later(node, poll, trouble=trouble and evolve(trouble, since=turn.at))


def _seen_by_others(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    """Wait as long as the node is a member, or may be restarting: the work goes on, or an update restarts it."""
    trouble, limits = node.trouble, turn.limits
    poll = PollAgent(node.name, request=agent.request, after=agent.after)
    if trouble is None:
        turn.call(node, poll)
        return
    member = turn.facts.node(node.name).state in {NodeState.UP, NodeState.PAUSED}
    patience = max(limits.unreachable, turn.settings.reboot_timeout)
    if turn.waited_out(node) or (not member and turn.at - trouble.since >= patience):
        silence = f"{node.name} has not answered for {readable(turn.at - trouble.since)}"
        turn.fail(node, evolve(trouble.first, message=f"{silence}: {trouble.first.message}"))
        return
    since = turn.at if member else trouble.since
    turn.look_later(node, poll, trouble=evolve(trouble, since=since))


# --- when it is over -------------------------------------------------------------------------------------------------


def _collected(turn: Turn, node: NodeWork, agent: AgentWork) -> None:
    node = take_outcomes(turn, node, agent)
    if _unwanted(turn, node):
        cancel(turn, node, stop_problem(turn.run))
    elif agent.restarted and node.phase.at_work:
        turn.go(turn.set(node, agent=None), Phase.VERIFYING)
    elif agent.ending is not None and agent.ending.kind is AgentEventKind.DONE:
        CONCLUDED[node.phase](turn, node, agent)
    else:
        turn.fail(node, _why(turn, node, agent))


def _why(turn: Turn, node: NodeWork, agent: AgentWork) -> Problem:
    operation = agent.request.operation
    if agent.restarted:
        return problem("NodeRestarted", f"{node.name} restarted while it was to {_DOING[operation]}.")
    if agent.ending is None:
        return problem("AgentLost", f"The update agent of {node.name} ended without a word; the node did not restart.")
    if agent.cancelled or agent.ending.kind is AgentEventKind.CANCELLED:
        limit = readable(_limit(turn, node))
        return problem(
            f"{operation.value}Timeout",
            f"Windows Update on {node.name} was told to stop: it took more than {limit} to {_DOING[operation]}.",
        )
    return _reported(node, operation, agent.ending)


def _reported(node: NodeWork, operation: AgentOperation, ending: AgentEvent) -> Problem:
    """Say a failure that Windows Update reported, in the words of CAU."""
    code = ending.hresult
    known = hresult(code) if code is not None else None
    reason = f"{known.name}: {known.meaning}" if known else ending.message or "no reason was given"
    digits = f"{hex_code(code)}, " if code is not None else ""
    return problem(
        f"{operation.value}Failed",
        f"The {WINDOWS_UPDATE_PLUGIN} plug-in reported a failure while attempting to {_DOING[operation]} on node "
        f'"{node.name}": {digits}{reason}.',
        advice=known.remedy.value if known else None,
        hresult=code,
        final=known is not None and known.remedy in _HOPELESS,
    )


AGENT = Rules(_enter, _answered, _failed)
