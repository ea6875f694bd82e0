"""Which updates are installed, in which company, and when a node goes round in circles.

CAU leaves out updates that need a licence to be accepted or somebody at the keyboard. An exclusive update is installed
alone, before the others: servicing stack updates are of that kind. An update that is offered again after it was
installed with success, and restarted for where it asked, is rolled back each time: that is a loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.agent import FoundUpdate, OperationResultCode
from cauctl.models.hresult import Remedy, hresult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cauctl.models.agent import UpdateKey, UpdateOutcome

__all__ = ["Choice", "batches", "choose", "looping", "succeeded", "worth_another_try"]

_AGAIN = frozenset({Remedy.RETRY, Remedy.RESTART, Remedy.WAIT, Remedy.INSPECT})


@frozen
class Choice:
    """What of the updates that were found is installed."""

    chosen: tuple[FoundUpdate, ...]
    """Those that are, in the order in which they were found."""
    skipped: tuple[FoundUpdate, ...] = field(default=(), kw_only=True)
    """Those that need a licence or user input."""


def choose(found: Iterable[FoundUpdate]) -> Choice:
    """Leave out what cannot be installed unattended."""
    updates = tuple(found)
    chosen = tuple(update for update in updates if update.eula_accepted and not update.can_request_user_input)
    return Choice(chosen, skipped=tuple(update for update in updates if update not in chosen))


def batches(updates: Iterable[FoundUpdate]) -> tuple[tuple[UpdateKey, ...], ...]:
    """Group updates into installations: each exclusive one alone first, then all others together."""
    found = tuple(updates)
    together = tuple(update.key for update in found if not update.exclusive)
    return (*((update.key,) for update in found if update.exclusive), *([together] if together else []))


def succeeded(outcome: UpdateOutcome) -> bool:
    """Say whether an update was installed or staged: it may need a restart, or have been there before."""
    if outcome.result is OperationResultCode.SUCCEEDED:
        return True
    if outcome.result is OperationResultCode.SUCCEEDED_WITH_ERRORS:
        return not outcome.hresult & 0x8000_0000
    known = hresult(outcome.hresult)
    return outcome.hresult != 0 and known is not None and known.remedy is Remedy.NONE


def worth_another_try(outcome: UpdateOutcome) -> bool:
    """Say whether trying again may help; what an administrator must change, or a repair must mend, it does not help."""
    known = hresult(outcome.hresult)
    return known is None or known.remedy in _AGAIN


def looping(offered: Iterable[FoundUpdate], outcomes: Mapping[UpdateKey, UpdateOutcome]) -> tuple[FoundUpdate, ...]:
    """Name the updates that are offered again although they were installed with success."""
    return tuple(update for update in offered if (last := outcomes.get(update.key)) is not None and succeeded(last))
