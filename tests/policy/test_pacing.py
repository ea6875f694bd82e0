"""How often is looked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cauctl.policy.pacing import next_look, next_watch
from tests.policy.facts import NOON


@pytest.mark.parametrize(
    ("passed", "pause"),
    [(0, 5), (500, 5), (1000, 10), (3000, 30), (100_000, 60)],
)
def test_often_at_first_then_in_proportion_up_to_a_limit(passed, pause):
    now = NOON + timedelta(seconds=passed)
    look = next_look(now, since=NOON, shortest=timedelta(seconds=5), longest=timedelta(seconds=60))
    assert timedelta(seconds=pause) == look - now


@pytest.mark.parametrize(("took", "pause"), [(0, 30), (1, 30), (10, 50)])
def test_looks_without_a_reason_stay_a_small_part_of_the_time(took, pause):
    now = NOON + timedelta(seconds=took)
    assert timedelta(seconds=pause) == next_watch(NOON, now, every=timedelta(seconds=30)) - now
