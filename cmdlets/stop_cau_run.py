"""Stop-CauRun: ask the coordinator of a run, wherever it is, to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.errors import ConfirmationRequiredError
from cauctl.models.options import StopRunOptions
from cmdlets.output import CauOutput

if TYPE_CHECKING:
    from cauctl.models.credential import PSCredential
    from cauctl.operations import Connection

__all__ = ["stop_cau_run"]


def stop_cau_run(
    cluster_name: str,
    *,
    credential: PSCredential | None = None,
    wait: bool = False,
    force: bool = False,
    connection: Connection | None = None,
) -> CauOutput[bool]:
    """Ask the run that holds a cluster to stop, and return True when its coordinator has taken the request.

    Nothing new starts then; the node in work is finished or undone, and the run ends Canceled. The request travels
    through the cluster, so the run may be another process's or another machine's. False: no run holds the cluster.

    Args:
        cluster_name: name of the cluster.
        credential: administrator of the nodes; without it as the connection or the current account says.
        wait: return when the run has ended.
        force: do not ask for confirmation.
        connection: how the nodes are reached, where neither the user's ``clusters.toml`` nor a lab says it; ours, not
            PowerShell's.

    Raises:
        ConfirmationRequiredError: ``force`` was not given.
        InputError: a parameter is wrong.
        RunInterruptedError: the coordinator of the run is dead; there is nobody to ask.
        CauError: the cluster cannot be looked at.
    """
    given = {name: value for name, value in locals().items() if name != "connection"}

    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    options = StopRunOptions.bind(**given)
    if not options.force:
        raise ConfirmationRequiredError(
            f"{options.CMDLET} stops the run on {options.cluster_name} and was not confirmed.",
            advice="Give force=True.",
        )
    return CauOutput([operations.stop_run(options, connection=connection)])
