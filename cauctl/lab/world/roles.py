"""Roles of a cluster: where they are, and how they move, drain, fail over and fail back.

Rules kept here (``node-operations`` §2.3):

* A virtual machine moves live; any other role is offline while it moves. Core groups move in seconds.
* The cluster chooses targets: a member that is not paused, may own the role, and owns the fewest.
* A locked role does not move. A drain that leaves a role behind ends Failed; what moved stays away.
* Failback returns a role to the node it was drained from, by policy only where the role asks for it.
* The roles of a node that leaves go offline and come up elsewhere; without a target they wait for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_DNS, uuid5

from attrs import define, field

from cauctl.lab.faults import FaultKind
from cauctl.models.enums import FailbackType
from cauctl.models.nodes import DrainStatus, GroupState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from cauctl.lab.world.cluster import Cluster
    from cauctl.lab.world.kernel import Process
    from cauctl.lab.world.membership import Member
    from cauctl.lab.world.scenario import RoleSpec

__all__ = ["ClusterApiError", "Group", "Roles"]

ERROR_RESOURCE_LOCKED: Final = 5960
ERROR_NODE_NOT_AVAILABLE: Final = 5036
ERROR_HOST_NODE_NOT_OWNER: Final = 5015
ERROR_GROUP_MOVING: Final = 5908
ERROR_OBJECT_ALREADY_EXISTS: Final = 5010
ERROR_NODE_PAUSED: Final = 5070
ERROR_NODE_NOT_PAUSED: Final = 5058
ERROR_NODE_DOWN: Final = 5050
ERROR_SPACE_DEGRADED: Final = 5987
ERROR_GROUP_NOT_FOUND: Final = 5013

_LIVE: Final = frozenset({"VirtualMachine"})
_AT_ONCE: Final = 2
"""Roles that a drain moves at the same time."""


class ClusterApiError(Exception):
    """The cluster refuses; ``code`` is Windows' error code."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


@define(eq=False)
class Group:
    """One role, or a core group."""

    name: str
    """Name of the group."""
    group_type: str = field(kw_only=True)
    """``GroupType`` by name."""
    owner: str = field(kw_only=True)
    """Name of the node that owns it."""
    core: bool = field(default=False, kw_only=True)
    wanted: bool = field(default=True, kw_only=True)
    """Whether it should be online (``PersistentState``)."""
    state: GroupState = field(default=GroupState.ONLINE, kw_only=True)
    locked: bool = field(default=False, kw_only=True)
    preferred: tuple[str, ...] = field(default=(), kw_only=True)
    possible: tuple[str, ...] = field(default=(), kw_only=True)
    auto_failback: bool = field(default=False, kw_only=True)
    parameters: dict[str, Any] = field(factory=dict, kw_only=True)
    """Private properties."""
    home: str | None = field(default=None, kw_only=True)
    """Node it was drained from."""
    target: str | None = field(default=None, kw_only=True)
    """Node it is moving to."""
    stuck: bool = field(default=False, kw_only=True)
    """It refuses to move, by a fault."""
    moves: int = field(default=0, kw_only=True)
    """Grows with each move, so that one that was overtaken can tell."""

    @property
    def online(self) -> bool:
        """Whether it serves its clients."""
        return self.state is GroupState.ONLINE

    @property
    def live(self) -> bool:
        """Whether it stays online while it moves."""
        return self.group_type in _LIVE

    @property
    def group_id(self) -> str:
        """Id of the group."""
        return str(uuid5(NAMESPACE_DNS, f"group.{self.name}"))


