"""``cauctl explain``: where a node of a run stands, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter as Option

from cauctl.cli.console import data_console
from cauctl.cli.output import plain

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["register"]


def register(app: App) -> None:
    """Add the command."""
    app.command(explain, name="explain")


def explain(
    cluster_name: Annotated[str, Option(help="Name of the cluster.")],
    node: Annotated[str, Option(help="Name of the node.")],
    *,
    output: Annotated[Literal["table", "json"], Option(help="Form of the data on standard output.")] = "table",
) -> int:
    """Tell from the newest run's journal what a node waits for, what happened before, and what to do.

    The journal is the one on this computer; the cluster is not asked. The first failure of the run comes first.
    """
    import json  # noqa: PLC0415  beside its only use

    from attrs import asdict  # noqa: PLC0415  as above

    from cauctl import operations  # noqa: PLC0415  the parts are loaded when they are used

    found = operations.explain(cluster_name, node)
    if output == "json":
        data = plain(asdict(found))
        data_console().print(json.dumps(data, indent=2), highlight=False, markup=False, soft_wrap=True)
    else:
        for line in found.lines():
            data_console().print(line, highlight=False, markup=False, soft_wrap=True)
    return operations.ExitCode.SUCCEEDED
