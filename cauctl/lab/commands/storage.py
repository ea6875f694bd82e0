"""Cmdlets of the Storage module about Storage Spaces Direct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import cim_not_found
from cauctl.lab.commands.objects import identity
from cauctl.lab.commands.scene import CommandSet, Scene, one, strings, texts_match
from cauctl.lab.commands.shapes import make
from cauctl.psobject import PSObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.storage import Storage

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()

_HEALTH: Final = {"Healthy": 0, "Warning": 1, "Unhealthy": 2}
_DISK_STATUS: Final = {
    "OK": 2,
    "Degraded": 3,
    "InService": 11,
    "Detached": 53250,
    "Incomplete": 53251,
    "No Redundancy": 53284,
}
_JOB_STATE: Final = {"Running": 4, "Suspended": 5, "Completed": 7}
_IN_MAINTENANCE: Final = 53270
_LOST_COMMUNICATION: Final = 13
_DRIVES_A_NODE: Final = 2
_POOL: Final = "S2D on {}"
_JOB_BYTES: Final = 20 << 30


@COMMANDS.command("Get-VirtualDisk")
def get_virtual_disk(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write virtual disks: all, or by friendly name."""
    names = [*strings(call.get("FriendlyName")), *strings(call.get("Name"))]
    disks = scene.world.cluster.storage.disks
    for name in names:
        if not any(texts_match([name], disk) for disk in disks):
            scene.context.error(cim_not_found("FriendlyName", name, "MSFT_VirtualDisk"))
    return [_virtual_disk(scene, disk) for disk in disks if not names or texts_match(names, disk)]


def _virtual_disk(scene: Scene, disk: str) -> PSObject:
    health, operational = scene.world.cluster.storage.health
    return make(
        "MSFT_VirtualDisk",
        node=scene.node.name,
        FriendlyName=disk,
        HealthStatus=_HEALTH[health],
        OperationalStatus=[_DISK_STATUS[status] for status in operational],
        UniqueId=identity("disk", disk).replace("-", "").upper(),
        ObjectId=f"{{1}}\\\\{scene.world.cluster.name}\\SPACES_VirtualDisk.ObjectId={identity('disk', disk)}",
        PassThroughServer=scene.node.fqdn,
    )


@COMMANDS.command("Repair-VirtualDisk")
def repair_virtual_disk(scene: Scene, call: BoundCall) -> None:
    """Start the repair of virtual disks."""
    names = [*strings(call.get("FriendlyName")), *strings(call.get("Name")), *_piped_names(call)]
    for name in names:
        try:
            scene.world.cluster.storage.repair(name)
        except KeyError:
            scene.context.error(cim_not_found("FriendlyName", name, "MSFT_VirtualDisk"))


def _piped_names(call: BoundCall) -> Iterator[str]:
    piped = call.get("InputObject")
    for each in piped if isinstance(piped, list | tuple) else [piped]:
        if isinstance(each, PSObject):
            items = list(each) if each.is_container else [each]
            yield from (str(item["FriendlyName"]) for item in items)


@COMMANDS.command("Get-StorageJob")
def get_storage_job(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the storage jobs that go on."""
    names, states = strings(call.get("Name")), {state.casefold() for state in strings(call.get("JobState"))}
    return [
        _job(scene, index, *job)
        for index, job in enumerate(scene.world.cluster.storage.jobs)
        if (not names or texts_match(names, job[0])) and (not states or job[1].casefold() in states)
    ]


def _job(scene: Scene, index: int, name: str, state: str, percent: int) -> PSObject:
    return make(
        "MSFT_StorageJob",
        node=scene.node.name,
        Name=name,
        JobState=_JOB_STATE[state],
        PercentComplete=percent,
        BytesTotal=_JOB_BYTES,
        BytesProcessed=_JOB_BYTES * percent // 100,
        UniqueId=f"{{{identity('job', str(index))}}}",
        ObjectId=f"{{1}}\\\\{scene.node.name}\\SPACES_StorageJob.ObjectId={index}",
        PassThroughServer=scene.node.name,
    )


@COMMANDS.command("Get-PhysicalDisk")
def get_physical_disk(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the drives of all nodes, or of a piped scale unit; those of a drained node are in maintenance."""
    unit = call.get("StorageScaleUnit")
    only = str(unit["FriendlyName"]).casefold() if isinstance(unit, PSObject) else None
    for machine in scene.world.machines.values():
        if only in {None, machine.name.casefold()} and scene.world.cluster.storage.disks:
            for slot in range(1, _DRIVES_A_NODE + 1):
                yield _drive(scene, machine.name, machine.number, slot)


def _drive(scene: Scene, node: str, number: int, slot: int) -> PSObject:
    joined = scene.world.cluster.members[node].joined
    outage = scene.world.cluster.storage.outages.get(node)
    away = outage is not None and outage.out
    status = (_IN_MAINTENANCE if joined else _LOST_COMMUNICATION) if away else 2
    return make(
        "MSFT_PhysicalDisk",
        node=scene.node.name,
        FriendlyName="Northwind NVMe 1600",
        Model="NVMe 1600",
        DeviceId=f"{number}{slot:03}",
        SerialNumber=f"NW{number:02}{slot:06}",
        UniqueId=f"eui.{number:016X}{slot:016X}",
        SlotNumber=slot,
        HealthStatus=_HEALTH["Warning" if away else "Healthy"],
        OperationalStatus=[status],
        PassThroughServer=scene.node.fqdn,
    )


@COMMANDS.command("Get-StorageScaleUnit")
def get_storage_scale_unit(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write a scale unit for each node."""
    name = one(call.get("FriendlyName"))
    return [
        make("MSFT_StorageScaleUnit", {"FriendlyName": machine.name}, node=scene.node.name)
        for machine in scene.world.machines.values()
        if scene.world.cluster.storage.disks and (name is None or texts_match([name], machine.name))
    ]


@COMMANDS.command("Get-StoragePool")
def get_storage_pool(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the primordial pool and the pool of Storage Spaces Direct."""
    wanted = _flags(call.get("IsPrimordial"))
    names = strings(call.get("FriendlyName"))
    pools = [(_POOL.format(scene.world.cluster.name), False), ("Primordial", True)]
    health = _HEALTH[_pool_health(scene.world.cluster.storage)]
    return [
        make("MSFT_StoragePool", {"FriendlyName": name, "IsPrimordial": primordial, "HealthStatus": health},
             node=scene.node.name)
        for name, primordial in pools
        if scene.world.cluster.storage.disks
        and (not wanted or primordial in wanted)
        and (not names or texts_match(names, name))
    ]  # fmt: skip


def _flags(value: Any) -> set[bool]:
    if value is None:
        return set()
    return {value} if isinstance(value, bool) else {bool(each) for each in value}


def _pool_health(storage: Storage) -> str:
    return "Healthy" if storage.in_sync else "Warning"


@COMMANDS.command("Get-StorageSubSystem")
def get_storage_sub_system(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the node's own subsystem and the clustered one."""
    names = strings(call.get("FriendlyName"))
    clustered = f"Clustered Windows Storage on {scene.world.cluster.name}"
    systems = [f"Windows Storage on {scene.node.name}", *([clustered] if scene.world.cluster.storage.disks else [])]
    health = _HEALTH[_pool_health(scene.world.cluster.storage)]
    return [
        make("MSFT_StorageSubSystem", node=scene.node.name, FriendlyName=name, HealthStatus=health)
        for name in systems
        if not names or texts_match(names, name)
    ]