class Roles:
    """All groups of one cluster."""

    def __init__(self, cluster: Cluster, specs: tuple[RoleSpec, ...]) -> None:
        self._cluster = cluster
        self._world = cluster.world
        first = next((member.name for member in cluster.members.values() if member.joined), cluster.first)
        self._groups: dict[str, Group] = {}
        self._put(Group("Cluster Group", group_type="Cluster", owner=first, core=True))
        self._put(
            Group(
                "Available Storage",
                group_type="AvailableStorage",
                owner=first,
                core=True,
                wanted=False,
                state=GroupState.OFFLINE,
            )
        )
        for spec in specs:
            self._put(_from(spec, cluster, first))

    def __repr__(self) -> str:
        return f"<Roles {', '.join(f'{group.name}: {group.owner}' for group in self)}>"

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def _put(self, group: Group) -> None:
        self._groups[group.name.casefold()] = group

    def find(self, name: str) -> Group | None:
        """Give the group of that name, in any case."""
        return self._groups.get(name.casefold())

    def owned_by(self, node: str) -> list[Group]:
        """Groups that the node owns."""
        return [group for group in self if group.owner == node]

    def add(self, name: str, group_type: str, owner: str) -> Group:
        """Make an empty group, offline; ClusterApiError when the name is taken: this is the cluster's test-and-set."""
        if self.find(name) is not None:
            raise ClusterApiError(ERROR_OBJECT_ALREADY_EXISTS, f"The cluster group '{name}' already exists.")
        group = Group(name, group_type=group_type, owner=owner, wanted=False, state=GroupState.OFFLINE)
        self._put(group)
        self._world.kernel.touch()
        return group

    def remove(self, group: Group) -> None:
        """Remove a group."""
        self._groups.pop(group.name.casefold(), None)
        self._world.kernel.touch()

    # Moving

    def move(self, group: Group, target: str | None = None, *, by_drain: bool = False) -> None:
        """Begin to move a group; ClusterApiError when it cannot be moved there."""
        if group.target is not None:
            raise ClusterApiError(ERROR_GROUP_MOVING, f"The cluster group '{group.name}' is moving already.")
        if group.locked or group.stuck:
            raise ClusterApiError(
                ERROR_RESOURCE_LOCKED,
                "The requested operation can not be completed because a resource has locked status.",
            )
        chosen = self.choose(group) if target is None else target
        if chosen is None or not self.may_own(group, chosen):
            raise ClusterApiError(
                ERROR_NODE_NOT_AVAILABLE, f"The cluster group '{group.name}' cannot be moved to {chosen or 'any node'}."
            )
        if chosen != group.owner:
            self._begin_move(group, chosen, why="moves" if not by_drain else f"is drained from {group.owner}")

    def may_own(self, group: Group, node: str) -> bool:
        """Whether the node can take the group now."""
        member = self._cluster.members.get(node)
        if member is None or not member.joined or member.paused:
            return False
        return not group.possible or node.casefold() in {each.casefold() for each in group.possible}

    def choose(self, group: Group, *, without: str | None = None) -> str | None:
        """Give the node that the cluster would choose for the group; None when no node can take it."""
        leave_out = group.owner if without is None else without
        fit = [node for node in self._cluster.members if node != leave_out and self.may_own(group, node)]
        return min(fit, key=lambda node: (len(self.owned_by(node)), node), default=None)

    def _begin_move(self, group: Group, target: str, why: str) -> None:
        group.moves += 1
        group.target = target
        moves = group.moves
        if group.online and not group.live:
            group.state = GroupState.PENDING
            self._world.ledger.role_offline(self._world.now, group.name, why)
        self._world.kernel.touch()
        self._world.kernel.after(self._time_of(group), lambda: self._end_move(group, moves))

    def _time_of(self, group: Group) -> timedelta:
        durations = self._world.scenario.durations
        base = durations.core_move
        if group.wanted and not group.core:
            base = durations.live_move if group.live else durations.offline_move
        return self._world.dice.vary(f"move/{group.name}", base, durations.variation)

    def _end_move(self, group: Group, moves: int) -> None:
        if group.moves != moves or group.target is None:
            return
        target, group.target = group.target, None
        member = self._cluster.members[target]
        if not member.joined:
            self.fail_over(group)
            return
        group.owner = target
        self.bring_up(group)

    def bring_up(self, group: Group) -> None:
        """Put a group online where it is, if it should be."""
        if group.wanted:
            group.state = GroupState.ONLINE
            self._world.ledger.role_online(self._world.now, group.name, group.owner)
        self._world.ledger.note(self._world.now, f"owns {group.name}", group.owner)

    # Draining

    def drain(self, member: Member, *, force: bool) -> None:
        """Begin to move everything away from a node."""
        member.drain, member.drain_error = DrainStatus.IN_PROGRESS, 0
        waiting = self.owned_by(member.name)
        fault = self._world.faults.strike(FaultKind.DRAIN_FAILS, member.name)
        stuck = [group for group in waiting if group.online and not group.core] or waiting
        if fault is not None and stuck:
            stuck[-1].stuck = True
        quirks = self._world.scenario.quirks
        left = None
        if fault is None and self._world.dice.chance(f"role left/{member.name}", quirks.drain_leaves_role):
            left = next((group for group in reversed(waiting) if group.live and not group.locked), None)
        for group in waiting:
            group.home = member.name
        moves = [group for group in waiting if group is not left]
        self._world.kernel.start(self._draining(member, moves, force=force, failing=fault is not None))

    def _draining(self, member: Member, waiting: list[Group], *, force: bool, failing: bool) -> Process:
        """Move groups two at a time until all are gone or given up."""
        durations, joins = self._world.scenario.durations, member.joins
        refused: list[Group] = []
        under_way: list[Group] = []
        queue = list(waiting)
        while (queue or under_way) and self._drains(member, joins):
            under_way = [group for group in under_way if group.owner == member.name and group.target is not None]
            while queue and len(under_way) < _AT_ONCE:
                group = queue.pop(0)
                if group.owner != member.name:
                    continue
                if self._try_to_drain(group):
                    under_way.append(group)
                else:
                    refused.append(group)
            if queue or under_way:
                yield min(durations.core_move, durations.live_move) / 2
        if (refused or (failing and not waiting)) and self._drains(member, joins):
            yield durations.drain_gives_up
        if self._drains(member, joins):
            self._drained(member, refused, force=force, failing=failing)

    def _drains(self, member: Member, joins: int) -> bool:
        return member.drain is DrainStatus.IN_PROGRESS and member.joins == joins

    def _try_to_drain(self, group: Group) -> bool:
        try:
            if group.target is None:
                self.move(group, by_drain=True)
        except ClusterApiError:
            return False
        return True

    def _drained(self, member: Member, refused: list[Group], *, force: bool, failing: bool) -> None:
        for group in refused if force else ():
            self._drag_away(group)
        failed = failing and not force
        failed = failed or any(group.owner == member.name for group in refused)
        member.drain = DrainStatus.FAILED if failed else DrainStatus.COMPLETED
        member.drain_error = ERROR_RESOURCE_LOCKED if failed else 0
        self._world.ledger.note(self._world.now, f"drain {member.drain.value}", member.name)
        if not failed:
            self._cluster.storage.node_out(member.name)
        self._world.kernel.touch()

    def _drag_away(self, group: Group) -> None:
        """Stop a role that cannot leave and move it as a failed one, as ``-ForceDrain`` does."""
        target = self.choose(group)
        if target is not None:
            self._world.ledger.role_offline(self._world.now, group.name, "its drain was forced")
            group.state = GroupState.FAILED if group.wanted else GroupState.OFFLINE
            group.owner, group.target = target, None
            group.moves += 1

    # Returning

    def fail_back(self, member: Member, failback: FailbackType) -> None:
        """Return to a resumed node what was drained from it; what could not leave it can again."""
        for group in self.owned_by(member.name):
            group.stuck = False
        for group in [group for group in self if group.home == member.name]:
            wanted = failback is FailbackType.IMMEDIATE or (failback is FailbackType.POLICY and group.auto_failback)
            group.home = None
            if not wanted or group.owner == member.name or group.target is not None or group.locked:
                continue
            self._begin_move(group, self._way_back(group, member.name), why=f"fails back to {member.name}")

    def _way_back(self, group: Group, home: str) -> str:
        rate = self._world.scenario.quirks.failback_elsewhere
        if not group.core and self._world.dice.chance(f"failback/{group.name}", rate):
            others = [node for node in self._cluster.members if node not in {home, group.owner}]
            fit = [node for node in others if self.may_own(group, node)]
            if fit:
                return self._world.dice.pick(f"elsewhere/{group.name}", fit)
        return home

    # Losing nodes

    def node_left(self, node: str) -> None:
        """Take the groups of a node that left offline and bring them up elsewhere."""
        for group in self.owned_by(node):
            self.fail_over(group)
        for group in self:
            if group.target == node and group.owner != node:
                group.target, group.moves = None, group.moves + 1
                if group.state is GroupState.PENDING:
                    self.fail_over(group)

    def fail_over(self, group: Group) -> None:
        """Bring a group up on another node after its own was lost."""
        group.target = None
        group.moves += 1
        moves = group.moves
        if group.wanted:
            self._world.ledger.role_offline(self._world.now, group.name, f"{group.owner} is gone")
            if group.state is not GroupState.FAILED:
                group.state = GroupState.PENDING
        time = self._world.scenario.durations.failover if group.wanted else self._world.scenario.durations.core_move
        self._world.kernel.after(time, lambda: self._fall(group, moves))

    def _fall(self, group: Group, moves: int) -> None:
        if group.moves != moves:
            return
        owner = self._cluster.members[group.owner]
        target = self.choose(group, without="") if not (owner.joined and not owner.paused) else group.owner
        if target is None or not self._cluster.has_quorum:
            if group.wanted:
                group.state = GroupState.OFFLINE
            return
        group.owner = target
        if group.state is not GroupState.FAILED:
            self.bring_up(group)

    def all_down(self) -> None:
        """Take everything offline: the cluster has lost quorum."""
        for group in self:
            group.target = None
            group.moves += 1
            if group.wanted:
                group.state = GroupState.OFFLINE
                self._world.ledger.role_offline(self._world.now, group.name, "quorum is lost")

    def place_homeless(self) -> None:
        """Bring up what waits for a node, since one came."""
        for group in self:
            waits = group.wanted and group.state is GroupState.OFFLINE
            owner = self._cluster.members[group.owner]
            if waits or (not owner.joined and group.target is None and group.state is not GroupState.PENDING):
                self.fail_over(group)


def _from(spec: RoleSpec, cluster: Cluster, first: str) -> Group:
    owner = cluster.spelling(spec.owner)
    return Group(
        spec.name,
        group_type=spec.group_type,
        owner=owner if cluster.members[owner].joined else first,
        wanted=spec.online,
        state=GroupState.ONLINE if spec.online else GroupState.OFFLINE,
        locked=spec.locked,
        preferred=spec.preferred,
        possible=spec.possible,
        auto_failback=spec.auto_failback,
    )
