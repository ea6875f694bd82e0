"""The command line: arguments in, exit code out; data on standard output, everything else on standard error."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command ``cauctl`` and end the process with its exit code."""
    try:
        from cauctl.cli.app import main as run  # noqa: PLC0415  nothing is loaded for who only imports the package

        code = run()
    except KeyboardInterrupt:  # while it was loaded, when there is nothing to print with yet
        code = 130
    sys.exit(code)
