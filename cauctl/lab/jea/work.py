"""Functions about the work of the node agent: the files and the task of ``docs/agent-protocol.md``."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from cauctl.lab.binder.metadata import Validation
from cauctl.lab.dispatch import Step
from cauctl.lab.jea.declaring import (
    ID,
    FunctionSet,
    answer,
    first,
    identifier,
    parameter,
    plain,
    refuse,
    switch,
)
from cauctl.lab.jea.node import CURRENT_VERSION
from cauctl.lab.runspace.streams import StatementError
from cauctl.psobject import array, custom_object
from cauctl.psobject.clixml import write_clixml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.lab.dispatch import BoundCall, CommandContext, Value

__all__ = ["FUNCTIONS"]

FUNCTIONS = FunctionSet()

_TASK_PATH: Final = "\\cauctl\\"
_NEVER_RAN: Final = 0x41303
_AGENT: Final = "# The agent of a lab's node: its twin answers in its place.\n"
_AGENT_HASH: Final = sha256(_AGENT.encode()).hexdigest()
_FINAL: Final = re.compile(r'<S N="Kind">(?:Done|Failed|Cancelled)</S>')
_TASK: Final = """\
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Principals><Principal id="System"><UserId>S-1-5-18</UserId></Principal></Principals>
  <Actions Context="System"><Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec></Actions>
