"""The update agent port: Windows Update work by a script that a scheduled task runs as SYSTEM on the node.

The protocol is described in ``docs/agent-protocol.md``.

Rules kept here:

* Each step of beginning looks first and can be repeated, by us after a broken connection or by another coordinator.
* The task's state is read before its events, so that an agent that ends in between is not taken for lost.
* Nothing runs on the node but the script whose hash we know.
"""

from __future__ import annotations

import re
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

from cauctl.errors import NodeError, RemoteError
from cauctl.psobject import to_python
from cauctl.psrp.agent_files import (
    FINAL,
    WorkPlace,
    agent_file,
    read_events,
    request_document,
    run_of,
    work_name,
)
from cauctl.psrp.agent_progress import ProgressJudge, Seen, still_at_work
from cauctl.psrp.agent_task import NEVER_RAN, TASK_PATH, TASK_STATES, TIME_LIMIT, WORKING, task_xml
from cauctl.psrp.answers import answers, enum_name, plain_text
from cauctl.psrp.commands import send

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from cauctl.models.agent import AgentEvent, AgentProgress, AgentRequest
    from cauctl.psrp.fleet import Fleet
    from cauctl.psrp.pipeline import Command, Pipeline

__all__ = ["PsrpUpdateAgent"]

_SYSTEM_ROOT: Final[Pipeline] = send(
    "Get-ItemProperty", LiteralPath="HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
) | send("Select-Object", Property=["SystemRoot"])
_SYSTEM_ROOT_FORM: Final = re.compile(r"[A-Za-z]:\\[\w .()\\-]*\w")
_STATE: Final = send("Select-Object", Property=["TaskName", "State"])
_NO_TASK: Final = "cmdletizationquery_notfound"
"""Beginning of the error id when there is no such task."""


