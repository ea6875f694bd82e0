"""How much a document may ask for."""

from __future__ import annotations

from attrs import field, frozen

__all__ = ["Limits"]


@frozen
class Limits:
    """How much a document may ask for; beyond it is an InputError."""

    depth: int = 48
    """Levels of ``Obj``, and of member sets: PowerShell's own limit."""
    text: int = field(default=32 << 20, kw_only=True)
    """Characters in one string."""
    document: int = field(default=1 << 30, kw_only=True)
    """Characters in one document, after decompression."""
