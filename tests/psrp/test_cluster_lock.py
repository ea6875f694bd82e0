"""The lock: a test-and-set by the cluster, a record that is read back, and nothing taken that may be another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from scripted_nodes import ScriptedNode, fleet_of, refused, thing

from cauctl.errors import FateUnknownError, RemoteError, SessionLostError, StateError
from cauctl.models.nodes import LockRecord
from cauctl.psrp.facts import LOCK_GROUP
from cauctl.psrp.lock import ClusterLock
from cauctl.psrp.pipeline import Pipeline

MORNING = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
OURS = LockRecord(
    "run-1",
    owner="ada@desk (pid 7)",
    fence=1,
    acquired=MORNING,
    lease_until=MORNING + timedelta(minutes=15),
    checkpoint='{"N1": ["drained", 2]}',
)
THEIRS = evolve(OURS, run_id="run-2", owner="bob@lap (pid 9)")
MISSING = "ClusterObjectNotFound,Microsoft.FailoverClusters.PowerShell.GetGroupCommand"


class LockGroup:
    """The group of a cluster as its cmdlets show it."""

    def __init__(self) -> None:
        self.exists = False
        self.parameters: dict[str, Any] = {}
        self.node = ScriptedNode("N1")
        self.node.on("Add-ClusterGroup", self.add)
        self.node.on("Remove-ClusterGroup", self.remove)
        self.node.on("Get-ClusterGroup | Where-Object", self.find)
        self.node.on(f"Get-ClusterGroup -Name {LOCK_GROUP} | Get-ClusterParameter", self.read)
        self.node.on(f"Get-ClusterGroup -Name {LOCK_GROUP} | Set-ClusterParameter", self.write)
        self.lock = ClusterLock(fleet_of([self.node]))

    def add(self, _: Pipeline) -> list[Any]:
        """As Add-ClusterGroup: only once."""
        if self.exists:
            raise refused("the group exists already")
        self.exists = True
        return []

    def remove(self, _: Pipeline) -> list[Any]:
        """As Remove-ClusterGroup."""
        self.exists, self.parameters = False, {}
        return []

    def find(self, _: Pipeline) -> list[Any]:
        """As Get-ClusterGroup with a filter: nothing is no error."""
        return [thing(Name=LOCK_GROUP)] if self.exists else []

    def read(self, _: Pipeline) -> list[Any]:
        """As Get-ClusterParameter of the named group."""
        if not self.exists:
            raise refused("not found", error_id=MISSING)
        return [thing(Name=name, Value=value) for name, value in self.parameters.items()]

    def write(self, pipeline: Pipeline) -> list[Any]:
        """As Set-ClusterParameter: only what is there, unless it is to be created."""
        if not self.exists:
            raise refused("not found", error_id=MISSING)
        given_parameters = pipeline.commands[-1].parameters
        for name, value in given_parameters["Multiple"].items():
            if name not in self.parameters and not given_parameters.get("Create"):
                raise refused(f"no parameter {name}")
            assert isinstance(value, str)
            assert value
            self.parameters[name] = value
        return []


@pytest.fixture
def group() -> LockGroup:
    return LockGroup()


def test_a_free_lock_is_taken_and_read_back(group):
    assert group.lock.read() is None
    assert group.lock.acquire(OURS) is None
    assert OURS == group.lock.read()


def test_a_lock_that_is_held_is_left_and_its_holder_named(group):
    group.lock.acquire(THEIRS)
    assert THEIRS == group.lock.acquire(OURS)
    assert THEIRS == group.lock.read()


def test_taking_it_again_is_fine_for_the_same_coordinator_only(group):
    """A run that another coordinator took over has a higher fence: the first one must not believe that it holds it."""
    group.lock.acquire(OURS)
    assert group.lock.acquire(OURS) is None
    taken_over = evolve(OURS, fence=2)
    group.lock.write(taken_over)
    assert taken_over == group.lock.acquire(OURS)


def test_a_group_without_a_record_is_nobodys_to_take(group):
    group.exists = True
    with pytest.raises(StateError, match="it holds no readable record") as caught:
        group.lock.acquire(OURS)
    assert "Remove-ClusterGroup -Name cauctl-lock" in caught.value.advice
    assert {} == group.parameters


def test_a_record_of_a_newer_program_is_not_misread(group):
    group.lock.acquire(OURS)
    group.parameters["CauctlSchema"] = "2"
    with pytest.raises(StateError, match="version 2"):
        group.lock.read()


@pytest.mark.parametrize("name", ["CauctlFence", "CauctlLeaseUntil"])
def test_a_damaged_record_is_told(group, name):
    group.lock.acquire(OURS)
    group.parameters[name] = "soon"
    with pytest.raises(StateError, match="no readable record"):
        group.lock.read()


def test_a_refusal_that_is_not_about_the_name_is_told(group):
    group.node.on("Add-ClusterGroup", refused("no quorum"))
    with pytest.raises(RemoteError, match="no quorum"):
        group.lock.acquire(OURS)


def test_a_lock_of_unknown_fate_is_not_taken_for_ours(group):
    group.node.on("Add-ClusterGroup", FateUnknownError("the connection broke.", node="N1"))
    with pytest.raises(FateUnknownError):
        group.lock.acquire(OURS)


def test_a_record_whose_writing_broke_is_read_before_it_is_believed(group):
    group.lock.acquire(OURS)
    later = evolve(OURS, lease_until=MORNING + timedelta(hours=1))

    def write_and_break(pipeline: Pipeline) -> list[Any]:
        group.write(pipeline)
        raise FateUnknownError("the connection broke.", node="N1")

    group.node.on(f"Get-ClusterGroup -Name {LOCK_GROUP} | Set-ClusterParameter", write_and_break)
    group.lock.write(later)
    assert later == group.lock.read()


def test_a_write_in_a_session_that_was_lost_is_repeated(group):
    group.lock.acquire(OURS)
    later = evolve(OURS, checkpoint="")
    group.node.on(
        f"Get-ClusterGroup -Name {LOCK_GROUP} | Set-ClusterParameter", SessionLostError("gone.", node="N1"), group.write
    )
    group.lock.write(later)
    assert later == group.lock.read()


def test_a_lock_that_is_gone_cannot_be_renewed(group):
    with pytest.raises(StateError, match="the lock is gone"):
        group.lock.write(OURS)


def test_release_removes_this_runs_lock_only(group):
    group.lock.release("run-1")
    group.lock.acquire(THEIRS)
    group.lock.release("run-1")
    assert THEIRS == group.lock.read()
    group.lock.release("run-2")
    assert group.lock.read() is None


def test_release_whose_fate_a_look_tells(group):
    group.lock.acquire(OURS)

    def remove_and_break(pipeline: Pipeline) -> list[Any]:
        group.remove(pipeline)
        raise FateUnknownError("the connection broke.", node="N1")

    group.node.on("Remove-ClusterGroup", remove_and_break)
    group.lock.release("run-1")


def test_a_checkpoint_that_is_too_long_is_refused_before_anything_is_written(group):
    with pytest.raises(StateError, match="the checkpoint has 40000 characters"):
        group.lock.acquire(evolve(OURS, checkpoint="x" * 40_000))
    assert not group.exists


def test_a_group_that_could_not_be_marked_is_removed_again(group):
    """Else nobody could take the lock, and nobody would know whose it is."""
    group.node.on(f"Get-ClusterGroup -Name {LOCK_GROUP} | Set-ClusterParameter", refused("no quorum"))
    with pytest.raises(RemoteError, match="no quorum"):
        group.lock.acquire(OURS)
    assert not group.exists


@given(
    owner=st.text(min_size=1),
    checkpoint=st.text(max_size=200),
    fence=st.integers(0, 2**31),
    hours=st.integers(-12, 14),
)
def test_any_record_comes_back_as_it_was(owner, checkpoint, fence, hours):
    group = LockGroup()
    local = MORNING.astimezone(timezone(timedelta(hours=hours)))
    record = evolve(OURS, owner=owner, checkpoint=checkpoint, fence=fence, acquired=local)
    assert group.lock.acquire(record) is None
    assert record == group.lock.read()
