"""What a session promises holds in bad weather, and whoever judges it would see a broken promise."""

from __future__ import annotations

import logging

import pytest

from cauctl.errors import (
    AuthenticationError,
    FateUnknownError,
    InputError,
    NodeUnreachableError,
    OperationTimeoutError,
    RemoteError,
)
from tests.chaos.calls import Outcome, Plan
from tests.chaos.trial import Trial, faults_of
from tests.pulse import Pulse

ECHO, FAIL, WAIT = Plan("echo", ("a",), 1.0, ("a",)), Plan("fail", (), 1.0), Plan("wait", (), 1.0)


def outcome(
    plan: Plan, error: BaseException | None = None, *, output: tuple[str, ...] = (), seconds: float = 0.5
) -> Outcome:
    return Outcome("N1", "m", plan, began=0.0, ended=seconds, error=error, output=list(output))


def remote(message: str) -> RemoteError:
    return RemoteError(message, node="N1", command="work.exe")


@pytest.mark.parametrize(
    ("found", "ran"),
    [
        (outcome(ECHO, output=("a",)), 1),
        (outcome(Plan("open", (), 1.0, ())), 0),
        (outcome(FAIL, remote("m")), 1),
        (outcome(WAIT, OperationTimeoutError("stopped.", node="N1", after=None), seconds=2.9), 1),
        (outcome(ECHO, NodeUnreachableError("refused; nothing was sent.", node="N1")), 0),
        (outcome(ECHO, FateUnknownError("broke.", node="N1")), 0),
        (outcome(ECHO, FateUnknownError("broke.", node="N1")), 1),
    ],
)  # fmt: skip
def test_a_kept_promise_is_let_pass(found, ran):
    assert [] == list(faults_of(found, ran=ran, now=1.0))


@pytest.mark.parametrize(
    ("fault", "found", "ran"),
    [
        ("longer than its deadline", outcome(ECHO, output=("a",), seconds=3.1), 1),
        ("longer than its deadline", Outcome("N1", "m", ECHO, began=-9.0), 1),
        ("ran 2 times", outcome(ECHO, output=("a",)), 2),
        ("ran 1000 times", outcome(ECHO, output=("a",)), 1000),
        ("never ran", outcome(ECHO, output=("a",)), 0),
        ("not the right ones", outcome(ECHO), 1),
        ("cannot have succeeded", outcome(WAIT), 1),
        ("none of the family", outcome(ECHO, OSError("broke")), 0),
        ("is said to have answered", outcome(ECHO, remote("m")), 1),
        ("is said to have answered", outcome(FAIL, remote("other")), 1),
        ("is said to have answered", outcome(FAIL, remote("m")), 0),
        ("are refused", outcome(ECHO, AuthenticationError("no.", node="N1")), 0),
        ("does not name the node", outcome(ECHO, InputError("no")), 0),
        ("gives the password away", outcome(ECHO, FateUnknownError("hunter2", node="N1")), 0),
        ("and yet", outcome(ECHO, NodeUnreachableError("refused.", node="N1")), 1),
        ("and yet", outcome(ECHO, FateUnknownError("broke; nothing was sent.", node="N1")), 1),
        ("is closed raised", outcome(Plan("close", (), 1.0, ()), FateUnknownError("broke.", node="N1")), 0),
    ],
)  # fmt: skip
def test_a_broken_promise_is_seen(fault, found, ran):
    faults = list(faults_of(found, ran=ran, now=1.0))
    assert len(faults) == 1
    assert fault in faults[0]


def test_what_a_busy_machine_takes_is_not_held_against_a_call():
    """Seconds in which nobody could run are left out, as far as they lie behind the deadline."""
    pulse = Pulse()
    pulse._late = [(0.5, 1.5), (2.0, 2.5)]
    late = outcome(ECHO, output=("a",), seconds=3.9)
    assert pytest.approx(1.9) == late.lateness(0.0, pulse)
    assert [] == list(faults_of(late, ran=1, now=0.0, pulse=pulse))
    assert 1 == len(list(faults_of(late, ran=1, now=0.0)))


def test_a_few_seconds_of_bad_weather_break_no_promise():
    """Nothing is stuck, nothing is left on a node, no call is late, none is wrong about what was sent."""
    logging.disable(logging.CRITICAL)
    try:
        trial = Trial(seed=5, nodes=6)
        trial.run(4)
    finally:
        logging.disable(logging.NOTSET)
    assert [] == trial.broken, "\n".join(trial.report())
