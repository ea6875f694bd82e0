"""PowerShell's wildcard patterns: ``*``, ``?``, ``[a-c]``, and a backtick before a character that means itself."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["has_wildcard", "matches"]


def has_wildcard(pattern: str) -> bool:
    """Tell whether a text is more than a plain name."""
    return any(mark in pattern for mark in "*?[")


def matches(pattern: str, text: str, *, case_sensitive: bool = False) -> bool:
    """Tell whether a pattern fits a whole text."""
    return _compiled(pattern, case_sensitive).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str, case_sensitive: bool) -> re.Pattern[str]:  # noqa: FBT001  a key of the cache
    return re.compile(_translate(pattern), re.DOTALL if case_sensitive else re.DOTALL | re.IGNORECASE)


def _translate(pattern: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        mark = pattern[position]
        end = pattern.find("]", position + 1)
        if mark == "`" and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        elif mark == "[" and end > position + 1:
            parts.append(f"[{_escaped_set(pattern[position + 1 : end])}]")
            position = end
        else:
            parts.append({"*": ".*", "?": "."}.get(mark, re.escape(mark)))
        position += 1
    return "".join(parts)


def _escaped_set(content: str) -> str:
    """Escape what means something in a set of ``re`` and nothing in PowerShell's."""
    return content.replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
