"""The root element of a CLIXML document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.psobject.clixml_primitives import PRIMITIVES

if TYPE_CHECKING:
    from cauctl.psobject.clixml_syntax import StartTag, Syntax

__all__ = ["NAMESPACE", "read_root"]

NAMESPACE: Final = "http://schemas.microsoft.com/powershell/2004/04"


def read_root(syntax: Syntax, pos: int) -> StartTag:
    """Read the start tag of ``Objs``: its namespace must be right, its version, if there is one, 1.something."""
    expected = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">'
    if not syntax.text.startswith("<", pos):
        raise syntax.cut(expected)
    root, attributes = syntax.full_start(pos)
    if root.local != "Objs":
        namespace = root.local[1:].partition("}")[0] or "no namespace"
        raise syntax.error(pos + 1, f"The root element is {root.qname} in {namespace}.", expected)
    try:
        supported = "Version" not in attributes or PRIMITIVES["Version"](attributes["Version"]).parts[0] == 1
    except ValueError:
        supported = False
    if not supported:
        raise syntax.error(pos + 1, f"The version {attributes['Version'][:40]!a} is not supported.", "1.1.0.1 or 1.x")
    return root
