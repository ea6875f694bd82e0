"""An endpoint without language: one list of functions, and the ports call nothing else there."""

from __future__ import annotations

import pytest
from everything_sent import every_call
from scripted_nodes import WHO, ScriptedNode, fleet_of, refused

from cauctl.errors import ClusterError, InputError
from cauctl.psrp.commands import COMMANDS
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.jea.functions import FUNCTIONS, call, check_call
from cauctl.psrp.pipeline import command, script

CALLED = every_call()


@pytest.mark.parametrize(
    "unlisted",
    [
        command("Get-ClusterNode"),
        command("Get-CauctlWork", Path="C:\\"),
        command("Resume-CauctlClusterNode", Name="N1", Failback="Later"),
        command("Remove-CauctlLock", "another"),
        script("Get-CauctlLock"),
    ],
    ids=str,
)
def test_what_is_not_on_the_list_is_refused(unlisted):
    """A command of Windows, a parameter, a constant, a positional argument, a script."""
    with pytest.raises(InputError):
        check_call(unlisted)


def test_every_function_on_the_list_is_called_and_nothing_else():
    """Each call is one function alone: the endpoint shows nothing that could follow it in a pipeline."""
    assert [(name,) for name in sorted(FUNCTIONS)] == sorted(
        {tuple(each.name for each in pipeline.commands) for pipeline in CALLED}
    )


def test_every_parameter_on_the_list_is_given():
    given = {(each.name, name) for pipeline in CALLED for each in pipeline.commands for name in each.parameters}
    assert {(known.name, name) for known in FUNCTIONS.values() for name in known.parameters} == given


def test_a_function_is_no_command_of_windows():
    assert set() == set(FUNCTIONS) & set(COMMANDS)


def test_the_endpoint_is_chosen_by_the_connection():
    """With jea the node is greeted by functions, and the session configuration is ours unless another is named."""
    node = ScriptedNode("N1").on("Get-CauctlClusterQuorum", [])
    fleet_of([node], jea=True).look(call("Get-CauctlClusterQuorum"))
    assert ["Get-CauctlIdentity", "Get-CauctlCluster", "Get-CauctlClusterQuorum"] == node.asked
    assert "cauctl" == NodeConnection("N1", jea=True).configuration_name
    assert "Other" == NodeConnection("N1", jea=True, configuration_name="Other").configuration_name
    assert "Microsoft.PowerShell" == NodeConnection("N1").configuration_name


@pytest.mark.parametrize(
    ("jea", "question", "advice"),
    [(False, WHO, "say jea = true"), (True, "Get-CauctlIdentity", "Install the module there, or leave jea out")],
)
def test_an_endpoint_of_the_other_kind_is_told_from_a_broken_node(jea, question, advice):
    """The first question shows which kind it is, and the error says what to change."""
    node = ScriptedNode("N1").on(question, refused("is not recognized", error_id="CommandNotFoundException"))
    with pytest.raises(ClusterError) as caught:
        fleet_of([node], jea=jea).look(call("Get-CauctlClusterQuorum"))
    assert advice in caught.value.advice


def test_nodes_of_one_cluster_are_reached_in_one_way():
    with pytest.raises(InputError, match="all of them or for none"):
        Fleet("LAB-FC1", [NodeConnection("N1", jea=True), NodeConnection("N2")])
