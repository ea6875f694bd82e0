"""Functions about the cluster and its lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cauctl.lab.binder.metadata import Validation
from cauctl.lab.dispatch import Step
from cauctl.lab.jea.declaring import FunctionSet, named, parameter, refuse, select, switch, text
from cauctl.models.lock import LOCK_GROUPS
from cauctl.psobject import hashtable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.lab.dispatch import BoundCall, CommandContext, Value

__all__ = ["FUNCTIONS"]

FUNCTIONS = FunctionSet()

_GROUP: Final = ("Name", "OwnerNode", "State", "GroupType", "IsCoreGroup", "LockedFromMoving")
_NODE: Final = (
    "Name",
    "State",
    "DrainStatus",
    "NodeWeight",
    "DynamicWeight",
    "StatusInformation",
    "FaultDomain",
)
_LOCK_FIELDS: Final = ("Schema", "RunId", "Owner", "Fence", "Acquired", "LeaseUntil", "Checkpoint", "Stop")
_RUN_MARK: Final = re.compile(r"CauctlRun-[0-9A-Za-z-]{1,64}")
_LOCK_NAME: Final = text("Name", mandatory=False)
_CIM_LIMIT: Final = 30


def _reads(name: str, properties: tuple[str, ...], step: Step) -> None:
    """Enter a function that gives properties of what one command writes."""

    @FUNCTIONS.function(name)
    def read(ctx: CommandContext, _call: BoundCall) -> Iterator[Value]:
        return select(ctx, properties, step)


_reads(
    "Get-CauctlCluster",
    ("Name", "Domain", "DynamicQuorum", "WitnessDynamicWeight", "S2DEnabled", "BackupInProgress"),
    Step("Get-Cluster"),
)
_reads("Get-CauctlClusterNode", _NODE, Step("Get-ClusterNode"))
_reads("Get-CauctlClusterQuorum", ("QuorumType", "QuorumResource"), Step("Get-ClusterQuorum"))
_reads("Get-CauctlStorageJob", ("Name", "JobState", "PercentComplete"), Step("Get-StorageJob"))
_reads("Get-CauctlVirtualDisk", ("FriendlyName", "HealthStatus", "OperationalStatus"), Step("Get-VirtualDisk"))
_reads(
    "Get-CauctlUpdatingRun",
    ("OrchestratorGuid",),
    Step(
        "Get-CimInstance",
        parameters={
            "Namespace": "root/Microsoft/Windows/ClusterUpdate",
            "ClassName": "MSFT_CAURun",
            "OperationTimeoutSec": _CIM_LIMIT,
        },
    ),
)


@FUNCTIONS.function("Get-CauctlClusterGroup", text("Name", mandatory=False))
def get_group(ctx: CommandContext, call: BoundCall) -> Iterator[Value]:
    """Write groups, or the one of a name."""
    name = call.get("Name")
    return select(ctx, _GROUP, Step("Get-ClusterGroup"), *([named(name)] if name else []))


@FUNCTIONS.function("Get-CauctlClusterResource", text("Group"))
def get_resource(ctx: CommandContext, call: BoundCall) -> Iterator[Value]:
    """Write the resources of a group."""
    steps = Step("Get-ClusterGroup"), named(call.get("Group")), Step("Get-ClusterResource")
    return select(ctx, ("Name", "State", "ResourceType"), *steps)


@FUNCTIONS.function("Test-CauctlQuorumLoss", text("Node"))
def test_quorum_loss(ctx: CommandContext, call: BoundCall) -> Iterator[Value]:
    """Ask the cluster's own class."""
    nodes = Step(
        "Get-CimInstance",
        parameters={
            "Namespace": "root/MSCluster",
            "ClassName": "MSCluster_Node",
            "OperationTimeoutSec": _CIM_LIMIT,
        },
    )
    loss = Step("Invoke-CimMethod", parameters={"MethodName": "WillOfflineLoseQuorum"})
    return select(ctx, ("ReturnValue",), nodes, named(call.get("Node")), loss)


@FUNCTIONS.function("Repair-CauctlVirtualDisk", text("FriendlyName"))
def repair(ctx: CommandContext, call: BoundCall) -> None:
    """Start a repair."""
    disk = named(call.get("FriendlyName"), prop="FriendlyName")
    _do(ctx, Step("Get-VirtualDisk"), disk, Step("Repair-VirtualDisk", parameters={"AsJob": True}))


