"""``cauctl plan``: what a run would do, and in what two plans differ."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter as Option

from cauctl.cli.console import data_console
from cauctl.cli.parameters import project
from cauctl.cli.progress import RunProgress
from cauctl.cli.reaching import REACHING, Reaching
from cauctl.models.options import UpdatingRunOptions

if TYPE_CHECKING:
    from cyclopts import App

    from cauctl.coordinator.plan import Plan

__all__ = ["print_plan", "register"]

_WITHOUT = frozenset({"credential", "force", "confirm", "what_if"})
_OUTPUT = Annotated[
    Literal["table", "json"], Option(help="Form of the data on standard output; json is what plan.schema.json says.")
]
_AGAINST = Annotated[
    Path | None, Option(help="Plan saved earlier as JSON; what has changed since then is printed instead of the plan.")
]
_SAVED = Annotated[Path | None, Option(help="Take this saved plan and do not look at the cluster.")]


def register(app: App) -> None:
    """Add the command."""
    extra = {
        "against": (_AGAINST, None),
        "saved": (_SAVED, None),
        "output": (_OUTPUT, "table"),
        "reaching": (REACHING, Reaching()),
    }
    app.command(project(UpdatingRunOptions, plan, extra=extra, without=_WITHOUT), name="plan")


def plan(given: dict[str, Any], *, against: Path | None, saved: Path | None, output: str, reaching: Reaching) -> int:
    """Say what a run would do, without touching anything.

    Order and its reasons, updates and expected restarts, votes while each node is down, what each gate says now, what
    would refuse the run, and how long it will take by earlier runs. Exit codes: 0 a run could start, 4 it would be
    refused now.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    earlier = operations.load_plan(against) if against is not None else None
    if saved is not None:
        found = operations.load_plan(saved)
    else:
        options = UpdatingRunOptions.bind(**given, what_if=True)
        with RunProgress() as progress:
            found = operations.plan(options, observer=progress, **reaching.for_operations())
    if earlier is not None:
        _print_changes(earlier, found, output)
    else:
        print_plan(found, output)
    return operations.ExitCode.RUN_IN_PROGRESS if found.obstacles else operations.ExitCode.SUCCEEDED


def print_plan(plan: Plan, output: str) -> None:
    """Print a plan as text for people or as a JSON document."""
    if output == "json":
        from cauctl.coordinator.plan_document import write_plan  # noqa: PLC0415  beside its only use

        sys.stdout.write(f"{write_plan(plan)}\n")
        return
    for line in plan.lines():
        data_console().print(line, highlight=False, markup=False)


def _print_changes(before: Plan, after: Plan, output: str) -> None:
    import json  # noqa: PLC0415  beside its only use

    from attrs import asdict  # noqa: PLC0415  as above

    from cauctl.coordinator.plan import changes  # noqa: PLC0415  as above

    found = changes(before, after)
    if output == "json":
        sys.stdout.write(f"{json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False)}\n")
        return
    for change in found:
        data_console().print(str(change), highlight=False, markup=False)
    if not found:
        data_console().print("The plans say the same.", highlight=False)
