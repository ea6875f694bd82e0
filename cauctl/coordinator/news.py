"""Which answers tell something, and which only that all is as it was.

A run looks at its nodes thousands of times, and most looks show what the one before showed. Such an answer changes
nothing but the time of the next look; the driver repeats the look without telling anybody, and neither the machine nor
the journal hears of it. Where a look counts (samples of storage, proofs after a restart), where a limit has been
reached, and once the run stops, every answer is news.

The rules are those of the machine: an answer that is no news changes nothing in its state but what is outstanding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.events import AgentPolled, CallFailed, ClusterChanged
from cauctl.coordinator.state import Pause, Phase
from cauctl.models.agent import AgentEventKind, AgentState
from cauctl.policy.pacing import next_look

if TYPE_CHECKING:
    from datetime import datetime

    from cauctl.coordinator.events import Answer
    from cauctl.coordinator.state import NodeWork, RunState

__all__ = ["following_look", "is_news", "limit_of", "on_watch"]

_MANY = 10
"""Heartbeats that are read again and again at most, for want of anything else."""


def is_news(run: RunState, event: Answer) -> bool:
    """Say whether the machine must hear of an answer."""
    if isinstance(event, ClusterChanged):
        return not _nothing_differs(run, event)
    node = run.nodes.get(getattr(event, "node", None) or "")
    if node is None or not isinstance(node.pending, Pause) or node.pending.number != event.call:
        return True
    if run.stopping is not None or (limit := limit_of(node)) is None or event.at >= limit:
        return True
    if isinstance(event, AgentPolled):
        return node.trouble is not None or not _works_on(node, event)
    if isinstance(event, CallFailed):
        return node.phase is not Phase.RESTARTING or not event.problem.kind.passing
    return True


def _nothing_differs(run: RunState, event: ClusterChanged) -> bool:
    """Say whether a look for no node's sake, or one beside another answer, saw the cluster as it was."""
    for_itself = event.call is None or on_watch(run, event.call)
    return for_itself and not run.blind and not event.nodes and not event.groups and event.quorum is None


def _works_on(node: NodeWork, event: AgentPolled) -> bool:
    """Say whether the node's agent is at what it was at, and whoever watches has been told so."""
    agent, wait = node.agent, node.wait
    if agent is None or wait is None or event.state is not AgentState.RUNNING or len(event.events) >= _MANY:
        return False
    doing = agent.at_work_on
    if doing and doing != wait.reason:
        return False
    return all(each.kind is AgentEventKind.HEARTBEAT and each.message in {"", doing} for each in event.events)


def on_watch(run: RunState, number: int | None) -> bool:
    """Say whether this is the number of the look that is made where nobody else has looked for a while."""
    return run.watch is not None and run.watch.number == number and run.phase.is_watched


def limit_of(node: NodeWork) -> datetime | None:
    """Give the moment from which on each look at a waiting node is news; None without a wait."""
    wait = node.wait
    return wait.since + wait.limit if wait is not None and wait.limit is not None else None


def following_look(run: RunState, node: NodeWork, at: datetime) -> datetime:
    """Give when the look after the one at ``at`` comes, as the machine would."""
    limits = run.settings.limits
    since = node.wait.since if node.wait is not None and node.agent is not None else node.since
    return next_look(at, since=since, shortest=limits.poll, longest=limits.poll_longest)