@FUNCTIONS.function("Suspend-CauctlClusterNode", text("Name"), switch("Drain"), switch("ForceDrain"))
def suspend(ctx: CommandContext, call: BoundCall) -> None:
    """Pause and drain a node of this cluster."""
    switches = {name: True for name in ("Drain", "ForceDrain") if call.switch(name)}
    member = _member(ctx, call.get("Name"))
    _do(ctx, Step("Suspend-ClusterNode", parameters={"Name": member, **switches}))


@FUNCTIONS.function(
    "Resume-CauctlClusterNode",
    text("Name"),
    parameter("Failback", Validation("Set", values=("NoFailback", "Immediate", "Policy"))),
)
def resume(ctx: CommandContext, call: BoundCall) -> None:
    """Resume a node of this cluster."""
    member = _member(ctx, call.get("Name"))
    _do(ctx, Step("Resume-ClusterNode", parameters={"Name": member, "Failback": call.get("Failback")}))


@FUNCTIONS.function("Move-CauctlClusterGroup", text("Name"), text("Node"))
def move(ctx: CommandContext, call: BoundCall) -> None:
    """Start to move a group."""
    to = Step("Move-ClusterGroup", parameters={"Node": _member(ctx, call.get("Node")), "Wait": 0})
    _do(ctx, Step("Get-ClusterGroup"), named(call.get("Name")), to)


@FUNCTIONS.function("Get-CauctlLock", _LOCK_NAME)
def get_lock(ctx: CommandContext, call: BoundCall) -> Iterator[Value]:
    """Write the private properties of a group of the lock."""
    return select(ctx, ("Name", "Value"), _lock_group(call), Step("Get-ClusterParameter"))


@FUNCTIONS.function("Add-CauctlLock", _LOCK_NAME)
def add_lock(ctx: CommandContext, call: BoundCall) -> None:
    """Create a group of the lock."""
    _do(ctx, Step("Add-ClusterGroup", parameters={"Name": _lock_name(call)}))


@FUNCTIONS.function(
    "Set-CauctlLock", parameter("Property", kind="System.Collections.Hashtable"), switch("Create"), _LOCK_NAME
)
def set_lock(ctx: CommandContext, call: BoundCall) -> None:
    """Write private properties of a group of the lock: ours only."""
    allowed = {f"Cauctl{name}" for name in _LOCK_FIELDS}
    values = {str(name): str(value) for name, value in call.get("Property").base.items()}
    for name in sorted(name for name in values if name not in allowed and not _RUN_MARK.fullmatch(name)):
        raise refuse("CauctlLockField", "InvalidArgument", f"The lock has no property '{name}'.", name)
    create = {"Create": True} if call.switch("Create") else {}
    _do(ctx, _lock_group(call), Step("Set-ClusterParameter", parameters={"Multiple": hashtable(values), **create}))


@FUNCTIONS.function("Remove-CauctlLock", _LOCK_NAME)
def remove_lock(ctx: CommandContext, call: BoundCall) -> None:
    """Remove a group of the lock."""
    _do(ctx, Step("Remove-ClusterGroup", parameters={"Name": _lock_name(call), "Force": True}))


def _lock_group(call: BoundCall) -> Step:
    return Step("Get-ClusterGroup", parameters={"Name": _lock_name(call)})


def _lock_name(call: BoundCall) -> str:
    name = str(call.get("Name") or LOCK_GROUPS[0])
    if name not in LOCK_GROUPS:
        raise refuse("CauctlLockName", "InvalidArgument", f"No group of the lock has the name '{name}'.", name)
    return name


def _do(ctx: CommandContext, *steps: Step) -> None:
    for _ in ctx.invoke(*steps):
        pass  # what changes something answers with nothing


def _member(ctx: CommandContext, name: str) -> str:
    """Give the name of a node of this cluster as the cluster spells it."""
    found = next(ctx.invoke(Step("Get-ClusterNode"), named(name)), None)
    if found is None:
        raise refuse("CauctlNoSuchNode", "ObjectNotFound", f"This cluster has no node '{name}'.", name)
    return str(found["Name"])
