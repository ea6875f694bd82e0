"""The kernel: due actions in order, courses of events, and luck that only its purpose changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cauctl.lab.world.kernel import Dice, Kernel

START = datetime(2026, 3, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@given(st.lists(st.integers(0, 50), max_size=30))
def test_actions_run_in_the_order_of_their_moments_and_then_of_planning(delays: list[int]) -> None:
    kernel, seen = Kernel(START), []
    for number, delay in enumerate(delays):
        kernel.after(delay * SECOND, lambda number=number, delay=delay: seen.append((delay, number, kernel.now)))
    kernel.advance(START + 100 * SECOND)
    expected = sorted((delay, number) for number, delay in enumerate(delays))
    assert [(delay, number) for delay, number, _ in seen] == expected
    assert [now for _, _, now in seen] == [START + delay * SECOND for delay, _ in expected]


def test_time_never_goes_back() -> None:
    kernel = Kernel(START)
    kernel.advance(START + SECOND)
    kernel.advance(START)
    assert kernel.now == START + SECOND


def test_an_action_that_was_called_off_does_not_happen_and_is_not_due() -> None:
    kernel, seen = Kernel(START), []
    timer = kernel.after(SECOND, lambda: seen.append("x"))
    timer.cancel()
    assert kernel.next_due() is None
    kernel.advance(START + 2 * SECOND)
    assert seen == []


def test_what_an_action_plans_within_the_same_advance_happens_too() -> None:
    kernel, seen = Kernel(START), []
    kernel.after(SECOND, lambda: kernel.after(SECOND, lambda: seen.append(kernel.now)))
    kernel.advance(START + 5 * SECOND)
    assert seen == [START + 2 * SECOND]


def test_a_course_runs_from_pause_to_pause_and_ends() -> None:
    kernel, seen = Kernel(START), []

    def course():
        seen.append("first")
        yield SECOND
        seen.append("second")

    running = kernel.start(course())
    assert (running.running, seen) == (True, ["first"])
    kernel.advance(START + SECOND)
    assert (running.running, seen) == (False, ["first", "second"])


def test_a_course_that_is_cancelled_stays_where_it_is() -> None:
    kernel, seen = Kernel(START), []

    def course():
        yield SECOND
        seen.append("never")

    kernel.start(course()).cancel()
    kernel.advance(START + 5 * SECOND)
    assert seen == []


@given(st.integers(), st.lists(st.sampled_from(["a", "b", "c"]), max_size=20))
def test_luck_depends_on_seed_purpose_and_count_alone(seed: int, purposes: list[str]) -> None:
    alone = {purpose: Dice(seed) for purpose in purposes}
    mixed = Dice(seed)
    assert [alone[purpose].throw(purpose) for purpose in purposes] == [mixed.throw(purpose) for purpose in purposes]


@given(st.integers(0, 2**32), st.integers(1, 10**6), st.floats(0, 0.9))
def test_a_varied_duration_stays_within_its_bounds(seed: int, milliseconds: int, by: float) -> None:
    duration = timedelta(milliseconds=milliseconds)
    varied = Dice(seed).vary("x", duration, by)
    assert duration * (1 - by) - timedelta(milliseconds=1) <= varied <= duration * (1 + by)
