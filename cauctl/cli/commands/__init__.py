"""The commands, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.cli.commands import (
    connect,
    convert,
    demo,
    explain,
    jea,
    lab,
    plan,
    recover,
    report,
    run,
    scan,
    status,
    stop,
)

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["register"]


def register(app: App) -> None:
    """Add every command, in the order in which ``--help`` lists them."""
    for module in (scan, plan, run, status, stop, explain, recover, report, connect, convert, jea, lab, demo):
        module.register(app)
