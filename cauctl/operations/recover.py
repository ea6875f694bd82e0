"""A cluster as it is now, and cleaning up after a coordinator that died in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from attrs import evolve, field, frozen

from cauctl.coordinator.performer import Ports
from cauctl.coordinator.recovery import Abandonment, abandon
from cauctl.coordinator.takeover import HeldRun, find_run
from cauctl.errors import CauError, StateError
from cauctl.models.enums import RunState
from cauctl.models.results import CauNode
from cauctl.models.run import CauRun, NodeStatusNotification
from cauctl.operations.access import connect
from cauctl.operations.coordinator_name import owner
from cauctl.operations.journals import remembered, set_aside
from cauctl.operations.outcome import ClusterStatus, ExitCode
from cauctl.reports.store import ReportStore

if TYPE_CHECKING:
    from cauctl.models.credential import PSCredential
    from cauctl.models.nodes import LockRecord
    from cauctl.operations.access import Access, AskPassword, Connection
    from cauctl.operations.journals import Memory

__all__ = [
    "Recovery",
    "give_up",
    "heeded_later",
    "interrupted_notice",
    "nothing_to_recover",
    "recover",
    "status",
    "status_through",
]


@frozen
class Recovery:
    """What cleaning up did."""

    abandonment: Abandonment
    """What was done, and what could not be."""
    exit_code: ExitCode = field(kw_only=True)
    """SUCCEEDED, NODE_NOT_RESUMED, or FAILED when something else is left."""

    @property
    def done(self) -> tuple[str, ...]:
        """What was done, a sentence each."""
        return self.abandonment.done

    @property
    def failures(self) -> tuple[str, ...]:
        """What could not be done, a sentence each."""
        return self.abandonment.failures


def status(
    cluster_name: str,
    *,
    connection: Connection | None = None,
    credential: PSCredential | None = None,
    ask_password: AskPassword | None = None,
) -> ClusterStatus:
    """Look at a cluster: its nodes, and whether a run holds it.

    Raises:
        InputError: no entry node is known.
        ClusterError: no node speaks for the cluster.
        TransportError: no node could be reached.
    """
    with connect(cluster_name, connection=connection, credential=credential, ask_password=ask_password) as access:
        return status_through(access)


def status_through(access: Access) -> ClusterStatus:
    """Look at a cluster that is connected; see :func:`status`."""
    facts = access.cluster.observe()
    try:
        held = find_run(access.cluster, access.clock.now())
    except StateError as error:
        return ClusterStatus(RunState.RUN_FAILED, facts=facts, notices=(str(error),))
    if held is None:
        return ClusterStatus(RunState.RUN_NOT_IN_PROGRESS, facts=facts)
    state = RunState.RUN_IN_PROGRESS if held.alive else RunState.RUN_FAILED
    notices = () if held.alive else (_interrupted(facts.name, held),)
    return ClusterStatus(state, facts=facts, run=_run(held), lock=held.lock, notices=notices)


def recover(
    cluster_name: str,
    *,
    connection: Connection | None = None,
    credential: PSCredential | None = None,
    ask_password: AskPassword | None = None,
    store: ReportStore | None = None,
) -> Recovery:
    """Give up the run of a dead coordinator: resume what it paused, clean the nodes, give its lock back.

    Journals that it and earlier runs left on this computer become the journals of reports.

    Raises:
        RunInProgressError: its coordinator is still at work.
        StateError: its checkpoint cannot be read.
        InputError, ClusterError, TransportError: as :func:`status`.
    """
    shelves = store or ReportStore()
    with connect(cluster_name, connection=connection, credential=credential, ask_password=ask_password) as access:
        held = find_run(access.cluster, access.clock.now())
        if held is None:
            return nothing_to_recover(access, shelves)
        with remembered(shelves, held, access.name) as memory:
            return give_up(access, shelves, memory)


def give_up(access: Access, shelves: ReportStore, memory: Memory) -> Recovery:
    """Give up the run that holds a cluster that is connected."""
    ports = Ports(cluster=access.cluster, node=access.node, agent=access.agent, clock=access.clock)
    result = abandon(ports, owner=owner(), name=access.name, known_dead=memory.known_dead)
    if memory.journal is not None:
        memory.journal.close()
    holder = access.cluster.read_lock() if result.unresumed or result.failures else None
    tidied = tuple(set_aside(shelves, access.name, but=holder.run_id if holder else None, account=access.account))
    code = ExitCode.FAILED if result.failures else ExitCode.SUCCEEDED
    return Recovery(
        evolve(result, done=(*result.done, *tidied)),
        exit_code=ExitCode.NODE_NOT_RESUMED if result.unresumed else code,
    )


def nothing_to_recover(access: Access, shelves: ReportStore) -> Recovery:
    """Say that no run holds the cluster, and tidy up what earlier ones left on this computer."""
    tidied = set_aside(shelves, access.name, but=None, account=access.account)
    return Recovery(Abandonment(done=("No run holds the cluster.", *tidied)), exit_code=ExitCode.SUCCEEDED)


def interrupted_notice(access: Access) -> tuple[str, ...]:
    """A sentence about a dead run that holds the cluster, for whoever does something else there."""
    try:
        held = find_run(access.cluster, access.clock.now())
    except CauError as error:
        return (f"Whether a run holds the cluster could not be seen: {error.message}",)
    return (_interrupted(access.name, held),) if held is not None and not held.alive else ()


def heeded_later(lock: LockRecord) -> str:
    """Say what becomes of a request to stop that a dead coordinator was made; empty where there was none."""
    return f" It was asked to stop by {lock.stop}; who goes on with it stops it." if lock.stop else ""


def _interrupted(cluster: str, held: HeldRun) -> str:
    lock = held.lock
    paused = held.checkpoint.paused if held.checkpoint else ()
    left = f" It may have left paused: {', '.join(paused)}." if paused else ""
    return (
        f"The run {lock.run_id} of {lock.owner} was interrupted; its lease ended at {lock.lease_until:%Y-%m-%d %H:%M} "
        f"UTC.{left}{heeded_later(lock)} To go on with it: cauctl recover {cluster}; to give it up: "
        f"cauctl recover {cluster} --abandon"
    )


def _run(held: HeldRun) -> CauRun | None:
    checkpoint = held.checkpoint
    if checkpoint is None:
        return None
    return CauRun(
        UUID(held.lock.run_id),
        run_start_time=checkpoint.started,
        current_orchestrator=held.lock.owner.partition("@")[2].partition(" ")[0],
        node_status_notifications=tuple(
            NodeStatusNotification(CauNode(mark.name), status=mark.phase.status, timestamp=mark.since)
            for mark in checkpoint.nodes
        ),
        cancel_pending=checkpoint.stopping,
    )
