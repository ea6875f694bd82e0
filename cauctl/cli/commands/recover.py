"""``cauctl recover``: go on after a coordinator that died, or clean up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter as Option

from cauctl.cli.commands.run import finish
from cauctl.cli.console import say
from cauctl.cli.parameters import OUTPUT  # noqa: TC001  annotations of commands are read at run time
from cauctl.cli.progress import RunProgress
from cauctl.cli.reaching import REACHING, Reaching, confirm

if TYPE_CHECKING:
    from cyclopts import App

    from cauctl.operations import Recovery

__all__ = ["go_on", "register"]

_REACHING = Reaching()


def register(app: App) -> None:
    """Add the command."""
    app.command(recover, name="recover")


def recover(  # noqa: PLR0913  each is an option of the command
    cluster_name: Annotated[str, Option(help="Name of the cluster.")],
    *,
    abandon: Annotated[
        bool, Option(help="Give the run up: resume what it paused, clean the nodes, give its lock back.")
    ] = False,
    force: Annotated[bool, Option(help="Do not ask for confirmation.")] = False,
    output: OUTPUT = "table",
    quiet: Annotated[bool, Option(name="--quiet", help="Show no progress.")] = False,
    reaching: REACHING = _REACHING,
) -> int:
    """Go on with the run of a coordinator that died, to the end that it would have had; or give it up.

    From its journal, where that lies on this computer, else from the checkpoint in the cluster. Refused while its
    coordinator lives: unless its process ran here and is gone, the lock is watched for some minutes first. Exit codes:
    those of cauctl run; with --abandon 0 nothing is left of the run, 5 a node could not be resumed, 4 its coordinator
    still lives.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    question = "Give up" if abandon else "Go on with"
    if not force and not confirm(f"{question} the run that holds cluster {cluster_name}?"):
        say("Nothing was done.")
        return operations.ExitCode.FAILED
    if abandon:
        return tell(operations.recover(cluster_name, **reaching.for_operations()))
    return go_on(cluster_name, output=output, quiet=quiet, connection=reaching.for_operations())


def go_on(cluster_name: str, *, output: str, quiet: bool, connection: dict[str, Any]) -> int:
    """Go on with a run and print how it ended."""
    from cauctl import operations  # noqa: PLC0415  as above

    with RunProgress(live=False if quiet else None) as progress:
        observer = None if quiet else progress
        outcome = operations.go_on(cluster_name, observer=observer, on_signal=say, **connection)
    return finish(outcome, output) if isinstance(outcome, operations.RunOutcome) else tell(outcome)


def tell(result: Recovery) -> int:
    """Print what was done and what could not be."""
    for line in result.done:
        say(line)
    for failure in result.failures:
        say(failure, "bold red")
    return result.exit_code
