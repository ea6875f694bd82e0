"""What really happened to a lab: the ground truth that tests and the demo's last table are made of.

Rules kept here:

* The world writes it, from what happened there; nobody who updates the cluster can write or read it on the way.
* It never judges. A reader does: :class:`Restart` holds what was true at that moment (roles still there, others down,
  storage not in sync, votes left), so a law can be checked against it.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import asdict, field, frozen

from cauctl.models.nodes import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "Installation", "Ledger", "LedgerReport", "Pause", "Restart"]


@frozen
class Entry:
    """One line of the ledger."""

    at: datetime
    """When, lab time."""
    text: str = field(kw_only=True)
    """What happened."""
    node: str = field(default="", kw_only=True)
    """Where, when it happened to a node."""


@frozen
class Restart:
    """One stop of a node: a restart, or a loss."""

    at: datetime
    """When the node stopped serving the cluster."""
    node: str = field(kw_only=True)
    """Which."""
    by: str = field(kw_only=True)
    """Who asked for it; ``servicing`` for a second restart, ``power`` for a loss."""
    paused: bool = field(kw_only=True)
    """Whether the node was paused."""
    roles: tuple[str, ...] = field(kw_only=True)
    """Online roles that the node still owned."""
    others_down: tuple[str, ...] = field(kw_only=True)
    """Other nodes that were not members at that moment."""
    resyncing: bool = field(kw_only=True)
    """Whether storage still needed data from another node's outage."""
    vote_margin: int = field(kw_only=True)
    """Votes left above what quorum needs, with the weights of that moment; below 0 only a graceful stop survives."""


@frozen
class Installation:
    """One attempt to install an update."""

    at: datetime
    """When it ended."""
    node: str = field(kw_only=True)
    """Where."""
    update_id: str = field(kw_only=True)
    """Which update."""
    title: str = field(kw_only=True)
    """Its title."""
    hresult: int = field(kw_only=True)
    """0 when it worked."""
    offered: bool = field(kw_only=True)
    """Whether the last search before it offered it, or one would have when it began."""
    paused: bool = field(kw_only=True)
    """Whether the node was paused."""


@frozen
class Pause:
    """One time that a node was paused or resumed."""

    at: datetime
    """When."""
    node: str = field(kw_only=True)
    """Which."""
    by: str = field(kw_only=True)
    """Account that asked."""
    paused: bool = field(kw_only=True)
    """True: paused; False: resumed."""


