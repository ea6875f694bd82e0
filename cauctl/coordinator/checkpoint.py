"""The checkpoint: what another coordinator must know of a run, a few KB in the cluster's own memory.

It is written before each destructive step, before what a node told is removed there, and with each renewal of the
lease, so what it says of a node is an intent: "paused" means that we were about to pause it, or had. It is JSON with a
version; another version is refused, not guessed at.

Two things stand in it: marks, a line for each node, which say enough to give the run up; and the state of the run in
short (:mod:`cauctl.coordinator.remembered`), from which another coordinator goes on. A cluster so large that the second
does not fit keeps the marks alone.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from attrs import field, frozen

from cauctl.coordinator.actions import Call, LeaveLock
from cauctl.coordinator.remembered import Packer, unpack
from cauctl.coordinator.state import NodeWork, Phase, RunState
from cauctl.errors import StateError

__all__ = ["Checkpoint", "NodeMark", "checkpoint_of", "left_behind", "read_checkpoint"]

_VERSION = 2
_LONGEST_STATE = 20_000
"""Characters of a packed state that the cluster is burdened with."""


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
    fence: int = field(default=1, kw_only=True)
    """Fencing counter of the coordinator that wrote it."""
    stopping: bool = field(default=False, kw_only=True)
    """True when nothing new was to start."""
    nodes: tuple[NodeMark, ...] = field(default=(), kw_only=True)
    """Its nodes."""
    left: bool = field(default=False, kw_only=True)
    """True where the coordinator is done and left the lock behind, because a node could not be resumed."""
    packed: str | None = field(default=None, kw_only=True, repr=False)
    """The state in short; None where it did not fit."""

    @property
    def state(self) -> RunState | None:
        """The state of the run as it was then; None where it did not fit. StateError when it cannot be read."""
        return None if self.packed is None else unpack(self.packed)

    @property
    def paused(self) -> tuple[str, ...]:
        """Nodes that the run had paused, or was about to."""
        return tuple(node.name for node in self.nodes if node.paused)


def checkpoint_of(state: RunState, packer: Packer | None = None) -> str:
    """Write the checkpoint of a run; ``packer`` remembers what it wrote of each node before."""
    document: dict[str, Any] = {
        "version": _VERSION,
        "run": state.run_id,
        "started": state.started.isoformat() if state.started else "",
        "fence": state.fence,
        "nodes": {node.name: _mark(node) for node in state.nodes.values()},
    }
    if state.stopping:
        document["stopping"] = True
    if isinstance(state.pending, Call) and isinstance(state.pending.action, LeaveLock):
        document["left"] = True
    packed = (packer or Packer()).pack(state)
    if len(packed) <= _LONGEST_STATE:
        document["state"] = packed
    return _json(document)


def left_behind(text: str) -> str:
    """Give a checkpoint that says that its coordinator is done."""
    return _json({**json.loads(text), "left": True})


def _json(document: dict[str, Any]) -> str:
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
            fence=int(document["fence"]),
            stopping=bool(document.get("stopping", False)),
            left=bool(document.get("left", False)),
            packed=document.get("state"),
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
