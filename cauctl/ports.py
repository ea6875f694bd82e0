"""The seams to everything outside: one protocol for each kind of outside.

Rules kept here:

* Implementations raise members of :mod:`cauctl.errors` only. :class:`~cauctl.errors.NodeUnreachableError` promises that
  nothing was sent, :class:`~cauctl.errors.FateUnknownError` that the caller must look before it acts again.
* Every call returns within a bounded real time of its own; long work is started by one call and polled by others.
* Commands look before they act where Windows' own command would not, so each can be repeated.
* Times of nodes and of the run are the :class:`Clock`'s; transport deadlines are real time.
* A port may be used from several threads unless its docstring says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timedelta

    from cauctl.models.agent import AgentProgress, AgentRequest
    from cauctl.models.enums import FailbackType
    from cauctl.models.nodes import ClusterFacts, ForeignCoordinator, LockRecord, NodeProbe, StorageFacts
    from cauctl.models.scripts import ScriptFile, ScriptOutcome

__all__ = ["Clock", "Cluster", "ForesightedClock", "Journal", "Node", "Observer", "Scripts", "UpdateAgent"]


@runtime_checkable
class Clock(Protocol):
    """Time of the run: the real clock, a lab's scaled one, or a virtual one."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""

    def wait(self, until: datetime, wake: Callable[[], bool]) -> None:
        """Return at ``until``, or soon after ``wake()`` turns true; never closer than 50 ms of real time apart."""


@runtime_checkable
class ForesightedClock(Clock, Protocol):
    """A clock of a world in which time passes only while somebody waits."""

    def idle_until(self) -> datetime:
        """Nothing happens before this moment, unless somebody does something."""


class Cluster(Protocol):
    """The cluster as a whole, asked through any node that answers and is not to be avoided."""

    def observe(self) -> ClusterFacts:
        """Nodes, groups and quorum now; ClusterError when no node answers for the cluster."""

    def will_offline_lose_quorum(self, node: str) -> bool:
        """The cluster's own answer: would quorum be lost if this node went offline."""

    def storage(self) -> StorageFacts:
        """Storage jobs and virtual disks now."""

    def networks_up(self, node: str) -> tuple[str, ...] | None:
        """Names of the node's connections to cluster networks that are Up; None where that cannot be asked."""

    def repair(self, virtual_disk: str) -> None:
        """Start the repair of a virtual disk, in the background on the node."""

    def suspend(self, node: str, *, drain: bool = True, force_drain: bool = False) -> None:
        """Start to pause the node, and to drain it; returns at once. A node that is paused already is left as it is."""

    def resume(self, node: str, *, failback: FailbackType) -> None:
        """Resume the node and start failback; returns at once. A node that is Up already is left as it is."""

    def move_group(self, group: str, node: str) -> None:
        """Start to move the group; returns at once. A group that the node owns already is left as it is."""

    def avoid(self, nodes: Iterable[str]) -> None:
        """From now on ask through nodes other than these, as far as any other answers."""

    def foreign_coordinators(self) -> tuple[ForeignCoordinator, ...]:
        """Microsoft's coordinator at work on any reachable node, and an enabled self-updating role."""

    def acquire_lock(self, record: LockRecord) -> LockRecord | None:
        """Take the lock atomically. None: it is ours now; else the record of whoever holds it, untouched.

        Our own record comes back where it was given a higher fencing counter than it was asked for.
        """

    def take_over_lock(self, record: LockRecord) -> LockRecord | None:
        """Take a held lock atomically, with the next fencing counter. None: it is ours now; else who was faster."""

    def read_lock(self) -> LockRecord | None:
        """The record of the highest fencing counter, None when free; StateError when it cannot be read as ours."""

    def write_lock(self, record: LockRecord) -> LockRecord:
        """Replace our own record, but for who asked to stop; then give the record of whoever holds the lock by now.

        Nothing of another coordinator is ever written over. StateError when our record is gone.
        """

    def request_stop(self, run_id: str, by: str) -> None:
        """Note beside the lock that ``by`` asks this run to stop. StateError when another run holds it, or none."""

    def release_lock(self, run_id: str) -> None:
        """Remove the lock if it is this run's; a lock of another run is left alone, a missing one is fine."""


class Node(Protocol):
    """One node's operating system."""

    def probe(self, node: str) -> NodeProbe:
        """Boot time, build and signs of unfinished work; a transport error while nobody answers."""

    def allow_remote_restart(self, node: str) -> bool:
        """Switch the firewall rules for remote shutdown on where they are off; say whether they were.

        NodeError where they stay off.
        """

    def restart(self, node: str, *, reason: str) -> None:
        """Ask the node to restart now. Connection loss after the request counts as asked.

        ``reason`` is a short text for the node's event log, sent as an argument of its own.
        """

    def forget(self, node: str) -> None:
        """Drop what is open to this node, so that the next call connects anew."""


class Scripts(Protocol):
    """Scripts of the user, which run on nodes in sessions of their own."""

    def run(self, node: str, script: ScriptFile, *, within: timedelta) -> ScriptOutcome:
        """Run a script to its end, or to the deadline; that it fails is told in what is returned.

        NodeUnreachableError, as everywhere, says that nothing was sent. NodeError where the session has no language,
        StateError where the file is gone or is not what it was.
        """


class UpdateAgent(Protocol):
    """Windows Update work on nodes. Begun work outlives the connection and the coordinator."""

    def begin(self, node: str, request: AgentRequest) -> None:
        """Start the work and return. A request id that was begun already is left as it is."""

    def poll(self, node: str, request: AgentRequest, after: int) -> AgentProgress:
        """Events numbered above ``after`` (0: all), and whether the agent is still at work."""

    def cancel(self, node: str, request: AgentRequest) -> None:
        """Ask the agent to stop after what it cannot interrupt; poll tells when it did."""

    def collect(self, node: str, request: AgentRequest) -> None:
        """Remove what the work left on the node; nothing left is fine."""

    def leftovers(self, node: str) -> tuple[str, ...]:
        """Ids of runs whose tasks or folders are still on the node."""

    def remove_leftovers(self, node: str, run_id: str) -> None:
        """End and remove all that this run left on the node."""


class Journal(Protocol):
    """The run's memory: one JSON object a line, durable when :meth:`append` returns. One thread at a time."""

    def append(self, record: Mapping[str, object]) -> None:
        """Write one record and force it to the disk."""

    def close(self) -> None:
        """Nothing more will be written."""


class Observer(Protocol):
    """Whoever watches a run: progress displays, streams of objects, metrics. Must not raise and must not block."""

    def on_event(self, event: object, state: object) -> None:
        """An event was journaled and applied; ``state`` is the run's state after it."""

    def on_wait(self, node: str | None, waiting_for: str, since: datetime, limit: timedelta | None) -> None:
        """The run waits for something with a name and a limit."""
