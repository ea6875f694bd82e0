"""Scheduled tasks of a node: registered from XML, started on demand, ended by a restart."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from attrs import define, field

from cauctl.lab.world.kernel import Timer

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.lab.world.machine import Machine

__all__ = ["NEVER_RUN", "STILL_RUNS", "STOPPED", "Program", "ScheduledTask", "TaskScheduler"]

NEVER_RUN: Final = 0x41303
STILL_RUNS: Final = 0x41301
STOPPED: Final = 0x41306
FILE_NOT_FOUND: Final = 0x80070002


class Program(Protocol):
    """What a task runs."""

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        ...

    @property
    def result(self) -> int:
        """Exit code of what has ended by itself."""
        ...

    def kill(self) -> None:
        """End it where it is."""
        ...


@define(eq=False)
class ScheduledTask:
    """One task."""

    name: str
    """Name within its folder."""
    path: str = field(kw_only=True)
    """Folder with both backslashes."""
    xml: str = field(kw_only=True)
    """Definition as it was registered."""
    program: Program | None = field(default=None, kw_only=True)
    """What runs, or ran last."""
    cancelled: bool = field(default=False, kw_only=True)
    """Somebody asked what it runs to stop after what cannot be interrupted."""
    queued: Timer | None = field(default=None, kw_only=True)
    """A start that was asked for and has not happened yet."""
    last_run: datetime | None = field(default=None, kw_only=True)
    ended_with: int = field(default=NEVER_RUN, kw_only=True)
    """Result of the last run, where it did not end by itself."""

    @property
    def state(self) -> str:
        """``StateEnum`` by name."""
        if self.program is not None and self.program.running:
            return "Running"
        return "Queued" if self.queued is not None and self.queued.action is not None else "Ready"

    @property
    def last_result(self) -> int:
        """``LastTaskResult``."""
        if self.state == "Running":
            return STILL_RUNS
        return self.ended_with or (self.program.result if self.program is not None else 0)


class TaskScheduler:
    """The tasks of one node."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._tasks: dict[str, ScheduledTask] = {}

    def __repr__(self) -> str:
        return f"<TaskScheduler {len(self._tasks)} tasks>"

    def all(self) -> list[ScheduledTask]:
        """Give every task in the order of registration."""
        return list(self._tasks.values())

    def find(self, path: str, name: str) -> ScheduledTask | None:
        """Give the task of that folder and name, in any case."""
        return self._tasks.get((path + name).casefold())

    def register(self, path: str, name: str, xml: str) -> ScheduledTask:
        """Register a task; one of that name is replaced."""
        task = ScheduledTask(name, path=path, xml=xml)
        self._tasks[(path + name).casefold()] = task
        self._machine.world.kernel.touch()
        return task

    def unregister(self, task: ScheduledTask) -> None:
        """Remove a task; what it runs goes on, as on Windows."""
        self._tasks.pop((task.path + task.name).casefold(), None)
        self._machine.world.kernel.touch()

    def start(self, task: ScheduledTask, launch: Callable[[], Program | int]) -> None:
        """Start a task that does not run; ``launch`` gives what runs, or the code with which it could not start."""
        if task.state != "Ready":
            return
        world = self._machine.world

        def run() -> None:
            task.queued = None
            task.last_run = world.now
            started = launch()
            if isinstance(started, int):
                task.program, task.ended_with = None, started
            else:
                task.program, task.ended_with = started, 0

        task.queued = world.kernel.after(self._machine.vary("task", world.scenario.durations.task_start), run)
        world.kernel.touch()

    def stop(self, task: ScheduledTask) -> None:
        """End what a task runs."""
        if task.queued is not None:
            task.queued.cancel()
            task.queued = None
        if task.program is not None and task.program.running:
            task.program.kill()
            task.ended_with = STOPPED
        self._machine.world.kernel.touch()

    def stop_all(self) -> None:
        """End everything: the node goes down."""
        for task in self._tasks.values():
            self.stop(task)
