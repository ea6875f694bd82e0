"""``cauctl run``: an Updating Run, node by node, watched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter as Option

from cauctl.cli.commands.plan import print_plan
from cauctl.cli.console import data_console, drop_output, say
from cauctl.cli.output import print_table, write_data
from cauctl.cli.parameters import OUTPUT, project
from cauctl.cli.progress import RunProgress
from cauctl.cli.reaching import REACHING, Reaching, confirm
from cauctl.errors import InputError
from cauctl.models.enums import SummaryStatus
from cauctl.models.options import UpdatingRunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import App

    from cauctl.models.results import ClusterResult, NodeResult
    from cauctl.operations import RunOutcome

__all__ = ["finish", "print_result", "register"]

_QUIET = Annotated[bool, Option(name="--quiet", help="Show no progress.")]
_STYLES = {SummaryStatus.SUCCEEDED: "green", SummaryStatus.PARTIALLY_FAILED: "yellow"}


def register(app: App) -> None:
    """Add the command."""
    extra = {
        "output": (OUTPUT, "table"),
        "quiet": (_QUIET, False),
        "reaching": (REACHING, Reaching()),
    }
    app.command(project(UpdatingRunOptions, run, extra=extra), name="run")


def run(given: dict[str, Any], *, output: str, quiet: bool, reaching: Reaching) -> int:
    """Update a cluster node by node: drain, install, restart, prove, resume, fail back.

    Ctrl-C once: nothing new starts, the node in work is finished or undone. Twice: the run is left as it is, with its
    lock and journal; the message says how to recover. Exit codes: 0 succeeded, 1 failed, 2 bad usage, 3 partly failed,
    4 refused because a run is in progress, 5 a node could not be resumed, 130 interrupted.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    options = UpdatingRunOptions.bind(**given)
    connection = reaching.for_operations()
    if options.what_if and options.force_recovery:
        found = operations.status(options.cluster_name, **connection)
        for line in (*found.notices, f"{options.cluster_name}: {found.state}; nothing was done."):
            say(line)
        return operations.ExitCode.SUCCEEDED
    if options.what_if:
        if output not in {"table", "json"}:
            raise InputError(f"a plan has no form {output}", where="--output", expected="table or json with --what-if")
        for caution in options.cautions:
            say(caution, "yellow")
        with RunProgress(live=False if quiet else None) as progress:
            print_plan(operations.plan(options, observer=None if quiet else progress, **connection), output)
        return operations.ExitCode.SUCCEEDED
    if (options.confirm or not options.force) and not confirm(options.question):
        say("Nothing was done.")
        return operations.ExitCode.FAILED
    if options.force_recovery:
        from cauctl.cli.commands.recover import go_on  # noqa: PLC0415  the other module prints with this one

        for notice in operations.remove_damaged_reports(options.cluster_name) if options.clear_corrupt_reports else ():
            say(notice, "yellow")
        return go_on(options.cluster_name, output=output, quiet=quiet, connection=connection)
    with RunProgress(live=False if quiet else None) as progress:
        outcome = operations.run(options, observer=None if quiet else progress, on_signal=say, **connection)
    return finish(outcome, output)


def finish(outcome: RunOutcome, output: str = "table") -> int:
    """Print how a run ended, and return its exit code.

    Where standard output cannot be written the code still tells how the run ended: nobody may take a node that is left
    paused for a pipe that was closed.
    """
    for notice in outcome.notices:
        say(notice, "yellow")
    code = outcome.exit_code
    try:
        write_data([outcome.report.cluster_result], output, table=lambda results: print_result(results[0]), depth=5)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        say(f"The result could not be printed: {error.strerror}.", "bold red")
        drop_output()
        code = code or outcome.exit_code.FAILED
    if outcome.report_path:
        say(f"Report: {outcome.report_path}", "dim")
    return code


def print_result(result: ClusterResult) -> None:
    """Print a cluster's result as a table of its nodes."""
    title = f"{result.name}: {result.status} in {_whole_seconds(result.run_duration)}"
    if result.error_record_data:
        title += f"\n{result.error_record_data.message}"
    print_table(title, ("Node", "Status", "Succeeded", "Failed", "Cause"), map(_row, result.node_results))
    for advice, nodes in _advice(result).items():
        data_console().print(f"{', '.join(nodes)}: {advice}", highlight=False, markup=False)


def _advice(result: ClusterResult) -> dict[str, list[str]]:
    """What to do about the causes, and for which nodes."""
    found: dict[str, list[str]] = {}
    if result.error_record_data and result.error_record_data.advice:
        found[result.error_record_data.advice] = [result.name]
    for each in result.node_results:
        if each.error_record_data and each.error_record_data.advice:
            found.setdefault(each.error_record_data.advice, []).append(each.node.node_name)
    return found


def _row(node: NodeResult) -> Sequence[Any]:
    from rich.text import Text  # noqa: PLC0415  beside its only use

    error = node.error_record_data
    return (
        node.node.node_name,
        Text(str(node.status), style=_STYLES.get(node.status, "red")),
        node.number_of_succeeded_updates,
        node.number_of_failed_updates,
        error.message if error else "",
    )


def _whole_seconds(duration: Any) -> str:
    return str(duration).split(".", maxsplit=1)[0]
