"""A coordinator that dies anywhere is replaced by one that keeps the same laws.

All is dropped but the journal's bytes, whole or cut within the line that was being written, or even those, so that the
checkpoint in the cluster is all there is; some time passes; another coordinator goes on from it.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.course import Course, prepare
from tests.laws.invariants import breaches
from tests.laws.worlds import Case, cases
from tests.trial import DeathError, FatalJournal


@frozen
class Death:
    """When the coordinator dies, and for how long nobody is there."""

    event: int
    """Number of the event that is the last."""
    written: bool
    """Whether that event is in the journal."""
    away: timedelta
    """Time until another coordinator comes."""
    elsewhere: bool
    """Whether it comes on another machine, without the journal."""


DEATHS = st.builds(
    Death,
    st.builds(lambda part, whole: 3 + part * whole, st.integers(0, 100), st.sampled_from([1, 2, 5, 15])),
    st.booleans(),
    st.integers(0, 90).map(lambda minutes: timedelta(minutes=minutes)),
    st.booleans(),
)


def survive(case: Case, death: Death) -> None:
    """Die, come back, and hold the world to all laws."""
    trial = prepare(case)
    course = Course(case, trial)
    journal = trial.journal
    trial.journal = FatalJournal(journal, death.event, written=death.written)
    try:
        trial.run(**case.options)
    except DeathError:
        trial.journal = journal
        trial.world.advance(trial.world.now + death.away)
        if death.elsewhere and trial.is_held:
            trial.restore()
        else:
            trial.go_on(journal.content + (b"" if death.written else b'{"sum":"5e'))
    assert breaches(course) == []


@settings(max_examples=40)
@given(cases(), DEATHS)
def test_a_coordinator_may_die_at_any_event(case, death):
    """Killed right before or right after an action, replaced, and the same laws hold."""
    survive(case, death)


@pytest.mark.nightly
@settings(max_examples=int(os.environ.get("CAUCTL_LAW_WORLDS", "5000")))
@given(cases(), DEATHS)
def test_a_coordinator_may_die_at_any_event_all_night(case, death):
    """The same on thousands of worlds."""
    survive(case, death)
