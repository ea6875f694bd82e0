"""The lock on a cluster: empty clustered roles of fixed names, each of which the cluster creates only once.

Rules kept here:

* ``Add-ClusterGroup`` is the test-and-set, for taking the lock and for each time that a run is taken over: the fencing
  counter of a coordinator is the number of its group (:mod:`cauctl.models.lock`). The highest number holds the cluster.
* Who holds the lock, since when and until when, and the checkpoint of the run are private properties of the group, so
  they move with the cluster and need no shared disk. Each coordinator writes to its own group alone, and a group of
  another run refuses it for want of the property that bears the run's id: who wakes up late writes over nothing.
* The lock is ours only once the record was read back as ours, with no higher number beside it.
* A group without any record is what a coordinator left that died, or was cut off, between two calls: nothing was
  touched by it, and whoever gets the next number goes on from there. A record that cannot be read is nobody's to take.
* Nothing is removed but the records of the run that asks. The name that a new run would take is removed last, and tells
  the truth until then.
* Who asks a run to stop writes one property, which the run itself never writes over: so neither overwrites the other.
  Only whoever takes a run over writes it into its new group, with what was asked of the dead coordinator.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from attrs import evolve

from cauctl.errors import CauError, FateUnknownError, OperationTimeoutError, RemoteError, SessionLostError, StateError
from cauctl.models.lock import LOCK_GROUPS, fence_of, lock_group
from cauctl.models.nodes import LockRecord
from cauctl.psrp.answers import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.psrp.fleet import Fleet

__all__ = ["LOCK_FIELDS", "RUN_MARK", "STOP_FIELD", "ClusterLock"]

_BASE: Final = LOCK_GROUPS[0]
_FIRST: Final = 1
_SCHEMA: Final = "1"
_LONGEST_CHECKPOINT: Final = 30_000
LOCK_FIELDS: Final = (
    "CauctlSchema",
    "CauctlRunId",
    "CauctlOwner",
    "CauctlFence",
    "CauctlAcquired",
    "CauctlLeaseUntil",
    "CauctlCheckpoint",
)
"""Names of the private properties."""
STOP_FIELD: Final = "CauctlStop"
"""Name of the one that who asks a run to stop writes."""
RUN_MARK: Final = "CauctlRun-"
"""Beginning of the name of one more, which ends in the run's id."""
_UNKNOWN_FATE: Final = (FateUnknownError, SessionLostError, OperationTimeoutError)
_BY_HAND: Final = (
    "If no other coordinator is at work, remove the empty role by hand: "
    f"Get-ClusterGroup {_BASE}* | Remove-ClusterGroup"
)


