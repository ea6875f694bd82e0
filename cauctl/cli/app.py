"""The command ``cauctl``: its commands, and the exit code that each ends with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Parameter

from cauctl import __version__
from cauctl.cli.console import message_console, say, say_error
from cauctl.errors import CauError
from cauctl.operations.outcome import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["build", "main"]

_EPILOGUE = (
    "Exit codes: 0 succeeded, 1 failed, 2 bad usage, 3 partly failed, 4 refused because a run is in progress, "
    "5 a node could not be resumed, 130 interrupted."
)


def build() -> App:
    """Make the command with all its commands."""
    from cauctl.cli import commands  # noqa: PLC0415  the commands import what they need when they are built

    app = App(
        name="cauctl",
        version=__version__,
        help="Cluster-Aware Updating for Windows failover clusters, over PowerShell remoting.",
        help_epilogue=_EPILOGUE,
        default_parameter=Parameter(negative=(), show_default=False),
        error_console=message_console(),
    )
    commands.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors are printed in a few lines, never as a traceback."""
    app = build()
    try:
        result = app(
            None if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
    except CycloptsError:
        return ExitCode.USAGE
    except CauError as error:
        say_error(error)
        return ExitCode.of(error)
    except KeyboardInterrupt:
        say("Interrupted.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.FAILED
    return int(result) if isinstance(result, int) else ExitCode.SUCCEEDED
