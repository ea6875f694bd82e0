"""Scripts of the user that run on a node before and after its maintenance, and what came of one."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen

__all__ = ["ScriptFile", "ScriptOutcome", "ScriptPlace"]


class ScriptPlace(Enum):
    """When a script runs."""

    PRE_UPDATE = "pre-update"
    """Before the node is paused; when it fails the node is not updated."""
    POST_UPDATE = "post-update"
    """Right after the node was resumed."""


@frozen
class ScriptFile:
    """A script as it was when the run began. Its text is not here: it may hold what no journal must."""

    path: str
    """Where the user keeps it, on the coordinator's machine."""
    sha256: str = field(kw_only=True)
    """Hash of its text, in hexadecimal digits: a changed file is not taken for it."""
    configuration: str = field(default="Microsoft.PowerShell", kw_only=True)
    """Session configuration in which it runs."""


@frozen
class ScriptOutcome:
    """What came of one run of a script."""

    failure: str | None = None
    """The error that ended it; None: it came to its end."""
    output: tuple[str, ...] = field(default=(), kw_only=True)
    """What it wrote, a line each; not more than people read."""
    errors: tuple[str, ...] = field(default=(), kw_only=True)
    """Errors and warnings that did not end it."""
