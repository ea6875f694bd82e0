"""The cluster port: what is asked, what answers become, and that commands look before they act."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_nodes import (
    NOW,
    FixedClock,
    ScriptedNode,
    cluster_enum,
    fleet_of,
    refused,
    thing,
)

from cauctl.errors import (
    AuthenticationError,
    ClusterError,
    FateUnknownError,
    NodeError,
    NodeUnreachableError,
    RemoteError,
)
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import (
    ClusterFacts,
    ClusterGroup,
    ClusterNode,
    DrainStatus,
    ForeignCoordinator,
    GroupState,
    NodeState,
    Quorum,
    StorageFacts,
    StorageJob,
    VirtualDisk,
)
from cauctl.ports import Cluster
from cauctl.psobject import PSObject, UInt16, UInt32, array
from cauctl.psrp.cluster import PsrpCluster

BROKEN = FateUnknownError("the connection broke.", node="N1")
CLUSTER = thing(
    Name="LAB-FC1",
    Domain="lab.test",
    DynamicQuorum=UInt32(1),
    WitnessDynamicWeight=UInt32(1),
    S2DEnabled=UInt32(1),
    BackupInProgress=UInt32(0),
)
ASK_CLUSTER = "Get-Cluster | Select-Object -Property Name,Domain,"
ASK_GROUP = "Get-ClusterGroup | Where-Object"


def node(name: str, state: str = "Up", number: int = 0, **more: Any) -> PSObject:
    """A node as it arrives after Select-Object."""
    facts: dict[str, Any] = {
        "Name": name,
        "State": cluster_enum("ClusterNodeState", state, number),
        "DrainStatus": cluster_enum("ClusterNodeDrainStatus", "NotInitiated", 0),
        "NodeWeight": UInt32(1),
        "DynamicWeight": UInt32(1),
        "StatusInformation": cluster_enum("ClusterNodeStatusInformation", "Normal", 0),
        "FaultDomain": array([]),
    }
    return thing(**{**facts, **more})


def group(name: str, owner: str = "N1", kind: str = "VirtualMachine", number: int = 111, **more: Any) -> PSObject:
    """A role as it arrives after Select-Object: its owner is a whole object."""
    facts: dict[str, Any] = {
        "Name": name,
        "OwnerNode": PSObject(text=owner, adapted={"Name": owner, "State": "Up"}),
        "State": cluster_enum("ClusterGroupState", "Online", 0),
        "GroupType": cluster_enum("GroupType", kind, number),
        "IsCoreGroup": False,
        "LockedFromMoving": UInt32(0),
    }
    return thing(**{**facts, **more})


PAUSED = node("N2", "Paused", 2, DrainStatus=cluster_enum("ClusterNodeDrainStatus", "InProgress", 1))
DRAIN_FAILED = node("N2", "Paused", 2, DrainStatus=cluster_enum("ClusterNodeDrainStatus", "Failed", 3))


@pytest.fixture
def first() -> ScriptedNode:
    return ScriptedNode("N1")


@pytest.fixture
def cluster(first: ScriptedNode) -> PsrpCluster:
    return PsrpCluster(fleet_of([first]), FixedClock())


def test_it_is_the_port(cluster):
    port: Cluster = cluster
    assert port is cluster


def test_observe_puts_the_answers_together(cluster, first):
    """Enums by name, owners by name, our own lock left out, the witness with its state."""
    first.on(ASK_CLUSTER, [CLUSTER])
    first.on(
        "Get-ClusterNode",
        [
            node("N1", FaultDomain=array(["Site:S1", "Rack:R1"])),
            node(
                "N2",
                "Paused",
                2,
                DrainStatus=cluster_enum("ClusterNodeDrainStatus", "Failed", 3),
                NodeWeight=UInt32(0),
                DynamicWeight=UInt32(0),
                StatusInformation=cluster_enum("ClusterNodeStatusInformation", "Quarantined, DrainFailed", 18),
            ),
        ],
    )
    first.on(
        "Get-ClusterGroup",
        [
            group("Cluster Group", "N2", "Cluster", 1, IsCoreGroup=True),
            group("VM 1", LockedFromMoving=UInt32(1), State=cluster_enum("ClusterGroupState", "Pending", 4)),
            group("CAUCTL-lock"),
        ],
    )
    witness = PSObject(text="File Share Witness", adapted={"Name": "File Share Witness", "State": "Online"})
    first.on("Get-ClusterQuorum", [thing(QuorumType="Majority", QuorumResource=witness)])
    expected = ClusterFacts(
        "LAB-FC1",
        domain="lab.test",
        nodes=(
            ClusterNode("N1", state=NodeState.UP, fault_domain="Site:S1, Rack:R1"),
            ClusterNode(
                "N2",
                state=NodeState.PAUSED,
                drain_status=DrainStatus.FAILED,
                node_weight=0,
                dynamic_weight=0,
                status_information=("Quarantined", "DrainFailed"),
            ),
        ),
        groups=(
            ClusterGroup(
                "Cluster Group", owner_node="N2", state=GroupState.ONLINE, group_type="Cluster", is_core_group=True
            ),
            ClusterGroup(
                "VM 1",
                owner_node="N1",
                state=GroupState.PENDING,
                group_type="VirtualMachine",
                locked_from_moving=True,
            ),
        ),
        quorum=Quorum("File Share Witness", witness_online=True, witness_weight=1, dynamic=True),
        s2d_enabled=True,
        observed=NOW,
    )
    assert expected == cluster.observe()


@pytest.mark.parametrize("state", ["Paused", "paused", 2, UInt16(2), cluster_enum("X", "Angehalten", 2), "2"])
def test_an_enum_is_read_however_it_arrives(cluster, first, state):
    """As an object, as text, as a number, in the node's language."""
    quiet(first)
    first.on("Get-ClusterNode", [node("N1", State=state)])
    assert NodeState.PAUSED is cluster.observe().nodes[0].state


