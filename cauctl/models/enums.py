"""Fixed sets of CAU: each member's value is the .NET member name and prints as it.

Members are found by PowerShell's rules: ``FailbackType("immediate")`` and ``FailbackType("imm")`` are
``FailbackType.IMMEDIATE``; case does not matter and an unambiguous beginning is enough.

What no document or sample confirms stands in :data:`INFERRED`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, Self

from cauctl.models.dotnet import dotnet_enum

__all__ = [
    "INFERRED",
    "CauEnum",
    "FailbackType",
    "NodeStatus",
    "OutputType",
    "RebootType",
    "ResultCode",
    "RunState",
    "SummaryStatus",
]

INFERRED: Final[Mapping[str, str]] = {
    "SummaryStatus": "the numbers; the members are documented in alphabetical order only",
    "ResultCode": "that the .NET numbers are those of the WMI class",
    "RunState": "the numbers; the members are those that guides and pictures show",
    "NodeStatus": "the type's name, the numbers, and every member but Waiting and Scanning",
    "FailbackType": "the namespace and the numbers",
    "RebootType": "the namespace and the numbers",
    "OutputType": "the namespace and the numbers",
}
"""What is our inference about each enum; everything else is documented or was seen."""

_NAMESPACE: Final = "Microsoft.ClusterAwareUpdating"


class CauEnum(Enum):
    """An enum whose members print as, and are found by, their .NET names."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        text = value.strip().casefold()
        found = [member for member in cls if text and member.value.casefold().startswith(text)]
        exact = [member for member in found if member.value.casefold() == text]
        return exact[0] if exact else found[0] if len(found) == 1 else None

    def __str__(self) -> str:
        return str(self.value)


def _numbered(*names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


@dotnet_enum(
    f"{_NAMESPACE}.SummaryStatus",
    numbers=_numbered("Succeeded", "PartiallyFailed", "Failed", "Canceled"),
    inferred=True,
)
class SummaryStatus(CauEnum):
    """How a node or a whole run ended."""

    SUCCEEDED = "Succeeded"
    """No failure of any kind."""
    PARTIALLY_FAILED = "PartiallyFailed"
    """At least one update succeeded, but others failed or the node was lost."""
    FAILED = "Failed"
    """Nothing succeeded, or the installation was stopped."""
    CANCELED = "Canceled"
    """Cancelled before work on the node began."""


@dotnet_enum(f"{_NAMESPACE}.ResultCode", numbers=_numbered("Succeeded", "Failed", "Canceled"), inferred=True)
class ResultCode(CauEnum):
    """How staging or installing one update ended."""

    SUCCEEDED = "Succeeded"
    """It worked, now or after the restart that it asked for."""
    FAILED = "Failed"
    """It did not work; the error code says why."""
    CANCELED = "Canceled"
    """It was not tried to the end."""


@dotnet_enum(
    f"{_NAMESPACE}.RunState", numbers=_numbered("RunNotInProgress", "RunInProgress", "RunFailed"), inferred=True
)
class RunState(CauEnum):
    """Whether an Updating Run holds the cluster; the first object that Get-CauRun writes."""

    RUN_NOT_IN_PROGRESS = "RunNotInProgress"
    """Nobody holds the cluster."""
    RUN_IN_PROGRESS = "RunInProgress"
    """A coordinator is at work."""
    RUN_FAILED = "RunFailed"
    """A coordinator is gone and left the cluster locked; recovery is needed."""


_NODE_STATUS: Final = (
    "Waiting",
    "Scanning",
    "Staging",
    "PreUpdateScript",
    "Checking",
    "Suspending",
    "Installing",
    "Restarting",
    "Verifying",
    "Resuming",
    "FailingBack",
    "PostUpdateScript",
    "Done",
)


@dotnet_enum(f"{_NAMESPACE}.NodeStatusType", numbers=_numbered(*_NODE_STATUS), inferred=True)
class NodeStatus(CauEnum):
    """The phase of a run in which a node is; only Waiting and Scanning were seen, the others are inferred."""

    WAITING = "Waiting"
    """Its turn has not come."""
    SCANNING = "Scanning"
    """It looks for applicable updates, the first time or again."""
    STAGING = "Staging"
    """It downloads what it needs."""
    PRE_UPDATE_SCRIPT = "PreUpdateScript"
    """The pre-update script runs."""
    CHECKING = "Checking"
    """The gates (quorum, storage, health) are asked or waited for."""
    SUSPENDING = "Suspending"
    """It is paused and its roles move away."""
    INSTALLING = "Installing"
    """It installs updates."""
    RESTARTING = "Restarting"
    """It restarts."""
    VERIFYING = "Verifying"
    """It is back; restart, services and membership are proved."""
    RESUMING = "Resuming"
    """It leaves maintenance mode."""
    FAILING_BACK = "FailingBack"
    """Its roles return."""
    POST_UPDATE_SCRIPT = "PostUpdateScript"
    """The post-update script runs."""
    DONE = "Done"
    """A result exists."""


@dotnet_enum(f"{_NAMESPACE}.FailbackType", numbers=_numbered("NoFailback", "Immediate", "Policy"), inferred=True)
class FailbackType(CauEnum):
    """How drained roles return to a node that is resumed."""

    NO_FAILBACK = "NoFailback"
    """They stay where they went."""
    IMMEDIATE = "Immediate"
    """They return at once."""
    POLICY = "Policy"
    """They return as each role's failback policy says."""


@dotnet_enum(
    f"{_NAMESPACE}.RebootType",
    numbers=_numbered("ClusProp", "FullReboot", "SoftReboot", "PluginCustomReboot", "OrchestratorDefault"),
    inferred=True,
)
class RebootType(CauEnum):
    """How a node restarts."""

    CLUS_PROP = "ClusProp"
    """As the cluster's property CauEnableSoftReboot says."""
    FULL_REBOOT = "FullReboot"
    """Through the firmware."""
    SOFT_REBOOT = "SoftReboot"
    """Kernel soft reboot, without the firmware."""
    PLUGIN_CUSTOM_REBOOT = "PluginCustomReboot"
    """The plug-in restarts the node."""
    ORCHESTRATOR_DEFAULT = "OrchestratorDefault"
    """The coordinator decides."""


@dotnet_enum(f"{_NAMESPACE}.OutputType", numbers=_numbered("Csv", "Html"), inferred=True)
class OutputType(CauEnum):
    """Format of an exported report."""

    CSV = "Csv"
    """A table of the nodes and a table of the runs."""
    HTML = "Html"
    """A page to read."""
