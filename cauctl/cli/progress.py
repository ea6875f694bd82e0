"""What a run is doing, on standard error: a live table on a terminal, plain lines elsewhere.

Both are observers of the run: they keep the last state and never block it. Times are the run's own, so with an embedded
cluster they pass as fast as its clock does.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.table import Table
from rich.text import Text

from cauctl.cli.console import message_console, visible
from cauctl.coordinator.state import Phase, RunState
from cauctl.models.enums import SummaryStatus
from cauctl.models.nodes import readable
from cauctl.operations.telling import RUN_PHASES, Teller, detail, late, step

if TYPE_CHECKING:
    from types import TracebackType

    from cauctl.coordinator.state import NodeWork

__all__ = ["RunProgress"]

_STYLES = {
    SummaryStatus.SUCCEEDED: "green",
    SummaryStatus.PARTIALLY_FAILED: "yellow",
    SummaryStatus.FAILED: "red",
    SummaryStatus.CANCELED: "yellow",
}


class RunProgress:
    """Observer of one run; use it as a context manager round the run.

    Between events the run's time is taken to go on as fast as it did.

    Args:
        live: draw a table that changes; None: on a terminal.
    """

    def __init__(self, *, live: bool | None = None) -> None:
        self._first: tuple[datetime, float] | None = None
        self._seen = 0.0
        self._state: RunState | None = None
        self._teller = Teller(self._line)
        console = message_console()
        self._live = (
            Live(console=console, refresh_per_second=4, get_renderable=self._table, transient=False)
            if (console.is_terminal if live is None else live)
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def on_event(self, event: object, state: object) -> None:
        """Keep the state; tell in a line what changed when there is no table to show it."""
        if not isinstance(state, RunState):
            return
        self._state = state
        self._seen = time.monotonic()
        if self._first is None and state.now is not None:
            self._first = (state.now, self._seen)
        if self._live is None:
            self._teller.on_event(event, state)

    def on_wait(self, node: str | None, waiting_for: str, since: datetime, limit: timedelta | None) -> None:
        """Nothing more: the state tells what is waited for."""

    def _now(self, state: RunState) -> datetime | None:
        if state.now is None or self._first is None:
            return state.now
        began, real = self._first
        passed = self._seen - real
        rate = (state.now - began).total_seconds() / passed if passed > 1 else 1.0
        return state.now + timedelta(seconds=(time.monotonic() - self._seen) * rate)

    @staticmethod
    def _line(at: datetime | None, node: str, text: str) -> None:
        time = f"{at:%H:%M:%S}" if at else " " * 8
        message_console().print(Text(f"{time}  {node:<14} {visible(text)}"), soft_wrap=True)

    def _table(self) -> Table | Text:
        state = self._state
        if state is None:
            return Text("connecting …", style="dim")
        now = self._now(state)
        table = Table(title=f"{state.cluster}: {RUN_PHASES[state.phase]}", title_justify="left", expand=False)
        for heading in ("Node", "Step", "For", "Updates", ""):
            table.add_column(heading, overflow="fold")
        for name in (*state.order, *(name for name in state.nodes if name not in state.order)):
            table.add_row(*_row(state.nodes[name], now))
        if state.warned:
            table.caption = late(state)
        if state.stopping:
            table.caption = f"stopping ({state.stopping.value}): nothing new starts"
        return table


def _row(node: NodeWork, now: datetime | None) -> tuple[Text, ...]:
    since = readable(now - node.since) if now and node.phase is not Phase.DONE else ""
    style = _STYLES.get(node.record.status, "") if node.record.status else "bold" if node.phase.at_work else "dim"
    record = node.record
    counted = f"{sum(1 for each in record.installed)}/{len(record.offered)}" if record.offered else ""
    return Text(node.name), Text(step(node), style=style), Text(since), Text(counted), Text(detail(node, now))
