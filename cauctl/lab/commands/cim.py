"""Cmdlets of CimCmdlets over the classes that updating a cluster asks: root/cimv2, root/MSCluster, ClusterUpdate."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import cim_failure, no_cluster_service
from cauctl.lab.commands.objects import identity, resource_state, resources_of
from cauctl.lab.commands.scene import CommandSet, Scene, strings
from cauctl.lab.commands.shapes import cim_type_names, make
from cauctl.lab.commands.wql import condition, select
from cauctl.lab.world.machine import RestartRefusedError
from cauctl.lab.world.registry import CBS_REBOOT_PENDING, WU_REBOOT_REQUIRED
from cauctl.models.nodes import DrainStatus, GroupState, NodeState
from cauctl.psobject import PSDictionary, PSObject, UInt32, array, custom_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cauctl.lab.dispatch import BoundCall, CommandError
    from cauctl.lab.world.machine import Machine, Service

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()

WBEM_E_INVALID_NAMESPACE: Final = 0x8004100E
WBEM_E_INVALID_CLASS: Final = 0x80041010
WBEM_E_INVALID_METHOD: Final = 0x8004102E
WBEM_E_NOT_FOUND: Final = 0x80041002
_CLUSTER_UPDATE: Final = "root/Microsoft/Windows/ClusterUpdate"
_ORCHESTRATOR: Final = "OrchestratorGuid"

_NODE_STATE: Final = {
    NodeState.UP: 0,
    NodeState.DOWN: 1,
    NodeState.PAUSED: 2,
    NodeState.JOINING: 3,
    NodeState.UNKNOWN: 0xFFFF_FFFF,
}
_DRAIN: Final = {
    DrainStatus.NOT_INITIATED: 0,
    DrainStatus.IN_PROGRESS: 1,
    DrainStatus.COMPLETED: 2,
    DrainStatus.FAILED: 3,
}
_RESOURCE_STATE: Final = {"Online": 2, "Offline": 3, "Failed": 4, "OnlinePending": 129}
_GROUP_STATE: Final = {
    GroupState.ONLINE: 0,
    GroupState.OFFLINE: 1,
    GroupState.FAILED: 2,
    GroupState.PARTIAL_ONLINE: 3,
    GroupState.PENDING: 4,
    GroupState.UNKNOWN: 0xFFFF_FFFF,
}


def _operating_system(scene: Scene) -> Iterable[PSObject]:
    node = scene.node
    yield make(
        "Win32_OperatingSystem",
        node=node.name,
        CSName=node.name,
        LastBootUpTime=node.boot_time,
        LocalDateTime=scene.now,
        InstallDate=scene.world.scenario.begins - timedelta(days=400),
        CurrentTimeZone=0,
        NumberOfProcesses=len(node.processes),
    )


def _computer_system(scene: Scene) -> Iterable[PSObject]:
    yield make(
        "Win32_ComputerSystem",
        node=scene.node.name,
        Name=scene.node.name,
        DNSHostName=scene.node.name,
        Domain=scene.world.scenario.domain,
        PartOfDomain=True,
    )


def _services(scene: Scene) -> Iterable[PSObject]:
    return [_service(scene.node, service) for service in scene.node.services.values()]


def _service(node: Machine, service: Service) -> PSObject:
    return make(
        "Win32_Service",
        node=node.name,
        Name=service.name,
        Caption=service.display_name,
        DisplayName=service.display_name,
        Description=service.display_name,
        PathName=f"C:\\Windows\\System32\\{service.name}.exe",
        StartMode=service.start_mode,
        DelayedAutoStart=service.delayed,
        Started=service.running,
        State="Running" if service.running else "Stopped",
        ProcessId=1000 if service.running else 0,
        SystemName=node.name,
    )


def _cluster_nodes(scene: Scene) -> Iterable[PSObject]:
    for member in scene.world.cluster.members.values():
        yield make(
            "MSCluster_Node",
            node=scene.node.name,
            Name=member.name,
            Caption=member.name,
            Id=str(member.number),
            State=_NODE_STATE[member.state],
            NodeDrainStatus=_DRAIN[member.drain],
            DrainErrorCode=member.drain_error,
            NodeWeight=member.node_weight,
            DynamicWeight=member.dynamic_weight,
            UniqueID=identity("node", member.name),
            FaultDomainId=identity("node", member.name),
        )


def _clusters(scene: Scene) -> Iterable[PSObject]:
    cluster = scene.world.cluster
    yield make(
        "MSCluster_Cluster",
        node=scene.node.name,
        Name=cluster.name,
        Caption=cluster.name,
        Fqdn=f"{cluster.name}.{scene.world.scenario.domain}",
        DynamicQuorumEnabled=int(cluster.quorum.dynamic),
        WitnessDynamicWeight=cluster.quorum.witness_weight,
        S2DEnabled=int(bool(cluster.storage.disks)),
    )


def _groups(scene: Scene) -> Iterable[PSObject]:
    for group in scene.world.cluster.roles:
        yield make(
            "MSCluster_ResourceGroup",
            node=scene.node.name,
            Name=group.name,
            Caption=group.name,
            Id=group.group_id,
            OwnerNode=group.owner,
            State=_GROUP_STATE[group.state],
        )


def _resources(scene: Scene) -> Iterable[PSObject]:
    cluster = scene.world.cluster
    for group in cluster.roles:
        for name, kind in resources_of(cluster, group):
            yield make(
                "MSCluster_Resource",
                node=scene.node.name,
                Name=name,
                Caption=name,
                Id=identity("resource", name),
                Type=kind,
                OwnerGroup=group.name,
                OwnerNode=group.owner,
                CoreResource=group.core,
                State=_RESOURCE_STATE[resource_state(cluster, group, kind)],
            )


def _none(_scene: Scene) -> Iterable[PSObject]:
    """Give the instances of a class that nobody has made one of."""
    return ()


def _cau_runs(scene: Scene) -> Iterable[PSObject]:
    owner = scene.world.cau_runs.get(scene.node.name)
    return [] if owner is None else [_cau_run(scene, owner)]


def _cau_run(scene: Scene, owner: str) -> PSObject:
    made = PSObject(
        type_names=cim_type_names(_CLUSTER_UPDATE, "MSFT_CAURun"),
        adapted={_ORCHESTRATOR: owner, "PSComputerName": None},
        text=f'MSFT_CAURun ({_ORCHESTRATOR} = "{owner}")',
    )
    entry = {"ClassName": "MSFT_CAURun", "Namespace": _CLUSTER_UPDATE, "ServerName": scene.node.name, "Hash": 1}
    made.extended["__ClassMetadata"] = array([custom_object(entry)])
    return made


_CLASSES: Final[dict[str, dict[str, Callable[[Scene], Iterable[PSObject]]]]] = {
    "root/cimv2": {
        "win32_operatingsystem": _operating_system,
        "win32_computersystem": _computer_system,
        "win32_service": _services,
    },
    "root/mscluster": {
        "mscluster_node": _cluster_nodes,
        "mscluster_cluster": _clusters,
        "mscluster_resourcegroup": _groups,
        "mscluster_resource": _resources,
    },
    "root/microsoft/windows/clusterupdate": {
        "msft_caurun": _cau_runs,
        "msft_caunode": _none,
        "msft_caureporthelper": _none,
    },
}
_NEEDS_CLUSTER: Final = frozenset({"root/mscluster"})


def _namespace(call: BoundCall) -> str:
    return str(call.get("Namespace") or "root/cimv2").replace("\\", "/").strip("/").casefold()


def _instances(scene: Scene, call: BoundCall) -> list[PSObject]:
    """Give the instances that a call's class and filter, or its query, mean."""
    namespace = _namespace(call)
    classes = _CLASSES.get(namespace)
    if classes is None:
        raise cim_failure("Invalid namespace ", code=WBEM_E_INVALID_NAMESPACE, category="MetadataError")
    query = call.get("Query")
    name, meets = (
        select(str(query)) if query else (str(call.get("ClassName")), condition(str(call.get("Filter") or "")))
    )
    make_all = classes.get(name.casefold())
    if make_all is None:
        raise cim_failure("Invalid class ", code=WBEM_E_INVALID_CLASS, category="MetadataError")
    member = scene.world.cluster.members[scene.node.name]
    if namespace in _NEEDS_CLUSTER and not (member.joined and scene.world.cluster.has_quorum):
        raise no_cluster_service(call.command)
    return [instance for instance in make_all(scene) if meets(instance.adapted or {})]


