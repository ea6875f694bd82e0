"""The node agent's real script in a real PowerShell, run by a scheduled task of a lab's node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, AgentRequest, AgentState
from cauctl.psrp.agent import PsrpUpdateAgent
from tests.engine_lab import Bench, bench

pytestmark = pytest.mark.pwsh

QUERY = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def fast(pwsh_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Two nodes with real PowerShell, a hundred times as fast as real time."""
    with bench(tmp_path_factory.mktemp("agent"), "pwsh", pwsh=pwsh_path, time_scale=100) as found:
        yield found


def until(true: Callable[[], bool]) -> None:
    """Ask again and again, for at most a minute."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def worked(bench: Bench, request: AgentRequest) -> tuple[AgentState, list[AgentEvent]]:
    """Have a request worked off on NODE1; its last state and all events."""
    agent = PsrpUpdateAgent(bench.fleet)
    agent.begin("NODE1", request)
    events: list[AgentEvent] = []
    states: list[AgentState] = []

    def ended() -> bool:
        progress = agent.poll("NODE1", request, events[-1].sequence if events else 0)
        events.extend(progress.events)
        states.append(progress.state)
        return progress.state is not AgentState.RUNNING

    until(ended)
    agent.collect("NODE1", request)
    return states[-1], events


def test_the_script_finds_and_installs_what_the_world_offers(fast):
    """What is found is the world's catalogue, what is installed is installed there, and moments are the lab's."""
    machine = fast.lab.world.machine("NODE1")
    began = fast.lab.world.now
    state, events = worked(fast, AgentRequest("scan", run_id="r", operation=AgentOperation.SCAN, query=QUERY))
    found = [event.update for event in events if event.update is not None]
    assert AgentState.FINISHED is state
    assert [machine.updates.found(update) for update in machine.updates.search(QUERY)] == found
    assert all(began <= event.at <= fast.lab.world.now + timedelta(minutes=1) for event in events)
    keys = tuple(update.key for update in found if update.reboot_behavior == 0 and update.eula_accepted)[:1]
    assert keys
    install = AgentRequest("install", run_id="r", operation=AgentOperation.INSTALL, query=QUERY, updates=keys)
    state, events = worked(fast, install)
    assert (AgentState.FINISHED, AgentEventKind.DONE) == (state, events[-1].kind)
    assert {key.update_id for key in keys} <= machine.updates.history.keys()


def test_an_invalid_query_is_the_search_error_of_windows_update(fast):
    """The HRESULT that the world raises passes through COM's kind of exception into the last event."""
    _, events = worked(fast, AgentRequest("bad", run_id="r", operation=AgentOperation.SCAN, query="Nonsense=1"))
    assert (AgentEventKind.FAILED, 0x80240032) == (events[-1].kind, events[-1].hresult)


def test_the_process_ends_with_its_task(fast):
    """Stopping a task ends the script's process, what it was installing is not installed, and its request is lost."""
    machine = fast.lab.world.machine("NODE2")
    agent = PsrpUpdateAgent(fast.fleet)
    request = AgentRequest("stopped", run_id="r", operation=AgentOperation.SCAN, query=QUERY)
    agent.begin("NODE2", request)
    (task,) = [each for each in machine.tasks.all() if "stopped" in each.name]
    until(lambda: task.state == "Running")
    process = task.program
    with fast.lab.world.lock:
        machine.tasks.stop(task)
    process.join()
    assert process.process_id not in fast.lab.processes
    assert AgentState.LOST is agent.poll("NODE2", request, 0).state
