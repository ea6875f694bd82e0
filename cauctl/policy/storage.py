"""Storage Spaces: may a node's disks be taken away now.

It is at rest when no job runs and every virtual disk is Healthy. Jobs appear some time after a node is back, so one
look proves nothing: :func:`enough` asks for several in a row. Disks without redundancy left are danger for the whole
run, not a reason to wait.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.nodes import readable

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cauctl.models.nodes import StorageFacts, StorageJob, VirtualDisk

__all__ = ["StorageReport", "StorageState", "assess", "assess_while_out", "enough"]

_HEALTHY = "Healthy"
_UNHEALTHY = "Unhealthy"
_DANGER = frozenset({"Detached", "No Redundancy"})


class StorageState(Enum):
    """What storage allows."""

    AT_REST = "AtRest"
    """A node may go."""
    BUSY = "Busy"
    """It repairs or moves data: wait."""
    IN_DANGER = "InDanger"
    """Data has no redundancy left, or is away: stop."""


@frozen
class StorageReport:
    """One look at storage, judged."""

    state: StorageState
    """What it allows."""
    reason: str = field(default="", kw_only=True)
    """Why, for people."""
    repair: tuple[str, ...] = field(default=(), kw_only=True)
    """Virtual disks that need a repair which nobody carries on."""


def assess(storage: StorageFacts) -> StorageReport:
    """Judge one look."""
    if lost := [disk for disk in storage.virtual_disks if _in_danger(disk)]:
        return StorageReport(StorageState.IN_DANGER, reason="; ".join(map(_say_disk, lost)))
    sick = [disk for disk in storage.virtual_disks if disk.health_status != _HEALTHY]
    reasons = [*map(_say_job, storage.jobs), *map(_say_disk, sick)]
    if not reasons:
        return StorageReport(StorageState.AT_REST)
    carried_on = any(map(_carried_on, storage.jobs))
    return StorageReport(
        StorageState.BUSY,
        reason="; ".join(reasons),
        repair=() if carried_on else tuple(disk.friendly_name for disk in sick),
    )


def assess_while_out(storage: StorageFacts, *, others_returned: bool) -> StorageReport:
    """Judge one look while a drained node's own disks are out: only what concerns other nodes' disks counts.

    Degraded disks and suspended jobs are then as they should be; a job that runs brings back another node's data. Once
    another node was away and returned, a suspended job may be its own, and holds as well.
    """
    if lost := [disk for disk in storage.virtual_disks if _in_danger(disk)]:
        return StorageReport(StorageState.IN_DANGER, reason="; ".join(map(_say_disk, lost)))
    jobs = [job for job in storage.jobs if others_returned or _carried_on(job)]
    if not jobs:
        return StorageReport(StorageState.AT_REST)
    idle = not any(map(_carried_on, jobs))
    return StorageReport(
        StorageState.BUSY,
        reason="; ".join(map(_say_job, jobs)),
        repair=tuple(disk.friendly_name for disk in storage.virtual_disks) if idle else (),
    )


def enough(
    count: int, *, samples: int, settled_since: datetime | None, now: datetime, settle: timedelta
) -> tuple[bool, str]:
    """Decide whether storage may be believed to be at rest, and say what is missing.

    Args:
        count: looks in a row, this one included, that found it at rest.
        samples: looks that are asked for.
        settled_since: when the node that was away last was first seen Up again; None: none was.
        now: time of this look.
        settle: how long that node must have been Up.
    """
    if settled_since is not None and now - settled_since < settle:
        return False, f"a node came back {readable(now - settled_since)} ago, {readable(settle)} are waited"
    if count < samples:
        return False, f"healthy in {count} of {samples} looks"
    return True, ""


def _carried_on(job: StorageJob) -> bool:
    return job.state not in {"Suspended", "Completed"}


def _in_danger(disk: VirtualDisk) -> bool:
    return disk.health_status == _UNHEALTHY or not _DANGER.isdisjoint(disk.operational_status)


def _say_disk(disk: VirtualDisk) -> str:
    status = ", ".join(disk.operational_status)
    return f"virtual disk {disk.friendly_name} is {disk.health_status}" + (f" ({status})" if status else "")


def _say_job(job: StorageJob) -> str:
    return f"storage job {job.name} is {job.state} at {job.percent_complete} %"
