"""Progress records (``PR``), the one primitive of CLIXML that has children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.psobject.clixml_escapes import unescape
from cauctl.psobject.clixml_primitives import PRIMITIVES
from cauctl.psobject.values import ProgressRecord

if TYPE_CHECKING:
    from cauctl.psobject.clixml_syntax import StartTag, Syntax

__all__ = ["read_progress"]

_FIELDS: Final = (
    ("AV", "activity"),
    ("AI", "activity_id"),
    (None, "current_operation"),
    ("PI", "parent_activity_id"),
    ("PC", "percent_complete"),
    ("T", "record_type"),
    ("SR", "seconds_remaining"),
    ("SD", "status_description"),
)
_TYPES: Final = {"processing": "Processing", "0": "Processing", "completed": "Completed", "1": "Completed"}
_HIGHEST_PERCENT: Final = 100


def read_progress(syntax: Syntax, tag: StartTag) -> tuple[ProgressRecord, int]:
    """Read a progress record, whose children have a fixed order; give the offset behind it too."""
    pos = tag.end
    fields: dict[str, Any] = {}
    for local, name in _FIELDS:
        if not tag.empty:
            pos = syntax.skip(pos)
        wanted = local or "S or Nil"
        if tag.empty or syntax.text.startswith("</", pos):
            raise syntax.error(pos, "The progress record ends too early.", wanted)
        child = syntax.start(pos)
        if child.local != local and not (local is None and child.local in ("S", "Nil")):
            raise syntax.unknown(child, pos, wanted)
        fields[name], pos = _field(syntax, child, name)
    if fields["activity_id"] == fields["parent_activity_id"]:
        raise syntax.error(tag.end, "The activity is its own parent.", "a PI other than AI, or -1")
    return ProgressRecord(**fields), syntax.end(syntax.skip(pos), tag)


def _field(syntax: Syntax, tag: StartTag, name: str) -> tuple[Any, int]:
    if tag.local == "Nil":
        return None, syntax.drop(tag)
    text, pos = syntax.content(tag)
    value: Any = unescape(text)
    try:
        if tag.local in ("AI", "PI", "PC", "SR"):
            value = PRIMITIVES["I32"](text)
    except ValueError as refusal:
        raise syntax.error(tag.end, f"{text[:40]!a} is no number.", str(refusal)) from refusal
    if name == "percent_complete" and value > _HIGHEST_PERCENT:
        raise syntax.error(tag.end, f"{value} percent are too many.", f"at most {_HIGHEST_PERCENT}")
    if name in ("activity", "status_description") and not value:
        raise syntax.error(tag.end, f"The {name.replace('_', ' ')} is empty.", "a text")
    if name == "activity_id" and value < 0:
        raise syntax.error(tag.end, f"The activity id {value} is negative.", "0 or more")
    if name == "record_type":
        value = _TYPES.get(value.strip().lower())
        if value is None:
            raise syntax.error(tag.end, f"{text[:40]!a} is no type of progress.", "Processing or Completed")
    return value, pos
