"""The parameters of the CAU cmdlets, once: Invoke-CauRun, Get-CauRun, Stop-CauRun, Invoke-CauScan, and of reports.

Names, types, defaults, ranges, sets and versions are those of Microsoft's reference; the help of each parameter is its
documentation. What the reference leaves open is named here and nowhere else:

* ``max_failed_nodes`` None or -1 means the default, whose formula is an inference and belongs to the coordinator.
* ``reboot_timeout_minutes`` -1 means the default (inferred).
* A coordinator outside the cluster has no local cluster: ``cluster_name`` must be given where the cluster is touched.
"""

# ruff: noqa: RUF009  parameter() and switch(, sets=_DEFAULT) make attrs fields, as attrs.field() does

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import chain
from typing import Annotated, Any, ClassVar, Final

from attrs import frozen

from cauctl.models.credential import PSCredential
from cauctl.models.enums import FailbackType, RebootType
from cauctl.models.parameters import CmdletOptions, many, member_of, parameter, switch
from cauctl.models.report_options import ExportReportOptions, GetReportOptions
from cauctl.models.run_control import GetRunOptions, StopRunOptions
from cauctl.models.run_rules import cautions_of, contradictions_of
from cauctl.models.scan_options import SERVED_PLUGINS, ScanOptions, plugin_arguments, plugins, unserved_plugins
from cauctl.models.validation import Between, Name

__all__ = [
    "DEFAULT_REBOOT_TIMEOUT",
    "SERVED_PLUGINS",
    "ExportReportOptions",
    "GetReportOptions",
    "GetRunOptions",
    "ScanOptions",
    "StopRunOptions",
    "UpdatingRunOptions",
]

DEFAULT_REBOOT_TIMEOUT: Final = timedelta(minutes=15)

MAX_SCRIPT_PATH: Final = 260

_STRING: Final = "System.String"
_STRINGS: Final = "System.String[]"
_INT32: Final = "System.Int32"
_TIMESPAN: Final = "System.TimeSpan"
_CREDENTIAL: Final = "System.Management.Automation.PSCredential"
_HASHTABLES: Final = "System.Collections.Hashtable[]"
_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"


class _Duration:
    """A duration above zero."""

    text = "above zero"

    def admits(self, value: timedelta) -> bool:
        return value > timedelta()


class _Script:
    """The path of a PowerShell script."""

    text = f"that ends in .ps1, of at most {MAX_SCRIPT_PATH} characters"

    def admits(self, value: str) -> bool:
        return value.casefold().endswith(".ps1") and len(value) <= MAX_SCRIPT_PATH and value.isprintable()


Duration = Annotated[timedelta, _Duration()]
Script = Annotated[str, _Script()]


# --- Invoke-CauRun ---------------------------------------------------------------------------------------------------

_DEFAULT: Final = ("DefaultParamSet",)
_RECOVER: Final = ("RecoverParamSet",)
_SUSPEND: Final = ("SuspendNodeParamSet",)
_RESUME: Final = ("ResumeNodeParamSet",)
_RUN_SETS: Final = (*_DEFAULT, *_RECOVER, *_SUSPEND, *_RESUME)


