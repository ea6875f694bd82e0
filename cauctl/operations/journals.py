"""Journals that runs left behind on this computer: found again, followed or set aside.

Rules kept here:

* A journal is followed only when it is whole, of this run and this cluster, and when no other coordinator has gone on
  with the run since: none has written a checkpoint under a later fencing counter than the journal knows of.
* Any other is told with its reason and not followed; the checkpoint in the cluster is.
* A journal of a run that does not hold the cluster any more becomes the journal of a report; one whose run never began
  is removed; one that cannot be read is set aside under the ending ``.damaged``. One that a process holds is left as
  it is, and so is each where the file system cannot tell.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from uuid import UUID

from attrs import field, frozen

from cauctl.coordinator.journal import FileJournal
from cauctl.coordinator.results import report
from cauctl.coordinator.state import RunPhase, RunState, changed
from cauctl.coordinator.story import replay
from cauctl.coordinator.turn import problem
from cauctl.errors import CauError, JournalInUseError, RunInProgressError, StateError
from cauctl.operations.coordinator_name import is_ours, orchestrator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cauctl.coordinator.takeover import HeldRun
    from cauctl.reports.store import ReportStore

__all__ = ["Memory", "journal_name", "remembered", "set_aside"]

_ENDING: Final = ".jsonl"


@frozen
class Memory:
    """What this computer remembers of the run that holds a cluster."""

    journal: FileJournal | None = None
    """Its journal, open for more; None: none that may be followed."""
    state: RunState | None = field(default=None, kw_only=True)
    """The state that the journal gives."""
    complaints: tuple[str, ...] = field(default=(), kw_only=True)
    """Why journals are not followed, and what was dropped of one that is."""
    known_dead: bool = field(default=False, kw_only=True)
    """True where the process that wrote the journal ran here and is gone."""


def journal_name(run_id: str, fence: int = 1) -> str:
    """Name the journal of a coordinator of a run."""
    return f"run-{run_id}{f'.{fence}' if fence > 1 else ''}{_ENDING}"


@contextmanager
def remembered(shelves: ReportStore, held: HeldRun, cluster: str) -> Iterator[Memory]:
    """Find the journal of the run that holds a cluster; it is closed at the end.

    Raises:
        RunInProgressError: a process on this computer holds it.
    """
    memory = _recall(shelves, held, cluster)
    try:
        yield memory
    finally:
        if memory.journal is not None:
            memory.journal.close()


def _recall(shelves: ReportStore, held: HeldRun, cluster: str) -> Memory:
    complaints: list[str] = []
    for path in _journals_of(shelves, held.lock.run_id):
        try:
            journal, text = FileJournal.reopen(path)
        except JournalInUseError as error:
            raise RunInProgressError(
                f"The run {held.lock.run_id} of {held.lock.owner} is at work on this computer.",
                cluster=cluster,
                owner=held.lock.owner,
                since=held.lock.acquired.isoformat(),
                advice="Stop it there; a process that hangs may be ended first.",
            ) from error
        except StateError as error:
            complaints.append(f"The journal is not followed: {error.message}")
            continue
        state = replay(text.events)
        if (why := _unfit(state, held, text.head.cluster)) is not None:
            journal.close()
            complaints.append(f"The journal is not followed: {path}: {why}")
            continue
        if text.torn:
            complaints.append(f"{path}: the last line was cut short and is dropped; nothing was done because of it.")
        dead = journal.exclusive and state.fence == held.lock.fence and is_ours(held.lock.owner)
        return Memory(journal, state=state, complaints=tuple(complaints), known_dead=dead)
    return Memory(complaints=tuple(complaints))


def _journals_of(shelves: ReportStore, run_id: str) -> list[Path]:
    """Name the journals of a run, the last coordinator's first."""
    with suppress(ValueError):
        UUID(run_id)
        found = shelves.root.glob(f"reports/*/run-{run_id}*{_ENDING}")
        return sorted(found, key=lambda path: (len(path.name), path.name), reverse=True)
    return []


def _unfit(state: RunState, held: HeldRun, cluster: str) -> str | None:
    written_by = held.checkpoint.fence if held.checkpoint else held.lock.fence
    if state.run_id != held.lock.run_id:
        return f"it is of the run {state.run_id or 'none'}, expected {held.lock.run_id}."
    if cluster.partition(".")[0].casefold() != state.cluster.partition(".")[0].casefold():
        return f"it is of the cluster {cluster}, expected {state.cluster}."
    if state.fence < written_by or state.fenced:
        return "another coordinator has gone on with the run since."
    return None


def set_aside(shelves: ReportStore, cluster: str, *, but: str | None, account: str = "") -> Iterator[str]:
    """Tidy up after runs that do not hold the cluster any more; tell what was done, a sentence each.

    Args:
        shelves: where reports are kept.
        cluster: name of the cluster.
        but: id of the run that holds it.
        account: account that the nodes are driven with, for reports.
    """
    for path in sorted(shelves.folder(cluster).glob(f"run-*{_ENDING}")):
        if but is not None and path.name.startswith(f"run-{but}"):
            continue
        try:
            journal, text = FileJournal.reopen(path)
        except JournalInUseError:
            continue
        except StateError as error:
            path.replace(path.with_name(f"{path.name}.damaged"))
            yield f"A journal is set aside as {path.name}.damaged: {error.message}"
            continue
        journal.close()
        if journal.exclusive:
            yield from _file(shelves, path, replay(text.events), account)


def _file(shelves: ReportStore, path: Path, state: RunState, account: str) -> Iterator[str]:
    """Make the journal of a run that is over the journal of a report, or remove it where nothing was done."""
    if state.lock is None:
        path.unlink(missing_ok=True)
        return
    if state.phase is not RunPhase.ENDED:
        message = "The coordinator died or lost its lock; the run was given up, or another coordinator went on with it."
        state = changed(state, stop_problem=state.stop_problem or problem("RunInterrupted", message))
    with suppress(CauError, ValueError):
        stored = shelves.save(report(state, orchestrator(account)), journal=path)
        yield f"What the run {state.run_id} had done until its coordinator was gone is kept as {stored.name}."
