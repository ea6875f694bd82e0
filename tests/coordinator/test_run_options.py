"""What the options of Invoke-CauRun change in a run: each is seen in the lab's ground truth, or refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.settings import Limits
from cauctl.coordinator.state import RefusalKind
from cauctl.errors import RemoteError
from cauctl.lab.world.scenario import RoleSpec, Scenario
from cauctl.models.enums import SummaryStatus
from cauctl.operations.telling import Teller
from tests.trial import USER, Failing, Trial, scenario

SUCCEEDED, FAILED = SummaryStatus.SUCCEEDED, SummaryStatus.FAILED
DEGRADED = 0x80071763


def in_sites(*sites: str | None) -> Scenario:
    """Describe a lab whose nodes stand in these sites."""
    plain = scenario(nodes=len(sites))
    return evolve(plain, nodes=tuple(evolve(each, site=site) for each, site in zip(plain.nodes, sites, strict=True)))


# --- order -----------------------------------------------------------------------------------------------------------


def test_sites_have_their_turns_in_the_order_that_was_asked_for():
    """SiteAwareUpdatingOrder: site by site, the fewest roles first within one; other nodes last."""
    trial = Trial(in_sites("Paris", "Rome", "Paris", None))
    trial.run(site_order=("rome", "PARIS"))
    places = [trial.world.scenario.nodes[int(name[-1]) - 1].site for name in trial.state.order]
    assert ["Rome", "Paris", "Paris", None] == places


def test_a_node_that_node_order_names_comes_before_every_site():
    trial = Trial(in_sites("Paris", "Rome", "Paris", "Rome"))
    trial.run(node_order=("NODE3",), site_order=("Rome",))
    assert "NODE3" == trial.state.order[0]
    assert {"NODE2", "NODE4"} == set(trial.state.order[1:3])


def test_all_that_does_not_fit_the_cluster_is_refused_at_once_and_together():
    trial = Trial(in_sites("Paris", "Rome"))
    trial.run(node_order=("NODE9",), site_order=("Oslo", "Rome"), max_failed_nodes=2)
    refusal = trial.state.refusal
    assert refusal is not None
    assert RefusalKind.OPTIONS is refusal.kind
    assert (
        "NodeOrder names NODE9, expected nodes of LAB-FC1: NODE1, NODE2. "
        "SiteAwareUpdatingOrder names Oslo, expected sites of LAB-FC1: Paris, Rome. "
        "MaxFailedNodes is 2, expected less than the number of nodes, 2."
    ) == refusal.problem.message
    assert ([], None) == (trial.suspended, trial.memory.cluster.read_lock())


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_run_that_takes_long_says_so_once_in_progress_and_history():
    """WarnAfter: a warning, and the run goes on."""
    trial, told = Trial(scenario(nodes=2)), []
    teller = Teller(lambda _at, _node, text: told.append(text))
    trial.run(on_event=teller.on_event, warn_after=timedelta(minutes=10))
    assert 1 == told.count("the run takes longer than warn_after (10 min)")
    assert 1 == [each.text for each in trial.story.history().timeline].count("The run takes longer than WarnAfter.")
    assert SUCCEEDED is trial.result.status


# --- pausing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "refusals"), [(0, 2), (5, 2)])
def test_a_degraded_space_is_asked_again_for_as_long_as_was_asked_for(minutes: int, refusals: int):
    """SuspendClusterNodeTimeoutMinutes: only this error, and not counted as an attempt."""
    trial = Trial(scenario(nodes=2))
    degraded = RemoteError("degraded.", node="NODE1", command="Suspend-ClusterNode", hresult=DEGRADED)
    cluster = Failing(trial.memory.cluster, {"suspend": [degraded] * refusals})
    limits = Limits(suspend_retry=timedelta(minutes=minutes))
    trial.run(ports=evolve(trial.ports, cluster=cluster), limits=limits)
    assert {SUCCEEDED} == set(trial.statuses.values())
    attempts = max(node.attempt for node in trial.state.nodes.values())
    assert (1 if minutes else 3) == attempts


def test_pausing_a_node_is_tried_as_often_as_was_asked_for_and_counted_by_itself():
    """SuspendRetriesPerNode: then the next node has its turn; MaxRetriesPerNode is not used up."""
    trial = Trial(scenario("drain-fails:NODE2", nodes=3))
    trial.run(max_failed_nodes=1, suspend_retries=1, max_retries_per_node=0)
    assert {"NODE2": ["DrainFailed"] * 2} == trial.causes
    assert 2 == trial.suspended.count("NODE2")
    assert (FAILED, SUCCEEDED) == (trial.statuses["NODE2"], trial.statuses["NODE3"])


def test_an_attempt_is_left_after_pauses_that_failed():
    trial = Trial(scenario("drain-fails:NODE2,times=2", "install-fails:NODE2,times=1", nodes=2))
    trial.run(suspend_retries=2, max_retries_per_node=1)
    assert SUCCEEDED is trial.statuses["NODE2"]
    assert ["DrainFailed", "DrainFailed", "InstallFailed"] == [
        each.error_id for each in trial.state.nodes["NODE2"].record.transient
    ]


def test_a_pause_without_a_drain_leaves_roles_and_brings_them_back():
    """ForcePauseNoDrain: roles stay, fail over when the node restarts, and come back when it is resumed."""
    trial = Trial(scenario(nodes=3))
    homes = {group.name: group.owner for group in trial.world.cluster.roles if not group.core}
    trial.run(drain=False)
    assert {SUCCEEDED} == set(trial.statuses.values())
    assert [] != [each for each in trial.world.ledger.restarts if each.roles]
    assert homes == {group.name: group.owner for group in trial.world.cluster.roles if not group.core}


def test_a_locked_role_is_forced_off_where_that_was_asked_for():
    """ForcePauseAndDrain: a group that is locked is stopped and leaves; that it is not served again is said."""
    plain = scenario(nodes=3)
    roles = tuple(evolve(role, locked=role.name == "VM02") for role in plain.roles)
    trial = Trial(evolve(plain, roles=roles))
    trial.run(max_failed_nodes=1, force_drain=True)
    assert "NODE2" in [each.node for each in trial.world.ledger.restarts]
    assert "DrainFailed" not in trial.causes.get("NODE2", [])
    assert [] == [each for each in trial.world.ledger.restarts if each.roles]


@pytest.mark.parametrize("always", [False, True])
def test_a_node_is_restarted_without_need_only_where_that_was_asked_for(*, always: bool):
    """ForcePauseDrainAndReboot: paused, drained, and restarted also when no update asks for it."""
    plain = scenario(nodes=2)
    calm = tuple(update for update in plain.catalogue if not update.reboot_behavior)
    trial = Trial(evolve(plain, catalogue=calm))
    trial.run(always_restart=always)
    restarted = [each.node for each in trial.world.ledger.restarts]
    assert (sorted(trial.suspended) if always else []) == sorted(restarted)
    assert {SUCCEEDED} == set(trial.statuses.values())


# --- what is searched and waited for ----------------------------------------------------------------------------------


def test_nothing_is_searched_for_after_an_installation_where_that_was_asked_for():
    """SkipUpdateChecks: what the first installation made applicable is left to another run, and that is said."""
    thorough, quick = Trial(scenario(nodes=2)), Trial(scenario(nodes=2))
    thorough.run()
    quick.run(search_again=False)
    assert {SUCCEEDED} == set(quick.statuses.values())
    assert len(quick.world.ledger.installations) < len(thorough.world.ledger.installations)
    assert all("SkipUpdateChecks" in node.record.notes[-1] for node in quick.state.nodes.values())
    assert {} == quick.world.ledger.paused_now


def test_repair_is_waited_for_no_longer_than_was_asked_for():
    """WaitForStorageRepairTimeoutMinutes: then the node has failed; 0 does not wait at all."""
    trial = Trial(scenario("storage-stays-degraded:*", nodes=3, storage=True))
    trial.run(limits=Limits(storage=timedelta()), max_failed_nodes=2)
    assert {("StorageRepairTimeout",)} == {tuple(each) for each in trial.causes.values()}
    assert 1 == len(trial.suspended)


def test_a_role_that_was_offline_before_a_forced_drain_is_no_failure():
    plain = scenario(nodes=2, roles=(RoleSpec("Old", owner="NODE1", online=False),))
    trial = Trial(plain, user=USER)
    trial.run(force_drain=True, always_restart=True)
    assert {SUCCEEDED} == set(trial.statuses.values())
