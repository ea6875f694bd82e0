"""The command ``cauctl``: its commands, and the exit code that each ends with."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Parameter

from cauctl import __version__
from cauctl.cli.console import drop_output, message_console, say, say_error
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
        suppress_keyboard_interrupt=False,
    )
    commands.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors are printed in a few lines, never as a traceback."""
    if sys.stdout is None:  # closed by whoever started us, so nobody wants it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  it lasts as long as the process
    try:
        result = build()(
            None if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
        sys.stdout.flush()
    except CycloptsError:
        return ExitCode.USAGE
    except CauError as error:
        say_error(error)
        return ExitCode.of(error)
    except KeyboardInterrupt:
        say("Interrupted.")
        return ExitCode.INTERRUPTED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            say(f"Error: {error.filename or 'standard output'} cannot be used: {error.strerror}.", "bold red")
        drop_output()
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001  the last resort: whoever watches a cluster is told, not shown our code
        say_error(_defect(error))
        return ExitCode.FAILED
    return int(result) if isinstance(result, int) else ExitCode.SUCCEEDED


def _defect(error: Exception) -> CauError:
    """Make what should not happen an error that says where its details are."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="cauctl-", suffix=".txt", encoding="utf-8", errors="replace", delete=False
    ) as details:
        details.writelines(traceback.format_exception(error))
    return CauError(
        f"cauctl met a defect of its own, {type(error).__name__}: {error}",
        advice=f"Please report it with {details.name}. What a run left behind: cauctl status, with the cluster's name.",
        error_id="Defect",
    )
