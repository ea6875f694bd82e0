"""Time of the run: monotonic, scaled where a lab says so, never looking closer than 50 ms."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from cauctl.operations.clock import ScaledClock, SystemClock

EPOCH = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)


def test_a_scaled_clock_starts_at_the_epoch_and_runs_by_the_scale():
    """A lab that was started ten real seconds ago at a scale of 600 shows 6,000 seconds after its epoch."""
    clock = ScaledClock(EPOCH, datetime.now(UTC) - timedelta(seconds=10), 600)
    passed = (clock.now() - EPOCH).total_seconds()
    assert 6000 <= passed < 6600


def test_waiting_ends_when_woken():
    before = time.monotonic()
    SystemClock().wait(datetime.now(UTC) + timedelta(hours=1), lambda: True)
    assert time.monotonic() - before < 0.5


def test_a_wait_for_the_past_returns_at_once_and_a_scaled_one_after_50_ms():
    before = time.monotonic()
    SystemClock().wait(datetime.now(UTC) - timedelta(hours=1), lambda: False)
    middle = time.monotonic()
    clock = ScaledClock(EPOCH, datetime.now(UTC), 100_000)
    clock.wait(clock.now() + timedelta(seconds=1), lambda: False)
    assert middle - before < 0.04
    assert 0.05 <= time.monotonic() - middle < 0.5


def test_the_repr_says_what_time_it_is():
    assert repr(ScaledClock(EPOCH, datetime.now(UTC), 600)).endswith("600 times real time>")
    assert " UTC" in repr(SystemClock())
