"""An Updating Run, and the scan of a cluster."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from attrs import evolve

from cauctl.coordinator.driver import Driver
from cauctl.coordinator.events import RunStarted
from cauctl.coordinator.journal import FileJournal, JournalHead, MemoryJournal
from cauctl.coordinator.option_faults import option_faults
from cauctl.coordinator.output import OutputStream
from cauctl.coordinator.performer import Ports
from cauctl.coordinator.settings import scan_settings, update_settings
from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.errors import CauError
from cauctl.models.validation import raise_faults
from cauctl.operations.access import connect
from cauctl.operations.coordinator_name import owner
from cauctl.operations.ending import conclude, refused
from cauctl.operations.outcome import RunOutcome, ScanResult, failure_of
from cauctl.operations.recover import interrupted_notice
from cauctl.operations.signals import heeding_signals
from cauctl.operations.telling import Teller
from cauctl.reports.store import ReportStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cauctl.coordinator.settings import RunSettings
    from cauctl.coordinator.state import RunState
    from cauctl.models.options import ScanOptions, UpdatingRunOptions
    from cauctl.models.updates import UpdateInfo
    from cauctl.operations.access import Access, AskPassword, Connection
    from cauctl.ports import Journal, Observer

__all__ = ["each_to", "ports_of", "run", "scan", "scanned", "watchers", "workers"]

_log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 64
"""Calls under way at the same time: one for each node that a cluster may have."""


def scan(  # noqa: PLR0913  each is one thing that a caller may want to say
    options: ScanOptions,
    *,
    connection: Connection | None = None,
    ask_password: AskPassword | None = None,
    on_progress: Callable[[str], None] | None = None,
    on_output: Callable[[UpdateInfo], None] | None = None,
    observer: Observer | None = None,
) -> ScanResult:
    """Find the updates that apply to each node of a cluster. Nothing is downloaded, nothing is changed.

    Args:
        options: Invoke-CauScan's parameters.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        ask_password: asked for a credential when no variable holds the password.
        on_progress: called with a sentence whenever something changes.
        on_output: called with each update when its node has answered.
        observer: sees every event.

    Raises:
        InputError: a parameter is wrong.
        ClusterError: no node speaks for the cluster.
        TransportError: no node could be reached.
    """
    settings = scan_settings(options)
    with connect(
        options.cluster_name, connection=connection, credential=options.credential, ask_password=ask_password
    ) as access:
        found: list[UpdateInfo] = []
        stream = OutputStream(each_to(found, on_output))
        state = scanned(access, settings, [stream, *watchers(on_progress, observer)])
        notices = interrupted_notice(access)
    failures = tuple(
        failure_of(cause.problem, node=node.name) for node in state.nodes.values() for cause in node.record.causes[:1]
    )
    return ScanResult(tuple(found), failures=failures, scanned=len(state.nodes) - len(failures), notices=notices)


def run(  # noqa: PLR0913  each is one thing that a caller may want to say
    options: UpdatingRunOptions,
    *,
    connection: Connection | None = None,
    ask_password: AskPassword | None = None,
    on_output: Callable[[Any], None] | None = None,
    on_progress: Callable[[str], None] | None = None,
    observer: Observer | None = None,
    on_signal: Callable[[str], None] | None = None,
    stop: StopSwitch | None = None,
    store: ReportStore | None = None,
) -> RunOutcome:
    """Update a cluster, node after node, and store the report. Nobody is asked: confirmation is the caller's.

    Args:
        options: Invoke-CauRun's parameters.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        ask_password: asked for a credential when no variable holds the password.
        on_output: called with each object as it is written; the ClusterResult comes last.
        on_progress: called with a sentence whenever something changes.
        observer: sees every event.
        on_signal: told what Ctrl-C and SIGTERM lead to; None: it is logged as a warning.
        stop: asked now and then whether to stop or to leave; signals turn it too, when this is the main thread.
        store: where report and journal are kept; None: the user's state folder.

    Raises:
        InputError: the options are wrong or do not fit the cluster; nothing was touched.
        RunInProgressError: another run holds the cluster.
        RunInterruptedError: a run that died holds the cluster.
        ClusterError: no node speaks for the cluster, or another coordinator took the run over.
        TransportError: no node could be reached.
        StateError: the journal cannot be begun; nothing was touched.
    """
    settings = update_settings(options)
    shelves = store or ReportStore()
    with connect(
        options.cluster_name, connection=connection, credential=options.credential, ask_password=ask_password
    ) as access:
        started = _started(access, with_scripts(access, options, settings))
        written: list[Any] = []
        take = each_to(written, on_output)
        observers = [OutputStream(take), *watchers(on_progress, observer)]
        path = shelves.folder(options.cluster_name) / f"run-{started.run_id}.jsonl"
        journal = FileJournal.create(path, JournalHead(options.cluster_name, run_id=started.run_id))
        switch = stop or StopSwitch()
        try:
            with heeding_signals(switch, on_signal or _log.warning):
                state = _drive(access, started, journal, observers, switch)
        finally:
            journal.close()
    return conclude(shelves, state, access, journal=path, written=written, take=take, switch=switch)


# --- the run ---------------------------------------------------------------------------------------------------------


def scanned(access: Access, settings: RunSettings, observers: list[Observer]) -> RunState:
    """Scan all nodes and give the state at the end; the error of a scan that was refused is raised."""
    started = _started(access, settings)
    journal = MemoryJournal(JournalHead(access.name, run_id=started.run_id))
    state = _drive(access, started, journal, observers, None)
    if state.refusal is not None:
        raise refused(state, state.refusal)
    return state


def _drive(
    access: Access, started: RunStarted, journal: Journal, observers: list[Observer], stop: StopSwitch | None
) -> RunState:
    with workers() as executor:
        driver = Driver(ports_of(access), journal=journal, executor=executor, observers=tuple(observers), stop=stop)
        return driver.run(started)


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls under way; one that hangs until its own deadline does not hold up who leaves."""
    executor = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="cauctl")
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def ports_of(access: Access) -> Ports:
    """Give the ports of a connection as the coordinator takes them."""
    return Ports(
        cluster=access.cluster, node=access.node, agent=access.agent, clock=access.clock, scripts=access.scripts
    )


