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
from cauctl.models.lock import LOCK_GROUPS
from cauctl.models.nodes import LockRecord
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
FIRST, SECOND, THIRD = LOCK_GROUPS[:3]
WRITE = f"Get-ClusterGroup -Name {FIRST} | Set-ClusterParameter"
MISSING = "ClusterObjectNotFound,Microsoft.FailoverClusters.PowerShell.GetGroupCommand"


class LockGroups:
    """The groups of a cluster as its cmdlets show them."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self.node = ScriptedNode("N1")
        self.node.on("Add-ClusterGroup", self.add)
        self.node.on("Remove-ClusterGroup", self.remove)
        self.node.on("Get-ClusterGroup -Name", self.properties)
        self.node.on("Get-ClusterGroup | Where-Object -Property Name -Like -Value cauctl-lock*", self.find)
        self.lock = ClusterLock(fleet_of([self.node]))

    @property
    def parameters(self) -> dict[str, Any]:
        """Private properties of the first group."""
        return self.groups[FIRST]

    def add(self, pipeline: Pipeline) -> list[Any]:
        """As Add-ClusterGroup: each name only once."""
        name = pipeline.commands[0].parameters["Name"]
        if name in self.groups:
            raise refused("the group exists already")
        self.groups[name] = {}
        return []

    def remove(self, pipeline: Pipeline) -> list[Any]:
        """As Remove-ClusterGroup."""
        del self.groups[pipeline.commands[0].parameters["Name"]]
        return []

    def find(self, _: Pipeline) -> list[Any]:
        """As Get-ClusterGroup with a filter: nothing is no error."""
        return [thing(Name=name.upper()) for name in self.groups]

    def properties(self, pipeline: Pipeline) -> list[Any]:
        """As Get-ClusterParameter or Set-ClusterParameter of a named group."""
        group = self.groups.get(pipeline.commands[0].parameters["Name"])
        if group is None:
            raise refused("not found", error_id=MISSING)
        given_parameters = pipeline.commands[1].parameters
        if pipeline.commands[1].name == "Get-ClusterParameter":
            return [thing(Name=name, Value=value) for name, value in group.items()]
        for name, value in given_parameters["Multiple"].items():
            if name not in group and not given_parameters.get("Create"):
                raise refused(f"no parameter {name}")
            assert isinstance(value, str)
            assert value
            group[name] = value
        return []


@pytest.fixture
def group() -> LockGroups:
    return LockGroups()


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
    assert group.lock.take_over(taken_over) is None
    assert taken_over == group.lock.acquire(OURS)


def test_a_group_without_a_record_is_gone_around(group):
    """Its coordinator died between two calls, or is just writing: the cluster gives the next number to one."""
    group.groups[FIRST] = {}
    assert group.lock.read() is None
    ours = evolve(OURS, fence=2)
    assert ours == group.lock.acquire(OURS)
    assert ours == group.lock.read()
    group.lock.release("run-1")
    assert {} == group.groups


def test_who_writes_late_learns_that_somebody_went_around(group):
    other = ClusterLock(fleet_of([group.node]))

    def write_late(pipeline: Pipeline) -> list[Any]:
        group.node.on(WRITE, group.properties)
        other.acquire(THEIRS)
        return group.properties(pipeline)

    group.node.on(WRITE, write_late)
    assert evolve(THEIRS, fence=2) == group.lock.acquire(OURS)


def test_of_two_that_take_over_one_succeeds(group):
    group.lock.acquire(THEIRS)
    first, second = (evolve(THEIRS, owner=name, fence=2) for name in ("carol", "dave"))
    assert group.lock.take_over(first) is None
    assert first == group.lock.take_over(second)
    assert first == group.lock.read()


def test_a_number_that_somebody_is_just_taking_is_seen(group):
    """The record is the dead coordinator's still; its fence says that somebody is at it."""
    group.lock.acquire(OURS)
    group.groups[SECOND] = {}
    assert evolve(OURS, fence=2) == group.lock.read()
    del group.groups[FIRST]
    with pytest.raises(StateError, match="just taking the lock"):
        group.lock.take_over(evolve(OURS, fence=2))


def test_what_was_asked_of_a_dead_coordinator_is_asked_of_who_takes_over(group):
    group.lock.acquire(OURS)
    group.lock.request_stop("run-1", "carol")
    successor = evolve(OURS, owner="bob", fence=2, stop="carol")
    assert group.lock.take_over(successor) is None
    assert successor == group.lock.write(evolve(successor, stop="")) == group.lock.read()


