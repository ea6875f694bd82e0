"""The driver: it performs what the machine wants and tells it what came of it.

The loop of use::

    driver = Driver(ports, journal=journal, executor=executor, observer=observer)
    state = driver.run(run_started(...))

Rules kept here:

* An event is in the journal before anything that follows from it is done. When the journal cannot be written any more
  nothing new starts, and what was begun is undone: a node that stays paused is worse than one that is not remembered,
  and the checkpoint in the cluster remembers it.
* Events are taken one at a time, by one thread; calls are performed by the executor, as many at once as it allows.
* While calls are under way their answers are waited for, else the clock is; a call that takes long holds up nobody.
* A look that shows nothing new is repeated at its pace and told to nobody: neither the machine nor the journal hears of
  it (:mod:`cauctl.coordinator.news`).
* An observer that fails is left out from then on; a display never costs a run.

:func:`inline` gives an executor that performs at once, in the same thread: with a virtual clock, a run is then the same
each time, and takes no time at all.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor, Future
from contextlib import suppress
from datetime import timedelta
from queue import Empty, Queue
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from attrs import evolve

from cauctl.coordinator.actions import Call, Instruction, StartTimer
from cauctl.coordinator.codec import event_to_json
from cauctl.coordinator.events import (
    Answer,
    CallFailed,
    ClusterObserved,
    Detached,
    Event,
    JournalLost,
    RunRestored,
    RunStarted,
    RunTakenOver,
    StopRequested,
    TimerFired,
)
from cauctl.coordinator.machine import Machine, step
from cauctl.coordinator.news import following_look, is_news, limit_of, on_watch
from cauctl.coordinator.performer import Performer, Ports
from cauctl.coordinator.problems import ProblemKind
from cauctl.coordinator.sight import completed, told
from cauctl.coordinator.state import Pause, Phase, RunState
from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.coordinator.timetable import Timetable
from cauctl.errors import StateError
from cauctl.policy.pacing import next_watch
from cauctl.ports import ForesightedClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cauctl.ports import Journal, Observer

__all__ = ["Driver", "inline"]

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_IDLE: Final = timedelta(hours=1)
_GLANCE: Final = 0.05
"""Seconds of real time after which timers and the stop switch are looked at while calls are under way."""
_AVOIDED: Final = frozenset({Phase.INSTALLING, Phase.GUARDING, Phase.RESTARTING, Phase.VERIFYING, Phase.STRANDED})
_LOST: Final = frozenset({ProblemKind.UNREACHABLE, ProblemKind.SESSION_LOST, ProblemKind.FATE_UNKNOWN})


class Driver:
    """Drives one run to its end.

    Args:
        ports: everything outside.
        journal: the run's memory.
        executor: performs calls; it stays the caller's to shut down. Without one they are performed at once.
        observers: whoever watches.
        stop: asked now and then whether to stop or to leave.
        machine: decides.
    """

    def __init__(  # noqa: PLR0913  each is one thing that a run needs
        self,
        ports: Ports,
        *,
        journal: Journal,
        executor: Executor | None = None,
        observers: tuple[Observer, ...] = (),
        stop: StopSwitch | None = None,
        machine: Machine = step,
    ) -> None:
        self._step = machine
        self.state = RunState()
        self._ports = ports
        self._journal = journal
        self._executor = executor
        self._observers = list(observers)
        self._stop = stop or StopSwitch()
        self._performer = Performer(ports, lambda: self.state)
        # No SimpleQueue: one whose time passes while a signal is handled waits for ever (CPython).
        self._inbox: Queue[tuple[Event, ...]] = Queue()
        self._journal_is_lost = False
        self._under_way = 0
        self._timetable = Timetable()
        self._clock = ports.clock
        self._foresight = ports.clock if isinstance(ports.clock, ForesightedClock) else None
        self._looking: dict[int, datetime] = {}
        self._watched: datetime | None = None
        self._avoided: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Driver of run {self.state.run_id or 'none yet'}, {self.state.phase.value}>"

    def run(self, started: RunStarted) -> RunState:
        """Run from the start to the end, or until the run is refused, fenced off or left."""
        self._feed(started)
        return self._to_the_end()

    def go_on(self, state: RunState, taken_over: RunTakenOver) -> RunState:
        """Go on with a run whose coordinator died, from the state that its journal gives.

        The lock must name this run and the new fencing counter already; what was pending is performed again.
        """
        self.state = state
        self._feed(taken_over)
        return self._to_the_end()

    def restore(self, restored: RunRestored) -> RunState:
        """Go on with a run whose coordinator died, from its checkpoint; the lock must be taken over already."""
        self._feed(restored)
        return self._to_the_end()

    def _to_the_end(self) -> RunState:
        while not self.state.over:
            self._turn()
        return self.state

    def _turn(self) -> None:
        """Heed who wants to stop, take what has come in, else what is due, else wait."""
        if self._heed_stop():
            return
        if not self._inbox.empty():
            self._take(self._inbox.get())
        elif (due := self._timetable.take(now := self._clock.now())) is not None:
            self._fire(*due, now)
        elif self._under_way:
            with suppress(Empty):
                self._take(self._inbox.get(timeout=_GLANCE))
        else:
            self._clock.wait(self._timetable.next() or now + _IDLE, lambda: self._stop.unheeded(self.state))

    def _heed_stop(self) -> bool:
        if not self._stop.unheeded(self.state):
            return False
        now = self._clock.now()
        self._feed(Detached(now) if self._stop.detach_requested else StopRequested(now, by=self._stop.by))
        return True

    # --- looks -------------------------------------------------------------------------------------------------------

    def _fire(self, number: int, name: str | None, now: datetime) -> None:
        """Look, where that is all that is due; else tell that the time has come."""
        node = self.state.nodes.get(name) if name is not None else None
        pending = self.state.watch if on_watch(self.state, number) else node.pending if node is not None else None
        if not isinstance(pending, Pause) or pending.number != number or not pending.then.looks:
            self._feed(TimerFired(now, timer=number, node=name))
        elif name is None and (due := self._watch_due()) > now:
            self._timetable.start(number, due, None)
        else:
            self._looking[number] = now
            self._perform(Call(number, action=pending.then))

    def _watch_due(self) -> datetime:
        facts, every = self.state.facts, self.state.settings.limits.watch
        if facts is None:
            return self._clock.now()
        return max(facts.observed, self._watched or facts.observed) + every

    def _take(self, answers: tuple[Event, ...]) -> None:
        """Tell what came of a call, where it tells anything."""
        self._under_way -= 1
        for answer in answers:
            if not isinstance(answer, Answer):
                self._feed(answer)
                continue
            event = self._shorten(answer)
            begun = self._looking.pop(event.call, None) if event.call is not None else None
            watch = begun is not None and on_watch(self.state, event.call)
            if is_news(self.state, event):
                news = evolve(event, call=None) if watch and not isinstance(event, CallFailed) else event
                self._feed(news)
            elif isinstance(event, CallFailed):
                self._forget(event)
            if begun is not None:
                self._look_again(event, begun)

    def _look_again(self, event: Answer, begun: datetime) -> None:
        """Repeat a look that is outstanding still."""
        number, run, now = event.call, self.state, self._clock.now()
        if number is None or run.over:
            return
        idle = self._foresight.idle_until() if self._foresight is not None else now
        if on_watch(run, number):
            self._watched = now
            every = run.settings.limits.watch
            pause = next_watch(begun, now, every=every) - now
            self._timetable.repeat(number, None, last=now, following=lambda at: at + pause, idle=min(idle, now + _IDLE))
            return
        node = run.nodes.get(getattr(event, "node", None) or "")
        if node is not None and isinstance(node.pending, Pause) and node.pending.number == number:
            idle = min(idle, limit_of(node) or now)
            self._timetable.repeat(
                number, node.name, last=now, following=lambda at: following_look(run, node, at), idle=idle
            )

    # --- one event ---------------------------------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        """Write an event down, take it, and have done what follows."""
        self._timetable.heed(event.at)
        lost = self._write_down(event)
        if lost is not None:
            self._take_in(JournalLost(event.at, message=str(lost)))
        self._take_in(event)

    def _write_down(self, event: Event) -> StateError | None:
        """Write an event into the journal; give the error with which the journal was lost, once.

        Before the cluster is ours, nothing is to be undone, and the error ends the run.
        """
        if self._journal_is_lost:
            return None
        try:
            self._journal.append(event_to_json(event))
        except StateError as error:
            if self.state.lock is None:
                raise
            _log.error("%s", error)
            self._journal_is_lost = True
            return error
        return None

    def _take_in(self, event: Event) -> None:
        """Take an event, and have done what follows."""
        before = self.state
        self.state, instructions = self._step(before, event)
        self._tell(before, event)
        self._route(before, event)
        for instruction in instructions:
            self._follow(instruction)

    def _shorten(self, answer: Answer) -> Answer:
        """Tell an observation by what differs from the last one."""
        if not isinstance(answer, ClusterObserved):
            return answer
        facts = completed(answer.facts, self.state.nodes)
        return told(self.state.facts, facts, at=answer.at, call=answer.call, node=answer.node)

    def _follow(self, instruction: Instruction) -> None:
        match instruction:
            case StartTimer():
                self._timetable.start(instruction.number, instruction.until, instruction.node)
            case Call():
                self._perform(instruction)

    def _perform(self, call: Call) -> None:
        self._under_way += 1
        if self._executor is None:
            self._inbox.put(self._performer.perform(call, self.state))
        else:
            self._executor.submit(self._performer.perform, call, self.state).add_done_callback(self._done)

    def _done(self, future: Future[tuple[Event, ...]]) -> None:
        if not future.cancelled():
            self._inbox.put(future.result())

    def _route(self, before: RunState, event: Event) -> None:
        """Ask the cluster through nodes that are not worked on, and drop what is open to nodes that went."""
        if isinstance(event, CallFailed):
            self._forget(event)
        if self.state.nodes is before.nodes:
            return
        avoided = frozenset(node.name for node in self.state.nodes.values() if node.phase in _AVOIDED)
        if avoided != self._avoided:
            self._avoided = avoided
            self._ports.cluster.avoid(avoided)

    def _forget(self, event: CallFailed) -> None:
        if event.node is not None and event.problem.kind in _LOST:
            self._ports.node.forget(event.node)

    def _tell(self, before: RunState, event: Event) -> None:
        name = getattr(event, "node", None)
        waits = [(name, before.nodes.get(name), self.state.nodes.get(name))] if name else []
        for observer in tuple(self._observers):
            try:
                observer.on_event(event, self.state)
                for node, old, new in waits:
                    if new and new.wait and (old is None or old.wait != new.wait):
                        wait = new.wait
                        observer.on_wait(node, wait.reason or wait.name, wait.since, wait.limit)
            except Exception:  # noqa: BLE001  a display never costs a run
                _log.exception("an observer failed and is left out")
                self._observers.remove(observer)


class _Inline(Executor):
    """Performs at once, in the caller's thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Perform now."""
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def inline() -> Executor:
    """Give an executor that performs at once, in the caller's thread."""
    return _Inline()
