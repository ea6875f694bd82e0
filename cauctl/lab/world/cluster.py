"""The cluster of a world: members, quorum, pausing and resuming, shared volumes, private properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.faults import FaultKind
from cauctl.lab.ledger import Pause, Restart
from cauctl.lab.world.membership import Member, Presence
from cauctl.lab.world.quorum import Quorum
from cauctl.lab.world.roles import (
    ERROR_NODE_DOWN,
    ERROR_NODE_NOT_PAUSED,
    ERROR_SPACE_DEGRADED,
    ClusterApiError,
    Roles,
)
from cauctl.lab.world.storage import Storage
from cauctl.models.nodes import DrainStatus

if TYPE_CHECKING:
    from cauctl.lab.world.world import World
    from cauctl.models.enums import FailbackType

__all__ = ["Cluster"]

NETWORKS: Final = (1, 2)
"""Numbers of the cluster networks, to each of which every node has a connection."""
WITNESS: Final = "File Share Witness"
_ADMINISTRATOR: Final = "administrator"
ERROR_NODE_NOT_FOUND: Final = 5042


class Cluster:
    """The failover cluster."""

    def __init__(self, world: World) -> None:
        scenario = world.scenario
        self.world = world
        self.name = scenario.name
        self.members: dict[str, Member] = {
            spec.name: Member(
                spec.name,
                number=number,
                node_weight=spec.node_weight,
                site=spec.site,
                presence=Presence.GONE if spec.down else Presence.JOINED,
                paused=spec.paused,
            )
            for number, spec in enumerate(scenario.nodes, 1)
        }
        """All nodes by name, in order."""
        witness = WITNESS if scenario.witness else None
        offline = world.faults.strike(FaultKind.WITNESS_OFFLINE) is not None
        self.quorum = Quorum(
            self.members.values(), witness=witness, witness_online=not offline, dynamic=scenario.dynamic_quorum
        )
        self.has_quorum = True
        self.storage = Storage(world, scenario.virtual_disks)
        self.roles = Roles(self, scenario.roles)
        self.volume_owners = self._spread_volumes()
        """Owner of each cluster shared volume."""
        self.parameters: dict[str, Any] = {}
        """Private properties of the cluster."""
        self._begin_ledger()

    def __repr__(self) -> str:
        states = ", ".join(f"{member.name} {member.state.value}" for member in self.members.values())
        return f"<Cluster {self.name}: {states}>"

    @property
    def first(self) -> str:
        """Name of the first node."""
        return next(iter(self.members))

    def spelling(self, name: str) -> str:
        """Give a node's name in the cluster's spelling; KeyError when it has no such node."""
        folded = name.casefold()
        return next(member for member in self.members if member.casefold() == folded)

    def member(self, name: str) -> Member:
        """Give a node by name, in any case; ClusterApiError when the cluster has none."""
        found = self.members.get(name)
        if found is None:
            folded = name.casefold()
            found = next((each for each in self.members.values() if each.name.casefold() == folded), None)
        if found is None:
            raise ClusterApiError(ERROR_NODE_NOT_FOUND, f"The cluster node '{name}' was not found.")
        return found

    def _spread_volumes(self) -> dict[str, str]:
        up = [member.name for member in self.members.values() if member.joined and not member.paused]
        owners = up or list(self.members)
        return {disk: owners[index % len(owners)] for index, disk in enumerate(self.storage.disks)}

    def _begin_ledger(self) -> None:
        world = self.world
        for member in self.members.values():
            if not member.joined:
                world.ledger.node_down(world.now, member.name)
                self.storage.node_out(member.name)
            if member.paused:
                world.ledger.pause(Pause(world.now, node=member.name, by=_ADMINISTRATOR, paused=True))
        world.ledger.votes(self.quorum.votes - self.quorum.needed)

    # Pausing

    def suspend(self, name: str, *, drain: bool, by: str, force: bool = False) -> None:
        """Pause a node, and begin to drain it."""
        member = self.member(name)
        if not member.joined:
            raise ClusterApiError(ERROR_NODE_DOWN, f"The cluster node '{member.name}' is down.")
        if drain and not force and self.storage.needs_others(member.name):
            raise ClusterApiError(
                ERROR_SPACE_DEGRADED,
                "The operation cannot be performed because a clustered storage space is in a degraded condition.",
            )
        if not member.paused:
            member.paused = True
            self.world.ledger.pause(Pause(self.world.now, node=member.name, by=by, paused=True))
        if drain and member.drain is not DrainStatus.IN_PROGRESS:
            self._move_volumes(member.name)
            self.roles.drain(member, force=force)
        self.world.kernel.touch()

    def resume(self, name: str, *, failback: FailbackType, by: str) -> None:
        """Let a paused node take roles again, and begin failback."""
        member = self.member(name)
        if not member.joined:
            raise ClusterApiError(ERROR_NODE_DOWN, f"The cluster node '{member.name}' is down.")
        if not member.paused:
            raise ClusterApiError(ERROR_NODE_NOT_PAUSED, "The cluster node is not paused.")
        member.paused = False
        member.drain, member.drain_error = DrainStatus.NOT_INITIATED, 0
        self.world.ledger.pause(Pause(self.world.now, node=member.name, by=by, paused=False))
        self.storage.node_back(member.name)
        self.roles.fail_back(member, failback)
        self.roles.place_homeless()
        self.world.kernel.touch()

    def _move_volumes(self, name: str) -> None:
        fit = [each.name for each in self.members.values() if each.joined and not each.paused and each.name != name]
        for index, disk in enumerate(disk for disk, owner in self.volume_owners.items() if owner == name):
            if fit:
                self.volume_owners[disk] = fit[index % len(fit)]

    # Coming and going

    def leave(self, name: str, *, graceful: bool, by: str) -> None:
        """A node stops serving the cluster; its roles fail over."""
        member, world = self.members[name], self.world
        was_joined = member.joined
        margin = self.quorum.margin_without(member)
        world.ledger.restart(
            Restart(
                world.now,
                node=name,
                by=by,
                paused=member.paused,
                roles=tuple(group.name for group in self.roles.owned_by(name) if group.online and not group.core),
                others_down=tuple(each.name for each in self.members.values() if not each.joined),
                resyncing=self.storage.needs_others(name),
                vote_margin=margin,
            )
        )
        member.presence = Presence.GONE
        member.joins += 1
        if not was_joined:
            return
        world.ledger.votes(margin)
        if member.drain is DrainStatus.IN_PROGRESS:
            member.drain = DrainStatus.FAILED
        world.ledger.node_down(world.now, name)
        if self._survives(margin, graceful=graceful):
            self.quorum.recompute()
            self._move_volumes(name)
            self.roles.node_left(name)
        else:
            self._lose_quorum()
        self.storage.node_out(name)
        world.kernel.touch()

    def _survives(self, margin: int, *, graceful: bool) -> bool:
        if not self.has_quorum or not any(member.joined for member in self.members.values()):
            return False
        return margin >= 0 or (graceful and self.quorum.dynamic)

    def _lose_quorum(self) -> None:
        if self.has_quorum:
            self.has_quorum = False
            self.world.ledger.quorum_lost(self.world.now)
        self.roles.all_down()

    def joining(self, name: str) -> None:
        """A node's Cluster service has started; it becomes a member a little later."""
        member = self.members[name]
        if member.joined:
            return
        member.presence = Presence.JOINING
        member.joins += 1
        joins = member.joins
        time = self.world.machines[name].vary("join", self.world.scenario.durations.join)
        self.world.kernel.after(time, lambda: self._joined(member, joins))

    def _joined(self, member: Member, joins: int) -> None:
        if member.joins != joins:
            return
        world = self.world
        member.presence = Presence.JOINED
        member.joins += 1
        member.drain = DrainStatus.COMPLETED if member.paused else DrainStatus.NOT_INITIATED
        world.ledger.node_up(world.now, member.name)
        if not self.has_quorum and self.quorum.holds_when_forming():
            self.has_quorum = True
            world.ledger.note(world.now, "quorum is there again")
        if self.has_quorum:
            self.quorum.recompute()
            if not member.paused:
                self.storage.node_back(member.name)
            self.roles.place_homeless()
