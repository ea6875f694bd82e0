"""Windows Update on one node: what it offers, and what installing and restarting do.

Rules kept here (MS-UAMG, ``node-operations``):

* An update is offered when it applies to a product of the node, all that it requires is installed and restarted, and
  nothing that supersedes it is offered or installed.
* An update that waits for the restart counts as installed and answers to ``RebootRequired=1``.
* The restart completes it, or undoes it: then it is offered again.
* Downloads, licences and hidden updates are remembered over restarts.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.lab.faults import FaultKind
from cauctl.lab.ledger import Installation
from cauctl.lab.world.catalogue import CatalogueUpdate
from cauctl.lab.world.criteria import WindowsUpdateError, parse_criteria
from cauctl.models.agent import OperationResultCode, UpdateKey

if TYPE_CHECKING:
    from datetime import timedelta

    from cauctl.lab.world.machine import Machine
    from cauctl.models.agent import FoundUpdate

__all__ = ["HistoryEntry", "InstallResult", "WindowsUpdate"]

WU_E_EXCLUSIVE_INSTALL_CONFLICT: Final = 0x80240019
WU_E_DM_NOTDOWNLOADED: Final = 0x80246007


@frozen
class InstallResult:
    """What the installer says of one update."""

    result: OperationResultCode
    """Windows Update's result."""
    hresult: int = field(default=0, kw_only=True)
    """Unsigned code, 0 without an error."""
    reboot_required: bool = field(default=False, kw_only=True)
    """Whether it asks for a restart."""


@frozen
class HistoryEntry:
    """An update that is installed for good."""

    update: CatalogueUpdate
    """Which."""
    at: datetime = field(kw_only=True)
    """When it was complete."""


