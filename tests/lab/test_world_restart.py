"""Restarts, the wire, and Storage Spaces Direct around them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.lab.faults import Fault
from cauctl.lab.world import Quirks, World
from cauctl.lab.world.machine import PowerState, RestartRefusedError
from cauctl.lab.world.registry import AUTO_LOGON_CHECKED, CBS_REBOOT_PENDING
from cauctl.lab.world.roles import ClusterApiError
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import NodeState
from tests.lab.desk import quiet_world

SECOND = timedelta(seconds=1)


def story(world: World, node: str, *, minutes: int = 15) -> list[str]:
    """Give what changes about a node, second by second."""
    machine, member, seen = world.machine(node), world.cluster.member(node), []
    boot = machine.boot_time
    for _ in range(minutes * 60):
        facts = (
            "new boot" if machine.boot_time != boot else "old boot",
            "answers" if machine.answers else "silent",
            member.state.value,
        )
        if not seen or seen[-1] != facts:
            seen.append(facts)
        world.advance(world.now + SECOND)
    return [" ".join(facts) for facts in seen]


def test_a_restart_takes_the_node_through_its_moments() -> None:
    """WinRM is up before the node has joined; a paused node comes back paused."""
    world = quiet_world()
    world.cluster.suspend("NODE2", drain=True, by="test")
    world.advance(world.now + 3 * 60 * SECOND)
    world.machine("NODE2").request_restart("test")
    assert story(world, "NODE2") == [
        "old boot answers Paused",
        "old boot answers Down",
        "old boot silent Down",
        "new boot answers Down",
        "new boot answers Joining",
        "new boot answers Paused",
    ]


def test_a_restart_may_be_too_quick_to_see_the_port_close() -> None:
    world = quiet_world(quirks=Quirks(0, 0, 1.0, 0, 0))
    machine = world.machine("NODE2")
    connections, boot = machine.connections, machine.boot_time
    machine.request_restart("test")
    world.advance(world.now + 5 * SECOND)
    assert (machine.answers, machine.boot_time > boot, machine.connections > connections) == (True, True, True)


def test_the_boot_time_configuration_ends_after_the_port_is_open() -> None:
    world = quiet_world()
    machine = world.machine("NODE2")
    machine.request_restart("test")
    while machine.boot_time < world.scenario.begins:
        world.advance(world.now + SECOND)
    assert AUTO_LOGON_CHECKED not in machine.registry
    world.advance(world.now + 15 * SECOND)
    assert AUTO_LOGON_CHECKED in machine.registry


@pytest.mark.parametrize(("code", "wait"), [(1190, 0), (1115, 10)])
def test_a_second_request_is_refused_as_windows_does(code: int, wait: int) -> None:
    world = quiet_world()
    machine = world.machine("NODE1")
    machine.request_restart("test")
    world.advance(world.now + wait * SECOND)
    with pytest.raises(RestartRefusedError) as caught:
        machine.request_restart("test")
    assert caught.value.code == code


def test_a_planned_restart_can_be_called_off_once() -> None:
    world = quiet_world()
    machine = world.machine("NODE1")
    machine.request_restart("test", 60 * SECOND)
    machine.abort_restart()
    with pytest.raises(RestartRefusedError) as caught:
        machine.abort_restart()
    world.advance(world.now + 120 * SECOND)
    assert (caught.value.code, machine.power) == (1116, PowerState.RUNNING)


def test_restart_hangs_leaves_the_node_silent_for_good() -> None:
    world = quiet_world(faults=(Fault.parse("restart-hangs:NODE3"),))
    world.machine("NODE3").request_restart("test")
    assert story(world, "NODE3", minutes=120)[-1] == "old boot silent Down"


def test_a_pending_restart_from_before_is_cleared_by_a_restart() -> None:
    plain = quiet_world().scenario
    world = World(evolve(plain, nodes=(evolve(plain.nodes[0], reboot_pending=True), *plain.nodes[1:])), 1)
    machine = world.machine("NODE1")
    assert (CBS_REBOOT_PENDING in machine.registry, machine.updates.reboot_required_before_installation) == (True, True)
    machine.request_restart("test")
    story(world, "NODE1")
    assert (CBS_REBOOT_PENDING in machine.registry, machine.updates.reboot_required_before_installation) == (
        False,
        False,
    )


def test_a_slow_service_starts_late() -> None:
    plain = quiet_world().scenario
    world = World(evolve(plain, nodes=(evolve(plain.nodes[0], slow_service=600 * SECOND), *plain.nodes[1:])), 1)
    machine = world.machine("NODE1")
    machine.request_restart("test")
    story(world, "NODE1", minutes=5)
    assert not machine.services["ContosoBackup"].running
    story(world, "NODE1", minutes=15)
    assert machine.services["ContosoBackup"].running


def test_a_cut_wire_silences_the_node_but_not_its_work() -> None:
    world = quiet_world()
    machine = world.machine("NODE1")
    machine.cut(90 * SECOND)
    assert (machine.answers, machine.power, world.cluster.member("NODE1").state) == (
        False,
        PowerState.RUNNING,
        NodeState.UP,
    )
    world.advance(world.now + 90 * SECOND)
    assert machine.answers


def test_whoever_carries_the_wire_is_told() -> None:
    world, seen = quiet_world(), []
    world.watchers.append(lambda machine: seen.append((machine.name, machine.answers)))
    world.machine("NODE1").request_restart("test")
    story(world, "NODE1", minutes=5)
    assert seen == [("NODE1", False), ("NODE1", True)]


# Storage


def out_and_back(world: World, node: str = "NODE1") -> None:
    world.cluster.suspend(node, drain=True, by="test")
    world.advance(world.now + 180 * SECOND)
    world.machine(node).request_restart("test")
    world.advance(world.now + 300 * SECOND)


def test_a_drained_node_degrades_the_virtual_disks_until_its_data_is_back() -> None:
    world = quiet_world()
    storage = world.cluster.storage
    out_and_back(world)
    assert (storage.health, storage.jobs) == (("Warning", ("Degraded", "Incomplete")), ())
    world.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE, by="test")
    assert (storage.health, storage.jobs) == (("Warning", ("InService",)), ())
    world.advance(world.now + 30 * SECOND)
    assert [job[:2] for job in storage.jobs] == [("Repair", "Running")] * 2
    assert 0 < storage.jobs[0][2] < 100
    world.advance(world.now + 600 * SECOND)
    assert (storage.health, storage.jobs, storage.in_sync) == (("Healthy", ("OK",)), (), True)


def test_suspending_another_node_meanwhile_is_refused_as_the_safety_net_does() -> None:
    """S2D: ERROR_CLUSTER_SPACE_DEGRADED."""
    world = quiet_world()
    out_and_back(world)
    with pytest.raises(ClusterApiError) as caught:
        world.cluster.suspend("NODE2", drain=True, by="test")
    assert caught.value.code == 5987


def test_a_second_node_that_goes_out_puts_data_at_risk_and_the_ledger_says_so() -> None:
    world = quiet_world()
    out_and_back(world)
    world.machine("NODE2").lose_power()
    assert (world.ledger.storage_losses, world.cluster.storage.health[0]) == (1, "Unhealthy")
    assert world.ledger.restarts[-1].resyncing


def test_a_suspended_repair_waits_until_somebody_starts_it() -> None:
    world = quiet_world(quirks=Quirks(0, 0, 0, 0, 1.0))
    storage = world.cluster.storage
    out_and_back(world)
    world.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE, by="test")
    world.advance(world.now + 3600 * SECOND)
    assert [job[1] for job in storage.jobs] == ["Suspended"] * 2
    storage.repair("volume01")
    world.advance(world.now + 3600 * SECOND)
    assert storage.in_sync


def test_storage_stays_degraded_is_never_repaired() -> None:
    world = quiet_world(faults=(Fault.parse("storage-stays-degraded:NODE1"),))
    out_and_back(world)
    world.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE, by="test")
    world.advance(world.now + 24 * 3600 * SECOND)
    world.cluster.storage.repair()
    world.advance(world.now + 3600 * SECOND)
    assert world.cluster.storage.health[0] == "Warning"
    assert {job[1] for job in world.cluster.storage.jobs} == {"Running"}


def test_a_cluster_without_storage_spaces_never_waits_for_any() -> None:
    world = quiet_world(virtual_disks=())
    out_and_back(world)
    assert (world.cluster.storage.facts().virtual_disks, world.cluster.storage.in_sync) == ((), True)


# Second restart


def test_servicing_may_restart_the_node_a_second_time() -> None:
    world = quiet_world(quirks=Quirks(0, 0, 0, 1.0, 0))
    machine = world.machine("NODE1")
    update = next(each for each in machine.updates.search("IsInstalled=0") if each.asks_for_restart)
    machine.updates.downloaded(update)
    machine.updates.begin_install(update)
    machine.updates.end_install(update)
    machine.request_restart("test")
    story(world, "NODE1")
    assert [restart.by for restart in world.ledger.restarts] == ["test", "servicing"]
