"""Objects of the cluster as its cmdlets write them, nested ones included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_DNS, uuid5

from cauctl.lab.commands.shapes import make
from cauctl.models.nodes import GroupState
from cauctl.psobject import PSObject

if TYPE_CHECKING:
    from cauctl.lab.world.cluster import Cluster
    from cauctl.lab.world.membership import Member
    from cauctl.lab.world.roles import Group

__all__ = ["ClusterView", "identity", "resource_state", "resources_of"]

NOT_SET: Final = 0xFFFF_FFFF
LOCKED: Final = "Locked"
_RESOURCE_TYPES: Final = {
    "VirtualMachine": ("Virtual Machine", "Virtual Machine Configuration"),
    "FileServer": ("File Server", "Network Name", "IP Address"),
    "GenericService": ("Generic Service", "Network Name", "IP Address"),
    "ClusterAwareUpdating": ("ClusterAwareUpdatingResource", "Network Name"),
}


_RESOURCE_STATES: Final = {
    GroupState.ONLINE: "Online",
    GroupState.FAILED: "Failed",
    GroupState.PENDING: "OnlinePending",
}


def identity(*parts: str) -> str:
    """Give the lab's stable GUID for something with a name."""
    return str(uuid5(NAMESPACE_DNS, "/".join(parts)))


def resources_of(cluster: Cluster, group: Group) -> list[tuple[str, str]]:
    """Give name and type of each resource of a group."""
    if group.group_type == "Cluster":
        found = [("Cluster IP Address", "IP Address"), ("Cluster Name", "Network Name")]
        return [*found, (cluster.quorum.witness, "File Share Witness")] if cluster.quorum.witness else found
    kinds = _RESOURCE_TYPES.get(group.group_type, ())
    return [(group.name if index == 0 else f"{group.name} {kind}", kind) for index, kind in enumerate(kinds)]


def resource_state(cluster: Cluster, group: Group, kind: str) -> str:
    """Give the state of a group's resource, by name."""
    if kind == "File Share Witness":
        return "Online" if cluster.quorum.witness_online else "Failed"
    return _RESOURCE_STATES.get(group.state, "Offline")


class ClusterView:
    """The cluster at one moment, for one command: nested objects are made once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes: dict[str, PSObject] = {}
        self._whole: PSObject | None = None

    def cluster(self) -> PSObject:
        """Make the ``Cluster``."""
        if self._whole is None:
            cluster, world = self._cluster, self._cluster.world
            self._whole = make(
                "Cluster",
                Name=cluster.name,
                Domain=world.scenario.domain,
                Id=identity("cluster", cluster.name),
                DynamicQuorum=int(cluster.quorum.dynamic),
                WitnessDynamicWeight=cluster.quorum.witness_weight,
                S2DEnabled=int(bool(cluster.storage.disks)),
                RecentEventsResetTime=world.scenario.begins,
            )
        return self._whole

    def node(self, member: Member) -> PSObject:
        """Make a ``ClusterNode``."""
        made = self._nodes.get(member.name)
        if made is None:
            made = make(
                "ClusterNode",
                Cluster=self.cluster(),
                Name=member.name,
                NodeName=member.name,
                Id=str(member.number),
                State=member.state.value,
                StatusInformation=", ".join(member.status_information) or "Normal",
                DrainStatus=member.drain.value,
                DrainErrorCode=member.drain_error,
                NodeWeight=member.node_weight,
                DynamicWeight=member.dynamic_weight,
                FaultDomain=[f"Site:{member.site}"] if member.site else [],
                NodeInstanceID=f"00000000-0000-0000-0000-{member.number:012}",
                UniqueID=identity("node", member.name),
                SerialNumber=f"LAB{member.number:04}",
            )
            self._nodes[member.name] = made
        return made

    def owner(self, name: str) -> PSObject:
        """Make the ``ClusterNode`` of that name."""
        return self.node(self._cluster.members[name])

    def group(self, group: Group) -> PSObject:
        """Make a ``ClusterGroup``."""
        return make(
            "ClusterGroup",
            Cluster=self.cluster(),
            Name=group.name,
            Id=group.group_id,
            OwnerNode=self.owner(group.owner),
            State=group.state.value,
            GroupType=group.group_type,
            IsCoreGroup=group.core,
            LockedFromMoving=int(group.locked),
            StatusInformation=LOCKED if group.locked else 0,
            PersistentState=int(group.wanted),
            AutoFailbackType=int(group.auto_failback),
        )

    def resource(self, group: Group, name: str, kind: str) -> PSObject:
        """Make a ``ClusterResource``."""
        return make(
            "ClusterResource",
            Cluster=self.cluster(),
            Name=name,
            Id=identity("resource", name),
            IsCoreResource=group.core,
            OwnerGroup=self.group(group),
            OwnerNode=self.owner(group.owner),
            ResourceType=_named(kind),
            IsNetworkClassResource=kind in {"Network Name", "IP Address"},
            State=resource_state(self._cluster, group, kind),
            StatusInformation=LOCKED if group.locked else 0,
        )


def _named(kind: str) -> PSObject:
    names = ("Microsoft.FailoverClusters.PowerShell.ClusterResourceType", "System.Object")
    return PSObject(type_names=names, adapted={"Name": kind}, text=kind)
