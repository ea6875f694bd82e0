"""Which updates are installed, in which company, and what goes round in circles."""

from __future__ import annotations

import pytest
from attrs import evolve

from cauctl.models.agent import FoundUpdate, OperationResultCode, UpdateKey, UpdateOutcome
from cauctl.policy.selection import Choice, batches, choose, looping, succeeded, worth_another_try
from tests.policy.facts import NOON

A, B, C = (FoundUpdate(UpdateKey(name, 1), title=name.upper()) for name in "abc")
SUCCEEDED, FAILED = OperationResultCode.SUCCEEDED, OperationResultCode.FAILED


def outcome(result: OperationResultCode = SUCCEEDED, hresult: int = 0) -> UpdateOutcome:
    return UpdateOutcome(A.key, result=result, hresult=hresult, at=NOON)


def test_updates_that_need_a_licence_or_somebody_are_left_out():
    """CAU plug-in reference: updates needing a licence agreement or user input are left out."""
    licence, keyboard = evolve(B, eula_accepted=False), evolve(C, can_request_user_input=True)
    assert choose([A, licence, keyboard]) == Choice((A,), skipped=(licence, keyboard))


def test_an_exclusive_update_is_installed_alone_and_first():
    """0x80240019: an exclusive update in a group fails."""
    assert batches([A, evolve(B, exclusive=True), C]) == ((B.key,), (A.key, C.key))
    assert batches([evolve(B, exclusive=True)]) == ((B.key,),)
    assert batches([]) == ()


@pytest.mark.parametrize(
    ("result", "hresult", "good"),
    [
        (SUCCEEDED, 0, True),
        (SUCCEEDED, 0x00240005, True),
        (OperationResultCode.SUCCEEDED_WITH_ERRORS, 0x00240003, True),
        (OperationResultCode.SUCCEEDED_WITH_ERRORS, 0x80240022, False),
        (FAILED, 0x80070643, False),
        (FAILED, 0, False),
        (FAILED, 0x80240017, True),
        (FAILED, 0x00240006, True),
        (OperationResultCode.ABORTED, 0, False),
    ],
)
def test_success_is_judged_for_each_update(result, hresult, good):
    """Value 3 of an installation as a whole means "look at each update"; it is not success."""
    assert good is succeeded(outcome(result, hresult))


@pytest.mark.parametrize(
    ("hresult", "again"),
    [
        (0x80240034, True),
        (0x80240016, True),
        (0x80070643, True),
        (0x8007045B, True),
        (0xDEADBEEF, True),
        (0x8024402C, False),
        (0x80073712, False),
        (0x80240032, False),
        (0x80240020, False),
    ],
)
def test_what_an_administrator_must_change_is_not_tried_again(hresult, again):
    assert again is worth_another_try(outcome(FAILED, hresult))


def test_an_update_offered_again_after_its_success_loops_and_a_failed_one_does_not():
    outcomes = {A.key: outcome(), B.key: outcome(FAILED, 0x80070643)}
    assert looping([A, B, C], outcomes) == (A,)


def test_a_new_revision_is_another_update():
    assert looping([evolve(A, key=UpdateKey("a", 2))], {A.key: outcome()}) == ()
