"""What an administrator installs on the nodes: module, role capability, session configuration, and how to do it.

Rules kept here:

* The role capability shows what :data:`~cauctl.psrp.jea.functions.FUNCTIONS` lists, and no command besides.
* The module carries the agent of this version; names, patterns and properties come from where the product has them.
* A literal is quoted for PowerShell in one place. All but the name of a group is ASCII.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from cauctl import __version__
from cauctl.errors import InputError
from cauctl.models.lock import LOCK_GROUPS
from cauctl.psrp import facts
from cauctl.psrp.agent_files import ID_PATTERN, PROTOCOL, agent_file
from cauctl.psrp.agent_task import NEVER_RAN, TASK_PATH, TIME_LIMIT, task_xml
from cauctl.psrp.jea.functions import FUNCTIONS, MODULE
from cauctl.psrp.lock import LOCK_FIELDS, RUN_MARK, STOP_FIELD
from cauctl.psrp.node import BOOT_MARK, SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cauctl.psrp.pipeline import Pipeline

__all__ = ["CONFIGURATION", "OPERATORS", "ROLE", "exported_files", "module_text"]

CONFIGURATION: Final = "cauctl"
"""Name of the session configuration."""
ROLE: Final = "CauctlOperator"
"""Name of the role capability."""
OPERATORS: Final = r"CONTOSO\cauctl-operators"
"""Group that stands in the session configuration until an administrator puts another there."""

_MODULE_ID: Final = "6c1b3f86-0a3f-4f1c-9d0c-1c6a5f7f2f01"
_ROLE_ID: Final = "6c1b3f86-0a3f-4f1c-9d0c-1c6a5f7f2f02"
_CONFIGURATION_ID: Final = "6c1b3f86-0a3f-4f1c-9d0c-1c6a5f7f2f03"
_VERSION: Final = re.sub(r"[^0-9.].*|\.$", "", __version__)
"""Version of the module: Windows' modules have numbers only."""
_PLACE: Final = re.compile(r"@@([A-Z_]+)@@")
_GROUP: Final = re.compile(r"[^\x00-\x1f\"/\[\]:;|=,+*?<>@'\\]+\\[^\x00-\x1f\"/\[\]:;|=,+*?<>'\\]+")
_QUERY: Final = r"^[\x20-\x7E]+\z"
_UPDATE: Final = r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/[0-9]{1,9}\z"
_REASON: Final = r'^[^"\x00-\x1F]*[^"\x00-\x20\\]\z'


def exported_files(*, operators: str = OPERATORS) -> Mapping[str, str]:
    r"""Give the files by their path below the folder of the export.

    Args:
        operators: group that may connect, as ``DOMAIN\name``.

    Raises:
        InputError: ``operators`` is no such name.
    """
    if not _GROUP.fullmatch(operators):
        raise InputError(f"{operators!a} is not the name of a group", where="group", expected=r"DOMAIN\name")
    return {
        f"{MODULE}/{MODULE}.psm1": module_text(),
        f"{MODULE}/{MODULE}.psd1": _manifest(),
        f"{MODULE}/RoleCapabilities/{ROLE}.psrc": _role_capability(),
        f"{CONFIGURATION}.pssc": _session_configuration(operators),
        "README.md": _how_to(operators),
    }


def module_text() -> str:
    """Write the module: its source with what this version fills in."""
    agent = agent_file()
    filled = {
        "MODULE_VERSION": _VERSION,
        "LOCK_GROUPS": _array(LOCK_GROUPS),
        "LOCK_FIELDS": _array((*LOCK_FIELDS, STOP_FIELD)),
        "RUN_MARK": f"^{RUN_MARK}[0-9A-Za-z-]{{1,64}}\\z",
        "TASK_PATH": TASK_PATH,
        "NEVER_RAN": str(NEVER_RAN),
        "PROTOCOL": str(PROTOCOL),
        "SIGNALS": "[ordered] " + _table({name: _quoted(path) for name, path in SIGNALS.items()}),
        "BOOT_MARK": _quoted(BOOT_MARK),
        "AGENT_HASH": agent.sha256,
        "AGENT": agent.text,
        "TASK_XML": task_xml(powershell="{powershell}", agent="{agent}", folder="{folder}", time_limit=TIME_LIMIT),
        "ID": f"^(?:{ID_PATTERN})\\z",
        "QUERY": _QUERY,
        "UPDATE": _UPDATE,
        "REASON": _REASON,
        "FUNCTIONS": _array(FUNCTIONS),
        **{name: _array(_properties(name)) for name in _QUESTIONS},
    }
    return _PLACE.sub(lambda place: filled[place[1]], _source("CauctlNode.psm1"))


