"""``cauctl recover``: clean up after a coordinator that died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter as Option

from cauctl.cli.console import say
from cauctl.cli.reaching import REACHING, Reaching, confirm
from cauctl.errors import InputError

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["register"]

_REACHING = Reaching()


def register(app: App) -> None:
    """Add the command."""
    app.command(recover, name="recover")


def recover(
    cluster_name: Annotated[str, Option(help="Name of the cluster.")],
    *,
    abandon: Annotated[
        bool, Option(help="Give the run up: resume what it paused, clean the nodes, give its lock back.")
    ] = False,
    force: Annotated[bool, Option(help="Do not ask for confirmation.")] = False,
    reaching: REACHING = _REACHING,
) -> int:
    """Clean up after a coordinator that died in the middle of a run.

    Refused while the coordinator's lease is still running. Exit codes: 0 nothing is left of the run, 5 a node could not
    be resumed, 4 its coordinator still lives.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    if not abandon:
        raise InputError("going on with a dead run is not served yet", where="recover", expected="--abandon")
    if not force and not confirm(f"Give up the run that holds cluster {cluster_name}?"):
        say("Nothing was done.")
        return operations.ExitCode.FAILED
    result = operations.recover(
        cluster_name,
        **reaching.for_operations(),
    )
    for line in result.done:
        say(line)
    for failure in result.failures:
        say(failure, "bold red")
    return result.exit_code
