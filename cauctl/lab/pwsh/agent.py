"""The node agent's real script as a scheduled task of a lab's node: a PowerShell process in a private folder.

Rules kept here:

* The script is the bytes of the world's agent file, its request those of the world's request file. What it writes into
  its events file appears in the world's, line by line; a cancel file of the world appears to it.
* The node's clock is the lab's: moments in the events are moved from the computer's clock to the lab's, and what the
  script waits by is as short as the lab is fast.
* A process ends when the world kills it (a restart, a stopped task), and with the lab.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from cauctl.lab.pwsh.update_calls import update_calls
from cauctl.lab.world.agent_files import agent_file_of
from cauctl.lab.world.files import FileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.lab.clock import NodeClock
    from cauctl.lab.dispatch import CommandTable
    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.task_definition import TaskDefinition

__all__ = ["AgentProcess", "launch_process"]

log = logging.getLogger(__name__)

_HEARTBEAT: Final = timedelta(seconds=30)
_BUSY: Final = timedelta(minutes=15)
_LEAST: Final = 1000
"""Milliseconds between heartbeats at least, however fast the lab is: each is forced to the disk, and read."""
_PAUSE: Final = 0.02
"""Seconds between two looks at the files."""
_ENDS_WITHIN: Final = 5.0
_REQUEST: Final = "request.clixml"
_EVENTS: Final = "events.clixml"
_CANCEL: Final = "cancel"
_MOMENT: Final = re.compile(rb'(<DT N="At">)([^<]+)(</DT>)')

Start: TypeAlias = "Callable[[CommandTable, list[str]], tuple[subprocess.Popen[bytes], Callable[[], None]]]"
"""Starts PowerShell for a table of calls, with arguments; gives the process, and what to do once it has ended."""


class AgentProcess:
    """One run of the script. Implements :class:`~cauctl.lab.world.tasks.Program`.

    Args:
        machine: the node.
        script: the script's bytes.
        folder: folder of the request, in the world.
        clock: the nodes' time.
        start: starts PowerShell.
    """

    def __init__(
        self,
        machine: Machine,
        script: bytes,
        folder: str,
        *,
        clock: NodeClock,
        start: Start,
    ) -> None:
        self._machine = machine
        self._folder = folder
        self._clock = clock
        self._alive = True
        self._told = 0
        self._real = Path(tempfile.mkdtemp(prefix="cauctl-agent-"))
        work = self._real / "work"
        try:
            work.mkdir()
            agent = self._real / "agent.ps1"
            agent.write_bytes(script)
            for name in (_REQUEST, _EVENTS, _CANCEL):
                self._copy_in(name)
            arguments = [str(agent), str(work), self._milliseconds(_HEARTBEAT), self._milliseconds(_BUSY)]
            self._told = self._size()
            table = update_calls(machine, is_alive=lambda: self._alive)
            self._process, self._ended = start(table, arguments)
        except BaseException:
            shutil.rmtree(self._real, ignore_errors=True)
            raise
        self._thread = threading.Thread(target=self._follow, name="cauctl-lab-agent", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        state = "running" if self._alive else "ended"
        return f"<AgentProcess {self._process.pid} on {self._machine.name}: {state}, {self._told} bytes told>"

    @property
    def lock(self) -> threading.RLock:
        """The world's lock."""
        return self._machine.world.lock

    @property
    def process_id(self) -> int:
        """Identifier of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._alive

    @property
    def result(self) -> int:
        """Exit code, once it has ended."""
        return self._process.returncode or 0

    def kill(self) -> None:
        """End it where it is; called with the world locked."""
        if not self._alive:
            return
        self._copy_events()
        self._alive = False
        self._process.kill()
        if self._machine.updates.installing is not None:
            self._machine.updates.interrupt()

    def join(self) -> None:
        """Wait for the end of a process that was killed."""
        self._thread.join(_ENDS_WITHIN)
        if self._thread.is_alive():
            log.error("agent process %d did not end", self._process.pid)

    def _milliseconds(self, duration: timedelta) -> str:
        return str(max(_LEAST, round(self._clock.real_seconds(duration) * 1000)))

    def _size(self) -> int:
        try:
            return (self._real / "work" / _EVENTS).stat().st_size
        except FileNotFoundError:
            return 0

    def _copy_in(self, name: str) -> None:
        """Give the process a file of the world; nothing happens where there is none."""
        entry = self._machine.files.find(f"{self._folder}\\{name}")
        if entry is not None and entry.content is not None:
            (self._real / "work" / name).write_bytes(entry.content)

    def _follow(self) -> None:
        """Carry files between the process and the world until the process has ended."""
        try:
            while self._process.poll() is None:
                self._carry()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_PAUSE)
            self._carry()
            self._complain()
        except Exception:
            log.exception("the files of an agent cannot be carried")
            self._process.kill()
            self._process.wait()
        finally:
            with self._machine.world.lock:
                self._alive = False
                self._machine.world.kernel.touch()
            self._ended()
            shutil.rmtree(self._real, ignore_errors=True)

    def _complain(self) -> None:
        """Log what a process that failed by itself had to say."""
        assert self._process.stderr is not None  # noqa: S101  a pipe was asked for
        said = self._process.stderr.read().decode("utf-8", "replace").strip()
        self._process.stderr.close()
        if self._process.returncode and self._alive:
            log.warning("the agent process of %s ended with %d: %s", self._machine.name, self._process.returncode, said)

    def _carry(self) -> None:
        with self._machine.world.lock:
            if not self._alive:
                return
            self._copy_events()
            if not (self._real / "work" / _CANCEL).exists():
                self._copy_in(_CANCEL)

    def _copy_events(self) -> None:
        """Append the lines that are new to the world's file."""
        path = self._real / "work" / _EVENTS
        if self._size() <= self._told:
            return
        with path.open("rb") as file:
            file.seek(self._told)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return
        self._told += len(whole)
        with suppress(FileError):  # somebody has removed the folder
            self._machine.files.write(f"{self._folder}\\{_EVENTS}", _MOMENT.sub(self._moved, whole), append=True)
            self._machine.world.kernel.touch()

    def _moved(self, found: re.Match[bytes]) -> bytes:
        """Move a moment of the computer's clock to the lab's."""
        text = found[2].decode("ascii")
        moment = datetime.fromisoformat(f"{text[:26].rstrip('Z')}+00:00")
        now = datetime.now(UTC)
        scale = 1 / self._clock.real_seconds(timedelta(seconds=1))
        lab = self._clock.now() - (now - moment) * scale
        return found[1] + f"{lab:%Y-%m-%dT%H:%M:%S.%f}0Z".encode() + found[3]


def launch_process(
    machine: Machine, definition: TaskDefinition, *, clock: NodeClock, start: Start
) -> AgentProcess | int:
    """Start what a task runs; the code of the failure when it cannot start."""
    found = agent_file_of(machine, definition)
    if isinstance(found, int):
        return found
    script, folder = found
    return AgentProcess(machine, machine.files.read(script), folder, clock=clock, start=start)
