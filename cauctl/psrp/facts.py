"""What the cluster cmdlets are asked for a picture of the cluster, and how their objects become facts.

Each question picks its properties on the node, so that only those travel. Numbers of enums are those of module
FailoverClusters and of the storage classes; they decide only where a text is in the node's language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.models.lock import fence_of
from cauctl.models.nodes import (
    ClusterFacts,
    ClusterGroup,
    ClusterNode,
    DrainStatus,
    GroupState,
    NodeState,
    Quorum,
    StorageFacts,
    StorageJob,
    VirtualDisk,
)
from cauctl.psobject import PSObject
from cauctl.psrp.answers import Answer, enum_name, flag_names, name_of
from cauctl.psrp.commands import send

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from cauctl.psrp.pipeline import Pipeline

__all__ = [
    "CLUSTER",
    "GROUPS",
    "LOCK",
    "NETWORK_STATES",
    "NODES",
    "QUORUM",
    "RESOURCES",
    "RESOURCE_STATES",
    "STORAGE_JOBS",
    "UPDATING_RUNS",
    "VIRTUAL_DISKS",
    "cluster_facts",
    "cluster_group",
    "cluster_node",
    "storage_facts",
]


CLUSTER: Final[Pipeline] = send("Get-Cluster") | send(
    "Select-Object",
    Property=["Name", "Domain", "DynamicQuorum", "WitnessDynamicWeight", "S2DEnabled", "BackupInProgress"],
)
NODES: Final[Pipeline] = send("Get-ClusterNode") | send(
    "Select-Object",
    Property=["Name", "State", "DrainStatus", "NodeWeight", "DynamicWeight", "StatusInformation", "FaultDomain"],
)
GROUPS: Final[Pipeline] = send("Get-ClusterGroup") | send(
    "Select-Object", Property=["Name", "OwnerNode", "State", "GroupType", "IsCoreGroup", "LockedFromMoving"]
)
QUORUM: Final[Pipeline] = send("Get-ClusterQuorum") | send("Select-Object", Property=["QuorumType", "QuorumResource"])
STORAGE_JOBS: Final[Pipeline] = send("Get-StorageJob") | send(
    "Select-Object", Property=["Name", "JobState", "PercentComplete"]
)
VIRTUAL_DISKS: Final[Pipeline] = send("Get-VirtualDisk") | send(
    "Select-Object", Property=["FriendlyName", "HealthStatus", "OperationalStatus"]
)
RESOURCES: Final[Pipeline] = send("Get-ClusterResource") | send(
    "Select-Object", Property=["Name", "State", "ResourceType"]
)
"""To follow a group."""
UPDATING_RUNS: Final[Pipeline] = send(
    "Get-CimInstance", Namespace="root/Microsoft/Windows/ClusterUpdate", ClassName="MSFT_CAURun", OperationTimeoutSec=30
) | send("Select-Object", Property=["OrchestratorGuid"])
LOCK: Final[Pipeline] = send("Get-ClusterParameter") | send("Select-Object", Property=["Name", "Value"])
"""To follow a group of the lock."""

NODE_STATES: Final[Mapping[int, str]] = {-1: "Unknown", 0: "Up", 1: "Down", 2: "Paused", 3: "Joining"}
DRAIN_STATUS: Final[Mapping[int, str]] = {0: "NotInitiated", 1: "InProgress", 2: "Completed", 3: "Failed"}
NODE_STATUS: Final[Mapping[int, str]] = {
    0: "Normal",
    0x1: "Isolated",
    0x2: "Quarantined",
    0x4: "DrainInProgress",
    0x8: "DrainCompleted",
    0x10: "DrainFailed",
    0x20: "AvoidPlacement",
}
GROUP_STATES: Final[Mapping[int, str]] = {
    -1: "Unknown",
    0: "Online",
    1: "Offline",
    2: "Failed",
    3: "PartialOnline",
    4: "Pending",
}
RESOURCE_STATES: Final[Mapping[int, str]] = {
    -1: "Unknown",
    0: "Inherited",
    1: "Initializing",
    2: "Online",
    3: "Offline",
    4: "Failed",
    128: "Pending",
    129: "OnlinePending",
    130: "OfflinePending",
}
NETWORK_STATES: Final[Mapping[int, str]] = {-1: "Unknown", 0: "Unavailable", 1: "Failed", 2: "Unreachable", 3: "Up"}
GROUP_TYPES: Final[Mapping[int, str]] = {
    1: "Cluster",
    2: "AvailableStorage",
    3: "Temporary",
    4: "ClusterSharedVolume",
    5: "ClusterStoragePool",
    100: "FileServer",
    101: "PrintServer",
    102: "DhcpServer",
    103: "Dtc",
    104: "Msmq",
    105: "Wins",
    106: "StandAloneDfs",
    107: "GenericApplication",
    108: "GenericService",
    109: "GenericScript",
    110: "IScsiNameService",
    111: "VirtualMachine",
    112: "TsSessionBroker",
    113: "IScsiTarget",
    114: "ScaleoutFileServer",
    115: "VMReplicaBroker",
    116: "TaskScheduler",
    117: "ClusterAwareUpdating",
    118: "ScaleoutCluster",
    119: "StorageReplica",
    120: "VirtualMachineReplicationCoordinator",
    121: "CrossClusterOrchestrator",
    122: "InfrastructureFileServer",
    123: "CoreSddc",
    124: "UserManager",
    125: "KeyValueStoreManager",
    126: "HcsVirtualMachine",
    127: "MetaVirtualMachine",
    9999: "Unknown",
}
JOB_STATES: Final[Mapping[int, str]] = {
    2: "New",
    3: "Starting",
    4: "Running",
    5: "Suspended",
    6: "ShuttingDown",
    7: "Completed",
    8: "Terminated",
    9: "Killed",
    10: "Exception",
    11: "Service",
    12: "QueryPending",
}
HEALTH: Final[Mapping[int, str]] = {0: "Healthy", 1: "Warning", 2: "Unhealthy", 5: "Unknown"}
OPERATIONAL_STATUS: Final[Mapping[int, str]] = {
    0: "Unknown",
    1: "Other",
    2: "OK",
    3: "Degraded",
    4: "Stressed",
    5: "Predictive Failure",
    6: "Error",
    7: "Non-Recoverable Error",
    8: "Starting",
    9: "Stopping",
    10: "Stopped",
    11: "InService",
    12: "No Contact",
    13: "Lost Communication",
    14: "Aborted",
    15: "Dormant",
    16: "Supporting Entity in Error",
    17: "Completed",
    18: "Power Mode",
    19: "Relocating",
    53250: "Detached",
    53251: "Incomplete",
    53275: "Suboptimal",
    53284: "No Redundancy",
}


def cluster_facts(
    cluster: Answer,
    nodes: Iterable[Answer],
    groups: Iterable[Answer],
    quorum: Answer | None,
    *,
    observed: datetime,
) -> ClusterFacts:
    """Put the answers together; our lock is no role."""
    return ClusterFacts(
        cluster.text("Name"),
        domain=cluster.text("Domain"),
        nodes=tuple(map(cluster_node, nodes)),
        groups=tuple(group for group in map(cluster_group, groups) if fence_of(group.name) is None),
        quorum=_quorum(cluster, quorum),
        s2d_enabled=cluster.integer("S2DEnabled", 0) == 1,
        backup_in_progress=cluster.integer("BackupInProgress", 0) == 1,
        observed=observed,
    )


def cluster_node(answer: Answer) -> ClusterNode:
    """Read one object of :data:`NODES`."""
    return ClusterNode(
        answer.text("Name"),
        state=answer.enum("State", NodeState, NODE_STATES),
        drain_status=answer.enum("DrainStatus", DrainStatus, DRAIN_STATUS),
        node_weight=answer.integer("NodeWeight", 1),
        dynamic_weight=answer.integer("DynamicWeight", 1),
        status_information=flag_names(answer.raw("StatusInformation"), NODE_STATUS),
        fault_domain=", ".join(answer.texts("FaultDomain")) or None,
    )


def cluster_group(answer: Answer) -> ClusterGroup:
    """Read one object of :data:`GROUPS`."""
    return ClusterGroup(
        answer.text("Name"),
        owner_node=answer.text("OwnerNode"),
        state=answer.enum("State", GroupState, GROUP_STATES),
        group_type=enum_name(answer.raw("GroupType"), GROUP_TYPES) or "Unknown",
        is_core_group=answer.flag("IsCoreGroup"),
        locked_from_moving=answer.flag("LockedFromMoving"),
    )


def storage_facts(jobs: Iterable[Answer], disks: Iterable[Answer]) -> StorageFacts:
    """Read the objects of :data:`STORAGE_JOBS` and :data:`VIRTUAL_DISKS`; jobs that are done are left out."""
    found = (
        StorageJob(
            job.text("Name"),
            state=enum_name(job.raw("JobState"), JOB_STATES),
            percent_complete=job.integer("PercentComplete", 0),
        )
        for job in jobs
    )
    return StorageFacts(
        tuple(job for job in found if job.state != "Completed"),
        virtual_disks=tuple(
            VirtualDisk(
                disk.text("FriendlyName"),
                health_status=enum_name(disk.raw("HealthStatus"), HEALTH) or "Unknown",
                operational_status=tuple(enum_name(item, OPERATIONAL_STATUS) for item in _status_items(disk)),
            )
            for disk in disks
        ),
    )


def _status_items(disk: Answer) -> list[Any]:
    value = disk.raw("OperationalStatus")
    if isinstance(value, PSObject) and value.is_container:
        return list(value)
    if isinstance(value, str):
        return [part.strip() for part in value.strip("{}").split(",") if part.strip()]
    return [] if value is None else [value]


def _quorum(cluster: Answer, quorum: Answer | None) -> Quorum:
    witness = None if quorum is None else quorum.raw("QuorumResource")
    name = name_of(witness)
    state = witness.get("State") if isinstance(witness, PSObject) else None
    return Quorum(
        name or None,
        witness_online=bool(name) and enum_name(state, RESOURCE_STATES) == "Online",
        witness_weight=cluster.integer("WitnessDynamicWeight", 0),
        dynamic=cluster.integer("DynamicQuorum", 1) == 1,
    )
