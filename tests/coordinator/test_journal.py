"""The journal: whole, unchanged, and told apart when it is not."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cauctl.coordinator.codec import event_to_json
from cauctl.coordinator.events import RunStarted, StopRequested
from cauctl.coordinator.journal import (
    JOURNAL_VERSION,
    FileJournal,
    JournalHead,
    MemoryJournal,
    is_written,
    read_journal,
)
from cauctl.coordinator.settings import RunSettings
from cauctl.errors import StateError
from tests.policy.facts import NOON

HEAD = JournalHead("FC1", run_id="run-1")
STARTED = RunStarted(NOON, run_id="run-1", cluster="FC1", owner="alice ümlaut", settings=RunSettings())
EVENTS = (STARTED, *(StopRequested(NOON + timedelta(seconds=n), by=f"n{n}") for n in range(4)))


@pytest.fixture
def content() -> bytes:
    journal = MemoryJournal(HEAD)
    for event in EVENTS:
        journal.append(event_to_json(event))
    return journal.content


def test_what_is_written_is_read(content):
    text = read_journal(content, cluster="fc1")
    assert (text.head, text.events, text.size, text.torn) == (HEAD, EVENTS, len(content), False)


def test_a_file_holds_what_memory_holds_and_is_its_owners_alone(tmp_path, content):
    path = tmp_path / "runs" / "run-1.jsonl"
    journal = FileJournal.create(path, HEAD)
    for event in EVENTS:
        journal.append(event_to_json(event))
    journal.close()
    journal.close()
    assert path.read_bytes() == content
    assert read_journal(path).events == EVENTS
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_each_line_is_json_of_its_own(content):
    lines = [json.loads(line) for line in content.splitlines()]
    assert [set(line) for line in lines] == [{"sum", "is"}] * (1 + len(EVENTS))


def test_a_line_is_on_the_disk_when_append_returns(tmp_path):
    journal = FileJournal.create(tmp_path / "j.jsonl", HEAD)
    for written, event in enumerate(EVENTS, 1):
        journal.append(event_to_json(event))
        assert read_journal(tmp_path / "j.jsonl").events == EVENTS[:written]
    journal.close()


def test_an_existing_file_is_never_written_over(tmp_path):
    (tmp_path / "j.jsonl").write_text("precious")
    with pytest.raises(StateError, match="cannot be begun"):
        FileJournal.create(tmp_path / "j.jsonl", HEAD)
    assert (tmp_path / "j.jsonl").read_text() == "precious"


def test_a_journal_cut_at_any_byte_is_refused_or_shorter_by_whole_lines(content):
    """Issue: cut at any byte; what is not whole was never acted upon."""
    lines = content.split(b"\n")
    ends = {0}
    for line in lines[:-1]:
        ends.add(max(ends) + len(line) + 1)
    for size in range(1, len(content)):
        cut = content[:size]
        whole = sum(end <= size for end in ends) - 1
        if size not in ends:
            with pytest.raises(StateError, match=f"line {whole + 1} is cut short"):
                read_journal(cut)
        if whole:
            assert read_journal(cut, torn="drop").events == EVENTS[: whole - 1]


def test_an_empty_journal_is_refused():
    with pytest.raises(StateError, match="empty"):
        read_journal(b"")


def test_another_cluster_is_refused(content):
    with pytest.raises(StateError, match="is of the cluster FC1, expected FC2"):
        read_journal(content, cluster="FC2")


def test_another_version_is_refused():
    journal = MemoryJournal(evolve(HEAD, version=JOURNAL_VERSION + 1))
    with pytest.raises(StateError, match=f"is of version {JOURNAL_VERSION + 1}, expected {JOURNAL_VERSION}"):
        read_journal(journal.content)


def test_an_event_that_this_version_does_not_know_is_refused():
    journal = MemoryJournal(HEAD)
    journal.append({"event": "MoonRose", "at": NOON.isoformat()})
    with pytest.raises(StateError, match="line 2: 'MoonRose' is no event"):
        read_journal(journal.content)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda lines: [*lines[:2], lines[2].replace(b'"n0"', b'"n9"'), *lines[3:]], id="changed"),
        pytest.param(lambda lines: [*lines[:2], *lines[3:]], id="left out"),
        pytest.param(lambda lines: [*lines[:3], lines[2], *lines[3:]], id="repeated"),
        pytest.param(lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], id="exchanged"),
        pytest.param(lambda lines: [lines[0], lines[1] + b" ", *lines[2:]], id="a blank added"),
        pytest.param(lambda lines: [lines[0], b"", *lines[1:]], id="an empty line added"),
    ],
)
def test_a_journal_edited_by_hand_is_refused(content, edit):
    lines = content.rstrip(b"\n").split(b"\n")
    with pytest.raises(StateError, match="not as it was written"):
        read_journal(b"\n".join(edit(lines)) + b"\n")


@given(st.data())
def test_no_changed_byte_goes_unseen(data):
    """Whatever byte is changed, the journal is refused; it is never read as another one."""
    journal = MemoryJournal(HEAD)
    for event in EVENTS:
        journal.append(event_to_json(event))
    content = bytearray(journal.content)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    with pytest.raises(StateError):
        read_journal(bytes(content))


def test_going_on_with_a_torn_file_continues_its_chain(tmp_path):
    path = tmp_path / "j.jsonl"
    journal = FileJournal.create(path, HEAD)
    journal.append(event_to_json(EVENTS[0]))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"sum":"0123')
    journal, text = FileJournal.reopen(path, cluster="FC1")
    assert (text.events, text.torn) == (EVENTS[:1], True)
    journal.append(event_to_json(EVENTS[1]))
    journal.close()
    assert read_journal(path).events == EVENTS[:2]


def test_whether_a_process_holds_a_journal_is_seen(tmp_path):
    path = tmp_path / "j.jsonl"
    journal = FileJournal.create(path, HEAD)
    assert is_written(path)
    journal.close()
    assert not is_written(path)
    FileJournal.reopen(path)[0].close()  # who looked holds nothing
    assert is_written(tmp_path / "none"), "what cannot be told"


def test_a_disk_that_refuses_is_an_error_of_ours(tmp_path):
    journal = FileJournal.create(tmp_path / "j.jsonl", HEAD)
    journal.close()
    with pytest.raises(StateError, match="cannot be written"):
        journal.append({})
    with pytest.raises(StateError, match="cannot be read"):
        read_journal(tmp_path / "none.jsonl")
