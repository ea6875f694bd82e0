"""The streams of one command: what a handler sees of its pipeline."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.lab.dispatch import PipelineStoppedError
from cauctl.lab.runspace.framing import MessageType
from cauctl.lab.runspace.records import error_record, information_record, message_record, progress_record

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from cauctl.lab.dispatch import CommandError, CommandTable, Step
    from cauctl.lab.runspace.pipeline import Pipeline
    from cauctl.lab.runspace.records import Invocation

__all__ = ["CommandStreams", "Preferences", "StatementError"]

_HIDES: Final = frozenset({"SilentlyContinue", "Ignore"})


class StatementError(Exception):
    """A terminating error has ended a statement; ``invocation`` says of which command."""

    def __init__(self, error: CommandError, invocation: Invocation) -> None:
        super().__init__(str(error))
        self.error = error
        self.invocation = invocation


@frozen
class Preferences:
    """What the common parameters say about a command's streams; the defaults are PowerShell's."""

    errors: str = field(default="Continue", kw_only=True)
    warnings: str = field(default="Continue", kw_only=True)
    information: str = field(default="Continue", kw_only=True)
    verbose: bool = field(default=False, kw_only=True)
    debug: bool = field(default=False, kw_only=True)

    @classmethod
    def of(cls, common: Mapping[str, Any]) -> Preferences:
        """Read them from bound common parameters."""
        return cls(
            errors=common.get("ErrorAction", "Continue"),
            warnings=common.get("WarningAction", "Continue"),
            information=common.get("InformationAction", "Continue"),
            verbose=bool(common.get("Verbose", False)),
            debug=bool(common.get("Debug", False)),
        )


class CommandStreams:
    """The context of one command. Implements :class:`~cauctl.lab.dispatch.CommandContext`."""

    def __init__(self, pipeline: Pipeline, invocation: Invocation, preferences: Preferences | None = None) -> None:
        self.invocation = invocation
        self._pipeline = pipeline
        self._engine = pipeline.engine
        self._preferences = preferences or Preferences()
        self._merged: deque[Any] | None = None

    @property
    def node(self) -> str:
        """Name of the node."""
        return self._engine.node.name

    @property
    def user(self) -> str:
        """Account of the session."""
        return self._engine.user

    @property
    def commands(self) -> CommandTable:
        """The commands that the session shows."""
        return self._engine.node.commands

    @property
    def session(self) -> dict[str, Any]:
        """What commands keep between pipelines."""
        return self._engine.session

    @property
    def stopping(self) -> threading.Event:
        """Set when the pipeline is stopped."""
        return self._pipeline.stopping

    def check(self) -> None:
        """Leave if the pipeline was stopped."""
        self._pipeline.check()

    def with_merged(self, values: Iterator[Any]) -> Iterator[Any]:
        """Pass on a command's output with its error records in between, as ``2>&1`` does."""
        merged = self._merged = deque()
        for value in values:
            while merged:
                yield merged.popleft()
            yield value
        yield from merged

    def invoke(self, *steps: Step) -> Iterator[Any]:
        """Run a pipeline of the node's commands, shown or not; an error ends it."""
        return self._engine.invoke(self._pipeline, steps)

    def error(self, record: CommandError) -> None:
        """Write a non-terminating error; under ``-ErrorAction Stop`` it terminates."""
        self.check()
        if self._preferences.errors in _HIDES:
            return
        if self._preferences.errors == "Stop":
            raise StatementError(record, self.invocation)
        found = error_record(record, self.invocation, write_error_stream=True)
        if self._merged is None:
            self._engine.write(self._pipeline, MessageType.ERROR_RECORD, found)
        else:
            self._merged.append(found)

    def warning(self, text: str) -> None:
        """Write to the warning stream."""
        if self._preferences.warnings not in _HIDES:
            self._engine.write(self._pipeline, MessageType.WARNING_RECORD, message_record("Warning", text))

    def verbose(self, text: str) -> None:
        """Write to the verbose stream if the command was called with ``-Verbose``."""
        if self._preferences.verbose:
            self._engine.write(self._pipeline, MessageType.VERBOSE_RECORD, message_record("Verbose", text))

    def debug(self, text: str) -> None:
        """Write to the debug stream if the command was called with ``-Debug``."""
        if self._preferences.debug:
            self._engine.write(self._pipeline, MessageType.DEBUG_RECORD, message_record("Debug", text))

    def information(self, text: str) -> None:
        """Write to the information stream."""
        if self._preferences.information not in _HIDES:
            record = information_record(
                text, source=self.invocation.command, user=self.user, computer=self.node, now=self.now()
            )
            self._engine.write(self._pipeline, MessageType.INFORMATION_RECORD, record)

    def progress(
        self, activity: str, *, status: str = "Processing", percent: int = -1, completed: bool = False
    ) -> None:
        """Write a progress record."""
        record = progress_record(activity, status=status, percent=percent, done=completed)
        self._engine.write(self._pipeline, MessageType.PROGRESS_RECORD, record)

    def now(self) -> datetime:
        """Time of the node."""
        return self._engine.node.clock.now()

    def sleep(self, duration: timedelta) -> None:
        """Wait for lab time to pass, or for the stop."""
        if self.stopping.wait(self._engine.node.clock.real_seconds(duration)):
            raise PipelineStoppedError
