"""Events as JSON and back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cauctl.coordinator import events
from cauctl.coordinator.codec import event_to_json, json_to_event
from cauctl.coordinator.events import CallFailed, RunStarted, StopRequested
from cauctl.coordinator.problems import Problem, ProblemKind, problem_of
from cauctl.coordinator.settings import Limits, Purpose, RunSettings
from cauctl.errors import (
    AuthenticationError,
    CauError,
    ClusterError,
    FateUnknownError,
    NodeUnreachableError,
    RemoteError,
    SessionBusyError,
    StateError,
)
from cauctl.models.agent import (
    AgentEvent,
    AgentEventKind,
    AgentState,
    FoundUpdate,
    OperationResultCode,
    UpdateKey,
    UpdateOutcome,
)
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import (
    ForeignCoordinator,
    GroupState,
    LockRecord,
    NodeProbe,
    Quorum,
    StorageFacts,
    StorageJob,
    VirtualDisk,
)
from cauctl.models.scripts import ScriptOutcome, ScriptPlace
from tests.policy.facts import NOON, PAUSED, cluster, group, node

KEY = UpdateKey("0d5c6a7e-9f1b-4b56-8c0a-6a4f1e7d1001", 200)
LOCK = LockRecord("run-1", owner="alice", fence=1, acquired=NOON, lease_until=NOON + timedelta(minutes=12))
PROBLEM = Problem(
    ProblemKind.REFUSED, message="a role is locked", error_id="X", advice="wait", category="ResourceBusy", hresult=5960
)
SAMPLES = {
    "RunStarted": RunStarted(
        NOON,
        run_id="run-1",
        cluster="FC1",
        owner="alice",
        settings=RunSettings(
            purpose=Purpose.SCAN,
            max_failed_nodes=1,
            node_order=("N1",),
            failback_mode=FailbackType.POLICY,
            stop_after=timedelta(minutes=90),
            limits=Limits(scan=timedelta(seconds=1.5)),
        ),
    ),
    "RunTakenOver": events.RunTakenOver(NOON, owner="bob", fence=2),
    "RunRestored": events.RunRestored(NOON, packed="eJw=", facts=cluster(node("N1")), lock=LOCK),
    "StopRequested": StopRequested(NOON, by="Ctrl-C"),
    "JournalLost": events.JournalLost(NOON, message="no space left"),
    "Detached": events.Detached(NOON),
    "TimerFired": events.TimerFired(NOON, timer=7, node="N1"),
    "CallFailed": CallFailed(NOON, call=3, node="N1", problem=PROBLEM),
    "ClusterObserved": events.ClusterObserved(
        NOON,
        call=3,
        facts=cluster(node("N1"), node("N2", PAUSED, fault_domain="A"), groups=(group("VM ä", "N1"),), witness=1),
    ),
    "ClusterChanged": events.ClusterChanged(
        NOON, node="N1", nodes=(node("N1"),), groups=(group("A", "N2", GroupState.FAILED),), quorum=Quorum("W")
    ),
    "GatesChecked": events.GatesChecked(
        NOON,
        call=4,
        node="N1",
        loses_quorum=False,
        storage=StorageFacts(
            (StorageJob("Repair", state="Running"),), virtual_disks=(VirtualDisk("V", health_status="x"),)
        ),
    ),
    "InterlockChecked": events.InterlockChecked(
        NOON, call=1, foreign=(ForeignCoordinator("MSFT_CAURun", node="N1", owner="x", next_start=NOON),)
    ),
    "LockAcquired": events.LockAcquired(NOON, call=1, record=LOCK),
    "LockFoundHeld": events.LockFoundHeld(NOON, call=1, record=LOCK),
    "LeaseRenewed": events.LeaseRenewed(NOON, call=1, until=NOON),
    "LockLost": events.LockLost(NOON, call=1, holder=LOCK),
    "LockReleased": events.LockReleased(NOON, call=1),
    "NodeProbed": events.NodeProbed(
        NOON,
        call=1,
        node="N1",
        probe=NodeProbe("N1", boot_time=NOON, build="20348.1", reboot_pending=("CBS",), stopped_services=("a", "b")),
    ),
    "AgentBegun": events.AgentBegun(NOON, call=1, node="N1"),
    "AgentPolled": events.AgentPolled(
        NOON,
        call=1,
        node="N1",
        state=AgentState.RUNNING,
        events=(
            AgentEvent(1, kind=AgentEventKind.FOUND, at=NOON, update=FoundUpdate(KEY, title="T", exclusive=True)),
            AgentEvent(
                2,
                kind=AgentEventKind.INSTALLED,
                at=NOON,
                key=KEY,
                outcome=UpdateOutcome(KEY, result=OperationResultCode.FAILED, hresult=0x80070643, at=NOON),
            ),
            AgentEvent(3, kind=AgentEventKind.FAILED, at=NOON, hresult=0, message="m"),
        ),
    ),
    "AgentCancelled": events.AgentCancelled(NOON, call=1, node="N1"),
    "AgentCollected": events.AgentCollected(NOON, call=1, node="N1"),
    "SuspendRequested": events.SuspendRequested(NOON, call=1, node="N1"),
    "FoundPaused": events.FoundPaused(NOON, call=1, node="N1"),
    "MoveRequested": events.MoveRequested(NOON, call=1, node="N1"),
    "RepairRequested": events.RepairRequested(NOON, call=1, node="N1"),
    "RestartRequested": events.RestartRequested(NOON, call=1, node="N1"),
    "NetworksSeen": events.NetworksSeen(NOON, node="N1", up=("N1 - Ethernet 1",)),
    "RestartsAllowed": events.RestartsAllowed(NOON, call=1, node="N1", were_off=True),
    "ScriptRan": events.ScriptRan(
        NOON,
        call=1,
        node="N1",
        place=ScriptPlace.PRE_UPDATE,
        outcome=ScriptOutcome("no", output=("one", "two"), errors=("three",)),
    ),
    "ResumeRequested": events.ResumeRequested(NOON, call=1, node="N1"),
}
ABSTRACT = {"Event", "Answer", "NodeAnswer", "StopReason"}


def test_every_kind_of_event_is_among_the_samples():
    assert set(SAMPLES) == set(events.__all__) - ABSTRACT


@pytest.mark.parametrize("name", SAMPLES)
def test_an_event_comes_back_as_it_went(name):
    written = json.dumps(event_to_json(SAMPLES[name]))
    assert SAMPLES[name] == json_to_event(json.loads(written))


def test_settings_are_written_whole_so_that_other_defaults_change_no_journal():
    written = event_to_json(SAMPLES["RunStarted"])["settings"]
    assert len(written) == len(RunSettings.__attrs_attrs__)
    assert len(written["limits"]) == len(Limits.__attrs_attrs__)


@pytest.mark.parametrize(
    "change",
    [
        {"event": "Answer"},
        {"event": 7},
        {"event": None},
        {"at": "2026-03-17T12:00:00"},
        {"at": "yesterday"},
        {"at": 7},
        {"call": "1"},
        {"call": True},
        {"node": 5},
        {"extra": 1},
        {"problem": {"kind": "Unheard", "message": "m", "error_id": "E"}},
        {"problem": None},
    ],
)
def test_what_is_no_event_of_this_version_is_refused(change):
    written = {**event_to_json(SAMPLES["CallFailed"]), **change}
    with pytest.raises(StateError):
        json_to_event(written)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NodeUnreachableError("x", node="N1"), ProblemKind.UNREACHABLE),
        (SessionBusyError("x", node="N1"), ProblemKind.TIMED_OUT),
        (FateUnknownError("x", node="N1"), ProblemKind.FATE_UNKNOWN),
        (AuthenticationError("x", node="N1"), ProblemKind.NOT_AUTHENTICATED),
        (ClusterError("x", cluster="C"), ProblemKind.CLUSTER),
        (StateError("x"), ProblemKind.MEMORY),
        (CauError("x"), ProblemKind.OTHER),
    ],
)
def test_errors_become_problems_by_what_they_allow_to_conclude(error, kind):
    assert kind is problem_of(error).kind


def test_a_remote_error_keeps_its_facts():
    error = RemoteError(
        "locked", node="N1", command="Suspend-ClusterNode", error_id="E", category="C", exception_type="T", hresult=-5
    )
    assert problem_of(error) == Problem(
        ProblemKind.REFUSED,
        message="N1: Suspend-ClusterNode: locked",
        error_id="E",
        category="C",
        exception_type="T",
        hresult=0xFFFFFFFB,
    )
    assert problem_of(error).record.exception_data.exception_type == "T"


def test_only_what_passes_is_tried_again():
    assert {kind for kind in ProblemKind if kind.passing} == {
        ProblemKind.UNREACHABLE,
        ProblemKind.FATE_UNKNOWN,
        ProblemKind.SESSION_LOST,
        ProblemKind.TIMED_OUT,
        ProblemKind.CANCELLED,
        ProblemKind.CLUSTER,
    }
    assert {kind for kind in ProblemKind if kind.hopeless} == {ProblemKind.NOT_AUTHENTICATED, ProblemKind.NOT_TRUSTED}
