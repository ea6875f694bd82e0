"""The node port on nodes that show functions of ours alone; the rules are those of :mod:`cauctl.psrp.node`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.errors import FateUnknownError, NodeError, OperationTimeoutError, SessionLostError
from cauctl.models.nodes import NodeProbe
from cauctl.psrp.answers import Answer
from cauctl.psrp.jea.functions import call
from cauctl.psrp.node import ALREADY_SCHEDULED, ALREADY_UNDER_WAY, plain_reason

if TYPE_CHECKING:
    from cauctl.psrp.fleet import Fleet
    from cauctl.psrp.pipeline import Pipeline, PipelineResult

__all__ = ["JeaNode"]


class JeaNode:
    """Implements :class:`cauctl.ports.Node`.

    Args:
        fleet: sessions with the nodes.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def __repr__(self) -> str:
        return f"<JeaNode {self._fleet!r}>"

    def probe(self, node: str) -> NodeProbe:
        """Boot time, build and signs of unfinished work; a transport error while nobody answers."""
        pipeline = call("Get-CauctlNodeState")
        state = _one(self._fleet.look_on(node, pipeline), node, pipeline)
        return NodeProbe(
            node,
            boot_time=state.moment("LastBootUpTime"),
            uptime=state.moment("LocalDateTime") - state.moment("LastBootUpTime"),
            build=f"{state.text('CurrentBuild')}.{state.integer('UBR', 0)}",
            reboot_pending=state.texts("RebootPending"),
            servicing_in_progress=state.flag("ServicingInProgress"),
            boot_finished=state.flag("BootFinished"),
            cluster_service_running=state.flag("ClusterServiceRunning"),
            stopped_services=state.texts("StoppedServices"),
        )

    def allow_remote_restart(self, node: str) -> bool:
        """Refuse: the endpoint has no function for it, and our restart does not need it."""
        raise NodeError(f"{node}: its endpoint does not let firewall rules be changed.", node=node)

    def restart(self, node: str, *, reason: str) -> None:
        """Ask the node to restart now. A restart that somebody scheduled for later is replaced by ours."""
        # A question first: a session that the node has forgotten shows here, where nothing is at stake.
        self._fleet.look_on(node, call("Get-CauctlIdentity"))
        pipeline = call("Restart-CauctlNode", Reason=plain_reason(reason))
        try:
            answer = _one(self._fleet.act_on(node, pipeline), node, pipeline)
        except (FateUnknownError, SessionLostError, OperationTimeoutError):
            pass  # a broken connection is what a restart looks like
        else:
            _check(answer, node)
        self._fleet.expect_silence(node)

    def forget(self, node: str) -> None:
        """Drop the session with the node."""
        self._fleet.forget(node)


def _one(result: PipelineResult, node: str, pipeline: Pipeline) -> Answer:
    if not result.output:
        raise NodeError(f"{node}: {pipeline} gave no answer.", node=node)
    return Answer(result.output[0], node=node, command=pipeline.commands[0].name)


def _check(answer: Answer, node: str) -> None:
    code = answer.integer("Code")
    if code < 0:
        raise NodeError(f"{node}: shutdown.exe: {answer.text('Message')}", node=node)
    if code not in {0, ALREADY_UNDER_WAY, ALREADY_SCHEDULED}:
        raise NodeError(f"{node}: the restart was refused with code {code}.", node=node)
