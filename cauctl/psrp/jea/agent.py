"""The update agent port on nodes that show functions of ours alone.

The protocol is that of ``docs/agent-protocol.md``; files and task are handled by the module on the node.

Rules kept here:

* Each function looks first and can be repeated, by us after a broken connection or by another coordinator.
* Which update, which run, which query travels as a typed value that the function validates.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import NodeError, RemoteError
from cauctl.psrp.agent_files import read_events, run_of, work_name
from cauctl.psrp.agent_progress import ProgressJudge, Seen, still_at_work
from cauctl.psrp.agent_task import TASK_STATES
from cauctl.psrp.answers import Answer, enum_name, plain_text
from cauctl.psrp.jea.functions import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.models.agent import AgentProgress, AgentRequest
    from cauctl.psrp.fleet import Fleet

__all__ = ["JeaUpdateAgent"]

_GOES_ON: Final = "CauctlWorkGoesOn"


class JeaUpdateAgent:
    """Implements :class:`cauctl.ports.UpdateAgent`.

    Args:
        fleet: sessions with the nodes.
        accept_eulas: accept licences of updates that are asked for. Microsoft's coordinator never does.
        monotonic_clock: real time in seconds, for the patience with a slow start.
    """

    def __init__(
        self, fleet: Fleet, *, accept_eulas: bool = False, monotonic_clock: Callable[[], float] = monotonic
    ) -> None:
        self._fleet = fleet
        self._accept_eulas = accept_eulas
        self._progress = ProgressJudge(monotonic_clock)

    def __repr__(self) -> str:
        return f"<JeaUpdateAgent {self._fleet!r}>"

    def begin(self, node: str, request: AgentRequest) -> None:
        """Start the work and return; a request that was begun already is left as it is."""
        self._progress.begun(node, work_name(request))
        options: dict[str, Any] = {}
        if request.updates:
            options["Updates"] = [f"{key.update_id.lower()}/{key.revision}" for key in request.updates]
        if request.include_recommended:
            options["IncludeRecommended"] = True
        if self._accept_eulas:
            options["AcceptEulas"] = True
        self._fleet.act_on(
            node,
            call(
                "Start-CauctlWork",
                **_ids(request),
                Operation=request.operation.value,
                Query=request.query,
                **options,
            ),
        )

    def poll(self, node: str, request: AgentRequest, after: int) -> AgentProgress:
        """Events numbered above ``after``, and whether the agent is still at work."""
        results: list[int | None] = []

        def look() -> Seen:
            seen, result = self._look(node, request, after)
            results.append(result)
            return seen

        return self._progress.follow(node, work_name(request), after, look=look, last_result=lambda: results[-1])

    def cancel(self, node: str, request: AgentRequest) -> None:
        """Ask the agent to stop; work that is gone already needs no asking."""
        self._fleet.act_on(node, call("Stop-CauctlWork", **_ids(request)))

    def collect(self, node: str, request: AgentRequest) -> None:
        """Remove task and folder; refused while the agent is at work, since its events are its only trace."""
        try:
            self._fleet.act_on(node, call("Remove-CauctlWork", **_ids(request)))
        except RemoteError as error:
            if error.fully_qualified_error_id.partition(",")[0] == _GOES_ON:
                raise still_at_work(node, request) from error
            raise
        self._progress.forget(node, work_name(request))

    def leftovers(self, node: str) -> tuple[str, ...]:
        """Run ids in the names of our tasks and folders, in alphabetical order."""
        names = self._fleet.look_on(node, call("Find-CauctlWork")).output
        runs = {run_of(plain_text(name)) for name in names}
        return tuple(sorted(run for run in runs if run is not None))

    def remove_leftovers(self, node: str, run_id: str) -> None:
        """End and remove what this run left."""
        self._fleet.act_on(node, call("Clear-CauctlWork", RunId=run_id))

    def _look(self, node: str, request: AgentRequest, after: int) -> tuple[Seen, int | None]:
        """The state of the work, and the last result of its task."""
        # The last known event comes again, since it may have been the final one.
        pipeline = call("Get-CauctlWork", **_ids(request), After=after)
        output = self._fleet.look_on(node, pipeline).output
        if not output:
            raise NodeError(f"{node}: Get-CauctlWork gave no answer.", node=node)
        task = Answer(output[0], node=node, command="Get-CauctlWork")
        events = read_events([plain_text(line) for line in output[1:]], node=node, after=after)
        result = None if task.raw("LastTaskResult") is None else task.integer("LastTaskResult")
        return Seen(enum_name(task.raw("State"), TASK_STATES) or None, events=events), result


def _ids(request: AgentRequest) -> dict[str, str]:
    work_name(request)  # refuses ids that the module would refuse, with our words
    return {"RunId": request.run_id, "RequestId": request.request_id}
