"""Taking a run over: whose it is, whether its coordinator is dead for certain, and the lock.

Rules kept here:

* The end of a lease is a time by the clock of whoever wrote it, and clocks differ. So the end by our own clock is only
  the first condition; after it the record is watched for longer than a living coordinator lets pass between two
  renewals, by our clock alone. One change in that time, and the coordinator lives.
* Watching is left out where death is known: the coordinator said that it left, or the caller knows that its process is
  gone.
* Of two that take over at the same time the cluster lets one through: it creates each fencing counter's group once.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from cauctl.coordinator.actions import Call, CollectAgent
from cauctl.coordinator.checkpoint import Checkpoint, read_checkpoint
from cauctl.errors import CauError, RunInProgressError, StateError
from cauctl.models.agent import AgentOperation
from cauctl.models.nodes import LockRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cauctl.coordinator.settings import Limits
    from cauctl.coordinator.state import NodeWork, RunState
    from cauctl.ports import Clock, Cluster, UpdateAgent

__all__ = ["HeldRun", "clear_searches", "find_run", "make_sure_it_is_dead", "take_over", "taken_over_by"]


@frozen
class HeldRun:
    """The run that holds a cluster."""

    lock: LockRecord
    """Its lock."""
    alive: bool = field(kw_only=True)
    """True while its lease lasts by our clock: a coordinator is at work, as far as one look tells."""
    checkpoint: Checkpoint | None = field(default=None, kw_only=True)
    """How far it had got; None where that cannot be read."""

    @property
    def left(self) -> bool:
        """True where its coordinator said that it leaves the lock behind."""
        return self.checkpoint is not None and self.checkpoint.left


def find_run(cluster: Cluster, now: datetime) -> HeldRun | None:
    """Say which run holds the cluster; None when it is free. StateError when the lock is none of ours."""
    lock = cluster.read_lock()
    if lock is None:
        return None
    try:
        checkpoint = read_checkpoint(lock.checkpoint)
    except StateError:
        checkpoint = None
    return HeldRun(lock, alive=lock.lease_until > now, checkpoint=checkpoint)


def make_sure_it_is_dead(cluster: Cluster, clock: Clock, held: HeldRun, *, name: str, limits: Limits) -> HeldRun | None:
    """Watch the lock of a run until its coordinator is dead for certain; give the run, None when it ended meanwhile.

    Args:
        cluster: the cluster.
        clock: our own clock.
        held: the run, as it was found.
        name: name of the cluster, for the error.
        limits: how long is watched.

    Raises:
        RunInProgressError: its coordinator lives.
    """
    if held.left:
        return held
    lock, now = held.lock, clock.now()
    ahead = lock.lease_until - now
    if limits.lease >= ahead > timedelta():
        raise _lives(lock, name)
    # A lease that ends later than any lease lasts was written by a clock that is ahead of ours.
    until = now + (limits.vigil if ahead <= limits.lease else limits.lease)
    while clock.now() < until:
        clock.wait(min(until, clock.now() + limits.watch), lambda: False)
        found = find_run(cluster, clock.now())
        if found is None:
            return None
        if evolve(found.lock, stop=lock.stop) != lock:
            raise _lives(found.lock, name)
        held = evolve(held, lock=found.lock)
    return held


def take_over(  # noqa: PLR0913  each is a fact of the lock or of who takes it
    cluster: Cluster, clock: Clock, held: HeldRun, *, owner: str, name: str, limits: Limits
) -> LockRecord:
    """Take the lock of a dead coordinator; gives our record of it. Who asked it to stop asks us.

    Raises:
        RunInProgressError: somebody else was faster.
        StateError: the run was taken over too often.
    """
    lock = held.lock
    ours = evolve(lock, owner=owner, fence=lock.fence + 1, lease_until=clock.now() + limits.lease)
    holder = cluster.take_over_lock(ours)
    if holder is None:
        return ours
    raise taken_over_by(holder, lock, name)


def clear_searches(agent: UpdateAgent, state: RunState, nodes: Iterable[str]) -> None:
    """Remove what the searches and downloads of a dead coordinator left on nodes, for one that begins them anew.

    Where an installation may be under way nothing is removed. A node that does not answer is left as it is: what is
    there is removed when the next search begins on it.
    """
    for name in nodes:
        node = state.nodes.get(name)
        if node is not None and _may_install(node):
            continue
        with suppress(CauError):
            if state.run_id in agent.leftovers(name):
                agent.remove_leftovers(name, state.run_id)


def _may_install(node: NodeWork) -> bool:
    collecting = isinstance(node.pending, Call) and isinstance(node.pending.action, CollectAgent)
    installing = node.agent is not None and node.agent.request.operation is AgentOperation.INSTALL
    return installing and not collecting


def taken_over_by(holder: LockRecord | None, lost: LockRecord, name: str) -> RunInProgressError:
    """Say that a run which we were about to recover, or recovered, is somebody else's by now."""
    other = holder is not None and holder.owner != lost.owner
    return RunInProgressError(
        f"The lock of the run {lost.run_id} was taken over by {holder.owner if holder and other else 'somebody else'}.",
        cluster=name,
        owner=holder.owner if holder and other else "",
        since=holder.acquired.isoformat() if holder else None,
        advice="Nothing more was done here; look at the cluster again.",
    )


def _lives(lock: LockRecord, name: str) -> RunInProgressError:
    return RunInProgressError(
        f"The run {lock.run_id} of {lock.owner} is at work since {lock.acquired:%Y-%m-%d %H:%M} UTC; its lease lasts "
        f"until {lock.lease_until:%H:%M:%S} UTC.",
        cluster=name,
        owner=lock.owner,
        since=lock.acquired.isoformat(),
        advice="Stop it there, or wait until its lease has ended.",
    )
