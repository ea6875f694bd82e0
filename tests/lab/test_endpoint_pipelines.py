"""Pipelines: what runs, what comes back in which stream, and how it ends."""

from __future__ import annotations

import threading
import time

import pytest
from pypsrp.powershell import PowerShell

from cauctl.lab.dispatch import BoundCall, CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.wsman.loop import EndpointLoop
from tests.lab.remote import (
    COMPLETED,
    CREDENTIALS,
    FAILED,
    STOPPED,
    Result,
    node_table,
    pipeline,
    pool_on,
    result_of,
    run,
    serving,
    sleep_seconds,
)


@pytest.fixture(scope="module")
def node():
    with serving() as serving_node:
        yield serving_node


@pytest.fixture
def pool(node):
    with pool_on(node) as open_pool:
        yield open_pool


def test_objects_flow_from_command_to_command(pool):
    """Each output object is bound by the next command's rules: by value, by property name."""
    assert Result(output=["suspended a", "suspended b"], state=COMPLETED) == run(
        pool, ("Get-ClusterNode", {"Name": ["a", "b"]}), ("Suspend-ClusterNode", {"Drain": True})
    )


def test_names_have_no_case_and_may_be_prefixes(pool):
    assert ["suspended x"] == run(pool, ("suspend-clusternode", {"na": "x", "DRAI": None})).output


def test_every_stream_arrives(pool):
    expected = Result(
        output=["after the error"],
        errors=["PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand"],
        warnings=["careful"],
        verbose=["looking"],
        information=["by the way"],
        progress=["Searching"],
        state=COMPLETED,
    )
    assert expected == run(pool, ("Get-Item", {"Path": "C:\\x", "Verbose": True}))


def test_verbose_is_silent_unless_asked_for(pool):
    assert [] == run(pool, ("Get-Item", {"Path": "C:\\x"})).verbose


def test_error_action_and_warning_action(pool):
    """Stop turns the error into the end of the pipeline, SilentlyContinue hides it."""
    stopped = run(pool, ("Get-Item", {"Path": "x", "ErrorAction": "Stop"}))
    assert ([], ["PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand"], FAILED) == (
        stopped.output,
        stopped.errors,
        stopped.state,
    )
    hidden = run(pool, ("Get-Item", {"Path": "x", "ErrorAction": "SilentlyContinue", "WarningAction": "Ignore"}))
    assert (["after the error"], [], [], COMPLETED) == (hidden.output, hidden.errors, hidden.warnings, hidden.state)


def test_a_terminating_error_fails_the_pipeline_after_its_output(pool):
    assert Result(
        output=["first"], errors=["Broke,Microsoft.PowerShell.Commands.GetContentCommand"], state=FAILED
    ) == run(pool, ("Get-Content", {"Path": "x"}))


def test_an_error_record_carries_what_windows_sends(pool):
    shell = pipeline(pool, ("Get-Content", {"Path": "x"}))
    shell.invoke()
    record = shell.streams.error[0]
    shell.close()
    exception = record.exception
    assert "ReadError: (:) [Get-Content], RuntimeException" == record.message
    assert ("It broke.", -2147024891) == (
        exception.adapted_properties["Message"],
        exception.adapted_properties["HResult"],
    )
    assert "System.Management.Automation.RuntimeException" == exception.types[0]


def test_an_unknown_command_is_command_not_found(pool):
    found = run(pool, "Get-Nonsense")
    assert (["CommandNotFoundException"], FAILED) == (found.errors, found.state)


def test_script_text_is_refused_unless_the_node_accepts_it_as_it_stands(pool):
    for text, expected in {"1 + 1": ["ScriptsNotAllowed"], "exit 3": [], "exit 3 ": ["ScriptsNotAllowed"]}.items():
        shell = PowerShell(pool)
        shell.add_script(text)
        shell.invoke()
        assert expected == result_of(shell).errors, text
        shell.close()


def test_a_program_gets_its_arguments_as_they_are(pool):
    for name in ("shutdown.exe", "shutdown", "C:\\Windows\\System32\\SHUTDOWN.EXE"):
        assert ["/r /t 2"] == run(pool, (name, {}, ["/r", "/t", 2])).output


def test_a_refused_command_runs_nothing_before_it():
    """All commands of a statement are bound before the first runs."""
    calls: list[BoundCall] = []
    with serving(commands=node_table(calls)) as node, pool_on(node) as pool:
        found = run(pool, "Get-ClusterNode", ("Suspend-ClusterNode", {"Bogus": 1}))
    assert [] == calls
    assert (["NamedParameterNotFound,Microsoft.FailoverClusters.PowerShell.SuspendClusterNodeCommand"], FAILED) == (
        found.errors,
        found.state,
    )


