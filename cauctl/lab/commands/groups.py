"""Cmdlets of FailoverClusters about groups and private properties."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import cluster_refusal
from cauctl.lab.commands.objects import ClusterView
from cauctl.lab.commands.scene import CommandSet, Scene, Until, one, strings
from cauctl.lab.commands.shapes import make
from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.roles import ERROR_GROUP_NOT_FOUND, ERROR_RESOURCE_LOCKED, ClusterApiError
from cauctl.models.nodes import GroupState
from cauctl.psobject import Int64, PSDictionary, PSObject, UInt32, UInt64

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.cluster import Cluster
    from cauctl.lab.world.roles import Group

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()
ERROR_FILE_NOT_FOUND: Final = 2
ERROR_GROUP_NOT_EMPTY: Final = 5082
_NAMESPACE: Final = "Microsoft.FailoverClusters.PowerShell"
_PARAMETER_TYPES: Final = ((bool, "UInt32"), (UInt32, "UInt32"), (UInt64, "UInt64"), (Int64, "Int64"), (int, "UInt32"))


def _found(cluster: Cluster, name: str) -> Group:
    group = cluster.roles.find(name)
    if group is None:
        raise ClusterApiError(ERROR_GROUP_NOT_FOUND, f"The cluster group '{name}' was not found.")
    return group


def _is(value: Any, name: str) -> bool:
    return isinstance(value, PSObject) and value.is_a(f"{_NAMESPACE}.{name}")


@COMMANDS.command("Get-ClusterGroup")
def get_cluster_group(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write groups: all, by name, or those that a piped node owns."""
    cluster = scene.cluster(call)
    view, names, piped = ClusterView(cluster), strings(call.get("Name")), call.get("InputObject")
    if _is(piped, "ClusterNode"):
        return [view.group(group) for group in cluster.roles.owned_by(cluster.member(str(piped["Name"])).name)]
    if _is(piped, "ClusterGroup"):
        names = [str(piped["Name"])]
    if not names:
        return [view.group(group) for group in cluster.roles]
    written = []
    for name in names:
        group = cluster.roles.find(name)
        if group is None:
            missing = ClusterApiError(ERROR_GROUP_NOT_FOUND, f"The cluster group '{name}' was not found.")
            scene.context.error(cluster_refusal(missing, call.command))
        else:
            written.append(view.group(group))
    return written


def _targets(cluster: Cluster, call: BoundCall) -> Iterator[Group]:
    piped = call.get("InputObject")
    names = strings(call.get("Name")) or ([str(piped["Name"])] if _is(piped, "ClusterGroup") else [])
    for name in names:
        yield _found(cluster, name)


@COMMANDS.command("Move-ClusterGroup", "Move-ClusterVirtualMachineRole")
def move_cluster_group(scene: Scene, call: BoundCall) -> Iterable[PSObject] | Until:
    """Move a group; without ``-Wait`` until it has arrived, with it at most so many seconds."""
    cluster = scene.cluster(call)
    groups = list(_targets(cluster, call))
    node = one(call.get("Node"))
    target = cluster.member(node).name if node else None
    for group in groups:
        if group.owner == target and group.target is None:
            continue
        locked = group.locked
        group.locked = locked and not call.switch("IgnoreLocked")
        try:
            cluster.roles.move(group, target)
        finally:
            group.locked = locked
    return _until_settled(cluster, groups, call)


def _until_settled(cluster: Cluster, groups: list[Group], call: BoundCall) -> Iterable[PSObject] | Until:
    def written() -> list[PSObject]:
        view = ClusterView(cluster)
        return [view.group(group) for group in groups]

    seconds = call.get("Wait")
    if seconds is not None and int(seconds) <= 0:
        return written()
    limit = None if seconds is None else timedelta(seconds=int(seconds))
    return Until(lambda: all(group.target is None for group in groups), written, limit=limit)


