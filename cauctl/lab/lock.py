"""What a node's endpoint shows when it is locked down, as an endpoint of Just Enough Administration (JEA) is."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

__all__ = ["EndpointLock"]


@frozen
class EndpointLock:
    """The commands that an endpoint shows, and modules whose functions they may be. There is no language.

    With real PowerShell the modules are imported in each session before everything that is not visible is hidden, so
    their functions may call commands that the client cannot.
    """

    visible: tuple[str, ...]
    """Names of commands."""
    modules: tuple[Path, ...] = field(default=(), kw_only=True)
    """Module files (``.psd1``, ``.psm1``) for real PowerShell."""
    configuration: str | None = field(default=None, kw_only=True)
    """Name of the one session configuration that admits anybody; None: every name leads here."""
