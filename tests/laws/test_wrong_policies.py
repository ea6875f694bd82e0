"""The laws see something: each finds the wrong policies that break it, within 500 worlds."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import Phase, find, settings

from tests.laws.course import Policy, carry_out, script
from tests.laws.invariants import LAWS, SAME_RUN, breaches
from tests.laws.worlds import Case, cases
from tests.laws.wrong_policies import BREAKS

WORLDS = 500
NAMED = {law.name: law for law in (*LAWS, SAME_RUN)}


def first_broken(law: str, policy: Policy) -> Case:
    """Give the first world of a fixed series in which the policy breaks the law; NoSuchExample within 500."""
    return find(
        cases(),
        lambda case: breaches(carry_out(case, policy), (NAMED[law],)) != [],
        settings=settings(max_examples=WORLDS, derandomize=True, database=None, phases=[Phase.generate]),
    )


def test_every_law_has_a_wrong_policy():
    assert {law for law, _ in BREAKS.values()} == NAMED.keys()


@pytest.mark.parametrize("name", BREAKS)
def test_a_wrong_policy_is_found_out(name):
    """By the law that it breaks; the right policy keeps that law in the same world."""
    law, policy = BREAKS[name]
    case = first_broken(law, policy)
    assert [] == breaches(carry_out(case), (NAMED[law],))


def test_a_world_that_breaks_a_law_prints_as_a_script_that_breaks_it_again():
    law, policy = BREAKS["fails without undoing"]
    case = first_broken(law, policy)
    broken = breaches(carry_out(case, policy))
    text = script(case, policy)
    played = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    assert broken == played.stdout.splitlines()
    assert len(text.splitlines()) < 40
