"""Bad days: whatever fails, the node is resumed or named, and the first cause is kept.

Asserted on the ground truth of the lab's ledger and on what the run says of itself.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.coordinator.events import StopReason
from cauctl.coordinator.settings import Limits
from cauctl.errors import AuthenticationError, FateUnknownError, NodeUnreachableError, RemoteError, TlsError
from cauctl.lab.world.scenario import Quirks
from cauctl.models.enums import ResultCode, SummaryStatus
from cauctl.models.hresult import unsigned
from tests.trial import USER, Failing, Trial, scenario

SUCCEEDED, FAILED, PARTIALLY, CANCELED = (
    SummaryStatus.SUCCEEDED,
    SummaryStatus.FAILED,
    SummaryStatus.PARTIALLY_FAILED,
    SummaryStatus.CANCELED,
)


def test_a_scan_that_ends_with_an_hresult_is_named_in_caus_words():
    trial = Trial(scenario("scan-error:NODE2", nodes=3))
    trial.run(max_failed_nodes=1)
    assert trial.statuses == {"NODE1": SUCCEEDED, "NODE2": FAILED, "NODE3": SUCCEEDED}
    cause = trial.state.first_cause
    assert (cause.node, cause.problem.error_id, cause.problem.hresult) == ("NODE2", "ScanFailed", 0x8024402C)
    assert cause.problem.message.startswith(
        "The Microsoft.WindowsUpdatePlugin plug-in reported a failure while attempting to scan for applicable updates "
        'on node "NODE2": 0x8024402C, WU_E_PT_WINHTTP_NAME_NOT_RESOLVED'
    )
    assert trial.suspended == ["NODE3", "NODE1"]
    assert trial.result.status is PARTIALLY


def test_a_scan_error_that_passes_is_tried_again():
    trial = Trial(scenario("scan-error:NODE2,hresult=0x80240009,times=2", nodes=2))
    trial.run()
    assert trial.statuses["NODE2"] is SUCCEEDED
    assert [each.error_id for each in trial.state.nodes["NODE2"].record.transient] == ["ScanFailed", "ScanFailed"]


def test_one_failed_node_more_than_allowed_stops_the_run():
    """CAU: the run stops when one more than MaxFailedNodes nodes have failed, with this error id."""
    trial = Trial(scenario("scan-error:NODE2", nodes=3))
    trial.run(max_failed_nodes=0)
    assert trial.statuses == {"NODE1": CANCELED, "NODE2": FAILED, "NODE3": CANCELED}
    assert trial.result.error_record_data.fully_qualified_error_id == "MaxFailedNodesExceeded"
    assert (trial.result.status, trial.suspended) == (FAILED, [])
    assert trial.state.first_cause.node == "NODE2"


def test_a_drain_that_fails_is_undone_tried_again_and_named():
    trial = Trial(scenario("drain-fails:NODE2", nodes=3))
    trial.run(max_failed_nodes=1, max_retries_per_node=2)
    assert trial.statuses == {"NODE1": SUCCEEDED, "NODE2": FAILED, "NODE3": SUCCEEDED}
    assert trial.causes == {"NODE2": ["DrainFailed"] * 3}
    assert trial.suspended.count("NODE2") == 3
    assert trial.world.ledger.paused_now == {}
    assert "NODE2" not in [each.node for each in trial.world.ledger.restarts]


def test_a_drain_that_fails_once_costs_an_attempt_and_no_more():
    trial = Trial(scenario("drain-fails:NODE2,times=1", nodes=3))
    trial.run()
    assert trial.result.status is SUCCEEDED
    assert [each.error_id for each in trial.state.nodes["NODE2"].record.transient] == ["DrainFailed"]


def test_a_drain_that_says_completed_with_a_role_left_is_no_success():
    """node-operations §2.3: success only if no online group is still owned by the node."""
    trial = Trial(evolve(scenario(nodes=3), quirks=Quirks(1.0, 0.0, 0.0, 0.0, 0.0)))
    trial.run()
    assert trial.result.status is SUCCEEDED
    assert not [each for each in trial.world.ledger.restarts if each.roles]


def test_a_locked_role_fails_the_node_undone_and_named():
    plain = scenario(nodes=3)
    roles = tuple(evolve(role, locked=role.name == "VM02") for role in plain.roles)
    trial = Trial(evolve(plain, roles=roles))
    trial.run(max_failed_nodes=1, max_retries_per_node=1)
    assert trial.statuses == {"NODE1": SUCCEEDED, "NODE2": FAILED, "NODE3": SUCCEEDED}
    assert trial.causes == {"NODE2": ["DrainFailed", "DrainFailed"]}
    problem = trial.state.nodes["NODE2"].record.causes[0].problem
    assert problem.message == "These roles did not leave NODE2: VM02."
    assert problem.advice.startswith("Locked from moving: VM02.")
    assert trial.world.ledger.paused_now == {}
    assert "NODE2" not in [each.node for each in trial.world.ledger.restarts]


def test_a_restart_that_never_comes_back_leaves_the_node_named_and_stops_the_run():
    trial = Trial(scenario("restart-hangs:NODE2", nodes=4))
    trial.run(max_failed_nodes=2, reboot_timeout=timedelta(minutes=20))
    cause = trial.state.first_cause
    assert cause.problem.message == 'Failed to restart "NODE2": The timeout limit (00:20:00) was reached.'
    assert (trial.state.unresumed, trial.state.stopping) == (("NODE2",), StopReason.UNSAFE)
    assert trial.statuses == {"NODE1": CANCELED, "NODE2": PARTIALLY, "NODE3": SUCCEEDED, "NODE4": CANCELED}
    assert trial.result.error_record_data.fully_qualified_error_id == "NodeNotResumed"
    lock = trial.memory.cluster.read_lock()
    assert lock is not None
    assert lock.lease_until <= trial.world.now


def test_a_node_that_comes_back_late_is_resumed_and_finished():
    trial = Trial(scenario("restart-hangs:NODE2,times=1", nodes=2))
    trial.world.kernel.after(timedelta(minutes=45), lambda: trial.world.machine("NODE2").switch_on())
    trial.run(node_order=("NODE2",))
    assert trial.statuses == {"NODE1": SUCCEEDED, "NODE2": SUCCEEDED}
    assert [each.error_id for each in trial.state.nodes["NODE2"].record.transient] == ["RestartTimeout"]
    assert trial.world.ledger.paused_now == {}


def test_a_connection_cut_in_the_middle_of_an_install_loses_nothing():
    """Design §9: the agent goes on; the coordinator reconnects and polls."""
    trial = Trial(scenario("connection-cut:NODE2,lasts=1500", nodes=2))
    trial.run()
    assert trial.result.status is SUCCEEDED
    assert trial.state.nodes["NODE2"].record.transient == ()
    titles = [each.title for each in trial.world.ledger.installations if each.node == "NODE2"]
    assert len(titles) == len(set(titles))


def test_an_update_that_fails_is_tried_again_and_then_named():
    trial = Trial(scenario("install-fails:NODE2", nodes=2))
    trial.run(max_failed_nodes=1, max_retries_per_node=2)
    node = trial.state.nodes["NODE2"]
    assert (node.record.status, node.attempt) == (PARTIALLY, 3)
    assert node.record.causes[0].problem.error_id == "InstallFailed"
    assert "0x80070643 (ERROR_INSTALL_FAILURE" in node.record.causes[0].problem.message
    result = next(each for each in trial.result.node_results if each.node.node_name == "NODE2")
    failed = [each for each in result.install_results if each.update_result_code is ResultCode.FAILED]
    assert {unsigned(each.error_code) for each in failed} == {0x80070643}
    assert result.number_of_succeeded_updates > 0
    assert trial.world.ledger.paused_now == {}


def test_an_update_that_fails_once_succeeds_with_a_transient_error():
    trial = Trial(scenario("install-fails:NODE2,times=1", nodes=2))
    trial.run()
    assert trial.result.status is SUCCEEDED
    assert [each.error_id for each in trial.state.nodes["NODE2"].record.transient] == ["InstallFailed"]


def test_an_update_that_rolls_back_is_a_loop_and_is_not_counted_as_installed():
    trial = Trial(scenario("update-rolls-back:NODE2", nodes=2))
    trial.run(max_failed_nodes=1)
    assert trial.causes == {"NODE2": ["UpdateLoop"]}
    assert "rolled back each time" in trial.state.first_cause.problem.message
    result = next(each for each in trial.result.node_results if each.node.node_name == "NODE2")
    codes = {each.update_result_code: unsigned(each.error_code) for each in result.install_results}
    assert codes == {ResultCode.SUCCEEDED: 0, ResultCode.FAILED: 0x80242016}
    assert len([each for each in trial.world.ledger.restarts if each.node == "NODE2"]) == 1


def test_a_witness_that_is_offline_counts_as_one_failure():
    """Two nodes and a witness: with the witness away no node may go."""
    trial = Trial(scenario("witness-offline", nodes=2))
    trial.run(max_failed_nodes=1)
    assert trial.suspended in ([], ["NODE2"])
    assert trial.world.ledger.quorum_losses == 0
    assert "QuorumTimeout" in {each for ids in trial.causes.values() for each in ids}


def test_storage_that_stays_degraded_holds_the_next_node_up_to_its_limit():
    trial = Trial(scenario("storage-stays-degraded:NODE2", nodes=3, storage=True))
    trial.run(max_failed_nodes=1, limits=Limits(storage=timedelta(minutes=30)))
    assert trial.suspended == ["NODE2"]
    assert set(trial.causes) == {"NODE1", "NODE3"}
    assert trial.state.first_cause.problem.error_id == "StorageRepairTimeout"
    assert "for 30 min, storage job Repair is Running at 37 %" in trial.state.first_cause.problem.message


def test_a_repair_that_nobody_carries_on_is_started():
    trial = Trial(evolve(scenario(nodes=3, storage=True), quirks=Quirks(0.0, 0.0, 0.0, 0.0, 1.0)))
    trial.run()
    assert trial.result.status is SUCCEEDED


# --- nodes that somebody else has in hand ----------------------------------------------------------------------------


def test_a_node_that_an_administrator_paused_stays_paused_and_is_named():
    """Design §9."""
    plain = scenario(nodes=3)
    nodes = tuple(evolve(node, paused=node.name == "NODE2") for node in plain.nodes)
    trial = Trial(evolve(plain, nodes=nodes))
    trial.run()
    assert trial.statuses == {"NODE1": SUCCEEDED, "NODE2": CANCELED, "NODE3": SUCCEEDED}
    assert trial.causes == {"NODE2": ["NodePaused"]}
    assert trial.world.ledger.paused_now == {"NODE2": "administrator"}
    assert trial.result.status is PARTIALLY


def test_a_node_paused_by_somebody_during_the_run_stays_paused():
    trial = Trial(scenario(nodes=3))
    cluster = trial.world.cluster
    trial.world.kernel.after(timedelta(minutes=20), lambda: cluster.suspend("NODE1", drain=True, by="administrator"))
    trial.run()
    assert trial.statuses["NODE1"] is CANCELED
    assert trial.causes == {"NODE1": ["NodePaused"]}
    assert trial.world.ledger.paused_now == {"NODE1": "administrator"}


def test_while_another_node_is_down_nobody_is_taken_down():
    plain = scenario(nodes=3)
    nodes = tuple(evolve(node, down=node.name == "NODE3") for node in plain.nodes)
    trial = Trial(evolve(plain, nodes=nodes, roles=()))
    trial.run(max_failed_nodes=2)
    assert trial.suspended == []
    assert trial.causes == {"NODE1": ["HealthTimeout"], "NODE2": ["HealthTimeout"], "NODE3": ["NodeNotOnline"]}


def test_a_node_that_is_down_and_comes_back_is_waited_for():
    plain = scenario(nodes=3)
    nodes = tuple(evolve(node, down=node.name == "NODE3") for node in plain.nodes)
    trial = Trial(evolve(plain, nodes=nodes, roles=()))
    trial.world.kernel.after(timedelta(minutes=10), lambda: trial.world.machine("NODE3").switch_on())
    trial.run()
    assert trial.statuses == {"NODE1": SUCCEEDED, "NODE2": SUCCEEDED, "NODE3": CANCELED}


# --- the way to the nodes --------------------------------------------------------------------------------------------


def test_a_refused_credential_is_never_tried_again():
    """Design §9: repeated attempts lock accounts."""
    trial = Trial(scenario(nodes=2))
    agent = Failing(trial.memory.agent, {"begin": [AuthenticationError("access is denied.", node="NODE1")]})
    trial.run(ports=evolve(trial.ports, agent=agent), max_failed_nodes=1)
    assert trial.causes == {"NODE1": ["AuthenticationFailed"]}
    assert [call for call in agent.calls if call == "begin NODE1"] == ["begin NODE1"]


def test_an_untrusted_certificate_is_never_tried_again():
    trial = Trial(scenario(nodes=2))
    node = Failing(trial.memory.node, {"probe": [TlsError("self-signed certificate.", node="NODE1")]})
    trial.run(ports=evolve(trial.ports, node=node), max_failed_nodes=1)
    assert trial.causes == {"NODE1": ["CertificateNotTrusted"]}
    assert node.calls.count("probe NODE1") == 1


def test_nobody_answers_is_tried_again():
    trial = Trial(scenario(nodes=2))
    silence = NodeUnreachableError("nobody answers.", node="NODE1")
    node = Failing(trial.memory.node, {"probe": [silence, silence]})
    trial.run(ports=evolve(trial.ports, node=node))
    assert trial.result.status is SUCCEEDED


def test_a_node_that_never_answers_is_given_up_in_bounded_time():
    trial = Trial(scenario(nodes=2))
    silence = [NodeUnreachableError("nobody answers.", node="NODE1") for _ in range(1000)]
    node = Failing(trial.memory.node, {"probe": silence})
    trial.run(ports=evolve(trial.ports, node=node), max_failed_nodes=2 - 1, max_retries_per_node=1)
    assert trial.causes["NODE1"][0] == "NodeUnreachable"
    assert trial.world.now - trial.world.scenario.begins < timedelta(hours=1)


@pytest.mark.parametrize("method", ["suspend", "resume"])
@pytest.mark.parametrize("after", [True, False], ids=["was carried out", "was not carried out"])
def test_an_answer_lost_on_the_way_is_looked_for(method, after):
    """The port's promise: after FateUnknownError the caller looks before it acts again."""
    trial = Trial(scenario(nodes=2))
    lost = FateUnknownError("the connection broke.", node="NODE1")
    cluster = Failing(trial.memory.cluster, {method: [lost]}, after=after)
    trial.run(ports=evolve(trial.ports, cluster=cluster))
    assert trial.result.status is SUCCEEDED
    assert len([call for call in cluster.calls if call.startswith(method)]) == (2 if after else 3)


