"""One step in the making: the state as it is so far, and the instructions so far.

A :class:`Turn` lives for one call of :func:`cauctl.coordinator.machine.step` and never leaves it; what comes out are
new values. Node records are replaced one by one in a copy of the map, made when the first of them changes.

Rules of a phase are a pair of functions: one enters it, one takes the answers that arrive while the node is in it. A
third may take failed calls; without it they are tried again while that makes sense and then fail the attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from cauctl.coordinator.actions import Action, Call, Instruction, RenewLease, StartTimer
from cauctl.coordinator.events import CallFailed, Event
from cauctl.coordinator.problems import Problem, ProblemKind
from cauctl.coordinator.state import Cause, NodeWork, Pause, Phase, RunState, Trouble, Waiting, changed
from cauctl.policy.pacing import next_look

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cauctl.coordinator.settings import Limits, RunSettings
    from cauctl.models.nodes import ClusterFacts

__all__ = ["Playbook", "Rules", "Turn", "problem", "settle_call"]


def problem(  # noqa: PLR0913  each is a fact of the failure
    error_id: str,
    message: str,
    *,
    advice: str | None = None,
    category: str = "InvalidResult",
    hresult: int | None = None,
    final: bool = False,
) -> Problem:
    """Make a problem of the coordinator's own finding."""
    return Problem(
        ProblemKind.OTHER,
        message=message,
        error_id=error_id,
        advice=advice,
        category=category,
        hresult=hresult,
        final=final,
    )


def settle_call(
    turn: Turn,
    node: NodeWork,
    event: CallFailed,
    action: Action,
    give_up: Callable[[Turn, NodeWork, Problem], None] | None = None,
) -> None:
    """Deal with a failed call where the phase has no rule of its own: again later, or the end of the attempt.

    What cannot get better by itself ends it at once. What can is tried again until both the number of tries and the
    time are used up; the first failure of the series is then the cause. ``give_up`` ends it in another way.
    """
    give_up = give_up or Turn.fail
    if not event.problem.kind.passing:
        give_up(turn, node, event.problem)
        return
    trouble = node.trouble
    trouble = Trouble(event.problem, since=turn.at) if trouble is None else evolve(trouble, count=trouble.count + 1)
    limits = turn.limits
    if trouble.count >= limits.tries and turn.at - trouble.since >= limits.unreachable:
        give_up(turn, turn.set(node, trouble=trouble), trouble.first)
        return
    node = node if node.wait else turn.wait_for(node, "NodeAnswers", event.problem.message, limits.unreachable)
    turn.call_at(node, turn.at + limits.retry_interval, action, trouble=trouble)


@frozen
class Rules:
    """What a phase does."""

    enter: Callable[[Turn, NodeWork], None]
    """The node has just entered the phase."""
    answered: Callable[[Turn, NodeWork, Event], None]
    """The pending call was answered; nothing is pending now."""
    failed: Callable[[Turn, NodeWork, CallFailed, Action], None] = settle_call
    """The pending call, for this action, failed."""


@frozen
class Playbook:
    """The rules of all phases, and what ends an attempt."""

    phases: Mapping[Phase, Rules]
    """Rules by phase."""
    close: Callable[[Turn, NodeWork], None]
    """The attempt is over, and all that it did is undone or done: begin another, or write the result."""