@COMMANDS.command("Start-ClusterGroup", "Stop-ClusterGroup")
def start_or_stop_cluster_group(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Bring groups online, or take them offline for good."""
    cluster = scene.cluster(call)
    groups = list(_targets(cluster, call))
    for group in groups:
        if group.locked and not call.switch("IgnoreLocked"):
            raise ClusterApiError(
                ERROR_RESOURCE_LOCKED,
                "The requested operation can not be completed because a resource has locked status.",
            )
        group.wanted = call.command.casefold().startswith("start")
        if group.wanted:
            cluster.roles.bring_up(group)
        else:
            group.state = GroupState.OFFLINE
            scene.world.ledger.role_offline(scene.now, group.name, f"stopped by {scene.context.user}")
    scene.world.kernel.touch()
    return [ClusterView(cluster).group(group) for group in groups]


@COMMANDS.command("Add-ClusterGroup")
def add_cluster_group(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Make empty groups; a name that is taken is refused."""
    cluster = scene.cluster(call)
    kind = one(call.get("GroupType")) or "Unknown"
    groups = [cluster.roles.add(name, kind, scene.node.name) for name in strings(call.get("Name"))]
    return [ClusterView(cluster).group(group) for group in groups]


@COMMANDS.command("Remove-ClusterGroup")
def remove_cluster_group(scene: Scene, call: BoundCall) -> None:
    """Remove groups; one with resources only with ``-RemoveResources``."""
    cluster = scene.cluster(call)
    for group in list(_targets(cluster, call)):
        if group.core or (group.wanted and not call.switch("RemoveResources")):
            raise ClusterApiError(ERROR_GROUP_NOT_EMPTY, f"The cluster group '{group.name}' is not empty.")
        cluster.roles.remove(group)


def _properties(cluster: Cluster, call: BoundCall) -> tuple[PSObject, dict[str, Any]]:
    """Give the object whose private properties a call means, and the properties."""
    piped, view = call.get("InputObject"), ClusterView(cluster)
    if _is(piped, "ClusterGroup"):
        group = _found(cluster, str(piped["Name"]))
        return view.group(group), group.parameters
    if _is(piped, "Cluster"):
        return view.cluster(), cluster.parameters
    raise CommandError(
        "No cluster object was given.",
        error_id="PSArgument",
        category="InvalidArgument",
        exception_type="System.Management.Automation.PSArgumentException",
    )


@COMMANDS.command("Get-ClusterParameter")
def get_cluster_parameter(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write private properties of a piped group or of the piped cluster."""
    owner, properties = _properties(scene.cluster(call), call)
    names = strings(call.get("Name"))
    if not names:
        return [_parameter(owner, name, value) for name, value in properties.items()]
    known = {name.casefold(): name for name in properties}
    written = []
    for name in names:
        if name.casefold() in known:
            written.append(_parameter(owner, known[name.casefold()], properties[known[name.casefold()]]))
        else:
            missing = ClusterApiError(ERROR_FILE_NOT_FOUND, f"Unable to find parameter '{name}'.")
            scene.context.error(cluster_refusal(missing, call.command))
    return written


def _parameter(owner: PSObject, name: str, value: Any) -> PSObject:
    kind = next((kind for cls, kind in _PARAMETER_TYPES if isinstance(value, cls)), "String")
    return make("ClusterParameter", ClusterObject=owner, Name=name, IsReadOnly=False, ParameterType=kind, Value=value)


@COMMANDS.command("Set-ClusterParameter")
def set_cluster_parameter(scene: Scene, call: BoundCall) -> None:
    """Set or delete private properties; an unknown one only with ``-Create``."""
    _, properties = _properties(scene.cluster(call), call)
    given = _entries(call)
    known = {name.casefold(): name for name in properties}
    for name in given:
        if name.casefold() not in known and not call.switch("Create"):
            raise ClusterApiError(ERROR_FILE_NOT_FOUND, f"Unable to find parameter '{name}'.")
    for name, value in given.items():
        stored = known.get(name.casefold(), name)
        if call.switch("Delete"):
            properties.pop(stored, None)
        else:
            properties[stored] = value
    scene.world.kernel.touch()


def _entries(call: BoundCall) -> dict[str, Any]:
    several = call.get("Multiple")
    if several is None:
        return {str(call.get("Name")): _plain(call.get("Value"))}
    pairs = several.base.items() if isinstance(several, PSObject) and isinstance(several.base, PSDictionary) else ()
    if isinstance(several, dict):
        pairs = list(several.items())
    return {str(name): _plain(value) for name, value in pairs}


def _plain(value: Any) -> Any:
    """Give a property's value: text and numbers as they are, a number without a width as UInt32."""
    if isinstance(value, PSObject) and not value.is_container:
        value = value.base if value.base is not None else value.text
    if type(value) is int and 0 <= value < 1 << 32:
        return UInt32(value)
    return value