def test_a_degraded_space_is_retried_without_using_up_attempts():
    """CAU: retries of Suspend-ClusterNode for ERROR_CLUSTER_SPACE_DEGRADED do not count towards MaxRetriesPerNode."""
    trial = Trial(scenario(nodes=2))
    degraded = [
        RemoteError("A clustered space is degraded.", node="NODE1", command="Suspend-ClusterNode", hresult=0x80071763)
        for _ in range(4)
    ]
    cluster = Failing(trial.memory.cluster, {"suspend": degraded})
    trial.run(ports=evolve(trial.ports, cluster=cluster), max_retries_per_node=0)
    assert trial.result.status is SUCCEEDED


def test_an_unforeseen_error_of_a_port_undoes_the_node():
    class BrokenError(Exception):
        pass

    trial = Trial(scenario(nodes=2))
    real = trial.memory.agent

    class Agent(Failing):
        def begin(self, node, request):
            if request.operation.value == "Install":
                raise BrokenError
            real.begin(node, request)

    trial.run(ports=evolve(trial.ports, agent=Agent(real, {})), max_failed_nodes=1, max_retries_per_node=0)
    assert {ids[0] for ids in trial.causes.values()} == {"InternalError"}
    assert trial.world.ledger.paused_now == {}
    assert [pause.paused for pause in trial.world.ledger.pauses if pause.by == USER].count(True) == 2