class ClusterLock:
    """The lock of one cluster.

    Args:
        fleet: the way to the cluster.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._say = fleet.wording

    def acquire(self, record: LockRecord) -> LockRecord | None:
        """Take the lock: None when it is ours, else the record of whoever holds it.

        Where a coordinator died before it had written its record, ours has the next number, and is given back with it.
        """
        _properties(record)  # before anything is written
        if self._create(_FIRST):
            return self._mark(record)
        holder = self.read()
        if holder is not None:
            return None if _same_holder(holder, record) else holder
        claimed = evolve(record, fence=max(self._fences(), default=_FIRST) + 1)
        holder = self.take_over(claimed)
        return claimed if holder is None else holder

    def take_over(self, record: LockRecord) -> LockRecord | None:
        """Take a held lock with the next number: None when it is ours, else the record of whoever holds it."""
        if self._create(record.fence):
            if min(self._fences()) == record.fence:
                self._remove(record.fence)
                raise StateError("the lock was given back meanwhile.", path=_BASE, advice="Look at the cluster again.")
            return self._mark(record)
        holder = self.read()
        if holder is None:
            raise StateError("somebody else is just taking the lock.", path=_BASE, advice="Try again in a minute.")
        return holder

    def read(self) -> LockRecord | None:
        """The record of whoever holds the lock, None when it is free or nobody's; StateError when it is not readable.

        Its fencing counter is the highest number there is, so that a number which somebody is just taking is seen.
        """
        fences = self._fences()
        for fence in sorted(fences, reverse=True):
            record = self._record(fence)
            if record is not None:
                return evolve(record, fence=max(*fences, record.fence))
        return None

    def write(self, record: LockRecord) -> LockRecord:
        """Replace our record, and give the one of whoever holds the lock; StateError when ours is gone."""
        try:
            self._put(record.fence, record, create=False)
        except RemoteError as error:
            found = self._record(record.fence)
            if found is not None and found.run_id == record.run_id:
                raise
            raise _gone() from error
        holder = self.read()
        if holder is None:
            raise _gone()
        return holder

    def request_stop(self, run_id: str, by: str) -> None:
        """Note that ``by`` asks this run to stop; StateError when the lock is not this run's."""
        holder = self.read()
        if holder is None or holder.run_id != run_id:
            raise StateError(f"the run {run_id} does not hold the cluster.", path=_BASE)
        pipeline = self._say.write_lock(lock_group(holder.fence), {STOP_FIELD: f"{run_id} {by}"}, create=True)
        self._fleet.act(pipeline, done=lambda: self._is_asked_to_stop(holder))

    def _is_asked_to_stop(self, holder: LockRecord) -> bool:
        found = self._record(holder.fence)
        return found is not None and found.run_id == holder.run_id and bool(found.stop)

    def release(self, run_id: str) -> None:
        """Remove the lock if it is this run's."""
        holder = self.read()
        if holder is None or holder.run_id != run_id:
            return
        fences = self._fences()
        if _FIRST in fences and max(fences) > _FIRST:
            self._put(_FIRST, holder, create=True)
        for fence in (*sorted(fences - {_FIRST}), *(fences & {_FIRST})):
            self._remove(fence)

    # ---- Groups

    def _create(self, fence: int) -> bool:
        """Make a group; say whether it was surely us. Who cannot know has not made it."""
        name = lock_group(fence)
        try:
            self._fleet.act(self._say.add_lock(name), done=lambda: False)
        except (RemoteError, *_UNKNOWN_FATE):
            if fence not in self._fences():
                raise
            return False
        return True

    def _remove(self, fence: int) -> None:
        self._fleet.act(self._say.remove_lock(lock_group(fence)), done=lambda: fence not in self._fences())

    def _fences(self) -> set[int]:
        node, result = self._fleet.look(self._say.lock_names)
        names = (answer.text("Name") for answer in answers(result.output, node=node, command="Get-ClusterGroup"))
        return {fence for name in names if (fence := fence_of(name)) is not None}

    # ---- Records

    def _mark(self, record: LockRecord) -> LockRecord | None:
        """Write our record into the group that we have just made, and look whether we hold the lock by it.

        A group that could not be marked is removed again, as far as the cluster still answers.
        """
        try:
            self._put(record.fence, record, create=True)
        except CauError:
            with suppress(CauError):
                if max(self._fences()) == record.fence:
                    self._remove(record.fence)
            raise
        holder = self.read()
        return None if holder is not None and _same_holder(holder, record) else holder

    def _record(self, fence: int) -> LockRecord | None:
        """Read the record of a group; None when it has none, or is gone meanwhile."""
        try:
            node, result = self._fleet.look(self._say.read_lock(lock_group(fence)))
        except RemoteError:
            if fence in self._fences():
                raise
            return None
        found = {
            answer.text("Name").casefold(): answer.text("Value")
            for answer in answers(result.output, node=node, command="Get-ClusterParameter")
        }
        return _read(found) if any(name.startswith("cauctl") for name in found) else None

    def _put(self, fence: int, record: LockRecord, *, create: bool) -> None:
        pipeline = self._say.write_lock(lock_group(fence), _properties(record), create=create)
        self._fleet.act(pipeline, done=lambda: self._stands(fence, record))

    def _stands(self, fence: int, record: LockRecord) -> bool:
        try:
            found = self._record(fence)
            return found is not None and evolve(found, stop="") == evolve(record, stop="")
        except StateError:
            return False


def _gone() -> StateError:
    return StateError("the lock is gone; somebody removed it while the run was at work.", path=_BASE)


def _same_holder(holder: LockRecord, record: LockRecord) -> bool:
    """Whether the record found is the one that this very coordinator wrote."""
    return (holder.run_id, holder.owner, holder.fence) == (record.run_id, record.owner, record.fence)


def _properties(record: LockRecord) -> dict[str, str]:
    if len(record.checkpoint) > _LONGEST_CHECKPOINT:
        raise StateError(f"the checkpoint has {len(record.checkpoint)} characters.", path=_BASE)
    values = (
        _SCHEMA,
        record.run_id,
        record.owner,
        str(record.fence),
        record.acquired.astimezone(UTC).isoformat(),
        record.lease_until.astimezone(UTC).isoformat(),
        # Never empty: an empty value may be taken for none.
        f"={record.checkpoint}",
    )
    # The mark is only ever set where it is already, once the group is ours: another run's group of the name refuses it.
    asked = {STOP_FIELD: f"{record.run_id} {record.stop}"} if record.stop else {}
    return {f"{RUN_MARK}{record.run_id}": _SCHEMA, **dict(zip(LOCK_FIELDS, values, strict=True)), **asked}


def _asked_by(found: Mapping[str, str]) -> str:
    """Read who asked the run to stop; what was asked of an earlier run is none of this one's."""
    run_id, _, by = found.get(STOP_FIELD.casefold(), "").partition(" ")
    return by if run_id == found["cauctlrunid"] else ""


def _read(found: Mapping[str, str]) -> LockRecord:
    if found.get("cauctlschema", _SCHEMA) != _SCHEMA:
        raise StateError(
            f"its record is of version {found['cauctlschema']}; this program reads version {_SCHEMA}.",
            path=_BASE,
            advice="Use the newer program, or wait for its run to end.",
        )
    try:
        return LockRecord(
            found["cauctlrunid"],
            owner=found["cauctlowner"],
            fence=int(found["cauctlfence"]),
            acquired=datetime.fromisoformat(found["cauctlacquired"]).astimezone(UTC),
            lease_until=datetime.fromisoformat(found["cauctlleaseuntil"]).astimezone(UTC),
            checkpoint=found["cauctlcheckpoint"].removeprefix("="),
            stop=_asked_by(found),
        )
    except (KeyError, ValueError) as error:
        raise StateError(f"it holds no readable record ({error}).", path=_BASE, advice=_BY_HAND) from error
