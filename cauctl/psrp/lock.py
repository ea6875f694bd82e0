"""The lock on a cluster: an empty clustered role of a fixed name, whose creation the cluster allows only once.

Rules kept here:

* ``Add-ClusterGroup`` is the test-and-set. Who holds the lock, since when and until when, and the checkpoint of the run
  are private properties of the group, so they move with the cluster and need no shared disk.
* The lock is ours only once the record was read back as ours. A group without a readable record is nobody's to take:
  it may be another coordinator's that is just writing.
* Nothing is removed but the record of the run that asks.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cauctl.errors import CauError, RemoteError, StateError
from cauctl.models.nodes import LockRecord
from cauctl.psrp.answers import answers
from cauctl.psrp.facts import LOCK_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.psrp.fleet import Fleet

__all__ = ["LOCK_FIELDS", "ClusterLock"]

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
_SCHEMA: Final = "1"
_LONGEST_CHECKPOINT: Final = 30_000
_BY_HAND: Final = (
    f"If no other coordinator is at work, remove the empty role by hand: Remove-ClusterGroup -Name {LOCK_GROUP}"
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

        A group that we created and could not mark as ours is removed again, as far as the cluster still answers.
        """
        properties = _properties(record)
        try:
            self._fleet.act(self._say.add_lock, done=lambda: False)
        except RemoteError:
            holder = self.read()
            if holder is None:
                raise
            return None if _same_holder(holder, record) else holder
        try:
            self._write(record, properties, create=True)
        except CauError:
            with suppress(CauError):
                self._remove()
            raise
        holder = self.read()
        return None if holder is not None and _same_holder(holder, record) else holder

    def read(self) -> LockRecord | None:
        """The record, None when the lock is free; StateError when the group holds no record that is ours to read."""
        try:
            node, result = self._fleet.look(self._say.read_lock)
        except RemoteError:
            if self._exists():
                raise
            return None
        found = {
            answer.text("Name").casefold(): answer.text("Value")
            for answer in answers(result.output, node=node, command="Get-ClusterParameter")
        }
        return _record(found)

    def write(self, record: LockRecord) -> None:
        """Replace the record; StateError when there is no lock."""
        try:
            self._write(record, _properties(record), create=False)
        except RemoteError as error:
            if self._exists():
                raise
            raise StateError(
                "the lock is gone; somebody removed it while the run was at work.", path=LOCK_GROUP
            ) from error

    def release(self, run_id: str) -> None:
        """Remove the lock if it is this run's."""
        holder = self.read()
        if holder is not None and holder.run_id == run_id:
            self._remove()

    def _remove(self) -> None:
        self._fleet.act(self._say.remove_lock, done=lambda: not self._exists())

    def _exists(self) -> bool:
        return bool(self._fleet.look(self._say.lock_exists)[1].output)

    def _write(self, record: LockRecord, properties: Mapping[str, str], *, create: bool) -> None:
        self._fleet.act(self._say.write_lock(properties, create=create), done=lambda: self._stands(record))

    def _stands(self, record: LockRecord) -> bool:
        try:
            return self.read() == record
        except StateError:
            return False


def _same_holder(holder: LockRecord, record: LockRecord) -> bool:
    """Whether the record found is the one that this very coordinator wrote."""
    return (holder.run_id, holder.owner, holder.fence) == (record.run_id, record.owner, record.fence)


def _properties(record: LockRecord) -> dict[str, str]:
    if len(record.checkpoint) > _LONGEST_CHECKPOINT:
        raise StateError(f"the checkpoint has {len(record.checkpoint)} characters.", path=LOCK_GROUP)
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
    return dict(zip(LOCK_FIELDS, values, strict=True))


def _record(found: Mapping[str, str]) -> LockRecord:
    if found.get("cauctlschema", _SCHEMA) != _SCHEMA:
        raise StateError(
            f"its record is of version {found['cauctlschema']}; this program reads version {_SCHEMA}.",
            path=LOCK_GROUP,
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
        )
    except (KeyError, ValueError) as error:
        raise StateError(f"it holds no readable record ({error}).", path=LOCK_GROUP, advice=_BY_HAND) from error
