"""The agent's twin follows docs/agent-protocol.md, and the real script on a real PowerShell tells the same events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from attrs import evolve

from cauctl.lab.faults import Fault
from cauctl.lab.world import CUMULATIVE_UPDATE, CatalogueUpdate, Durations, NodeSpec, Quirks, Scenario, World
from cauctl.lab.world.agent_files import event_line, launch_agent, read_request
from cauctl.lab.world.agent_twin import AgentTwin
from cauctl.lab.world.task_definition import TaskDefinition
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, AgentRequest, UpdateKey
from cauctl.psrp.agent_files import agent_file, read_events, request_document
from tests.lab.desk import quiet_world
from tests.psrp import agent_play

Kind = AgentEventKind
SCAN, STAGE, INSTALL = AgentOperation.SCAN, AgentOperation.STAGE, AgentOperation.INSTALL
NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)
QUERY = agent_play.QUERY


def update(number: int, **facts: object) -> CatalogueUpdate:
    given = {"title": f"Update {number}", "products": frozenset({"P"}), "duration": timedelta(seconds=20), **facts}
    return CatalogueUpdate(f"{number:08x}-0000-4000-8000-00000000abcd", **given)


def world_of(*updates: CatalogueUpdate, faults: tuple[Fault, ...] = (), pending: bool = False) -> World:
    node = NodeSpec("NODE1", products=frozenset({"P"}), reboot_pending=pending)
    return World(Scenario(nodes=(node,), catalogue=updates, quirks=Quirks.none(), faults=faults), 1)


def request(operation: AgentOperation, *keys: UpdateKey, query: str = QUERY) -> AgentRequest:
    return AgentRequest("r1", run_id="run-1", operation=operation, query=query, updates=keys)


def run(
    world: World,
    asked: AgentRequest,
    *,
    eulas: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    hours: float = 3,
) -> list[AgentEvent]:
    """Let a twin work to its end; give its events without heartbeats, numbers and times."""
    twin = AgentTwin(world.machine("NODE1"), asked, cancelled=cancelled, accept_eulas=eulas)
    world.advance(world.now + timedelta(hours=hours))
    return timeless(twin.events)


def timeless(events: list[AgentEvent]) -> list[AgentEvent]:
    kept = [each for each in events if each.kind is not Kind.HEARTBEAT]
    return [
        evolve(each, sequence=0, at=NO_TIME, outcome=each.outcome and evolve(each.outcome, at=NO_TIME)) for each in kept
    ]


def kinds(events: list[AgentEvent]) -> list[str]:
    return [each.kind.value for each in events]


def results(events: list[AgentEvent]) -> list[tuple[str, int, int, bool]]:
    return [
        (each.kind.value, each.outcome.result.value, each.outcome.hresult, each.outcome.reboot_required)
        for each in events
        if each.outcome is not None
    ]


def test_a_scan_tells_what_is_offered_and_changes_nothing() -> None:
    world = world_of(update(1), update(2, kb="5"), update(3, hidden=True))
    events = run(world, request(SCAN, query="IsInstalled=0 and IsHidden=0"))
    assert kinds(events) == ["Started", "Found", "Found", "Done"]
    assert [each.update.kb_article_ids for each in events if each.update] == [(), ("5",)]
    assert world.ledger.installations == []


def test_events_are_numbered_without_gaps_and_a_heartbeat_comes_every_30_seconds() -> None:
    world = world_of(update(1, duration=timedelta(minutes=5)))
    twin = AgentTwin(world.machine("NODE1"), request(INSTALL, update(1).key), cancelled=lambda: False)
    world.advance(world.now + timedelta(hours=1))
    assert [each.sequence for each in twin.events] == list(range(1, len(twin.events) + 1))
    beats = [each.at for each in twin.events if each.kind is Kind.HEARTBEAT]
    assert len(beats) >= 9
    assert {later - earlier for earlier, later in pairwise(beats)} == {timedelta(seconds=30)}


def test_staging_fetches_and_installing_then_needs_no_download() -> None:
    one = update(1, reboot_behavior=2)
    world = world_of(one)
    assert kinds(run(world, request(STAGE, one.key))) == ["Started", "Downloading", "Downloaded", "Done"]
    installed = run(world, request(INSTALL, one.key))
    assert kinds(installed) == ["Started", "Installing", "Installed", "Done"]
    assert installed[-1].reboot_required


def test_exclusive_updates_come_first_and_what_is_not_offered_is_told() -> None:
    first, second = update(1), update(2, exclusive=True)
    stranger = UpdateKey(first.update_id, 201)
    events = run(world_of(first, second), request(INSTALL, stranger, first.key, second.key, first.key))
    assert [(each.kind.value, each.key) for each in events if each.kind in {Kind.NOT_OFFERED, Kind.INSTALLED}] == [
        ("NotOffered", stranger),
        ("Installed", second.key),
        ("Installed", first.key),
    ]


def test_licences_and_questions_keep_an_update_out() -> None:
    asks, licensed = update(1, user_input=True), update(2, eula="terms")
    events = run(world_of(asks, licensed), request(INSTALL, asks.key, licensed.key))
    assert results(events) == [("Installed", 0, 0x80240020, False), ("Installed", 0, 0x80240023, False)]
    agreed = run(world_of(licensed), request(INSTALL, licensed.key), eulas=True)
    assert kinds(agreed) == ["Started", "EulaAccepted", "Downloading", "Downloaded", "Installing", "Installed", "Done"]


def test_a_restart_pending_from_before_lets_nothing_be_installed() -> None:
    events = run(world_of(update(1), update(2), pending=True), request(INSTALL, update(1).key, update(2).key))
    assert [each for each in results(events) if each[0] == "Installed"] == [("Installed", 0, 0x80240016, False)] * 2
    assert events[-1].reboot_required


def test_a_busy_installer_is_waited_for_and_then_given_up() -> None:
    world = world_of(update(1))
    world.machine("NODE1").updates.installing = update(9)
    events = run(world, request(INSTALL, update(1).key))
    assert (events[-1].kind, events[-1].hresult) == (Kind.FAILED, 0x80240009)


def test_a_search_that_fails_says_its_code() -> None:
    wrong = run(world_of(update(1)), request(SCAN, query="KB=5"))
    faulty = run(world_of(update(1), faults=(Fault.parse("scan-error,hresult=0x80244018"),)), request(SCAN))
    assert [(each[-1].kind, each[-1].hresult) for each in (wrong, faulty)] == [
        (Kind.FAILED, 0x80240032),
        (Kind.FAILED, 0x80244018),
    ]


def test_cancelling_ends_the_work_after_what_cannot_be_interrupted() -> None:
    world, asked = world_of(update(1), update(2)), []
    events = run(
        world, request(INSTALL, update(1).key, update(2).key), cancelled=lambda: len(asked.append(1) or asked) > 2
    )
    assert kinds(events) == ["Started", "Downloading", "Downloaded", "Installing", "Installed", "Cancelled"]
    assert kinds(run(world_of(update(1)), request(SCAN), cancelled=lambda: True)) == ["Started", "Cancelled"]


def test_a_restart_under_the_agent_ends_it_without_a_last_word() -> None:
    world = world_of(update(1, duration=timedelta(minutes=30)))
    machine = world.machine("NODE1")
    task = machine.tasks.register("\\x\\", "t", "")
    machine.tasks.start(task, lambda: AgentTwin(machine, request(INSTALL, update(1).key), cancelled=lambda: False))
    world.advance(world.now + timedelta(minutes=5))
    assert task.state == "Running"
    machine.request_restart("somebody")
    world.advance(world.now + timedelta(minutes=20))
    twin = task.program
    assert isinstance(twin, AgentTwin)
    assert (task.state, twin.finished, machine.updates.installing) == ("Ready", False, None)
    assert world.ledger.installations == []


# Windows Update


def test_an_update_that_another_requires_is_offered_after_the_restart_only() -> None:
    base, later = update(1, reboot_behavior=2, build=9999), update(2, requires=(update(1).update_id,))
    world = world_of(base, later)
    machine = world.machine("NODE1")
    run(world, request(INSTALL, base.key))
    assert machine.updates.search("IsInstalled=0") == []
    assert machine.updates.search("RebootRequired=1") == [base]
    machine.request_restart("test")
    world.advance(world.now + timedelta(minutes=20))
    assert (machine.updates.search("IsInstalled=0"), machine.build) == ([later], "20348.9999")


@pytest.mark.parametrize("faults", [(), (Fault.parse("update-rolls-back"),)], ids=["by itself", "by a fault"])
def test_an_update_that_rolls_back_is_offered_again(faults: tuple[Fault, ...]) -> None:
    one = update(1, reboot_behavior=1, rolls_back=not faults, build=9999)
    world = world_of(one, faults=faults)
    machine = world.machine("NODE1")
    run(world, request(INSTALL, one.key))
    assert machine.updates.search("IsInstalled=0") == []
    machine.request_restart("test")
    world.advance(world.now + timedelta(minutes=20))
    assert (machine.updates.search("IsInstalled=0"), machine.ubr != 9999) == ([one], True)


def test_install_fails_strikes_what_asks_for_a_restart() -> None:
    small, large = update(1), update(2, reboot_behavior=2)
    world = world_of(small, large, faults=(Fault.parse("install-fails,times=1"),))
    first = run(world, request(INSTALL, small.key, large.key))
    assert [each for each in results(first) if each[0] == "Installed"] == [
        ("Installed", 2, 0, False),
        ("Installed", 4, 0x80070643, False),
    ]
    assert results(run(world, request(INSTALL, large.key)))[-1] == ("Installed", 2, 0, True)


def test_a_node_is_offered_the_usual_updates_and_a_second_round_after_the_first() -> None:
    world = quiet_world()
    machine = world.machine("NODE3")
    query = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"
    first = machine.updates.search(query)
    assert (len(first), CUMULATIVE_UPDATE in {each.update_id for each in first}) == (10, True)
    run_on(world, "NODE3", [each.key for each in first], query)
    machine.request_restart("test")
    world.advance(world.now + timedelta(hours=1))
    left = machine.updates.search(query)
    assert sorted(each.kb for each in left) == ["5991052", "5991058", "5993107", "5993215"]


def run_on(world: World, node: str, keys: list[UpdateKey], query: str) -> None:
    AgentTwin(world.machine(node), request(INSTALL, *keys, query=query), cancelled=lambda: False)
    world.advance(world.now + timedelta(hours=3))


# Files


def test_the_request_file_of_the_product_is_read_and_its_event_lines_are_understood() -> None:
    one = update(1, kb="5991010", eula="x", title="Größe <1> \U0001f600")
    asked = request(INSTALL, one.key, query="IsInstalled=0 and Type='Software'")
    assert read_request(request_document(asked, accept_eulas=True)) == (asked, True)
    world = world_of(one, update(2, user_input=True))
    twin = AgentTwin(world.machine("NODE1"), request(SCAN), cancelled=lambda: False)
    world.advance(world.now + timedelta(minutes=5))
    lines = [event_line(each) for each in twin.events]
    assert all(line.endswith("</Objs>\n") and line.count("\n") == 1 for line in lines)
    assert list(read_events([line.removesuffix("\n") for line in lines], node="NODE1", after=0)) == twin.events


def placed(world: World, *, document: str | None = None, name: str | None = None) -> TaskDefinition:
    """Put agent and request on the node as the product does."""
    files, agent = world.machine("NODE1").files, agent_file()
    folder, script = r"C:\Windows\cauctl\runs\run-1.r1", rf"C:\Windows\cauctl\agent\{name or agent.sha256}.ps1"
    files.make_folder(folder)
    files.make_folder(r"C:\Windows\cauctl\agent")
    files.write(script, agent.text.encode())
    files.write(rf"{folder}\request.clixml", (document or request_document(request(SCAN), accept_eulas=False)).encode())
    arguments = f'-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{script}" -Folder "{folder}"'
    return TaskDefinition(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", arguments, "S-1-5-18")


def told(world: World) -> list[tuple[str, int | None]]:
    text = world.machine("NODE1").files.read(r"C:\Windows\cauctl\runs\run-1.r1\events.clixml").decode()
    events = read_events(text.splitlines(), node="NODE1", after=0)
    return [(each.kind.value, each.hresult) for each in events if each.kind is not Kind.HEARTBEAT]


def test_a_started_task_runs_the_twin_through_files() -> None:
    world = world_of(update(1))
    assert isinstance(launch_agent(world.machine("NODE1"), placed(world)), AgentTwin)
    world.advance(world.now + timedelta(minutes=5))
    assert told(world) == [("Started", None), ("Found", None), ("Done", None)]
    assert launch_agent(world.machine("NODE1"), placed(world)) == 0
    assert told(world) == [("Started", None), ("Found", None), ("Done", None)]


def test_a_cancel_file_is_seen() -> None:
    world = world_of(update(1))
    definition = placed(world)
    world.machine("NODE1").files.write(r"C:\Windows\cauctl\runs\run-1.r1\cancel", b"cancel")
    launch_agent(world.machine("NODE1"), definition)
    assert told(world) == [("Started", None), ("Cancelled", None)]


@pytest.mark.parametrize(
    ("hresult", "broken"),
    [
        (0x80070032, lambda text: text.replace('<I32 N="Protocol">1<', '<I32 N="Protocol">2<')),
        (0x80070057, lambda text: text.replace(">Scan<", ">Scam<")),
        (0x8007000D, lambda text: text[:-20]),
    ],
)
def test_a_request_that_cannot_be_served_is_failed(hresult: int, broken: Callable[[str], str]) -> None:
    world = world_of(update(1))
    document = broken(request_document(request(SCAN), accept_eulas=False))
    launch_agent(world.machine("NODE1"), placed(world, document=document))
    assert told(world) == [("Started", None), ("Failed", hresult)]


def test_a_script_that_is_missing_or_not_the_one_its_name_says_does_not_start() -> None:
    world = world_of(update(1))
    changed = placed(world, name="0" * 64)
    missing = evolve(changed, arguments=changed.arguments.replace(".ps1", ".ps2"))
    other = evolve(changed, command="cmd.exe")
    machine = world.machine("NODE1")
    assert [launch_agent(machine, each) for each in (changed, missing, other)] == [0xFFFD0000, 0xFFFD0000, 0x80070002]


# The real script


def _made_up(dice: Random) -> tuple[tuple[CatalogueUpdate, ...], AgentRequest, dict[str, bool]]:
    def sometimes() -> bool:
        return dice.random() < 0.25

    updates = tuple(
        update(
            number,
            user_input=sometimes(),
            eula="terms" if sometimes() else "",
            exclusive=sometimes(),
            reboot_behavior=2 if sometimes() else 0,
            fails_with=0x80070643 if sometimes() else None,
            kb=str(5000000 + number),
            severity=dice.choice(["", "Critical"]),
            size=number << 20,
        )
        for number in range(1, dice.randrange(2, 6))
    )
    keys = [each.key for each in updates] + [UpdateKey(updates[0].update_id, 7)]
    dice.shuffle(keys)
    operation = dice.choice([SCAN, STAGE, INSTALL, INSTALL, INSTALL])
    asked = () if operation is SCAN else tuple(keys[: dice.randrange(1, len(keys) + 1)])
    options = {"pending": dice.random() < 0.15, "eulas": sometimes(), "cancelled": dice.random() < 0.1}
    return updates, request(operation, *asked), options


def _as_played(
    updates: tuple[CatalogueUpdate, ...], asked: AgentRequest, options: dict[str, bool]
) -> agent_play.Scenario:
    return agent_play.Scenario(
        asked.operation,
        tuple(
            agent_play.Offer(
                each.found(downloaded=False, eula_accepted=False),
                install=agent_play.Step(
                    code=4 if each.fails_with else 2,
                    hresult=each.fails_with or 0,
                    reboot=each.asks_for_restart and not each.fails_with,
                ),
            )
            for each in updates
        ),
        asked=asked.updates,
        pending=options["pending"],
        accept_eulas=options["eulas"],
        cancelled=options["cancelled"],
        query=asked.query,
    )


@pytest.mark.pwsh
def test_the_real_script_on_a_real_powershell_tells_the_same_events(pwsh_path: str, tmp_path: Path) -> None:
    """Scenarios made up by a seed, event by event: kind, update, result, HRESULT, restart."""
    made = {f"s{number}": _made_up(Random(number)) for number in range(60)}
    played = agent_play.play(pwsh_path, {name: _as_played(*each) for name, each in made.items()}, tmp_path)
    for name, (updates, asked, options) in made.items():
        twin = run(
            world_of(*updates, pending=options["pending"]),
            asked,
            eulas=options["eulas"],
            cancelled=lambda cancelled=options["cancelled"]: cancelled,
        )
        assert timeless(list(played[name].events)) == twin, name


def test_durations_of_a_lab_are_its_own() -> None:
    quick = Durations(scan=timedelta(seconds=1), variation=0.0)
    world = World(evolve(world_of(update(1)).scenario, durations=quick), 1)
    twin = AgentTwin(world.machine("NODE1"), request(SCAN), cancelled=lambda: False)
    world.advance(world.now + timedelta(seconds=1))
    assert twin.finished
