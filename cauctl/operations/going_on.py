"""Going on with the run of a dead coordinator, to the end that it would have had.

From its journal, where that lies on this computer and may be followed; else from the checkpoint in the cluster. Either
way what was pending is performed again, and every action looks before it acts.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import evolve

from cauctl.coordinator.driver import Driver
from cauctl.coordinator.events import RunRestored, RunTakenOver
from cauctl.coordinator.journal import FileJournal, JournalHead
from cauctl.coordinator.output import OutputStream
from cauctl.coordinator.remembered import LOST_DETAILS
from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import RunPhase
from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.coordinator.takeover import clear_searches, find_run, make_sure_it_is_dead, take_over
from cauctl.errors import StateError
from cauctl.operations.access import connect
from cauctl.operations.coordinator_name import owner
from cauctl.operations.ending import conclude
from cauctl.operations.journals import journal_name, remembered, set_aside
from cauctl.operations.recover import give_up, nothing_to_recover
from cauctl.operations.run import each_to, ports_of, watchers, workers
from cauctl.operations.signals import heeding_signals
from cauctl.reports.store import ReportStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cauctl.coordinator.state import RunState
    from cauctl.coordinator.takeover import HeldRun
    from cauctl.models.credential import PSCredential
    from cauctl.models.nodes import LockRecord
    from cauctl.operations.access import Access, AskPassword, Connection
    from cauctl.operations.journals import Memory
    from cauctl.operations.outcome import RunOutcome
    from cauctl.operations.recover import Recovery
    from cauctl.ports import Observer

__all__ = ["go_on"]

_log = logging.getLogger(__name__)


def go_on(  # noqa: PLR0913  each is one thing that a caller may want to say
    cluster_name: str,
    *,
    connection: Connection | None = None,
    credential: PSCredential | None = None,
    ask_password: AskPassword | None = None,
    on_output: Callable[[Any], None] | None = None,
    on_progress: Callable[[str], None] | None = None,
    observer: Observer | None = None,
    on_signal: Callable[[str], None] | None = None,
    stop: StopSwitch | None = None,
    store: ReportStore | None = None,
) -> RunOutcome | Recovery:
    """Go on with the run that a dead coordinator left in a cluster, and store its report.

    A run that had ended but for a node that could not be resumed is given up instead: the node is resumed if it can be,
    and the lock given back. That, or that there is no run at all, is told as a :class:`Recovery`.

    Args:
        cluster_name: name of the cluster.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        credential: administrator of the nodes.
        ask_password: asked for a credential when no variable holds the password.
        on_output: called with each object as it is written; the ClusterResult comes last.
        on_progress: called with a sentence whenever something changes.
        observer: sees every event.
        on_signal: told what Ctrl-C and SIGTERM lead to; None: it is logged as a warning.
        stop: asked now and then whether to stop or to leave.
        store: where report and journal are kept; None: the user's state folder.

    Raises:
        RunInProgressError: its coordinator lives, or somebody else was faster.
        StateError: neither journal nor checkpoint can be used.
        InputError, ClusterError, TransportError: as :func:`cauctl.operations.status`.
    """
    shelves = store or ReportStore()
    with connect(cluster_name, connection=connection, credential=credential, ask_password=ask_password) as access:
        held = find_run(access.cluster, access.clock.now())
        if held is None:
            return nothing_to_recover(access, shelves)
        with remembered(shelves, held, access.name) as memory:
            if not memory.known_dead:
                held = make_sure_it_is_dead(access.cluster, access.clock, held, name=access.name, limits=Limits())
            if held is None:
                return nothing_to_recover(access, shelves)
            if held.left or (memory.state is not None and memory.state.phase is RunPhase.ENDED):
                return give_up(access, shelves, memory)
            written: list[Any] = []
            take = each_to(written, on_output)
            observers = [OutputStream(take), *watchers(on_progress, observer)]
            switch = stop or StopSwitch()
            with heeding_signals(switch, on_signal or _log.warning):
                state, path = _drive(access, shelves, held, memory, observers=observers, switch=switch)
    outcome = conclude(
        shelves, state, access, journal=path, written=written, take=take, switch=switch, notices=_notices(memory)
    )
    rest = () if outcome.detached else tuple(set_aside(shelves, access.name, but=None, account=access.account))
    return evolve(outcome, notices=(*outcome.notices, *rest))


def _notices(memory: Memory) -> tuple[str, ...]:
    if memory.journal is not None:
        return memory.complaints
    return (*memory.complaints, f"The run went on from its checkpoint; not known any more: {LOST_DETAILS}.")


def _drive(  # noqa: PLR0913  each is a part of the run
    access: Access,
    shelves: ReportStore,
    held: HeldRun,
    memory: Memory,
    *,
    observers: list[Observer],
    switch: StopSwitch,
) -> tuple[RunState, Path]:
    """Take the lock and go on; gives the end of the run and its journal."""
    if memory.journal is None:
        _can_be_restored(held)
    lock = take_over(access.cluster, access.clock, held, owner=owner(), name=access.name, limits=Limits())
    journal = memory.journal or _new_journal(access, shelves, lock)
    with workers() as executor:
        driver = Driver(ports_of(access), journal=journal, executor=executor, observers=tuple(observers), stop=switch)
        try:
            if memory.journal is not None and memory.state is not None:
                taken_over = RunTakenOver(access.clock.now(), owner=lock.owner, fence=lock.fence)
                return driver.go_on(memory.state, taken_over), journal.path
            return driver.restore(_restored(access, held, lock)), journal.path
        finally:
            journal.close()


def _can_be_restored(held: HeldRun) -> None:
    """Look before the lock is taken: what cannot be gone on with is left to its next finder as it is."""
    if held.checkpoint is not None and held.checkpoint.state is not None:
        return
    raise StateError(
        f"the checkpoint of the run {held.lock.run_id} does not say enough to go on with it.",
        advice="Go on where its journal lies, or give the run up: cauctl recover CLUSTER --abandon",
    )


def _new_journal(access: Access, shelves: ReportStore, lock: LockRecord) -> FileJournal:
    path = shelves.folder(access.name) / journal_name(lock.run_id, lock.fence)
    return FileJournal.create(path, JournalHead(access.name, run_id=lock.run_id))


def _restored(access: Access, held: HeldRun, lock: LockRecord) -> RunRestored:
    checkpoint = held.checkpoint
    if checkpoint is None or checkpoint.packed is None or checkpoint.state is None:
        raise ValueError(held)
    facts = access.cluster.observe()
    clear_searches(access.agent, checkpoint.state, (node.name for node in facts.nodes))
    return RunRestored(access.clock.now(), packed=checkpoint.packed, facts=facts, lock=evolve(lock, checkpoint=""))
