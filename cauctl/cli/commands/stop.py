"""``cauctl stop``: ask the coordinator of a run, wherever it is, to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cauctl.cli.console import say
from cauctl.cli.parameters import project
from cauctl.cli.reaching import REACHING, Reaching, confirm
from cauctl.models.options import StopRunOptions

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["register"]


def register(app: App) -> None:
    """Add the command."""
    app.command(project(StopRunOptions, stop, extra={"reaching": (REACHING, Reaching())}), name="stop")


def stop(given: dict[str, Any], *, reaching: Reaching) -> int:
    """Ask the run that holds a cluster to stop: nothing new starts, the node in work is finished or undone.

    The run may be another process's or another machine's: the request travels through the cluster. Exit codes: 0 its
    coordinator has taken the request, with --wait the run has ended, or there is none; 1 its coordinator is dead.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    options = StopRunOptions.bind(**given)
    if not options.force and not confirm(f"Stop the run on cluster {options.cluster_name}?"):
        say("Nothing was done.")
        return operations.ExitCode.FAILED
    if not operations.stop_run(options, **reaching.for_operations()):
        say("No run holds the cluster.")
    elif options.wait:
        say("The run has ended.")
    else:
        say(f"The run stops. See: cauctl status {options.cluster_name}")
    return operations.ExitCode.SUCCEEDED
