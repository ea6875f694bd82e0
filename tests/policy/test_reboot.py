"""Proof of a restart: node-operations §4.3."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.models.nodes import NodeProbe, NodeState
from cauctl.policy.reboot import Boot, Lacking, boot_of, lacking, same_boot
from tests.policy.facts import DOWN, NOON, PAUSED, cluster, node

BACK = NodeProbe("N1", boot_time=NOON, build="20348.2700")
TOLERANCE = timedelta(seconds=10)


@pytest.mark.parametrize(("apart", "same"), [(0, True), (10, True), (-10, True), (11, False), (-11, False)])
def test_boot_times_within_the_tolerance_are_the_same_boot(apart, same):
    """Clock corrections move a boot time a little, in both directions."""
    assert same is same_boot(Boot(NOON), Boot(NOON + timedelta(seconds=apart)), TOLERANCE)


@pytest.mark.parametrize(
    ("set_by", "passed", "up_for", "same"), [(3600, 60, 660, True), (-3600, 60, 660, True), (40, 60, 20, False)]
)
def test_a_clock_that_is_set_is_no_restart(set_by, passed, up_for, same):
    """Windows moves the boot time with the clock; the uptime shows which it was, by our own clock."""
    before = boot_of(evolve(BACK, uptime=timedelta(seconds=600)), NOON)
    seen = evolve(BACK, boot_time=NOON + timedelta(seconds=set_by), uptime=timedelta(seconds=up_for))
    assert same is same_boot(before, boot_of(seen, NOON + timedelta(seconds=passed)), TOLERANCE)


@pytest.mark.parametrize(
    ("changes", "state", "name"),
    [
        ({}, PAUSED, None),
        ({}, NodeState.UP, None),
        ({"boot_finished": False, "servicing_in_progress": True}, PAUSED, "BootFinished"),
        ({"servicing_in_progress": True, "cluster_service_running": False}, DOWN, "ServicingIdle"),
        ({"cluster_service_running": False}, DOWN, "ClusterService"),
        ({}, NodeState.JOINING, "ClusterMembership"),
        ({}, DOWN, "ClusterMembership"),
        ({"stopped_services": ("vmms", "Backup")}, PAUSED, "Services"),
    ],
)
def test_the_first_proof_that_is_missing_is_named(changes, state, name):
    found = lacking(evolve(BACK, **changes), cluster(node("N1", state), node("N2")))
    assert name == (found and found.name)


def test_a_member_in_quarantine_has_not_rejoined():
    facts = cluster(node("N1", status_information=("Quarantined",)))
    assert lacking(BACK, facts) == Lacking("ClusterMembership", reason="the other nodes see N1 as Up, Quarantined")


def test_networks_that_are_not_back_are_named():
    """node-operations §4.3: all cluster networks of the node Up; one that was down before is not waited for."""
    found = lacking(BACK, cluster(node("N1", PAUSED)), ["N1 - Ethernet 2"])
    assert found == Lacking("ClusterNetworks", reason="not up again: N1 - Ethernet 2")


def test_services_are_named():
    found = lacking(evolve(BACK, stopped_services=("vmms", "Backup")), cluster(node("N1")))
    assert found == Lacking("Services", reason="not running on N1: vmms, Backup")
