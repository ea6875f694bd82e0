"""The cluster port over real PSRP on the lab: what it tells is the world's truth, names are only names."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from everything_sent import every_pipeline
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lab_ports import fleet_of, running_lab, until
from scripted_nodes import FixedClock

from cauctl.errors import CauError, ClusterError, RemoteError
from cauctl.lab.memory import Ports
from cauctl.lab.server import Lab
from cauctl.models.agent import AgentEventKind, AgentOperation, AgentRequest, AgentState
from cauctl.models.nodes import LockRecord
from cauctl.psobject import clixml
from cauctl.psrp.agent import PsrpUpdateAgent
from cauctl.psrp.cluster import PsrpCluster
from cauctl.psrp.commands import COMMANDS, send
from cauctl.psrp.facts import NODES
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.node import PsrpNode

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def still(home: Path) -> Iterator[Lab]:
    """A lab in which little happens while a test looks: ten times real time."""
    with running_lab(home, time_scale=10) as lab:
        yield lab


@pytest.fixture
def fleet(still: Lab, home: Path) -> Iterator[Fleet]:
    fleet = fleet_of(still, home)
    yield fleet
    fleet.close()


@pytest.fixture
def cluster(fleet: Fleet) -> PsrpCluster:
    return PsrpCluster(fleet, FixedClock())


# ---- What is told is what is


def test_what_the_cluster_tells_over_psrp_is_what_the_world_tells(still, cluster):
    """Through cmdlets, CLIXML and our decoder nothing is lost of what the ports in memory give."""
    truth = Ports(still.world).cluster
    expected = truth.observe()
    assert len(expected.nodes) == 3
    assert expected.groups
    assert evolve(expected, observed=NOW) == evolve(cluster.observe(), observed=NOW)
    assert truth.storage() == cluster.storage()
    assert truth.foreign_coordinators() == cluster.foreign_coordinators()
    for node in expected.nodes:
        assert truth.will_offline_lose_quorum(node.name) == cluster.will_offline_lose_quorum(node.name)


def test_what_a_node_tells_over_psrp_is_what_the_world_tells(still, fleet):
    truth, port = Ports(still.world).node, PsrpNode(fleet)
    for name in fleet.nodes:
        before, told, after = truth.probe(name), port.probe(name), truth.probe(name)
        assert before.uptime <= told.uptime <= after.uptime
        assert evolve(before, uptime=told.uptime) == told


def test_a_cluster_of_another_name_is_refused(still, home):
    other = fleet_of(still, home, cluster="LAB-FC9")
    with pytest.raises(ClusterError, match=f"is a node of the cluster {still.name}, not of LAB-FC9"):
        PsrpCluster(other, FixedClock()).observe()
    other.close()


def test_an_entry_node_that_refuses_is_left_at_once(still, fleet):
    """Connected before, it now refuses: the question is answered by the next node, not after a quarter of a minute."""
    entry, before = fleet.look(NODES)
    still.endpoints[entry].refuse()
    try:
        begin = time.monotonic()
        other, after = fleet.look(NODES)
        assert time.monotonic() - begin < 3
    finally:
        still.endpoints[entry].start()
    assert entry != other
    assert [node["Name"] for node in before.output] == [node["Name"] for node in after.output]


# ---- Names and texts

ODD = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
SENDABLE = st.text(st.characters(exclude_characters="\ufffe\uffff"), min_size=1, max_size=40)


@ODD
@given(name=SENDABLE)
@example("*")
@example("x'; Remove-ClusterGroup 'a")
@example('$(Stop-Computer) "`n')
def test_any_name_arrives_as_the_same_text_and_means_nothing_else(cluster, name):
    """A role that is not there is not found, whatever its name would do as a pattern, a query or code."""
    with pytest.raises(ClusterError) as caught:
        cluster.move_group(name, "NODE1")
    assert f"has no role {name}." in caught.value.message


@ODD
@given(query=SENDABLE)
@example("Title='Größe' \r\n</S>")
def test_any_query_reaches_the_node_as_the_same_text(still, fleet, query):
    agent = PsrpUpdateAgent(fleet)
    request = AgentRequest("odd", run_id="run-odd", operation=AgentOperation.SCAN, query=query)
    agent.begin("NODE1", request)
    machine = still.world.machine("NODE1")
    written = machine.files.read("C:\\Windows\\cauctl\\runs\\run-odd.odd\\request.clixml").decode("ascii")
    assert query == clixml.read_clixml(written)[0]["Query"]
    agent.remove_leftovers("NODE1", "run-odd")
    assert () == agent.leftovers("NODE1")


# ---- The agent


def test_work_that_is_killed_is_lost_and_removed_by_the_next_run(fleet):
    """It is at work, then gone without a last word; whoever comes finds it by the run's id."""
    agent = PsrpUpdateAgent(fleet)
    request = AgentRequest("cut", run_id="run-2", operation=AgentOperation.SCAN, query="IsInstalled=0")
    agent.begin("NODE2", request)
    until(lambda: bool(agent.poll("NODE2", request, 0).events))
    at_work = agent.poll("NODE2", request, 0)
    assert (AgentState.RUNNING, AgentEventKind.STARTED) == (at_work.state, at_work.events[0].kind)
    fleet.act_on("NODE2", send("Stop-ScheduledTask", TaskPath="\\cauctl\\", TaskName="run-2.cut"))
    assert AgentState.LOST is agent.poll("NODE2", request, 1).state
    assert ("run-2",) == agent.leftovers("NODE2")
    agent.remove_leftovers("NODE2", "run-2")
    assert () == agent.leftovers("NODE2")


