"""Get-CauRun: whether a run holds the cluster, and how far it has come."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from cauctl.models.options import GetRunOptions
from cmdlets.output import CauOutput, CauWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.models.credential import PSCredential
    from cauctl.operations import ClusterStatus, Connection

__all__ = ["get_cau_run"]

_OURS = frozenset({"connection", "on_output"})


def get_cau_run(  # noqa: PLR0913  Get-CauRun has these parameters
    cluster_name: str,
    *,
    credential: PSCredential | None = None,
    wait_for_start: bool = False,
    wait_for_completion: bool = False,
    show_cluster_node_state: bool = False,
    connection: Connection | None = None,
    on_output: Callable[[Any], None] | None = None,
) -> CauOutput[Any]:
    """Return the state of the cluster's run, and the run where there is one.

    First comes the RunState; second, where a run holds the cluster, a CauRun with the phase of each node, as its
    coordinator wrote them down in the cluster: before each step that changes something, and every few minutes. With
    ``wait_for_completion`` another CauRun follows whenever the run has come further, and the RunState at the end.

    Args:
        cluster_name: name of the cluster.
        credential: administrator of the nodes; without it as the connection or the current account says.
        wait_for_start: wait until a run is in progress.
        wait_for_completion: wait until no run is in progress.
        show_cluster_node_state: not served by this version.
        connection: how the nodes are reached, where neither the user's ``clusters.toml`` nor a lab says it; ours, not
            PowerShell's.
        on_output: called with each object as it is written; ours, not PowerShell's.

    Raises:
        InputError: a parameter is wrong or not served.
        CauError: the cluster cannot be looked at.
    """
    given = {name: value for name, value in locals().items() if name not in _OURS}

    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    options = GetRunOptions.bind(**given)
    written: list[Any] = []

    def write(value: Any) -> None:
        written.append(value)
        if on_output is not None:
            on_output(value)

    def tell(seen: ClusterStatus) -> None:
        if not written:
            write(seen.state)
        if seen.run is not None:
            write(seen.run)

    found = operations.watch_run(options, connection=connection, on_change=tell)
    if not written or written[0] is not found.state:
        write(found.state)
        if found.run is not None:
            write(found.run)
    for notice in found.notices:
        warnings.warn(notice, CauWarning, stacklevel=2)
    return CauOutput(written, notices=found.notices)
