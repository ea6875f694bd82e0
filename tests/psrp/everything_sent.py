"""Every pipeline that the product can send: all methods of the ports, driven on a node that answers as a test needs."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from attrs import evolve
from scripted_nodes import NOW, FixedClock, ScriptedNode, cluster_enum, fleet_of, refused, thing

from cauctl.errors import CauError
from cauctl.models.agent import AgentOperation, AgentRequest, UpdateKey
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import LockRecord
from cauctl.psobject import array
from cauctl.psrp.agent import PsrpUpdateAgent
from cauctl.psrp.agent_files import agent_file
from cauctl.psrp.cluster import PsrpCluster
from cauctl.psrp.jea.agent import JeaUpdateAgent
from cauctl.psrp.jea.node import JeaNode
from cauctl.psrp.node import SIGNALS, PsrpNode
from cauctl.psrp.pipeline import Pipeline
from cauctl.psrp.steps import SHOWN_COMMANDS

REQUEST = AgentRequest("r1", run_id="run-1", operation=AgentOperation.SCAN, query="IsInstalled=0")
RECORD = LockRecord("run-1", owner="ada", fence=1, acquired=NOW, lease_until=NOW + timedelta(minutes=15))
NODE_STATE = {
    "DrainStatus": "NotInitiated",
    "NodeWeight": 1,
    "DynamicWeight": 1,
    "StatusInformation": "Normal",
    "FaultDomain": None,
}
GROUP_STATE = {"State": "Online", "IsCoreGroup": False, "LockedFromMoving": 0}
NO_TASK = refused("no task", error_id="CmdletizationQuery_NotFound_TaskName,Get-ScheduledTask")


def every_pipeline() -> list[Pipeline]:
    """Each different pipeline once, in the order of its first use."""
    node = ScriptedNode("N1")
    _drive_cluster(node)
    _drive_node(node)
    _drive_agent(node)
    return list({str(pipeline): pipeline for pipeline in [*node.sent, SHOWN_COMMANDS]}.values())


def every_call() -> list[Pipeline]:
    """The same of an endpoint without language."""
    node = ScriptedNode("N1")
    _drive_jea_cluster(node)
    _drive_jea_node(node)
    _drive_jea_agent(node)
    return list({str(pipeline): pipeline for pipeline in node.sent}.values())


def _drive_cluster(node: ScriptedNode) -> None:
    up, paused = ([thing(Name="N1", State=state, **NODE_STATE)] for state in ("Up", "Paused"))
    role = thing(Name="VM 1", OwnerNode="N1", GroupType="VirtualMachine", **GROUP_STATE)
    updating = thing(Name="CAU", OwnerNode="N1", GroupType="ClusterAwareUpdating", **GROUP_STATE)
    node.on("Get-Cluster | Select-Object -Property Name,Domain,", [_cluster()])
    node.on("Get-ClusterNode", up, up, up, up, paused)
    node.on("Get-ClusterGroup", [role, updating])
    node.on("Get-ClusterGroup | Where-Object -Property Name -EQ -Value 'VM 1'", [role])
    node.on("Get-ClusterGroup | Where-Object -Property Name -EQ -Value CAU", [])
    for quiet in (
        "Get-ClusterQuorum",
        "Get-ClusterNetworkInterface",
        "Get-StorageJob",
        "Get-VirtualDisk",
        "Suspend",
        "Resume",
        "Add-",
        "Remove-Cluster",
    ):
        node.on(quiet, [])
    node.on("Get-CimInstance -Namespace root/MSCluster", [thing(ReturnValue=False)])
    node.on("Get-CimInstance -Namespace root/Microsoft", [])
    node.on("Get-ClusterGroup -Name", [])
    node.on("Get-ClusterGroup -Name cauctl-lock | Get-ClusterParameter", [])
    node.on("Get-ClusterGroup | Where-Object -Property Name -Like -Value cauctl-lock*", [thing(Name="cauctl-lock")])
    _use_cluster(
        node,
        PsrpCluster(fleet_of([node]), FixedClock()),
        lock="Get-ClusterGroup -Name cauctl-lock | Get-ClusterParameter",
    )


def _use_cluster(node: ScriptedNode, cluster: PsrpCluster, *, lock: str) -> None:
    cluster.observe()
    cluster.will_offline_lose_quorum("N1")
    cluster.storage()
    cluster.networks_up("N1")
    cluster.repair("Volume 1")
    cluster.suspend("N1")
    cluster.suspend("N1", force_drain=True)
    cluster.suspend("N1", drain=False)
    for failback in FailbackType:
        cluster.resume("N1", failback=failback)
    cluster.move_group("VM 1", "N2")
    cluster.foreign_coordinators()
    with suppress(CauError):
        cluster.acquire_lock(RECORD)
    node.on(lock, _record())
    cluster.read_lock()
    cluster.write_lock(RECORD)
    cluster.take_over_lock(evolve(RECORD, fence=2))
    cluster.request_stop("run-1", "bob@desk (pid 1)")
    cluster.release_lock("run-1")


def _drive_jea_cluster(node: ScriptedNode) -> None:
    up, paused = ([thing(Name="N1", State=state, **NODE_STATE)] for state in ("Up", "Paused"))
    role = thing(Name="VM 1", OwnerNode="N1", GroupType="VirtualMachine", **GROUP_STATE)
    updating = thing(Name="CAU", OwnerNode="N1", GroupType="ClusterAwareUpdating", **GROUP_STATE)
    node.on("Get-CauctlCluster", [_cluster()])
    node.on("Get-CauctlClusterNode", up, up, up, paused)
    lock = thing(Name="cauctl-lock", OwnerNode="N1", GroupType="Unknown", **GROUP_STATE)
    node.on("Get-CauctlClusterGroup", [role, updating, lock])
    node.on("Get-CauctlClusterGroup -Name 'VM 1'", [role])
    node.on("Test-CauctlQuorumLoss", [thing(ReturnValue=False)])
    for quiet in ("ClusterResource", "ClusterQuorum", "StorageJob", "VirtualDisk", "UpdatingRun", "Lock"):
        node.on(f"Get-Cauctl{quiet}", [])
    for act in ("Suspend", "Resume", "Move", "Repair", "Add", "Set", "Remove"):
        node.on(f"{act}-Cauctl", [])
    _use_cluster(node, PsrpCluster(fleet_of([node], jea=True), FixedClock()), lock="Get-CauctlLock")


def _drive_jea_node(node: ScriptedNode) -> None:
    state = {
        "CurrentBuild": "1",
        "UBR": 1,
        "RebootPending": array(),
        "BootFinished": True,
        "ServicingInProgress": False,
    }
    services = {"ClusterServiceRunning": True, "StoppedServices": array()}
    node.on("Get-CauctlNodeState", [thing(LastBootUpTime=NOW, LocalDateTime=NOW, **state, **services)])
    node.on("Restart-CauctlNode", [thing(Code=0, Message="")])
    port = JeaNode(fleet_of([node], jea=True))
    port.probe("N1")
    with suppress(CauError):
        port.allow_remote_restart("N1")
    port.restart("N1", reason="updates")


def _drive_jea_agent(node: ScriptedNode) -> None:
    node.on("Get-CauctlWork", [thing(TaskName="run-1.r1", State="Running", LastTaskResult=None)])
    node.on("Find-CauctlWork", ["run-1.r1"])
    for act in ("Start", "Stop", "Remove", "Clear"):
        node.on(f"{act}-CauctlWork", [])
    agent = JeaUpdateAgent(fleet_of([node], jea=True), accept_eulas=True)
    update = UpdateKey("0a1b2c3d-0000-4000-8000-000000000001", 200)
    agent.begin("N1", evolve(REQUEST, updates=(update,), include_recommended=True))
    agent.poll("N1", REQUEST, 3)
    agent.cancel("N1", REQUEST)
    agent.collect("N1", REQUEST)
    agent.leftovers("N1")
    agent.remove_leftovers("N1", "run-1")


def _drive_node(node: ScriptedNode) -> None:
    node.on(
        "Get-CimInstance -ClassName Win32_OperatingSystem -Property CSName,",
        [thing(LastBootUpTime=NOW, LocalDateTime=NOW)],
    )
    node.on("Get-ItemProperty", [thing(CurrentBuild="1", UBR=1, ServicingInProgress=0, SystemRoot="C:\\Windows")])
    node.on("Test-Path", [True] * (len(SIGNALS) + 1))
    node.on("Test-Path -LiteralPath HKLM:\\SYSTEM", [True])
    node.on("Get-Process", [])
    node.on("Get-Service", [thing(Name="ClusSvc", Status="Running")])
    node.on("Get-CimInstance -ClassName Win32_Service", [thing(Name="Spooler", DelayedAutoStart=False)])
    node.on("Get-NetFirewallRule", [thing(Name="Rule", Enabled="False")])
    node.on("Enable-NetFirewallRule", [])
    node.on("shutdown.exe", [])
    port = PsrpNode(fleet_of([node]))
    port.probe("N1")
    with suppress(CauError):
        port.allow_remote_restart("N1")
    port.restart("N1", reason="updates")


def _drive_agent(node: ScriptedNode) -> None:
    ready = [thing(TaskName="run-1.r1", State=cluster_enum("StateEnum", "Ready", 3))]
    running = [thing(TaskName="run-1.r1", State=cluster_enum("StateEnum", "Running", 4))]
    node.on("Get-ScheduledTask", NO_TASK, ready)
    node.on(
        "Get-ScheduledTask -TaskPath \\cauctl\\ -TaskName run-1.r1 | Get-ScheduledTaskInfo", [thing(LastTaskResult=0)]
    )
    node.on("Test-Path -LiteralPath C:", [False])
    node.on("Get-FileHash", [], [thing(Hash=agent_file().sha256.upper())])
    for quiet in (
        "New-Item",
        "Set-Content",
        "Register-",
        "Start-Sch",
        "Stop-Sch",
        "Unregister-",
        "Remove-Item",
        "Get-Content",
    ):
        node.on(quiet, [])
    node.on("Get-ChildItem", [thing(Name="run-1.r1")])
    agent = PsrpUpdateAgent(fleet_of([node]))
    agent.begin("N1", REQUEST)
    with suppress(CauError):
        agent.poll("N1", REQUEST, 3)
    agent.cancel("N1", REQUEST)
    agent.collect("N1", REQUEST)
    agent.leftovers("N1")
    node.on("Get-ScheduledTask", running)
    agent.remove_leftovers("N1", "run-1")


def _cluster() -> object:
    return thing(
        Name="LAB-FC1", Domain="lab.test", DynamicQuorum=1, WitnessDynamicWeight=0, S2DEnabled=0, BackupInProgress=0
    )


def _record() -> list[object]:
    values = {
        "CauctlSchema": "1",
        "CauctlRunId": "run-1",
        "CauctlOwner": "ada",
        "CauctlFence": "1",
        "CauctlAcquired": NOW.isoformat(),
        "CauctlLeaseUntil": NOW.isoformat(),
        "CauctlCheckpoint": "=",
    }
    return [thing(Name=name, Value=value) for name, value in values.items()]
