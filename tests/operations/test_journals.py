"""Journals that runs left: followed only when they are whole, of this run, and the last word on it."""

from __future__ import annotations

import errno
import json
import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from cauctl.coordinator.journal import FileJournal, JournalHead
from cauctl.coordinator.state import Phase
from cauctl.coordinator.takeover import HeldRun, find_run
from cauctl.errors import RunInProgressError
from cauctl.models.enums import SummaryStatus
from cauctl.operations.journals import journal_name, remembered, set_aside
from cauctl.reports.store import ReportStore
from tests.coordinator.test_recovery import die_in
from tests.trial import Trial, scenario

CLUSTER = "LAB-FC1"


class Left:
    """A dead run: its lock in a cluster, its journal in a store."""

    def __init__(self, root: Path) -> None:
        self.trial = die_in(Phase.INSTALLING)
        self.store = ReportStore(root)
        self.path = self.store.folder(CLUSTER) / journal_name(self.trial.run_id)
        self.path.write_bytes(self.trial.journal.content)

    @property
    def held(self) -> HeldRun:
        """The run, as its finder sees it."""
        found = find_run(self.trial.memory.cluster, self.trial.world.now)
        assert found is not None
        return found

    def edit(self, old: bytes, new: bytes) -> None:
        """Edit the journal by hand."""
        content = self.path.read_bytes()
        assert old in content
        self.path.write_bytes(content.replace(old, new, 1))


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def test_the_journal_of_the_run_is_followed(left):
    with remembered(left.store, left.held, CLUSTER) as memory:
        assert memory.state.run_id == left.trial.run_id
        assert memory.state.nodes["NODE2"].phase is Phase.INSTALLING
        assert (memory.complaints, memory.known_dead) == ((), False), "its owner is another computer"


def test_a_process_of_this_computer_whose_journal_nobody_holds_is_dead_for_certain(left):
    held = evolve(left.held, lock=evolve(left.held.lock, owner=f"alice@{socket.gethostname()} (pid 4711)"))
    with remembered(left.store, held, CLUSTER) as memory:
        assert memory.known_dead


@pytest.mark.skipif(os.name != "posix", reason="the hold on the file is tested where flock is")
def test_a_journal_that_a_process_holds_is_a_run_at_work(left):
    held = left.held
    journal, _ = FileJournal.reopen(left.path)
    with (
        pytest.raises(RunInProgressError, match="at work on this computer") as raised,
        remembered(left.store, held, CLUSTER),
    ):
        pass
    journal.close()
    assert raised.value.owner == "alice@console (pid 4711)"


@pytest.mark.skipif(os.name != "posix", reason="the hold on the file is tested where flock is")
def test_a_file_system_that_knows_no_locks_proves_nothing(left, monkeypatch):
    """Else a run that lives would be taken over, or its journal tidied away."""

    def refused(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refused)
    held = evolve(left.held, lock=evolve(left.held.lock, owner=f"alice@{socket.gethostname()} (pid 4711)"))
    with remembered(left.store, held, CLUSTER) as memory:
        assert (memory.state is None, memory.known_dead) == (False, False)
    assert list(set_aside(left.store, CLUSTER, but=None)) == []
    assert left.path.exists()


def test_a_last_line_that_was_cut_short_is_dropped_and_told(left):
    whole = left.path.read_bytes()
    left.path.write_bytes(whole[:-20])
    with remembered(left.store, left.held, CLUSTER) as memory:
        assert memory.journal is not None
        (complaint,) = memory.complaints
        assert "cut short and is dropped" in complaint
    assert left.path.read_bytes() == whole[: whole.rindex(b"\n", 0, -1) + 1]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(b'"Ready"', b'"Gone"', "changed, left out or added by hand", id="edited"),
        pytest.param(b"\n", b"\n\n", "changed, left out or added by hand", id="a line added"),
    ],
)
def test_a_journal_edited_by_hand_is_told_and_not_followed(left, old, new, told):
    if old == b'"Ready"':
        old, new = b'"event":"LockAcquired"', b'"event":"LockReleased"'
    left.edit(old, new)
    with remembered(left.store, left.held, CLUSTER) as memory:
        assert (memory.journal, memory.state, memory.known_dead) == (None, None, False)
        assert told in memory.complaints[0]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ({"version": 99}, "is of version 99, expected 1"),
        ({"cluster": "OTHER-FC"}, "is of the cluster OTHER-FC, expected LAB-FC1"),
    ],
)
def test_a_journal_of_another_version_or_cluster_is_told_and_not_followed(left, head, told):
    events = [json.loads(line)["is"] for line in left.path.read_bytes().splitlines()[1:]]
    left.path.unlink()
    journal = FileJournal.create(left.path, evolve(JournalHead(CLUSTER, run_id=left.trial.run_id), **head))
    for event in events:
        journal.append(event)
    journal.close()
    with remembered(left.store, left.held, CLUSTER) as memory:
        assert memory.journal is None
        assert told in memory.complaints[0]


def test_a_journal_of_another_run_under_this_ones_name_is_not_followed(left):
    other = Trial(scenario(nodes=2), seed=77)
    other.run()
    left.path.write_bytes(other.journal.content)
    with remembered(left.store, left.held, CLUSTER) as memory:
        assert memory.journal is None
        assert f"is of the run {other.run_id}" in memory.complaints[0]


def test_a_journal_is_not_followed_once_somebody_else_has_gone_on(left):
    """Otherwise what another machine did since would be done again, or undone."""
    left.trial.world.advance(left.trial.world.now + timedelta(hours=1))
    with pytest.raises(BaseException):  # noqa: B017  the successor is killed in its turn
        left.trial.restore(dies_at=25)
    with remembered(left.store, left.held, CLUSTER) as memory:
        assert memory.journal is None
        assert "another coordinator has gone on with the run since" in memory.complaints[0]


# --- tidying up ------------------------------------------------------------------------------------------------------


def test_the_journal_of_a_run_that_holds_no_cluster_becomes_that_of_a_report(left):
    (told,) = set_aside(left.store, CLUSTER, but=None)
    assert left.trial.run_id in told
    assert not left.path.exists()
    stored = left.store.last(CLUSTER)
    assert stored.journal is not None
    result = stored.report.cluster_result
    assert (result.status, str(result.run_id)) == (SummaryStatus.CANCELED, left.trial.run_id)
    assert result.error_record_data.fully_qualified_error_id == "RunInterrupted"


def test_the_run_that_holds_the_cluster_keeps_its_journal(left):
    assert list(set_aside(left.store, CLUSTER, but=left.trial.run_id)) == []
    assert left.path.exists()


def test_a_journal_that_cannot_be_read_is_set_aside_and_one_of_a_run_that_never_began_is_removed(left):
    left.path.write_bytes(b"nothing of ours\n")
    begun = left.store.folder(CLUSTER) / journal_name("7d444840-9dc0-11d1-b245-5ffdce74fad2")
    FileJournal.create(begun, JournalHead(CLUSTER, run_id="x")).close()
    (told,) = set_aside(left.store, CLUSTER, but=None)
    assert "set aside" in told
    assert [path.name for path in left.store.folder(CLUSTER).iterdir()] == [f"{left.path.name}.damaged"]
