"""The driver: the journal first, one event at a time, nobody holds it up."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.driver import Driver, inline
from cauctl.coordinator.journal import JournalHead, MemoryJournal, read_journal
from cauctl.coordinator.settings import RunSettings
from cauctl.coordinator.story import replay
from cauctl.errors import StateError
from cauctl.models.enums import SummaryStatus
from tests.trial import Failing, Trial, scenario


def test_an_event_is_written_before_anything_that_follows_from_it_is_done():
    trial = Trial(scenario(nodes=2))
    order: list[str] = []
    append = trial.journal.append

    def written(record: dict[str, object]) -> None:
        order.append(f"write {record['event']}" if "event" in record else "write head")
        append(record)

    trial.journal.append = written
    cluster = Failing(trial.memory.cluster, {})
    cluster.calls = order
    trial.run(ports=evolve(trial.ports, cluster=cluster))
    first = order.index("observe")
    assert order[:first] == ["write RunStarted"]
    assert order[order.index("foreign_coordinators") - 1].startswith("write Cluster")
    assert order[order.index("acquire_lock") - 1] == "write InterlockChecked"


class FullDisk:
    """A journal on a disk that is full after so many records."""

    def __init__(self, journal: MemoryJournal, records: int) -> None:
        self._journal, self._left, self.refused = journal, records, 0

    def append(self, record: dict[str, object]) -> None:
        """Write, as long as there is room."""
        self._left -= 1
        if self._left < 0:
            self.refused += 1
            raise StateError("the journal cannot be written: No space left on device")
        self._journal.append(record)

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize("records", [20, 60, 100, 140, 200, 260, 320])
def test_a_journal_that_cannot_be_written_any_more_leaves_nobody_paused(records):
    """A full disk at 3 am must not leave a node paused: nothing new starts, what was begun is finished or undone."""
    trial = Trial(scenario(nodes=3))
    trial.journal = full = FullDisk(trial.journal, records)
    at: list[int] = []
    trial.run(on_event=lambda _event, _state: at.append(len(trial.suspended)) if full.refused and not at else None)
    assert full.refused == 1
    assert trial.world.ledger.paused_now == {}
    assert trial.memory.cluster.read_lock() is None
    assert at == [len(trial.suspended)]
    assert trial.result.status is SummaryStatus.FAILED
    assert trial.result.error_record_data.fully_qualified_error_id == "JournalLost"
    assert "No space left on device" in trial.result.error_record_data.exception_data.message
    assert read_journal(full._journal.content).events


def test_a_journal_that_cannot_be_written_before_the_cluster_is_ours_ends_the_run():
    """Nothing is to be undone yet."""
    trial = Trial(scenario(nodes=2))
    trial.journal = FullDisk(trial.journal, 2)
    with pytest.raises(StateError, match="No space left"):
        trial.run()
    assert trial.memory.cluster.read_lock() is None
    assert trial.suspended == []


def test_an_observer_that_fails_is_left_out_and_costs_nothing():
    trial = Trial(scenario(nodes=2, catalogue=()))
    calls = 0

    def broken(_event: object, _state: object) -> None:
        nonlocal calls
        calls += 1
        raise ZeroDivisionError

    trial.run(on_event=broken)
    assert (calls, trial.result.status) == (1, SummaryStatus.SUCCEEDED)


def test_observers_are_told_what_is_waited_for_and_for_how_long():
    trial = Trial(scenario(nodes=2, storage=True))
    waits: list[tuple[str | None, str, timedelta | None]] = []

    class Watcher:
        def on_event(self, event: object, state: object) -> None:
            pass

        def on_wait(self, node: str | None, waiting_for: str, _since: object, limit: timedelta | None) -> None:
            waits.append((node, waiting_for, limit))

    driver = Driver(trial.ports, journal=trial.journal, observers=(Watcher(),))
    driver.run(trial.started(RunSettings()))
    assert ("NODE1", "NODE1 is to come back with a new boot time", timedelta(minutes=15)) in waits


def test_the_cluster_is_asked_through_nodes_that_are_not_worked_on():
    trial = Trial(scenario(nodes=3))
    avoided: list[set[str]] = []
    cluster = Failing(trial.memory.cluster, {})
    avoid = trial.memory.cluster.avoid
    trial.memory.cluster.avoid = lambda nodes: (avoided.append(set(nodes)), avoid(nodes))
    trial.run(ports=evolve(trial.ports, cluster=cluster))
    assert [each for each in avoided if each] == [{"NODE2"}] * (avoided.count({"NODE2"})) + [{"NODE3"}] * (
        avoided.count({"NODE3"})
    ) + [{"NODE1"}] * avoided.count({"NODE1"})
    assert avoided[-1] == set()


def test_with_threads_the_run_ends_as_without():
    """Calls may run at once; the world is asked under its lock."""
    trial = Trial(scenario(nodes=2))
    plain = Trial(scenario(nodes=2))
    plain.run()
    with ThreadPoolExecutor(4) as executor:
        driver = Driver(trial.ports, journal=trial.journal, executor=executor)
        state = driver.run(trial.started(RunSettings()))
    assert {name: node.record.status for name, node in state.nodes.items()} == plain.statuses
    assert replay(read_journal(trial.journal.content).events) == state


def test_a_driver_says_what_it_drives():
    trial = Trial(scenario(nodes=2, catalogue=()))
    driver = Driver(trial.ports, journal=MemoryJournal(JournalHead("LAB-FC1", run_id="r")), executor=inline())
    assert repr(driver) == "<Driver of run none yet, Observing>"
    driver.run(trial.started(RunSettings()))
    assert repr(driver) == f"<Driver of run {trial.run_id}, Ended>"


def test_observations_are_written_by_what_differs():
    trial = Trial(scenario(nodes=4))
    trial.run()
    kinds = [type(event).__name__ for event in read_journal(trial.journal.content).events]
    assert kinds.count("ClusterObserved") == 1
    assert kinds.count("ClusterChanged") > 50


def test_a_signal_that_is_handled_for_long_does_not_stop_time():
    """Ctrl-C prints; a wait whose time passes meanwhile ends all the same, though no call is answered."""
    trial = Trial(scenario(nodes=2))
    driver = Driver(trial.ports, journal=trial.journal)
    driver._under_way = 1
    handled: list[int] = []

    def handle(number: int, _frame: object) -> None:
        handled.append(number)
        assert len(handled) < 3, "the wait goes on for ever"
        time.sleep(0.1)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.3)
        driver._turn()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled == [signal.SIGALRM]
