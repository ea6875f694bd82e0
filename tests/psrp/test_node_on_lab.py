"""The node and agent ports over real PSRP on a lab in which time passes fast."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab_ports import fleet_of, running_lab, until
from scripted_nodes import FixedClock

from cauctl.errors import TransportError
from cauctl.lab.server import Lab
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, AgentRequest, AgentState
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import DrainStatus, NodeState
from cauctl.psrp.agent import PsrpUpdateAgent
from cauctl.psrp.cluster import PsrpCluster
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.node import PsrpNode

QUERY = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Fleet]]:
    """A lab in which ten minutes pass a second, and a fleet that reaches it."""
    folder = tmp_path_factory.mktemp("lab")
    with running_lab(folder, time_scale=600) as lab:
        fleet = fleet_of(lab, folder)
        yield lab, fleet
        fleet.close()


def works_to_its_end(agent: PsrpUpdateAgent, node: str, request: AgentRequest) -> list[AgentEvent]:
    """Poll until no more events can come."""
    events: list[AgentEvent] = []

    def ended() -> bool:
        progress = agent.poll(node, request, events[-1].sequence if events else 0)
        events.extend(progress.events)
        return progress.state is not AgentState.RUNNING

    until(ended)
    return events


def test_scan_stage_and_install_by_the_agent(moving):
    """Everything over PSRP: files, task, events; what is installed is no longer offered; nothing is left behind."""
    lab, fleet = moving
    agent, machine = PsrpUpdateAgent(fleet), lab.world.machine("NODE3")
    scan = AgentRequest("scan", run_id="run-1", operation=AgentOperation.SCAN, query=QUERY)
    agent.begin("NODE3", scan)
    events = works_to_its_end(agent, "NODE3", scan)
    found = [event.update for event in events if event.update is not None]
    assert [machine.updates.found(update) for update in machine.updates.search(QUERY)] == found
    agent.collect("NODE3", scan)
    keys = tuple(
        update.key
        for update in found
        if update.eula_accepted and not update.can_request_user_input and update.reboot_behavior == 0
    )[:2]
    assert keys
    for operation in (AgentOperation.STAGE, AgentOperation.INSTALL):
        request = AgentRequest(operation.value, run_id="run-1", operation=operation, query=QUERY, updates=keys)
        agent.begin("NODE3", request)
        agent.begin("NODE3", request)
        told = works_to_its_end(agent, "NODE3", request)
        assert AgentEventKind.DONE is told[-1].kind
        assert ("run-1",) == agent.leftovers("NODE3")
        agent.collect("NODE3", request)
    assert not set(keys) & {update.key for update in machine.updates.search(QUERY)}
    assert () == agent.leftovers("NODE3")


def roles_of(cluster: PsrpCluster, node: str) -> list[str]:
    """Roles that the node owns, core groups left out."""
    return [group.name for group in cluster.observe().owned_by(node) if not group.is_core_group]


def test_a_node_is_drained_restarted_and_resumed(moving):
    """Completed is no proof, so what the drain left is moved; the boot time proves the restart.

    Another node speaks for the cluster meanwhile.
    """
    _, fleet = moving
    cluster, node = PsrpCluster(fleet, FixedClock()), PsrpNode(fleet)
    before = node.probe("NODE1")
    cluster.suspend("NODE1")
    until(lambda: cluster.observe().node("NODE1").drain_status is DrainStatus.COMPLETED)
    for group in roles_of(cluster, "NODE1"):
        cluster.move_group(group, "NODE2")
    until(lambda: not roles_of(cluster, "NODE1"))
    assert NodeState.PAUSED is cluster.observe().node("NODE1").state
    cluster.avoid(["NODE1"])
    node.restart("NODE1", reason='"updates" /a')

    def is_back() -> bool:
        assert cluster.observe().name == "LAB-FC1"
        try:
            probe = node.probe("NODE1")
        except TransportError:
            return False
        return probe.boot_time > before.boot_time and probe.cluster_service_running

    until(is_back)
    cluster.resume("NODE1", failback=FailbackType.IMMEDIATE)
    until(lambda: cluster.observe().node("NODE1").state is NodeState.UP)
