"""Names of the groups that lock a cluster: one for the run, one more for each time that it is taken over.

The fencing counter of a coordinator is the number of its group: ``cauctl-lock`` is 1, ``cauctl-lock-2`` is 2. A cluster
creates a group of a name only once, so each number has one owner; whoever has the highest holds the cluster.
"""

from __future__ import annotations

from typing import Final

from cauctl.errors import StateError

__all__ = ["LOCK_GROUPS", "fence_of", "lock_group"]

_MOST: Final = 32
LOCK_GROUPS: Final = ("cauctl-lock", *(f"cauctl-lock-{fence}" for fence in range(2, _MOST + 1)))
"""All names there are; a restricted endpoint can list them."""
_FENCES: Final = {name: fence for fence, name in enumerate(LOCK_GROUPS, 1)}


def lock_group(fence: int) -> str:
    """Name the group of a fencing counter; StateError beyond the last: a run that died so often wants a person."""
    if not 1 <= fence <= _MOST:
        raise StateError(
            f"the run was taken over {fence - 1} times, expected at most {_MOST - 1}.",
            path=LOCK_GROUPS[0],
            advice=f"Resume its nodes by hand, then: Get-ClusterGroup {LOCK_GROUPS[0]}* | Remove-ClusterGroup",
        )
    return LOCK_GROUPS[fence - 1]


def fence_of(group: str) -> int | None:
    """Give the fencing counter that a group stands for; None for a group that is no lock."""
    return _FENCES.get(group.casefold())
