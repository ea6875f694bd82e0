"""Whether a text is the XML document that an ``XD`` element may hold.

The text is only looked at, never expanded: a document type may stand in front, but a reference to an entity that it
declares is refused (PowerShell expands those up to a limit). Of the type itself the outline is held to XML: names,
external identifiers, kinds of declarations; not what a content model or an attribute list says. An empty text is a
document without a root.
"""

from __future__ import annotations

import re
from typing import Final

from cauctl.errors import InputError
from cauctl.psobject.clixml_syntax import DECLARATION, NAME, Syntax

__all__ = ["check_document"]

_SPACE: Final = r"[ \t\n]"
_LITERAL: Final = r"(?:\"[^\"]*+\"|'[^']*+')"
_OTHER: Final = r"<!--(?:[^-]|-[^-])*+-->|<\?(?:[^?]|\?(?!>))*+\?>"
"""A comment or a processing instruction."""
_EXTERNAL: Final = rf"(?:SYSTEM|PUBLIC{_SPACE}+{_LITERAL}){_SPACE}+{_LITERAL}"
_CONTENT: Final = r"(?:EMPTY|ANY|\([^<>\"']*\)[?*+]?)"
_DECLARED: Final = "|".join(
    (
        rf"ELEMENT{_SPACE}+{NAME}{_SPACE}+{_CONTENT}{_SPACE}*",
        rf"ATTLIST{_SPACE}+{NAME}(?:[^<>\"']|{_LITERAL})*+",
        rf"ENTITY{_SPACE}+(?:%{_SPACE}+)?{NAME}{_SPACE}+(?:{_LITERAL}|{_EXTERNAL}(?:{_SPACE}+NDATA{_SPACE}+{NAME})?){_SPACE}*",
        rf"NOTATION{_SPACE}+{NAME}{_SPACE}+(?:{_EXTERNAL}|PUBLIC{_SPACE}+{_LITERAL}){_SPACE}*",
    )
)
_SUBSET: Final = rf"\[(?:{_SPACE}|{_OTHER}|%{NAME};|<!(?:{_DECLARED})>)*+\]"
_DOCTYPE: Final = re.compile(
    rf"(?:{_SPACE}|{_OTHER})*+(<!DOCTYPE{_SPACE}+{NAME}(?:{_SPACE}+{_EXTERNAL})?{_SPACE}*(?:{_SUBSET}{_SPACE}*)?>)"
)


def check_document(text: str) -> None:
    """Raise a ValueError unless the text is well-formed XML or empty."""
    if not text:
        return
    normal = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    syntax = Syntax(normal)
    declaration = DECLARATION.match(normal)
    pos = declaration.end() if declaration else 0
    try:
        doctype = _DOCTYPE.match(normal, pos)
        if doctype is not None:
            pos = doctype.end()
        pos = syntax.skip(pos, inside=False)
        if doctype is not None or pos < len(normal):
            pos = syntax.skip(syntax.drop(syntax.start(pos)), inside=False)
        if pos < len(normal):
            raise syntax.error(pos, "A second element stands beside the root.", "the end")
    except InputError as refusal:
        raise ValueError(f"an XML document ({refusal.message})") from refusal
