"""The checkpoint: what another coordinator must know of a run, a few KB in the cluster's own memory.

It is written before each destructive step and with each renewal of the lease, so what it says of a node is an intent:
"paused" means that we were about to pause it, or had. It is short JSON with a version; another version is refused, not
guessed at.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from attrs import field, frozen

from cauctl.coordinator.state import NodeWork, Phase, RunState
from cauctl.errors import StateError

__all__ = ["Checkpoint", "NodeMark", "checkpoint_of", "read_checkpoint"]

_VERSION = 1


@frozen
class NodeMark:
    """One node in the checkpoint."""

    name: str
    """The node."""
    phase: Phase = field(kw_only=True)
    """Where it was."""
    since: datetime = field(kw_only=True)
    """Since when."""
    attempt: int = field(default=0, kw_only=True)
    """Its attempt."""
    paused: bool = field(default=False, kw_only=True)
    """True when we had paused it, or were about to."""
    request: str | None = field(default=None, kw_only=True)
    """Id of the work that its agent was asked for."""
    failed: str | None = field(default=None, kw_only=True)
    """Error id of its first failure."""
    status: str | None = field(default=None, kw_only=True)
    """How it ended."""


@frozen
class Checkpoint:
    """A run in short."""

    run_id: str
    """The run."""
    started: datetime = field(kw_only=True)
    """When it began."""
    stopping: bool = field(default=False, kw_only=True)
    """True when nothing new was to start."""
    nodes: tuple[NodeMark, ...] = field(default=(), kw_only=True)
    """Its nodes."""

    @property
    def paused(self) -> tuple[str, ...]:
        """Nodes that the run had paused, or was about to."""
        return tuple(node.name for node in self.nodes if node.paused)


def checkpoint_of(state: RunState) -> str:
    """Write the checkpoint of a run."""
    started = state.started.isoformat() if state.started else ""
    nodes = {node.name: _mark(node) for node in state.nodes.values()}
    document = {"version": _VERSION, "run": state.run_id, "started": started, "nodes": nodes}
    if state.stopping:
        document["stopping"] = True
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def read_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint; StateError when it is none of this version's."""
    try:
        document = json.loads(text)
        if document["version"] != _VERSION:
            raise StateError(f"the checkpoint is of version {document['version']!r:.20}, expected {_VERSION}.")
        return Checkpoint(
            document["run"],
            started=datetime.fromisoformat(document["started"]),
            stopping=bool(document.get("stopping", False)),
            nodes=tuple(_read_mark(name, mark) for name, mark in document["nodes"].items()),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError("the checkpoint in the cluster cannot be read.") from error


def _mark(node: NodeWork) -> dict[str, Any]:
    mark: dict[str, Any] = {"phase": node.phase.value, "since": node.since.isoformat()}
    record = node.record
    optional = {
        "attempt": node.attempt,
        "paused": node.paused_by_us,
        "request": node.agent.request.request_id if node.agent else None,
        "failed": record.causes[0].problem.error_id if record.causes else None,
        "status": record.status.value if record.status else None,
    }
    return {**mark, **{name: value for name, value in optional.items() if value}}


def _read_mark(name: str, mark: dict[str, Any]) -> NodeMark:
    return NodeMark(
        name,
        phase=Phase(mark["phase"]),
        since=datetime.fromisoformat(mark["since"]),
        attempt=int(mark.get("attempt", 0)),
        paused=bool(mark.get("paused", False)),
        request=mark.get("request"),
        failed=mark.get("failed"),
        status=mark.get("status"),
    )
