"""Reads the XML of a scheduled task, as far as the lab runs it: one action, and who runs it."""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from attrs import frozen

from cauctl.errors import InputError

__all__ = ["TaskDefinition", "read_task"]

NAMESPACE: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


@frozen
class TaskDefinition:
    """What a task runs."""

    command: str
    """Program."""
    arguments: str = ""
    """Its arguments, as one text."""
    user: str = ""
    """Account, by name or SID."""


def read_task(xml: str) -> TaskDefinition:
    """Read a definition; InputError when it is none. Document types and entities are refused."""
    found: dict[str, str] = {}
    path: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, _attributes: object) -> None:
        path.append(name.removeprefix(f"{NAMESPACE} "))

    def end(_name: str) -> None:
        path.pop()

    def text(data: str) -> None:
        key = "/".join(path)
        found[key] = found.get(key, "") + data

    def refuse(*_arguments: object) -> None:
        raise InputError("a task's XML has no document type", where="Xml")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(_DECLARATION.sub("", xml), True)
    except expat.ExpatError as error:
        raise InputError(str(error), where="Xml", expected="a Task element") from error
    command = found.get("Task/Actions/Exec/Command", "").strip()
    if not command:
        raise InputError("the task has no action", where="Xml", expected="Task/Actions/Exec/Command")
    return TaskDefinition(
        command,
        found.get("Task/Actions/Exec/Arguments", "").strip(),
        found.get("Task/Principals/Principal/UserId", "").strip(),
    )