def test_a_known_text_wins_over_its_number(cluster, first):
    """Numbers differ between the cmdlets and the CIM classes."""
    quiet(first)
    first.on("Get-ClusterNode", [node("N1", State=cluster_enum("X", "Down", 2))])
    assert NodeState.DOWN is cluster.observe().nodes[0].state


def test_flags_are_read_by_text_or_bits(cluster, first):
    quiet(first)
    first.on("Get-ClusterNode", [node("N1", StatusInformation=cluster_enum("X", "Entwässerung", 0x21))])
    assert ("Isolated", "AvoidPlacement") == cluster.observe().nodes[0].status_information


def test_a_state_that_nobody_knows_is_an_error_that_names_it(cluster, first):
    quiet(first)
    first.on("Get-ClusterNode", [node("N1", State="Resting")])
    with pytest.raises(NodeError, match=r"N1: the answer of Get-ClusterNode gives 'Resting' for State"):
        cluster.observe()


def test_an_answer_without_a_property_is_an_error_that_names_it(cluster, first):
    quiet(first)
    first.on("Get-ClusterNode", [thing(Name="N1")])
    with pytest.raises(NodeError, match="the answer of Get-ClusterNode has no property State"):
        cluster.observe()


def quiet(first: ScriptedNode) -> None:
    """A cluster without roles and without a witness."""
    first.on(ASK_CLUSTER, [CLUSTER])
    first.on("Get-ClusterGroup", [])
    first.on("Get-ClusterQuorum", [thing(QuorumType="Majority", QuorumResource=None)])


def test_no_witness(cluster, first):
    quiet(first)
    first.on("Get-ClusterNode", [node("N1")])
    assert Quorum(None, witness_online=False, witness_weight=1, dynamic=True) == cluster.observe().quorum


def test_observing_learns_which_nodes_there_are(first):
    """The next question reaches a node that nobody had named, when the entry node is avoided."""
    second = ScriptedNode("N2")
    fleet = fleet_of([first, second], entries=["N1"])
    cluster = PsrpCluster(fleet, FixedClock())
    quiet(first)
    first.on("Get-ClusterNode", [node("N1"), node("N2"), node("N3", "Down", 1)])
    second.on("Get-StorageJob", []).on("Get-VirtualDisk", [])
    cluster.observe()
    cluster.avoid(["N1"])
    assert StorageFacts() == cluster.storage()
    assert ("N1", "N2", "N3") == fleet.nodes


def test_quorum_is_asked_for_the_node_by_name(cluster, first):
    first.on("Get-CimInstance -Namespace root/MSCluster", [thing(ReturnValue=True)])
    assert cluster.will_offline_lose_quorum("N2")
    (asked,) = first.asked_after_greeting()
    assert (
        "Get-CimInstance -Namespace root/MSCluster -ClassName MSCluster_Node -OperationTimeoutSec 30"
        " | Where-Object -Property Name -EQ -Value N2 | Invoke-CimMethod -MethodName WillOfflineLoseQuorum" == asked
    )


def test_quorum_of_a_node_that_the_cluster_does_not_know(cluster, first):
    first.on("Get-CimInstance -Namespace root/MSCluster", [])
    with pytest.raises(ClusterError, match="has no node N9"):
        cluster.will_offline_lose_quorum("N9")


