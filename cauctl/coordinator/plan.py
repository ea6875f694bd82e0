r"""What a run would do, as a value: it is printed, written as JSON, compared with another one.

::

    plan = operations.plan(options)
    print(*plan.lines(), sep="\n")
    for change in changes(earlier, plan):
        print(change)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from attrs import field, frozen

from cauctl.models.agent import FoundUpdate
from cauctl.models.nodes import readable
from cauctl.policy.forecast import Forecast
from cauctl.policy.gates import Gate, Verdict
from cauctl.policy.quorum import Votes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Plan", "PlanChange", "PlanStep", "changes"]


@frozen
class PlanStep:
    """One node's turn."""

    node: str
    """The node."""
    reason: str = field(kw_only=True)
    """Why its turn comes here."""
    updates: tuple[FoundUpdate, ...] = field(default=(), kw_only=True)
    """What would be installed first; more may come to light after that."""
    restart_expected: bool = field(default=False, kw_only=True)
    """True where an update says that it may ask for a restart, or one is pending."""
    votes: Votes = field(kw_only=True)
    """Votes while the node is down."""
    gates: tuple[Gate, ...] = field(default=(), kw_only=True)
    """What each gate says now."""
    left_alone: str | None = field(default=None, kw_only=True)
    """Why the node would not be touched; None: it would."""
    predicted: Forecast | None = field(default=None, kw_only=True)
    """How long the turn will take, by earlier runs; None: they cannot tell, or there is no turn."""

    @property
    def closed(self) -> tuple[Gate, ...]:
        """The gates that would hold the node up now."""
        return tuple(gate for gate in self.gates if gate.verdict is not Verdict.PASS)

    @property
    def outline(self) -> str:
        """The turn in a few words."""
        if self.left_alone is not None:
            return f"left alone: {self.left_alone}"
        count = len(self.updates)
        restart = ", a restart is expected" if self.restart_expected else ""
        return f"{count} update{'' if count == 1 else 's'}{restart}"


@frozen
class Plan:
    """What a run would do."""

    cluster: str
    """Name of the cluster."""
    made: datetime = field(kw_only=True)
    """When the cluster was looked at."""
    max_failed_nodes: int = field(kw_only=True)
    """Failed nodes that the run would bear."""
    steps: tuple[PlanStep, ...] = field(kw_only=True)
    """All nodes, in the order of their turns."""
    obstacles: tuple[str, ...] = field(default=(), kw_only=True)
    """Why a run would be refused if it were started now, a sentence each."""
    preparation: timedelta | None = field(default=None, kw_only=True)
    """How long scanning and staging will take, by earlier runs; None: they cannot tell."""

    @property
    def predicted(self) -> timedelta | None:
        """How long the whole run will take, by earlier runs; None where they cannot tell of every turn."""
        turns = [step.predicted for step in self.steps if step.left_alone is None]
        if not turns:
            return self.preparation
        known = [turn.duration for turn in turns if turn is not None]
        return sum(known, self.preparation or timedelta()) if len(known) == len(turns) else None

    def step(self, node: str) -> PlanStep | None:
        """Find the step of a node, in any letter case; None when the plan has none."""
        return next((step for step in self.steps if step.node.casefold() == node.casefold()), None)

    def lines(self) -> Iterator[str]:
        """Tell the plan to people."""
        count = len(self.steps)
        nodes = f"{count} node{'' if count == 1 else 's'}"
        yield f"Cluster {self.cluster}: {nodes}, MaxFailedNodes {self.max_failed_nodes}."
        yield from (f"A run would be refused now: {obstacle}" for obstacle in self.obstacles)
        for place, step in enumerate(self.steps, 1):
            yield f"{place}. {step.node} ({step.reason}): {step.outline}"
            yield from (f"     {update.title}" for update in step.updates)
            if step.left_alone is None:
                yield f"     while it is down: {step.votes}"
                if step.predicted is not None:
                    yield f"     about {readable(step.predicted.duration)}, {step.predicted.basis}"
                yield from (f"     now waits for {gate.name}: {gate.reason}" for gate in step.closed)
        if self.predicted is not None:
            yield f"All in all about {readable(self.predicted)}, judged by earlier runs."


@frozen
class PlanChange:
    """One thing in which two plans differ."""

    what: str
    """Nodes, Order, MaxFailedNodes, Obstacles, LeftAlone, Updates, Restart, Votes, Gates or Predicted."""
    node: str | None = field(default=None, kw_only=True)
    """Where; None: the plan as a whole."""
    before: str = field(kw_only=True)
    """What the earlier plan says; empty: nothing."""
    after: str = field(kw_only=True)
    """What the later plan says; empty: nothing."""

    def __str__(self) -> str:
        place = f"{self.node}: " if self.node else ""
        return f"{place}{self.what}: {self.before or 'nothing'} -> {self.after or 'nothing'}"


def changes(before: Plan, after: Plan) -> tuple[PlanChange, ...]:
    """Say in what two plans differ: the whole first, then node by node in the later plan's order."""
    return tuple(chain(_changes_of_all(before, after), _changes_of_nodes(before, after)))


def _changes_of_all(before: Plan, after: Plan) -> Iterator[PlanChange]:
    old, new = ([step.node for step in plan.steps] for plan in (before, after))
    came, went = set(new) - set(old), set(old) - set(new)
    if came or went:
        yield PlanChange("Nodes", before=", ".join(sorted(old)), after=", ".join(sorted(new)))
    stayed = [name for name in old if name not in went]
    if stayed != [name for name in new if name not in came]:
        yield PlanChange("Order", before=", ".join(old), after=", ".join(new))
    yield from _change("MaxFailedNodes", None, str(before.max_failed_nodes), str(after.max_failed_nodes))
    yield from _change("Obstacles", None, " ".join(before.obstacles), " ".join(after.obstacles))


def _changes_of_nodes(before: Plan, after: Plan) -> Iterator[PlanChange]:
    for new in after.steps:
        old = before.step(new.node)
        if old is None:
            continue
        yield from _change("LeftAlone", new.node, old.left_alone or "", new.left_alone or "")
        gone, come = _titles(old, new), _titles(new, old)
        yield from _change("Updates", new.node, gone, come)
        yield from _change("Restart", new.node, _expected(old), _expected(new))
        yield from _change("Votes", new.node, str(old.votes), str(new.votes))
        yield from _change("Gates", new.node, _closed(old), _closed(new))
        yield from _change("Predicted", new.node, _taking(old), _taking(new))


def _change(what: str, node: str | None, before: str, after: str) -> Iterator[PlanChange]:
    if before != after:
        yield PlanChange(what, node=node, before=before, after=after)


def _titles(step: PlanStep, other: PlanStep) -> str:
    """Name the updates that only ``step`` has; another revision is another update."""
    known = {update.key for update in other.updates}
    return "; ".join(update.title for update in step.updates if update.key not in known)


def _expected(step: PlanStep) -> str:
    return "expected" if step.restart_expected else "not expected"


def _closed(step: PlanStep) -> str:
    return "; ".join(f"{gate.name} ({gate.reason})" for gate in step.closed)


def _taking(step: PlanStep) -> str:
    return readable(step.predicted.duration) if step.predicted else ""
