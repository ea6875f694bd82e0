"""``cauctl jea``: files for an endpoint that lets an account update its cluster and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  annotations of commands are read at run time
from typing import TYPE_CHECKING, Annotated

from cyclopts import App
from cyclopts import Parameter as Option

from cauctl.cli.console import say

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["register"]


def register(app: App) -> None:
    """Add the commands."""
    jea = App(name="jea", help="Files for an endpoint that shows only what updating a cluster needs (JEA).")
    jea.command(export, name="export")
    app.command(jea)


def export(
    folder: Annotated[Path, Option(help="Folder to make.")],
    /,
    *,
    group: Annotated[
        str | None, Option(help=r"Group that may connect, as DOMAIN\name. [default: a placeholder to be replaced]")
    ] = None,
    force: Annotated[bool, Option(help="Replace an earlier export.")] = False,
) -> int:
    """Write module, role capability, session configuration and a how-to for the administrators of the nodes.

    The endpoint has no language and shows the functions of the module alone. Its README.md says how to install it.
    """
    from cauctl.operations.outcome import ExitCode  # noqa: PLC0415  beside its only use
    from cauctl.psrp.jea.export import export_endpoint  # noqa: PLC0415  as above

    options = {} if group is None else {"operators": group}
    written = export_endpoint(folder, force=force, **options)
    sys.stdout.writelines(_lines(written))
    say(f"Next: {folder / 'README.md'}", "dim")
    return ExitCode.SUCCEEDED


def _lines(paths: tuple[Path, ...]) -> Iterator[str]:
    return (f"{path}\n" for path in paths)
