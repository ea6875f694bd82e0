"""The test of a cluster's connections: each node, step by step, before a run needs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.errors import CauError
from cauctl.operations.access import ways
from cauctl.operations.clock import SystemClock
from cauctl.operations.outcome import ExitCode
from cauctl.psrp.cluster import PsrpCluster
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.steps import Step, Tried, try_node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cauctl.models.credential import PSCredential
    from cauctl.operations.access import AskPassword, Connection
    from cauctl.psrp.connection import NodeConnection

__all__ = ["ConnectionTrial", "NodeTrial", "try_connections"]

MOST_AT_ONCE: Final = 32


@frozen
class NodeTrial:
    """What became of the way to one node."""

    node: str
    """The node."""
    url: str = field(kw_only=True)
    """Where it is reached."""
    tried: tuple[Tried, ...] = field(kw_only=True)
    """The steps, up to the first that failed."""

    @property
    def passed(self) -> bool:
        """True when every step works."""
        return all(each.passed for each in self.tried)

    def got(self, step: Step) -> bool:
        """Say whether a step was tried and works."""
        return any(each.step is step and each.passed for each in self.tried)


@frozen
class ConnectionTrial:
    """What became of the ways to a cluster's nodes."""

    cluster: str
    """The cluster, as it was asked for."""
    nodes: tuple[NodeTrial, ...] = field(kw_only=True)
    """The entry nodes, then the others in the cluster's order."""
    notices: tuple[str, ...] = field(default=(), kw_only=True)
    """What people should know, such as why the other nodes are not known."""

    @property
    def exit_code(self) -> ExitCode:
        """SUCCEEDED when all nodes can be worked with, PARTIALLY_FAILED when some can, FAILED when none can."""
        passed = [trial.passed for trial in self.nodes]
        if all(passed) and not self.notices:
            return ExitCode.SUCCEEDED
        return ExitCode.PARTIALLY_FAILED if any(passed) else ExitCode.FAILED


def try_connections(
    cluster_name: str,
    *,
    connection: Connection | None = None,
    credential: PSCredential | None = None,
    ask_password: AskPassword | None = None,
    on_trial: Callable[[NodeTrial], None] | None = None,
) -> ConnectionTrial:
    """Try the way to each node of a cluster: name, TCP, TLS, authentication, session, identity, commands.

    The entry nodes are tried first; the others are learnt from the cluster and tried as a run would reach them. All
    nodes are tried at the same time. Nothing is changed on them.

    Args:
        cluster_name: name of the cluster.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        credential: administrator of the nodes.
        ask_password: asked for a credential when no variable holds the password.
        on_trial: told of each node when its trial has ended.

    Raises:
        InputError: no entry node is known, or what is known does not fit together.
    """
    entries, clock = ways(cluster_name, connection, credential, ask_password)
    trials = _try_all(cluster_name, entries, on_trial)
    if not any(trial.got(Step.IDENTITY) for trial in trials):
        return ConnectionTrial(cluster_name, nodes=trials, notices=("The other nodes of the cluster are not known.",))
    fleet = Fleet(cluster_name, entries)
    try:
        PsrpCluster(fleet, clock).observe()
        others = [each for each in fleet.connections if each not in entries]
    except CauError as error:
        return ConnectionTrial(cluster_name, nodes=trials, notices=(str(error),))
    finally:
        fleet.close()
    return ConnectionTrial(cluster_name, nodes=(*trials, *_try_all(cluster_name, others, on_trial)))


def _try_all(
    cluster: str, connections: Sequence[NodeConnection], on_trial: Callable[[NodeTrial], None] | None
) -> tuple[NodeTrial, ...]:
    today = SystemClock().now()

    def trial_of(connection: NodeConnection) -> NodeTrial:
        tried = tuple(try_node(connection, cluster=cluster, today=today))
        trial = NodeTrial(connection.node, url=connection.url, tried=tried)
        if on_trial is not None:
            on_trial(trial)
        return trial

    if not connections:
        return ()
    with ThreadPoolExecutor(min(len(connections), MOST_AT_ONCE), thread_name_prefix="cauctl-try") as pool:
        return tuple(pool.map(trial_of, connections))
