"""A lab's endpoint without language: only named functions, and what they may do themselves is hidden."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from cauctl.errors import AuthenticationError, NodeError, RemoteError, StateError
from cauctl.lab.binder.metadata import CommandMetadata
from cauctl.lab.jea import jea_functions, jea_lock
from cauctl.lab.memory import Ports
from cauctl.lab.server import Lab
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, AgentRequest, AgentState
from cauctl.models.credential import PSCredential
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import LockRecord
from cauctl.operations.clock import ScaledClock
from cauctl.ports import Clock
from cauctl.psobject import to_python
from cauctl.psrp.cluster import PsrpCluster
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.jea.agent import JeaUpdateAgent
from cauctl.psrp.jea.export import export_endpoint
from cauctl.psrp.jea.functions import FUNCTIONS
from cauctl.psrp.jea.node import JeaNode
from cauctl.psrp.pipeline import Pipeline, command, script
from cauctl.psrp.session import NodeSession

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SOON = timedelta(seconds=20)
IDS = {"RunId": "run-1", "RequestId": "r1"}
SCAN = {**IDS, "Operation": "Scan", "Query": "IsInstalled=0"}
NOT_FOUND = "CommandNotFoundException"
INVALID = "ParameterArgumentValidationError,"


@pytest.fixture(scope="module", params=["python", pytest.param("pwsh", marks=pytest.mark.pwsh)])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The twin on the lab's own engine, and the exported module in a real PowerShell: the same promises."""
    engine: str = request.param
    module = None
    if engine == "pwsh":
        request.getfixturevalue("pwsh_path")
        folder = tmp_path_factory.mktemp("export") / "out"
        export_endpoint(folder)
        module = folder / "CauctlNode" / "CauctlNode.psd1"
    with Lab("JEA-FC1", nodes=2, seed=5, lock=jea_lock(module), engine=engine, published=False) as started:
        yield started


