"""A world: one cluster, its nodes, its time, its luck and its ledger."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from cauctl.lab.faults import FaultPlan
from cauctl.lab.ledger import Ledger
from cauctl.lab.world.cluster import Cluster
from cauctl.lab.world.kernel import Dice, Kernel
from cauctl.lab.world.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cauctl.lab.world.scenario import Scenario
    from cauctl.lab.world.task_definition import TaskDefinition
    from cauctl.lab.world.tasks import Program

__all__ = ["World"]


class World:
    """One lab's reality, with a clock of its own.

    Nothing in it takes real time. Whoever uses a world from several threads holds :attr:`lock` for as long as what they
    read or change must stay together.

    Args:
        scenario: what the world is built from.
        seed: its luck; the same scenario and seed give the same world.
    """

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self.scenario = scenario
        self.seed = seed
        self.lock = RLock()
        self.kernel = Kernel(scenario.begins)
        self.dice = Dice(seed)
        self.ledger = Ledger(scenario.begins)
        names = [node.name for node in scenario.nodes]
        self.faults = FaultPlan(scenario.faults, names, lambda kind: self.dice.pick(f"place of {kind}", names))
        self.launcher: Callable[[Machine, TaskDefinition], Program | int] | None = None
        """Starts what a scheduled task runs, else the agent's twin does; called with the world locked."""
        self.watchers: list[Callable[[Machine], None]] = []
        """Called with a node whenever its connections broke or its port opened or closed."""
        self.machines: dict[str, Machine] = {
            spec.name: Machine(self, spec, number) for number, spec in enumerate(scenario.nodes, 1)
        }
        """All nodes by name."""
        self.cluster = Cluster(self)
        self.cau_runs: dict[str, str] = {}
        """Node and orchestrator id of each ``MSFT_CAURun`` instance."""
        if scenario.foreign_run is not None:
            self.cau_runs[self.cluster.spelling(scenario.foreign_run)] = "834dd11e-584b-41f2-8d22-4c9c0471dbad"
        self._add_self_updating()

    def __repr__(self) -> str:
        return f"<World {self.scenario.name}, seed {self.seed}, {self.now.isoformat()}>"

    @property
    def now(self) -> datetime:
        """The present moment of the world."""
        return self.kernel.now

    def advance(self, to: datetime) -> None:
        """Let everything happen that is due until ``to``."""
        with self.lock:
            self.kernel.advance(to)

    def machine(self, name: str) -> Machine:
        """Give a node by name, in any case; KeyError when there is none."""
        found = self.machines.get(name)
        return self.machines[self.cluster.spelling(name)] if found is None else found

    def entry(self, avoid: frozenset[str] | set[str] = frozenset()) -> Machine | None:
        """Give a node that answers and can speak for the cluster, rather not one of ``avoid``; None without one."""
        if not self.cluster.has_quorum:
            return None
        avoided: Machine | None = None
        for machine in self.machines.values():
            if machine.answers and self.cluster.members[machine.name].joined:
                if machine.name not in avoid:
                    return machine
                avoided = avoided or machine
        return avoided

    def tell_answers(self, machine: Machine) -> None:
        """Tell whoever carries the wire that a node's connections or port changed."""
        self.kernel.touch()
        for watcher in self.watchers:
            watcher(machine)

    def _add_self_updating(self) -> None:
        if self.scenario.self_updating:
            owner = self.cluster.first
            group = self.cluster.roles.add("CAULABROLE", "ClusterAwareUpdating", owner)
            group.parameters["CauResourceName"] = "CAULABROLEResource"
            group.wanted = True
            self.cluster.roles.bring_up(group)

    def snapshot(self) -> dict[str, Any]:
        """Describe the world's outer state, for a failing test to show."""
        return {
            "now": self.now,
            "nodes": {member.name: member.state.value for member in self.cluster.members.values()},
            "roles": {group.name: (group.owner, group.state.value) for group in self.cluster.roles},
            "votes": (self.cluster.quorum.votes, self.cluster.quorum.needed),
            "storage": self.cluster.storage.health[0],
        }