# ---- The lock


def test_of_many_coordinators_one_gets_the_lock(still, home):
    """The cluster itself decides; the others learn who holds it, or that somebody is just taking it."""
    fleets = [fleet_of(still, home) for _ in range(6)]
    start = threading.Barrier(len(fleets))

    def acquire(number: int) -> str:
        record = LockRecord(
            f"run-{number}", owner=f"desk-{number}", fence=1, acquired=NOW, lease_until=NOW + timedelta(minutes=15)
        )
        start.wait()
        try:
            holder = PsrpCluster(fleets[number], FixedClock()).acquire_lock(record)
        except CauError as error:
            return error.fully_qualified_error_id
        return "ours" if holder is None else holder.run_id

    with ThreadPoolExecutor(len(fleets)) as pool:
        told = list(pool.map(acquire, range(len(fleets))))
    assert 1 == told.count("ours")
    winner = f"run-{told.index('ours')}"
    assert {"ours", winner, "StateInvalid"} >= set(told)
    cluster = PsrpCluster(fleets[0], FixedClock())
    held = cluster.read_lock()
    assert held is not None
    assert winner == held.run_id
    cluster.release_lock(winner)
    assert cluster.read_lock() is None
    for fleet in fleets:
        fleet.close()


# ---- Binding

NOT_BOUND = (
    "AmbiguousParameterSet",
    "CannotConvertArgument",
    "CommandNotFoundException",
    "InputObjectNotBound",
    "MissingMandatoryParameter",
    "NamedParameterNotFound",
    "ParameterArgument",
    "ParameterBinding",
    "PositionalParameterNotFound",
)
"""Beginnings of the error ids of commands that were not called because they did not bind."""
BINDABLE = [pipeline for pipeline in every_pipeline() if COMMANDS[pipeline.commands[0].name].module]


def test_the_lab_binds_every_pipeline_that_is_sent(fleet):
    """What the lab's commands then say of things that are not there is their business."""
    refused = {}
    for pipeline in BINDABLE:
        result = None
        try:
            result = fleet.act_on("NODE1", pipeline, collect_errors=True)
        except RemoteError as error:
            refused[str(pipeline)] = error.fully_qualified_error_id
        for record in result.errors if result else ():
            refused[str(pipeline)] = record.fully_qualified_error_id
    assert {} == {text: told for text, told in refused.items() if told.startswith(NOT_BOUND)}
    assert len(refused) < len(BINDABLE)
