"""Finds the schemas that our files promise to follow.

They stand in the folder ``schemas`` of the project and travel in the package as ``cauctl/_schemas``; an installed
package is looked into first, then the checkout around it.
"""

from __future__ import annotations

from pathlib import Path

from cauctl.errors import StateError

__all__ = ["schema"]

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_schemas", _PACKAGE.parent / "schemas")


def schema(name: str) -> bytes:
    """Read the schema of that file name; StateError when the installation lacks it."""
    for place in _PLACES:
        path = place / name
        if path.is_file():
            return path.read_bytes()
    raise StateError("the schema is missing from this installation.", path=name, advice="Install cauctl again.")
