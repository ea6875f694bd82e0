"""Where reports lie: one folder a cluster below the user's state folder, and file names that never leave it.

A cluster's name may hold anything; its folder's name holds letters, digits, ``-`` and ``_`` only, everything else as
``%XX``. Names that differ in letter case alone share a folder, as they name one cluster. Different clusters never
share one.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final

import platformdirs

from cauctl.errors import StateError

__all__ = ["cluster_folder", "folder_name", "private_folder", "state_folder"]

_OTHER: Final = re.compile(rb"[^a-z0-9_-]")
_RESERVED: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))]
)
_LONGEST: Final = 100


def state_folder() -> Path:
    """Name the user's state folder: what ``CAUCTL_STATE`` says, else the platform's."""
    given = os.environ.get("CAUCTL_STATE")
    return Path(given) if given else Path(platformdirs.user_state_dir("cauctl", appauthor=False))


def cluster_folder(root: Path, cluster: str) -> Path:
    """Name the folder of a cluster's reports below the state folder ``root``."""
    return root / "reports" / folder_name(cluster)


def folder_name(name: str) -> str:
    """Spell a name so that every file system takes it; equal only for names equal but for letter case."""
    folded = name.casefold()
    text = _OTHER.sub(_percent, folded.encode("utf-8", "surrogatepass")).decode("ascii")
    if folded in _RESERVED:
        text = f"%{ord(text[0]):02x}{text[1:]}"
    if len(text) > _LONGEST:
        # No other name is spelt with %- in it.
        digest = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{text[: _LONGEST - len(digest) - 2]}%-{digest}"
    return text or "%-"


def private_folder(path: Path) -> Path:
    """Make a folder, and those above it, that only its user may enter.

    Raises:
        StateError: it cannot be made.
    """
    missing = [path, *(parent for parent in path.parents if not parent.exists())]
    try:
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise StateError(
            f"the folder cannot be made: {error.strerror}.",
            path=str(path),
            advice="Set CAUCTL_STATE to another folder.",
        ) from error
    return path


def _percent(found: re.Match[bytes]) -> bytes:
    return b"%%%02x" % found[0][0]