class Turn:
    """The state so far and the instructions so far."""

    __slots__ = ("_counter", "_nodes", "_run", "at", "instructions", "moved", "playbook")

    def __init__(self, state: RunState, at: datetime, playbook: Playbook) -> None:
        self.at = at
        self.playbook = playbook
        self.instructions: list[Instruction] = []
        self.moved = False
        self._run = state
        self._counter = state.counter
        self._nodes: dict[str, NodeWork] | None = None

    # --- what is known -----------------------------------------------------------------------------------------------

    @property
    def run(self) -> RunState:
        """The run, without the changes of nodes that this turn has made."""
        return self._run

    @property
    def nodes(self) -> Mapping[str, NodeWork]:
        """The nodes as they are now."""
        return self._run.nodes if self._nodes is None else self._nodes

    @property
    def settings(self) -> RunSettings:
        """What was asked for."""
        return self._run.settings

    @property
    def limits(self) -> Limits:
        """How long each wait may take."""
        return self._run.settings.limits

    @property
    def facts(self) -> ClusterFacts:
        """The cluster as it was last seen; every node's work begins after the first look."""
        facts = self._run.facts
        if facts is None:
            raise AssertionError
        return facts

    @property
    def stopping(self) -> bool:
        """True when nothing new may start."""
        return self._run.stopping is not None

    def result(self) -> tuple[RunState, tuple[Instruction, ...]]:
        """Give the state after the turn, and what is to be done."""
        changes: dict[str, Any] = {"now": self.at, "counter": self._counter}
        if self._nodes is not None:
            changes["nodes"] = self._nodes
        return changed(self._run, **changes), tuple(self.instructions)

    # --- changes -----------------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> RunState:
        """Change facts of the run itself."""
        self._run = changed(self._run, **changes)
        return self._run

    def set(self, node: NodeWork, **changes: Any) -> NodeWork:
        """Change a node."""
        if self._nodes is None:
            self._nodes = dict(self._run.nodes)
        fresh = changed(node, **changes)
        self._nodes[node.name] = fresh
        return fresh

    def keep(self, node: NodeWork, **changes: Any) -> NodeWork:
        """Change the record of a node."""
        return self.set(node, record=changed(node.record, **changes))

    def calm(self, node: NodeWork) -> NodeWork:
        """Forget calls that failed before one that did not."""
        return node if node.trouble is None else self.set(node, trouble=None)

    def note(self, node: NodeWork, text: str) -> NodeWork:
        """Add what people must know of a node, once."""
        if text in node.record.notes:
            return node
        return self.keep(node, notes=(*node.record.notes, text))

    def stamp(self, node: NodeWork, *, again: bool = False, **steps: datetime) -> NodeWork:
        """Note when a step of a node began or ended; the first time counts, unless ``again`` says the last."""
        timing = node.record.timing
        fresh = {name: at for name, at in steps.items() if again or getattr(timing, name) is None}
        return self.keep(node, timing=evolve(timing, **fresh)) if fresh else node

    # --- phases and calls --------------------------------------------------------------------------------------------

    def go(self, node: NodeWork, phase: Phase, **changes: Any) -> None:
        """Let a node enter a phase."""
        self.moved = True
        fresh = self.set(node, phase=phase, since=self.at, pending=None, wait=None, trouble=None, steady=0, **changes)
        self.playbook.phases[phase].enter(self, fresh)

    def call(self, node: NodeWork, action: Action, **changes: Any) -> NodeWork:
        """Have an action performed for a node now."""
        call = Call(self._next(), action=action)
        self.instructions.append(call)
        return self.set(node, pending=call, **changes)

    def call_at(self, node: NodeWork, until: datetime, action: Action, **changes: Any) -> NodeWork:
        """Have an action performed for a node later."""
        pause = Pause(self._next(), until=until, then=action)
        self.instructions.append(StartTimer(pause.number, until=until, node=node.name))
        return self.set(node, pending=pause, **changes)

    def look_later(self, node: NodeWork, action: Action, *, since: datetime | None = None, **changes: Any) -> NodeWork:
        """Look again at something that takes its time: often at first, then less so."""
        limits = self.limits
        until = next_look(self.at, since=since or node.since, shortest=limits.poll, longest=limits.poll_longest)
        return self.call_at(node, until, action, **changes)

    def call_for_run(self, action: Action) -> None:
        """Have an action performed for the run itself now."""
        call = Call(self._next(), action=action)
        self.instructions.append(call)
        self.change(pending=call)

    def timer(self, until: datetime) -> int:
        """Start a timer of the run itself; give its number."""
        number = self._next()
        self.instructions.append(StartTimer(number, until=until))
        return number

    def new_call(self, action: Action) -> Call:
        """Have an action performed that is kept track of elsewhere."""
        call = Call(self._next(), action=action)
        self.instructions.append(call)
        return call

    def remember(self) -> None:
        """Have the checkpoint written now, together with a renewal of the lease, unless one is under way."""
        if self._run.lock is not None and isinstance(self._run.renewal, Pause):
            self.change(renewal=self.new_call(RenewLease()))

    def number(self) -> int:
        """Give a number that no other call, timer or request of the run has."""
        return self._next()

    def wait_for(self, node: NodeWork, name: str, reason: str, limit: timedelta | None) -> NodeWork:
        """Say what the node waits for; the wait goes on where the name is the same."""
        wait = node.wait
        if wait is not None and wait.name == name:
            if wait.reason == reason:
                return node
            return self.set(node, wait=evolve(wait, reason=reason))
        return self.set(node, wait=Waiting(name, since=self.at, limit=limit, reason=reason))

    def waited_out(self, node: NodeWork) -> bool:
        """Say whether the node's wait has reached its limit."""
        wait = node.wait
        return wait is not None and wait.limit is not None and self.at - wait.since >= wait.limit

    # --- failure -----------------------------------------------------------------------------------------------------

    def blame(
        self, node: NodeWork, problem: Problem, *, phase: Phase | None = None, at: datetime | None = None
    ) -> NodeWork:
        """Write down a failure of a node; the first one of the attempt is what the attempt fails for.

        Args:
            node: the node.
            problem: what failed.
            phase: what the node was doing, where it is not what it does now.
            at: when, where it was not now.
        """
        cause = Cause(problem, at=at or self.at, node=node.name, phase=phase or node.phase, attempt=node.attempt)
        node = self.keep(node, causes=(*node.record.causes, cause))
        return node if node.failing is not None else self.set(node, failing=cause)

    def fail(self, node: NodeWork, problem: Problem) -> None:
        """End the attempt of a node: undo what was done to it, then try again or give up."""
        node = self.blame(node, problem)
        if node.agent is not None:
            node = self.set(self.note(node, "Work of the update agent may be left on the node."), agent=None)
        if node.paused_by_us:
            self.go(node, Phase.RESUMING)
        else:
            self.playbook.close(self, node)

    def _next(self) -> int:
        self._counter += 1
        return self._counter
