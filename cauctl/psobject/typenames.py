"""The two ways in which .NET writes the name of a type.

``Type.FullName`` puts assembly-qualified generic arguments in double brackets; ``Type.ToString()`` names them plainly
in single ones. ConvertTo-Xml prints the first for the declared type of a null (R36) and the second for everything else
(R14). Type names of CLIXML are in the first form.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

__all__ = ["CORE_ASSEMBLY", "FRAMEWORK_ASSEMBLY", "full_name_for", "shown_name"]

CORE_ASSEMBLY: Final = "System.Private.CoreLib, Version=10.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e"
"""Identity of the core library that PowerShell 7.6 runs on."""
FRAMEWORK_ASSEMBLY: Final = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
"""Identity of the core library that Windows PowerShell 5.1 runs on."""


@lru_cache(maxsize=1024)
def shown_name(full_name: str) -> str:
    """Turn ``Type.FullName`` into what ``Type.ToString()`` gives; what is no such name stays as it is."""
    if "[[" not in full_name or full_name.count("[") != full_name.count("]"):
        return full_name
    start = full_name.index("[[")
    arguments, end = _arguments(full_name, start + 1)
    shown = ",".join(shown_name(argument) for argument in arguments)
    return f"{full_name[:start]}[{shown}]{full_name[end:]}"


def full_name_for(declared: str, *, windows_powershell: bool) -> str:
    """Give the declared type's ``FullName`` in the edition's spelling: only the core library's identity differs."""
    return declared.replace(CORE_ASSEMBLY, FRAMEWORK_ASSEMBLY) if windows_powershell else declared


def _arguments(text: str, at: int) -> tuple[list[str], int]:
    """Read ``[A, assembly],[B, assembly]]`` from its first bracket; give the bare type names and where it ends."""
    found: list[str] = []
    while at < len(text) and text[at] == "[":
        depth, end = 0, at
        while end < len(text):
            depth += (text[end] == "[") - (text[end] == "]")
            end += 1
            if not depth:
                break
        found.append(_without_assembly(text[at + 1 : end - 1]))
        at = end + (text[end : end + 1] == ",")
    return found, at + 1


def _without_assembly(qualified: str) -> str:
    """Cut ``, assembly`` off a qualified name; commas within brackets belong to the name."""
    depth = 0
    for at, letter in enumerate(qualified):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and not depth:
            return qualified[:at]
    return qualified
