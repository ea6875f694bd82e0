"""Cmdlets of FailoverClusters about the cluster and its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import cluster_refusal
from cauctl.lab.commands.objects import ClusterView, identity, resources_of
from cauctl.lab.commands.scene import CommandSet, Scene, Until, one, strings
from cauctl.lab.commands.shapes import make
from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.cluster import NETWORKS
from cauctl.lab.world.roles import ERROR_GROUP_NOT_FOUND, ClusterApiError
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import DrainStatus
from cauctl.psobject import PSObject, array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.cluster import Cluster
    from cauctl.lab.world.membership import Member

__all__ = ["COMMANDS", "members_of"]

COMMANDS = CommandSet()
_SITE, _NODE = 1000, 4000
ERROR_RESOURCE_NOT_FOUND: Final = 5007


@COMMANDS.command("Get-Cluster")
def get_cluster(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the cluster; any other name than ``.`` would be a second hop."""
    cluster = scene.cluster(call)
    name = call.get("Name")
    if name not in {None, "", "."}:
        raise CommandError(
            f"You do not have administrative privileges on the cluster '{name}'. Contact your network administrator "
            "to request access.\r\n    Access is denied",
            error_id="ClusterAccessDenied",
            category="PermissionDenied",
            exception_type="Microsoft.FailoverClusters.PowerShell.ClusterCmdletException",
            hresult=0x80070005,
        )
    yield ClusterView(cluster).cluster()


def members_of(scene: Scene, cluster: Cluster, call: BoundCall) -> Iterator[Member]:
    """Give the nodes that a call names or was piped; all when it names none; an error for each unknown one."""
    names = [*strings(call.get("Name")), *_piped_names(call)]
    if not names:
        yield from cluster.members.values()
    for name in names:
        try:
            yield cluster.member(name)
        except ClusterApiError as error:
            _say(scene, call, error)


def _piped_names(call: BoundCall) -> list[str]:
    piped = call.get("InputObject")
    if not isinstance(piped, PSObject) or piped.is_a("Microsoft.FailoverClusters.PowerShell.Cluster"):
        return []
    return [str(piped.get("Name"))]


def _say(scene: Scene, call: BoundCall, error: ClusterApiError) -> None:
    scene.context.error(cluster_refusal(error, call.command))


