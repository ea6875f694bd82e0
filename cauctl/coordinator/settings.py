"""What a run was asked to do and how long it waits for what, as one value that the journal keeps.

The machine decides by these alone, so that a journal replays to the same decisions whatever the defaults of a later
version are. No secret is among them.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from cauctl.errors import InputError
from cauctl.models.enums import FailbackType
from cauctl.models.scripts import ScriptFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cauctl.models.options import ScanOptions, UpdatingRunOptions

__all__ = ["DEFAULT_QUERY", "Limits", "Purpose", "RunSettings", "scan_settings", "update_settings"]

DEFAULT_QUERY = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"
"""Search criteria of Microsoft.WindowsUpdatePlugin (CAU plug-in reference)."""


@frozen(kw_only=True)
class Limits:
    """How long each wait may take, and how often is looked; times of the cluster's clock.

    Microsoft documents a limit for the restart alone; the others are ours.
    """

    scan: timedelta = timedelta(minutes=60)
    """One search for updates on a node."""
    stage: timedelta = timedelta(hours=3)
    """Downloading the updates of a node."""
    install: timedelta = timedelta(hours=4)
    """One installation on a node."""
    agent_stop: timedelta = timedelta(minutes=10)
    """A node's agent ends after it was told to."""
    gates: timedelta = timedelta(minutes=30)
    """Quorum, health and pending roles allow to take a node down."""
    storage: timedelta = timedelta(hours=2)
    """Storage repair ends and every virtual disk is healthy."""
    storage_samples: int = 3
    """Consecutive looks that must find storage healthy."""
    storage_interval: timedelta = timedelta(seconds=20)
    """Time between two of these looks."""
    watch: timedelta = timedelta(seconds=30)
    """The cluster is looked at at least this often while nodes are updated, whatever else is waited for."""
    settle: timedelta = timedelta(minutes=1)
    """A node that came back is Up this long before storage is believed."""
    drain: timedelta = timedelta(minutes=60)
    """A node is paused and its roles have left."""
    suspend_retry: timedelta = timedelta(minutes=30)
    """Suspending is tried again while a clustered space is degraded (not counted as attempts)."""
    move: timedelta = timedelta(minutes=10)
    """A role arrives after an explicit move."""
    moves_per_group: int = 2
    """Explicit moves of one role before it is given up."""
    script: timedelta = timedelta(hours=1)
    """One run of a script of the user."""
    verify: timedelta = timedelta(minutes=15)
    """Each proof after a restart: boot finished, servicing idle, Cluster service, membership, services."""
    boot_tolerance: timedelta = timedelta(seconds=10)
    """Boot times closer than this are the same boot: clock corrections move them a little."""
    restart_again: timedelta = timedelta(minutes=5)
    """A node that still answers with its old boot time this long after it was told to restart is told again."""
    resume: timedelta = timedelta(minutes=10)
    """A resumed node is Up."""
    failback: timedelta = timedelta(minutes=10)
    """The cluster's own failback brings the roles back."""
    stranded: timedelta = timedelta(minutes=15)
    """A node that failed and cannot be resumed yet may come back."""
    unreachable: timedelta = timedelta(minutes=10)
    """Nobody answers before a call is given up."""
    outage: timedelta = timedelta(hours=2)
    """No node of the cluster answers: it is the coordinator that is cut off, and waiting is all that helps."""
    tries: int = 3
    """Failures of one call before it is given up, however much time passes."""
    retry_interval: timedelta = timedelta(seconds=10)
    """Time before a call that failed is tried again."""
    attempt_interval: timedelta = timedelta(seconds=30)
    """Time before a node is tried again after a failed attempt."""
    failback_grace: timedelta = timedelta(minutes=2)
    """Time that the cluster's own failback has before roles are moved one by one."""
    poll: timedelta = timedelta(seconds=5)
    """Shortest time between two looks at something that takes its time."""
    poll_longest: timedelta = timedelta(seconds=60)
    """Longest time between two looks at something that takes its time."""
    rounds: int = 8
    """Installations within one attempt before a node is taken to be in an endless loop."""
    lease: timedelta = timedelta(minutes=15)
    """Without renewal for this long the coordinator may be taken for dead."""
    renewal: timedelta = timedelta(minutes=5)
    """Time between two renewals of the lease."""
    vigil: timedelta = timedelta(minutes=7)
    """A lock that nobody renews for this long, by the clock of whoever watches, is a dead coordinator's; longer than
    ``renewal``. Who was silent for as long reads the lock again before anything else."""


class Purpose(Enum):
    """What a run is for."""

    UPDATE = "Update"
    """Nodes are updated, one after the other."""
    SCAN = "Scan"
    """Nodes look for updates, all at once; nothing is touched, so nothing is locked."""
    SUSPEND = "Suspend"
    """One node is paused and drained as in a turn, and stays so (Invoke-CauRun -SuspendNode)."""
    RESUME = "Resume"
    """One paused node is resumed as after a turn, whoever has paused it (Invoke-CauRun -ResumeNode)."""

    @property
    def one_node(self) -> bool:
        """True where a single node is meant, and no updates are."""
        return self in {Purpose.SUSPEND, Purpose.RESUME}


