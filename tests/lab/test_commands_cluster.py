"""Cluster cmdlets of a node: what they write, what they do to the world, and Windows' error records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from cauctl.lab.dispatch import CommandError
from cauctl.lab.faults import Fault
from cauctl.lab.world import World
from cauctl.psobject import Int64, PSObject, UInt32, UInt64, hashtable
from tests.lab.desk import Desk, quiet_world, shown, text_of

CLUSTER = "Microsoft.FailoverClusters.PowerShell"


def desk(**changes: Any) -> Desk:
    return Desk(quiet_world(**changes))


def test_get_cluster_writes_the_cluster_with_its_votes() -> None:
    written = desk().one("Get-Cluster")
    assert written.type_names == (f"{CLUSTER}.Cluster", f"{CLUSTER}.ClusterObject", "System.Object")
    assert shown(written, "Name", "Domain", "DynamicQuorum", "WitnessDynamicWeight", "S2DEnabled") == {
        "Name": "LAB-FC1",
        "Domain": "lab.test",
        "DynamicQuorum": 1,
        "WitnessDynamicWeight": 1,
        "S2DEnabled": 1,
    }
    assert (len(written.adapted), written.text, type(written["DynamicQuorum"])) == (93, "LAB-FC1", UInt32)


def test_nodes_are_written_in_order_with_live_enums() -> None:
    written = desk().run("Get-ClusterNode")
    assert [node["Name"] for node in written] == ["NODE1", "NODE2", "NODE3", "NODE4"]
    state = written[0]["State"]
    assert (state.text, state.base, state.type_names[0]) == ("Up", 0, f"{CLUSTER}.ClusterNodeState")
    assert shown(written[1], "Id", "DrainStatus", "StatusInformation", "DynamicWeight", "Cluster") == {
        "Id": "2",
        "DrainStatus": "NotInitiated",
        "StatusInformation": "Normal",
        "DynamicWeight": 1,
        "Cluster": "LAB-FC1",
    }


def test_nodes_are_found_by_name_in_any_case_and_an_unknown_one_is_an_error_of_its_own() -> None:
    there = desk()
    assert [node["Name"] for node in there.run("Get-ClusterNode", Name=["node2", "NODE9", "NODE1"])] == [
        "NODE2",
        "NODE1",
    ]
    (error,) = there.errors
    assert (error.error_id, error.category, error.hresult) == ("NodeNotFound", "ObjectNotFound", 0x800713B2)


def test_a_node_whose_cluster_service_is_stopped_cannot_speak_for_the_cluster() -> None:
    there = desk()
    there.run("Stop-Service", Name=["ClusSvc"])
    for command in ("Get-Cluster", "Get-ClusterNode", "Get-ClusterGroup", "Get-ClusterQuorum"):
        with pytest.raises(CommandError) as caught:
            there.run(command)
        assert (caught.value.error_id, caught.value.category) == ("ClusterEndpointNotRegistered", "ConnectionError")
        assert caught.value.exception_type == f"{CLUSTER}.ClusterCmdletException"
    assert text_of(Desk(there.world, "NODE2").run("Get-ClusterNode")[0]["State"]) == "Down"


def test_without_quorum_no_node_speaks_for_the_cluster() -> None:
    world = quiet_world(nodes=2, witness=False)
    world.cluster.leave("NODE1", graceful=False, by="power")
    with pytest.raises(CommandError) as caught:
        Desk(world, "NODE2").run("Get-Cluster")
    assert caught.value.error_id == "ClusterEndpointNotRegistered"


@pytest.mark.parametrize(
    ("command", "parameters"), [("Get-Cluster", {"Name": "X"}), ("Get-ClusterNode", {"Cluster": "X"})]
)
def test_another_cluster_is_a_second_hop(command: str, parameters: dict[str, str]) -> None:
    with pytest.raises(CommandError) as caught:
        desk().run(command, **parameters)
    assert caught.value.hresult == 0x80070005


def test_suspending_drains_and_returns_at_once() -> None:
    there = desk()
    written = there.one("Suspend-ClusterNode", Name=["NODE1"], Drain=True)
    assert shown(written, "Name", "State", "DrainStatus", "StatusInformation") == {
        "Name": "NODE1",
        "State": "Paused",
        "DrainStatus": "InProgress",
        "StatusInformation": "DrainInProgress",
    }
    assert there.world.ledger.paused_now == {"NODE1": "LAB\\Tester"}


def test_suspending_with_wait_returns_when_the_drain_has_ended() -> None:
    there = desk()
    before = there.world.now
    written = there.one("Suspend-ClusterNode", Name=["NODE1"], Drain=True, Wait=True)
    assert text_of(written["DrainStatus"]) == "Completed"
    assert timedelta(seconds=20) < there.world.now - before < timedelta(minutes=2)


def test_a_failed_drain_names_windows_code() -> None:
    there = desk(faults=(Fault.parse("drain-fails:NODE1"),))
    written = there.one("Suspend-ClusterNode", Name=["NODE1"], Drain=True, Wait=True)
    assert shown(written, "DrainStatus", "DrainErrorCode", "StatusInformation") == {
        "DrainStatus": "Failed",
        "DrainErrorCode": 5960,
        "StatusInformation": "DrainFailed",
    }


def test_a_piped_node_is_suspended_and_resumed() -> None:
    there = desk()
    node = there.one("Get-ClusterNode", Name=["NODE3"])
    there.run("Suspend-ClusterNode", piped=node)
    assert text_of(there.one("Resume-ClusterNode", piped=node, Failback="Policy")["State"]) == "Up"
    with pytest.raises(CommandError) as caught:
        there.run("Resume-ClusterNode", piped=node)
    assert caught.value.hresult == 0x80070000 | 5058


def test_without_a_name_the_node_itself_is_meant() -> None:
    world = quiet_world()
    assert Desk(world, "NODE4").one("Suspend-ClusterNode")["Name"] == "NODE4"


def test_groups_are_written_with_owner_state_and_type() -> None:
    written = {group["Name"]: group for group in desk().run("Get-ClusterGroup")}
    assert shown(written["FS01"], "OwnerNode", "State", "GroupType", "IsCoreGroup", "PersistentState") == {
        "OwnerNode": "NODE4",
        "State": "Online",
        "GroupType": "FileServer",
        "IsCoreGroup": False,
        "PersistentState": 1,
    }
    assert shown(written["Available Storage"], "State", "IsCoreGroup") == {"State": "Offline", "IsCoreGroup": True}
    assert written["VM01"]["OwnerNode"]["Name"] == "NODE1"


def test_groups_of_a_piped_node() -> None:
    there = desk()
    node = there.one("Get-ClusterNode", Name=["NODE4"])
    assert [group["Name"] for group in there.run("Get-ClusterGroup", piped=node)] == ["FS01", "VM04"]


def test_moving_waits_for_the_end_or_as_long_as_it_is_told() -> None:
    there = desk()
    assert text_of(there.one("Move-ClusterGroup", Name="VM01", Node="NODE2", Wait=0)["OwnerNode"]) == "NODE1"
    assert text_of(there.one("Move-ClusterGroup", Name="VM02", Node="NODE3")["OwnerNode"]) == "NODE3"
    before = there.world.now
    there.one("Move-ClusterGroup", Name="VM03", Node="NODE4", Wait=5)
    assert timedelta(seconds=5) <= there.world.now - before < timedelta(seconds=7)


def test_moving_to_a_node_that_cannot_take_the_group_is_refused() -> None:
    there = desk()
    there.run("Suspend-ClusterNode", Name=["NODE2"])
    with pytest.raises(CommandError) as caught:
        there.run("Move-ClusterGroup", Name="VM01", Node="NODE2")
    assert (caught.value.error_id, caught.value.category) == ("Move-ClusterGroup", "NotSpecified")
    assert caught.value.hresult == 0x80070000 | 5036


def test_a_locked_group_moves_only_when_the_lock_is_ignored() -> None:
    plain = quiet_world().scenario
    roles = tuple(evolve(role, locked=role.name == "VM01") for role in plain.roles)
    there = Desk(World(evolve(plain, roles=roles), 1))
    assert shown(there.one("Get-ClusterGroup", Name=["VM01"]), "LockedFromMoving", "StatusInformation") == {
        "LockedFromMoving": 1,
        "StatusInformation": "Locked",
    }
    with pytest.raises(CommandError) as caught:
        there.run("Move-ClusterGroup", Name="VM01", Node="NODE2")
    assert caught.value.hresult == 0x80070000 | 5960
    there.run("Move-ClusterGroup", Name="VM01", Node="NODE2", IgnoreLocked=True)


def test_adding_a_group_of_a_taken_name_is_refused() -> None:
    """The lock of the cluster rests on this."""
    there = desk()
    written = there.one("Add-ClusterGroup", Name=["cauctl-lock"])
    assert shown(written, "Name", "State", "OwnerNode") == {
        "Name": "cauctl-lock",
        "State": "Offline",
        "OwnerNode": "NODE1",
    }
    with pytest.raises(CommandError) as caught:
        Desk(there.world, "NODE2").run("Add-ClusterGroup", Name=["CAUCTL-LOCK"])
    assert caught.value.hresult == 0x80071392
    there.run("Remove-ClusterGroup", Name=["cauctl-lock"], Force=True)
    with pytest.raises(CommandError) as gone:
        there.run("Remove-ClusterGroup", Name=["cauctl-lock"], Force=True)
    assert (gone.value.error_id, gone.value.hresult) == ("GroupNotFound", 0x80071395)


def test_a_group_with_resources_is_not_removed_by_accident() -> None:
    there = desk()
    with pytest.raises(CommandError):
        there.run("Remove-ClusterGroup", Name=["VM01"], Force=True)
    there.run("Remove-ClusterGroup", Name=["VM01"], RemoveResources=True)
    assert there.world.cluster.roles.find("VM01") is None


def test_private_properties_keep_names_values_and_types() -> None:
    there = desk()
    group = there.one("Add-ClusterGroup", Name=["cauctl-lock"])
    values = {"CauctlRunId": "a'b;$(c)", "CauctlFence": 7, "Big": UInt64(1 << 40), "Signed": Int64(-5)}
    there.run("Set-ClusterParameter", piped=group, Multiple=hashtable(values), Create=True)
    written = there.run("Get-ClusterParameter", piped=group)
    assert [(each["Name"], each["Value"], text_of(each["ParameterType"])) for each in written] == [
        ("CauctlRunId", "a'b;$(c)", "String"),
        ("CauctlFence", 7, "UInt32"),
        ("Big", 1 << 40, "UInt64"),
        ("Signed", -5, "Int64"),
    ]
    there.run("Set-ClusterParameter", piped=group, Name="cauctlfence", Value=8)
    there.run("Set-ClusterParameter", piped=group, Name="Big", Delete=True)
    assert [each["Value"] for each in there.run("Get-ClusterParameter", piped=group, Name=["CauctlFence"])] == [8]
    assert [each["Name"] for each in there.run("Get-ClusterParameter", piped=group)] == [
        "CauctlRunId",
        "CauctlFence",
        "Signed",
    ]


def test_an_unknown_property_is_made_only_on_demand() -> None:
    there = desk()
    cluster = there.one("Get-Cluster")
    with pytest.raises(CommandError):
        there.run("Set-ClusterParameter", piped=cluster, Name="CauctlState", Value="{}")
    there.run("Set-ClusterParameter", piped=cluster, Name="CauctlState", Value="{}", Create=True)
    assert there.one("Get-ClusterParameter", piped=cluster, Name=["CauctlState"])["Value"] == "{}"
    assert there.run("Get-ClusterParameter", piped=cluster, Name=["Nothing"]) == []
    assert len(there.errors) == 1
    with pytest.raises(CommandError) as caught:
        there.run("Get-ClusterParameter")
    assert (caught.value.error_id, caught.value.category) == ("PSArgument", "InvalidArgument")


def test_the_witness_is_shown_and_missing_ones_are_null() -> None:
    written = desk().one("Get-ClusterQuorum")
    assert shown(written, "QuorumType", "QuorumResource", "Cluster") == {
        "QuorumType": "Majority",
        "QuorumResource": "File Share Witness",
        "Cluster": "LAB-FC1",
    }
    assert desk(witness=False).one("Get-ClusterQuorum")["QuorumResource"] is None
    offline = desk(faults=(Fault.parse("witness-offline"),)).one("Get-ClusterResource", Name=["File Share Witness"])
    assert text_of(offline["State"]) == "Failed"


def test_resources_of_groups() -> None:
    there = desk()
    group = there.one("Get-ClusterGroup", Name=["FS01"])
    written = there.run("Get-ClusterResource", piped=group)
    assert shown(written[0], "Name", "State", "OwnerGroup", "ResourceType") == {
        "Name": "FS01",
        "State": "Online",
        "OwnerGroup": "FS01",
        "ResourceType": "File Server",
    }


def test_owners() -> None:
    there = desk()
    preferred = there.one("Get-ClusterOwnerNode", Group="SQL Server (MSSQLSERVER)")["OwnerNodes"]
    possible = there.one("Get-ClusterOwnerNode", Resource="VM01")["OwnerNodes"]
    assert [[text_of(node) for node in each] for each in (preferred, possible)] == [
        ["NODE1", "NODE2"],
        ["NODE1", "NODE2", "NODE3", "NODE4"],
    ]


def test_networks_volumes_and_fault_domains() -> None:
    plain = quiet_world().scenario
    world = World(evolve(plain, nodes=tuple(evolve(node, site="Nord") for node in plain.nodes)), 1)
    there = Desk(world)
    assert [text_of(each["State"]) for each in there.run("Get-ClusterNetwork")] == ["Up", "Up"]
    assert len(there.run("Get-ClusterNetworkInterface", Node=["NODE1"])) == 2
    assert [each["Name"] for each in there.run("Get-ClusterSharedVolume")] == [
        "Cluster Virtual Disk (Volume01)",
        "Cluster Virtual Disk (Volume02)",
    ]
    assert {text_of(each["StateInfo"]) for each in there.run("Get-ClusterSharedVolumeState")} == {"Direct"}
    domains = there.run("Get-ClusterFaultDomain")
    assert [(each["Name"], each["Type"], each["ParentName"]) for each in domains][:2] == [
        ("Nord", "Site", ""),
        ("NODE1", "Node", "Nord"),
    ]
    assert [each["Name"] for each in there.run("Get-ClusterFaultDomain", Type=["Site"])] == ["Nord"]


# CIM


def test_quorum_is_asked_of_the_clusters_own_class() -> None:
    there = Desk(quiet_world(nodes=2, witness=False))
    answers = {}
    for name in ("NODE1", "NODE2"):
        node = there.one(
            "Get-CimInstance", Namespace="root/MSCluster", ClassName="MSCluster_Node", Filter=f"Name='{name}'"
        )
        written = there.one("Invoke-CimMethod", piped=node, MethodName="WillOfflineLoseQuorum")
        answers[name] = written["ReturnValue"]
    assert answers == {"NODE1": True, "NODE2": False}
    assert (
        written.type_names[0]
        == "Microsoft.Management.Infrastructure.CimMethodResult#MSCluster_Node#WillOfflineLoseQuorum"
    )
    assert written.keys() == ["ReturnValue", "PSComputerName"]


def test_boot_time_is_local_with_an_offset() -> None:
    there = desk()
    written = there.one("Get-CimInstance", ClassName="Win32_OperatingSystem", Property=["CSName", "LastBootUpTime"])
    assert written["LastBootUpTime"].to_python() == there.world.machine("NODE1").boot_time
    assert (written["LastBootUpTime"].kind.value, written["CSName"], written["Caption"]) == ("Local", "NODE1", None)
    assert [name for name in written.type_names if name.endswith("Win32_OperatingSystem")] == [
        "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem",
        "Microsoft.Management.Infrastructure.CimInstance#Win32_OperatingSystem",
    ]
    assert [entry["ClassName"] for entry in written["__ClassMetadata"]][-1] == "Win32_OperatingSystem"


@pytest.mark.parametrize(
    ("names", "condition"),
    [
        (["ClusSvc"], "Name='ClusSvc'"),
        (["sppsvc"], "StartMode='Auto' AND State<>'Running'"),
        (["WinRM", "wuauserv"], "Name LIKE 'w%'"),
        (["ClusSvc", "WinRM"], "Name='ClusSvc' OR Name=\"winrm\""),
        (["sppsvc"], "DelayedAutoStart=TRUE"),
        ([], "Name='O\\'Hara'"),
    ],
)
def test_services_are_filtered_by_wql(names: list[str], condition: str) -> None:
    assert [
        each["Name"] for each in desk().run("Get-CimInstance", ClassName="Win32_Service", Filter=condition)
    ] == names


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        (0x8004100E, {"Namespace": "root/nothing", "ClassName": "X"}),
        (0x80041010, {"ClassName": "Win32_Nothing"}),
        (0x80041017, {"ClassName": "Win32_Service", "Filter": "Name=='x'"}),
        (0x80041017, {"ClassName": "Win32_Service", "Filter": "(Name='x')"}),
        (0x80041017, {"Query": "DROP TABLE Win32_Service"}),
    ],
)
def test_what_cim_does_not_have_is_told_with_its_hresult(code: int, parameters: dict[str, str]) -> None:
    with pytest.raises(CommandError) as caught:
        desk().run("Get-CimInstance", **parameters)
    assert (caught.value.hresult, caught.value.error_id) == (code, f"HRESULT 0x{code:08x}")


def test_microsofts_coordinator_is_seen_on_its_node() -> None:
    world = quiet_world(foreign_run="NODE2")
    query = {"Namespace": "root/Microsoft/Windows/ClusterUpdate", "ClassName": "MSFT_CAURun"}
    assert Desk(world, "NODE1").run("Get-CimInstance", **query) == []
    run = Desk(world, "NODE2").one("Get-CimInstance", **query)
    assert run["OrchestratorGuid"] == "834dd11e-584b-41f2-8d22-4c9c0471dbad"
    Desk(world, "NODE2").run("Remove-CimInstance", piped=run)
    assert Desk(world, "NODE2").run("Get-CimInstance", **query) == []
    made = Desk(world).one("New-CimInstance", **query, Property=hashtable({"OrchestratorGuid": "x"}))
    assert (made["OrchestratorGuid"], world.cau_runs) == ("x", {"NODE1": "x"})


def test_an_enabled_self_updating_role_is_seen() -> None:
    there = desk(self_updating=True)
    group = there.one("Get-ClusterGroup", Name=["CAULABROLE"])
    assert shown(group, "GroupType", "State") == {"GroupType": "ClusterAwareUpdating", "State": "Online"}
    assert text_of(there.run("Get-ClusterResource", piped=group)[0]["ResourceType"]) == "ClusterAwareUpdatingResource"


# Storage


def test_virtual_disks_say_their_health_as_number_and_as_text() -> None:
    there = desk()
    disk = there.run("Get-VirtualDisk")[0]
    assert isinstance(disk, PSObject)
    assert disk.adapted is not None
    assert (disk.adapted["HealthStatus"], disk["HealthStatus"], list(disk["OperationalStatus"])) == (
        0,
        "Healthy",
        ["OK"],
    )
    there.world.cluster.suspend("NODE2", drain=True, by="test")
    there.wait(120)
    assert there.run("Get-VirtualDisk")[0]["HealthStatus"] == "Warning"
    assert {each["OperationalStatus"][0] for each in there.run("Get-PhysicalDisk")} == {"OK", "In Maintenance Mode"}


def test_storage_jobs_are_shown_and_a_suspended_one_is_started() -> None:
    there = desk()
    there.world.cluster.suspend("NODE2", drain=True, by="test")
    there.wait(120)
    there.run("Resume-ClusterNode", Name=["NODE2"], Failback="Immediate")
    there.wait(30)
    jobs = there.run("Get-StorageJob")
    assert [(each["Name"], each["JobState"], each.adapted["JobState"]) for each in jobs] == [
        ("Repair", "Running", 4)
    ] * 2
    assert there.run("Get-StorageJob", JobState=["Suspended"]) == []
    disk = there.one("Get-VirtualDisk", FriendlyName=["volume02"])
    there.run("Repair-VirtualDisk", piped=[disk])
    there.run("Repair-VirtualDisk", FriendlyName=["Nothing"])
    assert [error.error_id for error in there.errors] == ["CmdletizationQuery_NotFound_FriendlyName"]


def test_pools_and_subsystems() -> None:
    there = desk()
    assert [each["IsPrimordial"] for each in there.run("Get-StoragePool")] == [False, True]
    assert len(there.run("Get-StoragePool", IsPrimordial=[False])) == 1
    assert [each["FriendlyName"] for each in there.run("Get-StorageSubSystem", FriendlyName=["Cluster*"])] == [
        "Clustered Windows Storage on LAB-FC1"
    ]
    assert desk(virtual_disks=()).run("Get-VirtualDisk") == []
