"""Reports as CSV: for each run one row about the cluster, then one about each node.

The columns, in order; a cell is empty where a row has no such thing:

=====================  ===============================================================================================
Level                  ``Cluster`` or ``Node``
ClusterName, RunId     the run; the same in all its rows
NodeName               the node; empty in a cluster row
Status                 Succeeded, PartiallyFailed, Failed, Canceled
StartTimestamp         when the run began; in a node row when the node was paused
Duration               how long the run took, or the node was paused: ``h:mm:ss``
SucceededUpdates       updates installed; in a cluster row, over all nodes
FailedUpdates          updates failed, likewise
CanceledUpdates        updates not tried to the end, likewise
ErrorId, ErrorMessage  error of the row; in a cluster row the first cause of the run
ErrorNodeName          where that happened
Restarts               number of restarts, where the journal is known
BuildBefore            build before, where the journal is known
BuildAfter             build afterwards, where the journal is known
FailedUpdateTitles     titles of the updates that failed, separated by `` | ``
Plugin                 plug-ins of the run
OrchestratorMachine    computer of the coordinator
=====================  ===============================================================================================

Cells are quoted as RFC 4180 has it and lines end in CR LF; moments carry their offset.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from cauctl.models.enums import ResultCode
from cauctl.reports.cause import cause_of
from cauctl.reports.words import duration_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo
    from uuid import UUID

    from cauctl.models.failure import ErrorRecordData
    from cauctl.models.report import CauReport
    from cauctl.models.results import NodeResult
    from cauctl.models.run import NodeHistory, RunHistory

__all__ = ["COLUMNS", "csv_table"]

COLUMNS: Final = (
    "Level",
    "ClusterName",
    "RunId",
    "NodeName",
    "Status",
    "StartTimestamp",
    "Duration",
    "SucceededUpdates",
    "FailedUpdates",
    "CanceledUpdates",
    "ErrorId",
    "ErrorMessage",
    "ErrorNodeName",
    "Restarts",
    "BuildBefore",
    "BuildAfter",
    "FailedUpdateTitles",
    "Plugin",
    "OrchestratorMachine",
)


def csv_table(
    reports: Iterable[CauReport], *, zone: tzinfo | None = None, histories: Mapping[UUID, RunHistory] | None = None
) -> str:
    """Write reports as CSV; ``histories`` by run id adds what the runs' journals know."""
    known = histories or {}
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for report in reports:
        writer.writerows(_rows(report, known.get(report.cluster_result.run_id), zone))
    return stream.getvalue()


def _rows(report: CauReport, history: RunHistory | None, zone: tzinfo | None) -> Iterator[dict[str, str]]:
    result = report.cluster_result
    shared = {"ClusterName": result.name, "RunId": str(result.run_id)}
    cause = cause_of(report, history)
    yield shared | {
        "Level": "Cluster",
        "Status": str(result.status),
        "StartTimestamp": moment_text(result.start_timestamp, zone),
        "Duration": duration_text(result.run_duration),
        **_counts(result.node_results),
        **_error(cause.error if cause else None),
        "ErrorNodeName": (cause.node_name or "") if cause else "",
        "Plugin": report.plugin,
        "OrchestratorMachine": report.orchestrator_machine,
    }
    for node in result.node_results:
        yield shared | _node(node, history.node(node.node.node_name) if history else None, zone)


def _node(node: NodeResult, history: NodeHistory | None, zone: tzinfo | None) -> dict[str, str]:
    began, lasted = node.node_suspended_timestamp, node.node_suspended_duration
    failed = [each.update_title for each in node.install_results if each.update_result_code is ResultCode.FAILED]
    return {
        "Level": "Node",
        "NodeName": node.node.node_name,
        "Status": str(node.status),
        "StartTimestamp": moment_text(began, zone) if began is not None else "",
        "Duration": duration_text(lasted) if lasted is not None else "",
        **_counts((node,)),
        **_error(node.error_record_data),
        "ErrorNodeName": node.node.node_name if node.error_record_data else "",
        "Restarts": str(len(history.restarts)) if history else "",
        "BuildBefore": (history.build_before or "") if history else "",
        "BuildAfter": (history.build_after or "") if history else "",
        "FailedUpdateTitles": " | ".join(failed),
    }


def _counts(nodes: Iterable[NodeResult]) -> dict[str, str]:
    results = tuple(nodes)
    return {
        "SucceededUpdates": str(sum(node.number_of_succeeded_updates for node in results)),
        "FailedUpdates": str(sum(node.number_of_failed_updates for node in results)),
        "CanceledUpdates": str(sum(node.number_of_canceled_updates for node in results)),
    }


def _error(error: ErrorRecordData | None) -> dict[str, str]:
    if error is None:
        return {}
    return {"ErrorId": error.fully_qualified_error_id, "ErrorMessage": error.message}