@pytest.fixture(scope="module")
def connections(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> list[NodeConnection]:
    ca_file = tmp_path_factory.mktemp("jea") / "ca.pem"
    ca_file.write_bytes(lab.authority.pem)
    record = lab.record
    return [
        NodeConnection(
            node.name,
            address=node.address,
            port=node.port,
            credential=PSCredential(record.user_name, record.password),
            authentication="basic",
            ca_file=ca_file,
            certificate_name=node.name,
            jea=True,
        )
        for node in record.nodes
    ]


@pytest.fixture(scope="module")
def connection(connections: list[NodeConnection]) -> NodeConnection:
    return connections[0]


@pytest.fixture(scope="module")
def session(connection: NodeConnection) -> Iterator[NodeSession]:
    with NodeSession(connection) as opened:
        yield opened


def refusal(session: NodeSession, asked: Pipeline) -> str:
    """The error id that the node refuses this with."""
    with pytest.raises(RemoteError) as caught:
        session.run(asked, within=SOON)
    return caught.value.fully_qualified_error_id


def test_the_twin_has_the_functions_and_parameters_that_the_product_calls():
    declared = {
        each.name: {parameter.name for parameter in each.metadata.parameters if not parameter.common}
        for each in jea_functions()
        if isinstance(each.metadata, CommandMetadata)
    }
    assert {known.name: set(known.parameters) for known in FUNCTIONS.values()} == declared


@pytest.mark.parametrize(
    "hidden", ["Get-ClusterNode", "Remove-ClusterGroup", "Get-Content", "Register-ScheduledTask", "shutdown.exe"]
)
def test_no_command_of_windows_is_there(session, hidden):
    """The functions themselves run these; whoever connects does not find them."""
    assert NOT_FOUND == refusal(session, command(hidden))


def test_nothing_can_follow_a_function(session):
    """Nor is there anything to take its output apart with, or to run a script block on it."""
    assert NOT_FOUND == refusal(session, command("Get-CauctlClusterNode") | command("ForEach-Object", MemberName="x"))


def test_script_text_is_refused_in_powershells_words(session):
    with pytest.raises(RemoteError, match="The syntax is not supported by this runspace") as caught:
        session.run(script("Get-CauctlLock"), within=SOON)
    assert "ScriptsNotAllowed" == caught.value.fully_qualified_error_id


def test_another_configuration_admits_nobody(connection):
    open_one = connection.evolve(jea=False, configuration_name="Microsoft.PowerShell")
    with NodeSession(open_one) as refused, pytest.raises(AuthenticationError, match="Access is denied"):
        refused.open(SOON)


@pytest.mark.parametrize(
    "asked",
    [
        command("Start-CauctlWork", **{**SCAN, "RunId": "..\\..\\x"}),
        command("Start-CauctlWork", **{**SCAN, "RequestId": "a.b"}),
        command("Start-CauctlWork", **{**SCAN, "RunId": "nul"}),
        command("Start-CauctlWork", **{**SCAN, "RunId": "run-1\n"}),
        command("Start-CauctlWork", **{**SCAN, "Operation": "Uninstall"}),
        command("Start-CauctlWork", **{**SCAN, "Query": "x\ny"}),
        command("Start-CauctlWork", **SCAN, Updates=["{all}/1"]),
        command("Restart-CauctlNode", Reason='now" /m \\\\N2 "'),
        command("Restart-CauctlNode", Reason="x" * 401),
        command("Resume-CauctlClusterNode", Name="NODE1", Failback="Later"),
    ],
    ids=lambda asked: f"{asked!s:.60}",
)
def test_values_beyond_what_a_parameter_allows_are_refused(session, asked):
    assert refusal(session, asked).startswith(INVALID)


def test_a_node_of_another_cluster_is_not_found(session):
    """Nor is a pattern that would mean several."""
    for name in ("ELSEWHERE", "NODE*"):
        assert "CauctlNoSuchNode" == refusal(session, command("Suspend-CauctlClusterNode", Name=name))
        assert "CauctlNoSuchNode" == refusal(session, command("Move-CauctlClusterGroup", Name="FS01", Node=name))


def test_the_lock_has_our_properties_only(session):
    assert "CauctlLockField" == refusal(session, command("Set-CauctlLock", Property={"FailoverThreshold": "1"}))
    assert "CauctlLockName" == refusal(session, command("Remove-CauctlLock", Name="FS01"))


def test_an_error_within_a_function_is_told_as_the_command_told_it(session):
    """So the product judges both kinds of endpoint by the same error ids."""
    expected = "GroupNotFound,Microsoft.FailoverClusters.PowerShell.GetGroupCommand"
    assert expected == refusal(session, command("Get-CauctlLock"))


def test_leftovers_are_found_by_name_and_removed(lab: Lab, session):
    """Only what is named as our work is; a folder of somebody else's name stays."""
    files = lab.world.machine("NODE1").files
    session.run(command("Start-CauctlWork", **SCAN), within=SOON)
    with lab.world.lock:
        files.make_folder("C:\\Windows\\cauctl\\runs\\somebody else's")
    assert ["run-1.r1"] == [to_python(name) for name in session.run(command("Find-CauctlWork"), within=SOON).output]
    session.run(command("Clear-CauctlWork", RunId="RUN-1"), within=SOON)
    assert [] == session.run(command("Find-CauctlWork"), within=SOON).output
    assert [] == lab.world.machine("NODE1").tasks.all()
    assert files.find("C:\\Windows\\cauctl\\runs\\somebody else's") is not None


@pytest.fixture(scope="module")
def fleet(lab: Lab, connections: list[NodeConnection]) -> Iterator[Fleet]:
    found = Fleet(lab.name, connections)
    yield found
    found.close()


def test_what_the_ports_tell_through_functions_is_what_the_world_tells(lab: Lab, fleet: Fleet):
    """All of it, property by property; only the moment of the look is another."""
    truth, cluster, node = Ports(lab.world), PsrpCluster(fleet, truth_clock(lab)), JeaNode(fleet)
    found, real = cluster.observe(), truth.cluster.observe()
    assert evolve(real, observed=found.observed) == found
    assert truth.cluster.storage() == cluster.storage()
    assert () == cluster.foreign_coordinators()
    assert truth.cluster.will_offline_lose_quorum("NODE1") == cluster.will_offline_lose_quorum("node1")
    before, told, after = truth.node.probe("NODE1"), node.probe("NODE1"), truth.node.probe("NODE1")
    assert before.uptime <= told.uptime <= after.uptime
    assert evolve(before, uptime=told.uptime) == told


def test_the_lock_is_taken_written_and_given_back(lab: Lab, fleet: Fleet):
    """The creation of the group is the test-and-set here too."""
    cluster = PsrpCluster(fleet, truth_clock(lab))
    record = LockRecord("run-1", owner="ada", fence=1, acquired=NOW, lease_until=NOW, checkpoint="{}")
    later = evolve(record, lease_until=NOW + SOON)
    assert None is cluster.read_lock()
    assert None is cluster.acquire_lock(record)
    assert record == cluster.acquire_lock(evolve(record, run_id="run-2"))
    assert later == cluster.write_lock(later)
    cluster.release_lock("run-2")
    assert later == cluster.read_lock()
    cluster.release_lock("run-1")
    assert None is cluster.read_lock()
    with pytest.raises(StateError, match="the lock is gone"):
        cluster.write_lock(record)


def test_a_drain_and_a_resume_go_through(lab: Lab, fleet: Fleet):
    cluster = PsrpCluster(fleet, truth_clock(lab))
    cluster.observe()
    cluster.suspend("node2")
    assert "NODE2" in {pause.node for pause in lab.report().pauses}
    cluster.resume("NODE2", failback=FailbackType.IMMEDIATE)
    assert {} == lab.report().paused_now


def test_work_goes_from_beginning_to_collection(fleet: Fleet):
    """A second beginning does nothing, a poll takes only what is new, and nothing is left."""
    agent = JeaUpdateAgent(fleet)
    request = AgentRequest("r9", run_id="run-9", operation=AgentOperation.SCAN, query="IsInstalled=0")
    assert AgentState.LOST is agent.poll("NODE1", request, 0).state
    agent.cancel("NODE1", request)
    agent.begin("NODE1", request)
    agent.begin("NODE1", request)
    seen: list[AgentEvent] = []
    while (progress := agent.poll("NODE1", request, len(seen))).state is AgentState.RUNNING:
        seen += progress.events
    seen += progress.events
    assert AgentState.FINISHED is progress.state
    assert list(range(1, len(seen) + 1)) == [event.sequence for event in seen]
    assert (AgentEventKind.STARTED, AgentEventKind.DONE) == (seen[0].kind, seen[-1].kind)
    assert ("run-9",) == agent.leftovers("NODE1")
    agent.collect("NODE1", request)
    agent.collect("NODE1", request)
    assert () == agent.leftovers("NODE1")


def test_work_that_goes_on_is_not_collected(fleet: Fleet):
    agent = JeaUpdateAgent(fleet)
    request = AgentRequest("r8", run_id="run-8", operation=AgentOperation.SCAN, query="IsInstalled=0")
    agent.begin("NODE1", request)
    with pytest.raises(NodeError, match="still at work"):
        agent.collect("NODE1", request)
    agent.remove_leftovers("NODE1", "run-8")
    assert () == agent.leftovers("NODE1")


def test_a_restart_is_asked_for_in_our_words(lab: Lab, fleet: Fleet):
    """What the node would refuse is taken out of a reason before. The last test of the lab: its node goes down."""
    JeaNode(fleet).restart("NODE1", reason='update "KB5991010" of C:\\')
    end = time.monotonic() + 10
    while not lab.report().restarts:
        assert time.monotonic() < end


def truth_clock(lab: Lab) -> Clock:
    """The lab's own time."""
    record = lab.record
    return ScaledClock(record.epoch, record.started, record.scale)
