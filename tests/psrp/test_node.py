"""The node port: what a node says of itself, and that a restart is asked for exactly when it should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_nodes import ScriptedNode, cluster_enum, complaint, fleet_of, refused, thing

from cauctl.errors import (
    FateUnknownError,
    NodeError,
    NodeUnreachableError,
    OperationTimeoutError,
    RemoteError,
    SessionBusyError,
    SessionLostError,
)
from cauctl.models.nodes import NodeProbe
from cauctl.ports import Node
from cauctl.psobject import DateTime
from cauctl.psrp.node import SIGNALS, PsrpNode, restart_command

BOOT = "Get-CimInstance -ClassName Win32_OperatingSystem -Property CSName,LastBootUpTime"
BUILD = "Get-ItemProperty -LiteralPath 'HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'"
BUSY = "Get-ItemProperty -LiteralPath 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"
KEYS = "Test-Path -LiteralPath 'HKLM:\\SOFTWARE"
TRIGGERS = "Test-Path -LiteralPath HKLM:\\SYSTEM"
SERVICES = "Get-CimInstance -ClassName Win32_Service"
NIGHT = datetime(2026, 1, 5, 3, 12, 44, 500000, tzinfo=timezone(timedelta(hours=1)))
UP = timedelta(days=3)
IDLE = NodeProbe("N1", boot_time=datetime(2026, 1, 5, 2, 12, 44, 500000, tzinfo=UTC), uptime=UP, build="20348.2700")
RESTART = "shutdown.exe /r /t 2 /d p:2:17 /c 'cauctl: updates'"


@pytest.fixture
def first() -> ScriptedNode:
    """A node that is idle."""
    return (
        ScriptedNode("N1")
        .on(
            BOOT,
            [
                thing(
                    CSName="N1",
                    LastBootUpTime=DateTime.from_python(NIGHT),
                    LocalDateTime=DateTime.from_python(NIGHT + UP),
                )
            ],
        )
        .on(BUILD, [thing(CurrentBuild="20348", UBR=2700)])
        .on(KEYS, [*([False] * len(SIGNALS)), True])
        .on(BUSY, [thing(ServicingInProgress=None)])
        .on("Get-Process", [])
        .on("Get-Service", [thing(Name="ClusSvc", Status=cluster_enum("X", "Running", 4))])
        .on(SERVICES, [])
        .on("shutdown.exe", [])
    )


@pytest.fixture
def node(first: ScriptedNode) -> PsrpNode:
    return PsrpNode(fleet_of([first]))


def shutdowns(first: ScriptedNode) -> list[str]:
    return [text for text in first.asked if text.startswith("shutdown")]


def test_it_is_the_port(node):
    port: Node = node
    assert port is node


def test_probe_of_an_idle_node(node):
    """The boot time is UTC, the build ends with its revision."""
    assert IDLE == node.probe("N1")


@pytest.mark.parametrize("number", range(len(SIGNALS)))
def test_each_sign_of_a_pending_restart_is_told_by_name(node, first, number):
    first.on(KEYS, [*(position == number for position in range(len(SIGNALS))), True])
    assert (list(SIGNALS)[number],) == node.probe("N1").reboot_pending


def test_the_configuration_at_boot_is_not_done_yet(node, first):
    first.on(KEYS, [False] * (len(SIGNALS) + 1))
    assert not node.probe("N1").boot_finished


@pytest.mark.parametrize(
    ("value", "processes", "busy"),
    [(None, [], False), (0, [], False), (1, [], False), (2, [], True), (1, [thing(Name="TiWorker")], True)],
)
def test_servicing(node, first, value, processes, busy):
    """Pending (1) is not working (2); a worker process is."""
    first.on(BUSY, [thing(ServicingInProgress=value)]).on("Get-Process", processes)
    assert busy is node.probe("N1").servicing_in_progress


def test_a_servicing_key_that_is_not_there_means_idle_and_one_that_cannot_be_read_does_not(node, first):
    first.on(BUSY, refused("no such key", category="ObjectNotFound"))
    assert not node.probe("N1").servicing_in_progress
    first.on(BUSY, refused("access denied", category="PermissionDenied"))
    with pytest.raises(RemoteError, match="access denied"):
        node.probe("N1")


@pytest.mark.parametrize(("status", "runs"), [("Running", True), (4, True), ("StartPending", False), (1, False)])
def test_the_cluster_service(node, first, status, runs):
    first.on("Get-Service", [thing(Name="ClusSvc", Status=status)])
    assert runs is node.probe("N1").cluster_service_running


def test_stopped_services_are_those_that_nothing_else_would_start(node, first):
    """Delayed ones come later by themselves, triggered ones wait for their trigger."""
    stopped = [
        thing(Name="Spooler", DelayedAutoStart=False),
        thing(Name="sppsvc", DelayedAutoStart=True),
        thing(Name="gpsvc", DelayedAutoStart=None),
    ]
    first.on(SERVICES, stopped).on(TRIGGERS, [False, True])
    assert ("Spooler",) == node.probe("N1").stopped_services
    assert first.asked[-1].endswith(
        "Services\\Spooler\\TriggerInfo,HKLM:\\SYSTEM\\CurrentControlSet\\Services\\gpsvc\\TriggerInfo"
    )


def test_too_few_answers_are_an_error(node, first):
    first.on(KEYS, [True])
    with pytest.raises(NodeError, match="Test-Path gave 1 answers"):
        node.probe("N1")


def test_no_answer_is_an_error(node, first):
    first.on(BUILD, [])
    with pytest.raises(NodeError, match="N1: Get-ItemProperty gave no answer"):
        node.probe("N1")


def test_a_node_that_is_down_is_unreachable(node, first):
    first.up = False
    with pytest.raises(NodeUnreachableError):
        node.probe("N1")


def test_restart_is_a_program_with_arguments(node, first):
    node.restart("N1", reason="updates")
    assert [RESTART] == shutdowns(first)
    assert ("/r", "/t", "2", "/d", "p:2:17", "/c", "cauctl: updates") == first.sent[-1].commands[0].arguments


@pytest.mark.parametrize(
    "error",
    [
        FateUnknownError("the connection broke.", node="N1"),
        SessionLostError("gone.", node="N1"),
        OperationTimeoutError("late.", node="N1", after=timedelta(minutes=2)),
    ],
)
def test_a_connection_lost_after_the_request_counts_as_asked(node, first, error):
    first.on("shutdown.exe", error)
    node.restart("N1", reason="updates")
    assert [RESTART] == shutdowns(first)


@pytest.mark.parametrize(
    "error", [NodeUnreachableError("nobody answers.", node="N1"), SessionBusyError("in use.", node="N1")]
)
def test_a_restart_that_could_not_be_sent_is_told(node, first, error):
    first.on("shutdown.exe", error)
    with pytest.raises(type(error)):
        node.restart("N1", reason="updates")


def test_a_session_that_the_node_forgot_shows_before_the_request(node, first):
    """The question before it goes through a new session, so the request is sent once and arrives."""
    answer: list[Any] = [
        thing(CSName="N1", LastBootUpTime=DateTime.from_python(NIGHT), LocalDateTime=DateTime.from_python(NIGHT + UP))
    ]
    first.on(BOOT, SessionLostError("gone.", node="N1"), answer)
    node.restart("N1", reason="updates")
    assert [RESTART] == shutdowns(first)


def test_a_restart_that_somebody_scheduled_is_replaced(node, first):
    """It may be hours away."""
    first.on("shutdown.exe /r", complaint("Ein Herunterfahren wurde bereits geplant.(1190)"), [])
    node.restart("N1", reason="updates")
    assert [RESTART, "shutdown.exe /a", RESTART] == shutdowns(first)


def test_a_shutdown_under_way_is_fine(node, first):
    first.on("shutdown.exe", complaint("A system shutdown is in progress.(1115)"))
    node.restart("N1", reason="updates")
    assert [RESTART] == shutdowns(first)


def test_a_refused_restart_is_told(node, first):
    first.on("shutdown.exe", complaint("Access is denied.(5)"))
    with pytest.raises(NodeError, match="N1: the restart was refused with code 5"):
        node.restart("N1", reason="updates")
    first.on("shutdown.exe", complaint("something without a code"))
    with pytest.raises(NodeError, match="something without a code"):
        node.restart("N1", reason="updates")


@given(st.text())
def test_any_reason_is_one_argument_that_windows_powershell_passes_on_whole(reason):
    """No quote, no closing backslash, no line break: nothing in it can end the argument or begin another."""
    *fixed, told = restart_command(reason).arguments
    assert ["/r", "/t", "2", "/d", "p:2:17", "/c"] == fixed
    assert told.startswith("cauctl: ")
    assert not set('"\r\n\t\0') & set(told)
    assert not told.endswith(("\\", " "))
    assert len(told) <= 512


RULES = "Get-NetFirewallRule -Group '@firewallapi.dll,-36751'"
ENABLE = "Enable-NetFirewallRule -Group '@firewallapi.dll,-36751'"
ON, OFF = ([thing(Name="Shutdown-In", Enabled=each)] for each in ("True", "False"))


def test_firewall_rules_that_are_on_are_left(node, first):
    first.on(RULES, ON)
    assert False is node.allow_remote_restart("N1")
    assert [] == [text for text in first.asked if text.startswith("Enable")]


def test_firewall_rules_that_are_off_are_switched_on_and_looked_at_again(node, first):
    first.on(RULES, OFF, ON).on(ENABLE, [])
    assert True is node.allow_remote_restart("N1")
    assert [ENABLE] == [text for text in first.asked if text.startswith("Enable")]


def test_firewall_rules_that_stay_off_are_named(node, first):
    """Group Policy may forbid them."""
    first.on(RULES, OFF).on(ENABLE, [])
    with pytest.raises(NodeError, match="still off: Shutdown-In"):
        node.allow_remote_restart("N1")
