"""The functions that an endpoint without language shows, and nothing else: what the product calls there.

Rules kept here:

* A call is built by :func:`call` alone, which refuses what is not on the list. The exported module and the role
  capability are generated from the list, so the endpoint shows what is called and nothing more.
* A function does one thing that updating this cluster needs. None takes a computer's name, another cluster's name, a
  path or a script block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.models.lock import LOCK_GROUPS
from cauctl.psrp.known_command import ANY, KnownCommand, by_name, check_listed
from cauctl.psrp.pipeline import Command, Pipeline, command

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FUNCTIONS", "MODULE", "call", "check_call"]

MODULE: Final = "CauctlNode"
"""Name of the module on the nodes."""


def _known(name: str, purpose: str, /, **parameters: tuple[Any, ...]) -> KnownCommand:
    return KnownCommand(name, module=MODULE, parameters=parameters, purpose=purpose)


_ALL: Final = (
    # The cluster
    _known("Get-CauctlCluster", "name, domain, dynamic quorum"),
    _known("Get-CauctlClusterNode", "state, drain and votes of the nodes"),
    _known("Get-CauctlClusterGroup", "owners and states of the roles", Name=ANY),
    _known("Get-CauctlClusterResource", "the resource of a self-updating role", Group=ANY),
    _known("Get-CauctlClusterQuorum", "the witness"),
    _known("Get-CauctlStorageJob", "repairs that are under way"),
    _known("Get-CauctlVirtualDisk", "health of the virtual disks"),
    _known("Get-CauctlUpdatingRun", "Microsoft's own coordinator at work"),
    _known("Test-CauctlQuorumLoss", "whether quorum would be lost without a node", Node=ANY),
    _known("Repair-CauctlVirtualDisk", "start a suspended repair", FriendlyName=ANY),
    _known(
        "Suspend-CauctlClusterNode",
        "pause and drain a node of this cluster",
        Name=ANY,
        Drain=(True,),
        ForceDrain=(True,),
    ),
    _known(
        "Resume-CauctlClusterNode",
        "resume a node of this cluster",
        Name=ANY,
        Failback=("NoFailback", "Immediate", "Policy"),
    ),
    _known("Move-CauctlClusterGroup", "put a role back on its node", Name=ANY, Node=ANY),
    # The lock
    _known("Get-CauctlLock", "who holds the lock", Name=LOCK_GROUPS),
    _known("Add-CauctlLock", "take the lock, or take it over: an empty group of a fixed name", Name=LOCK_GROUPS),
    _known("Set-CauctlLock", "write who holds the lock", Name=LOCK_GROUPS, Property=ANY, Create=(True,)),
    _known("Remove-CauctlLock", "give the lock back", Name=LOCK_GROUPS),
    # This node
    _known("Get-CauctlIdentity", "the computer's name, version of the module"),
    _known("Get-CauctlNodeState", "boot time, build, signs of a pending restart, services"),
    _known("Restart-CauctlNode", "restart this node", Reason=ANY),
    # Windows Update on this node
    _known(
        "Start-CauctlWork",
        "start a search, a download or an installation",
        RunId=ANY,
        RequestId=ANY,
        Operation=("Scan", "Stage", "Install"),
        Query=ANY,
        Updates=ANY,
        IncludeRecommended=(True,),
        AcceptEulas=(True,),
    ),
    _known("Get-CauctlWork", "state and events of the work", RunId=ANY, RequestId=ANY, After=ANY),
    _known("Stop-CauctlWork", "ask the work to stop", RunId=ANY, RequestId=ANY),
    _known("Remove-CauctlWork", "remove what ended work left", RunId=ANY, RequestId=ANY),
    _known("Find-CauctlWork", "leftovers of dead runs"),
    _known("Clear-CauctlWork", "end and remove what a dead run left", RunId=ANY),
)

FUNCTIONS: Final[Mapping[str, KnownCommand]] = by_name(_ALL)
"""Every function that the product calls, by name."""


def call(name: str, /, **parameters: Any) -> Pipeline:
    """Build the call of a function on the list; InputError for any other, or for a parameter that is not."""
    return Pipeline((check_call(command(name, **parameters)),))


def check_call(sent: Command) -> Command:
    """Return ``sent`` when it is on the list, raise InputError when it is not."""
    return check_listed(sent, FUNCTIONS)
