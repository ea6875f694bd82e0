"""The laws of a run (design §4), on worlds that nobody thought of.

Each world is a cluster of any shape with faults at any moment; the run is the real coordinator over the lab in memory,
and what is asserted stands in the lab's ledger. A world that breaks a law prints as a script that plays it again.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from tests.laws.course import carry_out, script
from tests.laws.invariants import LAWS, SAME_RUN, Law, breaches
from tests.laws.worlds import Case, cases

WORLDS = int(os.environ.get("CAUCTL_LAW_WORLDS", "200"))
"""Worlds at the gate."""
NIGHTLY_WORLDS = int(os.environ.get("CAUCTL_LAW_WORLDS", "10000"))
"""Worlds at night."""


def hold(case: Case, laws: tuple[Law, ...] = LAWS) -> None:
    """Hold a world to all laws."""
    broken = breaches(carry_out(case), laws)
    assert not broken, "\n".join([*broken, "", "Play it again:", "", script(case)])


@settings(max_examples=WORLDS)
@given(cases())
def test_every_run_ends_and_keeps_the_laws(case):
    """Design §4, all invariants, some hundred worlds."""
    hold(case)


@pytest.mark.nightly
@pytest.mark.timeout(0)
@settings(max_examples=NIGHTLY_WORLDS)
@given(cases())
def test_every_run_ends_and_keeps_the_laws_all_night(case):
    """The same on ten thousand worlds, each run twice."""
    hold(case, (*LAWS, SAME_RUN))


@settings(max_examples=max(WORLDS // 10, 1))
@given(cases())
def test_the_same_seed_gives_the_same_run(case):
    """Design §4."""
    hold(case, (SAME_RUN,))