@frozen
class LedgerReport:
    """The ledger summed up."""

    begins: datetime
    """First moment of the world."""
    ends: datetime
    """Moment of the report."""
    role_offline: dict[str, timedelta] = field(kw_only=True)
    """Time that each role was offline though nobody wanted it so; roles that never were are missing."""
    role_longest: dict[str, timedelta] = field(kw_only=True)
    """Longest single interruption of each role."""
    most_nodes_down: int = field(kw_only=True)
    """Most nodes that were not members at once."""
    least_vote_margin: int | None = field(kw_only=True)
    """Least votes above what quorum needs, each departure counted with the weights before it."""
    quorum_losses: int = field(kw_only=True)
    """How often the cluster lost quorum."""
    storage_losses: int = field(kw_only=True)
    """How often a node went out while storage still needed data from another one."""
    restarts: tuple[Restart, ...] = field(kw_only=True)
    """Every stop of a node."""
    installations: tuple[Installation, ...] = field(kw_only=True)
    """Every attempt to install."""
    pauses: tuple[Pause, ...] = field(kw_only=True)
    """Every pause and resume."""
    paused_now: dict[str, str] = field(kw_only=True)
    """Nodes that are paused, and who paused them."""

    @property
    def roles_restarted_under(self) -> tuple[tuple[str, str], ...]:
        """Roles that were online on a node when it stopped, with the node."""
        return tuple((role, restart.node) for restart in self.restarts for role in restart.roles)

    def to_json(self) -> str:
        """Give the report as a JSON object: times in ISO 8601, durations in seconds."""
        return json.dumps(asdict(self), default=_plain, indent=2)

    def to_text(self) -> str:
        """Give the report as a person reads it."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"Availability of the lab, {self.begins:%Y-%m-%d %H:%M} to {self.ends:%Y-%m-%d %H:%M} (lab time)"
        yield f"  Most nodes down at once   {self.most_nodes_down}"
        margin = "not known" if self.least_vote_margin is None else str(self.least_vote_margin)
        yield f"  Least vote margin         {margin}{', quorum was lost' if self.quorum_losses else ''}"
        yield f"  Restarts                  {len(self.restarts)}"
        under = ", ".join(f"{role} on {node}" for role, node in self.roles_restarted_under)
        yield f"  Roles restarted under     {under or 'none'}"
        yield f"  Storage put at risk       {f'{self.storage_losses} times' if self.storage_losses else 'never'}"
        worked = sum(not each.hresult for each in self.installations)
        failed = len(self.installations) - worked
        yield f"  Installations             {worked}{f', {failed} failed' if failed else ''}"
        still = ", ".join(f"{node} (by {by})" for node, by in self.paused_now.items())
        yield f"  Nodes still paused        {still or 'none'}"
        yield "  Roles offline" if self.role_offline else "  Roles offline             never"
        width = max((len(role) for role in self.role_offline), default=0)
        for role, total in sorted(self.role_offline.items()):
            yield f"    {role:<{width}}  {readable(total)}, at most {readable(self.role_longest[role])} at a time"


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


class Ledger:
    """The open book: the world writes what happens, :meth:`report` sums it up."""

    def __init__(self, begins: datetime) -> None:
        self.entries: list[Entry] = []
        """Everything, in order."""
        self.restarts: list[Restart] = []
        self.installations: list[Installation] = []
        self.pauses: list[Pause] = []
        self.paused_now: dict[str, str] = {}
        self.least_vote_margin: int | None = None
        self.most_nodes_down = 0
        self.quorum_losses = 0
        self.storage_losses = 0
        self._begins = begins
        self._down: set[str] = set()
        self._offline_since: dict[str, datetime] = {}
        self._interruptions: dict[str, list[timedelta]] = {}

    def __repr__(self) -> str:
        return f"<Ledger {len(self.entries)} entries, {len(self.restarts)} restarts>"

    def note(self, at: datetime, text: str, node: str = "") -> None:
        """Write a line that counts nothing."""
        self.entries.append(Entry(at, text=text, node=node))

    def role_offline(self, at: datetime, role: str, why: str) -> None:
        """Begin an interruption of a role; one that is interrupted already stays so."""
        if role not in self._offline_since:
            self._offline_since[role] = at
            self.note(at, f"{role} goes offline: {why}")

    def role_online(self, at: datetime, role: str, node: str) -> None:
        """End an interruption."""
        since = self._offline_since.pop(role, None)
        if since is not None:
            self._interruptions.setdefault(role, []).append(at - since)
            self.note(at, f"{role} is online again", node)

    def node_down(self, at: datetime, node: str) -> None:
        """A node is no member any more."""
        self._down.add(node)
        self.most_nodes_down = max(self.most_nodes_down, len(self._down))
        self.note(at, "is no member of the cluster any more", node)

    def node_up(self, at: datetime, node: str) -> None:
        """A node is a member again."""
        self._down.discard(node)
        self.note(at, "is a member of the cluster", node)

    def votes(self, margin: int) -> None:
        """Votes above what quorum needs, now."""
        if self.least_vote_margin is None or margin < self.least_vote_margin:
            self.least_vote_margin = margin

    def quorum_lost(self, at: datetime) -> None:
        """The cluster has no majority."""
        self.quorum_losses += 1
        self.note(at, "quorum is lost")

    def storage_lost(self, at: datetime, node: str) -> None:
        """A node went out while storage needed data from another one."""
        self.storage_losses += 1
        self.note(at, "goes out while storage still needs another node's data", node)

    def restart(self, restart: Restart) -> None:
        """A node stops."""
        self.restarts.append(restart)
        with_roles = f" with {', '.join(restart.roles)}" if restart.roles else ""
        self.note(restart.at, f"stops{with_roles}, asked by {restart.by}", restart.node)

    def installation(self, installation: Installation) -> None:
        """An installation ended."""
        self.installations.append(installation)
        result = f"failed with 0x{installation.hresult:08X}" if installation.hresult else "installed"
        self.note(installation.at, f"{installation.title}: {result}", installation.node)

    def pause(self, pause: Pause) -> None:
        """A node was paused or resumed."""
        self.pauses.append(pause)
        if pause.paused:
            self.paused_now[pause.node] = pause.by
        else:
            self.paused_now.pop(pause.node, None)
        self.note(pause.at, f"{'paused' if pause.paused else 'resumed'} by {pause.by}", pause.node)

    def report(self, now: datetime) -> LedgerReport:
        """Sum up; interruptions that go on count up to now."""
        lengths = {role: list(each) for role, each in self._interruptions.items()}
        for role, since in self._offline_since.items():
            lengths.setdefault(role, []).append(now - since)
        return LedgerReport(
            self._begins,
            now,
            role_offline={role: sum(each, timedelta()) for role, each in lengths.items()},
            role_longest={role: max(each) for role, each in lengths.items()},
            most_nodes_down=self.most_nodes_down,
            least_vote_margin=self.least_vote_margin,
            quorum_losses=self.quorum_losses,
            storage_losses=self.storage_losses,
            restarts=tuple(self.restarts),
            installations=tuple(self.installations),
            pauses=tuple(self.pauses),
            paused_now=dict(self.paused_now),
        )
