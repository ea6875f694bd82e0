"""The node agent's twin: works a request off as ``agent.ps1`` does, against the world's Windows Update.

``docs/agent-protocol.md`` is the rule for every event here; a test runs the real script beside it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import frozen

from cauctl.lab.world.criteria import WindowsUpdateError
from cauctl.models.agent import AgentEvent, AgentEventKind, AgentOperation, OperationResultCode, UpdateOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from cauctl.lab.world.catalogue import CatalogueUpdate
    from cauctl.lab.world.kernel import Course, Process
    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.windows_update import InstallResult
    from cauctl.models.agent import AgentRequest, UpdateKey

__all__ = ["AgentTwin"]

_HEARTBEAT: Final = timedelta(seconds=30)
_BUSY_LIMIT: Final = timedelta(minutes=15)
_BUSY_PAUSE: Final = timedelta(seconds=1)

WU_E_NO_INTERACTIVE_USER: Final = 0x80240020
WU_E_EULAS_DECLINED: Final = 0x80240023
WU_E_INSTALL_NOT_ALLOWED: Final = 0x80240016
WU_E_OPERATIONINPROGRESS: Final = 0x80240009


@frozen
class _Ended:
    """How the work ends before its end."""

    kind: AgentEventKind
    hresult: int | None = None
    message: str = ""


_Work: TypeAlias = "Generator[timedelta, None, _Ended | None]"
"""Part of the work: its pauses, and how it ended the work if it did."""


class AgentTwin:
    """One request at work on one node.

    Args:
        machine: the node.
        request: what is asked.
        cancelled: tells whether the asker has called the work off.
        accept_eulas: whether licences may be accepted.
        write: takes each event as it happens, besides :attr:`events`.
    """

    def __init__(
        self,
        machine: Machine,
        request: AgentRequest,
        *,
        cancelled: Callable[[], bool],
        accept_eulas: bool = False,
        write: Callable[[AgentEvent], None] | None = None,
    ) -> None:
        self.request = request
        self.events: list[AgentEvent] = []
        """Everything told so far."""
        self.finished = False
        """Whether the last event is final."""
        self._machine = machine
        self._updates = machine.updates
        self._cancelled = cancelled
        self._accept_eulas = accept_eulas
        self._write = write
        self._doing = "starting"
        self._reboot_required = False
        kernel = machine.world.kernel
        self._courses: list[Course] = []
        self._courses = [kernel.start(self._work()), kernel.start(self._beat())]

    def __repr__(self) -> str:
        return f"<AgentTwin {self.request.request_id} on {self._machine.name}, {len(self.events)} events>"

    @property
    def running(self) -> bool:
        """Whether more events can come."""
        return not self.finished and self._courses[0].running

    @property
    def result(self) -> int:
        """Exit code: the script ends well whatever it has told."""
        return 0

    def kill(self) -> None:
        """End the work where it is, without a last word."""
        for course in self._courses:
            course.cancel()
        if not self.finished and self._updates.installing is not None:
            self._updates.interrupt()

    def _tell(self, kind: AgentEventKind, **facts: Any) -> None:
        event = AgentEvent(len(self.events) + 1, kind=kind, at=self._machine.world.now, **facts)
        self.events.append(event)
        if self._write is not None:
            self._write(event)

    def _end(self, ended: _Ended) -> None:
        required = self._reboot_required or self._updates.reboot_required_before_installation
        self.finished = True
        if ended.kind is AgentEventKind.FAILED:
            facts = {"hresult": ended.hresult, "message": ended.message}
            self._tell(ended.kind, reboot_required=required, **facts)
        else:
            self._tell(ended.kind, reboot_required=required)
        for course in self._courses:
            course.cancel()

    def _beat(self) -> Process:
        while not self.finished:
            yield _HEARTBEAT
            if not self.finished:
                self._tell(AgentEventKind.HEARTBEAT, message=self._doing)

    def _work(self) -> Process:
        self._tell(AgentEventKind.STARTED)
        if self._cancelled():
            self._end(_Ended(AgentEventKind.CANCELLED))
            return
        self._doing = "searching for updates"
        yield self._machine.vary("scan", self._machine.world.scenario.durations.scan)
        try:
            found = [each for each in self._updates.scan(self.request.query) if not self._updates.is_installed(each)]
        except WindowsUpdateError as error:
            self._end(_Ended(AgentEventKind.FAILED, error.hresult, str(error)))
            return
        if self.request.operation is AgentOperation.SCAN:
            for update in found:
                self._tell(AgentEventKind.FOUND, update=self._updates.found(update))
            self._end(_Ended(AgentEventKind.DONE))
            return
        ended = yield from self._each(found)
        self._end(ended or _Ended(AgentEventKind.DONE))

    def _each(self, found: list[CatalogueUpdate]) -> _Work:
        offered = {update.key: update for update in found}
        asked = dict.fromkeys(self.request.updates)
        for key in asked:
            if key not in offered:
                self._tell(AgentEventKind.NOT_OFFERED, key=key)
        wanted = [offered[key] for key in asked if key in offered]
        if self.request.operation is AgentOperation.INSTALL:
            wanted.sort(key=lambda update: not update.exclusive)
        for update in wanted:
            if self._cancelled():
                return _Ended(AgentEventKind.CANCELLED)
            ended = yield from self._one(update)
            if ended is not None:
                return ended
        return None

    def _one(self, update: CatalogueUpdate) -> _Work:
        """Stage or install one update; an _Ended ends the work."""
        installs = self.request.operation is AgentOperation.INSTALL
        last = AgentEventKind.INSTALLED if installs else AgentEventKind.DOWNLOADED
        if update.user_input:
            self._told(last, update.key, 0, WU_E_NO_INTERACTIVE_USER)
            return None
        if not self._updates.is_licensed(update):
            if not self._accept_eulas:
                self._told(last, update.key, 0, WU_E_EULAS_DECLINED)
                return None
            self._updates.accept_eula(update)
            self._tell(AgentEventKind.EULA_ACCEPTED, key=update.key)
        if not self._updates.is_downloaded(update):
            self._doing = f"downloading {update.title}"
            self._tell(AgentEventKind.DOWNLOADING, key=update.key)
            yield self._updates.download_time(update)
            self._outcome(AgentEventKind.DOWNLOADED, update.key, self._updates.downloaded(update))
        elif not installs:
            self._told(AgentEventKind.DOWNLOADED, update.key, OperationResultCode.SUCCEEDED.value, 0)
        return (yield from self._install(update)) if installs else None

    def _install(self, update: CatalogueUpdate) -> _Work:
        if self._updates.reboot_required_before_installation:
            self._reboot_required = True
            self._told(AgentEventKind.INSTALLED, update.key, 0, WU_E_INSTALL_NOT_ALLOWED)
            return None
        self._doing = "waiting for another installation"
        since = self._machine.world.now
        while self._updates.installing is not None:
            if self._cancelled():
                return _Ended(AgentEventKind.CANCELLED)
            if self._machine.world.now - since >= _BUSY_LIMIT:
                return _Ended(AgentEventKind.FAILED, WU_E_OPERATIONINPROGRESS, "another installation does not end")
            yield _BUSY_PAUSE
        self._doing = f"installing {update.title}"
        self._tell(AgentEventKind.INSTALLING, key=update.key)
        yield self._updates.begin_install(update)
        result = self._updates.end_install(update)
        self._reboot_required = self._reboot_required or result.reboot_required
        self._outcome(AgentEventKind.INSTALLED, update.key, result)
        return None

    def _outcome(self, kind: AgentEventKind, key: UpdateKey, result: InstallResult) -> None:
        self._told(kind, key, result.result.value, result.hresult, reboot_required=result.reboot_required)

    def _told(
        self, kind: AgentEventKind, key: UpdateKey, code: int, hresult: int, *, reboot_required: bool = False
    ) -> None:
        outcome = UpdateOutcome(
            key,
            result=OperationResultCode(code),
            hresult=hresult,
            reboot_required=reboot_required,
            at=self._machine.world.now,
        )
        self._tell(kind, key=key, outcome=outcome)
