"""A run that another process or another machine coordinates: watched, and asked to stop.

Both go through the lock of the run in the cluster, which its coordinator reads before each destructive step, with each
renewal of its lease and whenever it looks at the cluster. How far it has come is what its checkpoint says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cauctl.coordinator.takeover import HeldRun, find_run
from cauctl.errors import RunInterruptedError, StateError
from cauctl.models.enums import RunState
from cauctl.operations.access import connect
from cauctl.operations.coordinator_name import owner
from cauctl.operations.recover import heeded_later, status_through

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.models.options import GetRunOptions, StopRunOptions
    from cauctl.operations.access import Access, AskPassword, Connection
    from cauctl.operations.outcome import ClusterStatus

__all__ = ["stop_run", "watch_run"]

_LOOK: Final = timedelta(seconds=5)
"""Time between two looks at a run that is waited for."""


def watch_run(
    options: GetRunOptions,
    *,
    connection: Connection | None = None,
    ask_password: AskPassword | None = None,
    on_change: Callable[[ClusterStatus], None] | None = None,
) -> ClusterStatus:
    """Look at a cluster and its run, and wait for what the options ask for; give the last look.

    Args:
        options: Get-CauRun's parameters.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        ask_password: asked for a credential when no variable holds the password.
        on_change: called with each look at a run that is in progress and has come further since the one before.

    Raises:
        InputError, ClusterError, TransportError: as :func:`cauctl.operations.status`.
    """
    with connect(
        options.cluster_name, connection=connection, credential=options.credential, ask_password=ask_password
    ) as access:
        last: ClusterStatus | None = None
        while True:
            seen = status_through(access)
            at_work = seen.state is RunState.RUN_IN_PROGRESS
            if on_change is not None and at_work and (last is None or last.run != seen.run):
                on_change(seen)
            if not ((options.wait_for_start and not at_work) or (options.wait_for_completion and at_work)):
                return seen
            last = seen
            _pause(access)


def stop_run(
    options: StopRunOptions, *, connection: Connection | None = None, ask_password: AskPassword | None = None
) -> bool:
    """Ask the run that holds a cluster to stop: nothing new starts, the node in work is finished or undone.

    Returns:
        True when its coordinator has taken the request, or with ``wait`` when the run has ended. False when no run
        holds the cluster.

    Args:
        options: Stop-CauRun's parameters.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        ask_password: asked for a credential when no variable holds the password.

    Raises:
        RunInterruptedError: the coordinator of the run is dead; there is nobody to ask.
        StateError: the lock cannot be read as one of ours.
        InputError, ClusterError, TransportError: as :func:`cauctl.operations.status`.
    """
    with connect(
        options.cluster_name, connection=connection, credential=options.credential, ask_password=ask_password
    ) as access:
        held = _at_work(access)
        if held is None:
            return False
        run_id = held.lock.run_id
        while held is not None and held.lock.run_id == run_id and (options.wait or not _heeds(held)):
            if not held.lock.stop and not _ask(access, run_id):
                return True  # it has ended by itself meanwhile
            _pause(access)
            held = _at_work(access)
        return True


def _ask(access: Access, run_id: str) -> bool:
    """Ask a run to stop; False when it has ended. Who took it over at this very moment is asked at the next look."""
    try:
        access.cluster.request_stop(run_id, owner())
    except StateError:
        if _at_work(access) is None:
            return False
        raise
    return True


def _at_work(access: Access) -> HeldRun | None:
    """Find the run that holds the cluster; RunInterruptedError when nobody coordinates it any more."""
    held = find_run(access.cluster, access.clock.now())
    if held is not None and not held.alive:
        lock = held.lock
        raise RunInterruptedError(
            f"The run {lock.run_id} of {lock.owner} has no coordinator any more; its lease ended at "
            f"{lock.lease_until:%Y-%m-%d %H:%M} UTC.{heeded_later(lock)}",
            cluster=access.name,
            run_id=lock.run_id,
            owner=lock.owner,
            advice=f"Go on with it: cauctl recover {access.name}; to give it up add --abandon.",
        )
    return held


def _heeds(held: HeldRun) -> bool:
    return held.checkpoint is not None and held.checkpoint.stopping


def _pause(access: Access) -> None:
    access.clock.wait(access.clock.now() + _LOOK, lambda: False)
