"""How many events the machine takes in a second, and how long a journal takes to replay.

The events are those of a real run of the coordinator on the lab, Storage Spaces Direct and Windows' quirks included.
Run with ``pytest --nightly -s tests/benchmarks`` on a quiet machine; each number is the best of five.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from cauctl.coordinator.journal import JournalHead, MemoryJournal, read_journal
from cauctl.coordinator.story import replay
from tests.trial import Trial, scenario

JOURNAL = 100_000


def best(work: Callable[[], object]) -> float:
    """Shortest of five times."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


@pytest.fixture(scope="module")
def trial() -> Trial:
    trial = Trial(scenario(nodes=4, storage=True, quirks=True))
    trial.run()
    return trial


@pytest.mark.nightly
def test_the_machine_takes_50_000_events_a_second(trial):
    events = read_journal(trial.journal.content).events
    rate = len(events) / best(lambda: replay(events))
    print(f"\n{rate:,.0f} events a second ({len(events)} events of four nodes)")
    assert rate >= 50_000


@pytest.mark.nightly
def test_100_000_events_are_read_and_replayed_within_3_seconds(trial):
    """Beside the time that only parsing the same lines as JSON takes."""
    records = [json.loads(line)["is"] for line in trial.journal.content.splitlines()[1:]]
    journal = MemoryJournal(JournalHead("LAB-FC1", run_id=trial.run_id))
    for number in range(JOURNAL):
        journal.append(records[number % len(records)] if number < len(records) else records[-1 - number % 500])
    content = journal.content
    lines = content.splitlines()
    parse = best(lambda: [json.loads(line) for line in lines])
    whole = best(lambda: replay(read_journal(content).events))
    print(f"\n{whole:.2f} s to read and replay {len(lines)} lines, {parse:.2f} s to only parse them")
    assert whole <= 3
