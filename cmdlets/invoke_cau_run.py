"""Invoke-CauRun: update the nodes of a cluster one after the other without stopping its services."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from cauctl.errors import ConfirmationRequiredError
from cauctl.models.options import UpdatingRunOptions
from cmdlets.confirmation import can_ask
from cmdlets.output import CauOutput, CauWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from cauctl.models.credential import PSCredential
    from cauctl.models.enums import FailbackType, RebootType
    from cauctl.operations import Connection, RunOutcome

__all__ = ["invoke_cau_run"]

_OURS = frozenset({"connection", "confirm", "on_output", "on_progress"})


def invoke_cau_run(  # noqa: PLR0913  Invoke-CauRun has these parameters
    cluster_name: str,
    *,
    max_failed_nodes: int | None = None,
    max_retries_per_node: int = 3,
    node_order: str | Sequence[str] = (),
    pre_update_script: str | None = None,
    post_update_script: str | None = None,
    configuration_name: str = "Microsoft.PowerShell",
    require_all_nodes_online: bool = False,
    warn_after: timedelta | None = None,
    stop_after: timedelta | None = None,
    reboot_timeout_minutes: int = 15,
    separate_reboots: bool = False,
    enable_firewall_rules: bool = False,
    failback_mode: FailbackType | str = "Immediate",
    suspend_cluster_node_timeout_minutes: int | None = None,
    suspend_retries_per_node: int | None = None,
    wait_for_storage_repair_timeout_minutes: int | None = None,
    force_recovery: bool = False,
    clear_corrupt_reports: bool = False,
    suspend_node: str | None = None,
    resume_node: str | None = None,
    force_pause_no_drain: bool = False,
    force_pause_and_drain: bool = False,
    force_pause_drain_and_reboot: bool = False,
    skip_update_checks: bool = False,
    force_self_update: bool = False,
    site_aware_updating_order: str | Sequence[str] = (),
    cau_plugin_name: str | Sequence[str] = "Microsoft.WindowsUpdatePlugin",
    cau_plugin_arguments: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    run_plugins_serially: bool = False,
    stop_on_plugin_failure: bool = False,
    os_rolling_upgrade: bool = False,
    attempt_soft_reboot: bool = False,
    reboot_mode: RebootType | str | None = None,
    credential: PSCredential | None = None,
    force: bool = False,
    what_if: bool = False,
    confirm: Callable[[str], bool] | None = None,
    connection: Connection | None = None,
    on_output: Callable[[Any], None] | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> CauOutput[Any]:
    """Run an Updating Run and return what it wrote, the ClusterResult last.

    In order: NodeStatusNotification when a node enters a phase, UpdateInfo, UpdateStagingResult and UpdateInstallResult
    as they come, NodeResult when the coordinator is done with a node, ClusterResult. A run whose nodes failed returns
    too: look at the status of the last object.

    Whatever was asked for and has no effect, or another one than its name says, brings a warning. Refused, because this
    version does not serve them yet: ``os_rolling_upgrade`` and ``force_self_update``. Each parameter is described in
    :class:`cauctl.models.UpdatingRunOptions`.

    With ``suspend_node`` one node is taken out of service as in its turn, and stays so; with ``resume_node`` one is
    brought back. Nothing is installed then.

    Scripts are files of this computer. Their text is sent to the node unchanged and runs there without arguments, in a
    session of ``configuration_name`` of its own. A script fails when an error ends it (``throw``); other errors are
    told. The first one runs before the node is paused, and a node on which it fails is not updated. The second one runs
    after every resume, also where the turn is undone. Each may run again: with each retry, and after a crash of the
    coordinator. They end at the latest after an hour.

    Args:
        cluster_name: name of the cluster to update.
        max_failed_nodes: how many nodes may fail; one more stops the run. None: about a third of the nodes.
        max_retries_per_node: how often the whole update process of a node is tried again.
        node_order: nodes in the order in which they should have their turn; others follow.
        pre_update_script: script that runs for each node before it is paused.
        post_update_script: script that runs for each node right after it was resumed.
        configuration_name: PowerShell session configuration in which the scripts run.
        require_all_nodes_online: refuse to start unless every node is online and can be reached.
        warn_after: log a warning when the run has taken this long.
        stop_after: cancel the run when it has taken this long.
        reboot_timeout_minutes: minutes that a restart may take before the node has failed.
        separate_reboots: restart after each plug-in that asks for it.
        enable_firewall_rules: switch the firewall rules for remote shutdown on.
        failback_mode: how drained roles return: NoFailback, Immediate or Policy.
        suspend_cluster_node_timeout_minutes: minutes to go on asking for a pause while storage is degraded.
        suspend_retries_per_node: how often pausing a node is tried.
        wait_for_storage_repair_timeout_minutes: minutes to wait for the repair of storage.
        force_recovery: go on with the run that a dead coordinator left in the cluster, with the options that it had.
            What it had written is written again. Without such a run, or where it had ended but for a node that stayed
            paused, that is mended and nothing is written.
        clear_corrupt_reports: remove damaged reports as well.
        suspend_node: node that is paused and drained as in its turn, and stays so; nothing is installed.
        resume_node: paused node that is resumed, whoever has paused it.
        force_pause_no_drain: pause nodes without moving their roles.
        force_pause_and_drain: pause and drain nodes even when a role has nowhere to go or is locked.
        force_pause_drain_and_reboot: pause and drain nodes by force, then restart them.
        skip_update_checks: leave out the checks of updates.
        force_self_update: update the plug-in on the coordinator's computer first.
        site_aware_updating_order: sites in the order in which their nodes should have their turn.
        cau_plugin_name: plug-ins that find and install updates.
        cau_plugin_arguments: for the Windows Update plug-in ``QueryString`` and ``IncludeRecommendedUpdates``.
        run_plugins_serially: scan and stage with one plug-in after the other.
        stop_on_plugin_failure: leave out the remaining plug-ins of a node once one has failed.
        os_rolling_upgrade: upgrade the operating system of node after node.
        attempt_soft_reboot: try a restart without the firmware.
        reboot_mode: how nodes restart.
        credential: administrator of the nodes; without it as the connection or the current account says.
        force: do not ask for confirmation.
        what_if: touch nothing and return what would be done: a ``PlanStep`` for each node, in the order of their turns;
            with ``force_recovery`` what Get-CauRun returns, the run that would be gone on with.
        confirm: asked once with what is about to be done; its False ends the call before anything is touched.
        connection: how the nodes are reached, where neither the user's ``clusters.toml`` nor a lab says it; ours, not
            PowerShell's.
        on_output: called with each object as it is written; ours, not PowerShell's.
        on_progress: called with a sentence whenever something changes; ours, not PowerShell's.

    Raises:
        ConfirmationRequiredError: neither ``force``, ``what_if`` nor ``confirm`` was given.
        InputError: a parameter is wrong or not served; nothing was touched.
        RunInProgressError: another run holds the cluster.
        CauError: the run could not begin, or its end could not be told.
        KeyboardInterrupt: Ctrl-C stopped the run, after the node in work was finished or undone and the report stored;
            after a second Ctrl-C the run was left as it was.
    """
    given = {name: value for name, value in locals().items() if name not in _OURS}

    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    options = UpdatingRunOptions.bind(**given, confirm=can_ask(confirm))
    if not (options.force or options.what_if or options.confirm):
        raise ConfirmationRequiredError(
            f"{options.CMDLET} changes the nodes of {options.cluster_name} and was not confirmed.",
            advice="Give force=True, or confirm= a function that asks.",
        )
    if options.what_if and options.force_recovery:
        return _left_behind(options, connection)
    if options.what_if:
        for caution in options.cautions:
            warnings.warn(caution, CauWarning, stacklevel=2)
        return CauOutput(operations.plan(options, connection=connection).steps)
    if options.force_recovery:
        return _recover(options, confirm, connection=connection, on_output=on_output, on_progress=on_progress)
    if confirm is not None and not confirm(options.question):
        return CauOutput()
    return _output(operations.run(options, connection=connection, on_output=on_output, on_progress=on_progress))


def _left_behind(options: UpdatingRunOptions, connection: Connection | None) -> CauOutput[Any]:
    """Say which run would be gone on with, and touch nothing."""
    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    found = operations.status(options.cluster_name, connection=connection, credential=options.credential)
    for notice in found.notices:
        warnings.warn(notice, CauWarning, stacklevel=3)
    return CauOutput([found.state, *([found.run] if found.run else [])], notices=found.notices)


def _recover(options: UpdatingRunOptions, confirm: Callable[[str], bool] | None, **given: Any) -> CauOutput[Any]:
    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    if confirm is not None and not confirm(options.question):
        return CauOutput()
    removed = operations.remove_damaged_reports(options.cluster_name) if options.clear_corrupt_reports else ()
    for notice in removed:
        warnings.warn(notice, CauWarning, stacklevel=3)
    outcome = operations.go_on(options.cluster_name, credential=options.credential, **given)
    if isinstance(outcome, operations.RunOutcome):
        return _output(outcome)
    for notice in (*outcome.done, *outcome.failures):
        warnings.warn(notice, CauWarning, stacklevel=3)
    return CauOutput(notices=(*outcome.done, *outcome.failures))


def _output(outcome: RunOutcome) -> CauOutput[Any]:
    for notice in outcome.notices:
        warnings.warn(notice, CauWarning, stacklevel=3)
    if outcome.interrupted or outcome.detached:
        raise KeyboardInterrupt("The run was stopped; what it did is in its report.")
    return CauOutput(outcome.objects, notices=outcome.notices)
