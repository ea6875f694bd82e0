"""What a cluster and its nodes look like at one moment: facts as the cluster reports them, nothing decided.

Enum members carry the .NET names that the cluster cmdlets print (``ClusterNodeState`` and its neighbours); comparing is
always by name, since numbers differ between the cmdlets and the CIM classes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from attrs import field, frozen

__all__ = [
    "ClusterFacts",
    "ClusterGroup",
    "ClusterNode",
    "DrainStatus",
    "ForeignCoordinator",
    "GroupState",
    "LockRecord",
    "NodeProbe",
    "NodeState",
    "Quorum",
    "StorageFacts",
    "StorageJob",
    "VirtualDisk",
    "readable",
]


class NodeState(Enum):
    """``Microsoft.FailoverClusters.PowerShell.ClusterNodeState``."""

    __hash__ = object.__hash__  # a member is itself alone, and is looked up with every event

    UNKNOWN = "Unknown"
    UP = "Up"
    DOWN = "Down"
    PAUSED = "Paused"
    JOINING = "Joining"


class DrainStatus(Enum):
    """``Microsoft.FailoverClusters.PowerShell.ClusterNodeDrainStatus``."""

    NOT_INITIATED = "NotInitiated"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"


class GroupState(Enum):
    """``Microsoft.FailoverClusters.PowerShell.ClusterGroupState``."""

    __hash__ = object.__hash__  # a member is itself alone, and is looked up with every event

    UNKNOWN = "Unknown"
    ONLINE = "Online"
    OFFLINE = "Offline"
    FAILED = "Failed"
    PARTIAL_ONLINE = "PartialOnline"
    PENDING = "Pending"


@frozen
class ClusterNode:
    """One node as ``Get-ClusterNode`` reports it."""

    name: str
    """NetBIOS name, in the cluster's spelling."""
    state: NodeState = field(kw_only=True)
    """Membership state; a paused node keeps its vote."""
    drain_status: DrainStatus = field(default=DrainStatus.NOT_INITIATED, kw_only=True)
    """How far the last drain got; Completed alone does not prove that no role is left."""
    node_weight: int = field(default=1, kw_only=True)
    """1 unless an administrator took the vote away."""
    dynamic_weight: int = field(default=1, kw_only=True)
    """The vote that dynamic quorum gives the node now."""
    status_information: tuple[str, ...] = field(default=(), kw_only=True)
    """Flags by name: Isolated, Quarantined, DrainInProgress, DrainCompleted, DrainFailed, AvoidPlacement."""
    fault_domain: str | None = field(default=None, kw_only=True)
    """Site, rack or chassis that the node stands in, where the cluster knows one."""
    evicted: bool = field(default=False, kw_only=True)
    """True where a run worked on it and the cluster does not name it any more."""


@frozen
class ClusterGroup:
    """One clustered role (or core group) as ``Get-ClusterGroup`` reports it."""

    name: str
    """Name of the role."""
    owner_node: str = field(kw_only=True)
    """Node that owns the role now."""
    state: GroupState = field(kw_only=True)
    """State of the role."""
    group_type: str = field(default="Unknown", kw_only=True)
    """``GroupType`` by name, such as VirtualMachine, FileServer, Cluster, AvailableStorage."""
    is_core_group: bool = field(default=False, kw_only=True)
    """True for Cluster Group and Available Storage."""
    locked_from_moving: bool = field(default=False, kw_only=True)
    """True while something (a backup, a migration) forbids moving the role."""


@frozen
class Quorum:
    """The witness and its vote; node votes stand with the nodes."""

    witness: str | None = None
    """Name of the witness resource, None without one."""
    witness_online: bool = field(default=False, kw_only=True)
    """True while the witness resource is Online."""
    witness_weight: int = field(default=0, kw_only=True)
    """``WitnessDynamicWeight``: the vote that dynamic quorum gives the witness now."""
    dynamic: bool = field(default=True, kw_only=True)
    """``DynamicQuorum``: whether votes are recomputed after each graceful stop."""


@frozen
class ClusterFacts:
    """One observation of the whole cluster."""

    name: str
    """The cluster's own name for itself."""
    domain: str = field(kw_only=True)
    """DNS domain of the cluster; empty in a workgroup."""
    nodes: tuple[ClusterNode, ...] = field(kw_only=True)
    """All nodes, in the cluster's order."""
    groups: tuple[ClusterGroup, ...] = field(kw_only=True)
    """All groups, core groups included, our own lock group left out."""
    quorum: Quorum = field(kw_only=True)
    """Witness and dynamic quorum."""
    s2d_enabled: bool = field(default=False, kw_only=True)
    """True when Storage Spaces Direct is on."""
    backup_in_progress: bool = field(default=False, kw_only=True)
    """``BackupInProgress``: the cluster's own database is being backed up."""
    observed: datetime = field(kw_only=True)
    """When, by the coordinator's clock."""

    def node(self, name: str) -> ClusterNode:
        """The node of that name, in any letter case; KeyError when the cluster has none."""
        for node in self.nodes:
            if node.name.casefold() == name.casefold():
                return node
        raise KeyError(name)

    def owned_by(self, name: str) -> tuple[ClusterGroup, ...]:
        """Groups that the node owns now, core groups included."""
        return tuple(group for group in self.groups if group.owner_node.casefold() == name.casefold())


