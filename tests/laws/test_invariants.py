"""The laws of a run (design §4), on worlds that nobody thought of.

Each world is a cluster of any shape with faults at any moment; the run is the real coordinator over the lab in memory,
and what is asserted stands in the lab's ledger. A world that breaks a law prints as the values that make it again.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from cauctl.coordinator.state import RunPhase
from tests.laws.invariants import breaches
from tests.laws.worlds import Case, cases
from tests.trial import Trial

ENDLESS = 40_000
"""Events after which a run is taken to go on for ever."""


def carry_out(case: Case) -> Trial:
    """Run in the world; a run that does not end fails."""
    trial = Trial(case.scenario, seed=case.seed)
    for trouble in case.troubles:
        trouble.plan(trial.world)
    events = 0

    def count(_event: object, _state: object) -> None:
        nonlocal events
        events += 1
        if events > ENDLESS:
            trial.switch.detach()

    trial.run(on_event=count, **case.options)
    return trial


def hold(case: Case) -> None:
    """Hold a world to all laws."""
    trial = carry_out(case)
    assert not trial.state.detached, "the run did not end"
    if trial.state.refusal is None:
        assert trial.state.phase is RunPhase.ENDED
        assert breaches(trial, case) == []


@settings(max_examples=60)
@given(cases())
def test_every_run_ends_and_keeps_the_invariants(case):
    """Design §4, all invariants, some dozens of worlds."""
    hold(case)


@pytest.mark.nightly
@settings(max_examples=10_000)
@given(cases())
def test_every_run_ends_and_keeps_the_invariants_all_night(case):
    """The same on ten thousand worlds."""
    hold(case)


@settings(max_examples=8)
@given(cases())
def test_the_same_seed_gives_the_same_run(case):
    """Design §4."""
    assert carry_out(case).journal.content == carry_out(case).journal.content
