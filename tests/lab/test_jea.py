"""A lab's endpoint without language: only named functions, and what they may do themselves is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from cauctl.errors import AuthenticationError, RemoteError
from cauctl.lab.binder.metadata import CommandMetadata
from cauctl.lab.jea import jea_functions, jea_lock
from cauctl.lab.server import Lab
from cauctl.models.credential import PSCredential
from cauctl.psobject import to_python
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.jea.functions import FUNCTIONS
from cauctl.psrp.pipeline import Pipeline, command, script
from cauctl.psrp.session import NodeSession

SOON = timedelta(seconds=20)
IDS = {"RunId": "run-1", "RequestId": "r1"}
SCAN = {**IDS, "Operation": "Scan", "Query": "IsInstalled=0"}
NOT_FOUND = "CommandNotFoundException"
INVALID = "ParameterArgumentValidationError,"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("JEA-FC1", nodes=2, seed=5, lock=jea_lock(), published=False) as started:
        yield started


@pytest.fixture(scope="module")
def connection(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> NodeConnection:
    ca_file = tmp_path_factory.mktemp("jea") / "ca.pem"
    ca_file.write_bytes(lab.authority.pem)
    record = lab.record
    node = record.nodes[0]
    return NodeConnection(
        node.name,
        address=node.address,
        port=node.port,
        credential=PSCredential(record.user_name, record.password),
        authentication="basic",
        ca_file=ca_file,
        certificate_name=node.name,
        jea=True,
    )


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
