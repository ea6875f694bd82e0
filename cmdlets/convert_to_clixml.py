"""ConvertTo-CliXml: objects as CLIXML text."""

from __future__ import annotations

from typing import Any

from cauctl import psobject

__all__ = ["convert_to_clixml"]


def convert_to_clixml(
    records: Any, *, depth: int = 2, newline: str | None = None, windows_powershell: bool = False
) -> str:
    """Give the text that PowerShell's ConvertTo-CliXml gives.

    Args:
        records: a list or an iterator of objects, or one object of any other kind.
        depth: levels of .NET properties to write, as in :func:`cmdlets.export_clixml`.
        newline: line end; LF by default, CR LF for ``windows_powershell``.
        windows_powershell: write what Windows PowerShell 5.1 would. Never run there.

    Raises:
        InputError: an object has no counterpart in PowerShell.
    """
    line_end = newline if newline is not None else "\r\n" if windows_powershell else "\n"
    return psobject.write_clixml(records, depth=depth, newline=line_end)