class WindowsUpdate:
    """The update agent of one node."""

    __slots__ = (
        "_catalogue",
        "_downloaded",
        "_licensed",
        "_machine",
        "_offered",
        "_searched",
        "_withdrawn",
        "history",
        "installing",
        "pending",
    )

    def __init__(self, machine: Machine, catalogue: tuple[CatalogueUpdate, ...]) -> None:
        self._machine = machine
        self._catalogue = tuple(each for each in catalogue if each.products & machine.spec.products)
        self._downloaded: set[str] = set()
        self._licensed: set[str] = set()
        self._offered = False
        self._searched = machine.world.now
        self._withdrawn: dict[str, datetime] = {}
        self.history: dict[str, HistoryEntry] = {}
        """Complete installations by update id."""
        self.pending: dict[str, CatalogueUpdate] = {}
        """Installed, waiting for the restart, by update id."""
        self.installing: CatalogueUpdate | None = None
        """What is being installed now."""

    def __repr__(self) -> str:
        return f"<WindowsUpdate {len(self.history)} installed, {len(self.pending)} waiting for the restart>"

    def search(self, criteria: str) -> list[CatalogueUpdate]:
        """Give the updates that meet the criteria, in the catalogue's order; WindowsUpdateError as the agent's."""
        meets = parse_criteria(criteria)
        return [
            update
            for update in self._visible()
            if meets(
                update.facts(
                    installed=self.is_installed(update),
                    hidden=update.hidden,
                    present=update.update_id in self.history,
                    reboot_required=update.update_id in self.pending,
                )
            )
        ]

    def withdraw(self, update_id: str) -> None:
        """Offer an update no more: its publisher took it back. What waits for the restart or is installed stays."""
        known = {**self.history, **self.pending}
        self._withdrawn[update_id] = self._machine.world.now
        self._catalogue = tuple(each for each in self._catalogue if each.update_id != update_id or update_id in known)

    def scan(self, criteria: str) -> list[CatalogueUpdate]:
        """Search as a caller does: with the faults that the node has."""
        fault = self._machine.world.faults.strike(FaultKind.SCAN_ERROR, self._machine.name)
        if fault is not None:
            raise WindowsUpdateError(fault.hresult)
        self._searched = self._machine.world.now
        return self.search(criteria)

    def _visible(self) -> list[CatalogueUpdate]:
        history, pending = self.history, self.pending
        ready = [
            update
            for update in self._catalogue
            if update.update_id in history
            or update.update_id in pending
            or all(each in history for each in update.requires)
        ]
        ids = {update.update_id for update in ready}
        return [
            update
            for update in ready
            if update.update_id in history or not any(each in ids for each in update.superseded_by)
        ]

    def find(self, key: UpdateKey) -> CatalogueUpdate | None:
        """Give an update of the catalogue by its identity."""
        return next((update for update in self._catalogue if update.key == key), None)

    def is_offered(self, key: UpdateKey) -> bool:
        """Tell whether a search for what is missing would give this update now."""
        return any(update.key == key and not self.is_installed(update) for update in self._visible())

    def is_installed(self, update: CatalogueUpdate) -> bool:
        """Tell whether the update counts as installed."""
        return update.update_id in self.history or update.update_id in self.pending

    def is_downloaded(self, update: CatalogueUpdate) -> bool:
        """Tell whether nothing must be fetched."""
        return update.update_id in self._downloaded

    def is_licensed(self, update: CatalogueUpdate) -> bool:
        """Tell whether no licence stands in the way."""
        return not update.eula or update.update_id in self._licensed

    def accept_eula(self, update: CatalogueUpdate) -> None:
        """Accept the licence."""
        self._licensed.add(update.update_id)

    def found(self, update: CatalogueUpdate) -> FoundUpdate:
        """Describe an update as the node sees it."""
        return update.found(downloaded=self.is_downloaded(update), eula_accepted=self.is_licensed(update))

    @property
    def reboot_required_before_installation(self) -> bool:
        """Whether a restart that was pending before any of this node's installations must come first."""
        return self._machine.old_restart_pending

    def download_time(self, update: CatalogueUpdate) -> timedelta:
        """How long the download takes."""
        durations = self._machine.world.scenario.durations
        return self._machine.vary("download", durations.megabyte * max(update.size >> 20, 1))

    def downloaded(self, update: CatalogueUpdate) -> InstallResult:
        """End a download."""
        self._downloaded.add(update.update_id)
        return InstallResult(OperationResultCode.SUCCEEDED)

    def begin_install(self, update: CatalogueUpdate) -> timedelta:
        """Begin an installation; it takes this long."""
        self.installing = update
        withdrawn = self._withdrawn.get(update.update_id)
        self._offered = self.is_offered(update.key) or (withdrawn is not None and withdrawn > self._searched)
        self._machine.installation_began(update)
        return self._machine.vary("install", update.duration)

    def end_install(self, update: CatalogueUpdate) -> InstallResult:
        """End the installation that was begun."""
        machine = self._machine
        self.installing = None
        result = self._outcome(update)
        if result.result is OperationResultCode.SUCCEEDED:
            if update.asks_for_restart:
                self.pending[update.update_id] = update
            else:
                self._complete(update)
        machine.installation_ended(update, restart_pending=result.reboot_required)
        machine.world.ledger.installation(
            Installation(
                machine.world.now,
                node=machine.name,
                update_id=update.update_id,
                title=update.title,
                hresult=result.hresult,
                offered=self._offered,
                paused=machine.world.cluster.members[machine.name].paused,
            )
        )
        return result

    def _outcome(self, update: CatalogueUpdate) -> InstallResult:
        if update.update_id not in self._downloaded:
            return InstallResult(OperationResultCode.FAILED, hresult=WU_E_DM_NOTDOWNLOADED)
        failure = update.fails_with or self._fault(update)
        if failure:
            return InstallResult(OperationResultCode.FAILED, hresult=failure)
        return InstallResult(OperationResultCode.SUCCEEDED, reboot_required=update.asks_for_restart)

    def _fault(self, update: CatalogueUpdate) -> int:
        """Give the HRESULT of an install-fails fault: it strikes what asks for a restart, where such a thing exists."""
        faults, node = self._machine.world.faults, self._machine.name
        if faults.planned(FaultKind.INSTALL_FAILS, node) is None:
            return 0
        waits = any(each.asks_for_restart and not self.is_installed(each) and each.assigned for each in self._visible())
        if waits and not update.asks_for_restart:
            return 0
        fault = faults.strike(FaultKind.INSTALL_FAILS, node)
        return fault.hresult if fault else 0

    def interrupt(self) -> None:
        """End an installation without a result: the node goes down."""
        self.installing = None

    def restart(self) -> bool:
        """Complete or undo what waited for the restart; tell whether there was anything."""
        waiting = list(self.pending.values())
        self.pending.clear()
        faulty = any(update.asks_for_restart for update in waiting) and self._machine.world.faults.strike(
            FaultKind.UPDATE_ROLLS_BACK, self._machine.name
        )
        for update in waiting:
            if update.rolls_back or faulty:
                self._machine.note(f"{update.title}: rolled back at the restart")
            else:
                self._complete(update)
        return bool(waiting)

    def _complete(self, update: CatalogueUpdate) -> None:
        self.history[update.update_id] = HistoryEntry(update, at=self._machine.world.now)
        if update.build is not None:
            self._machine.set_build(update.build)