_QUESTIONS: Final[Mapping[str, Pipeline]] = {
    "CLUSTER": facts.CLUSTER,
    "NODES": facts.NODES,
    "GROUPS": facts.GROUPS,
    "RESOURCES": facts.RESOURCES,
    "QUORUM": facts.QUORUM,
    "STORAGE_JOBS": facts.STORAGE_JOBS,
    "VIRTUAL_DISKS": facts.VIRTUAL_DISKS,
    "UPDATING_RUNS": facts.UPDATING_RUNS,
    "LOCK": facts.LOCK,
}
"""What is asked in Windows' commands elsewhere: the functions answer with the same properties."""


def _properties(question: str) -> Iterable[str]:
    chosen: Iterable[str] = _QUESTIONS[question].commands[-1].parameters["Property"]
    return chosen


def _source(name: str) -> str:
    return files("cauctl.psrp.jea").joinpath(name).read_text(encoding="ascii").replace("\r\n", "\n")


def _quoted(text: str) -> str:
    """Write a text as PowerShell's literal."""
    # PowerShell takes typographic single quotes for plain ones.
    return "'" + re.sub(r"(['\u2018-\u201B])", r"\1\1", text) + "'"


def _array(texts: Iterable[str]) -> str:
    return f"@({', '.join(map(_quoted, texts))})"


def _table(entries: Mapping[str, str]) -> str:
    lines = [f"    {_quoted(name)} = {value}\n" for name, value in entries.items()]
    return f"@{{\n{''.join(lines)}}}"


def _document(entries: Mapping[str, str]) -> str:
    """Write a data file of PowerShell: a hashtable of literals."""
    return "@{\n" + "".join(f"    {name} = {value}\n" for name, value in entries.items()) + "}\n"


def _manifest() -> str:
    return _document(
        {
            "RootModule": _quoted(f"{MODULE}.psm1"),
            "ModuleVersion": _quoted(_VERSION),
            "GUID": _quoted(_MODULE_ID),
            "Author": _quoted("cauctl"),
            "Description": _quoted("What cauctl may do on a node of a cluster that it updates."),
            "PowerShellVersion": _quoted("5.1"),
            "FunctionsToExport": _list(FUNCTIONS),
            "CmdletsToExport": "@()",
            "VariablesToExport": "@()",
            "AliasesToExport": "@()",
        }
    )


def _list(names: Iterable[str]) -> str:
    """Write names below each other, each with its purpose."""
    lines = [f"        {_quoted(name)} # {FUNCTIONS[name].purpose}\n" for name in names]
    return f"@(\n{''.join(lines)}    )"


def _role_capability() -> str:
    return _document(
        {
            "GUID": _quoted(_ROLE_ID),
            "Author": _quoted("cauctl"),
            "Description": _quoted("Updating this cluster by cauctl: these functions, and no command besides."),
            "ModulesToImport": _quoted(MODULE),
            "VisibleFunctions": _list(FUNCTIONS),
        }
    )


def _session_configuration(operators: str) -> str:
    return _document(
        {
            "SchemaVersion": _quoted("2.0.0.0"),
            "GUID": _quoted(_CONFIGURATION_ID),
            "Author": _quoted("cauctl"),
            "Description": _quoted("Endpoint by which cauctl updates this cluster."),
            "SessionType": _quoted("RestrictedRemoteServer"),
            "LanguageMode": _quoted("NoLanguage"),
            "RunAsVirtualAccount": "$true",
            "TranscriptDirectory": _quoted(r"C:\ProgramData\cauctl\Transcripts"),
            "RoleDefinitions": f"@{{ {_quoted(operators)} = @{{ RoleCapabilities = {_quoted(ROLE)} }} }}",
        }
    )


def _how_to(operators: str) -> str:
    shown = "\n".join(f"| `{known.name}` | {known.purpose} |" for known in FUNCTIONS.values())
    return (
        _source("how-to.md")
        .replace("@@OPERATORS@@", operators)
        .replace("@@VERSION@@", __version__)
        .replace("@@FUNCTIONS@@", shown)
    )
