"""Shells that were given up and may still be on their node."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from cauctl.errors import TransportError

if TYPE_CHECKING:
    from cauctl.psrp.deadline import Deadline
    from cauctl.psrp.shell import Shell

__all__ = ["Orphans"]

_MOST: Final = 30
"""Shells to remember: WinRM lets a user have no more than that on a node (MaxShellsPerUser)."""


class Orphans:
    """Shells to remove from a node when it can be reached again; the node itself does so after their idle timeout."""

    def __init__(self) -> None:
        self._shells: deque[Shell] = deque(maxlen=_MOST)

    def __len__(self) -> int:
        return len(self._shells)

    def add(self, shell: Shell) -> None:
        """Remember a shell; beyond as many as a node can hold, the oldest is forgotten."""
        self._shells.append(shell)

    def remove(self, deadline: Deadline) -> None:
        """Try to remove all, once; what could not be removed stays remembered."""
        for _ in range(len(self._shells)):
            shell = self._shells.popleft()
            try:
                shell.remove(deadline)
            except BaseException as error:
                self._shells.append(shell)
                if not isinstance(error, TransportError):  # an interrupt forgets no shell
                    raise
