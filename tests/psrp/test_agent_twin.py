"""The real agent script and the lab's twin of it, told the same by Windows Update, tell the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from agent_play import QUERY, Offer, Scenario, Step, play, timeless
from attrs import evolve

from cauctl.lab.world import World, standard_scenario
from cauctl.lab.world.agent_files import event_line
from cauctl.lab.world.agent_twin import AgentTwin
from cauctl.lab.world.machine import Machine
from cauctl.models.agent import (
    AgentEvent,
    AgentEventKind,
    AgentOperation,
    AgentRequest,
    UpdateKey,
    UpdateOutcome,
)
from cauctl.psrp.agent_files import read_events

pytestmark = pytest.mark.pwsh

GONE = UpdateKey("00000000-0000-4000-8000-00000000dead", 1)


@pytest.fixture(scope="module")
def pairs(
    pwsh_path: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[list[AgentEvent], list[AgentEvent]]]:
    """For each operation what the twin told, and what the script told when it met the same results."""
    twins, scenarios = {}, {}
    for name, (operation, accept) in OPERATIONS.items():
        machine = _machine()
        offers = [machine.updates.found(update) for update in machine.updates.search(QUERY)]
        asked = () if operation is AgentOperation.SCAN else (GONE, *(update.key for update in reversed(offers)))
        told = _twin(machine, operation, asked, accept_eulas=accept)
        twins[name] = _comparable(told)
        outcomes = {
            kind: {event.key: event.outcome for event in told if event.kind is kind and event.outcome}
            for kind in (AgentEventKind.DOWNLOADED, AgentEventKind.INSTALLED)
        }
        scenarios[name] = Scenario(
            operation,
            tuple(
                Offer(
                    update,
                    download=_step(outcomes[AgentEventKind.DOWNLOADED].get(update.key)),
                    install=_step(outcomes[AgentEventKind.INSTALLED].get(update.key)),
                )
                for update in offers
            ),
            asked=asked,
            accept_eulas=accept,
        )
    played = play(pwsh_path, scenarios, tmp_path_factory.mktemp("twin"))
    return {name: (twins[name], _comparable(played[name].events)) for name in OPERATIONS}


OPERATIONS = {
    "scan": (AgentOperation.SCAN, False),
    "stage": (AgentOperation.STAGE, False),
    "stage-licensed": (AgentOperation.STAGE, True),
    "install": (AgentOperation.INSTALL, False),
    "install-licensed": (AgentOperation.INSTALL, True),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_script_and_its_twin_tell_the_same(pairs, name):
    """Kinds, order, updates, results and codes; only times and heartbeats are each one's own."""
    twin, script = pairs[name]
    assert len(twin) > 5
    assert twin == script


def _machine() -> Machine:
    world = World(standard_scenario("LAB-FC1", nodes=2), 7)
    return next(iter(world.machines.values()))


def _twin(
    machine: Machine, operation: AgentOperation, asked: tuple[UpdateKey, ...], *, accept_eulas: bool
) -> tuple[AgentEvent, ...]:
    """Let the twin work to its end and read what it wrote as a coordinator reads it."""
    lines: list[str] = []
    request = AgentRequest("r1", run_id="run-1", operation=operation, query=QUERY, updates=asked)
    twin = AgentTwin(
        machine,
        request,
        cancelled=lambda: False,
        accept_eulas=accept_eulas,
        write=lambda event: lines.append(event_line(event)),
    )
    machine.world.advance(machine.world.now + timedelta(days=1))
    assert twin.finished
    return read_events("".join(lines).split("\n"), node=machine.name, after=0)


def _comparable(events: Any) -> list[AgentEvent]:
    kept = (timeless(event) for event in events if event.kind is not AgentEventKind.HEARTBEAT)
    return [evolve(event, sequence=number) for number, event in enumerate(kept, 1)]


def _step(outcome: UpdateOutcome | None) -> Step:
    if outcome is None:
        return Step()
    return Step(code=outcome.result.value, hresult=outcome.hresult, reboot=outcome.reboot_required)
