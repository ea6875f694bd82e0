"""The good course of a run, on a lab that behaves, and on one that behaves as Windows does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.settings import DEFAULT_QUERY
from cauctl.coordinator.state import Phase, RefusalKind, RunPhase
from cauctl.lab.world.scenario import NodeSpec, RoleSpec
from cauctl.models.enums import FailbackType, SummaryStatus
from cauctl.policy.selection import choose
from tests.trial import Trial, scenario

SUCCEEDED = SummaryStatus.SUCCEEDED


@pytest.fixture(scope="module")
def done() -> Trial:
    """A run over four nodes that behave, with Storage Spaces Direct."""
    trial = Trial(scenario(storage=True))
    trial.run()
    return trial


def test_every_node_succeeds_and_the_run_ends(done):
    assert done.statuses == dict.fromkeys(["NODE1", "NODE2", "NODE3", "NODE4"], SUCCEEDED)
    assert (done.state.phase, done.result.status, done.state.first_cause) == (RunPhase.ENDED, SUCCEEDED, None)


def test_nothing_is_left_to_install_and_nothing_waits_for_a_restart(done):
    for machine in done.world.machines.values():
        found = [machine.updates.found(each) for each in machine.updates.search(DEFAULT_QUERY)]
        assert choose(found).chosen == ()
        assert not machine.updates.pending


def test_nodes_take_turns_fewest_roles_first_and_never_two_at_once(done):
    assert done.state.order == ("NODE3", "NODE2", "NODE4", "NODE1")
    assert done.suspended == ["NODE3", "NODE2", "NODE4", "NODE1"]
    assert done.world.ledger.most_nodes_down == 1


def test_no_node_restarts_with_a_role_while_storage_resyncs_or_below_quorum(done):
    restarts = done.world.ledger.restarts
    assert len(restarts) == 4
    assert all(each.paused and not each.roles and not each.resyncing and each.vote_margin >= 0 for each in restarts)


def test_every_role_is_back_where_it_was(done):
    assert {group.name: group.owner for group in done.world.cluster.roles if not group.core} == {
        role.name: role.owner for role in done.world.scenario.roles
    }


def test_the_lock_is_given_back_and_no_agent_is_left(done):
    assert done.memory.cluster.read_lock() is None
    assert [done.left_on(node) for node in done.world.machines] == [0, 0, 0, 0]


def test_builds_before_and_after_are_known(done):
    for name, machine in done.world.machines.items():
        record = done.state.nodes[name].record
        assert record.build_before == "20348.3328"
        assert record.probe.build == machine.build != record.build_before


def test_no_node_is_taken_down_before_storage_is_at_rest_again(done):
    """node-operations §2.5: it is not safe to take another server offline until these repair jobs finish."""
    in_sync = [entry.at for entry in done.world.ledger.entries if "in sync again" in entry.text]
    paused = [pause.at for pause in done.world.ledger.pauses if pause.paused]
    assert all(earlier < later for earlier, later in zip(in_sync, paused[1:], strict=False))
    waits = [wait.name for node in done.story.history().nodes for wait in node.waits]
    assert (3, 4) == (waits.count("StorageRepair"), waits.count("StorageSettled"))


def test_without_storage_spaces_nothing_is_waited_for():
    trial = Trial(scenario(nodes=2))
    trial.run()
    assert "StorageRepair" not in [wait.name for node in trial.story.history().nodes for wait in node.waits]


def test_windows_as_it_is():
    """Roles left by a drain, failback elsewhere, quick and second restarts, repairs that wait: all is put right."""
    for seed in range(4):
        trial = Trial(scenario(storage=True, quirks=True, nodes=3), seed=seed)
        trial.run()
        assert trial.result.status is SUCCEEDED, trial.causes
        assert {group.name: group.owner for group in trial.world.cluster.roles if not group.core} == {
            role.name: role.owner for role in trial.world.scenario.roles
        }


def test_the_same_seed_gives_the_same_run():
    runs = []
    for _ in range(2):
        trial = Trial(scenario("connection-cut:NODE2", storage=True, quirks=True), seed=7)
        trial.run()
        runs.append(trial.journal.content)
    assert runs[0] == runs[1]


def test_a_node_without_updates_is_never_suspended_and_succeeds_with_none():
    """Design §9."""
    trial = Trial(scenario(nodes=3, catalogue=()))
    trial.run()
    assert set(trial.statuses.values()) == {SUCCEEDED}
    assert trial.suspended == []
    assert [len(node.install_results) for node in trial.result.node_results] == [0, 0, 0]


def test_node_order_is_followed():
    trial = Trial(scenario(nodes=3))
    trial.run(node_order=("node1", "NODE3"))
    assert trial.suspended == ["NODE1", "NODE3", "NODE2"]


def test_a_restart_that_is_pending_before_the_run_is_cleared_drained_and_first():
    """node-operations §4.1: what is installed on top of pending servicing is installed only partly."""
    plain = scenario(nodes=3)
    nodes = tuple(evolve(node, reboot_pending=node.name == "NODE2") for node in plain.nodes)
    trial = Trial(evolve(plain, nodes=nodes))
    trial.run()
    assert trial.statuses["NODE2"] is SUCCEEDED
    entries = [entry.text for entry in trial.world.ledger.entries if entry.node == "NODE2"]
    restart = next(index for index, text in enumerate(entries) if "restart reason: A restart was pending" in text)
    first_install = next(index for index, text in enumerate(entries) if text.endswith(": installed"))
    assert restart < first_install
    assert all(each.paused and not each.roles for each in trial.world.ledger.restarts)


@pytest.mark.parametrize("mode", [FailbackType.NO_FAILBACK, FailbackType.POLICY])
def test_without_immediate_failback_no_role_is_moved_back_by_hand(mode):
    trial = Trial(scenario(nodes=3))
    trial.run(failback_mode=mode)
    assert trial.result.status is SUCCEEDED
    owners = {group.name: group.owner for group in trial.world.cluster.roles if not group.core}
    stay = [role for role in trial.world.scenario.roles if mode is FailbackType.NO_FAILBACK or not role.auto_failback]
    assert any(owners[role.name] != role.owner for role in stay)
    assert all(group.online for group in trial.world.cluster.roles if group.wanted)


def test_updates_that_need_a_licence_or_somebody_are_left_out_and_named():
    trial = Trial(scenario(nodes=2, quirks=False))
    trial.run()
    notes = trial.story.history().node("NODE1").notes
    assert any("Out-of-Band Management Console" in note and "was left out" in note for note in notes)


def test_a_slow_service_is_waited_for():
    plain = scenario(nodes=2)
    nodes = tuple(evolve(node, slow_service=timedelta(minutes=6)) for node in plain.nodes)
    trial = Trial(evolve(plain, nodes=nodes))
    trial.run()
    assert trial.result.status is SUCCEEDED
    waits = [wait.name for wait in trial.story.history().node("NODE1").waits]
    assert "Services" in waits


def test_every_phase_is_seen_and_says_what_it_waits_for():
    seen: dict[Phase, set[str]] = {}

    def watch(_event: object, state: object) -> None:
        for node in state.nodes.values():
            seen.setdefault(node.phase, set()).add(node.wait.name if node.wait else "")

    trial = Trial(scenario(nodes=2, storage=True))
    trial.run(on_event=watch)
    ordinary = set(Phase) - {Phase.IDLE, Phase.EMPTYING, Phase.STRANDED, Phase.PRE_SCRIPT, Phase.POST_SCRIPT}
    assert set(seen) == ordinary
    assert seen[Phase.INSTALLING] == {"AgentInstall"}
    assert seen[Phase.SUSPENDING] == {"Drain"}
    assert seen[Phase.RESTARTING] == {"Restart"}
    assert seen[Phase.RESUMING] == {"Resume"}


def test_a_role_that_was_offline_before_stays_offline_and_holds_nothing_up():
    plain = scenario(nodes=2, roles=(RoleSpec("Old", owner="NODE1", online=False),))
    trial = Trial(plain)
    trial.run()
    assert trial.result.status is SUCCEEDED


def test_one_node_alone_is_refused_at_once():
    """CAU cannot update a single node: its roles have nowhere to go."""
    trial = Trial(evolve(scenario(nodes=1), witness=False))
    trial.run()
    assert trial.state.refusal is not None
    assert trial.state.refusal.kind is RefusalKind.OPTIONS
    assert trial.state.refusal.problem.message.startswith("LAB-FC1 has one node, and a single node cannot be updated")
    assert (trial.suspended, trial.memory.cluster.read_lock()) == ([], None)


def test_exclusive_updates_are_installed_alone():
    """0x80240019 would be the answer otherwise; the lab gives it."""
    trial = Trial(scenario(nodes=2))
    trial.run()
    assert not [each for each in trial.world.ledger.installations if each.hresult]


def test_nodes_of_other_products_get_other_updates():
    trial = Trial(
        evolve(scenario(nodes=2), nodes=(NodeSpec("A"), NodeSpec("B", products=frozenset({"Other"}))), roles=())
    )
    trial.run()
    assert trial.statuses == {"A": SUCCEEDED, "B": SUCCEEDED}
    assert trial.suspended == ["A"]
