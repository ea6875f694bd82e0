"""Patterns of what PowerShell writes: whole primitives, entries, beginnings of objects.

They match nothing that needs a look: no odd white space, no other quotes or attributes, no comments. What does not
match is read with care; what matches may still turn out odd by its content.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ENTRY", "HEAD", "LEAF"]

LEAF: Final = re.compile(
    r'[ \t\n]*<([A-Za-z][A-Za-z0-9]*)(?: N="([^"<&]*)")?(?: RefId="([^"<&]*)")?(?:>([^<]*)</\1>| />)'
)
"""A primitive, a null or a reference as PowerShell writes it."""
ENTRY: Final = re.compile(
    r'[ \t\n]*<En>[ \t\n]*<([A-Za-z0-9]+) N="Key">([^<]*)</\1>'
    r'[ \t\n]*<([A-Za-z0-9]+) N="Value">([^<]*)</\3>[ \t\n]*</En>'
)
HEAD: Final = re.compile(
    r'[ \t\n]*<Obj(?: N="([^"<&]*)")? RefId="([^"<&]*)">'
    r'(?:[ \t\n]*<TNRef RefId="([^"<&]*)" />)?(?:[ \t\n]*<ToString>([^<&]*)</ToString>)?'
    r"(?:[ \t\n]*<(Props|MS|LST|DCT)>)?"
)
"""The beginning of an object as PowerShell writes it."""
