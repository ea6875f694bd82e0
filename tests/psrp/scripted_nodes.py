"""Nodes that answer pipelines as a test wrote down, and remember what they were asked.

Every pipeline that is sent is held to the list of commands; nothing but listed commands reaches a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cauctl.errors import NodeUnreachableError, RemoteError, TransportError
from cauctl.psobject import PSObject, custom_object, enum_value
from cauctl.psrp.commands import check
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.jea.functions import FUNCTIONS, check_call
from cauctl.psrp.pipeline import Command, ErrorRecord, Pipeline, PipelineResult, as_pipeline

Reply = Exception | PipelineResult | list[Any] | Callable[[Pipeline], list[Any]]
WHO = "Get-CimInstance -ClassName Win32_OperatingSystem -Property CSName -Op"
WHICH = "Get-Cluster | Select-Object -Property Name,Domain"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_CLUSTER_TYPES = "Microsoft.FailoverClusters.PowerShell"


class ScriptedNode:
    """One node. ``on`` says how it answers; the last reply of several stays."""

    def __init__(self, name: str, *, cluster: str = "LAB-FC1", domain: str = "lab.test") -> None:
        self.name = name
        self.up = True
        self.patience: list[timedelta] = []
        """How long each opening of a session was tried."""
        self.insisted: list[bool] = []
        """Whether each opening was to be tried again while nobody answered."""
        self.asked: list[str] = []
        self.sent: list[Pipeline] = []
        self._replies: list[tuple[str, list[Reply]]] = []
        self.on(WHO, [thing(CSName=name)])
        self.on(WHICH, [thing(Name=cluster, Domain=domain)])
        self.on("Get-CauctlIdentity", [thing(CSName=name)])
        self.on("Get-CauctlCluster", [thing(Name=cluster, Domain=domain)])

    def on(self, beginning: str, *replies: Reply) -> ScriptedNode:
        """Answer pipelines that begin like this with ``replies``, one after the other."""
        self._replies.insert(0, (beginning, list(replies)))
        return self

    def answer(self, pipeline: Pipeline) -> PipelineResult:
        """Give the next reply for a pipeline; AssertionError when the test has none."""
        for command in pipeline.commands:
            (check_call if command.name in FUNCTIONS else check)(command)
        text = str(pipeline)
        self.sent.append(pipeline)
        self.asked.append(text)
        for beginning, replies in self._replies:
            if text.startswith(beginning):
                reply = replies.pop(0) if len(replies) > 1 else replies[0]
                if isinstance(reply, Exception):
                    raise reply
                if isinstance(reply, PipelineResult):
                    return reply
                return PipelineResult(list(reply(pipeline) if callable(reply) else reply))
        raise AssertionError(f"{self.name} has no reply for: {text}")

    def asked_after_greeting(self) -> list[str]:
        """What was asked, without the questions who the node is."""
        return [text for text in self.asked if not text.startswith((WHO, WHICH))]


class ScriptedSession:
    """A session with a scripted node."""

    def __init__(self, connection: NodeConnection, find: Callable[[str], ScriptedNode | None]) -> None:
        self.connection = connection
        self._find = find
        self.is_open = False

    def _node(self) -> ScriptedNode:
        node = self._find(self.connection.address)
        if node is None or not node.up:
            self.is_open = False
            raise NodeUnreachableError("nobody answers.", node=self.connection.node)
        return node

    def open(self, within: timedelta, *, insist: bool = True) -> None:
        """Open, unless the node is down."""
        assert within > timedelta(0)
        if (node := self._find(self.connection.address)) is not None:
            node.patience.append(within)
            node.insisted.append(insist)
        self._node()
        self.is_open = True

    def run(
        self,
        pipeline: Pipeline | Command,
        *,
        within: timedelta,
        on_output: object = None,
        collect_errors: bool = False,
    ) -> PipelineResult:
        """Let the node answer; a way that failed ends the session."""
        assert within > timedelta(0)
        assert on_output is None
        try:
            result = self._node().answer(as_pipeline(pipeline))
        except TransportError:
            self.is_open = False
            raise
        if result.errors and not collect_errors:
            raise refused(result.errors[0].message, error_id=result.errors[0].fully_qualified_error_id)
        return result

    def close(self) -> None:
        """Close."""
        self.is_open = False

    def retire(self) -> None:
        """Close for good."""
        self.close()


class FixedClock:
    """A clock that stands."""

    def now(self) -> datetime:
        """Always the same moment."""
        return NOW

    def wait(self, until: datetime, wake: Callable[[], bool]) -> None:
        """Refuse to wait."""
        raise AssertionError(f"nothing here waits until {until} or {wake}")


def fleet_of(
    nodes: Iterable[ScriptedNode], *, cluster: str = "LAB-FC1", entries: Iterable[str] = (), jea: bool = False
) -> Fleet:
    """A fleet whose nodes are reached by name, with or without the domain; all are entries unless some are named."""
    by_name = {node.name.casefold(): node for node in nodes}
    names = tuple(entries) or tuple(node.name for node in by_name.values())

    def find(address: str) -> ScriptedNode | None:
        return by_name.get(address.partition(".")[0].casefold())

    return Fleet(
        cluster,
        [NodeConnection(name, jea=jea) for name in names],
        open_session=lambda connection: ScriptedSession(connection, find),
    )


def thing(**properties: Any) -> PSObject:
    """An object with these properties."""
    return custom_object(properties)


def cluster_enum(kind: str, name: str, number: int) -> PSObject:
    """An enum value as it arrives after Select-Object."""
    return enum_value(f"{_CLUSTER_TYPES}.{kind}", name, number)


def refused(message: str = "refused", *, error_id: str = "Refused", category: str = "NotSpecified") -> RemoteError:
    """The error of a command that the node refused."""
    return RemoteError(message, node="N1", command="a command", error_id=error_id, category=category)


def complaint(message: str) -> PipelineResult:
    """What a program that writes to its error stream leaves."""
    return PipelineResult([], errors=(ErrorRecord(message, fully_qualified_error_id="NativeCommandError"),))