def test_who_wakes_up_after_a_take_over_writes_over_nothing(group):
    group.lock.acquire(OURS)
    successor = evolve(OURS, owner="bob", fence=2, checkpoint="new")
    group.lock.take_over(successor)
    assert successor == group.lock.write(evolve(OURS, checkpoint="old"))
    assert successor == group.lock.read()


def test_who_wakes_up_after_his_run_ended_does_not_touch_the_next_ones_lock(group):
    """The next run's group has the same name; it refuses what is written for another run."""
    group.lock.acquire(THEIRS)
    with pytest.raises(StateError, match="the lock is gone"):
        group.lock.write(OURS)
    assert THEIRS == group.lock.read()


def test_a_lock_that_was_taken_over_is_released_whole_and_tells_the_truth_until_then(group):
    """The name that a new run would take goes last, and holds the newest record by then."""
    group.lock.acquire(OURS)
    group.lock.take_over(evolve(OURS, fence=2))
    last = evolve(OURS, owner="carol", fence=3)
    group.lock.take_over(last)
    removed = []

    def remove(pipeline: Pipeline) -> list[Any]:
        removed.append(pipeline.commands[0].parameters["Name"])
        group.remove(pipeline)
        assert last == group.lock.read() or group.lock.read() is None
        return []

    group.node.on("Remove-ClusterGroup", remove)
    group.lock.release("run-1")
    assert [SECOND, THIRD, FIRST] == removed
    assert {} == group.groups


def test_a_run_that_was_taken_over_too_often_wants_a_person(group):
    group.lock.acquire(OURS)
    with pytest.raises(StateError, match="taken over 32 times, expected at most 31"):
        group.lock.take_over(evolve(OURS, fence=33))


def test_a_lock_whose_creation_broke_holds_up_nobody(group):
    """Nobody knows who made the group; the next number tells."""

    def add_and_break(pipeline: Pipeline) -> list[Any]:
        group.add(pipeline)
        raise FateUnknownError("the connection broke.", node="N1")

    group.node.on("Add-ClusterGroup", add_and_break, group.add)
    assert evolve(OURS, fence=2) == group.lock.acquire(OURS)


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
    assert {} == group.groups


def test_a_record_whose_writing_broke_is_read_before_it_is_believed(group):
    group.lock.acquire(OURS)
    later = evolve(OURS, lease_until=MORNING + timedelta(hours=1))

    def write_and_break(pipeline: Pipeline) -> list[Any]:
        group.properties(pipeline)
        raise FateUnknownError("the connection broke.", node="N1")

    group.node.on(WRITE, write_and_break)
    group.lock.write(later)
    assert later == group.lock.read()


def test_a_write_in_a_session_that_was_lost_is_repeated(group):
    group.lock.acquire(OURS)
    later = evolve(OURS, checkpoint="")
    group.node.on(WRITE, SessionLostError("gone.", node="N1"), group.properties)
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
    assert {} == group.groups


def test_a_group_that_could_not_be_marked_is_removed_again(group):
    """Else nobody could take the lock, and nobody would know whose it is."""
    group.node.on(WRITE, refused("no quorum"))
    with pytest.raises(RemoteError, match="no quorum"):
        group.lock.acquire(OURS)
    assert {} == group.groups


@given(
    owner=st.text(min_size=1),
    checkpoint=st.text(max_size=200),
    hours=st.integers(-12, 14),
)
def test_any_record_comes_back_as_it_was(owner, checkpoint, hours):
    group = LockGroups()
    local = MORNING.astimezone(timezone(timedelta(hours=hours)))
    record = evolve(OURS, owner=owner, checkpoint=checkpoint, acquired=local)
    assert group.lock.acquire(record) is None
    assert record == group.lock.read()


def test_who_asks_to_stop_and_the_run_itself_do_not_overwrite_each_other():
    """Each writes properties of its own, so that neither needs to know of the other."""
    group = LockGroups()
    assert None is group.lock.acquire(OURS)
    group.lock.request_stop("run-1", "bob@lap (pid 9)")
    group.lock.write(evolve(OURS, lease_until=MORNING + timedelta(hours=1)))
    assert evolve(OURS, lease_until=MORNING + timedelta(hours=1), stop="bob@lap (pid 9)") == group.lock.read()


def test_a_request_to_stop_an_earlier_run_is_none_of_this_one():
    group = LockGroups()
    group.lock.acquire(OURS)
    group.parameters["CauctlStop"] = "run-0 bob@lap (pid 9)"
    assert OURS == group.lock.read()
    with pytest.raises(StateError, match="does not hold the cluster"):
        group.lock.request_stop("run-0", "bob@lap (pid 9)")