@frozen(kw_only=True)
class UpdatingRunOptions(CmdletOptions):
    """Every parameter of Invoke-CauRun."""

    CMDLET: ClassVar[str] = "Invoke-CauRun"
    DEFAULT_SET: ClassVar[str] = "DefaultParamSet"

    cluster_name: Name = parameter(
        _STRING,
        "Name of the cluster to update.",
        sets=_RUN_SETS,
        served=True,
        position=0,
        default_text="local cluster",
    )
    credential: PSCredential | None = parameter(
        _CREDENTIAL,
        "Administrator of the cluster's nodes.",
        sets=_RUN_SETS,
        served=True,
        default_text="current account",
        secret=True,
    )
    cau_plugin_name: tuple[Name, ...] = parameter(
        _STRINGS,
        "Plug-ins that find and install updates.",
        sets=_DEFAULT,
        served=True,
        default=SERVED_PLUGINS,
        converter=plugins,
    )
    cau_plugin_arguments: tuple[Mapping[str, Any], ...] = parameter(
        _HASHTABLES,
        "Names and values for each plug-in, one table a plug-in, in their order.",
        sets=_DEFAULT,
        served=True,
        default=(),
        converter=plugin_arguments,
    )
    max_failed_nodes: Annotated[int, Between(-1, 64)] | None = parameter(
        _INT32,
        "How many nodes may fail; one more stops the run. -1 asks for the default.",
        sets=_DEFAULT,
        served=True,
        default_text="about a third of the nodes",
    )
    max_retries_per_node: Annotated[int, Between(0, 64)] = parameter(
        _INT32,
        "How often the whole update process of a node is tried again after a failure.",
        sets=_DEFAULT,
        served=True,
        default=3,
    )
    node_order: tuple[Name, ...] = parameter(
        _STRINGS,
        "Nodes in the order in which they should have their turn; others follow.",
        sets=_DEFAULT,
        served=True,
        default=(),
        default_text="fewest clustered roles first",
        converter=many,
    )
    require_all_nodes_online: bool = switch(
        "Refuse to start unless every node is online and can be reached.", served=True, sets=_DEFAULT
    )
    stop_after: Duration | None = parameter(
        _TIMESPAN,
        "Cancel the run when it has taken this long; the time of scripts counts.",
        sets=_DEFAULT,
        served=True,
        default_text="unlimited",
    )
    reboot_timeout_minutes: Annotated[int, Between(-1, 360)] = parameter(
        _INT32,
        "Minutes that a restart may take, auto-start services included, before the node has failed; -1: the default.",
        sets=_DEFAULT,
        served=True,
        default=15,
    )
    failback_mode: FailbackType = parameter(
        f"{_NAMESPACE}.FailbackType",
        "How drained roles return to a node that is resumed.",
        sets=_DEFAULT,
        since="2012 R2",
        served=True,
        default=FailbackType.IMMEDIATE,
        converter=member_of(FailbackType),
    )
    pre_update_script: Script | None = parameter(
        _STRING,
        "Script, a file of this computer, that runs on each node before it is paused; when it fails the node is not "
        "updated.",
        sets=_DEFAULT,
        served=True,
    )
    post_update_script: Script | None = parameter(
        _STRING,
        "Script, a file of this computer, that runs on each node right after it was resumed, however its turn went.",
        sets=_DEFAULT,
        served=True,
    )
    configuration_name: Name = parameter(
        _STRING,
        "PowerShell session configuration in which the scripts run.",
        sets=_DEFAULT,
        served=True,
        default="Microsoft.PowerShell",
    )
    warn_after: Duration | None = parameter(
        _TIMESPAN,
        "Give a warning when the run has taken this long.",
        sets=_DEFAULT,
        served=True,
        default_text="no warning",
    )
    separate_reboots: bool = switch(
        "Restart after each plug-in that asks for it, not once after all of them; a single one only brings a warning.",
        served=True,
        sets=_DEFAULT,
    )
    enable_firewall_rules: bool = switch(
        "Switch the firewall rules for remote shutdown on where they are off; the restart itself does not need them.",
        served=True,
        sets=_DEFAULT,
    )
    suspend_cluster_node_timeout_minutes: Annotated[int, Between(-1, 720)] | None = parameter(
        _INT32,
        "Minutes for each node to go on asking for its pause while clustered storage is degraded; -1: the default.",
        sets=_DEFAULT,
        since="2016",
        served=True,
        default_text="30",
    )
    suspend_retries_per_node: Annotated[int, Between(0, None)] | None = parameter(
        _INT32,
        "How often pausing a node is tried again before the next node has its turn; counted by itself.",
        sets=_DEFAULT,
        since="2025",
        served=True,
        default_text="as part of max_retries_per_node",
    )
    wait_for_storage_repair_timeout_minutes: Annotated[int, Between(0, None)] | None = parameter(
        _INT32,
        "Minutes to wait for the repair of storage before a node has its turn; then the node has failed.",
        sets=_DEFAULT,
        since="2025",
        served=True,
        default_text="120",
    )
    site_aware_updating_order: tuple[Name, ...] = parameter(
        _STRINGS,
        "Sites in the order in which their nodes should have their turn; node_order comes first, other nodes last.",
        sets=_DEFAULT,
        since="2022",
        served=True,
        default=(),
        default_text="by level of activity",
        converter=many,
    )
    run_plugins_serially: bool = switch(
        "Scan and stage with one plug-in after the other, not with all at once; a single one only brings a warning.",
        served=True,
        sets=_DEFAULT,
    )
    stop_on_plugin_failure: bool = switch(
        "Leave out the remaining plug-ins of a node once one has failed; a single one only brings a warning.",
        served=True,
        sets=_DEFAULT,
    )
    os_rolling_upgrade: bool = switch("Upgrade the operating system of node after node.", since="2022", sets=_DEFAULT)
    attempt_soft_reboot: bool = switch(
        "Try a restart without the firmware. Not known to this version: nodes restart in full, with a warning.",
        since="2022",
        served=True,
        sets=_DEFAULT,
    )
    reboot_mode: RebootType | None = parameter(
        f"{_NAMESPACE}.RebootType",
        "How nodes restart: always in full; other wishes bring a warning, PluginCustomReboot is refused.",
        sets=_DEFAULT,
        since="2022",
        served=True,
        converter=member_of(RebootType),
    )
    force_recovery: bool = switch(
        "Go on with the run that a dead coordinator left in the cluster, with its own options.",
        sets=_RECOVER,
        served=True,
        mandatory=True,
        aliases=("Recover",),
    )
    clear_corrupt_reports: bool = switch("Remove damaged reports as well.", sets=_RECOVER, served=True, since="2025")
    suspend_node: Name | None = parameter(
        _STRING,
        "Node that is paused and drained as in its turn, and stays so: runs leave it alone until it is resumed.",
        sets=_SUSPEND,
        since="2025",
        served=True,
        mandatory=True,
    )
    resume_node: Name | None = parameter(
        _STRING,
        "Paused node that is resumed, whoever has paused it; its roles fail back.",
        sets=_RESUME,
        since="2025",
        served=True,
        mandatory=True,
    )
    force_pause_no_drain: bool = switch(
        "Pause nodes without moving their roles: a restart takes the node away under them, and they fail over.",
        sets=_RUN_SETS,
        since="2022",
        served=True,
    )
    force_pause_and_drain: bool = switch(
        "Pause and drain nodes even when a role has nowhere to go or is locked: such a role is stopped for it.",
        sets=_RUN_SETS,
        since="2022",
        served=True,
    )
    force_pause_drain_and_reboot: bool = switch(
        "Pause and drain nodes by force, and restart each that was updated, also when no update asks for it.",
        sets=_RUN_SETS,
        since="2022",
        served=True,
    )
    skip_update_checks: bool = switch(
        "Leave out the search that follows an installation: what it made applicable is left to another run, and that "
        "an update was rolled back goes unseen.",
        sets=_RUN_SETS,
        since="2022",
        served=True,
    )
    force_self_update: bool = switch(
        "Update the plug-in on the coordinator's computer first.", sets=_RUN_SETS, since="2022"
    )
    force: bool = switch("Do not ask for confirmation.", sets=_RUN_SETS, served=True, aliases=("f",))
    what_if: bool = switch("Tell what would be done, and do nothing.", sets=_RUN_SETS, served=True, aliases=("wi",))
    confirm: bool = switch("Ask before anything is done.", sets=_RUN_SETS, served=True, aliases=("cf",))

    @property
    def reboot_timeout(self) -> timedelta:
        """How long a restart may take."""
        if self.reboot_timeout_minutes < 0:
            return DEFAULT_REBOOT_TIMEOUT
        return timedelta(minutes=self.reboot_timeout_minutes)

    def contradictions(self) -> Iterable[str]:
        """Find what only several fields together show."""
        return chain(
            unserved_plugins(self.cau_plugin_name, self.cau_plugin_arguments),
            contradictions_of(self),
        )

    @property
    def question(self) -> str:
        """What somebody confirms before it is done."""
        if self.suspend_node is not None:
            return f"Pause and drain {self.suspend_node} of {self.cluster_name}?"
        if self.resume_node is not None:
            return f"Resume {self.resume_node} of {self.cluster_name}?"
        if self.force_recovery:
            return f"Go on with the run that was left in {self.cluster_name}?"
        return f"Update the nodes of {self.cluster_name} one after the other?"

    @property
    def cautions(self) -> tuple[str, ...]:
        """What was asked for and has no effect, or another one than its name says; a sentence each."""
        return tuple(cautions_of(self))