@COMMANDS.command("Get-ClusterNode")
def get_cluster_node(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write nodes; piped a group or a resource, its owner."""
    cluster = scene.cluster(call)
    view, piped = ClusterView(cluster), call.get("InputObject")
    if isinstance(piped, PSObject) and "OwnerNode" in piped:
        return [view.node(cluster.member(_name_of(piped["OwnerNode"])))]
    return [view.node(member) for member in members_of(scene, cluster, call)]


def _name_of(value: Any) -> str:
    return str(value.get("Name") or value.text) if isinstance(value, PSObject) else str(value)


@COMMANDS.command("Suspend-ClusterNode")
def suspend_cluster_node(scene: Scene, call: BoundCall) -> Iterable[PSObject] | Until:
    """Pause nodes and begin to drain them; with ``-Wait`` until the drains have ended."""
    cluster = scene.cluster(call)
    members = _targets(scene, cluster, call)
    for member in members:
        cluster.suspend(
            member.name,
            drain=call.switch("Drain") or call.switch("ForceDrain"),
            force=call.switch("ForceDrain"),
            by=scene.context.user,
        )

    def written() -> list[PSObject]:
        return [ClusterView(cluster).node(member) for member in members]

    if call.switch("Wait"):
        return Until(lambda: all(member.drain is not DrainStatus.IN_PROGRESS for member in members), written)
    return written()


@COMMANDS.command("Resume-ClusterNode")
def resume_cluster_node(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Resume nodes and begin failback."""
    cluster = scene.cluster(call)
    members = _targets(scene, cluster, call)
    failback = FailbackType(str(call.get("Failback", "NoFailback")))
    for member in members:
        cluster.resume(member.name, failback=failback, by=scene.context.user)
    return [ClusterView(cluster).node(member) for member in members]


def _targets(scene: Scene, cluster: Cluster, call: BoundCall) -> list[Member]:
    """Give the nodes to act on: those named or piped, else the node itself."""
    if call.get("Name") is None and not _piped_names(call):
        return [cluster.members[scene.node.name]]
    return list(members_of(scene, cluster, call))


@COMMANDS.command("Start-ClusterNode")
def start_cluster_node(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Start the Cluster service of nodes."""
    cluster = scene.world.cluster
    members = _targets(scene, cluster, call)
    for member in members:
        machine = scene.world.machines[member.name]
        if machine.answers and not member.joined:
            machine.start_cluster_service()
    return [ClusterView(cluster).node(member) for member in members]


@COMMANDS.command("Stop-ClusterNode")
def stop_cluster_node(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Stop the Cluster service of nodes."""
    cluster = scene.cluster(call)
    members = _targets(scene, cluster, call)
    for member in members:
        scene.world.machines[member.name].stop_cluster_service(scene.context.user)
    return [ClusterView(cluster).node(member) for member in members]


@COMMANDS.command("Get-ClusterQuorum")
def get_cluster_quorum(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the quorum settings; QuorumResource is null without a witness."""
    cluster = scene.cluster(call)
    view = ClusterView(cluster)
    core = cluster.roles.find("Cluster Group")
    witness = cluster.quorum.witness
    resource = view.resource(core, witness, "File Share Witness") if core and witness else None
    yield make("ClusterQuorumSettings", Cluster=view.cluster(), QuorumResource=resource, QuorumType="Majority")


@COMMANDS.command("Get-ClusterResource")
def get_cluster_resource(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write resources: all, by name, or those of a piped group."""
    cluster = scene.cluster(call)
    view, names, piped = ClusterView(cluster), strings(call.get("Name")), call.get("InputObject")
    found = [(group, name, kind) for group in cluster.roles for name, kind in resources_of(cluster, group)]
    if isinstance(piped, PSObject) and piped.is_a("Microsoft.FailoverClusters.PowerShell.ClusterGroup"):
        found = [each for each in found if each[0].name == piped["Name"]]
    for name in names:
        if not any(each[1].casefold() == name.casefold() for each in found):
            _say(
                scene, call, ClusterApiError(ERROR_RESOURCE_NOT_FOUND, f"The cluster resource '{name}' was not found.")
            )
    wanted = {name.casefold() for name in names}
    return [view.resource(*each) for each in found if not wanted or each[1].casefold() in wanted]


@COMMANDS.command("Get-ClusterOwnerNode")
def get_cluster_owner_node(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write preferred owners of a group, possible owners of a resource."""
    cluster = scene.cluster(call)
    view, piped = ClusterView(cluster), call.get("InputObject")
    name = one(call.get("Group")) or one(call.get("Resource"))
    if name is None and isinstance(piped, PSObject):
        name = str(piped.get("Name"))
    group = cluster.roles.find(name or "")
    is_resource = call.get("Resource") is not None
    if group is None and is_resource:
        group = next((each for each in cluster.roles for own, _ in resources_of(cluster, each) if own == name), None)
    if group is None:
        raise ClusterApiError(ERROR_GROUP_NOT_FOUND, f"The cluster group '{name}' was not found.")
    owners = (group.possible or tuple(cluster.members)) if is_resource else group.preferred
    nodes = [view.node(cluster.member(owner)) for owner in owners]
    yield make("ClusterOwnerNodeList", ClusterObject=view.group(group), OwnerNodes=nodes)


@COMMANDS.command("Get-ClusterNetwork")
def get_cluster_network(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the networks of the lab."""
    view = ClusterView(scene.cluster(call))
    wanted = {name.casefold() for name in strings(call.get("Name"))}
    return [_network(view, number) for number in NETWORKS if not wanted or _network_name(number).casefold() in wanted]


def _network_name(number: int) -> str:
    return f"Cluster Network {number}"


def _network(view: ClusterView, number: int) -> PSObject:
    name, address = _network_name(number), f"10.0.{number}.0"
    return make(
        "ClusterNetwork",
        Cluster=view.cluster(),
        Name=name,
        Id=identity("network", name),
        Address=address,
        Ipv4Addresses=[address],
    )


@COMMANDS.command("Get-ClusterNetworkInterface")
def get_cluster_network_interface(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write an interface for each node and network; those of nodes that are no members are not up."""
    cluster = scene.cluster(call)
    wanted = {name.casefold() for name in strings(call.get("Node"))}
    view = ClusterView(cluster)
    return [
        make(
            "ClusterNetworkInterface",
            {
                "Cluster": view.cluster(),
                "Name": f"{member.name} - Ethernet {number}",
                "Node": member.name,
                "Network": _network(view, number),
                "Adapter": "Northwind 25G Dual Port Adapter",
                "Address": f"10.0.{number}.{10 + member.number}",
                "State": "Up" if member.joined else "Unavailable",
            },
        )
        for member in cluster.members.values()
        for number in NETWORKS
        if not wanted or member.name.casefold() in wanted
    ]


@COMMANDS.command("Get-ClusterFaultDomain")
def get_cluster_fault_domain(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write sites and nodes, each with its parent."""
    cluster = scene.cluster(call)
    kinds = {kind.casefold() for kind in strings(call.get("Type"))}
    names = {name.casefold() for name in strings(call.get("Name"))}
    sites = dict.fromkeys(member.site for member in cluster.members.values() if member.site)
    rows: list[tuple[str, str, str, list[str]]] = [
        (site, "Site", "", [member.name for member in cluster.members.values() if member.site == site])
        for site in sites
        if site
    ]
    rows += [(member.name, "Node", member.site or "", []) for member in cluster.members.values()]
    numbers = {"Site": _SITE, "Node": _NODE}
    for name, kind, parent, children in rows:
        if (kinds and kind.casefold() not in kinds) or (names and name.casefold() not in names):
            continue
        domain = make(
            "MSCluster_FaultDomain",
            node=scene.node.name,
            Name=name,
            Id=identity("node", name) if kind == "Node" else identity("site", name),
            Type=numbers[kind],
        )
        domain.extended["ParentName"] = parent
        domain.extended["ChildrenNames"] = array(children)
        yield domain


@COMMANDS.command("Get-ClusterSharedVolume")
def get_cluster_shared_volume(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the cluster shared volumes."""
    cluster = scene.cluster(call)
    wanted = {name.casefold() for name in strings(call.get("Name"))}
    view = ClusterView(cluster)
    return [
        make(
            "ClusterSharedVolume",
            Name=_volume(disk),
            Id=identity("volume", disk),
            OwnerNode=view.owner(owner),
            SharedVolumeInfo=["Microsoft.FailoverClusters.PowerShell.ClusterSharedVolumeInfo"],
            State="Online" if cluster.has_quorum else "Offline",
        )
        for disk, owner in cluster.volume_owners.items()
        if not wanted or _volume(disk).casefold() in wanted
    ]


@COMMANDS.command("Get-ClusterSharedVolumeState")
def get_cluster_shared_volume_state(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write how each member reaches each volume; a member whose drives are away reaches it over the network."""
    cluster = scene.cluster(call)
    nodes = {name.casefold() for name in strings(call.get("Node"))}
    names = {name.casefold() for name in strings(call.get("Name"))}
    for disk in cluster.storage.disks:
        for member in cluster.members.values():
            if not member.joined or (nodes and member.name.casefold() not in nodes):
                continue
            if names and _volume(disk).casefold() not in names:
                continue
            outage = cluster.storage.outages.get(member.name)
            away = outage is not None and outage.out
            yield make(
                "ClusterSharedVolumeStateInfo",
                Name=_volume(disk),
                Node=member.name,
                StateInfo="BlockRedirected" if away else "Direct",
                BlockRedirectedIOReason="StorageSpaceNotAttached" if away else "NotBlockRedirected",
                VolumeFriendlyName=disk,
                VolumeName=f"\\\\?\\Volume{{{identity('volume', disk)}}}\\",
            )


def _volume(disk: str) -> str:
    return f"Cluster Virtual Disk ({disk})"
