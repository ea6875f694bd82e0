"""Storage Spaces Direct: node-operations §2.5."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cauctl.models.nodes import StorageFacts, StorageJob, VirtualDisk
from cauctl.policy.storage import StorageReport, StorageState, assess, assess_while_out, enough
from tests.policy.facts import NOON

HEALTHY = VirtualDisk("V1", health_status="Healthy", operational_status=("OK",))
RESYNCING = VirtualDisk("V1", health_status="Warning", operational_status=("InService",))
INCOMPLETE = VirtualDisk("V1", health_status="Warning", operational_status=("Degraded", "Incomplete"))
LOST = VirtualDisk("V1", health_status="Unhealthy", operational_status=("No Redundancy",))
DETACHED = VirtualDisk("V1", health_status="Unknown", operational_status=("Detached",))
RUNNING = StorageJob("Repair", state="Running", percent_complete=40)
SUSPENDED = StorageJob("Repair", state="Suspended")

AT_REST = StorageReport(StorageState.AT_REST)
JOB = "storage job Repair is Running at 40 %"
WAITS = "storage job Repair is Suspended at 0 %"
SICK = "virtual disk V1 is Warning (InService)"


@pytest.mark.parametrize(
    ("storage", "report"),
    [
        pytest.param(StorageFacts(), AT_REST, id="no storage spaces"),
        pytest.param(StorageFacts(virtual_disks=(HEALTHY,)), AT_REST, id="healthy"),
        pytest.param(
            StorageFacts((RUNNING,), virtual_disks=(HEALTHY,)),
            StorageReport(StorageState.BUSY, reason=JOB),
            id="a rebalance counts as well",
        ),
        pytest.param(
            StorageFacts((RUNNING,), virtual_disks=(RESYNCING,)),
            StorageReport(StorageState.BUSY, reason=f"{JOB}; {SICK}"),
            id="resync",
        ),
        pytest.param(
            StorageFacts((SUSPENDED,), virtual_disks=(RESYNCING,)),
            StorageReport(StorageState.BUSY, reason=f"{WAITS}; {SICK}", repair=("V1",)),
            id="a suspended repair is kicked",
        ),
        pytest.param(
            StorageFacts(virtual_disks=(INCOMPLETE,)),
            StorageReport(
                StorageState.BUSY, reason="virtual disk V1 is Warning (Degraded, Incomplete)", repair=("V1",)
            ),
            id="a repair that nobody began is kicked",
        ),
        pytest.param(
            StorageFacts((RUNNING,), virtual_disks=(LOST,)),
            StorageReport(StorageState.IN_DANGER, reason="virtual disk V1 is Unhealthy (No Redundancy)"),
            id="no redundancy",
        ),
        pytest.param(
            StorageFacts(virtual_disks=(DETACHED,)),
            StorageReport(StorageState.IN_DANGER, reason="virtual disk V1 is Unknown (Detached)"),
            id="detached",
        ),
    ],
)
def test_one_look(storage, report):
    assert report == assess(storage)


@pytest.mark.parametrize(
    ("storage", "returned", "report"),
    [
        pytest.param(StorageFacts(virtual_disks=(INCOMPLETE,)), True, AT_REST, id="our own disks are out"),
        pytest.param(StorageFacts((SUSPENDED,), virtual_disks=(INCOMPLETE,)), False, AT_REST, id="our own job waits"),
        pytest.param(
            StorageFacts((SUSPENDED,), virtual_disks=(INCOMPLETE,)),
            True,
            StorageReport(StorageState.BUSY, reason=WAITS, repair=("V1",)),
            id="it may be another node's job",
        ),
        pytest.param(
            StorageFacts((RUNNING,), virtual_disks=(INCOMPLETE,)),
            False,
            StorageReport(StorageState.BUSY, reason=JOB),
            id="a running job is another node's",
        ),
        pytest.param(
            StorageFacts(virtual_disks=(LOST,)),
            False,
            StorageReport(StorageState.IN_DANGER, reason="virtual disk V1 is Unhealthy (No Redundancy)"),
            id="no redundancy",
        ),
    ],
)
def test_one_look_while_the_drained_node_is_out(storage, returned, report):
    assert report == assess_while_out(storage, others_returned=returned)


@pytest.mark.parametrize(
    ("count", "up_for", "answer"),
    [
        (1, None, (False, "healthy in 1 of 3 looks")),
        (3, None, (True, "")),
        (3, timedelta(seconds=59), (False, "a node came back 59 s ago, 60 s are waited")),
        (3, timedelta(seconds=60), (True, "")),
    ],
)
def test_several_looks_in_a_row_and_not_right_after_a_node_came_back(count, up_for, answer):
    since = None if up_for is None else NOON - up_for
    assert answer == enough(count, samples=3, settled_since=since, now=NOON, settle=timedelta(minutes=1))
