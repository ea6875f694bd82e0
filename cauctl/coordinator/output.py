"""What a run writes while it works, as Invoke-CauRun and Invoke-CauScan do: objects, in order, as they come about.

First every node's status Waiting; then each new status, each update found, what became of each download and
installation, and the NodeResult when the coordinator is done with a node. The ClusterResult is the caller's to write
last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.results import install_results, node_result, node_status, staging_result, update_info
from cauctl.coordinator.settings import Purpose
from cauctl.coordinator.state import NodeRecord, NodeWork, Phase, RunState
from cauctl.models.enums import NodeStatus, ResultCode
from cauctl.models.results import CauNode
from cauctl.models.run import NodeStatusNotification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from cauctl.models.updates import UpdateInstallResult

__all__ = ["OutputStream", "written"]


class OutputStream:
    """Gives what a run writes to a callback; :class:`cauctl.ports.Observer`."""

    def __init__(self, on_output: Callable[[object], None]) -> None:
        self._on_output = on_output
        self._last = RunState()

    def __repr__(self) -> str:
        return f"<OutputStream of run {self._last.run_id or 'none yet'}>"

    def on_event(self, event: object, state: object) -> None:  # noqa: ARG002  the port's signature
        """Write what came about."""
        if isinstance(state, RunState):
            before, self._last = self._last, state
            for each in written(before, state):
                self._on_output(each)

    def on_wait(self, node: str | None, waiting_for: str, since: datetime, limit: timedelta | None) -> None:
        """Waits are not written."""


def written(before: RunState, after: RunState) -> Iterator[object]:
    """Name the objects that a run writes between two states."""
    if before.nodes is after.nodes:
        return
    if after.settings.purpose is Purpose.SCAN:
        yield from _scan(before, after)
        return
    fresh = [node for name, node in after.nodes.items() if name not in before.nodes]
    yield from (
        NodeStatusNotification(CauNode(node.name), status=NodeStatus.WAITING, timestamp=node.since) for node in fresh
    )
    for name, node in after.nodes.items():
        old = before.nodes.get(name)
        if old is not node:
            yield from _of_node(old, node)


def _scan(before: RunState, after: RunState) -> Iterator[object]:
    for name, node in after.nodes.items():
        old = before.nodes.get(name)
        if node.phase is Phase.DONE and (old is None or old.phase is not Phase.DONE):
            yield from (update_info(name, update) for update in node.record.offered.values())


def _of_node(old: NodeWork | None, node: NodeWork) -> Iterator[object]:
    was, now = old.record if old else NodeRecord(), node.record
    if (old.phase.status if old else NodeStatus.WAITING) is not node.phase.status:
        yield node_status(node)
    if was is not now:
        yield from (update_info(node.name, each) for key, each in now.offered.items() if key not in was.offered)
        for key, outcome in now.staged.items():
            if was.staged.get(key) is not outcome and key in now.offered:
                yield staging_result(node.name, now.offered[key], outcome)
        yield from _installed(old, node)
    if node.phase is Phase.DONE and (old is None or old.phase is not Phase.DONE):
        yield node_result(node)


def _installed(old: NodeWork | None, node: NodeWork) -> Iterator[UpdateInstallResult]:
    was = old.record.installed if old else {}
    if was is node.record.installed:
        return
    new = {key.update_id for key, each in node.record.installed.items() if was.get(key) is not each}
    for result in install_results(node):
        if result.update_id in new and result.update_result_code is not ResultCode.CANCELED:
            yield result