def test_a_node_that_restarts_by_itself_while_it_installs_is_proved_and_finished():
    trial = Trial(scenario(nodes=2))

    def strike(_event: object, state: object) -> None:
        node = state.nodes.get("NODE2")
        installing = node and node.phase.value == "Installing" and node.agent.after > 1
        if installing and not trial.world.ledger.restarts:
            trial.world.machine("NODE2").lose_power()

    trial.run(on_event=strike)
    assert trial.statuses["NODE2"] is SUCCEEDED
    assert any(not each.ours for each in trial.state.nodes["NODE2"].record.restarts)


# --- the coordinator itself is cut off -------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["Installing", "Verifying", "Resuming"])
def test_a_coordinator_that_is_cut_off_for_long_waits_and_finishes(phase):
    """Design §9: only the node's own loss ends an attempt; that nobody answers is no loss of the node."""
    trial = Trial(scenario(nodes=2))
    cut: list[str] = []

    def strike(_event: object, state: object) -> None:
        node = next((each for each in state.nodes.values() if each.phase.value == phase), None)
        if node and not cut and (phase != "Installing" or node.agent.after > 1):
            cut.append(node.name)
            for machine in trial.world.machines.values():
                machine.cut(timedelta(minutes=50))

    trial.run(on_event=strike)
    assert trial.result.status is SUCCEEDED
    assert trial.world.ledger.paused_now == {}
    titles = [(each.node, each.title) for each in trial.world.ledger.installations]
    assert len(titles) == len(set(titles))


