"""Windows Update on the nodes of a world in memory: the agent's twin, without its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.lab.world.agent_twin import AgentTwin
from cauctl.models.agent import AgentProgress, AgentState

if TYPE_CHECKING:
    from cauctl.lab.memory import Wire
    from cauctl.lab.world.machine import Machine
    from cauctl.lab.world.tasks import ScheduledTask
    from cauctl.models.agent import AgentRequest

__all__ = ["MemoryAgent"]

TASK_PATH: Final = "\\cauctl\\"


class MemoryAgent:
    """:class:`cauctl.ports.UpdateAgent` in memory: the agent's twin, without its files.

    Args:
        wire: the way to the nodes.
        twin: what is put to work there.
    """

    def __init__(self, wire: Wire, twin: type[AgentTwin] = AgentTwin) -> None:
        self._wire = wire
        self._twin = twin

    def begin(self, node: str, request: AgentRequest) -> None:
        """Start the work."""

        def start(machine: Machine) -> None:
            if machine.tasks.find(TASK_PATH, _work_name(request)) is not None:
                return
            task = machine.tasks.register(TASK_PATH, _work_name(request), "")
            machine.tasks.start(task, lambda: self._twin(machine, request, cancelled=lambda: task.cancelled))

        self._wire.act(node, start)

    def poll(self, node: str, request: AgentRequest, after: int) -> AgentProgress:
        """Events numbered above ``after``, and whether the agent is still at work."""
        task = self._wire.reach(node).tasks.find(TASK_PATH, _work_name(request))
        if task is None:
            return AgentProgress(AgentState.LOST)
        twin = task.program
        events = tuple(twin.events[after:]) if isinstance(twin, AgentTwin) else ()
        if isinstance(twin, AgentTwin) and twin.finished:
            return AgentProgress(AgentState.FINISHED, events=events)
        return AgentProgress(AgentState.LOST if task.state == "Ready" else AgentState.RUNNING, events=events)

    def cancel(self, node: str, request: AgentRequest) -> None:
        """Ask the agent to stop after what it cannot interrupt."""

        def ask(machine: Machine) -> None:
            task = machine.tasks.find(TASK_PATH, _work_name(request))
            if task is not None:
                task.cancelled = True

        self._wire.act(node, ask)

    def collect(self, node: str, request: AgentRequest) -> None:
        """Remove what the work left on the node."""
        self._wire.act(node, lambda machine: _remove(machine, [machine.tasks.find(TASK_PATH, _work_name(request))]))

    def leftovers(self, node: str) -> tuple[str, ...]:
        """Ids of runs whose work is still on the node."""
        tasks = self._wire.reach(node).tasks.all()
        return tuple(dict.fromkeys(task.name.partition(".")[0] for task in tasks if task.path == TASK_PATH))

    def remove_leftovers(self, node: str, run_id: str) -> None:
        """End and remove all that this run left on the node."""

        def clear(machine: Machine) -> None:
            _remove(machine, [task for task in machine.tasks.all() if task.name.partition(".")[0] == run_id])

        self._wire.act(node, clear)


def _work_name(request: AgentRequest) -> str:
    return f"{request.run_id}.{request.request_id}"


def _remove(machine: Machine, tasks: list[ScheduledTask | None] | list[ScheduledTask]) -> None:
    for task in tasks:
        if task is not None:
            machine.tasks.stop(task)
            machine.tasks.unregister(task)
