"""ConvertFrom-CliXml: objects from CLIXML text."""

from __future__ import annotations

from typing import Any

from cauctl import psobject

__all__ = ["convert_from_clixml"]


def convert_from_clixml(text: str | bytes) -> list[Any]:
    """Read CLIXML as PowerShell's ConvertFrom-CliXml does, and what ``powershell -OutputFormat xml`` printed.

    Args:
        text: the document, as text or as bytes in UTF-8 or UTF-16.

    Returns:
        The list of top-level objects, also if it is one.

    Raises:
        InputError: the text is no CLIXML; with line, column and what was expected.
    """
    return psobject.read_clixml(text, printed=True)
