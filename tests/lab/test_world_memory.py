"""The ports in memory: what the coordinator's protocols promise, over a world, without sockets or sleeping."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from cauctl.errors import ClusterError, FateUnknownError, NodeUnreachableError, RemoteError, StateError
from cauctl.lab.memory import Ports
from cauctl.lab.world import Quirks, World, standard_scenario
from cauctl.models.agent import AgentOperation, AgentRequest, AgentState
from cauctl.models.enums import FailbackType
from cauctl.models.lock import LOCK_GROUPS
from cauctl.models.nodes import GroupState, LockRecord, NodeState
from cauctl.ports import Clock
from tests.lab.desk import quiet_world

QUERY = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"


def ports_of(world: World | None = None) -> Ports:
    return Ports(world or quiet_world())


def pass_time(ports: Ports, seconds: float) -> None:
    ports.clock.wait(ports.clock.now() + timedelta(seconds=seconds), lambda: False)


def record(run: str = "run-1", *, fence: int = 1) -> LockRecord:
    moment = datetime.fromisoformat("2026-03-17T21:00:00+00:00")
    return LockRecord(run, owner="alice@host (pid 1)", fence=fence, acquired=moment, lease_until=moment)


def request(operation: AgentOperation = AgentOperation.SCAN, name: str = "r1") -> AgentRequest:
    return AgentRequest(name, run_id="run-1", operation=operation, query=QUERY)


def test_the_clock_is_one_and_waiting_stops_when_woken() -> None:
    ports, woken = ports_of(), []
    ports.world.kernel.after(timedelta(seconds=7), lambda: woken.append(1))
    begins = ports.clock.now()
    ports.clock.wait(begins + timedelta(hours=1), lambda: bool(woken))
    assert (isinstance(ports.clock, Clock), ports.clock.now() - begins) == (True, timedelta(seconds=7))


def test_observing_shows_the_whole_cluster_but_not_our_lock() -> None:
    ports = ports_of()
    ports.cluster.acquire_lock(record())
    facts = ports.cluster.observe()
    assert (facts.name, facts.domain, facts.s2d_enabled) == ("LAB-FC1", "lab.test", True)
    assert [(node.name, node.state, node.dynamic_weight) for node in facts.nodes] == [
        (f"NODE{number}", NodeState.UP, 1) for number in range(1, 5)
    ]
    assert LOCK_GROUPS[0] not in {group.name for group in facts.groups}
    assert {group.name for group in facts.owned_by("node4")} == {"FS01", "VM04"}
    assert (facts.quorum.witness_online, facts.quorum.witness_weight) == (True, 1)


def test_an_observation_is_never_old() -> None:
    """Views of the world are kept only as long as nothing happens."""
    ports = ports_of()
    before = ports.cluster.observe()
    ports.cluster.suspend("NODE1")
    assert (before.node("NODE1").state, ports.cluster.observe().node("NODE1").state) == (NodeState.UP, NodeState.PAUSED)
    pass_time(ports, 3)
    assert ports.cluster.observe().observed == ports.clock.now()


def test_suspending_and_resuming_can_be_repeated() -> None:
    ports = ports_of()
    for _ in range(2):
        ports.cluster.suspend("node1")
    pass_time(ports, 300)
    for _ in range(2):
        ports.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE)
    assert [(pause.by, pause.paused) for pause in ports.world.ledger.pauses] == [
        ("LAB\\Administrator", True),
        ("LAB\\Administrator", False),
    ]


def test_a_group_is_moved_once() -> None:
    ports = ports_of()
    for _ in range(2):
        ports.cluster.move_group("vm01", "NODE2")
    pass_time(ports, 60)
    ports.cluster.move_group("VM01", "node2")
    group = next(group for group in ports.cluster.observe().groups if group.name == "VM01")
    assert (group.owner_node, group.state) == ("NODE2", GroupState.ONLINE)


def test_names_that_the_cluster_does_not_have_are_told() -> None:
    cluster = ports_of().cluster
    for call in (
        lambda: cluster.suspend("NODE9"),
        lambda: cluster.move_group("VM99", "NODE1"),
        lambda: cluster.will_offline_lose_quorum("NODE9"),
    ):
        with pytest.raises(ClusterError):
            call()
    with pytest.raises(RemoteError):
        cluster.repair("Volume99")


def test_the_cluster_is_asked_through_whoever_answers() -> None:
    ports = ports_of()
    ports.cluster.avoid(["NODE2"])
    ports.world.machine("NODE1").lose_power()
    assert ports.cluster.observe().node("NODE1").state is NodeState.DOWN
    for name in ("NODE2", "NODE3", "NODE4"):
        ports.world.machine(name).cut(timedelta(minutes=5))
    with pytest.raises(ClusterError, match="no node answers"):
        ports.cluster.observe()


def test_a_node_that_does_not_answer_is_unreachable() -> None:
    ports = ports_of()
    ports.world.machine("NODE3").cut(timedelta(seconds=30))
    with pytest.raises(NodeUnreachableError):
        ports.node.probe("NODE3")
    pass_time(ports, 30)
    assert ports.node.probe("NODE3").build == "20348.3328"


def test_a_restart_is_proved_by_the_boot_time() -> None:
    ports = ports_of()
    before = ports.node.probe("NODE2")
    ports.node.restart("NODE2", reason="updates; $(x)")
    ports.node.restart("NODE2", reason="asked twice")
    pass_time(ports, 900)
    after = ports.node.probe("NODE2")
    assert after.boot_time > before.boot_time
    assert after.uptime < timedelta(seconds=900) < before.uptime
    assert evolve(after, boot_time=before.boot_time, uptime=before.uptime) == before
    assert len(ports.world.ledger.restarts) == 1


def test_the_lock_is_taken_once_and_told_to_the_second() -> None:
    ports = ports_of()
    assert ports.cluster.acquire_lock(record("a")) is None
    assert Ports(ports.world).cluster.acquire_lock(record("b")) == record("a")
    assert ports.cluster.take_over_lock(record("a", fence=2)) is None
    assert Ports(ports.world).cluster.take_over_lock(record("a", fence=2)) == record("a", fence=2)
    assert ports.cluster.write_lock(record("a")) == record("a", fence=2)
    assert Ports(ports.world).cluster.read_lock() == record("a", fence=2)
    ports.cluster.release_lock("b")
    assert ports.cluster.read_lock() == record("a", fence=2)
    ports.cluster.release_lock("a")
    ports.cluster.release_lock("a")
    assert ports.cluster.read_lock() is None
    with pytest.raises(StateError):
        ports.cluster.write_lock(record("a"))


def test_a_lock_that_is_not_ours_to_read_is_told() -> None:
    ports = ports_of()
    ports.world.cluster.roles.add(LOCK_GROUPS[0], "Unknown", "NODE1").parameters["CauctlLock"] = "other"
    with pytest.raises(StateError):
        ports.cluster.read_lock()


def test_foreign_coordinators_are_seen() -> None:
    scenario = evolve(standard_scenario(nodes=2), foreign_run="NODE2", self_updating=True)
    found = Ports(World(scenario, 1)).cluster.foreign_coordinators()
    assert [(each.kind, each.node) for each in found] == [("MSFT_CAURun", "NODE2"), ("SelfUpdating", "NODE1")]


def test_agent_work_outlives_the_coordinator_and_is_begun_once() -> None:
    ports = ports_of()
    for _ in range(2):
        ports.agent.begin("NODE1", request())
    assert ports.agent.poll("NODE1", request(), 0).state is AgentState.RUNNING
    pass_time(ports, 120)
    other = Ports(ports.world)
    progress = other.agent.poll("NODE1", request(), 0)
    assert (progress.state, [event.kind.value for event in progress.events][-1]) == (AgentState.FINISHED, "Done")
    assert other.agent.poll("NODE1", request(), len(progress.events)).events == ()
    assert other.agent.leftovers("NODE1") == ("run-1",)
    other.agent.collect("NODE1", request())
    other.agent.collect("NODE1", request())
    assert other.agent.leftovers("NODE1") == ()


def test_agent_work_that_a_restart_ended_is_lost() -> None:
    ports = ports_of()
    ports.agent.begin("NODE1", request())
    pass_time(ports, 10)
    ports.node.restart("NODE1", reason="x")
    pass_time(ports, 600)
    assert ports.agent.poll("NODE1", request(), 0).state is AgentState.LOST
    ports.agent.remove_leftovers("NODE1", "run-1")
    assert ports.agent.poll("NODE1", request(), 0).state is AgentState.LOST


def test_agent_work_can_be_cancelled() -> None:
    ports = ports_of()
    ports.agent.begin("NODE1", request())
    ports.agent.cancel("NODE1", request())
    pass_time(ports, 60)
    assert [event.kind.value for event in ports.agent.poll("NODE1", request(), 0).events] == ["Started", "Cancelled"]


def test_an_answer_may_get_lost_with_or_without_the_request() -> None:
    carried_out = set()
    for seed in range(20):
        ports = ports_of(quiet_world(seed=seed, quirks=Quirks(0, 0, 0, 0, 0, 1.0)))
        with pytest.raises(FateUnknownError):
            ports.agent.begin("NODE1", request())
        carried_out.add(bool(ports.agent.leftovers("NODE1")))
    assert carried_out == {True, False}


@settings(max_examples=20)
@given(
    st.integers(0, 2**16), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 900)), max_size=12)
)
def test_the_same_seed_and_the_same_deeds_give_the_same_world(seed: int, deeds: list[tuple[int, int, int]]) -> None:
    """Determinism: whole ledgers are equal, entry by entry."""

    def lived() -> object:
        ports = ports_of(World(standard_scenario(nodes=4), seed))
        for deed, number, seconds in deeds:
            _do(ports, deed, f"NODE{number}")
            pass_time(ports, seconds)
        return ports.world.ledger.entries, ports.world.snapshot()

    assert lived() == lived()


def _do(ports: Ports, deed: int, node: str) -> None:
    machine = ports.world.machine(node)
    deeds = (
        lambda: ports.cluster.suspend(node),
        lambda: ports.cluster.resume(node, failback=FailbackType.IMMEDIATE),
        lambda: ports.node.restart(node, reason="x"),
        lambda: ports.agent.begin(node, request(AgentOperation.STAGE)),
        machine.lose_power,
        lambda: machine.cut(timedelta(seconds=40)),
    )
    with suppress(ClusterError, NodeUnreachableError, RemoteError):
        deeds[deed]()


@settings(max_examples=40)
@given(
    st.integers(0, 2**16), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 900)), max_size=12)
)
def test_a_world_comes_to_rest_and_every_role_serves_again(seed: int, deeds: list[tuple[int, int, int]]) -> None:
    """Whatever is done to it: two hours later all nodes are members, and with all resumed all roles are online."""
    ports = ports_of(World(standard_scenario(nodes=4), seed))
    for deed, number, seconds in deeds:
        _do(ports, deed, f"NODE{number}")
        pass_time(ports, seconds)
    pass_time(ports, 7200)
    cluster = ports.world.cluster
    assert all(member.joined for member in cluster.members.values())
    for name in cluster.members:
        ports.cluster.resume(name, failback=FailbackType.NO_FAILBACK)
    pass_time(ports, 7200)
    assert {name: group.state for name, group in ((each.name, each) for each in cluster.roles) if group.wanted} == {
        group.name: GroupState.ONLINE for group in cluster.roles if group.wanted
    }
    assert all(group.target is None for group in cluster.roles)
    assert sum(member.dynamic_weight for member in cluster.members.values()) + cluster.quorum.witness_weight == 5