@COMMANDS.command("Get-CimInstance")
def get_cim_instance(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write instances; with ``-Property`` only those properties have values."""
    piped = call.get("InputObject")
    if isinstance(piped, PSObject):
        return [piped]
    found = _instances(scene, call)
    wanted = {name.casefold() for name in strings(call.get("Property"))}
    for instance in found if wanted else ():
        for name in list(instance.adapted or {}):
            if name.casefold() not in wanted and instance.adapted is not None:
                instance.adapted[name] = None
    return found


@COMMANDS.command("Invoke-CimMethod")
def invoke_cim_method(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Call a method of a piped instance, of a query's instances, or of a class."""
    method = str(call.get("MethodName"))
    piped = call.get("InputObject")
    if isinstance(piped, PSObject):
        instances: list[PSObject | None] = [piped]
    elif call.get("Query"):
        instances = list(_instances(scene, call))
    else:
        instances = [None]
    return [_call(scene, call, method, instance) for instance in instances]


def _call(scene: Scene, call: BoundCall, method: str, instance: PSObject | None) -> PSObject:
    name = _class_of(instance) if instance is not None else str(call.get("ClassName"))
    act = _METHODS.get((name.casefold(), method.casefold()))
    if act is None:
        raise cim_failure("Invalid method Parameter(s) ", code=WBEM_E_INVALID_METHOD, category="InvalidType")
    results = act(scene, instance, _arguments(call))
    return PSObject(
        type_names=(
            f"Microsoft.Management.Infrastructure.CimMethodResult#{name}#{method}",
            "Microsoft.Management.Infrastructure.CimMethodResult",
            "System.Management.Automation.PSCustomObject",
            "System.Object",
        ),
        extended={**results, "PSComputerName": None},
    )


def _class_of(instance: PSObject) -> str:
    return instance.ps_type_names[0].rpartition("/")[2] if instance.ps_type_names else ""


def _arguments(call: BoundCall) -> dict[str, Any]:
    given = call.get("Arguments")
    if isinstance(given, PSObject) and isinstance(given.base, PSDictionary):
        return {str(name): value for name, value in given.base.items()}
    return dict(given) if isinstance(given, dict) else {}


def _loses_quorum(scene: Scene, instance: PSObject | None, _arguments: dict[str, Any]) -> dict[str, Any]:
    if instance is None:
        raise cim_failure("Not found ", code=WBEM_E_NOT_FOUND)
    member = scene.world.cluster.member(str(instance["Name"]))
    return {"ReturnValue": scene.world.cluster.quorum.margin_without(member) < 0}


def _restarts(scene: Scene, _instance: PSObject | None, arguments: dict[str, Any]) -> dict[str, Any]:
    restart = 2
    if not int(arguments.get("Flags", 0)) & restart:
        raise cim_failure("Not supported ", code=0x8004100C)
    try:
        scene.node.request_restart(scene.context.user)
    except RestartRefusedError as error:
        return {"ReturnValue": UInt32(error.code)}
    return {"ReturnValue": UInt32(0)}


def _pending(scene: Scene, _instance: PSObject | None, _arguments: dict[str, Any]) -> dict[str, Any]:
    pending = any(key in scene.node.registry for key in (CBS_REBOOT_PENDING, WU_REBOOT_REQUIRED))
    return {"IsPendingReboot": pending, "ReturnValue": UInt32(0)}


_METHODS: Final[dict[tuple[str, str], Callable[[Scene, PSObject | None, dict[str, Any]], dict[str, Any]]]] = {
    ("mscluster_node", "willofflinelosequorum"): _loses_quorum,
    ("mscluster_node", "willevictlosequorum"): _loses_quorum,
    ("win32_operatingsystem", "win32shutdown"): _restarts,
    ("msft_wusettings", "ispendingreboot"): _pending,
}


@COMMANDS.command("New-CimInstance")
def new_cim_instance(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Make the one thing that a coordinator makes: the lock ``MSFT_CAURun`` of this node."""
    properties = call.get("Property")
    pairs = properties.base.items() if isinstance(properties, PSObject) else dict(properties or {}).items()
    given = {str(name).casefold(): str(value) for name, value in pairs}
    owner = given.get(_ORCHESTRATOR.casefold())
    if str(call.get("ClassName")).casefold() != "msft_caurun" or owner is None:
        raise cim_failure("Invalid class ", code=WBEM_E_INVALID_CLASS, category="MetadataError")
    scene.world.cau_runs[scene.node.name] = owner
    return [_cau_run(scene, owner)]


@COMMANDS.command("Remove-CimInstance")
def remove_cim_instance(scene: Scene, call: BoundCall) -> None:
    """Remove the lock of Microsoft's coordinator from this node."""
    piped = call.get("InputObject")
    if not isinstance(piped, PSObject) or not _class_of(piped).casefold().startswith("msft_caurun"):
        raise _not_removable()
    scene.world.cau_runs.pop(scene.node.name, None)


def _not_removable() -> CommandError:
    return cim_failure("Provider is not capable of the attempted operation ", code=0x80041024)
