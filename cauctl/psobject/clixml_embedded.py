"""Whether a text is the XML document that an ``XD`` element may hold.

The text is only looked at, never expanded: a document type may stand in front, but a reference to an entity that it
declares is refused (PowerShell expands those up to a limit). An empty text is a document without a root.
"""

from __future__ import annotations

import re
from typing import Final

from cauctl.errors import InputError
from cauctl.psobject.clixml_syntax import DECLARATION, Syntax

__all__ = ["check_document"]

_DOCTYPE: Final = re.compile(r"<!DOCTYPE[ \t\n][^\[<>]*(?:\[(?:[^\]\"']++|\"[^\"]*+\"|'[^']*+')*+\][ \t\n]*)?>")


def check_document(text: str) -> None:
    """Raise a ValueError unless the text is well-formed XML or empty."""
    if not text:
        return
    normal = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    syntax = Syntax(normal)
    declaration = DECLARATION.match(normal)
    try:
        pos = syntax.skip(declaration.end() if declaration else 0) if not _starts_doctype(normal) else 0
        doctype = _DOCTYPE.match(normal, pos)
        if doctype is not None:
            pos = syntax.skip(doctype.end())
        if pos < len(normal):
            pos = syntax.skip(syntax.drop(syntax.start(pos)))
        if pos < len(normal):
            raise syntax.error(pos, "A second element stands beside the root.", "the end")
    except InputError as refusal:
        raise ValueError(f"an XML document ({refusal.message})") from refusal


def _starts_doctype(text: str) -> bool:
    return text.startswith("<!DOCTYPE")
