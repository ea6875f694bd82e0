"""``cauctl connect``: the way to each node of a cluster, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter as Option

from cauctl.cli.console import data_console, say
from cauctl.cli.output import print_table
from cauctl.cli.reaching import REACHING, Reaching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cyclopts import App

    from cauctl.operations import ConnectionTrial, NodeTrial

__all__ = ["register"]

_REACHING = Reaching()


def register(app: App) -> None:
    """Add the command."""
    app.command(connect, name="connect")


def connect(
    cluster_name: Annotated[str, Option(help="Name of the cluster.")],
    *,
    output: Annotated[Literal["table", "json"], Option(help="Form of the data on standard output.")] = "table",
    reaching: REACHING = _REACHING,
) -> int:
    """Test the connection to each node step by step, and say what to change.

    Name, TCP, TLS, authentication, session, identity, commands; the first step that fails ends a node's test. Nothing
    is changed on the nodes. Exit codes: 0 all nodes can be worked with, 3 some can, 1 none can.
    """
    from cauctl import operations  # noqa: PLC0415  the transport is loaded only when something is asked of a cluster

    found = operations.try_connections(cluster_name, on_trial=_tell, **reaching.for_operations())
    for notice in found.notices:
        say(notice, "yellow")
    if output == "json":
        _print_json(found)
    else:
        _print_table(found)
    return found.exit_code


def _tell(trial: NodeTrial) -> None:
    say(f"{trial.node}: {'ready' if trial.passed else f'fails at {trial.tried[-1].step.value}'}", "dim")


def _print_table(found: ConnectionTrial) -> None:
    from rich.text import Text  # noqa: PLC0415  beside its only use

    rows = [
        (
            trial.node if place == 0 else "",
            each.step.value,
            Text("passed", style="green") if each.passed else Text("failed", style="red"),
            each.detail,
        )
        for trial in found.nodes
        for place, each in enumerate(trial.tried)
    ]
    print_table(f"Connections to {found.cluster}", ("Node", "Step", "Result", "Detail"), rows)
    for line in dict.fromkeys(_advice(found)):
        data_console().print(line, highlight=False, markup=False)


def _advice(found: ConnectionTrial) -> Iterator[str]:
    for trial in found.nodes:
        for each in trial.tried:
            if each.advice:
                yield f"{trial.node}, {each.step.value}: {each.advice}"


def _print_json(found: ConnectionTrial) -> None:
    import json  # noqa: PLC0415  beside its only use

    from attrs import asdict  # noqa: PLC0415  as above

    from cauctl.cli.output import plain  # noqa: PLC0415  as above

    data = plain(asdict(found))
    data_console().print(json.dumps(data, indent=2, ensure_ascii=False), highlight=False, markup=False, soft_wrap=True)
