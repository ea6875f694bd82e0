"""``cauctl scan``: what every node of a cluster needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cauctl.cli.console import say, say_error
from cauctl.cli.output import print_table, write_data
from cauctl.cli.parameters import OUTPUT, project
from cauctl.cli.progress import RunProgress
from cauctl.cli.reaching import REACHING, Reaching
from cauctl.models.options import ScanOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import App

    from cauctl.models.updates import UpdateInfo

__all__ = ["register"]


def register(app: App) -> None:
    """Add the command."""
    extra = {"output": (OUTPUT, "table"), "reaching": (REACHING, Reaching())}
    app.command(project(ScanOptions, scan, extra=extra), name="scan")


def scan(given: dict[str, Any], *, output: str, reaching: Reaching) -> int:
    """List the updates that apply to the nodes of a cluster. Nothing is downloaded, nothing is changed.

    Exit codes: 0 every node answered, 3 some did not, 1 none did.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    options = ScanOptions.bind(**given)
    with RunProgress() as progress:
        result = operations.scan(options, observer=progress, **reaching.for_operations())
    for notice in result.notices:
        say(notice, "yellow")
    write_data(result.updates, output, table=_table)
    for failure in result.failures:
        say_error(failure)
    return result.exit_code


def _table(updates: Sequence[UpdateInfo]) -> None:
    rows = [
        (each.node_name, each.kb_article, each.severity, each.update_title)
        for each in sorted(updates, key=lambda each: each.node_name.casefold())
    ]
    print_table("", ("NodeName", "KB", "Severity", "UpdateTitle"), rows, empty="No node needs an update.")
