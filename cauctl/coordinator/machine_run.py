"""The run as a whole: may it begin, whose turn is it, when is it over.

Before anything is touched, the cluster is looked at, the options are held against it, other coordinators are looked for
and the lock is taken; each of these can refuse the run. Then all nodes scan and stage at once; then they are updated,
one at a time. The run ends when every node has a result; the lock is given back, or, where a node could not be resumed,
left without a lease, so that whoever comes next is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve

from cauctl.coordinator.actions import (
    AcquireLock,
    Action,
    CheckInterlock,
    LeaveLock,
    ObserveCluster,
    ReleaseLock,
    RenewLease,
)
from cauctl.coordinator.events import (
    Answer,
    CallFailed,
    ClusterChanged,
    ClusterObserved,
    InterlockChecked,
    JournalLost,
    LeaseRenewed,
    LockAcquired,
    LockFoundHeld,
    LockReleased,
    RunStarted,
    StopReason,
    StopRequested,
)
from cauctl.coordinator.machine_attempt import begin_attempt, cancel, stop_problem
from cauctl.coordinator.machine_gates import paused_by_others
from cauctl.coordinator.machine_one_node import meet_the_one
from cauctl.coordinator.machine_scripts import begin_turn
from cauctl.coordinator.option_faults import option_faults
from cauctl.coordinator.problems import Problem, ProblemKind
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import Alarm, NodeWork, Pause, Phase, Refusal, RefusalKind, RunPhase, Trouble
from cauctl.coordinator.stop import stop, stop_in_time
from cauctl.coordinator.turn import Turn, problem
from cauctl.models.enums import SummaryStatus
from cauctl.models.nodes import ClusterFacts, ForeignCoordinator, LockRecord, NodeState, readable
from cauctl.policy.budget import default_max_failed_nodes
from cauctl.policy.order import update_order

__all__ = [
    "advance",
    "alarm_rang",
    "answered_run",
    "failed_run",
    "journal_lost",
    "renew",
    "renewal_failed",
    "renewed",
    "say_foreign",
    "start",
    "stop_requested",
    "watch",
    "watched",
]

_MEMBERS = frozenset({NodeState.UP, NodeState.PAUSED})
_FAILED = frozenset({SummaryStatus.FAILED, SummaryStatus.PARTIALLY_FAILED})


def start(turn: Turn, event: RunStarted) -> None:
    """Take down what was asked for, and look at the cluster."""
    turn.change(
        run_id=event.run_id,
        cluster=event.cluster,
        owner=event.owner,
        started=event.at,
        settings=event.settings,
        phase=RunPhase.OBSERVING,
    )
    turn.call_for_run(ObserveCluster())


# --- may it begin ----------------------------------------------------------------------------------------------------


def answered_run(turn: Turn, event: Answer) -> None:
    """Take the answer to a call of the run itself."""
    turn.change(pending=None, trouble=None)
    match event:
        case ClusterObserved() | ClusterChanged():
            _observed(turn)
        case InterlockChecked():
            _interlock(turn, event.foreign)
        case LockAcquired():
            _locked(turn, event.record)
        case LockFoundHeld():
            _held(turn, event.record)
        case LockReleased():
            turn.change(phase=RunPhase.ENDED, ended=turn.at)
        case _:
            pass


def _observed(turn: Turn) -> None:
    facts, settings = turn.facts, turn.settings
    if not _same_cluster(turn.run.cluster, facts):
        message = f"The nodes that answer for {turn.run.cluster} belong to the cluster {facts.name}."
        _refuse(turn, RefusalKind.CLUSTER, problem("WrongCluster", message, category="InvalidArgument"))
        return
    faults = list(option_faults(settings, facts))
    offline = [f"{node.name} is {node.state.value}" for node in facts.nodes if node.state not in _MEMBERS]
    if faults:
        why = problem("InvalidArgument", " ".join(faults), category="InvalidArgument", advice="Nothing was touched.")
        _refuse(turn, RefusalKind.OPTIONS, why)
    elif settings.require_all_nodes_online and offline:
        message = f"RequireAllNodesOnline was asked for: {'; '.join(offline)}."
        _refuse(turn, RefusalKind.NODES, problem("NodesOffline", message, category="ResourceUnavailable"))
    else:
        failed = settings.max_failed_nodes
        failed = default_max_failed_nodes(len(facts.nodes)) if failed is None or failed < 0 else failed
        turn.change(cluster=facts.name, max_failed_nodes=failed)
        if settings.purpose is Purpose.SCAN:
            turn.change(phase=RunPhase.PREPARING)
            _meet_all(turn)
        else:
            turn.change(phase=RunPhase.INTERLOCK)
            turn.call_for_run(CheckInterlock())


def _same_cluster(asked: str, facts: ClusterFacts) -> bool:
    return asked.casefold() in {facts.name.casefold(), f"{facts.name}.{facts.domain}".casefold()}


def _interlock(turn: Turn, foreign: tuple[ForeignCoordinator, ...]) -> None:
    if not foreign:
        turn.change(phase=RunPhase.LOCKING)
        turn.call_for_run(AcquireLock())
        return
    others = "; ".join(say_foreign(each) for each in foreign)
    why = problem(
        "RunInProgress",
        f"{turn.run.cluster} is updated by another coordinator: {others}.",
        advice="Let it end (Get-CauRun), or switch self-updating off for the time of the run (Disable-CauClusterRole).",
        category="ResourceBusy",
    )
    _refuse(turn, RefusalKind.IN_PROGRESS, why, owner=foreign[0].owner)


def say_foreign(foreign: ForeignCoordinator) -> str:
    """Name another coordinator for people: what it is, whose, where, and when it starts next."""
    start = f", next start {foreign.next_start:%Y-%m-%d %H:%M} UTC" if foreign.next_start else ""
    return f"{foreign.kind} {foreign.owner} on {foreign.node}{start}"


def _held(turn: Turn, record: LockRecord) -> None:
    run = turn.run
    if record.lease_until > turn.at:
        message = f"{run.cluster} is being updated by {record.owner} since {record.acquired:%Y-%m-%d %H:%M} UTC."
        advice = f"Wait until it ends, or see cauctl status {run.cluster}."
        why = problem("RunInProgress", message, advice=advice, category="ResourceBusy")
        _refuse(turn, RefusalKind.IN_PROGRESS, why, holder=record, owner=record.owner)
        return
    message = (
        f"The run {record.run_id} of {record.owner} on {run.cluster} was interrupted; its lease ended "
        f"{readable(turn.at - record.lease_until)} ago."
    )
    advice = f"Go on with it: cauctl recover {run.cluster}; or give it up: cauctl recover {run.cluster} --abandon"
    why = problem("RunFailed", message, advice=advice, category="InvalidOperation")
    _refuse(turn, RefusalKind.INTERRUPTED, why, holder=record, owner=record.owner)


def _refuse(turn: Turn, kind: RefusalKind, why: Problem, *, holder: LockRecord | None = None, owner: str = "") -> None:
    refusal = Refusal(kind, problem=why, holder=holder, owner=owner)
    turn.change(refusal=refusal, phase=RunPhase.ENDED, ended=turn.at, pending=None)


def _locked(turn: Turn, record: LockRecord) -> None:
    run = turn.run
    started = run.started or turn.at
    turn.change(lock=record, fence=record.fence, phase=RunPhase.PREPARING)
    limits = (("StopAfter", run.settings.stop_after), ("WarnAfter", run.settings.warn_after))
    alarms = tuple(_alarm(turn, name, started + after) for name, after in limits if after is not None)
    until = turn.at + turn.limits.renewal
    turn.change(alarms=alarms, renewal=Pause(turn.timer(until), until=until, then=RenewLease()))
    watch_later(turn)
    if run.settings.purpose.one_node:
        meet_the_one(turn)
    else:
        _meet_all(turn)


def _meet_all(turn: Turn) -> None:
    turn.moved = True
    for node in turn.facts.nodes:
        _meet(turn, NodeWork(node.name, since=turn.at), node.state)


def _alarm(turn: Turn, name: str, until: datetime) -> Alarm:
    return Alarm(turn.timer(until), name=name, until=until)


def _meet(turn: Turn, node: NodeWork, state: NodeState) -> None:
    """Begin with a node, or leave it alone where it is not Up."""
    scan = turn.settings.purpose is Purpose.SCAN
    if state is NodeState.UP or (scan and state is NodeState.PAUSED):
        begin_attempt(turn, node)
    elif state is NodeState.PAUSED:
        cancel(turn, turn.set(node), paused_by_others(node.name))
    else:
        message = f"{node.name} is {state.value}; it was left alone."
        advice = "Bring it back and start another run to update it."
        why = problem("NodeNotOnline", message, advice=advice, category="ResourceUnavailable", final=True)
        cancel(turn, turn.set(node), why)


# --- whose turn is it ------------------------------------------------------------------------------------------------


def advance(turn: Turn) -> None:
    """Go on when what was waited for is done: nodes prepared, a node finished, all finished."""
    if turn.run.phase is RunPhase.PREPARING and _all_settled(turn):
        if turn.settings.purpose is Purpose.SCAN:
            turn.change(phase=RunPhase.ENDED, ended=turn.at)
        else:
            _prepared(turn)
    if turn.run.phase is RunPhase.UPDATING:
        _heed_failures(turn)
        if _all_settled(turn):
            _next_turn(turn)


def _all_settled(turn: Turn) -> bool:
    return all(node.phase in {Phase.READY, Phase.DONE} for node in turn.nodes.values())


def _prepared(turn: Turn) -> None:
    places = update_order(turn.facts, requested=turn.settings.node_order, by_site=turn.settings.site_order)
    known = {node.name for node in turn.facts.nodes}
    order = (*(place.node for place in places), *(name for name in turn.nodes if name not in known))
    turn.change(order=order, phase=RunPhase.UPDATING)
    if turn.settings.require_all_nodes_online:
        _require_all(turn)


def _require_all(turn: Turn) -> None:
    silent = [node for node in turn.nodes.values() if node.failing and _transport(node.failing.problem)]
    if silent:
        message = f"RequireAllNodesOnline was asked for: {silent[0].name} could not be reached."
        stop(turn, StopReason.NODES_OFFLINE, problem("NodesOffline", message, category="ResourceUnavailable"))


def _transport(why: Problem) -> bool:
    return why.kind.hopeless or (why.kind.passing and why.kind is not ProblemKind.CLUSTER)


def _heed_failures(turn: Turn) -> None:
    failed = [node.name for node in turn.nodes.values() if node.record.status in _FAILED]
    allowed = turn.run.max_failed_nodes
    if len(failed) <= allowed:
        return
    why = problem(
        "MaxFailedNodesExceeded",
        f"Failed: {', '.join(failed)}. MaxFailedNodes allows {allowed}; the run ends.",
        category="LimitsExceeded",
        final=True,
    )
    stop(turn, StopReason.FAILED_NODES, why)


def _next_turn(turn: Turn) -> None:
    ready = [turn.nodes[name] for name in turn.run.order if turn.nodes[name].phase is Phase.READY]
    if ready and not turn.stopping:
        begin_turn(turn, ready[0])
        return
    for node in ready:
        cancel(turn, node, stop_problem(turn.run))
    stranded = any(node.paused_by_us for node in turn.nodes.values()) and turn.settings.purpose is Purpose.UPDATE
    turn.change(phase=RunPhase.RELEASING)
    turn.call_for_run(LeaveLock() if stranded else ReleaseLock())


# --- what happens besides --------------------------------------------------------------------------------------------


def stop_requested(turn: Turn, event: StopRequested) -> None:
    """Let nothing new start; nodes notice at their next event. Who asked from elsewhere reads it in the checkpoint."""
    if isinstance(turn.run.renewal, Pause):
        renew(turn)
    by = f" by {event.by}" if event.by else ""
    stop(
        turn,
        StopReason.REQUESTED,
        problem("RunCanceled", f"The run was asked to stop{by}.", category="OperationStopped"),
    )


def journal_lost(turn: Turn, event: JournalLost) -> None:
    """Let nothing new start where it cannot be remembered."""
    why = problem(
        "JournalLost",
        f"The run cannot go on without its memory: {event.message}",
        advice="Make room where reports are kept, then start another run.",
        category="WriteError",
    )
    stop(turn, StopReason.UNSAFE, why)


def alarm_rang(turn: Turn, alarm: Alarm) -> None:
    """Stop, or warn, when the run takes long."""
    turn.change(alarms=tuple(each for each in turn.run.alarms if each.number != alarm.number))
    if alarm.name == "WarnAfter":
        turn.change(warned=True)
        return
    stop_in_time(turn)


def renew(turn: Turn) -> None:
    """Say that we live; while the lock is given back there is nothing to renew."""
    if turn.run.phase is not RunPhase.RELEASING:
        turn.change(renewal=turn.new_call(RenewLease()))


def renewed(turn: Turn, event: LeaseRenewed) -> None:
    """Take down the new lease; renew it again in time."""
    lock, until = turn.run.lock, turn.at + turn.limits.renewal
    lock = evolve(lock, lease_until=event.until) if lock else None
    turn.change(lock=lock, renewal=Pause(turn.timer(until), until=until, then=RenewLease()))


def renewal_failed(turn: Turn, event: CallFailed) -> None:
    """Try again soon; destructive steps look at the lock by themselves. A refused credential is not tried again."""
    if event.problem.kind.hopeless:
        turn.change(renewal=None)
        stop(turn, StopReason.UNSAFE, event.problem)
        return
    until = turn.at + turn.limits.retry_interval
    turn.change(renewal=Pause(turn.timer(until), until=until, then=RenewLease()))


def watch(turn: Turn) -> None:
    """Look at the cluster where nobody has for a while: what happens to other nodes must not be missed."""
    run = turn.run
    if not run.phase.is_watched:
        turn.change(watch=None)
        return
    due = turn.facts.observed + turn.limits.watch
    if due <= turn.at:
        turn.change(watch=turn.new_call(ObserveCluster()))
    else:
        _watch_at(turn, due)


def watched(turn: Turn, event: Answer) -> None:
    """Look again in time, unless the credential was refused: it is not tried again."""
    if isinstance(event, CallFailed) and event.problem.kind.hopeless:
        turn.change(watch=None)
        stop(turn, StopReason.UNSAFE, event.problem)
    else:
        watch_later(turn)


def watch_later(turn: Turn) -> None:
    """Look at the cluster again in time."""
    _watch_at(turn, turn.at + turn.limits.watch)


def _watch_at(turn: Turn, until: datetime) -> None:
    turn.change(watch=Pause(turn.timer(until), until=until, then=ObserveCluster()))


def failed_run(turn: Turn, event: CallFailed, action: Action) -> None:
    """Try a call of the run itself again; give up before anything is touched, or leave the lock to recovery."""
    run, limits, why = turn.run, turn.limits, event.problem
    trouble = run.trouble or Trouble(why, since=turn.at, count=0)
    trouble = evolve(trouble, count=trouble.count + 1)
    releasing = run.phase is RunPhase.RELEASING
    patience = limits.unreachable if releasing else timedelta()
    worn_out = trouble.count >= limits.tries and turn.at - trouble.since >= patience
    if why.kind.passing and not worn_out:
        until = turn.at + limits.retry_interval
        turn.change(trouble=trouble, pending=Pause(turn.timer(until), until=until, then=action))
    elif releasing:
        turn.change(phase=RunPhase.ENDED, ended=turn.at, pending=None, lock_left=True)
    else:
        _refuse(turn, RefusalKind.CLUSTER, trouble.first)
