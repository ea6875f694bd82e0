"""The agent's twin as a scheduled task runs it: it reads a request file and writes event lines, as ``agent.ps1`` does.

``docs/agent-protocol.md`` names the files and what stands in them.
"""

from __future__ import annotations

import shlex
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import CauError
from cauctl.lab.world.agent_twin import AgentTwin
from cauctl.lab.world.files import FileError
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, AgentRequest, UpdateKey
from cauctl.psobject import DateTime, Int64, PSObject, UInt32, array, custom_object
from cauctl.psobject.clixml import read_clixml, write_clixml

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.task_definition import TaskDefinition
    from cauctl.lab.world.tasks import Program

__all__ = ["agent_file_of", "event_line", "launch_agent", "read_request"]

PROTOCOL: Final = 1
NO_SUCH_SCRIPT: Final = 0xFFFD_0000
NO_SUCH_PROGRAM: Final = 0x8007_0002
ERROR_NOT_SUPPORTED: Final = 0x8007_0032
ERROR_INVALID_PARAMETER: Final = 0x8007_0057
ERROR_INVALID_DATA: Final = 0x8007_000D
_POWERSHELL: Final = "powershell.exe"


class _RefusedError(Exception):
    """A request that the agent does not serve."""

    def __init__(self, hresult: int, message: str) -> None:
        self.hresult = hresult
        super().__init__(message)


def launch_agent(machine: Machine, definition: TaskDefinition) -> Program | int:
    """Start the twin for what a task runs; the code of the failure when it cannot start."""
    found = agent_file_of(machine, definition)
    return found if isinstance(found, int) else _begin(machine, found[1])


def agent_file_of(machine: Machine, definition: TaskDefinition) -> tuple[str, str] | int:
    """Give the agent file that a task runs and the folder of its request; the code of the failure if it cannot run."""
    program = definition.command.strip('"').replace("/", "\\").rpartition("\\")[2]
    if program.casefold() != _POWERSHELL:
        return NO_SUCH_PROGRAM
    options = _options(definition.arguments)
    script, folder = options.get("-file"), options.get("-folder")
    if script is None or folder is None or not _is_whole(machine, script):
        return NO_SUCH_SCRIPT
    return script, folder


def _options(arguments: str) -> dict[str, str]:
    """Give each option with the word after it."""
    lexer = shlex.shlex(arguments, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.escape, lexer.quotes = True, "", '"'
    words = list(lexer)
    return {word.casefold(): words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("-")}


def _is_whole(machine: Machine, script: str) -> bool:
    """Tell whether the agent file is there and has the hash that its name tells."""
    try:
        content = machine.files.read(script)
    except FileError:
        return False
    name = script.replace("/", "\\").rpartition("\\")[2].removesuffix(".ps1")
    return name.casefold() == sha256(content).hexdigest()


def _begin(machine: Machine, folder: str) -> Program | int:
    events, cancel = f"{folder}\\events.clixml", f"{folder}\\cancel"
    if machine.files.find(events) is not None:
        return 0
    try:
        machine.files.write(events, b"")
    except FileError:
        return 1

    def write(event: AgentEvent) -> None:
        machine.files.write(events, event_line(event).encode(), append=True)

    try:
        request, accept_eulas = read_request(machine.files.read(f"{folder}\\request.clixml").decode("utf-8"))
    except _RefusedError as error:
        _refuse(machine, write, error.hresult, str(error))
        return 0
    except (FileError, CauError, UnicodeDecodeError, KeyError, ValueError) as error:
        _refuse(machine, write, ERROR_INVALID_DATA, str(error))
        return 0
    return AgentTwin(
        machine,
        request,
        cancelled=lambda: machine.files.find(cancel) is not None,
        accept_eulas=accept_eulas,
        write=write,
    )


def _refuse(machine: Machine, write: Callable[[AgentEvent], None], hresult: int, why: str) -> None:
    """Tell that the request cannot be read."""
    write(AgentEvent(1, kind=AgentEventKind.STARTED, at=machine.world.now))
    write(AgentEvent(2, kind=AgentEventKind.FAILED, at=machine.world.now, hresult=hresult, message=why))


def read_request(text: str) -> tuple[AgentRequest, bool]:
    """Read a request file: the request, and whether licences may be accepted."""
    (document,) = read_clixml(text)
    if document["Protocol"] != PROTOCOL:
        raise _RefusedError(ERROR_NOT_SUPPORTED, "the request is of another protocol version")
    operations = {operation.value: operation for operation in AgentOperation}
    operation = operations.get(str(document["Operation"]))
    if operation is None:
        raise _RefusedError(ERROR_INVALID_PARAMETER, "the request asks for an unknown operation")
    request = AgentRequest(
        str(document["RequestId"]),
        run_id=str(document["RunId"]),
        operation=operation,
        query=str(document["Query"]),
        include_recommended=bool(document["IncludeRecommended"]),
        updates=tuple(_key(str(each)) for each in document["Updates"]),
    )
    return request, bool(document.get("AcceptEulas", False))


def _key(text: str) -> UpdateKey:
    update_id, _, revision = text.rpartition("/")
    return UpdateKey(update_id, int(revision))


def event_line(event: AgentEvent) -> str:
    """Give the line of an event, its end included."""
    facts: dict[str, Any] = {
        "Sequence": event.sequence,
        "Kind": event.kind.value,
        "At": DateTime.from_python(event.at),
        **_facts(event),
    }
    return write_clixml([custom_object(facts)], newline="") + "\n"


def _facts(event: AgentEvent) -> dict[str, Any]:
    if event.update is not None:
        return _found(event)
    facts: dict[str, Any] = {}
    if event.key is not None:
        facts = {"UpdateId": event.key.update_id, "RevisionNumber": event.key.revision}
    if event.outcome is not None:
        return facts | {
            "ResultCode": event.outcome.result.value,
            "HResult": UInt32(event.outcome.hresult),
            "RebootRequired": event.outcome.reboot_required,
        }
    if event.kind is AgentEventKind.HEARTBEAT:
        return {"Message": event.message}
    if event.kind is AgentEventKind.FAILED:
        hresult = None if event.hresult is None else UInt32(event.hresult)
        return {"HResult": hresult, "Message": event.message, "RebootRequired": event.reboot_required}
    if event.kind in {AgentEventKind.DONE, AgentEventKind.CANCELLED}:
        return {"RebootRequired": event.reboot_required}
    return facts


def _found(event: AgentEvent) -> dict[str, Any]:
    update = event.update
    if update is None:
        return {}
    return {
        "UpdateId": update.key.update_id,
        "RevisionNumber": update.key.revision,
        "Title": update.title,
        "Description": update.description,
        "KBArticleIDs": _list(update.kb_article_ids),
        "MsrcSeverity": update.msrc_severity,
        "MaxDownloadSize": Int64(update.max_download_size),
        "IsDownloaded": update.is_downloaded,
        "EulaAccepted": update.eula_accepted,
        "CanRequestUserInput": update.can_request_user_input,
        "RebootBehavior": update.reboot_behavior,
        "Exclusive": update.exclusive,
        "SupportUrl": update.support_url,
    }


def _list(items: tuple[str, ...]) -> PSObject:
    return array(items)
