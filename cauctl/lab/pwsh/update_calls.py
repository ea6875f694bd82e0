"""What the update session of a node's agent asks the world: search, licences, download, installation.

The agent's script runs in a real PowerShell and calls objects that look like the Windows Update Agent's; each call
arrives here. Waits are lab time. A call whose agent was killed meanwhile has no effect any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.dispatch import CommandError, CommandTable, PipelineStoppedError
from cauctl.lab.world.criteria import WindowsUpdateError
from cauctl.models.agent import UpdateKey
from cauctl.psobject import Int64, array, custom_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from cauctl.lab.dispatch import BoundCall, CommandContext
    from cauctl.lab.world.catalogue import CatalogueUpdate
    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.windows_update import InstallResult
    from cauctl.models.agent import FoundUpdate

__all__ = ["update_calls"]

_EXCLUSIVE: Final = 2
_COM_EXCEPTION: Final = "System.Runtime.InteropServices.COMException"


def update_calls(machine: Machine, *, is_alive: Callable[[], bool]) -> CommandTable:
    """Make the table of the calls of one agent.

    Args:
        machine: the node.
        is_alive: tells, with the world locked, whether the agent still runs.
    """
    session = _Session(machine, is_alive)
    table = CommandTable()
    for name, handler in {
        "accept-eula": session.accept_eula,
        "download": session.download,
        "install": session.install,
        "installer": session.installer,
        "lifeline": session.lifeline,
        "search": session.search,
    }.items():
        table.native(name)(handler)
    return table


class _Session:
    """The Windows Update of one node, for one agent."""

    def __init__(self, machine: Machine, is_alive: Callable[[], bool]) -> None:
        self._machine = machine
        self._updates = machine.updates
        self._is_alive = is_alive

    def lifeline(self, ctx: CommandContext, _call: BoundCall) -> None:
        """Wait until the agent is gone."""
        while not ctx.stopping.wait():
            pass  # the agent never says anything more on this connection

    def search(self, ctx: CommandContext, call: BoundCall) -> Iterable[Any]:
        """Give the updates that meet criteria, installed ones included."""
        machine = self._machine
        with machine.world.lock:
            duration = machine.vary("scan", machine.world.scenario.durations.scan)
        self._wait(ctx, duration)
        with machine.world.lock:
            self._go_on(ctx)
            try:
                return [self._described(update) for update in self._updates.scan(str(call.arguments[0]))]
            except WindowsUpdateError as error:
                raise _failed(error.hresult, str(error)) from error

    def accept_eula(self, ctx: CommandContext, call: BoundCall) -> None:
        """Accept a licence."""
        with self._machine.world.lock:
            self._go_on(ctx)
            self._updates.accept_eula(self._find(call))

    def installer(self, ctx: CommandContext, _call: BoundCall) -> Iterable[Any]:
        """Tell what an installer is asked before it installs."""
        with self._machine.world.lock:
            self._go_on(ctx)
            return [
                custom_object(
                    {
                        "IsBusy": self._updates.installing is not None,
                        "RebootRequired": self._updates.reboot_required_before_installation,
                    }
                )
            ]

    def download(self, ctx: CommandContext, call: BoundCall) -> Iterable[Any]:
        """Download one update."""
        with self._machine.world.lock:
            self._go_on(ctx)
            update = self._find(call)
            duration = self._updates.download_time(update)
        self._wait(ctx, duration)
        with self._machine.world.lock:
            self._go_on(ctx)
            return [_outcome(self._updates.downloaded(update))]

    def install(self, ctx: CommandContext, call: BoundCall) -> Iterable[Any]:
        """Install one update."""
        with self._machine.world.lock:
            self._go_on(ctx)
            update = self._find(call)
            duration = self._updates.begin_install(update)
        self._wait(ctx, duration)
        with self._machine.world.lock:
            self._go_on(ctx)
            return [_outcome(self._updates.end_install(update))]

    def _wait(self, ctx: CommandContext, duration: timedelta) -> None:
        self._machine.world.kernel.touch()
        ctx.sleep(duration)

    def _go_on(self, ctx: CommandContext) -> None:
        """Let the world catch up with the clock; leave if the agent was killed by it."""
        self._machine.world.kernel.advance(ctx.now())
        if not self._is_alive():
            raise PipelineStoppedError

    def _find(self, call: BoundCall) -> CatalogueUpdate:
        text, _, revision = str(call.arguments[0]).rpartition("/")
        found = self._updates.find(UpdateKey(text, int(revision)))
        if found is None:
            raise _failed(0x80240024, f"no update {text}")
        return found

    def _described(self, update: CatalogueUpdate) -> Any:
        found: FoundUpdate = self._updates.found(update)
        behavior = {
            "RebootBehavior": found.reboot_behavior,
            "Impact": _EXCLUSIVE if found.exclusive else 0,
            "CanRequestUserInput": found.can_request_user_input,
        }
        return custom_object(
            {
                "Identity": custom_object(
                    {"UpdateID": found.key.update_id, "RevisionNumber": found.key.revision},
                ),
                "Title": found.title,
                "Description": found.description,
                "KBArticleIDs": array(found.kb_article_ids),
                "MsrcSeverity": found.msrc_severity,
                "MaxDownloadSize": Int64(found.max_download_size),
                "IsInstalled": self._updates.is_installed(update),
                "IsDownloaded": found.is_downloaded,
                "EulaAccepted": found.eula_accepted,
                "SupportUrl": found.support_url,
                "InstallationBehavior": custom_object(behavior),
            }
        )


def _outcome(result: InstallResult) -> Any:
    code = result.hresult
    return custom_object(
        {
            "ResultCode": result.result.value,
            "HResult": code - (1 << 32) if code >= 1 << 31 else code,
            "RebootRequired": result.reboot_required,
        }
    )


def _failed(hresult: int, message: str) -> CommandError:
    return CommandError(message, error_id="ComCallFailed", exception_type=_COM_EXCEPTION, hresult=hresult)
