"""The two layers of escapes in CLIXML texts: XML's references, and PowerShell's ``_xHHHH_`` inside of them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["UnknownReferenceError", "replace_entities", "resolve", "unescape"]

ENTITIES: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_STRAY: Final = re.compile(r"&(?!#0*[0-9]{1,7};|#x0*[0-9A-Fa-f]{1,6};|[A-Za-z]+;)")
_EARLY: Final = tuple((f"&{name};", char) for name, char in ENTITIES.items() if name != "amp")
"""Entities to replace before ``&amp;``, so that what it gives is not replaced again."""
_REFERENCE: Final = re.compile(r"&(?:#0*([0-9]{1,7})|#x0*([0-9A-Fa-f]{1,6})|([A-Za-z]+));")
_ESCAPE: Final = re.compile(r"_[xX]([0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{4})?)_")
_HAS_ESCAPE: Final = re.compile(r"_[xX]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MAX_CODE: Final = 0x10FFFF


class UnknownReferenceError(ValueError):
    """A reference is malformed, names an unknown entity, or a code beyond Unicode; ``offset`` says where."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def resolve(raw: str) -> str:
    """Replace character references and XML's five entities."""
    plain = replace_entities(raw)
    if plain is not None:
        return plain
    stray = _STRAY.search(raw)
    if stray is not None:
        raise UnknownReferenceError(stray.start())
    return _REFERENCE.sub(_referred, raw)


def _referred(found: re.Match[str]) -> str:
    """Give the character that a reference stands for."""
    if found[3] is not None:
        char = ENTITIES.get(found[3])
        if char is None:
            raise UnknownReferenceError(found.start())
        return char
    code = int(found[1]) if found[1] is not None else int(found[2], 16)
    if code > _MAX_CODE:
        raise UnknownReferenceError(found.start())
    return chr(code)


def replace_entities(raw: str) -> str | None:
    """Replace XML's five entities; None where another reference stands, or a stray ampersand."""
    text = raw
    for entity, char in _EARLY:
        if entity in text:
            text = text.replace(entity, char)
    if "&" not in text:
        return text
    return text.replace("&amp;", "&") if text.count("&") == text.count("&amp;") == raw.count("&amp;") else None


def unescape(text: str) -> str:
    """Undo PowerShell's escapes ``_xHHHH_`` and ``_xHHHHHHHH_``; pairs of surrogates become one character."""
    if "_" not in text or not _HAS_ESCAPE.search(text):
        return text
    text = _ESCAPE.sub(_character, text)
    if _SURROGATE.search(text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code <= _MAX_CODE else found[0]
