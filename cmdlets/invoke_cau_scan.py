"""Invoke-CauScan: which updates apply to the nodes of a cluster now."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from cauctl.models.options import ScanOptions
from cmdlets.output import CauOutput, CauWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cauctl.models.credential import PSCredential
    from cauctl.models.enums import RebootType
    from cauctl.models.updates import UpdateInfo
    from cauctl.operations import Connection

__all__ = ["invoke_cau_scan"]

_OURS = frozenset({"connection", "on_output", "on_progress"})


def invoke_cau_scan(  # noqa: PLR0913  Invoke-CauScan has these parameters
    cluster_name: str,
    *,
    cau_plugin_name: str | Sequence[str] = "Microsoft.WindowsUpdatePlugin",
    cau_plugin_arguments: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    run_plugins_serially: bool = False,
    stop_on_plugin_failure: bool = False,
    credential: PSCredential | None = None,
    os_rolling_upgrade: bool = False,
    attempt_soft_reboot: bool = False,
    reboot_mode: RebootType | str | None = None,
    connection: Connection | None = None,
    on_output: Callable[[UpdateInfo], None] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> CauOutput[UpdateInfo]:
    """Scan every node of a cluster and return the updates that apply now, one object an update and node.

    Updates that become applicable only after others were installed are not among them. Served now: ``cluster_name``,
    ``credential``, ``cau_plugin_name`` (Windows Update), ``cau_plugin_arguments``; any other parameter is refused when
    it is given.

    Args:
        cluster_name: name of the cluster.
        cau_plugin_name: plug-ins that find updates.
        cau_plugin_arguments: for the Windows Update plug-in ``QueryString`` and ``IncludeRecommendedUpdates``.
        run_plugins_serially: scan with one plug-in after the other.
        stop_on_plugin_failure: leave out the remaining plug-ins once one has failed.
        credential: administrator of the nodes; without it as the connection or the current account says.
        os_rolling_upgrade: scan for upgrades of the operating system.
        attempt_soft_reboot: plan for a restart without the firmware.
        reboot_mode: how nodes restart.
        connection: how the nodes are reached, where neither the user's ``clusters.toml`` nor a lab says it; ours, not
            PowerShell's.
        on_output: called with each update as its node answers; ours, not PowerShell's.
        on_progress: called with a sentence whenever something changes; ours, not PowerShell's.

    Raises:
        InputError: a parameter is wrong or not served; nothing was touched.
        CauError: no node could be scanned. Nodes that failed while others answered are in the result's ``errors``,
            and warned of.
    """
    given = {name: value for name, value in locals().items() if name not in _OURS}

    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    options = ScanOptions.bind(**given)
    result = operations.scan(options, connection=connection, on_progress=on_progress)
    if result.failures and result.exit_code == operations.ExitCode.FAILED:
        raise result.failures[0]
    for notice in (*result.notices, *map(str, result.failures)):
        warnings.warn(notice, CauWarning, stacklevel=2)
    return CauOutput(result.updates, notices=result.notices, errors=result.failures)
