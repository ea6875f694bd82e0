"""The parameters of the cmdlets that look at a run and stop it: Get-CauRun and Stop-CauRun.

Read through :mod:`cauctl.models.options`, where the parameters of all cmdlets are.
"""

# ruff: noqa: RUF009  parameter() and switch() make attrs fields, as attrs.field() does

from __future__ import annotations

from typing import ClassVar, Final

from attrs import frozen

from cauctl.models.credential import PSCredential
from cauctl.models.parameters import CmdletOptions, parameter, switch
from cauctl.models.validation import Name

__all__ = ["GetRunOptions", "StopRunOptions"]

_STRING: Final = "System.String"
_CREDENTIAL: Final = "System.Management.Automation.PSCredential"

_START: Final = ("WaitForStart",)
_COMPLETION: Final = ("WaitForCompletion",)
_NODE_STATE: Final = ("ShowClusterNodeState",)
_GET_SETS: Final = ("DefaultParamSet", *_START, *_COMPLETION, *_NODE_STATE)
_STOP_SETS: Final = ("Default",)


@frozen(kw_only=True)
class GetRunOptions(CmdletOptions):
    """Every parameter of Get-CauRun."""

    CMDLET: ClassVar[str] = "Get-CauRun"
    DEFAULT_SET: ClassVar[str] = "DefaultParamSet"

    cluster_name: Name = parameter(
        _STRING, "Name of the cluster.", sets=_GET_SETS, served=True, position=0, default_text="local cluster"
    )
    credential: PSCredential | None = parameter(
        _CREDENTIAL,
        "Administrator of the cluster's nodes.",
        sets=_GET_SETS,
        served=True,
        default_text="current account",
        secret=True,
    )
    wait_for_start: bool = switch("Wait until a run is in progress.", sets=_START, served=True)
    wait_for_completion: bool = switch(
        "Wait until no run is in progress, and write the run anew whenever it has come further.",
        sets=_COMPLETION,
        served=True,
    )
    show_cluster_node_state: bool = switch("Show what a run keeps on each node.", sets=_NODE_STATE)


@frozen(kw_only=True)
class StopRunOptions(CmdletOptions):
    """Every parameter of Stop-CauRun."""

    CMDLET: ClassVar[str] = "Stop-CauRun"
    DEFAULT_SET: ClassVar[str] = "Default"

    cluster_name: Name = parameter(
        _STRING, "Name of the cluster.", sets=_STOP_SETS, served=True, position=0, default_text="local cluster"
    )
    credential: PSCredential | None = parameter(
        _CREDENTIAL,
        "Administrator of the cluster's nodes.",
        sets=_STOP_SETS,
        served=True,
        default_text="current account",
        secret=True,
    )
    wait: bool = switch(
        "Return when the run has ended, not already when its coordinator has taken the request.",
        sets=_STOP_SETS,
        served=True,
    )
    force: bool = switch("Do not ask for confirmation.", sets=_STOP_SETS, served=True)
