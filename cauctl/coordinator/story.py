"""The history of a run: what Microsoft's objects have no field for, folded from its events.

A :class:`Story` watches a run, or is told its journal afterwards (:func:`history_of`); both give the same history,
since nothing but events and states goes in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from attrs import evolve

from cauctl.coordinator.events import (
    Detached,
    Event,
    LockAcquired,
    LockLost,
    RunRestored,
    RunStarted,
    RunTakenOver,
    ScriptRan,
)
from cauctl.coordinator.machine import step
from cauctl.coordinator.planning import restart_expected
from cauctl.coordinator.remembered import LOST_DETAILS
from cauctl.coordinator.results import first_cause, run_status
from cauctl.coordinator.state import NodeWork, Phase, RunPhase, RunState
from cauctl.models.nodes import readable
from cauctl.models.run import NodeHistory, PlannedTurn, Restart, RolePlacement, RunHistory, TimelineEntry, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

__all__ = ["Story", "history_of", "replay"]

_WORK = frozenset({"AgentScan", "AgentStage", "AgentInstall"})
"""Names of waits that are the work itself."""

_SENTENCES = {
    Phase.PROBING: "Its system is looked at.",
    Phase.SCANNING: "It looks for updates.",
    Phase.STAGING: "It downloads updates.",
    Phase.READY: "It is ready for its turn.",
    Phase.PRE_SCRIPT: "Its turn: the pre-update script runs.",
    Phase.CHECKING: "Its turn: the gates are asked.",
    Phase.SUSPENDING: "It is paused, and its roles leave.",
    Phase.EMPTYING: "Roles that stayed are moved one by one.",
    Phase.GUARDING: "All is looked at once more before the restart.",
    Phase.RESTARTING: "It restarts.",
    Phase.VERIFYING: "It is back with a new boot time; the restart is proved.",
    Phase.INSTALLING: "It installs updates.",
    Phase.RESCANNING: "It looks for updates that became applicable.",
    Phase.RESTAGING: "It downloads further updates.",
    Phase.RESUMING: "It is resumed.",
    Phase.FAILING_BACK: "It is Up; its roles return.",
    Phase.POST_SCRIPT: "It is Up; the post-update script runs.",
    Phase.STRANDED: "It cannot be resumed and is watched.",
}


class Story:
    """Collects the history of a run; :class:`cauctl.ports.Observer`."""

    def __init__(self) -> None:
        self._last = RunState()
        self._timeline: list[TimelineEntry] = []
        self._waits: dict[str, list[Wait]] = {}
        self._plan: tuple[PlannedTurn, ...] = ()

    def __repr__(self) -> str:
        return f"<Story of {len(self._timeline)} entries>"

    def on_event(self, event: object, state: object) -> None:
        """Take an event and the state after it."""
        if isinstance(event, Event) and isinstance(state, RunState):
            self._take(event, self._last, state)
            self._last = state

    def on_wait(self, node: str | None, waiting_for: str, since: datetime, limit: timedelta | None) -> None:
        """Nothing more: the state tells what is waited for."""

    def history(self) -> RunHistory:
        """Give the history so far."""
        state = self._last
        return RunHistory(
            UUID(state.run_id),
            first_cause=first_cause(state),
            nodes=tuple(self._node(node) for node in state.nodes.values()),
            timeline=tuple(self._timeline),
            plan=self._plan,
        )

    # --- taking events -----------------------------------------------------------------------------------------------

    def _take(self, event: Event, before: RunState, after: RunState) -> None:
        for sentence in _sentences(event, after):
            self._tell(event.at, sentence, failure=isinstance(event, LockLost))
        if isinstance(event, ScriptRan):
            self._tell_script(event)
        if before.nodes is not after.nodes:
            for name, node in after.nodes.items():
                if (old := before.nodes.get(name)) is not node:
                    self._compare(event.at, old, node)
        self._compare_run(event.at, before, after)

    def _tell_script(self, event: ScriptRan) -> None:
        """Tell all that a script wrote, and how it ended."""
        name, outcome = f"The {event.place.value} script", event.outcome
        for line in outcome.output:
            self._tell(event.at, f"{name} wrote: {line}", node=event.node)
        for line in outcome.errors:
            self._tell(event.at, f"{name} complained: {line}", node=event.node)
        end = "came to its end" if outcome.failure is None else f"failed: {outcome.failure}"
        self._tell(event.at, f"{name} {end}.".replace("..", "."), node=event.node, failure=outcome.failure is not None)

    def _compare_run(self, at: datetime, before: RunState, after: RunState) -> None:
        if after.order and not before.order:
            self._tell(at, f"The order of the turns: {', '.join(after.order)}.")
            self._plan = tuple(_planned(after.nodes[name]) for name in after.order)
        if after.stopping is not before.stopping and after.stop_problem:
            self._tell(at, f"Nothing new starts: {after.stop_problem.message}", failure=True)
        if after.warned and not before.warned:
            self._tell(at, "The run takes longer than WarnAfter.")
        if after.refusal and not before.refusal:
            self._tell(at, f"The run was refused: {after.refusal.problem.message}", failure=True)
        elif after.phase is RunPhase.ENDED and before.phase is not RunPhase.ENDED:
            left = f" Left behind: {', '.join(after.unresumed)}." if after.unresumed else ""
            self._tell(at, f"The run ended: {run_status(after)}.{left}", failure=bool(left))

    def _compare(self, at: datetime, before: NodeWork | None, after: NodeWork) -> None:
        known = before.record.causes if before else ()
        for cause in after.record.causes[len(known) :]:
            self._tell(at, cause.problem.message, node=after.name, failure=True)
        if before is None or before.phase is not after.phase:
            self._entered(at, before, after)
        if (before.wait if before else None) != after.wait:
            self._waited(at, before, after)

    def _entered(self, at: datetime, before: NodeWork | None, after: NodeWork) -> None:
        if after.phase is Phase.DONE:
            self._tell(at, f"Done: {after.record.status}.", node=after.name)
        elif sentence := _SENTENCES.get(after.phase):
            again = before is not None and after.attempt > 1 and after.phase is Phase.PROBING
            self._tell(at, f"Attempt {after.attempt}: {sentence}" if again else sentence, node=after.name)

    def _waited(self, at: datetime, before: NodeWork | None, after: NodeWork) -> None:
        waits = self._waits.setdefault(after.name, [])
        old, new = before.wait if before else None, after.wait
        if old is not None and waits and waits[-1].duration is None and (new is None or new.since != old.since):
            given_up = after.failing is not None and (before is None or before.failing is None)
            waits[-1] = evolve(waits[-1], duration=at - old.since, satisfied=not given_up)
        if new is None or new.name in _WORK:
            return
        if old is not None and old.since == new.since and old.name == new.name and waits:
            waits[-1] = evolve(waits[-1], reason=new.reason)
        else:
            waits.append(Wait(new.name, reason=new.reason, started=new.since, limit=new.limit))

    def _tell(self, at: datetime, text: str, *, node: str | None = None, failure: bool = False) -> None:
        self._timeline.append(TimelineEntry(at, text=text, node_name=node, failure=failure))

    # --- summing up --------------------------------------------------------------------------------------------------

    def _node(self, node: NodeWork) -> NodeHistory:
        record = node.record
        return NodeHistory(
            node.name,
            attempts=node.attempt,
            build_before=record.build_before,
            build_after=record.probe.build if record.probe else None,
            restarts=tuple(Restart(each.asked, proved=each.proved, reason=each.reason) for each in record.restarts),
            waits=tuple(self._waits.get(node.name, ())),
            placement=tuple(
                RolePlacement(each.group, before=node.name, after=record.placed_after.get(each.group))
                for each in record.placement
                if not each.core
            ),
            notes=tuple(_notes(node)),
        )


def _planned(node: NodeWork) -> PlannedTurn:
    return PlannedTurn(node.name, updates=len(node.record.offered), restart_expected=restart_expected(node))


def _sentences(event: Event, after: RunState) -> Iterable[str]:
    """Say what an event means for the run as a whole."""
    match event:
        case RunStarted():
            yield f"{event.owner} started the run on {event.cluster}."
            yield from event.settings.cautions
        case LockAcquired():
            one = after.settings.purpose.one_node
            yield f"The cluster {after.cluster} is taken" + ("." if one else "; all nodes scan and stage.")
        case LockLost():
            who = f"{event.holder.owner} holds it" if event.holder else "nobody holds it"
            yield f"The lock of the cluster is not ours any more: {who}."
        case RunTakenOver():
            yield f"{event.owner} took the run over."
        case RunRestored():
            yield f"{event.lock.owner} took the run over from its checkpoint."
            yield f"Not known any more: {LOST_DETAILS}."
        case Detached():
            yield "The coordinator left; lock and journal stay."
        case _:
            pass


def _notes(node: NodeWork) -> Iterable[str]:
    yield from node.record.notes
    for update in node.record.skipped.values():
        why = "needs somebody at the keyboard" if update.can_request_user_input else "has a licence to accept"
        yield f'"{update.title}" was left out: it {why}.'
    if node.record.paused_for is not None:
        yield f"It was paused for {readable(node.record.paused_for)}."


def replay(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """Give the state that a run had after these events."""
    state = state or RunState()
    for event in events:
        state, _ = step(state, event)
    return state


def history_of(events: Iterable[Event]) -> RunHistory:
    """Give the history that a journal tells."""
    story, state = Story(), RunState()
    for event in events:
        state, _ = step(state, event)
        story.on_event(event, state)
    return story.history()
