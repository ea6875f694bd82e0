"""The first cause of a run: what the report says, else its journal, else the first error that the results hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.models.enums import ResultCode
from cauctl.models.failure import ErrorRecordData, FirstCause
from cauctl.models.hresult import hex_code, hresult

if TYPE_CHECKING:
    from cauctl.models.report import CauReport
    from cauctl.models.results import NodeResult
    from cauctl.models.run import RunHistory

__all__ = ["cause_of"]


def cause_of(report: CauReport, history: RunHistory | None = None) -> FirstCause | None:
    """Find the first failure of a run; None when nothing failed.

    A report without one of its own (a refused run, another program's) is searched: results of nodes stand in the order
    in which they ended, and an error of the run as a whole follows from those of its nodes.
    """
    if report.first_cause is not None:
        return report.first_cause
    if history is not None and history.first_cause is not None:
        return history.first_cause
    nodes = (_node_cause(node) for node in report.cluster_result.node_results)
    first = next((cause for cause in nodes if cause is not None), None)
    if first is None and report.cluster_result.error_record_data is not None:
        return FirstCause(report.cluster_result.error_record_data)
    return first


def _node_cause(node: NodeResult) -> FirstCause | None:
    if node.error_record_data is not None:
        return FirstCause(node.error_record_data, node_name=node.node.node_name)
    for update in node.install_results:
        if update.update_result_code is ResultCode.FAILED:
            known = hresult(update.error_code)
            message = f"{update.update_title} failed with {hex_code(update.error_code)}"
            error = ErrorRecordData.saying(
                "UpdateFailed",
                f"{message} ({known.meaning})." if known else f"{message}.",
                advice=known.remedy.value if known else None,
            )
            return FirstCause(error, node_name=node.node.node_name, timestamp=update.update_timestamp)
    return None
