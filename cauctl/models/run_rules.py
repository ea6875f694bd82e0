"""What the parameters of Invoke-CauRun say together: contradictions, which are refused, and cautions, which are told.

A caution is about a parameter that is accepted, as Microsoft's cmdlet accepts it, and has less effect than its name
says: nothing is accepted and silently ignored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cauctl.models.enums import RebootType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.models.options import UpdatingRunOptions

__all__ = ["cautions_of", "contradictions_of"]

_PAUSES: Final = ("force_pause_no_drain", "force_pause_and_drain", "force_pause_drain_and_reboot")
_FOR_SEVERAL_PLUGINS: Final = ("separate_reboots", "run_plugins_serially", "stop_on_plugin_failure")
_OF_NODES: Final = ("suspend_node", "resume_node", "force_recovery")


def contradictions_of(options: UpdatingRunOptions) -> Iterator[str]:
    """Name what cannot be meant together; fields may still be of wrong types, which others find."""
    yield from _repeated("node_order", options.node_order)
    yield from _repeated("site_aware_updating_order", options.site_aware_updating_order)
    yield from _warning_after_stop(options)
    yield from _pauses(options)
    yield from _restarts(options)


def cautions_of(options: UpdatingRunOptions) -> Iterator[str]:
    """Say what was asked for and has no effect, or another one than its name says."""
    for name in _FOR_SEVERAL_PLUGINS:
        if getattr(options, name):
            yield f"{name} has no effect: there is a single plug-in."
    soft = options.reboot_mode is RebootType.SOFT_REBOOT
    if options.attempt_soft_reboot or soft:
        asked = "reboot_mode SoftReboot" if soft else "attempt_soft_reboot"
        yield f"{asked}: this version has no restart without the firmware; nodes that need a restart restart in full."
    elif options.reboot_mode is RebootType.CLUS_PROP:
        yield "reboot_mode ClusProp: the cluster's property is not asked; nodes that need a restart restart in full."
    scripts = options.pre_update_script or options.post_update_script
    if not scripts and "configuration_name" in {each.attribute for each in options.given()}:
        yield "configuration_name has no effect: neither pre_update_script nor post_update_script was given."


def _warning_after_stop(options: UpdatingRunOptions) -> Iterator[str]:
    warn, stop = options.warn_after, options.stop_after
    if isinstance(warn, timedelta) and isinstance(stop, timedelta) and warn > stop:
        yield f"warn_after ({warn}) comes after stop_after ({stop})"


def _pauses(options: UpdatingRunOptions) -> Iterator[str]:
    given = [name for name in _PAUSES if getattr(options, name)]
    if options.force_pause_no_drain and len(given) > 1:
        yield f"force_pause_no_drain contradicts {', '.join(given[1:])}: roles are drained, or they are not"
    idle = given if options.resume_node or options.force_recovery else []
    if options.skip_update_checks and any(getattr(options, name) for name in _OF_NODES):
        idle = [*idle, "skip_update_checks"]
    if idle:
        with_what = next(name for name in _OF_NODES if getattr(options, name))
        yield f"{', '.join(idle)} would have no effect with {with_what}, expected without"


def _restarts(options: UpdatingRunOptions) -> Iterator[str]:
    if options.reboot_timeout_minutes == 0:
        yield "reboot_timeout_minutes is 0, in which no node restarts, expected 1 to 360, or -1 for the default"
    if options.reboot_mode is RebootType.PLUGIN_CUSTOM_REBOOT:
        yield "reboot_mode is PluginCustomReboot, and no plug-in of this version restarts nodes by itself"
    if options.attempt_soft_reboot and options.reboot_mode is RebootType.FULL_REBOOT:
        yield "attempt_soft_reboot contradicts reboot_mode FullReboot"


def _repeated(name: str, values: Iterable[object]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        folded = str(value).casefold()
        if folded in seen:
            yield f"{name} names {value!r} twice"
        seen.add(folded)