</Task>
"""
_QUERY: Final = r"^[\x20-\x7E]+\Z"
_UPDATE: Final = r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/[0-9]{1,9}\Z"
_LONGEST_QUERY: Final = 4000
_IDS: Final = identifier("RunId"), identifier("RequestId")


@FUNCTIONS.function(
    "Start-CauctlWork",
    *_IDS,
    parameter("Operation", Validation("Set", values=("Scan", "Stage", "Install"))),
    parameter(
        "Query",
        Validation("Length", minimum=1, maximum=_LONGEST_QUERY),
        Validation("Pattern", values=(_QUERY,)),
    ),
    parameter("Updates", Validation("Pattern", values=(_UPDATE,)), mandatory=False, kind="System.String[]"),
    switch("IncludeRecommended"),
    switch("AcceptEulas"),
)
def start(ctx: CommandContext, call: BoundCall) -> None:
    """Begin work; each step looks first."""
    name = _name(call)
    task = _task(ctx, name)
    if task is None:
        if _exists(ctx, f"{_folder(ctx, name)}\\events.clixml"):
            return
        _prepare(ctx, call, name)
    elif _works(task) or _result(ctx, name) != _NEVER_RAN:
        return
    _do(ctx, "Start-ScheduledTask", TaskPath=_TASK_PATH, TaskName=name)


@FUNCTIONS.function(
    "Get-CauctlWork",
    *_IDS,
    parameter("After", Validation("Range", maximum=2_147_483_647), mandatory=False, kind="System.Int32"),
)
def get(ctx: CommandContext, call: BoundCall) -> Iterator[Value]:
    """Write one object about the task, then the lines of the events."""
    name = _name(call)
    task = _task(ctx, name)
    ended = task is not None and not _works(task)
    yield answer(
        TaskName=name,
        State=None if task is None else task["State"],
        LastTaskResult=_result(ctx, name) if ended else None,
    )
    yield from _lines(ctx, name)[max(int(call.get("After", 0)) - 1, 0) :]


@FUNCTIONS.function("Stop-CauctlWork", *_IDS)
def stop(ctx: CommandContext, call: BoundCall) -> None:
    """Ask work to stop."""
    folder = _folder(ctx, _name(call))
    if _exists(ctx, folder):
        _do(ctx, "Set-Content", LiteralPath=f"{folder}\\cancel", Value="cancel", Encoding="Ascii")


@FUNCTIONS.function("Remove-CauctlWork", *_IDS)
def remove(ctx: CommandContext, call: BoundCall) -> None:
    """Remove what ended work left."""
    name = _name(call)
    if _works(_task(ctx, name)) and not any(map(_FINAL.search, _lines(ctx, name))):
        raise refuse(
            "CauctlWorkGoesOn", "ResourceBusy", f"The agent is still at work on {call.get('RequestId')}.", name
        )
    _remove(ctx, name)


@FUNCTIONS.function("Find-CauctlWork")
def find(ctx: CommandContext, _call: BoundCall) -> list[Value]:
    """Write the names of all work that left something."""
    return _left(ctx)


@FUNCTIONS.function("Clear-CauctlWork", identifier("RunId"))
def clear(ctx: CommandContext, call: BoundCall) -> None:
    """End and remove what a dead run left."""
    for name in _left(ctx):
        if name.partition(".")[0].casefold() == str(call.get("RunId")).casefold():
            if _works(_task(ctx, name)):
                _do(ctx, "Stop-ScheduledTask", TaskPath=_TASK_PATH, TaskName=name)
            _remove(ctx, name)


def _prepare(ctx: CommandContext, call: BoundCall, name: str) -> None:
    """Put the agent and the request in their places and register the task."""
    root, folder = _root(ctx), _folder(ctx, name)
    agents = f"{root}\\cauctl\\agent"
    _do(ctx, "New-Item", Path=agents, ItemType="Directory", Force=True)
    agent = f"{agents}\\{_AGENT_HASH}.ps1"
    _write(ctx, agent, _AGENT)
    _do(ctx, "New-Item", Path=folder, ItemType="Directory", Force=True)
    _write(ctx, f"{folder}\\request.clixml", _request(call))
    xml = _TASK.format(
        command=escape(f"{root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"),
        arguments=escape(f'-File "{agent}" -Folder "{folder}"'),
    )
    _do(ctx, "Register-ScheduledTask", TaskPath=_TASK_PATH, TaskName=name, Xml=xml)


def _request(call: BoundCall) -> str:
    request = custom_object(
        {
            "Protocol": 1,
            "RunId": call.get("RunId"),
            "RequestId": call.get("RequestId"),
            "Operation": call.get("Operation"),
            "Query": call.get("Query"),
            "IncludeRecommended": call.switch("IncludeRecommended"),
            "AcceptEulas": call.switch("AcceptEulas"),
            "Updates": array(str(each).lower() for each in call.get("Updates") or ()),
        }
    )
    return write_clixml([request])


def _name(call: BoundCall) -> str:
    return f"{call.get('RunId')}.{call.get('RequestId')}"


def _root(ctx: CommandContext) -> str:
    return str(first(ctx, "Get-ItemProperty", LiteralPath=CURRENT_VERSION)["SystemRoot"])


def _folder(ctx: CommandContext, name: str) -> str:
    return f"{_root(ctx)}\\cauctl\\runs\\{name}"


def _exists(ctx: CommandContext, path: str) -> bool:
    return bool(plain(first(ctx, "Test-Path", LiteralPath=path)))


def _task(ctx: CommandContext, name: str) -> Value:
    return next(iter(_tasks(ctx, TaskName=name)), None)


def _tasks(ctx: CommandContext, **names: str) -> list[Value]:
    try:
        return list(ctx.invoke(Step("Get-ScheduledTask", parameters={"TaskPath": _TASK_PATH, **names})))
    except StatementError as error:
        if not error.error.error_id.startswith("CmdletizationQuery_NotFound"):
            raise
        return []


def _works(task: Value) -> bool:
    return task is not None and str(task["State"]) in {"Queued", "Running"}


def _result(ctx: CommandContext, name: str) -> int:
    return int(plain(first(ctx, "Get-ScheduledTaskInfo", TaskPath=_TASK_PATH, TaskName=name)["LastTaskResult"]))


def _lines(ctx: CommandContext, name: str) -> list[str]:
    path = f"{_folder(ctx, name)}\\events.clixml"
    if not _exists(ctx, path):
        return []
    content = Step("Get-Content", parameters={"LiteralPath": path, "Encoding": "UTF8"})
    return [str(plain(line)) for line in ctx.invoke(content)]


def _left(ctx: CommandContext) -> list[str]:
    """Names of tasks and folders that are ours."""
    names = [str(task["TaskName"]) for task in _tasks(ctx)]
    runs = f"{_root(ctx)}\\cauctl\\runs"
    if _exists(ctx, runs):
        folders = Step("Get-ChildItem", parameters={"LiteralPath": runs, "Directory": True})
        names += [str(folder["Name"]) for folder in ctx.invoke(folders)]
    return [name for name in dict.fromkeys(names) if _is_ours(name)]


def _is_ours(name: str) -> bool:
    run_id, dot, request_id = name.partition(".")
    return bool(dot and re.search(ID, run_id) and re.search(ID, request_id))


def _remove(ctx: CommandContext, name: str) -> None:
    if _task(ctx, name) is not None:
        _do(ctx, "Unregister-ScheduledTask", TaskPath=_TASK_PATH, TaskName=name, Confirm=False)
    folder = _folder(ctx, name)
    if _exists(ctx, folder):
        _do(ctx, "Remove-Item", LiteralPath=folder, Recurse=True, Force=True, Confirm=False)


def _write(ctx: CommandContext, path: str, content: str) -> None:
    _do(ctx, "Set-Content", LiteralPath=path, Value=content, Encoding="Ascii", NoNewline=True, Force=True)


def _do(ctx: CommandContext, name: str, **parameters: Value) -> None:
    for _ in ctx.invoke(Step(name, parameters=parameters)):
        pass  # only that it was done counts
