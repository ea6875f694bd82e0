"""How models look to .NET: the names, order and types that documents and pictures of real runs show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cauctl import models
from cauctl.models.dotnet import DotNetType, dotnet_type, inferences
from cauctl.models.naming import pascal_case, snake_case

MOMENT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
NODE = models.CauNode("NODE1")
UPDATE = models.UpdateInfo("NODE1", update_id="id", update_title="title")
INSTALLED = models.UpdateInstallResult.of(UPDATE, models.ResultCode.SUCCEEDED, at=MOMENT)
ERROR = models.ErrorRecordData.saying("Id", "message")
RESULT = models.NodeResult(
    NODE, status=models.SummaryStatus.SUCCEEDED, install_results=(INSTALLED,), error_record_data=ERROR
)
CLUSTER = models.ClusterResult(
    "C",
    run_id=UUID(int=1),
    start_timestamp=MOMENT,
    run_duration=timedelta(hours=1),
    status=models.SummaryStatus.SUCCEEDED,
    node_results=(RESULT,),
)
REPORT = models.CauReport(CLUSTER)
SAMPLES = (
    NODE,
    UPDATE,
    INSTALLED,
    models.UpdateStagingResult.of(UPDATE, models.ResultCode.SUCCEEDED, at=MOMENT),
    ERROR,
    ERROR.exception_data,
    models.NodeRebootResult("Succeeded"),
    RESULT,
    CLUSTER,
    REPORT,
    models.CauReportSummary.of(REPORT),
    models.NodeStatusNotification(NODE, status=models.NodeStatus.WAITING, timestamp=MOMENT),
    models.CauRun(UUID(int=1), run_start_time=MOMENT, current_orchestrator="NODE1"),
)

PRINTED = {
    models.UpdateInfo: "NodeName UpdateId UpdateTitle UpdateDescription SourcePlugin",
    models.UpdateInstallResult: "UpdateResultCode ErrorCode RebootRequired LongRebootHint UpdateTimestamp "
    "NodeName UpdateId UpdateTitle UpdateDescription SourcePlugin",
    models.NodeStatusNotification: "Node Status Timestamp",
    models.CauRun: "RunId RunStartTime CurrentOrchestrator NodeStatusNotifications NodeResults CancelPending",
    models.NodeResult: "Node Status ErrorRecordData NumberOfSucceededUpdates NumberOfFailedUpdates InstallResults "
    "TransientInstallErrors NodeSuspendedTimestamp NodeSuspendedDuration NodeRebootResult TimingBreakdownUTC",
    models.ClusterResult: "Name RunId StartTimestamp RunDuration Status ErrorRecordData NodeResults",
    models.CauReport: "ClusterResult Plugin OrchestratorMachine OrchestratorUser OrchestratorUpdateAccount",
    models.CauReportSummary: "ClusterName Status StartTimestamp CountOfSucceededResults CountOfFailedResults "
    "CountOfCanceledResults HadTransientInstallError",
}


def described(cls: type) -> DotNetType:
    found = dotnet_type(cls)
    assert found is not None, f"{cls} has no description"
    return found


@pytest.mark.parametrize("cls", PRINTED, ids=lambda cls: cls.__name__)
def test_properties_stand_in_the_order_that_microsoft_prints(cls: type):
    assert PRINTED[cls].split() == [each.name for each in described(cls).properties]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_each_described_property_can_be_read(sample: object):
    for each in described(type(sample)).properties:
        getattr(sample, each.attribute)
        assert snake_case(each.name) == each.attribute or each.name == "Type"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_types_are_microsofts_and_texts_are_texts(sample: object):
    described_type = described(type(sample))
    assert f"Microsoft.ClusterAwareUpdating.{type(sample).__name__}" == described_type.name
    if described_type.text is not None:
        assert isinstance(getattr(sample, described_type.text), str)


def test_updates_derive_from_their_base():
    assert ("Microsoft.ClusterAwareUpdating.UpdateInfoBase", "System.Object") == described(models.UpdateInfo).bases


def test_what_is_inferred_is_listed_in_one_place():
    """Nobody takes an inference for a fact: each is marked where the class is described, and all can be listed."""
    listed = list(inferences())
    assert "Microsoft.ClusterAwareUpdating.NodeResult.TimingBreakdownUTC (System.String)" in listed
    assert "Microsoft.ClusterAwareUpdating.NodeStatusType: see cauctl.models.enums.INFERRED" in listed
    assert (
        "Microsoft.ClusterAwareUpdating.NodeResult.Status (Microsoft.ClusterAwareUpdating.SummaryStatus)" not in listed
    )


@pytest.mark.parametrize("name", ["NodeName", "TimingBreakdownUTC", "HadTransientInstallError", "WhatIf"])
def test_names_have_two_spellings(name: str):
    assert name.casefold() == pascal_case(snake_case(name)).casefold()
