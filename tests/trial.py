"""A run of the real coordinator over a lab in memory, on a virtual clock: no sockets, no sleeping.

A :class:`Trial` is one world with the journal, the outputs and the end of a run in it::

    trial = Trial(standard_scenario(nodes=3))
    state = trial.run(max_failed_nodes=1)
    assert trial.statuses == {...}
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from attrs import evolve

from cauctl.coordinator.checkpoint import read_checkpoint
from cauctl.coordinator.driver import Driver
from cauctl.coordinator.events import RunRestored, RunStarted, RunTakenOver
from cauctl.coordinator.journal import JournalHead, MemoryJournal, read_journal
from cauctl.coordinator.machine import Machine, step
from cauctl.coordinator.output import OutputStream
from cauctl.coordinator.performer import Ports
from cauctl.coordinator.results import cluster_result
from cauctl.coordinator.settings import Limits, RunSettings
from cauctl.coordinator.state import RunState
from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.coordinator.story import Story, replay
from cauctl.coordinator.takeover import clear_searches
from cauctl.errors import CauError
from cauctl.lab.faults import Fault
from cauctl.lab.memory import Ports as MemoryPorts
from cauctl.lab.world import World
from cauctl.lab.world.scenario import Quirks, Scenario, standard_scenario
from cauctl.models.enums import SummaryStatus
from cauctl.models.results import ClusterResult

OWNER = "alice@console (pid 4711)"
USER = "LAB\\Administrator"


def scenario(*faults: str, nodes: int = 4, quirks: bool = False, storage: bool = False, **changes: object) -> Scenario:
    """Describe a lab that behaves, but for the faults named; storage and quirks on demand."""
    plain = standard_scenario(
        nodes=nodes,
        faults=[Fault.parse(fault) for fault in faults],
        quirks=Quirks() if quirks else Quirks.none(),
        storage=storage,
    )
    return evolve(plain, **changes)


class Watcher:
    """Calls back after each event, with the event and the state."""

    def __init__(self, seen: Callable[[object, RunState], None]) -> None:
        self._seen = seen

    def on_event(self, event: object, state: object) -> None:
        """Call back."""
        assert isinstance(state, RunState)
        self._seen(event, state)

    def on_wait(self, node: str | None, waiting_for: str, since: object, limit: object) -> None:
        """Nothing."""


class Failing:
    """A port that fails when it is told to, and is itself otherwise.

    Args:
        port: the port.
        errors: for each method, the errors of its first calls; None stands for a call that works.
        after: carry the call out before the error is raised: its answer is lost, not its effect.
    """

    def __init__(self, port: object, errors: dict[str, list[CauError | None]], *, after: bool = False) -> None:
        self._port, self._errors, self._after = port, errors, after
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)

        def call(*args: object, **kwargs: object) -> object:
            self.calls.append(" ".join([name, *(str(each) for each in args if isinstance(each, str))]))
            left = self._errors.get(name)
            error = left.pop(0) if left else None
            if error is None:
                return method(*args, **kwargs)
            if self._after:
                method(*args, **kwargs)
            raise error

        return call


class DeathError(BaseException):
    """The coordinator is killed."""


class FatalJournal:
    """A journal whose coordinator dies before or after it has written the n-th record."""

    def __init__(self, journal: MemoryJournal, dies_at: int, *, written: bool) -> None:
        self._journal, self._left, self._written = journal, dies_at, written

    def append(self, record: dict[str, object]) -> None:
        """Write, and die when the time has come."""
        self._left -= 1
        if self._left or self._written:
            self._journal.append(record)
        if not self._left:
            raise DeathError

    def close(self) -> None:
        """Nothing."""


class Trial:
    """One world and a run in it."""

    def __init__(self, built_from: Scenario, *, seed: int = 1, user: str = USER) -> None:
        self.world = World(built_from, seed=seed)
        self.memory = MemoryPorts(self.world, user=user)
        self.ports = self.ports_of(self.memory)
        self.run_id = str(UUID(int=seed + 1))
        self.journal = MemoryJournal(JournalHead(built_from.name, run_id=self.run_id))
        self.outputs: list[object] = []
        self.story = Story()
        self.switch = StopSwitch()
        self.state = RunState()

    def __repr__(self) -> str:
        return f"<Trial {self.world!r}, {self.state.phase.value}>"

    @staticmethod
    def ports_of(memory: MemoryPorts) -> Ports:
        """Give a world's ports as the coordinator takes them."""
        return Ports(cluster=memory.cluster, node=memory.node, agent=memory.agent, clock=memory.clock)

    def run(
        self,
        *,
        ports: Ports | None = None,
        on_event: Callable[[object, RunState], None] | None = None,
        limits: Limits | None = None,
        machine: Machine = step,
        **options: object,
    ) -> RunState:
        """Run to the end, with these settings."""
        watcher = (Watcher(on_event),) if on_event else ()
        driver = Driver(
            ports or self.ports,
            journal=self.journal,
            observers=(self.story, OutputStream(self.outputs.append), *watcher),
            stop=self.switch,
            machine=machine,
        )
        settings = RunSettings(limits=limits or Limits(), **options)
        self.state = driver.run(self.started(settings))
        return self.state

    def started(self, settings: RunSettings) -> RunStarted:
        """Give the first event of the run."""
        return RunStarted(
            self.world.now, run_id=self.run_id, cluster=self.world.scenario.name, owner=OWNER, settings=settings
        )

    def go_on(self, content: bytes, *, owner: str = "bob@other (pid 1)") -> RunState:
        """Let another coordinator go on from a journal's bytes, after a crash that left nothing else."""
        memory = MemoryPorts(self.world, user=USER)
        text = read_journal(content, torn="drop")
        state = replay(text.events)
        fence = self._take_lock(memory, owner)
        self.story = Story()
        driver = Driver(self.ports_of(memory), journal=self.journal, observers=(self.story,), stop=self.switch)
        self.state = driver.go_on(state, RunTakenOver(self.world.now, owner=owner, fence=fence))
        return self.state

    def restore(self, *, owner: str = "bob@other (pid 1)", dies_at: int | None = None) -> RunState:
        """Let a coordinator on another machine go on from the checkpoint in the cluster alone."""
        memory = MemoryPorts(self.world, user=USER)
        fence = self._take_lock(memory, owner)
        lock = memory.cluster.read_lock()
        checkpoint = read_checkpoint(lock.checkpoint)
        clear_searches(memory.agent, checkpoint.state, self.world.machines)
        self.story = Story()
        self.journal = MemoryJournal(JournalHead(self.world.scenario.name, run_id=self.run_id))
        journal = FatalJournal(self.journal, dies_at, written=True) if dies_at else self.journal
        driver = Driver(self.ports_of(memory), journal=journal, observers=(self.story,), stop=self.switch)
        lock = evolve(lock, checkpoint="")
        restored = RunRestored(self.world.now, packed=checkpoint.packed, facts=memory.cluster.observe(), lock=lock)
        assert lock.fence == fence
        self.state = driver.restore(restored)
        return self.state

    @property
    def is_held(self) -> bool:
        """Whether a run holds the cluster; some node must answer first."""
        while self.world.entry() is None:
            self.world.advance(self.world.now + timedelta(minutes=1))
        return self.memory.cluster.read_lock() is not None

    def _take_lock(self, memory: MemoryPorts, owner: str) -> int:
        while self.world.entry() is None:
            self.world.advance(self.world.now + timedelta(minutes=1))
        lock = memory.cluster.read_lock()
        if lock is None:
            return 1
        until = self.world.now + timedelta(minutes=12)
        memory.cluster.take_over_lock(evolve(lock, owner=owner, fence=lock.fence + 1, lease_until=until))
        return lock.fence + 1

    # --- what came of it ---------------------------------------------------------------------------------------------

    @property
    def result(self) -> ClusterResult:
        """The ClusterResult."""
        return cluster_result(self.state)

    @property
    def statuses(self) -> dict[str, SummaryStatus | None]:
        """How each node ended."""
        return {node.name: node.record.status for node in self.state.nodes.values()}

    @property
    def causes(self) -> dict[str, list[str]]:
        """Error ids of each node's failures, first first."""
        return {
            node.name: [cause.problem.error_id for cause in node.record.causes]
            for node in self.state.nodes.values()
            if node.record.causes
        }

    @property
    def suspended(self) -> list[str]:
        """Nodes that our account paused, in order."""
        return [pause.node for pause in self.world.ledger.pauses if pause.paused and pause.by == USER]

    def left_on(self, node: str) -> int:
        """Count the tasks of ours that are left on a node."""
        return len([task for task in self.world.machine(node).tasks.all() if task.path == "\\cauctl\\"])