def test_a_restart_that_is_pending_still_is_followed_by_another_and_no_more():
    """node-operations §4.1: rescan after every reboot until nothing is left; what never ends is bounded."""
    trial = Trial(scenario(nodes=2))
    probe = trial.memory.node.probe
    trial.memory.node.probe = lambda node: (
        evolve(probe(node), reboot_pending=("CBS RebootPending",)) if node == "NODE2" else probe(node)
    )
    trial.run()
    assert trial.result.status is SUCCEEDED
    assert [each.node for each in trial.world.ledger.restarts].count("NODE2") <= 4
    assert "restarted once more" in " ".join(trial.state.nodes["NODE2"].record.notes)


def test_the_time_that_a_node_is_paused_is_added_up_over_its_attempts():
    trial = Trial(scenario("drain-fails:NODE2,times=1", nodes=2))
    trial.run()
    pauses = [each for each in trial.world.ledger.pauses if each.node == "NODE2"]
    paused = sum((up.at - down.at for down, up in zip(pauses[::2], pauses[1::2], strict=True)), timedelta())
    result = next(each for each in trial.result.node_results if each.node.node_name == "NODE2")
    assert timedelta() <= result.node_suspended_duration - paused < timedelta(minutes=1)
    assert result.node_suspended_timestamp == pauses[0].at
