"""The update agent port: what is done on a node, in which order, and what a poll makes of what it finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from everything_sent import NO_TASK, REQUEST
from scripted_nodes import NOW, ScriptedNode, cluster_enum, fleet_of, refused, thing

from cauctl.errors import FateUnknownError, InputError, NodeError, NodeUnreachableError, RemoteError
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentProgress, AgentState
from cauctl.ports import UpdateAgent
from cauctl.psobject import DateTime, UInt32, clixml, custom_object
from cauctl.psrp.agent import PsrpUpdateAgent
from cauctl.psrp.agent_files import agent_file, request_document
from cauctl.psrp.agent_progress import SLOW_START
from cauctl.psrp.pipeline import Pipeline

NAME = "run-1.r1"
FOLDER = f"C:\\Windows\\cauctl\\runs\\{NAME}"
TASK = f"-TaskPath \\cauctl\\ -TaskName {NAME}"
STATE = f"Get-ScheduledTask {TASK} | Select-Object"
RESULT = f"Get-ScheduledTask {TASK} | Get-ScheduledTaskInfo"
EVENTS = f"Get-Content -LiteralPath {FOLDER}\\events.clixml -Encoding UTF8 | Select-Object -Skip"
NEVER_RAN = UInt32(0x41303)
NO_FILE = refused("no such file", error_id="PathNotFound,X", category="ObjectNotFound")
HASH = [thing(Hash=agent_file().sha256.upper())]


def state(name: str, number: int) -> list[Any]:
    return [thing(TaskName=NAME, State=cluster_enum("StateEnum", name, number))]


READY, RUNNING, QUEUED = state("Ready", 3), state("Running", 4), state("Queued", 2)


def result(code: int) -> list[Any]:
    return [thing(LastTaskResult=UInt32(code), LastRunTime=None)]


def line(sequence: int, kind: str, **more: object) -> str:
    record = custom_object({"Sequence": sequence, "Kind": kind, "At": DateTime.from_python(NOW), **more})
    return "".join(part.strip() for part in clixml.write_clixml([record]).splitlines())


STARTED, DONE = line(1, "Started"), line(2, "Done", RebootRequired=True)
STARTED_EVENT = AgentEvent(1, kind=AgentEventKind.STARTED, at=NOW)
DONE_EVENT = AgentEvent(2, kind=AgentEventKind.DONE, at=NOW, reboot_required=True)


class Stopwatch:
    """Real time as a test lets it pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Seconds since the test began."""
        return self.seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def node() -> ScriptedNode:
    """A node on which nothing of ours is."""
    scripted = ScriptedNode("N1").on("Get-ItemProperty", [thing(SystemRoot="C:\\Windows")])
    scripted.on("Get-ScheduledTask", NO_TASK).on("Test-Path", [False]).on("Get-FileHash", HASH)
    for quiet in ("New-Item", "Set-Content", "Register-", "Start-Sch", "Stop-Sch", "Unregister-", "Remove-Item"):
        scripted.on(quiet, [])
    return scripted.on("Get-Content", NO_FILE).on("Get-ChildItem", NO_FILE)


@pytest.fixture
def agent(node: ScriptedNode, watch: Stopwatch) -> PsrpUpdateAgent:
    return PsrpUpdateAgent(fleet_of([node]), monotonic_clock=watch)


def done(node: ScriptedNode) -> list[str]:
    """Names of the commands that change something, in the order sent."""
    verbs = ("New-", "Set-", "Register-", "Start-", "Stop-", "Unregister-", "Remove-")
    return [pipeline.commands[0].name for pipeline in node.sent if pipeline.commands[0].name.startswith(verbs)]


def values(node: ScriptedNode, name: str, parameter: str) -> list[Any]:
    """What a parameter of a command was given, each time it was sent."""
    return [
        command.parameters[parameter]
        for pipeline in node.sent
        for command in pipeline.commands
        if command.name == name and parameter in command.parameters
    ]


def test_it_is_the_port(agent):
    port: UpdateAgent = agent
    assert port is agent


# ---- begin


def test_begin_writes_the_request_registers_and_starts(agent, node):
    agent.begin("N1", REQUEST)
    assert ["New-Item", "Set-Content", "Register-ScheduledTask", "Start-ScheduledTask"] == done(node)
    assert [f"{FOLDER}\\request.clixml"] == values(node, "Set-Content", "LiteralPath")
    assert [request_document(REQUEST, accept_eulas=False)] == values(node, "Set-Content", "Value")
    (xml,) = values(node, "Register-ScheduledTask", "Xml")
    assert f'-Folder "{FOLDER}"' in xml
    assert agent_file().sha256 in xml


def test_begin_puts_the_agent_there_if_it_is_not_and_looks_at_its_hash_again(agent, node):
    node.on("Get-FileHash", [], HASH)
    agent.begin("N1", REQUEST)
    assert ["New-Item", "Set-Content", "New-Item", "Set-Content", "Register-ScheduledTask"] == done(node)[:5]
    assert agent_file().text == values(node, "Set-Content", "Value")[0]
    assert 2 == len(values(node, "Get-FileHash", "LiteralPath"))


def test_an_agent_file_that_something_changes_is_not_run(agent, node):
    node.on("Get-FileHash", [thing(Hash="0" * 64)])
    with pytest.raises(NodeError, match=f"has the hash {'0' * 64}") as caught:
        agent.begin("N1", REQUEST)
    assert "AgentFileChanged" == caught.value.fully_qualified_error_id
    assert "Register-ScheduledTask" not in done(node)


@pytest.mark.parametrize("found", [RUNNING, QUEUED])
def test_work_that_runs_is_left(agent, node, found):
    node.on(STATE, found)
    agent.begin("N1", REQUEST)
    assert [] == done(node)


def test_work_that_ran_is_left(agent, node):
    node.on(STATE, READY).on(RESULT, result(0))
    agent.begin("N1", REQUEST)
    assert [] == done(node)


def test_work_whose_events_are_there_is_left(agent, node):
    """Its task may have been removed by hand."""
    node.on("Test-Path", [True])
    agent.begin("N1", REQUEST)
    assert [] == done(node)


def test_a_task_that_was_registered_and_never_ran_is_started(agent, node):
    """A beginning that broke before the last step is finished by the next one."""
    node.on(STATE, READY).on(RESULT, result(0x41303))
    agent.begin("N1", REQUEST)
    assert ["Start-ScheduledTask"] == done(node)


def test_two_coordinators_may_begin_the_same_request(agent, node):
    node.on("Register-", refused("it exists", error_id="HRESULT 0x800700b7,Register-ScheduledTask"))
    node.on(STATE, NO_TASK, READY)
    agent.begin("N1", REQUEST)
    assert "Start-ScheduledTask" == done(node)[-1]


def test_a_refused_registration_is_told(agent, node):
    node.on("Register-", refused("access denied"))
    with pytest.raises(RemoteError, match="access denied"):
        agent.begin("N1", REQUEST)


@pytest.mark.parametrize("step", ["Set-Content", "Register-", "Start-Sch"])
def test_a_step_of_unknown_fate_is_not_repeated_by_itself(agent, node, step):
    node.on(step, FateUnknownError("the connection broke.", node="N1"))
    with pytest.raises(FateUnknownError):
        agent.begin("N1", REQUEST)
    assert 1 == sum(text.startswith(step) for text in node.asked)


def test_a_name_that_cannot_be_a_folder_is_refused_before_anything_is_sent(agent, node):
    with pytest.raises(InputError):
        agent.begin("N1", evolve(REQUEST, request_id="..\\x"))
    assert [] == node.asked


def test_a_system_folder_that_is_none_is_refused(agent, node):
    node.on("Get-ItemProperty", [thing(SystemRoot='C:\\Windows" -Command "x')])
    with pytest.raises(NodeError, match="its system folder is said to be"):
        agent.begin("N1", REQUEST)
    assert [] == done(node)


# ---- poll


def test_an_agent_at_work(agent, node):
    node.on(STATE, RUNNING).on(EVENTS, [STARTED])
    assert AgentProgress(AgentState.RUNNING, events=(STARTED_EVENT,)) == agent.poll("N1", REQUEST, 0)


def test_an_agent_that_is_queued_has_no_events(agent, node):
    node.on(STATE, QUEUED)
    assert AgentProgress(AgentState.RUNNING) == agent.poll("N1", REQUEST, 0)


def test_only_new_events_travel_and_the_last_one_read(agent, node):
    node.on(STATE, RUNNING).on(f"{EVENTS} 0", [STARTED, DONE]).on(f"{EVENTS} 1", [DONE])
    assert (STARTED_EVENT, DONE_EVENT) == agent.poll("N1", REQUEST, 0).events
    assert (DONE_EVENT,) == agent.poll("N1", REQUEST, 1).events
    assert AgentProgress(AgentState.FINISHED) == agent.poll("N1", REQUEST, 2)


def test_an_agent_that_ended_between_the_questions_is_not_lost(agent, node):
    node.on(STATE, READY).on(EVENTS, [STARTED], [STARTED, DONE])
    assert AgentState.FINISHED is agent.poll("N1", REQUEST, 0).state


@pytest.mark.parametrize("task", [READY, NO_TASK])
def test_an_agent_that_ended_without_a_last_word_is_lost(agent, node, task):
    node.on(STATE, task).on(EVENTS, [STARTED])
    assert AgentProgress(AgentState.LOST, events=(STARTED_EVENT,)) == agent.poll("N1", REQUEST, 0)


def test_work_of_which_nothing_is_left_is_lost(agent):
    assert AgentProgress(AgentState.LOST) == agent.poll("N1", REQUEST, 0)


@pytest.mark.parametrize("code", [0x41306, 0xC000013A, 0x40010004, 0x8007045B])
def test_an_agent_that_was_ended_before_its_first_word_is_lost(agent, node, code):
    node.on(STATE, READY).on(RESULT, result(code))
    assert AgentState.LOST is agent.poll("N1", REQUEST, 0).state


@pytest.mark.parametrize("code", [1, 0xFFFD0000, 0x80070569])
def test_an_agent_that_the_node_does_not_let_run_is_an_error_with_its_code(agent, node, code):
    """Trying again would not help."""
    node.on(STATE, READY).on(RESULT, result(code))
    with pytest.raises(NodeError, match=f"its task gave 0x{code:08X}") as caught:
        agent.poll("N1", REQUEST, 0)
    assert "execution policy" in caught.value.advice


def test_a_slow_start_is_waited_for_a_while(agent, node, watch):
    agent.begin("N1", REQUEST)
    node.on(STATE, READY).on(RESULT, result(0x41303))
    assert AgentState.RUNNING is agent.poll("N1", REQUEST, 0).state
    watch.seconds = SLOW_START.total_seconds()
    assert AgentState.LOST is agent.poll("N1", REQUEST, 0).state


def test_a_coordinator_that_took_over_is_as_patient(agent, node, watch):
    watch.seconds = timedelta(days=1).total_seconds()
    node.on(STATE, READY).on(RESULT, result(0x41303))
    assert AgentState.RUNNING is agent.poll("N1", REQUEST, 0).state


def test_a_task_that_cannot_be_asked_for_is_not_taken_for_missing(agent, node):
    node.on("Get-ScheduledTask", refused("access denied", error_id="HRESULT 0x80070005,Get-ScheduledTask"))
    with pytest.raises(RemoteError, match="access denied"):
        agent.poll("N1", REQUEST, 0)


def test_events_that_cannot_be_read_are_an_error(agent, node):
    node.on(STATE, RUNNING).on(EVENTS, refused("access denied", category="PermissionDenied"))
    with pytest.raises(RemoteError, match="access denied"):
        agent.poll("N1", REQUEST, 0)


def test_a_node_that_is_down_is_unreachable(agent, node):
    node.up = False
    with pytest.raises(NodeUnreachableError):
        agent.poll("N1", REQUEST, 0)


# ---- cancel, collect, leftovers


def test_cancel_writes_a_file(agent, node):
    agent.cancel("N1", REQUEST)
    assert [f"{FOLDER}\\cancel"] == values(node, "Set-Content", "LiteralPath")


def test_cancelling_what_is_gone_is_fine(agent, node):
    node.on("Set-Content", NO_FILE)
    agent.cancel("N1", REQUEST)


def test_collect_removes_task_and_folder(agent, node):
    agent.collect("N1", REQUEST)
    assert ["Unregister-ScheduledTask", "Remove-Item"] == done(node)
    assert [FOLDER] == values(node, "Remove-Item", "LiteralPath")


def test_collecting_what_is_gone_is_fine(agent, node):
    node.on("Unregister-", NO_TASK).on("Remove-Item", NO_FILE)
    agent.collect("N1", REQUEST)


def test_collect_refuses_while_the_agent_is_at_work(agent, node):
    node.on(STATE, RUNNING).on(EVENTS, [STARTED])
    with pytest.raises(NodeError, match="still at work"):
        agent.collect("N1", REQUEST)
    assert [] == done(node)


def test_collect_does_not_wait_for_a_program_that_has_told_its_last_word(agent, node):
    node.on(STATE, RUNNING).on(EVENTS, [STARTED, DONE])
    agent.collect("N1", REQUEST)
    assert ["Unregister-ScheduledTask", "Remove-Item"] == done(node)


def test_a_folder_that_cannot_be_removed_is_told(agent, node):
    node.on("Remove-Item", refused("in use", category="WriteError"))
    with pytest.raises(RemoteError, match="in use"):
        agent.collect("N1", REQUEST)


def test_leftovers_are_found_by_task_or_folder_and_told_by_run(agent, node):
    node.on("Get-ScheduledTask -TaskPath \\cauctl\\ | ", [thing(TaskName="run-1.a", State="Ready")])
    node.on("Get-ChildItem", [thing(Name="run-2.b"), thing(Name="run-1.c"), thing(Name="somebody's")])
    assert ("run-1", "run-2") == agent.leftovers("N1")


def test_nothing_is_left(agent):
    assert () == agent.leftovers("N1")


def test_leftovers_of_one_run_are_ended_and_removed(agent, node):
    """Another run's stay; one that runs is stopped first."""

    def show(pipeline: Pipeline) -> list[Any]:
        name = pipeline.commands[0].parameters.get("TaskName")
        if name is None:
            return [thing(TaskName=each, State="Ready") for each in ("run-1.a", "RUN-1.b", "run-2.c")]
        return state("Running", 4) if name == "RUN-1.b" else READY

    node.on("Get-ScheduledTask", show)
    agent.remove_leftovers("N1", "run-1")
    assert ["RUN-1.b"] == values(node, "Stop-ScheduledTask", "TaskName")
    assert ["RUN-1.b", "run-1.a"] == values(node, "Unregister-ScheduledTask", "TaskName")
    assert [f"C:\\Windows\\cauctl\\runs\\{name}" for name in ("RUN-1.b", "run-1.a")] == values(
        node, "Remove-Item", "LiteralPath"
    )
