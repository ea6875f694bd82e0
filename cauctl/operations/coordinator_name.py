"""Who coordinates: this process, as locks and reports name it."""

from __future__ import annotations

import getpass
import os
import socket

from cauctl.coordinator.results import Orchestrator

__all__ = ["is_ours", "orchestrator", "owner"]


def orchestrator(account: str = "") -> Orchestrator:
    """Name this computer and its user; ``account`` drives the nodes, empty: that user."""
    user = _user()
    return Orchestrator(machine=socket.gethostname(), user=user, account=account or user)


def owner() -> str:
    """Name this process as the owner of a lock."""
    return f"{_user()}@{socket.gethostname()} (pid {os.getpid()})"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        return str(os.getuid()) if hasattr(os, "getuid") else ""


def is_ours(owner_of_lock: str) -> bool:
    """Say whether the owner of a lock is a process of this computer."""
    return owner_of_lock.rpartition("@")[2].partition(" (pid ")[0] == socket.gethostname()
