"""How a node that shows functions of ours alone is asked; see :mod:`cauctl.psrp.wording`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.psrp.jea.functions import call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.models.enums import FailbackType
    from cauctl.psrp.pipeline import Pipeline

__all__ = ["JeaWording"]


class JeaWording:
    """Functions of ours. Implements :class:`cauctl.psrp.wording.Wording`."""

    who_are_you: Final = call("Get-CauctlIdentity")
    which_cluster: Final = call("Get-CauctlCluster")
    cluster: Final = call("Get-CauctlCluster")
    nodes: Final = call("Get-CauctlClusterNode")
    groups: Final = call("Get-CauctlClusterGroup")
    quorum: Final = call("Get-CauctlClusterQuorum")
    storage_jobs: Final = call("Get-CauctlStorageJob")
    virtual_disks: Final = call("Get-CauctlVirtualDisk")
    updating_runs: Final = call("Get-CauctlUpdatingRun")
    lock_names: Final = call("Get-CauctlClusterGroup")

    def group(self, name: str) -> Pipeline:
        """One group."""
        return call("Get-CauctlClusterGroup", Name=name)

    def resources(self, group: str) -> Pipeline:
        """Resources of a group."""
        return call("Get-CauctlClusterResource", Group=group)

    def connections(self, node: str) -> None:
        """Nothing: the endpoint has no function for it."""

    def quorum_loss(self, node: str) -> Pipeline:
        """Ask the cluster's own CIM class."""
        return call("Test-CauctlQuorumLoss", Node=node)

    def repair(self, virtual_disk: str) -> Pipeline:
        """Start the repair as a job of the node's session."""
        return call("Repair-CauctlVirtualDisk", FriendlyName=virtual_disk)

    def suspend(self, node: str, *, drain: bool, force_drain: bool) -> Pipeline:
        """Pause a node; drain it, by force or not."""
        switches = {name: True for name, asked in (("Drain", drain), ("ForceDrain", force_drain)) if asked}
        return call("Suspend-CauctlClusterNode", Name=node, **switches)

    def resume(self, node: str, failback: FailbackType) -> Pipeline:
        """Resume a node."""
        return call("Resume-CauctlClusterNode", Name=node, Failback=failback.value)

    def move(self, group: str, node: str) -> Pipeline:
        """Start to move a group."""
        return call("Move-CauctlClusterGroup", Name=group, Node=node)

    def read_lock(self, group: str) -> Pipeline:
        """Private properties of a group of the lock."""
        return call("Get-CauctlLock", Name=group)

    def add_lock(self, group: str) -> Pipeline:
        """Create a group of the lock."""
        return call("Add-CauctlLock", Name=group)

    def remove_lock(self, group: str) -> Pipeline:
        """Remove a group of the lock."""
        return call("Remove-CauctlLock", Name=group)

    def write_lock(self, group: str, values: Mapping[str, str], *, create: bool) -> Pipeline:
        """Write private properties of a group of the lock."""
        return call("Set-CauctlLock", Name=group, Property=values, **({"Create": True} if create else {}))
