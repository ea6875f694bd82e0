"""``cauctl status``: nodes, roles, quorum, and whether a run holds the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter as Option

from cauctl.cli.console import data_console, say
from cauctl.cli.output import plain, print_table
from cauctl.cli.reaching import REACHING, Reaching
from cauctl.models.enums import RunState
from cauctl.models.options import GetRunOptions

if TYPE_CHECKING:
    from cyclopts import App

    from cauctl.operations import ClusterStatus

__all__ = ["register"]

_REACHING = Reaching()

_STYLES = {RunState.RUN_NOT_IN_PROGRESS: "green", RunState.RUN_IN_PROGRESS: "cyan", RunState.RUN_FAILED: "red"}


def register(app: App) -> None:
    """Add the command."""
    app.command(status, name="status")


def status(
    cluster_name: Annotated[str, Option(help="Name of the cluster.")],
    *,
    wait: Annotated[bool, Option(help="Wait until no run is in progress, and say how it comes along.")] = False,
    output: Annotated[Literal["table", "json"], Option(help="Form of the data on standard output.")] = "table",
    reaching: REACHING = _REACHING,
) -> int:
    """Show the nodes of a cluster, what they own, and whether an Updating Run holds it."""
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    options = GetRunOptions.bind(cluster_name=cluster_name, wait_for_completion=wait)
    found = operations.watch_run(options, on_change=_tell if wait else None, **reaching.for_operations())
    for notice in found.notices:
        say(notice, "yellow")
    if output == "json":
        _print_json(found)
    else:
        _print_tables(found)
    return operations.ExitCode.SUCCEEDED


def _tell(seen: ClusterStatus) -> None:
    """Say in a line where the nodes of a run are."""
    run = seen.run
    phases = ", ".join(f"{each.node.node_name} {each.status}" for each in run.node_status_notifications) if run else ""
    say(f"{seen.facts.observed:%H:%M:%S}  {phases}{'  (stopping)' if run and run.cancel_pending else ''}")


def _print_tables(found: ClusterStatus) -> None:
    from rich.text import Text  # noqa: PLC0415  beside its only use

    facts = found.facts
    rows = [
        (
            node.name,
            node.state.value,
            node.drain_status.value if node.drain_status.value != "NotInitiated" else "",
            node.dynamic_weight,
            ", ".join(group.name for group in facts.owned_by(node.name) if not group.is_core_group),
        )
        for node in facts.nodes
    ]
    print_table(f"Cluster {facts.name}", ("Node", "State", "Drain", "Vote", "Roles"), rows)
    quorum = facts.quorum
    witness = f"{quorum.witness}, {'online' if quorum.witness_online else 'offline'}" if quorum.witness else "none"
    data_console().print(Text(f"Witness: {witness}"))
    data_console().print(Text(str(found.state), style=_STYLES[found.state]))
    if found.lock:
        data_console().print(
            Text(f"  run {found.lock.run_id} of {found.lock.owner} since {found.lock.acquired:%Y-%m-%d %H:%M} UTC")
        )
    if found.run:
        phases = [(each.node.node_name, each.status) for each in found.run.node_status_notifications]
        print_table("", ("Node", "Phase"), phases)


def _print_json(found: ClusterStatus) -> None:
    import json  # noqa: PLC0415  beside its only use

    from attrs import asdict  # noqa: PLC0415  beside its only use

    data = {"state": found.state.value, "facts": plain(asdict(found.facts)), "run": plain(found.run)}
    data["lock"] = plain(asdict(found.lock, filter=lambda each, _: each.name != "checkpoint")) if found.lock else None
    data_console().print(json.dumps(data, indent=2), highlight=False, markup=False, soft_wrap=True)
