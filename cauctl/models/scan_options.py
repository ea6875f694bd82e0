"""The parameters of Invoke-CauScan, and what its plug-in parameters share with those of Invoke-CauRun.

Read through :mod:`cauctl.models.options`, where the parameters of all cmdlets are.
"""

# ruff: noqa: RUF009  parameter() and switch() make attrs fields, as attrs.field() does

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final

from attrs import frozen

from cauctl.models.credential import PSCredential
from cauctl.models.enums import RebootType
from cauctl.models.parameters import CmdletOptions, many, member_of, parameter, switch
from cauctl.models.updates import WINDOWS_UPDATE_PLUGIN
from cauctl.models.validation import Name, fault

__all__ = ["SERVED_PLUGINS", "ScanOptions", "plugin_arguments", "plugins", "unserved_plugins"]

SERVED_PLUGINS: Final = (WINDOWS_UPDATE_PLUGIN,)
"""Plug-ins that this version can drive."""

_STRING: Final = "System.String"
_STRINGS: Final = "System.String[]"
_CREDENTIAL: Final = "System.Management.Automation.PSCredential"
_HASHTABLES: Final = "System.Collections.Hashtable[]"
_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"


def plugins(value: Any) -> Any:
    """Spell the plug-ins that we serve as Microsoft does; names compare without case."""
    canonical = {name.casefold(): name for name in SERVED_PLUGINS}
    values = many(value)
    return tuple(canonical.get(each.casefold(), each) if isinstance(each, str) else each for each in values)


def plugin_arguments(value: Any) -> Any:
    """Copy the hashtables, so that the caller's later changes do not reach us."""
    return tuple(dict(each) if isinstance(each, Mapping) else each for each in many(value))


def unserved_plugins(names: Iterable[Any], arguments: tuple[Any, ...]) -> Iterator[str]:
    """Name what this version cannot drive, a sentence each."""
    given = tuple(names)
    if given != SERVED_PLUGINS:
        yield fault("cau_plugin_name", list(given), f"{SERVED_PLUGINS[0]}, the one that this version serves")
    if len(arguments) > max(len(given), 1):
        yield f"cau_plugin_arguments has {len(arguments)} tables for {len(given)} plug-ins"


# --- Invoke-CauScan --------------------------------------------------------------------------------------------------

_ONLY: Final = ("Default",)


@frozen(kw_only=True)
class ScanOptions(CmdletOptions):
    """Every parameter of Invoke-CauScan."""

    CMDLET: ClassVar[str] = "Invoke-CauScan"
    DEFAULT_SET: ClassVar[str] = "Default"

    cluster_name: Name = parameter(
        _STRING, "Name of the cluster to scan.", sets=_ONLY, served=True, position=0, default_text="local cluster"
    )
    credential: PSCredential | None = parameter(
        _CREDENTIAL,
        "Administrator of the cluster's nodes.",
        sets=_ONLY,
        served=True,
        default_text="current account",
        secret=True,
    )
    cau_plugin_name: tuple[Name, ...] = parameter(
        _STRINGS,
        "Plug-ins that find updates.",
        sets=_ONLY,
        served=True,
        default=SERVED_PLUGINS,
        converter=plugins,
    )
    cau_plugin_arguments: tuple[Mapping[str, Any], ...] = parameter(
        _HASHTABLES,
        "Names and values for each plug-in, one table a plug-in, in their order.",
        sets=_ONLY,
        served=True,
        default=(),
        converter=plugin_arguments,
    )
    run_plugins_serially: bool = switch("Scan with one plug-in after the other, not with all at once.", sets=_ONLY)
    stop_on_plugin_failure: bool = switch("Leave out the remaining plug-ins once one has failed.", sets=_ONLY)
    os_rolling_upgrade: bool = switch("Scan for upgrades of the operating system.", sets=_ONLY, since="2022")
    attempt_soft_reboot: bool = switch("Plan for a restart without the firmware.", sets=_ONLY, since="2022")
    reboot_mode: RebootType | None = parameter(
        f"{_NAMESPACE}.RebootType", "How nodes restart.", sets=_ONLY, since="2022", converter=member_of(RebootType)
    )

    def contradictions(self) -> Iterable[str]:
        """Find what only several fields together show."""
        return unserved_plugins(self.cau_plugin_name, self.cau_plugin_arguments)