@frozen(kw_only=True)
class RunSettings:
    """The options of one run that decisions depend on."""

    purpose: Purpose = Purpose.UPDATE
    """What it is for."""
    target: str = ""
    """The one node that is meant, where one is."""
    max_failed_nodes: int | None = None
    """Failed nodes that the run bears; None: the documented default for the number of nodes."""
    max_retries_per_node: int = 3
    """Further attempts of a node after its first."""
    node_order: tuple[str, ...] = ()
    """Nodes in the order that was asked for; others follow."""
    require_all_nodes_online: bool = False
    """Refuse to begin while a node is not a running member."""
    failback_mode: FailbackType = FailbackType.IMMEDIATE
    """How drained roles return."""
    reboot_timeout: timedelta = timedelta(minutes=15)
    """A restarted node answers with a new boot time."""
    stop_after: timedelta | None = None
    """The run is cancelled after this time."""
    warn_after: timedelta | None = None
    """A warning is given after this time."""
    query: str = DEFAULT_QUERY
    """Windows Update search criteria."""
    include_recommended: bool = False
    """Recommended updates as well."""
    force_drain: bool = False
    """Drain even where roles must be stopped to leave (ForcePauseAndDrain)."""
    drain: bool = True
    """False: nodes are paused with their roles on them (ForcePauseNoDrain)."""
    always_restart: bool = False
    """Restart a node that was updated even when no update asks for it (ForcePauseDrainAndReboot)."""
    site_order: tuple[str, ...] = ()
    """Sites in the order that was asked for; others follow."""
    suspend_retries: int | None = None
    """Further tries to pause a node, which are then no attempts; None: each is an attempt."""
    search_again: bool = True
    """False: nothing is searched for after an installation (SkipUpdateChecks)."""
    enable_firewall: bool = False
    """Switch the firewall rules for remote shutdown on where they are off."""
    pre_script: ScriptFile | None = None
    """Script that runs before a node is paused."""
    post_script: ScriptFile | None = None
    """Script that runs right after a node was resumed."""
    cautions: tuple[str, ...] = ()
    """What was asked for and has no effect, or another one than its name says."""
    limits: Limits = field(factory=Limits)
    """How long each wait may take."""


def update_settings(options: UpdatingRunOptions, *, limits: Limits | None = None) -> RunSettings:
    """Take what a run depends on from the options of Invoke-CauRun; InputError for arguments no plug-in knows."""
    arguments = _plugin_arguments(options.cau_plugin_arguments)
    if options.suspend_node is not None or options.resume_node is not None:
        return _settings_for_one(options, limits or Limits())
    return RunSettings(
        max_failed_nodes=options.max_failed_nodes,
        max_retries_per_node=options.max_retries_per_node,
        node_order=options.node_order,
        require_all_nodes_online=options.require_all_nodes_online,
        failback_mode=options.failback_mode,
        reboot_timeout=options.reboot_timeout,
        stop_after=options.stop_after,
        warn_after=options.warn_after,
        force_drain=options.force_pause_and_drain or options.force_pause_drain_and_reboot,
        drain=not options.force_pause_no_drain,
        always_restart=options.force_pause_drain_and_reboot,
        site_order=options.site_aware_updating_order,
        suspend_retries=options.suspend_retries_per_node,
        search_again=not options.skip_update_checks,
        enable_firewall=options.enable_firewall_rules,
        cautions=options.cautions,
        limits=_limits(options, limits or Limits()),
        **arguments,
    )


def _settings_for_one(options: UpdatingRunOptions, limits: Limits) -> RunSettings:
    """Take what suspending or resuming one node depends on; it is tried once, with its own waits."""
    return RunSettings(
        purpose=Purpose.SUSPEND if options.suspend_node is not None else Purpose.RESUME,
        target=options.suspend_node or options.resume_node or "",
        max_retries_per_node=0,
        force_drain=options.force_pause_and_drain or options.force_pause_drain_and_reboot,
        drain=not options.force_pause_no_drain,
        always_restart=options.force_pause_drain_and_reboot,
        limits=limits,
    )


def _limits(options: UpdatingRunOptions, limits: Limits) -> Limits:
    """Take the limits that options name; a negative one asks for the default."""
    suspending, repair = options.suspend_cluster_node_timeout_minutes, options.wait_for_storage_repair_timeout_minutes
    if suspending is not None and suspending >= 0:
        limits = evolve(limits, suspend_retry=timedelta(minutes=suspending))
    return limits if repair is None else evolve(limits, storage=timedelta(minutes=repair))


def scan_settings(options: ScanOptions, *, limits: Limits | None = None) -> RunSettings:
    """Take what a scan depends on from the options of Invoke-CauScan; InputError for arguments no plug-in knows."""
    arguments = _plugin_arguments(options.cau_plugin_arguments)
    return RunSettings(purpose=Purpose.SCAN, max_retries_per_node=0, limits=limits or Limits(), **arguments)


def _plugin_arguments(tables: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Read the arguments of Microsoft.WindowsUpdatePlugin; names compare without case."""
    given = {str(name).casefold(): (str(name), value) for table in tables for name, value in table.items()}
    settings: dict[str, Any] = {}
    for key, (name, value) in given.items():
        if key == "querystring":
            settings["query"] = _query(value)
        elif key == "includerecommendedupdates":
            settings["include_recommended"] = _truth(name, value)
        else:
            raise InputError(
                f"{name!r:.80} is no argument of Microsoft.WindowsUpdatePlugin",
                where="cau_plugin_arguments",
                expected="QueryString, IncludeRecommendedUpdates",
            )
    return settings


def _query(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError("QueryString is no text", where="cau_plugin_arguments", expected="Windows Update criteria")
    return value


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    spelled = {"true": True, "false": False}.get(str(value).strip().casefold())
    if spelled is None:
        raise InputError(f"{name} is {value!r:.40}", where="cau_plugin_arguments", expected="True or False")
    return spelled