def test_storage(cluster, first):
    """Jobs that are done are left out; states by name from text or number; several operational states."""
    first.on(
        "Get-StorageJob",
        [
            thing(Name="Repair", JobState="Running", PercentComplete=UInt16(40)),
            thing(Name="Regeneration", JobState=UInt16(5), PercentComplete=None),
            thing(Name="Repair", JobState="Completed", PercentComplete=UInt16(100)),
        ],
    )
    first.on(
        "Get-VirtualDisk",
        [
            thing(FriendlyName="V1", HealthStatus="Healthy", OperationalStatus="OK"),
            thing(FriendlyName="V2", HealthStatus=UInt16(1), OperationalStatus=array([UInt16(11), UInt16(53251)])),
            thing(
                FriendlyName="V3", HealthStatus="Unhealthy", OperationalStatus=array(["No Redundancy", "In Service"])
            ),
        ],
    )
    expected = StorageFacts(
        (
            StorageJob("Repair", state="Running", percent_complete=40),
            StorageJob("Regeneration", state="Suspended", percent_complete=0),
        ),
        virtual_disks=(
            VirtualDisk("V1", health_status="Healthy", operational_status=("OK",)),
            VirtualDisk("V2", health_status="Warning", operational_status=("InService", "Incomplete")),
            VirtualDisk("V3", health_status="Unhealthy", operational_status=("No Redundancy", "InService")),
        ),
    )
    assert expected == cluster.storage()


def test_suspend_drains_and_does_not_wait(cluster, first):
    first.on("Get-ClusterNode", [node("N1"), node("N2")]).on("Suspend-ClusterNode", [])
    cluster.suspend("n2")
    assert "Suspend-ClusterNode -Name N2 -Drain | Out-Null" == first.asked[-1]


def test_suspend_without_a_drain(cluster, first):
    first.on("Get-ClusterNode", [node("N2")]).on("Suspend-ClusterNode", [])
    cluster.suspend("N2", drain=False)
    assert "Suspend-ClusterNode -Name N2 | Out-Null" == first.asked[-1]


def test_suspend_with_force(cluster, first):
    first.on("Get-ClusterNode", [node("N2")]).on("Suspend-ClusterNode", [])
    cluster.suspend("N2", force_drain=True)
    assert "Suspend-ClusterNode -Name N2 -Drain -ForceDrain | Out-Null" == first.asked[-1]


@pytest.mark.parametrize(("found", "force"), [(PAUSED, False), (PAUSED, True), (DRAIN_FAILED, False)])
def test_a_paused_node_is_left(cluster, first, found, force):
    first.on("Get-ClusterNode", [found])
    cluster.suspend("N2", force_drain=force)
    assert 1 == len(first.asked_after_greeting())


def test_a_failed_drain_can_be_forced(cluster, first):
    first.on("Get-ClusterNode", [DRAIN_FAILED]).on("Suspend-ClusterNode", [])
    cluster.suspend("N2", force_drain=True)
    assert first.asked[-1].startswith("Suspend-ClusterNode -Name N2 -Drain -ForceDrain")


def test_a_suspend_whose_fate_a_look_tells_is_done(cluster, first):
    first.on("Get-ClusterNode", [node("N2")], [PAUSED]).on("Suspend-ClusterNode", BROKEN)
    cluster.suspend("N2")
    assert 1 == sum(text.startswith("Suspend") for text in first.asked)


def test_a_suspend_of_unknown_fate_is_told(cluster, first):
    first.on("Get-ClusterNode", [node("N2")]).on("Suspend-ClusterNode", BROKEN)
    with pytest.raises(FateUnknownError):
        cluster.suspend("N2")
    assert 1 == sum(text.startswith("Suspend") for text in first.asked)


def test_a_refused_suspend_is_told(cluster, first):
    first.on("Get-ClusterNode", [node("N2")]).on("Suspend-ClusterNode", refused("the space is degraded"))
    with pytest.raises(RemoteError, match="the space is degraded"):
        cluster.suspend("N2")


def test_a_node_that_the_cluster_does_not_know(cluster, first):
    first.on("Get-ClusterNode", [node("N1")])
    with pytest.raises(ClusterError, match="the cluster LAB-FC1 has no node N9"):
        cluster.suspend("N9")


@pytest.mark.parametrize("failback", list(FailbackType))
def test_resume(cluster, first, failback):
    first.on("Get-ClusterNode", [PAUSED]).on("Resume-ClusterNode", [])
    cluster.resume("N2", failback=failback)
    assert f"Resume-ClusterNode -Name N2 -Failback {failback.value} | Out-Null" == first.asked[-1]


def test_a_node_that_is_up_is_left(cluster, first):
    first.on("Get-ClusterNode", [node("N2")])
    cluster.resume("N2", failback=FailbackType.IMMEDIATE)
    assert 1 == len(first.asked_after_greeting())