def test_input_of_the_client_is_piped(pool):
    """A piped object that does not bind is an error of its own; the others go on."""
    found = run(pool, ("Get-ClusterNode", {"Name": "n"}), ("Suspend-ClusterNode", {}), piped=None)
    assert ["suspended n"] == found.output
    refused = run(pool, ("Unregister-ScheduledTask", {"Confirm": False}), piped=["text", 5])
    assert (["InputObjectNotBound,Unregister-ScheduledTask"] * 2, COMPLETED) == (refused.errors, refused.state)


def test_a_high_impact_command_asks_and_nobody_can_answer():
    calls: list[BoundCall] = []
    with serving(commands=node_table(calls)) as node, pool_on(node) as pool:
        asked = run(pool, ("Unregister-ScheduledTask", {"TaskName": "x"}))
        what_if = run(pool, ("Unregister-ScheduledTask", {"TaskName": "x", "WhatIf": True}))
        assert ([], []) == (what_if.errors, calls)
        confirmed = run(pool, ("Unregister-ScheduledTask", {"TaskName": "x", "Confirm": False}))
    assert (["HostException"], FAILED) == (asked.errors, asked.state)
    assert ([], 1) == (confirmed.errors, len(calls))


def test_statements_run_one_after_the_other(pool):
    """A statement that fails is an error; the next one still runs, and the last one decides."""
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-Nonsense").add_statement().add_cmdlet("Get-ClusterNode").add_parameter("Name", "x")
    shell.invoke()
    found = result_of(shell)
    shell.close()
    assert ([{"Name": "x", "State": "Up"}], ["CommandNotFoundException"], COMPLETED) == (
        found.output,
        found.errors,
        found.state,
    )


def test_errors_merge_into_the_output(pool):
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-Item").add_parameter("Path", "x")
    shell.merge_error("output")
    shell.invoke()
    found = result_of(shell)
    shell.close()
    assert ([], 2, "after the error") == (found.errors, len(found.output), found.output[1])


def test_a_bug_in_a_handler_is_the_nodes_error(pool):
    found = run(pool, "Get-Service")
    assert (["HandlerFailed"], FAILED) == (found.errors, found.state)


def test_stop_ends_a_sleeping_pipeline_at_once(pool):
    shell = pipeline(pool, sleep_seconds(60))
    shell.begin_invoke()
    began = time.monotonic()
    shell.stop()
    assert (STOPPED, True) == (shell.state, time.monotonic() - began < 5)
    shell.close()


def test_stop_ends_a_pipeline_that_waits_for_its_client(node):
    """The writer of a large output blocks while nobody reads; a stop frees it."""
    with pool_on(node) as pool:
        shell = pipeline(pool, ("Get-ChildItem", {"Filter": "200000"}))
        shell.begin_invoke()
        shell.stop()
        assert STOPPED == shell.state
        shell.close()


def test_large_output_arrives_complete_and_in_order(pool):
    found = run(pool, ("Get-ChildItem", {"Filter": "3000"}))
    assert [f"item {number} {'x' * 100}" for number in range(3000)] == found.output


def test_a_large_value_takes_several_fragments(pool):
    text = "x" * 200_000
    assert [text] == run(pool, ("Write-Output", {"InputObject": text})).output


def test_pipelines_beyond_the_runspaces_wait(pool):
    """The pool has one runspace: the second pipeline runs when the first has ended."""
    first = pipeline(pool, sleep_seconds(0.3))
    first.begin_invoke()
    assert ["x"] == run(pool, ("Write-Output", {"InputObject": "x"})).output
    first.end_invoke()
    assert COMPLETED == first.state
    first.close()


def test_session_state_lives_as_long_as_the_pool(node):
    with pool_on(node) as pool:
        assert [1, 2] == [run(pool, "Get-Process").output[0]["count"] for _ in range(2)]
    with pool_on(node) as pool:
        assert {"node": "NODE1", "user": "CONTOSO\\admin", "count": 1} == run(pool, "Get-Process").output[0]


def test_a_restricted_node_shows_only_its_commands():
    shown: CommandTable = node_table().only(["Get-ClusterNode", "Get-Command"])
    with serving(commands=shown) as node, pool_on(node) as pool:
        assert ["CommandNotFoundException"] == run(pool, "Get-Process").errors
        assert ["Get-ClusterNode", "Get-Command"] == [entry["Name"] for entry in run(pool, "Get-Command").output]


def test_two_pools_of_one_node_run_side_by_side(node):
    """One pool's slow pipeline does not hold up another's."""
    with pool_on(node) as slow, pool_on(node) as quick:
        shell = pipeline(slow, sleep_seconds(60))
        shell.begin_invoke()
        assert ["x"] == run(quick, ("Write-Output", {"InputObject": "x"})).output
        shell.stop()
        shell.close()


def test_sixty_four_nodes_share_one_thread_until_they_work():
    """Idle nodes cost no threads."""
    before = threading.active_count()
    with EndpointLoop() as loop:
        table = node_table()
        for number in range(64):
            NodeEndpoint(f"NODE{number}", loop=loop, commands=table, credentials=CREDENTIALS).start()
        assert before + 1 == threading.active_count()
    assert before == threading.active_count()
