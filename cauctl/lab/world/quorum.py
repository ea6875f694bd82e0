"""Votes of a cluster: who has one, and what dynamic quorum makes of it.

Rules kept here (``node-operations`` §2.4):

* A node whose vote an administrator took away never gets one. A paused node keeps its vote.
* Dynamic quorum gives a vote to each member that may have one. An online witness votes when that makes the number odd;
  without one, the last node of an even number gives its vote up.
* Weights change after each departure or return, so one after another can go where two at once cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cauctl.lab.world.membership import Member

__all__ = ["Quorum"]


class Quorum:
    """The votes of one cluster."""

    __slots__ = ("_members", "dynamic", "witness", "witness_online", "witness_weight")

    def __init__(self, members: Iterable[Member], *, witness: str | None, witness_online: bool, dynamic: bool) -> None:
        self._members = tuple(members)
        self.witness = witness
        """Name of the witness resource."""
        self.witness_online = witness_online and witness is not None
        self.witness_weight = 0
        self.dynamic = dynamic
        self.recompute()

    def __repr__(self) -> str:
        return f"<Quorum {self.votes} votes, {self.needed} needed>"

    @property
    def votes(self) -> int:
        """Votes of members and witness now."""
        return sum(member.dynamic_weight for member in self._members if member.joined) + self.witness_weight

    @property
    def needed(self) -> int:
        """Votes that are a majority of what counts now."""
        return self._total // 2 + 1

    @property
    def _total(self) -> int:
        """Votes that count: those present with dynamic quorum, all that were given without it."""
        if self.dynamic:
            return self.votes
        return sum(member.node_weight for member in self._members) + (self.witness is not None)

    def margin_without(self, member: Member) -> int:
        """Votes above what is needed if this member went now; below 0 quorum would be lost."""
        return self.votes - (member.dynamic_weight if member.joined else 0) - self.needed

    def recompute(self) -> None:
        """Give votes anew after a member came or went, or the witness changed."""
        voters = [member for member in self._members if member.joined and member.node_weight]
        for member in self._members:
            member.dynamic_weight = member.node_weight if member in voters or not self.dynamic else 0
        if not self.dynamic:
            self.witness_weight = int(self.witness_online)
            return
        even = len(voters) % 2 == 0
        self.witness_weight = int(self.witness_online and even)
        if even and not self.witness_weight and len(voters) > 1:
            voters[-1].dynamic_weight = 0

    def holds_when_forming(self) -> bool:
        """Whether the members that are there may form the cluster again after quorum was lost."""
        given = sum(member.node_weight for member in self._members) + (self.witness is not None)
        present = sum(member.node_weight for member in self._members if member.joined) + self.witness_online
        return present > given // 2
