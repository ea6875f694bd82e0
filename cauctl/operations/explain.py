"""Where a node stands in the newest run of its cluster that this computer knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.explaining import Explanation
from cauctl.coordinator.explaining import explain as explain_events
from cauctl.coordinator.journal import is_written, read_journal
from cauctl.errors import StateError
from cauctl.reports.store import ReportStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["explain"]


def explain(cluster_name: str, node: str, *, store: ReportStore | None = None) -> Explanation:
    """Explain what a node waits for, what happened before, and what to do; the cluster is not asked.

    Args:
        cluster_name: name of the cluster.
        node: name of the node, in any letter case.
        store: where the journals are; None: the user's state folder.

    Raises:
        InputError: the run has no node of that name.
        StateError: no journal of this cluster is on this computer, or the newest one cannot be read.
    """
    path = _newest((store or ReportStore()).journals(cluster_name), cluster_name)
    gone = not is_written(path)  # first: a run that ends meanwhile has its end in the journal that is read then
    return explain_events(read_journal(path, torn="drop").events, node, coordinator_gone=gone)


def _newest(journals: tuple[Path, ...], cluster: str) -> Path:
    if not journals:
        raise StateError(
            f"no journal of a run of {cluster} is on this computer.",
            advice=f"Ask where the run was started; cauctl status {cluster} tells who that was.",
        )
    return journals[-1]
