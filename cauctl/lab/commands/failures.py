"""Error records of a node's commands, as Windows writes them (``windows-objects``: error records)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.lab.dispatch import CommandError

if TYPE_CHECKING:
    from cauctl.lab.world.files import FileError
    from cauctl.lab.world.roles import ClusterApiError

__all__ = [
    "cim_failure",
    "cim_not_found",
    "cluster_refusal",
    "file_failure",
    "no_cluster_service",
    "path_not_found",
    "service_not_found",
]

_CLUSTER: Final = "Microsoft.FailoverClusters.PowerShell.ClusterCmdletException"
_CIM: Final = "Microsoft.Management.Infrastructure.CimException"
EPT_S_NOT_REGISTERED: Final = 0x800706D9
_NOT_FOUND: Final = {5042: "NodeNotFound", 5013: "GroupNotFound", 5007: "ResourceNotFound"}


def no_cluster_service(command: str) -> CommandError:
    """The Cluster service does not run on the node."""
    return CommandError(
        "The cluster service is not running. Make sure that the service is running on all nodes in the cluster.\r\n"
        "    There are no more endpoints available from the endpoint mapper",
        error_id="ClusterEndpointNotRegistered",
        category="ConnectionError",
        exception_type=_CLUSTER,
        target_type=command,
        hresult=EPT_S_NOT_REGISTERED,
    )


def cluster_refusal(error: ClusterApiError, command: str) -> CommandError:
    """The cluster refused: the record carries Windows' code as HRESULT."""
    missing = _NOT_FOUND.get(error.code)
    return CommandError(
        str(error),
        error_id=missing or command,
        category="ObjectNotFound" if missing else "NotSpecified",
        exception_type=_CLUSTER,
        hresult=0x80070000 | error.code,
        terminating=False,
    )


def cim_failure(message: str, *, code: int, category: str = "NotSpecified", terminating: bool = False) -> CommandError:
    """A CIM call failed with an HRESULT."""
    return CommandError(
        message,
        error_id=f"HRESULT 0x{code:08x}",
        category=category,
        exception_type=_CIM,
        hresult=code,
        terminating=terminating,
    )


def cim_not_found(what: str, name: str, class_name: str) -> CommandError:
    """No CIM object has the name that was asked for."""
    return CommandError(
        f"No {class_name} objects found with property '{what}' equal to '{name}'.  Verify the value of the property "
        "and retry.",
        error_id=f"CmdletizationQuery_NotFound_{what}",
        category="ObjectNotFound",
        exception_type="Microsoft.PowerShell.Cmdletization.CimJobException",
        target=name,
        terminating=False,
    )


def path_not_found(path: str) -> CommandError:
    """A path does not exist."""
    return CommandError(
        f"Cannot find path '{path}' because it does not exist.",
        error_id="PathNotFound",
        category="ObjectNotFound",
        exception_type="System.Management.Automation.ItemNotFoundException",
        target=path,
        terminating=False,
    )


def file_failure(error: FileError) -> CommandError:
    """Something with a file could not be done."""
    if error.reason == "missing":
        return path_not_found(error.path)
    message, error_id, category = {
        "exists": (f"An item with the specified name {error.path} already exists.", "NewItemIOError", "WriteError"),
        "folder": (f"Access to the path '{error.path}' is denied.", "GetContentReaderUnauthorizedAccessError",
                   "PermissionDenied"),
        "not-folder": (f"The path '{error.path}' is no directory.", "DirIOError", "InvalidArgument"),
        "not-empty": (f"Directory {error.path} cannot be removed because it is not empty.", "DirectoryNotEmpty",
                      "WriteError"),
    }[error.reason]  # fmt: skip
    return CommandError(
        message,
        error_id=error_id,
        category=category,
        exception_type="System.IO.IOException",
        target=error.path,
        terminating=False,
    )


def service_not_found(name: str) -> CommandError:
    """No service has the name."""
    return CommandError(
        f"Cannot find any service with service name '{name}'.",
        error_id="NoServiceFoundForGivenName",
        category="ObjectNotFound",
        exception_type="Microsoft.PowerShell.Commands.ServiceCommandException",
        target=name,
        terminating=False,
    )
