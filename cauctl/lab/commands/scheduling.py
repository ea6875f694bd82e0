"""Cmdlets of ScheduledTasks, and what a started task runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import InputError
from cauctl.lab.commands.failures import cim_failure
from cauctl.lab.commands.scene import CommandSet, Scene, one, strings, texts_match
from cauctl.lab.commands.shapes import make
from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.agent_files import launch_agent
from cauctl.lab.world.task_definition import read_task
from cauctl.psobject import DateTime, PSObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.tasks import ScheduledTask

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()

ERROR_FILE_NOT_FOUND: Final = 0x80070002
ERROR_ALREADY_EXISTS: Final = 0x800700B7
SCHED_E_MALFORMEDXML: Final = 0x8004131A
_STATES: Final = {"Disabled": 1, "Queued": 2, "Ready": 3, "Running": 4}
_NEVER: Final = DateTime.from_ticks(630_794_304_000_000_000)
_TYPE: Final = "MSFT_ScheduledTask"


@COMMANDS.command("Register-ScheduledTask")
def register_scheduled_task(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Register a task from XML; a name that is taken only with ``-Force``."""
    xml = one(call.get("Xml"))
    if xml is None:
        raise cim_failure("The lab registers tasks from XML only.", code=0x80070032)
    try:
        read_task(xml)
    except InputError as error:
        raise cim_failure(f"The task XML is malformed. {error}", code=SCHED_E_MALFORMEDXML) from error
    path, name = _folder(one(call.get("TaskPath"))), str(call.get("TaskName"))
    if scene.node.tasks.find(path, name) is not None and not call.switch("Force"):
        raise CommandError(
            "Cannot create a file when that file already exists.",
            error_id=f"HRESULT 0x{ERROR_ALREADY_EXISTS:08x}",
            category="ResourceExists",
            exception_type="Microsoft.Management.Infrastructure.CimException",
            hresult=ERROR_ALREADY_EXISTS,
            terminating=False,
        )
    return [_task(scene, scene.node.tasks.register(path, name, xml))]


def _folder(path: str | None) -> str:
    inner = (path or "\\").strip("\\")
    return f"\\{inner}\\" if inner else "\\"


def _named(scene: Scene, call: BoundCall) -> list[ScheduledTask]:
    """Give the tasks that a call names or was piped; an error for a name that no task has."""
    piped = [each for each in _items(call.get("InputObject")) if isinstance(each, PSObject)]
    if piped:
        wanted = [(str(each["TaskPath"]), str(each["TaskName"])) for each in piped]
        return [task for path, name in wanted if (task := scene.node.tasks.find(path, name)) is not None]
    names = strings(call.get("TaskName"))
    paths = [_folder(path) if "*" not in path else path for path in strings(call.get("TaskPath"))]
    tasks = [
        task
        for task in scene.node.tasks.all()
        if (not paths or texts_match(paths, task.path)) and (not names or texts_match(names, task.name))
    ]
    for name in names:
        if "*" not in name and not any(task.name.casefold() == name.casefold() for task in tasks):
            scene.context.error(_unknown(name))
    return tasks


def _items(value: Any) -> list[Any]:
    if isinstance(value, PSObject) and value.is_container:
        return list(value)
    return list(value) if isinstance(value, list | tuple) else [value]


def _unknown(name: str) -> CommandError:
    return CommandError(
        f"No MSFT_ScheduledTask objects found with property 'TaskName' equal to '{name}'.  Verify the value of the "
        "property and retry.",
        error_id="CmdletizationQuery_NotFound_TaskName",
        category="ObjectNotFound",
        exception_type="Microsoft.PowerShell.Cmdletization.CimJobException",
        target=name,
        terminating=False,
    )


def _task(scene: Scene, task: ScheduledTask) -> PSObject:
    definition = read_task(task.xml)
    action = make(
        "MSFT_TaskExecAction", node=scene.node.name, Execute=definition.command, Arguments=definition.arguments
    )
    made = make(
        _TYPE,
        node=scene.node.name,
        TaskName=task.name,
        TaskPath=task.path,
        URI=f"{task.path}{task.name}",
        State=_STATES[task.state],
        Author=None,
        Actions=[action],
        Principal=make("MSFT_TaskPrincipal2", node=scene.node.name, UserId=definition.user),
        Settings=make("MSFT_TaskSettings3", node=scene.node.name),
    )
    made.extended["State"] = task.state
    return made


@COMMANDS.command("Get-ScheduledTask")
def get_scheduled_task(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write tasks."""
    return [_task(scene, task) for task in _named(scene, call)]


@COMMANDS.command("Get-ScheduledTaskInfo")
def get_scheduled_task_info(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write the last result of tasks."""
    tasks = _one_named(scene, call)
    return [
        make(
            "MSFT_TaskDynamicInfo",
            node=scene.node.name,
            TaskName=task.name,
            TaskPath=task.path,
            LastRunTime=task.last_run or _NEVER,
            LastTaskResult=task.last_result,
        )
        for task in tasks
    ]


def _one_named(scene: Scene, call: BoundCall) -> list[ScheduledTask]:
    """Give the one task that a call names or was piped; without one Windows finds no file."""
    if call.get("InputObject") is not None:
        return _named(scene, call)
    task = scene.node.tasks.find(_folder(one(call.get("TaskPath"))), str(call.get("TaskName")))
    if task is None:
        raise cim_failure(
            "The system cannot find the file specified.", code=ERROR_FILE_NOT_FOUND, category="ObjectNotFound"
        )
    return [task]


@COMMANDS.command("Start-ScheduledTask")
def start_scheduled_task(scene: Scene, call: BoundCall) -> None:
    """Start tasks; one that runs already goes on alone."""
    for task in _one_named(scene, call):
        launch = scene.world.launcher or launch_agent
        scene.node.tasks.start(task, partial(launch, scene.node, read_task(task.xml)))


@COMMANDS.command("Stop-ScheduledTask")
def stop_scheduled_task(scene: Scene, call: BoundCall) -> None:
    """End what tasks run."""
    for task in _one_named(scene, call):
        scene.node.tasks.stop(task)


@COMMANDS.command("Unregister-ScheduledTask")
def unregister_scheduled_task(scene: Scene, call: BoundCall) -> None:
    """Remove tasks."""
    for task in _named(scene, call):
        scene.node.tasks.unregister(task)


@COMMANDS.command("Export-ScheduledTask")
def export_scheduled_task(scene: Scene, call: BoundCall) -> Iterable[str]:
    """Write the XML of tasks."""
    return [task.xml for task in _one_named(scene, call)]
