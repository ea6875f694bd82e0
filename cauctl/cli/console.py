"""The two consoles of the command line: data goes to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from functools import cache

from rich.console import Console
from rich.text import Text

from cauctl.errors import CauError

__all__ = ["data_console", "message_console", "say", "say_error"]

_PIPE_WIDTH = 250


@cache
def data_console() -> Console:
    """Standard output: data only. Wide when it is not a terminal, so that no column is cut in a pipe."""
    wide = not sys.stdout.isatty()
    return Console(soft_wrap=wide, width=_PIPE_WIDTH if wide else None)


@cache
def message_console() -> Console:
    """Standard error: progress, notices and errors."""
    return Console(stderr=True, highlight=False)


def say(text: str, style: str = "") -> None:
    """Print one notice to standard error; square brackets in it mean nothing special."""
    message_console().print(Text(text, style=style), soft_wrap=True)


def say_error(error: BaseException) -> None:
    """Print an error as people read it: what, where, what to do, and its FullyQualifiedErrorId; never a traceback."""
    if not isinstance(error, CauError):
        say(f"{type(error).__name__}: {error}", "bold red")
        return
    say(f"Error: {error.message}", "bold red")
    if error.advice:
        say(f"       {error.advice}")
    say(f"       {error.fully_qualified_error_id} ({error.category})", "dim")
