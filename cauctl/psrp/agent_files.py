"""The files through which the node agent is asked and answers: their names and their contents, without any I/O.

The protocol is described in ``docs/agent-protocol.md``; ``agent.ps1`` beside this module is the other side of it.

Rules kept here:

* Names consist of run id and request id, which are letters, digits and hyphens. So they are safe as file and task
  names, and what is left on a node tells whose it is.
* What is written is pure ASCII: its bytes are the same whichever PowerShell writes them.
* A line of events that is not complete is not there yet; a complete one that cannot be read is an error.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import field, frozen

from cauctl.errors import CauError, InputError, NodeError
from cauctl.models.agent import (
    AgentEvent,
    AgentEventKind,
    AgentRequest,
    FoundUpdate,
    OperationResultCode,
    UpdateKey,
    UpdateOutcome,
)
from cauctl.psobject import array, clixml, custom_object
from cauctl.psrp.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "FINAL",
    "ID_PATTERN",
    "PROTOCOL",
    "AgentFile",
    "WorkPlace",
    "agent_file",
    "read_events",
    "request_document",
    "run_of",
    "work_name",
]

PROTOCOL: Final = 1
"""Version of request and events."""
FINAL: Final = frozenset({AgentEventKind.DONE, AgentEventKind.FAILED, AgentEventKind.CANCELLED})
"""Kinds after which nothing follows."""
ID_PATTERN: Final = r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?"
"""What a run id and a request id consist of, in words that Python and .NET understand alike."""
_ID: Final = re.compile(ID_PATTERN)
_END_OF_DOCUMENT: Final = "</Objs>"

T = TypeVar("T")


# ---- Names


@frozen
class AgentFile:
    """The agent's script as it is put on nodes."""

    text: str = field(repr=False)
    """The script."""
    sha256: str = field(kw_only=True)
    """Hash of its bytes, 64 lower-case hexadecimal digits."""


@cache
def agent_file() -> AgentFile:
    """Read the script that ships with the package. Its line ends are LF, however the package was checked out."""
    text = files("cauctl.psrp").joinpath("agent.ps1").read_text(encoding="ascii").replace("\r\n", "\n")
    return AgentFile(text, sha256=hashlib.sha256(text.encode("ascii")).hexdigest())


def work_name(request: AgentRequest) -> str:
    """Name of a request's folder and task; InputError when an id could not be part of a name."""
    for what, value in (("run_id", request.run_id), ("request_id", request.request_id)):
        if not _ID.fullmatch(value):
            raise InputError(
                f"{value!r} cannot name a task and a folder",
                where=what,
                expected="1 to 64 letters, digits and hyphens, no hyphen at the ends, no device name",
            )
    return f"{request.run_id}.{request.request_id}"


def run_of(name: str) -> str | None:
    """Run id in the name of a task or folder; None for a name that is not ours."""
    run_id, dot, request_id = name.partition(".")
    return run_id if dot and _ID.fullmatch(run_id) and _ID.fullmatch(request_id) else None


@frozen
class WorkPlace:
    """Paths on one node."""

    system_root: str
    """Such as ``C:\\Windows``."""

    @property
    def agents(self) -> str:
        """Folder of agent files."""
        return f"{self.system_root}\\cauctl\\agent"

    @property
    def runs(self) -> str:
        """Folder of the folders of requests."""
        return f"{self.system_root}\\cauctl\\runs"

    @property
    def powershell(self) -> str:
        """Windows PowerShell."""
        return f"{self.system_root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"

    def agent(self, file: AgentFile) -> str:
        """Path of an agent file: its hash is its name."""
        return f"{self.agents}\\{file.sha256}.ps1"

    def folder(self, name: str) -> str:
        """Folder of a request."""
        return f"{self.runs}\\{name}"

    def request(self, name: str) -> str:
        """Request file."""
        return f"{self.folder(name)}\\request.clixml"

    def events(self, name: str) -> str:
        """Events file."""
        return f"{self.folder(name)}\\events.clixml"

    def cancel(self, name: str) -> str:
        """File whose existence asks the agent to stop."""
        return f"{self.folder(name)}\\cancel"


# ---- The request


def request_document(request: AgentRequest, *, accept_eulas: bool) -> str:
    """Write a request as ASCII CLIXML."""
    document = clixml.write_clixml(
        [
            custom_object(
                {
                    "Protocol": PROTOCOL,
                    "RunId": request.run_id,
                    "RequestId": request.request_id,
                    "Operation": request.operation.value,
                    "Query": request.query,
                    "IncludeRecommended": request.include_recommended,
                    "AcceptEulas": accept_eulas,
                    "Updates": array(f"{key.update_id.lower()}/{key.revision}" for key in request.updates),
                }
            )
        ]
    )
    return document.encode("ascii", "xmlcharrefreplace").decode("ascii")


