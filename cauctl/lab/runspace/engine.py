"""A runspace pool in Python: reads PSRP, runs pipelines in threads, writes PSRP.

Rules kept here:

* The shell's lock guards everything but the running of commands.
* As many pipelines run at once as the pool has runspaces; the others wait in order.
* A pipeline that is stopped says so when its command has left, as PowerShell does; one whose shell is gone says
  nothing.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.lab.clock import NodeClock
from cauctl.lab.dispatch import CommandError, CommandTable, PipelineStoppedError
from cauctl.lab.runspace.framing import Assembler, Framer, Message, MessageType
from cauctl.lab.runspace.pipeline import Pipeline
from cauctl.lab.runspace.pool import Handshake
from cauctl.lab.runspace.records import Invocation, error_record
from cauctl.lab.runspace.requests import read_pipeline, read_value
from cauctl.lab.runspace.statements import run_function, run_statements
from cauctl.lab.runspace.streams import StatementError
from cauctl.lab.wsman import faults
from cauctl.lab.wsman.faults import WSManFault
from cauctl.psobject import PSObject, custom_object, write_fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any
    from uuid import UUID

    from cauctl.lab.dispatch import Step
    from cauctl.lab.runspace.requests import PipelineRequest
    from cauctl.lab.wsman.shell import Outlet

__all__ = ["VERSIONS", "NodeFacts", "PythonEngine"]

log = logging.getLogger(__name__)

VERSIONS: Final = {
    "PSVersion": "5.1.20348.2849",
    "PSEdition": "Desktop",
    "CLRVersion": "4.0.30319.42000",
    "BuildVersion": "10.0.20348.2849",
    "WSManStackVersion": "3.0",
}
_COMPLETED: Final = 4
_STOPPED: Final = 3
_FAILED: Final = 5
_OUTPUT_DEPTH: Final = 1
"""Depth at which remoting serializes."""


@frozen
class NodeFacts:
    """What an engine knows of its node."""

    name: str
    commands: CommandTable = field(kw_only=True, repr=False)
    """What a session shows."""
    hidden: CommandTable | None = field(default=None, kw_only=True, repr=False)
    """What functions of the node may run besides; None: nothing else."""
    clock: NodeClock = field(kw_only=True, repr=False)
    versions: Mapping[str, str] = field(default=VERSIONS, kw_only=True, repr=False)
    """Entries of ``$PSVersionTable``."""
    threads: set[threading.Thread] = field(factory=set, kw_only=True, repr=False)
    """Threads of running pipelines, for whoever has to wait for them."""


class PythonEngine:
    """The runspace pool of one shell. Implements :class:`~cauctl.lab.wsman.shell.Engine`."""

    def __init__(self, outlet: Outlet, node: NodeFacts) -> None:
        self._outlet = outlet
        self._node = node
        self._session: dict[str, Any] = {}
        self._handshake = Handshake(node.versions, reset=self._session.clear)
        self._assembler = Assembler()
        self._framer = Framer()
        self._inward = Framer()
        self._pipelines: dict[UUID, Pipeline] = {}
        self._waiting: deque[Pipeline] = deque()
        self._running = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<PythonEngine of {self._node.name}: {self._running} running, {len(self._waiting)} waiting>"

    def open(self, data: bytes) -> None:
        """Take the client's capability and the pool's settings."""
        self.feed(data, None)

    def connect(self, data: bytes) -> bytes:
        """Greet a client that connects: capability and pool data at once, the rest by its next Receive."""
        self._handshake.connect()
        for message in self._assembler.feed(data):
            self._handshake.take(message, self._inward, running=self._running)
        capability, pool_data, *rest = self._handshake.drain(self._framer)
        for fragment in rest:
            self._outlet.put(fragment)
        return capability + pool_data

    def start(self, command: UUID, data: bytes) -> None:
        """Begin a pipeline; it starts when its CREATE_PIPELINE message is complete."""
        self._pipelines[command] = Pipeline(command, self)
        try:
            self.feed(data, command)
        except WSManFault:
            del self._pipelines[command]
            raise

    def feed(self, data: bytes, command: UUID | None, *, prompt: bool = False) -> None:  # noqa: ARG002  one queue serves
        """Take further fragments."""
        for message in self._assembler.feed(data):
            self._take(message, command)

    def stop(self, command: UUID) -> None:
        """Stop a pipeline; one that has not begun ends at once."""
        pipeline = self._pipelines.get(command)
        if pipeline is None or pipeline.finished:
            return
        pipeline.stop()
        if pipeline in self._waiting:
            self._waiting.remove(pipeline)
            self._finish(pipeline, PipelineStoppedError())

    def release(self, command: UUID) -> None:
        """Stop a pipeline if it runs, and forget it."""
        self.stop(command)
        self._pipelines.pop(command, None)

    def disconnect(self) -> None:
        """Note that the client has gone away for a while."""
        self._handshake.disconnect()

    def reconnect(self) -> None:
        """Note that the client is back."""
        self._handshake.reconnect()

    def close(self) -> None:
        """Stop every pipeline; nothing is written any more."""
        self._closed = True
        self._waiting.clear()
        for pipeline in self._pipelines.values():
            pipeline.stop()

    def peek(self, data: bytes) -> tuple[str, ...]:
        """Name the commands that a pipeline would run."""
        for message in Assembler().feed(data):
            if message.kind == MessageType.CREATE_PIPELINE:
                return read_pipeline(message.data).names
        return ()

    def describe(self, command: UUID) -> tuple[str, ...]:
        """Name the commands of a pipeline."""
        pipeline = self._pipelines.get(command)
        return pipeline.request.names if pipeline is not None and pipeline.request is not None else ()

    # What a pipeline needs of its engine

    @property
    def node(self) -> NodeFacts:
        """The node's facts."""
        return self._node

    @property
    def user(self) -> str:
        """Account of the session."""
        return self._outlet.owner

    @property
    def session(self) -> dict[str, Any]:
        """What commands keep between pipelines."""
        return self._session

    def invoke(self, pipeline: Pipeline, steps: tuple[Step, ...]) -> Iterator[Any]:
        """Run what a function of the node calls."""
        return run_function(pipeline, steps, self._node.hidden or self._node.commands)

    def write(self, pipeline: Pipeline, kind: MessageType, value: Any) -> None:
        """Send an object to the client; waits while the client does not read.

        Raises:
            PipelineStoppedError: the pipeline was stopped or its shell is gone.
        """
        data = write_fragment(value, depth=_OUTPUT_DEPTH).encode()
        self._outlet.wait_for_room(pipeline.pipeline_id, pipeline.stopping.is_set)
        with self._outlet.lock:
            if pipeline.stopping.is_set():
                raise PipelineStoppedError
            self._put(pipeline, kind, data)

    def _put(self, pipeline: Pipeline, kind: MessageType, data: bytes) -> None:
        for fragment in self._framer.frame(kind, self._handshake.pool_id, pipeline.wire_id, data):
            self._outlet.put(fragment, pipeline.pipeline_id)

    def _take(self, message: Message, command: UUID | None) -> None:
        taker = self._takers.get(message.kind)
        if taker is not None:
            taker(self, self._pipeline_of(message, command), message)
            return
        self._handshake.take(message, self._inward, running=self._running)
        for fragment in self._handshake.drain(self._framer):
            self._outlet.put(fragment)
        self._start_waiting()

    def _pipeline_of(self, message: Message, command: UUID | None) -> Pipeline:
        """Find a message's pipeline: WSMan's command decides, as on Windows; the id within may be spelled otherwise."""
        found = command or message.pipeline
        pipeline = self._pipelines.get(found) if found is not None else None
        if pipeline is None:
            raise faults.command_not_found()
        return pipeline

    def _take_pipeline(self, pipeline: Pipeline, message: Message) -> None:
        if pipeline.request is not None:
            raise faults.invalid_fragment("a pipeline was created twice")
        pipeline.begin(read_pipeline(message.data), message.pipeline)
        if pipeline.is_nested or self._running < self._handshake.runspaces:
            self._run(pipeline)
        else:
            self._waiting.append(pipeline)

    def _take_input(self, pipeline: Pipeline, message: Message) -> None:
        pipeline.put_input(read_value(message.data))

    def _take_end_of_input(self, pipeline: Pipeline, _message: Message) -> None:
        pipeline.end_input()

    def _take_metadata_request(self, pipeline: Pipeline, _message: Message) -> None:
        """List the commands of the node, as an implicit-remoting client asks for them."""
        names = self._node.commands.names()
        count = custom_object(
            {"Count": len(names)}, type_name="Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo"
        )
        rows = [
            custom_object(
                {"Name": name, "Namespace": "", "HelpUri": "", "CommandType": 8, "OutputType": [], "Parameters": {}},
                type_name="Selected.System.Management.Automation.CmdletInfo",
            )
            for name in names
        ]
        for value in (count, *rows):
            self._put(pipeline, MessageType.PIPELINE_OUTPUT, write_fragment(value, depth=_OUTPUT_DEPTH).encode())
        self._finish(pipeline, None)

    _takers: Final[Mapping[int, Callable[[PythonEngine, Pipeline, Message], None]]] = {
        MessageType.CREATE_PIPELINE: _take_pipeline,
        MessageType.PIPELINE_INPUT: _take_input,
        MessageType.END_OF_PIPELINE_INPUT: _take_end_of_input,
        MessageType.GET_COMMAND_METADATA: _take_metadata_request,
    }

    def _run(self, pipeline: Pipeline) -> None:
        self._running += 1
        thread = threading.Thread(
            target=self._run_in_thread, args=(pipeline,), name=f"cauctl-lab-{self._node.name}", daemon=True
        )
        self._node.threads.add(thread)
        thread.start()

    def _run_in_thread(self, pipeline: Pipeline) -> None:
        try:
            self._finish_run(pipeline, self._run_statements(pipeline))
        finally:
            self._node.threads.discard(threading.current_thread())

    def _run_statements(self, pipeline: Pipeline) -> BaseException | None:
        """Run a pipeline; give what ended it."""
        request: PipelineRequest | None = pipeline.request
        assert request is not None  # noqa: S101  only a pipeline that has begun is run
        try:
            run_statements(pipeline, request, self._node.commands)
        except (StatementError, PipelineStoppedError) as error:
            return error
        except Exception as error:  # a handler's bug is the node's error record, and the log's traceback
            log.exception("%s: a command failed", self._node.name)
            return StatementError(
                CommandError(f"{type(error).__name__}: {error}", error_id="HandlerFailed"), Invocation()
            )
        return PipelineStoppedError() if pipeline.stopping.is_set() else None

    def _finish_run(self, pipeline: Pipeline, ending: BaseException | None) -> None:
        with self._outlet.lock:
            self._running -= 1
            self._finish(pipeline, ending)
            self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and self._running < self._handshake.runspaces:
            self._run(self._waiting.popleft())

    def _finish(self, pipeline: Pipeline, ending: BaseException | None) -> None:
        """Send the state in which a pipeline ended."""
        if pipeline.finished or self._closed:
            return
        pipeline.finished = True
        self._put(pipeline, MessageType.PIPELINE_STATE, write_fragment(_state(ending)).encode())
        self._outlet.finish(pipeline.pipeline_id)


def _state(ending: BaseException | None) -> Any:
    if ending is None:
        return PSObject(extended={"PipelineState": _COMPLETED})
    if isinstance(ending, StatementError):
        record = error_record(ending.error, ending.invocation, write_error_stream=False)
        return PSObject(extended={"PipelineState": _FAILED, "ExceptionAsErrorRecord": record})
    stopped = CommandError(
        "The pipeline has been stopped.",
        error_id="PipelineStopped",
        category="OperationStopped",
        exception_type="System.Management.Automation.PipelineStoppedException",
    )
    record = error_record(stopped, Invocation(), write_error_stream=False)
    return PSObject(extended={"PipelineState": _STOPPED, "ExceptionAsErrorRecord": record})
