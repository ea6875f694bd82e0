"""The requests of 39 recorded sessions with real Windows, replayed against the endpoint's service.

Each answer has the elements that Windows' answer has; where it differs, the difference stands here with its reason.
"""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import timedelta

import pytest

from cauctl.lab.clock import SystemNodeClock
from cauctl.lab.runspace.engine import NodeFacts, PythonEngine
from cauctl.lab.wsman.exchange import Answer
from cauctl.lab.wsman.service import WSManService
from tests.lab.remote import node_table
from tests.recordings import Recording, parametrize, recordings

BODY = "{http://www.w3.org/2003/05/soap-envelope}Body"

JUSTIFIED = {
    ("Create", "fault"): "a cmd.exe shell (WinRS); a node of the lab serves PowerShell only",
    ("Command", "fault"): "to a cmd.exe shell that was refused",
    ("Signal", "fault"): "to a cmd.exe shell that was refused",
    ("Delete", "fault"): "to a cmd.exe shell that was refused",
    ("Receive", "fault"): "to a cmd.exe shell that was refused, or for output of a script that the lab does not run",
    ("Receive", "ReceiveResponse"): "the script failed at once instead of running on",
    ("Receive", "Stream"): "the script had more to say",
    ("Receive", "CommandState ExitCode Stream"): "the script had more to say, and did not end here",
    ("Receive", "CommandState ExitCode"): "the refused script had ended",
    ("Receive", "ExitCode"): "Windows leaves it out after a stop",
    ("Enumerate", "ChildProcesses MemoryUsed"): "informational",
    ("Enumerate", "Items"): "Windows names the list in the older namespace of WS-Enumeration when it is empty",
    ("Get", "ChildProcesses MemoryUsed"): "informational",
    ("Get", "configuration"): "only the envelope size of the service's configuration is read by clients",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, "recording", recordings())


def elements(envelope: str | bytes) -> tuple[str, frozenset[str]]:
    """Action and element names of an answer's body."""
    root = ET.fromstring(envelope)
    action = next(element.text for element in root.iter() if element.tag.endswith("}Action"))
    body = root.find(BODY)
    return action.rpartition("/")[2], frozenset(element.tag.rpartition("}")[2] for element in body.iter())


def difference(request: str, ours: bytes, theirs: str) -> tuple[str, str] | None:
    """What our answer has more or less than Windows'; None for nothing."""
    action = next(e.text for e in ET.fromstring(request).iter() if e.tag.endswith("}Action")).rpartition("/")[2]
    our_action, our_elements = elements(ours)
    their_action, their_elements = elements(theirs)
    if our_action != their_action:
        return action, our_action
    differing = our_elements ^ their_elements
    if not differing:
        return None
    return action, "configuration" if "Winrs" in differing else " ".join(sorted(differing - {"ProcessId"}))


class NoWaiting(SystemNodeClock):
    """A clock whose durations pass at once."""

    def real_seconds(self, _duration: timedelta) -> float:
        """Give nothing to wait for."""
        return 0.0


class Replay:
    """A node that is sent recorded requests."""

    def __init__(self) -> None:
        self.facts = NodeFacts("NODE1", commands=node_table(), clock=NoWaiting())
        self.service = WSManService("NODE1", lambda outlet, _name: PythonEngine(outlet, self.facts))

    def answer(self, request: str) -> bytes:
        """Answer a request; a Receive waits as long as something runs."""
        result = self.service.handle(request.encode(), "user")
        if isinstance(result, Answer):
            return result.body
        arrived = threading.Event()
        result.subscribe(arrived.set)
        while not arrived.is_set() and self.facts.threads:
            arrived.wait(0.01)
        return result.finish().body


def differences(recording: Recording) -> Counter[tuple[str, str] | None]:
    """How often each difference, or none, occurs in the answers to a recording's requests."""
    node = Replay()
    found = Counter(difference(request, node.answer(request), theirs) for request, theirs in recording.messages)
    node.service.reset()
    for thread in list(node.facts.threads):
        thread.join(5)
    return found


@pytest.mark.usefixtures("wsman_recordings")
def test_answers_have_the_elements_of_windows_answers(recording):
    assert set() == set(differences(recording)) - {None} - set(JUSTIFIED)


@pytest.mark.usefixtures("wsman_recordings")
def test_every_justified_difference_occurs():
    """The list of excuses holds no old ones; what is held against it is all that was recorded."""
    found = sum(map(differences, recordings()), Counter())
    assert set(JUSTIFIED) == set(found) - {None}
    assert found[None] > 200
    assert len(recordings()) >= 39