def test_move_group_does_not_wait(cluster, first):
    first.on(ASK_GROUP, [group("VM 1", "N1")], [])
    cluster.move_group("VM 1", "N2")
    assert (
        "Get-ClusterGroup | Where-Object -Property Name -EQ -Value 'VM 1'"
        " | Move-ClusterGroup -Node N2 -Wait 0 | Out-Null" == first.asked[-1]
    )


def test_a_group_that_the_node_owns_is_left(cluster, first):
    first.on(ASK_GROUP, [group("VM 1", "N2")])
    cluster.move_group("VM 1", "n2")
    assert 1 == len(first.asked_after_greeting())


def test_a_group_that_does_not_exist(cluster, first):
    first.on(ASK_GROUP, [])
    with pytest.raises(ClusterError, match="has no role VM 9"):
        cluster.move_group("VM 9", "N2")


@given(st.text(min_size=1))
def test_any_name_of_a_group_is_sent_as_the_same_text(name):
    """Quotes, ``;``, ``$(…)`` and wildcards are text, compared on the node."""
    first = ScriptedNode("N1").on(ASK_GROUP, [group(name, "N1")], [])
    PsrpCluster(fleet_of([first]), FixedClock()).move_group(name, "N2")
    values = [
        command.parameters["Value"]
        for pipeline in first.sent
        for command in pipeline.commands
        if command.name == "Where-Object"
    ]
    assert [name, name] == values


def test_repair_is_a_job_on_the_node(cluster, first):
    first.on("Get-VirtualDisk", [])
    cluster.repair("Volume [1]*")
    assert (
        "Get-VirtualDisk | Where-Object -Property FriendlyName -EQ -Value 'Volume [1]*' | Repair-VirtualDisk -AsJob"
        " | Out-Null" == first.asked[-1]
    )


RUN_CLASS = "Get-CimInstance -Namespace root/Microsoft/Windows/ClusterUpdate"
NO_CLASS = refused("invalid namespace", error_id="HRESULT 0x8004100e,Microsoft.X.GetCimInstanceCommand")


def test_nobody_else_is_at_work(cluster, first):
    first.on(RUN_CLASS, []).on("Get-ClusterGroup", [group("VM 1")])
    assert () == cluster.foreign_coordinators()


def test_microsofts_coordinator_on_any_node_is_found(first):
    """A node that cannot be reached and one without the class say nothing."""
    second, third = ScriptedNode("N2"), ScriptedNode("N3")
    first.on(RUN_CLASS, NO_CLASS).on("Get-ClusterGroup", [])
    second.up = False
    third.on(RUN_CLASS, [thing(OrchestratorGuid="6f9619ff")]).on("Get-ClusterGroup", [])
    found = PsrpCluster(fleet_of([first, second, third]), FixedClock()).foreign_coordinators()
    assert (ForeignCoordinator("MSFT_CAURun", node="N3", owner="6f9619ff"),) == found


@pytest.mark.parametrize("error", [refused("access denied"), AuthenticationError("refused.", node="N1")])
def test_a_node_that_answers_and_will_not_say_is_no_clearance(cluster, first, error):
    first.on(RUN_CLASS, error)
    with pytest.raises(type(error)):
        cluster.foreign_coordinators()


@pytest.mark.parametrize(("state", "enabled"), [("Online", True), ("OnlinePending", True), ("Offline", False)])
def test_a_self_updating_role_counts_while_its_resource_is_online(cluster, first, state, enabled):
    first.on(RUN_CLASS, [])
    first.on("Get-ClusterGroup", [group("CAULAB-Cm69", "N2", "ClusterAwareUpdating", 117)])
    first.on(
        "Get-ClusterGroup | Where-Object -Property Name -EQ -Value CAULAB-Cm69 | Get-ClusterResource",
        [
            thing(Name="Name", State="Online", ResourceType=PSObject(text="Network Name", adapted={})),
            thing(
                Name="CAULAB-Cm69Resource",
                State=state,
                ResourceType=PSObject(
                    text="ClusterAwareUpdatingResource", adapted={"Name": "ClusterAwareUpdatingResource"}
                ),
            ),
        ],
    )
    expected = (ForeignCoordinator("SelfUpdating", node="N2", owner="CAULAB-Cm69"),) if enabled else ()
    assert expected == cluster.foreign_coordinators()


def test_an_unreachable_cluster_is_an_error_of_the_cluster(cluster, first):
    first.up = False
    with pytest.raises(ClusterError) as caught:
        cluster.observe()
    assert isinstance(caught.value.__cause__, NodeUnreachableError)