# ---- Events


def read_events(lines: Iterable[str], *, node: str, after: int) -> tuple[AgentEvent, ...]:
    """Read the lines of an events file from number ``after`` on (1 when nothing was read yet).

    A last line without its end is left out: the agent is writing it. NodeError when a line cannot be read or a number
    is missing.
    """
    complete = [line for line in lines if line]
    if complete and not complete[-1].rstrip().endswith(_END_OF_DOCUMENT):
        complete.pop()
    events = tuple(_event(line, node) for line in complete)
    first = max(after, 1)
    if [event.sequence for event in events] != list(range(first, first + len(events))):
        raise NodeError(f"{node}: the agent's events are not numbered from {first} on without gaps.", node=node)
    return events


def _event(line: str, node: str) -> AgentEvent:
    try:
        values = clixml.read_clixml(line.lstrip("\ufeff"))
    except CauError as error:
        raise NodeError(f"{node}: an event of the agent cannot be read: {error.message}", node=node) from error
    if len(values) != 1:
        raise NodeError(f"{node}: a line of the agent's events holds {len(values)} objects.", node=node)
    answer = Answer(values[0], node=node, command="the agent")
    kind = _member(answer, "Kind", AgentEventKind)
    make = _READERS.get(kind)
    return AgentEvent(
        answer.integer("Sequence"), kind=kind, at=answer.moment("At"), **(make(answer) if make is not None else {})
    )


def _member(answer: Answer, name: str, kind: Callable[[str], T]) -> T:
    value = answer.text(name)
    try:
        return kind(value)
    except ValueError:
        raise NodeError(f"{answer.node}: the agent's {name} {value!r} is not known.", node=answer.node) from None


def _key(answer: Answer) -> UpdateKey:
    return UpdateKey(answer.text("UpdateId").lower(), answer.integer("RevisionNumber"))


def _about_update(answer: Answer) -> Mapping[str, Any]:
    return {"key": _key(answer)}


def _found(answer: Answer) -> Mapping[str, Any]:
    update = FoundUpdate(
        _key(answer),
        title=answer.text("Title"),
        description=answer.text("Description"),
        kb_article_ids=answer.texts("KBArticleIDs"),
        msrc_severity=answer.text("MsrcSeverity"),
        max_download_size=answer.integer("MaxDownloadSize"),
        is_downloaded=answer.flag("IsDownloaded"),
        eula_accepted=answer.flag("EulaAccepted"),
        can_request_user_input=answer.flag("CanRequestUserInput"),
        reboot_behavior=answer.integer("RebootBehavior"),
        exclusive=answer.flag("Exclusive"),
        support_url=answer.text("SupportUrl"),
    )
    return {"update": update}


def _outcome(answer: Answer) -> Mapping[str, Any]:
    key = _key(answer)
    outcome = UpdateOutcome(
        key,
        result=OperationResultCode(answer.integer("ResultCode")),
        hresult=answer.integer("HResult"),
        reboot_required=answer.flag("RebootRequired"),
        at=answer.moment("At"),
    )
    return {"key": key, "outcome": outcome}


def _message(answer: Answer) -> Mapping[str, Any]:
    return {"message": answer.text("Message")}


def _ended(answer: Answer) -> Mapping[str, Any]:
    return {"reboot_required": answer.flag("RebootRequired")}


def _failed(answer: Answer) -> Mapping[str, Any]:
    code = answer.raw("HResult")
    return {
        **_message(answer),
        **_ended(answer),
        "hresult": None if code is None else answer.integer("HResult"),
    }


_READERS: Final[Mapping[AgentEventKind, Callable[[Answer], Mapping[str, Any]]]] = {
    AgentEventKind.HEARTBEAT: _message,
    AgentEventKind.FOUND: _found,
    AgentEventKind.EULA_ACCEPTED: _about_update,
    AgentEventKind.DOWNLOADING: _about_update,
    AgentEventKind.DOWNLOADED: _outcome,
    AgentEventKind.INSTALLING: _about_update,
    AgentEventKind.INSTALLED: _outcome,
    AgentEventKind.NOT_OFFERED: _about_update,
    AgentEventKind.DONE: _ended,
    AgentEventKind.FAILED: _failed,
    AgentEventKind.CANCELLED: _ended,
}
