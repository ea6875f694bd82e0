"""Explains where a node of a run stands: what it waits for, what happened before, what to do about it.

All of it is read from the run's journal, so a run at work, a run that ended and a run whose coordinator died are
explained alike, without asking the cluster.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.coordinator.machine import step
from cauctl.coordinator.results import first_cause, install_results, run_status
from cauctl.coordinator.state import Phase, RunPhase, RunState
from cauctl.coordinator.story import Story
from cauctl.errors import InputError
from cauctl.models.enums import ResultCode
from cauctl.models.failure import FirstCause
from cauctl.models.hresult import hex_code, hresult
from cauctl.models.nodes import readable
from cauctl.models.run import TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.coordinator.events import Event
    from cauctl.coordinator.work import NodeWork, Waiting

__all__ = ["WAIT_ADVICE", "Explanation", "explain"]

WAIT_ADVICE: Final = {
    "AgentInstall": "Windows Update is at work; nothing needs to be done before its limit.",
    "AgentScan": "Windows Update searches; nothing needs to be done before its limit.",
    "AgentStage": "Windows Update downloads; nothing needs to be done before its limit.",
    "AgentStop": "Windows Update ends what it cannot interrupt; let it.",
    "Backup": "Let the backup of the cluster end; look at its software where it seems to hang.",
    "BootFinished": "The node still configures updates; let it, and look at its console where that takes very long.",
    "ClusterMembership": "Look at the node's Cluster service and networks (Get-ClusterNode, Get-ClusterNetwork).",
    "ClusterNetworks": "Look at the node's cluster networks (Get-ClusterNetworkInterface).",
    "ClusterService": "Look why the Cluster service of the node does not start (System event log).",
    "Drain": "Look which roles stay and why (Get-ClusterGroup); live migrations of large machines take their time.",
    "Failback": "Look why the roles do not return (Get-ClusterGroup); they run, if elsewhere.",
    "Health": "Bring back the node that is out of service, or evict it; nothing is taken down beside it.",
    "NextAttempt": "The node is tried again in a moment; nothing needs to be done.",
    "NodeAnswers": "Look whether the node answers PowerShell remoting (Test-WSMan), and at its console.",
    "NodeUp": "Look at the node (Get-ClusterNode); it is taken when it is Up.",
    "PostUpdateScript": "The script is at work; look at what it does where it takes longer than it should.",
    "PreUpdateScript": "The script is at work; look at what it does where it takes longer than it should.",
    "Quorum": "Bring back the witness or the nodes whose votes are missing (Get-ClusterQuorum, Get-ClusterNode).",
    "Restart": "Look at the node's console; updates can make a restart long.",
    "Resume": "Look at the node (Get-ClusterNode); Resume-ClusterNode brings it back by hand.",
    "RolesLeft": "Look why these roles cannot move: locked by a backup, no other possible owner, no memory elsewhere.",
    "RolesPending": "Look at the roles that are on their way (Get-ClusterGroup).",
    "Services": "Start these services, or set them to manual where they are not to run.",
    "ServicingIdle": "Servicing is at work on the node (TrustedInstaller, CBS.log); let it.",
    "SpaceDegraded": "Let the storage repair end (Get-StorageJob, Get-VirtualDisk).",
    "StorageRepair": "Let the storage repair end (Get-StorageJob, Get-VirtualDisk); else Repair-VirtualDisk.",
    "StorageSettled": "Storage is looked at several times in a row before it is believed; nothing needs to be done.",
    "Stranded": "Look at the node's console; as soon as it answers it is resumed and tried again.",
}
"""What to do about a wait, by its name."""


@frozen
class Explanation:
    """Where a node stands in a run."""

    cluster: str
    """Name of the cluster."""
    node: str = field(kw_only=True)
    """The node."""
    run_id: str = field(kw_only=True)
    """The run."""
    owner: str = field(kw_only=True)
    """The coordinator."""
    at: datetime = field(kw_only=True)
    """Moment of the last word in the journal: what is told is true of then."""
    outcome: str = field(kw_only=True)
    """What the node does, or how it ended, in one sentence."""
    run_over: bool = field(kw_only=True)
    """True when the run ended; False: it is at work, or its coordinator died."""
    coordinator_gone: bool = field(default=False, kw_only=True)
    """True when the run did not end and its coordinator is known to be gone."""
    first_cause: FirstCause | None = field(default=None, kw_only=True)
    """The first failure of the run; None: there was none."""
    waiting: str | None = field(default=None, kw_only=True)
    """What the node waits for, in one sentence; None: for nothing."""
    before: tuple[TimelineEntry, ...] = field(default=(), kw_only=True)
    """What happened to the node and to the run, in order."""
    failed_updates: tuple[str, ...] = field(default=(), kw_only=True)
    """Updates that failed, with code, meaning and advice, a sentence each."""
    advice: tuple[str, ...] = field(default=(), kw_only=True)
    """What to do, the most urgent first."""

    def lines(self) -> Iterator[str]:
        """Tell it to people."""
        yield f"{self.node} of {self.cluster}, run {self.run_id} of {self.owner}, as of {_moment(self.at)}"
        if (cause := self.first_cause) is not None:
            where = f" on {cause.node_name}" if cause.node_name else ""
            phase = f" while {cause.phase}" if cause.phase else ""
            when = f", {_moment(cause.timestamp)}" if cause.timestamp else ""
            yield f"First cause{where}{phase}{when}: {cause.error.message}"
        if self.coordinator_gone:
            yield "Its coordinator is gone; what follows is the last that it wrote."
        yield f"{'Then' if self.coordinator_gone else 'Now'}: {self.outcome}"
        if self.waiting:
            yield f"Waits for {self.waiting}"
        yield from (f"Failed: {each}" for each in self.failed_updates)
        if self.before:
            yield "What happened:"
            for each in self.before:
                mark = "! " if each.failure else ""
                yield f"  {_moment(each.timestamp)}  {mark}{each.text}"
        if self.advice:
            yield "What to do:"
            yield from (f"  - {each}" for each in self.advice)


def explain(events: Iterable[Event], node: str, *, coordinator_gone: bool = False) -> Explanation:
    """Explain a node from the events of a run's journal.

    Args:
        events: the events.
        node: name of the node, in any letter case.
        coordinator_gone: the process that wrote the journal is known to be gone.

    Raises:
        InputError: the run has no node of that name.
    """
    story, state = Story(), RunState()
    for event in events:
        state, _ = step(state, event)
        story.on_event(event, state)
    work = _find(state, node)
    history = story.history()
    cause = first_cause(state)
    gone = coordinator_gone and state.phase is not RunPhase.ENDED
    return Explanation(
        state.cluster,
        node=work.name,
        run_id=state.run_id,
        owner=state.owner,
        at=state.now or work.since,
        outcome=_outcome(work),
        run_over=state.phase is RunPhase.ENDED,
        coordinator_gone=gone,
        first_cause=cause,
        waiting=_waiting(work.wait, state.now) if work.wait else None,
        before=tuple(each for each in history.timeline if each.node_name in {None, work.name}),
        failed_updates=tuple(_failed_updates(work)),
        advice=tuple(dict.fromkeys(_advice(state, work, cause, gone=gone))),
    )


def _find(state: RunState, node: str) -> NodeWork:
    found = next((work for name, work in state.nodes.items() if name.casefold() == node.casefold()), None)
    if found is None:
        names = ", ".join(state.nodes) or "none yet"
        raise InputError(
            f"the run {state.run_id} of {state.cluster} has no node {node!r}.",
            where="node",
            expected=f"one of its nodes: {names}",
        )
    return found


def _outcome(work: NodeWork) -> str:
    attempt = f", attempt {work.attempt}" if work.attempt > 1 else ""
    paused = " It is paused by this run." if work.paused_by_us else ""
    if work.phase is Phase.DONE:
        return f"done: {work.record.status} since {_moment(work.since)}.{paused}"
    return f"{work.phase.status} ({work.phase.value}) since {_moment(work.since)}{attempt}.{paused}"


def _waiting(wait: Waiting, now: datetime | None) -> str:
    lasts = f" for {readable(now - wait.since)}" if now is not None else ""
    left = ""
    if wait.limit is not None and now is not None:
        rest = wait.limit - (now - wait.since)
        left = f", {readable(rest)} left" if rest.total_seconds() > 0 else ", its limit has come"
    limit = f" (at most {readable(wait.limit)}{left})" if wait.limit is not None else ""
    return f"{wait.name}{lasts}{limit}: {wait.reason}"


def _failed_updates(work: NodeWork) -> Iterator[str]:
    for result in install_results(work):
        if result.update_result_code is not ResultCode.FAILED:
            continue
        known = hresult(result.error_code)
        code = f"{hex_code(result.error_code)} {known.name}: {known.meaning}" if known else hex_code(result.error_code)
        yield f"{result.update_title}: {code}. {known.remedy.value if known else ''}".rstrip()


def _advice(state: RunState, work: NodeWork, cause: FirstCause | None, *, gone: bool) -> Iterator[str]:
    over = state.phase is RunPhase.ENDED
    if gone:
        recover = f"cauctl recover {state.cluster}"
        yield f"Look whether somebody has gone on with the run (cauctl status {state.cluster}); if not: {recover}."
    if over and work.paused_by_us:
        yield f"It is still paused by this run: cauctl recover {state.cluster} --abandon resumes it."
    if cause is not None and cause.error.advice:
        yield cause.error.advice
    yield from (each.problem.advice for each in work.record.causes if each.problem.advice)
    codes = [each.problem.hresult for each in work.record.causes] + [
        result.error_code for result in install_results(work) if result.update_result_code is ResultCode.FAILED
    ]
    yield from (known.remedy.value for code in codes if code and (known := hresult(code)))
    if not over and work.wait is not None:
        yield WAIT_ADVICE.get(work.wait.name, "Look at the node; the wait ends by itself or at its limit.")
    if over and not work.record.causes and not work.paused_by_us:
        yield f"Nothing: the run ended {run_status(state)}."
    if not over and not gone and state.detached:
        yield f"The coordinator left the run; cauctl recover {state.cluster} goes on once its lease has ended."


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
