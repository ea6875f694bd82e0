"""How a node is asked for what the cluster port needs: one wording in Windows' commands, one in functions of ours.

A wording only builds pipelines. Both answer with objects of the same properties, so what is asked and how the answer is
judged stands in one place, :mod:`cauctl.psrp.cluster` and :mod:`cauctl.psrp.lock`, for either kind of endpoint.

Rules kept here:

* A name that a user gave is compared on the node, exactly: no name is ever a wildcard or a query.
* What changes something answers with nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from cauctl.models.lock import LOCK_GROUPS
from cauctl.psrp import facts
from cauctl.psrp.commands import send
from cauctl.psrp.jea.wording import JeaWording
from cauctl.psrp.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.models.enums import FailbackType
    from cauctl.psrp.connection import NodeConnection
    from cauctl.psrp.pipeline import Command

__all__ = ["OpenWording", "Wording", "wording_for"]


class Wording(Protocol):
    """Pipelines that ask for one thing each."""

    @property
    def who_are_you(self) -> Pipeline:
        """The computer's name: CSName."""

    @property
    def which_cluster(self) -> Pipeline:
        """Name and Domain of its cluster."""

    @property
    def cluster(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.CLUSTER`."""

    @property
    def nodes(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.NODES`."""

    @property
    def groups(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.GROUPS`."""

    @property
    def quorum(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.QUORUM`."""

    @property
    def storage_jobs(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.STORAGE_JOBS`."""

    @property
    def virtual_disks(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.VIRTUAL_DISKS`."""

    @property
    def updating_runs(self) -> Pipeline:
        """See :data:`cauctl.psrp.facts.UPDATING_RUNS`."""

    def group(self, name: str) -> Pipeline:
        """One group, nothing where there is none."""

    def resources(self, group: str) -> Pipeline:
        """Resources of a group: Name, State, ResourceType."""

    def connections(self, node: str) -> Pipeline | None:
        """Connections of a node to cluster networks: Name, State; None where they cannot be asked for."""

    def quorum_loss(self, node: str) -> Pipeline:
        """Whether quorum would be lost without a node: ReturnValue; nothing for a node that is not of the cluster."""

    def repair(self, virtual_disk: str) -> Pipeline:
        """Start the repair of a virtual disk."""

    def suspend(self, node: str, *, drain: bool, force_drain: bool) -> Pipeline:
        """Pause a node; drain it, by force or not."""

    def resume(self, node: str, failback: FailbackType) -> Pipeline:
        """Resume a node."""

    def move(self, group: str, node: str) -> Pipeline:
        """Start to move a group."""

    @property
    def lock_names(self) -> Pipeline:
        """Groups, those of the lock at least: Name."""

    def read_lock(self, group: str) -> Pipeline:
        """Private properties of a group of the lock: Name, Value; an error where there is no such group."""

    def add_lock(self, group: str) -> Pipeline:
        """Create a group of the lock; an error where there is one."""

    def remove_lock(self, group: str) -> Pipeline:
        """Remove a group of the lock."""

    def write_lock(self, group: str, values: Mapping[str, str], *, create: bool) -> Pipeline:
        """Write private properties of a group of the lock."""


class OpenWording:
    """Windows' own commands, for an endpoint that shows them."""

    who_are_you: Final[Pipeline] = send(
        "Get-CimInstance", ClassName="Win32_OperatingSystem", Property=["CSName"], OperationTimeoutSec=30
    ) | send("Select-Object", Property=["CSName"])
    which_cluster: Final[Pipeline] = send("Get-Cluster") | send("Select-Object", Property=["Name", "Domain"])
    cluster: Final = facts.CLUSTER
    nodes: Final = facts.NODES
    groups: Final = facts.GROUPS
    quorum: Final = facts.QUORUM
    storage_jobs: Final = facts.STORAGE_JOBS
    virtual_disks: Final = facts.VIRTUAL_DISKS
    updating_runs: Final = facts.UPDATING_RUNS
    lock_names: Final[Pipeline] = (
        send("Get-ClusterGroup")
        | send("Where-Object", Property="Name", Like=True, Value=f"{LOCK_GROUPS[0]}*")
        | send("Select-Object", Property=["Name"])
    )

    def group(self, name: str) -> Pipeline:
        """One group."""
        return send("Get-ClusterGroup") | _named(name) | facts.GROUPS.commands[-1]

    def resources(self, group: str) -> Pipeline:
        """Resources of a group."""
        return send("Get-ClusterGroup") | _named(group) | facts.RESOURCES

    def connections(self, node: str) -> Pipeline | None:
        """Connections of a node to cluster networks."""
        return (
            send("Get-ClusterNetworkInterface")
            | _named(node, "Node")
            | send("Select-Object", Property=["Name", "State"])
        )

    def quorum_loss(self, node: str) -> Pipeline:
        """Ask the cluster's own CIM class."""
        return (
            send("Get-CimInstance", Namespace="root/MSCluster", ClassName="MSCluster_Node", OperationTimeoutSec=30)
            | _named(node)
            | send("Invoke-CimMethod", MethodName="WillOfflineLoseQuorum")
        )

    def repair(self, virtual_disk: str) -> Pipeline:
        """Start the repair as a job of the node's session."""
        return (
            send("Get-VirtualDisk")
            | _named(virtual_disk, "FriendlyName")
            | send("Repair-VirtualDisk", AsJob=True)
            | send("Out-Null")
        )

    def suspend(self, node: str, *, drain: bool, force_drain: bool) -> Pipeline:
        """Pause and drain a node."""
        switches = {name: True for name, asked in (("Drain", drain), ("ForceDrain", force_drain)) if asked}
        return send("Suspend-ClusterNode", Name=node, **switches) | send("Out-Null")

    def resume(self, node: str, failback: FailbackType) -> Pipeline:
        """Resume a node."""
        return send("Resume-ClusterNode", Name=node, Failback=failback.value) | send("Out-Null")

    def move(self, group: str, node: str) -> Pipeline:
        """Start to move a group."""
        return (
            send("Get-ClusterGroup") | _named(group) | send("Move-ClusterGroup", Node=node, Wait=0) | send("Out-Null")
        )

    def read_lock(self, group: str) -> Pipeline:
        """Private properties of a group of the lock."""
        return send("Get-ClusterGroup", Name=group) | facts.LOCK

    def add_lock(self, group: str) -> Pipeline:
        """Create a group of the lock."""
        return send("Add-ClusterGroup", Name=group) | send("Out-Null")

    def remove_lock(self, group: str) -> Pipeline:
        """Remove a group of the lock."""
        return Pipeline((send("Remove-ClusterGroup", Name=group, Force=True),))

    def write_lock(self, group: str, values: Mapping[str, str], *, create: bool) -> Pipeline:
        """Write private properties of a group of the lock."""
        switches = {"Create": True} if create else {}
        return send("Get-ClusterGroup", Name=group) | send("Set-ClusterParameter", Multiple=values, **switches)


def wording_for(connection: NodeConnection) -> Wording:
    """Give the wording for the endpoint that a connection leads to."""
    return JeaWording() if connection.jea else OpenWording()


def _named(name: str, prop: str = "Name") -> Command:
    return send("Where-Object", Property=prop, EQ=True, Value=name)