@frozen
class StorageJob:
    """One ``MSFT_StorageJob``."""

    name: str
    """Repair, Regeneration, Rebalance, Optimize …"""
    state: str = field(kw_only=True)
    """``JobState`` by name: Running, Suspended, Completed …"""
    percent_complete: int = field(default=0, kw_only=True)
    """0 to 100."""


@frozen
class VirtualDisk:
    """One ``MSFT_VirtualDisk``."""

    friendly_name: str
    """Name that administrators gave."""
    health_status: str = field(kw_only=True)
    """Healthy, Warning, Unhealthy or Unknown."""
    operational_status: tuple[str, ...] = field(default=(), kw_only=True)
    """OK, InService, Incomplete, Degraded, Detached, No Redundancy …"""


@frozen
class StorageFacts:
    """Storage jobs and virtual disks at one moment; both empty on a cluster without Storage Spaces."""

    jobs: tuple[StorageJob, ...] = ()
    """Jobs that are not Completed."""
    virtual_disks: tuple[VirtualDisk, ...] = field(default=(), kw_only=True)
    """All virtual disks of the clustered storage subsystem."""


@frozen
class NodeProbe:
    """What one node says of its own operating system."""

    node: str
    """Name of the node that was asked."""
    boot_time: datetime = field(kw_only=True)
    """``Win32_OperatingSystem.LastBootUpTime``, UTC; it moves when the node's clock is set."""
    uptime: timedelta | None = field(default=None, kw_only=True)
    """How long the node has been up; it does not move with its clock. None: it was not told."""
    build: str = field(kw_only=True)
    """``CurrentBuild.UBR``, such as ``20348.2700``."""
    reboot_pending: tuple[str, ...] = field(default=(), kw_only=True)
    """Names of the strong signals that say a restart is pending, such as ``CBS RebootPending``."""
    servicing_in_progress: bool = field(default=False, kw_only=True)
    """True while the servicing stack works (CBS ``ServicingInProgress`` is 2, TiWorker or TrustedInstaller runs)."""
    boot_finished: bool = field(default=True, kw_only=True)
    """True once boot-time configuration is done (the ``AutoLogonChecked`` mark exists)."""
    cluster_service_running: bool = field(default=True, kw_only=True)
    """True while ClusSvc runs."""
    stopped_services: tuple[str, ...] = field(default=(), kw_only=True)
    """Auto-start services that are not running, delayed and trigger-started ones left out."""


@frozen
class LockRecord:
    """Who holds the cluster for an Updating Run: the private properties of our lock group."""

    run_id: str
    """The run's id."""
    owner: str = field(kw_only=True)
    """``user@machine (pid n)`` of the coordinator."""
    fence: int = field(kw_only=True)
    """Counter that grows each time another coordinator takes the run over."""
    acquired: datetime = field(kw_only=True)
    """When the lock was taken, by the coordinator's clock."""
    lease_until: datetime = field(kw_only=True)
    """After this moment the coordinator may be taken for dead."""
    checkpoint: str = field(default="", kw_only=True)
    """JSON of a few KB: attempt, phase and intent of each node."""
    stop: str = field(default="", kw_only=True)
    """Who asked the run to stop; written by whoever asks, and handed on to whoever takes the run over."""


@frozen
class ForeignCoordinator:
    """Something else that updates this cluster, or is about to."""

    kind: str
    """``MSFT_CAURun`` for Microsoft's coordinator at work, ``SelfUpdating`` for an enabled self-updating role."""
    node: str = field(kw_only=True)
    """Node where it was seen."""
    owner: str = field(kw_only=True)
    """Orchestrator id or the role's name."""
    next_start: datetime | None = field(default=None, kw_only=True)
    """When a self-updating role starts next, where that is known."""


def readable(duration: timedelta) -> str:
    """A duration as people read it: ``90 s``, ``5 min``, ``2 h 10 min``."""
    total = round(duration.total_seconds())
    if total < 120:  # noqa: PLR2004  two minutes are still read as seconds
        return f"{total} s"
    minutes = round(total / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004  as above
