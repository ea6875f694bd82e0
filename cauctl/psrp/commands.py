"""All of Windows' commands that this package sends to nodes: their parameters, and the constants they are given.

Rules kept here:

* A pipeline is built by :func:`send` and :func:`send_native` alone, which refuse what is not on the list. So the list
  is complete: it is what an administrator can read to know what we do. An endpoint without language shows functions of
  ours instead (:mod:`cauctl.psrp.jea.functions`).
* No command takes a cluster's name, another computer's name, a script block or a query text.

Use::

    pipeline = send("Get-ClusterNode") | send("Select-Object", Property=["Name", "State"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.models.lock import LOCK_GROUPS
from cauctl.psrp.known_command import ANY, KnownCommand, by_name, check_listed
from cauctl.psrp.pipeline import Command, command, native

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMANDS", "check", "send", "send_native"]

_CIM: Final = "CimCmdlets"
_CLUSTERS: Final = "FailoverClusters"
_CORE: Final = "Microsoft.PowerShell.Core"
_MANAGEMENT: Final = "Microsoft.PowerShell.Management"
_SECURITY: Final = "NetSecurity"
_STORAGE: Final = "Storage"
_TASKS: Final = "ScheduledTasks"
_UTILITY: Final = "Microsoft.PowerShell.Utility"


def _known(name: str, module: str, purpose: str, /, **parameters: tuple[Any, ...]) -> KnownCommand:
    return KnownCommand(name, module=module, parameters=parameters, purpose=purpose)


_ALL: Final = (
    # The cluster
    _known("Get-Cluster", _CLUSTERS, "name, domain, dynamic quorum"),
    _known("Get-ClusterNode", _CLUSTERS, "state, drain and votes of the nodes"),
    _known("Get-ClusterGroup", _CLUSTERS, "owners and states of the roles, and our lock", Name=LOCK_GROUPS),
    _known("Get-ClusterNetworkInterface", _CLUSTERS, "whether a node's cluster networks are back after its restart"),
    _known("Get-ClusterResource", _CLUSTERS, "the resource of a self-updating role"),
    _known("Get-ClusterQuorum", _CLUSTERS, "the witness"),
    _known("Suspend-ClusterNode", _CLUSTERS, "pause and drain a node", Name=ANY, Drain=(True,), ForceDrain=(True,)),
    _known(
        "Resume-ClusterNode",
        _CLUSTERS,
        "resume a node",
        Name=ANY,
        Failback=("NoFailback", "Immediate", "Policy"),
    ),
    _known("Move-ClusterGroup", _CLUSTERS, "put a role back on its node", Node=ANY, Wait=(0,)),
    _known("Add-ClusterGroup", _CLUSTERS, "take the lock, or take it over", Name=LOCK_GROUPS),
    _known("Remove-ClusterGroup", _CLUSTERS, "give the lock back", Name=LOCK_GROUPS, Force=(True,)),
    _known("Get-ClusterParameter", _CLUSTERS, "read who holds the lock"),
    _known("Set-ClusterParameter", _CLUSTERS, "write who holds the lock", Multiple=ANY, Create=(True,)),
    # The node
    _known(
        "Get-CimInstance",
        _CIM,
        "boot time, services, votes, Microsoft's own coordinator",
        Namespace=("root/MSCluster", "root/Microsoft/Windows/ClusterUpdate"),
        ClassName=("MSCluster_Node", "MSFT_CAURun", "Win32_OperatingSystem", "Win32_Service"),
        Property=("CSName", "LastBootUpTime", "LocalDateTime", "Name", "State", "StartMode", "DelayedAutoStart"),
        OperationTimeoutSec=(30,),
    ),
    _known("Invoke-CimMethod", _CIM, "ask whether quorum would be lost", MethodName=("WillOfflineLoseQuorum",)),
    _known("Get-ItemProperty", _MANAGEMENT, "build, servicing state, system folder", LiteralPath=ANY),
    _known(
        "Test-Path", _MANAGEMENT, "signs of a pending restart, files of the agent", LiteralPath=ANY, PathType=("Leaf",)
    ),
    _known(
        "Get-Process",
        _MANAGEMENT,
        "whether the servicing stack works",
        Name=("TiWorker", "TrustedInstaller"),
        ErrorAction=("SilentlyContinue",),
    ),
    _known("Get-Service", _MANAGEMENT, "whether the cluster service runs", Name=("ClusSvc",)),
    _known(
        "Get-NetFirewallRule",
        _SECURITY,
        "whether remote shutdown is allowed (EnableFirewallRules)",
        Group=("@firewallapi.dll,-36751",),
    ),
    _known(
        "Enable-NetFirewallRule",
        _SECURITY,
        "allow remote shutdown (EnableFirewallRules)",
        Group=("@firewallapi.dll,-36751",),
    ),
    _known("shutdown.exe", "", "restart the node"),
    # Storage
    _known("Get-StorageJob", _STORAGE, "repairs that are under way"),
    _known("Get-VirtualDisk", _STORAGE, "health of the virtual disks"),
    _known("Repair-VirtualDisk", _STORAGE, "start a suspended repair", AsJob=(True,)),
    # The node agent
    _known("New-Item", _MANAGEMENT, "folders of the agent", Path=ANY, ItemType=("Directory",), Force=(True,)),
    _known(
        "Set-Content",
        _MANAGEMENT,
        "the agent, its request, its cancel file",
        LiteralPath=ANY,
        Value=ANY,
        Encoding=("Ascii",),
        NoNewline=(True,),
        Force=(True,),
    ),
    _known("Get-Content", _MANAGEMENT, "events of the agent", LiteralPath=ANY, Encoding=("UTF8",)),
    _known("Get-FileHash", _UTILITY, "that the agent is the one we sent", LiteralPath=ANY, Algorithm=("SHA256",)),
    _known("Get-ChildItem", _MANAGEMENT, "leftovers of dead runs", LiteralPath=ANY, Directory=(True,)),
    _known(
        "Remove-Item",
        _MANAGEMENT,
        "what the agent left",
        LiteralPath=ANY,
        Recurse=(True,),
        Force=(True,),
        Confirm=(False,),
    ),
    _known("Register-ScheduledTask", _TASKS, "the agent's task", TaskPath=("\\cauctl\\",), TaskName=ANY, Xml=ANY),
    _known("Start-ScheduledTask", _TASKS, "start the agent", TaskPath=("\\cauctl\\",), TaskName=ANY),
    _known("Stop-ScheduledTask", _TASKS, "end the agent of a dead run", TaskPath=("\\cauctl\\",), TaskName=ANY),
    _known("Get-ScheduledTask", _TASKS, "whether the agent runs", TaskPath=("\\cauctl\\",), TaskName=ANY),
    _known("Get-ScheduledTaskInfo", _TASKS, "how the agent ended"),
    _known(
        "Unregister-ScheduledTask",
        _TASKS,
        "remove the agent's task",
        TaskPath=("\\cauctl\\",),
        TaskName=ANY,
        Confirm=(False,),
    ),
    # Picking out what travels
    _known(
        "Get-Command",
        _CORE,
        "which of these commands an endpoint shows, for the test of a connection",
        Name=ANY,
        ErrorAction=("SilentlyContinue",),
    ),
    _known("Select-Object", _UTILITY, "only the properties we read", Property=ANY, Skip=ANY),
    _known(
        "Where-Object",
        _CORE,
        "only the objects of that name",
        Property=ANY,
        EQ=(True,),
        NE=(True,),
        Like=(True,),
        Value=ANY,
    ),
    _known("ForEach-Object", _CORE, "text without notes", MemberName=("ToString",)),
    _known("Out-Null", _CORE, "no output where none is read"),
)

COMMANDS: Final[Mapping[str, KnownCommand]] = by_name(_ALL)
"""Every command that the product sends, by name."""


def send(name: str, /, **parameters: Any) -> Command:
    """Build a command that is on the list; InputError for any other, or for a parameter or constant that is not."""
    return check(command(name, **parameters))


def send_native(program: str, /, *arguments: str) -> Command:
    """Build the call of a program that is on the list."""
    return check(native(program, *arguments))


def check(sent: Command) -> Command:
    """Return ``sent`` when it is on the list, raise InputError when it is not."""
    return check_listed(sent, COMMANDS)