def with_scripts(access: Access, options: UpdatingRunOptions, settings: RunSettings) -> RunSettings:
    """Read the scripts; refuse what cannot be read, together with all else that does not fit the cluster."""
    found, faults = access.script_files.take(options)
    if faults:
        with suppress(CauError):
            faults += [fault.rstrip(".") for fault in option_faults(settings, access.cluster.observe())]
        raise_faults(options.CMDLET, faults)
    return evolve(settings, pre_script=found.get("pre"), post_script=found.get("post"))


def _started(access: Access, settings: RunSettings) -> RunStarted:
    return RunStarted(
        access.clock.now(),
        run_id=str(uuid4()),
        cluster=access.name,
        owner=owner(),
        settings=settings,
    )


def watchers(on_progress: Callable[[str], None] | None, observer: Observer | None) -> list[Observer]:
    """Give the observers of an operation: the caller's, and one that tells ``on_progress`` what changes."""
    watchers: list[Observer] = [] if observer is None else [observer]
    if on_progress is not None:
        say = on_progress
        watchers.append(Teller(lambda _at, node, text: say(f"{node}: {text}" if node else text)))
    return watchers


def each_to(kept: list[Any], on_output: Callable[[Any], None] | None) -> Callable[[Any], None]:
    """Keep what is written and hand it on; a callback that fails is left out, and costs neither result nor report."""
    hand_on = on_output

    def take(written: Any) -> None:
        nonlocal hand_on
        kept.append(written)
        if hand_on is None:
            return
        try:
            hand_on(written)
        except Exception:  # noqa: BLE001  as a display, it never costs a run
            _log.exception("on_output failed and is not called again")
            hand_on = None

    return take
