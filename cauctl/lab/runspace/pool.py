"""The handshake of a runspace pool: capabilities, keys, runspace counts. The only module that imports psrpcore.

psrpcore keeps the state of the pool and writes the pool's messages; pipelines are ours. Its quirks that are dealt with
here: it reads the property ``ci`` where pypsrp sends ``CI``; on a connect it does not answer the capability; and it
joins messages when it gives out data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psrpcore
from psrpcore import PSRPPayload, ServerRunspacePool, StreamType
from psrpcore.types import PSVersion, RunspacePoolState, add_note_property

from cauctl.lab.wsman import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from cauctl.lab.runspace.framing import Framer, Message

__all__ = ["Handshake"]


class _Pool(ServerRunspacePool):
    """Takes the call id under either spelling; PowerShell's own properties have no case."""

    def _process_SetMaxRunspaces(self, event: psrpcore.SetMaxRunspacesEvent) -> None:  # noqa: N802  psrpcore's
        _spell_call_id(event)
        super()._process_SetMaxRunspaces(event)

    def _process_SetMinRunspaces(self, event: psrpcore.SetMinRunspacesEvent) -> None:  # noqa: N802  psrpcore's
        _spell_call_id(event)
        super()._process_SetMinRunspaces(event)


def _spell_call_id(event: psrpcore.PSRPEvent[Any, Any]) -> None:
    message: Any = event._ps_object  # noqa: SLF001  the event offers no other way to its message
    if not hasattr(message, "ci") and hasattr(message, "CI"):
        add_note_property(message, "ci", message.CI)


class Handshake:
    """Everything about a pool but its pipelines.

    Args:
        versions: entries of ``$PSVersionTable`` by name; texts that look like versions are sent as such.
        reset: called when the client resets the runspace's state.
    """

    def __init__(self, versions: Mapping[str, str], *, reset: Callable[[], None]) -> None:
        table = {name: PSVersion(text) if text[:1].isdigit() else text for name, text in versions.items()}
        self._pool = _Pool(application_private_data={"PSVersionTable": table})
        self._reset = reset

    @property
    def pool_id(self) -> UUID:
        """Identifier of the pool, known once the client has said its capability."""
        return self._pool.runspace_pool_id

    @property
    def runspaces(self) -> int:
        """How many pipelines may run at once."""
        return max(1, self._pool.max_runspaces)

    def take(self, message: Message, framer: Framer, *, running: int) -> None:
        """Handle a message that is about the pool; answers wait in :meth:`drain`."""
        joined = b"".join(framer.cut(message.raw))
        try:
            self._pool.receive_data(PSRPPayload(joined, StreamType.default, None))
            while (event := self._pool.next_event()) is not None:
                self._answer(event, running)
        except (psrpcore.PSRPCoreError, ValueError, KeyError, AttributeError) as error:
            raise faults.invalid_fragment(f"{type(error).__name__}: {error}") from None

    def drain(self, framer: Framer) -> Iterator[bytes]:
        """Give the fragments that psrpcore has for the client, under our numbers."""
        while (payload := self._pool.data_to_send()) is not None:
            yield from framer.renumber(payload.data)

    def disconnect(self) -> None:
        """Note that the client has disconnected."""
        self._pool.disconnect()

    def reconnect(self) -> None:
        """Note that the client is back; that is WSMan's matter, so no message is sent."""
        self._pool.state = RunspacePoolState.Opened

    def connect(self) -> None:
        """Expect the messages of a client that connects; our capability is the first answer."""
        self._pool.state = RunspacePoolState.Disconnected
        self._pool.connect()
        self._pool.prepare_message(self._pool.our_capability)

    def _answer(self, event: psrpcore.PSRPEvent[Any, Any], running: int) -> None:
        if isinstance(event, psrpcore.GetAvailableRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, max(0, self.runspaces - running))
        elif isinstance(event, psrpcore.ResetRunspaceStateEvent):
            self._reset()
            self._pool.runspace_availability_response(event.ci, True)
        elif isinstance(event, psrpcore.SetMaxRunspacesEvent | psrpcore.SetMinRunspacesEvent):
            self._pool.runspace_availability_response(event.ci, True)