class PsrpUpdateAgent:
    """Implements :class:`cauctl.ports.UpdateAgent`.

    Args:
        fleet: sessions with the nodes.
        accept_eulas: accept licences of updates that are asked for. Microsoft's coordinator never does.
        time_limit: after how long Task Scheduler ends the agent.
        monotonic_clock: real time in seconds, for the patience with a slow start.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        accept_eulas: bool = False,
        time_limit: timedelta = TIME_LIMIT,
        monotonic_clock: Callable[[], float] = monotonic,
    ) -> None:
        self._fleet = fleet
        self._accept_eulas = accept_eulas
        self._time_limit = time_limit
        self._progress = ProgressJudge(monotonic_clock)
        self._lock = threading.Lock()
        self._places: dict[str, WorkPlace] = {}

    def __repr__(self) -> str:
        return f"<PsrpUpdateAgent {self._fleet!r}>"

    # ---- The port

    def begin(self, node: str, request: AgentRequest) -> None:
        """Start the work and return; a request that was begun already is left as it is."""
        name, place = work_name(request), self._place(node)
        state = self._task_state(node, name)
        if state is None:
            if self._exists(node, place.events(name)):
                return
            self._provide_agent(node, place)
            self._make_folder(node, place.folder(name))
            self._write(node, place.request(name), request_document(request, accept_eulas=self._accept_eulas))
            self._register(node, place, name)
        elif state in WORKING or self._last_result(node, name) != NEVER_RAN:
            return
        self._progress.begun(node, name)
        self._fleet.act_on(node, _task("Start-ScheduledTask", name))

    def poll(self, node: str, request: AgentRequest, after: int) -> AgentProgress:
        """Events numbered above ``after``, and whether the agent is still at work."""
        name = work_name(request)
        return self._progress.follow(
            node,
            name,
            after,
            # The state first: an agent that ends in between is then not taken for lost.
            look=lambda: Seen(self._task_state(node, name), events=self._events(node, name, after)),
            last_result=lambda: self._last_result(node, name),
        )

    def cancel(self, node: str, request: AgentRequest) -> None:
        """Ask the agent to stop; work that is gone already needs no asking."""
        path = self._place(node).cancel(work_name(request))
        try:
            self._fleet.act_on(node, send("Set-Content", LiteralPath=path, Value="cancel", Encoding="Ascii"))
        except RemoteError as error:
            if error.category != "ObjectNotFound":
                raise

    def collect(self, node: str, request: AgentRequest) -> None:
        """Remove task and folder; refused while the agent is at work, since its events are its only trace."""
        name = work_name(request)
        at_work = self._task_state(node, name) in WORKING
        if at_work and not any(event.kind in FINAL for event in self._events(node, name, 0)):
            raise still_at_work(node, request)
        self._remove(node, name)

    def leftovers(self, node: str) -> tuple[str, ...]:
        """Run ids in the names of our tasks and folders, in alphabetical order."""
        runs = {run_of(name) for name in self._left(node)}
        return tuple(sorted(run for run in runs if run is not None))

    def remove_leftovers(self, node: str, run_id: str) -> None:
        """End and remove what this run left."""
        for name in sorted(self._left(node)):
            if (run_of(name) or "").casefold() == run_id.casefold():
                if self._task_state(node, name) in WORKING:
                    self._fleet.act_on(node, _task("Stop-ScheduledTask", name))
                self._remove(node, name)

    # ---- Beginning

    def _provide_agent(self, node: str, place: WorkPlace) -> None:
        file = agent_file()
        path = place.agent(file)
        if self._hash(node, path) == file.sha256:
            return
        self._make_folder(node, place.agents)
        self._write(node, path, file.text)
        found = self._hash(node, path)
        if found != file.sha256:
            raise NodeError(
                f"{node}: the agent file {path} has the hash {found or 'of nothing'}, not the one that was sent.",
                node=node,
                advice="Something on the node changes or removes scripts; allow this file there.",
                error_id="AgentFileChanged",
                category="SecurityError",
            )

    def _hash(self, node: str, path: str) -> str:
        pipeline = send("Get-FileHash", LiteralPath=path, Algorithm="SHA256") | send("Select-Object", Property=["Hash"])
        result = self._fleet.look_on(node, pipeline, collect_errors=True)
        found = answers(result.output, node=node, command="Get-FileHash")
        return found[0].text("Hash").lower() if found else ""

    def _make_folder(self, node: str, path: str) -> None:
        self._fleet.act_on(node, send("New-Item", Path=path, ItemType="Directory", Force=True) | send("Out-Null"))

    def _write(self, node: str, path: str, text: str) -> None:
        self._fleet.act_on(
            node, send("Set-Content", LiteralPath=path, Value=text, Encoding="Ascii", NoNewline=True, Force=True)
        )

    def _register(self, node: str, place: WorkPlace, name: str) -> None:
        xml = task_xml(
            powershell=place.powershell,
            agent=place.agent(agent_file()),
            folder=place.folder(name),
            time_limit=self._time_limit,
        )
        try:
            self._fleet.act_on(node, _task("Register-ScheduledTask", name, Xml=xml) | send("Out-Null"))
        except RemoteError:
            # Another coordinator may have registered the same task a moment ago.
            if self._task_state(node, name) is None:
                raise

    # ---- Reading

    def _events(self, node: str, name: str, after: int) -> tuple[AgentEvent, ...]:
        """Events from number ``after`` on; that one too, since it may have been the final one."""
        pipeline = (
            send("Get-Content", LiteralPath=self._place(node).events(name), Encoding="UTF8")
            | send("Select-Object", Skip=max(after - 1, 0))
            | send("ForEach-Object", MemberName="ToString")
        )
        try:
            lines = self._fleet.look_on(node, pipeline).output
        except RemoteError as error:
            if error.category != "ObjectNotFound":
                raise
            return ()
        return read_events([plain_text(line) for line in lines], node=node, after=after)

    def _task_state(self, node: str, name: str) -> str | None:
        """State of a task by name; None when there is no such task."""
        output = self._tasks(node, _task("Get-ScheduledTask", name) | _STATE)
        found = answers(output, node=node, command="Get-ScheduledTask")
        return enum_name(found[0].raw("State"), TASK_STATES) if found else None

    def _last_result(self, node: str, name: str) -> int | None:
        output = self._tasks(
            node,
            _task("Get-ScheduledTask", name)
            | send("Get-ScheduledTaskInfo")
            | send("Select-Object", Property=["LastTaskResult", "LastRunTime"]),
        )
        found = answers(output, node=node, command="Get-ScheduledTaskInfo")
        return found[0].integer("LastTaskResult") & 0xFFFFFFFF if found else None

    def _tasks(self, node: str, pipeline: Pipeline) -> list[object]:
        try:
            return self._fleet.look_on(node, pipeline).output
        except RemoteError as error:
            if not _no_task(error):
                raise
            return []

    def _exists(self, node: str, path: str) -> bool:
        output = self._fleet.look_on(node, send("Test-Path", LiteralPath=path, PathType="Leaf")).output
        return bool(output) and bool(to_python(output[0]))

    # ---- Removing

    def _left(self, node: str) -> set[str]:
        """Names of our tasks and folders on the node."""
        tasks = self._tasks(node, send("Get-ScheduledTask", TaskPath=TASK_PATH) | _STATE)
        folders = send("Get-ChildItem", LiteralPath=self._place(node).runs, Directory=True) | send(
            "Select-Object", Property=["Name"]
        )
        found = {answer.text("TaskName") for answer in answers(tasks, node=node, command="Get-ScheduledTask")}
        try:
            output = self._fleet.look_on(node, folders).output
        except RemoteError as error:
            if error.category != "ObjectNotFound":
                raise
            output = []
        return found | {answer.text("Name") for answer in answers(output, node=node, command="Get-ChildItem")}

    def _remove(self, node: str, name: str) -> None:
        self._progress.forget(node, name)
        try:
            self._fleet.act_on(node, _task("Unregister-ScheduledTask", name, Confirm=False))
        except RemoteError as error:
            if not _no_task(error):
                raise
        folder = self._place(node).folder(name)
        try:
            self._fleet.act_on(node, send("Remove-Item", LiteralPath=folder, Recurse=True, Force=True, Confirm=False))
        except RemoteError as error:
            if error.category != "ObjectNotFound":
                raise

    def _place(self, node: str) -> WorkPlace:
        with self._lock:
            known = self._places.get(node.casefold())
        if known is not None:
            return known
        found = answers(self._fleet.look_on(node, _SYSTEM_ROOT).output, node=node, command="Get-ItemProperty")
        root = found[0].text("SystemRoot") if found else ""
        if not _SYSTEM_ROOT_FORM.fullmatch(root):
            raise NodeError(f"{node}: its system folder is said to be {root!r}.", node=node)
        with self._lock:
            return self._places.setdefault(node.casefold(), WorkPlace(root))


def _task(command: str, name: str, **parameters: object) -> Command:
    return send(command, TaskPath=TASK_PATH, TaskName=name, **parameters)


def _no_task(error: RemoteError) -> bool:
    return error.fully_qualified_error_id.casefold().startswith(_NO_TASK)
