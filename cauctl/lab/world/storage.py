"""Storage Spaces Direct of a cluster: virtual disks that miss what a node holds, and jobs that bring it back.

Rules kept here (``node-operations`` §2.5):

* A node that is drained has its drives in maintenance; one that is no member has none of them there. Either way the
  virtual disks go on with Warning.
* Once the node is a member and not paused its drives return; a repair job appears a little later and takes longer the
  longer the node was out. Until it ends the other copies must not go.
* A second node that goes out meanwhile puts data at risk; the ledger says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from attrs import define, field

from cauctl.lab.faults import FaultKind
from cauctl.models.nodes import StorageFacts, StorageJob, VirtualDisk

if TYPE_CHECKING:
    from cauctl.lab.world.world import World

__all__ = ["Outage", "Storage"]

_STUCK_AT: Final = 37
"""Per cent at which a repair stays that never ends."""


@define(eq=False)
class Outage:
    """What one node's absence did to the virtual disks."""

    node: str
    """Which node."""
    since: datetime = field(kw_only=True)
    """When its drives went."""
    out: bool = field(default=True, kw_only=True)
    """Whether they are away still."""
    job_since: datetime | None = field(default=None, kw_only=True)
    """When the repair began; None before."""
    job_time: timedelta | None = field(default=None, kw_only=True)
    """How long the repair takes."""
    suspended: bool = field(default=False, kw_only=True)
    """The job waits for somebody to start the repair."""
    endless: bool = field(default=False, kw_only=True)
    """The repair never ends."""
    returns: int = field(default=0, kw_only=True)
    """Grows each time the drives go or come, so that a planned step can tell that it is out of date."""


class Storage:
    """The virtual disks of one cluster."""

    def __init__(self, world: World, disks: tuple[str, ...]) -> None:
        self._world = world
        self.disks = disks
        self.outages: dict[str, Outage] = {}
        """By node: what is not in sync."""
        self._healthy = StorageFacts(
            virtual_disks=tuple(
                VirtualDisk(disk, health_status="Healthy", operational_status=("OK",)) for disk in disks
            )
        )

    def __repr__(self) -> str:
        return f"<Storage {len(self.disks)} virtual disks, not in sync: {', '.join(self.outages) or 'none'}>"

    @property
    def in_sync(self) -> bool:
        """Whether every copy is complete."""
        return not self.outages

    def needs_others(self, node: str) -> bool:
        """Whether data would be at risk if this node went out now."""
        return any(other != node for other in self.outages)

    def node_out(self, node: str) -> None:
        """The node's drives go: into maintenance, or with the node."""
        if not self.disks:
            return
        outage = self.outages.get(node)
        if outage is None or not outage.out:
            if self.needs_others(node):
                self._world.ledger.storage_lost(self._world.now, node)
            outage = self.outages.setdefault(node, Outage(node, since=self._world.now))
        outage.out, outage.returns = True, outage.returns + 1
        outage.job_since = outage.job_time = None
        self._world.kernel.touch()

    def node_back(self, node: str) -> None:
        """The node's drives return; the repair begins a little later."""
        outage = self.outages.get(node)
        if outage is None or not outage.out:
            return
        outage.out, outage.returns = False, outage.returns + 1
        returns = outage.returns
        outage.endless = self._world.faults.strike(FaultKind.STORAGE_STAYS_DEGRADED, node) is not None
        rate = self._world.scenario.quirks.repair_suspended
        outage.suspended = self._world.dice.chance(f"repair suspended/{node}", rate)
        delay = self._world.dice.vary("repair delay", self._world.scenario.durations.repair_delay, 0.2)
        self._world.kernel.after(delay, lambda: self._begin(outage, returns))

    def repair(self, disk: str | None = None) -> None:
        """Start repairs that wait; KeyError when there is no such virtual disk."""
        if disk is not None and disk.casefold() not in {each.casefold() for each in self.disks}:
            raise KeyError(disk)
        for outage in self.outages.values():
            if outage.suspended and not outage.endless and not outage.out:
                outage.suspended = False
                self._begin(outage, outage.returns)

    def _begin(self, outage: Outage, returns: int) -> None:
        if outage.returns != returns or outage.out:
            return
        durations, world = self._world.scenario.durations, self._world
        outage.job_since = world.now
        outage.job_time = durations.repair + (world.now - outage.since) * durations.repair_share
        world.kernel.touch()
        if not outage.suspended and not outage.endless:
            world.kernel.after(outage.job_time, lambda: self._end(outage, returns))

    def _end(self, outage: Outage, returns: int) -> None:
        if outage.returns == returns and self.outages.get(outage.node) is outage:
            del self.outages[outage.node]
            self._world.ledger.note(self._world.now, "storage is in sync again", outage.node)

    def percent(self, outage: Outage) -> int:
        """How far a repair is."""
        if outage.endless or outage.suspended or outage.job_since is None or not outage.job_time:
            return _STUCK_AT if outage.endless else 0
        return min(int((self._world.now - outage.job_since) / outage.job_time * 100), 99)

    @property
    def jobs(self) -> tuple[tuple[str, str, int], ...]:
        """Name, ``JobState`` and per cent of each storage job."""
        return tuple(
            ("Repair", "Suspended" if outage.suspended else "Running", self.percent(outage))
            for outage in self.outages.values()
            if outage.job_since is not None
            for _ in self.disks
        )

    @property
    def health(self) -> tuple[str, tuple[str, ...]]:
        """``HealthStatus`` and ``OperationalStatus`` of the virtual disks."""
        if len(self.outages) > 1 and sum(outage.out for outage in self.outages.values()) > 1:
            return "Unhealthy", ("No Redundancy",)
        if any(outage.out for outage in self.outages.values()):
            return "Warning", ("Degraded", "Incomplete")
        if self.outages:
            return "Warning", ("InService",)
        return "Healthy", ("OK",)

    def facts(self) -> StorageFacts:
        """What the storage cmdlets show."""
        if not self.outages:
            return self._healthy
        health, operational = self.health
        return StorageFacts(
            jobs=tuple(StorageJob(name, state=state, percent_complete=percent) for name, state, percent in self.jobs),
            virtual_disks=tuple(
                VirtualDisk(disk, health_status=health, operational_status=operational) for disk in self.disks
            ),
        )
