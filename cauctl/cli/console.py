"""The two consoles of the command line: data goes to standard output, everything else to standard error."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from functools import cache

from rich.console import Console
from rich.text import Text

from cauctl.errors import CauError

__all__ = ["data_console", "drop_output", "message_console", "say", "say_error", "visible"]

_PIPE_WIDTH = 250
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _DataConsole(Console):
    """A console that leaves it to its caller what a closed pipe means: rich would end the process."""

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704  called where the error is being handled


@cache
def data_console() -> Console:
    """Standard output: data only. Wide when it is not a terminal, so that no column is cut in a pipe."""
    wide = not sys.stdout.isatty()
    return _DataConsole(soft_wrap=wide, width=_PIPE_WIDTH if wide else None)


def drop_output() -> None:
    """Give standard output up, once it cannot be written: else Python would try again, and complain, at its exit."""
    with suppress(OSError, ValueError):  # a stream without a descriptor, as tests have, needs nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@cache
def message_console() -> Console:
    """Standard error: progress, notices and errors."""
    return Console(stderr=True, highlight=False)


def visible(text: str) -> str:
    """Escape control characters but line breaks and tabs: a text of a node must not command the terminal."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))


def say(text: str, style: str = "") -> None:
    """Print one notice to standard error; square brackets in it mean nothing special."""
    message_console().print(Text(visible(text), style=style), soft_wrap=True)


def say_error(error: BaseException) -> None:
    """Print an error as people read it: what, where, what to do, and its FullyQualifiedErrorId; never a traceback."""
    if not isinstance(error, CauError):
        say(f"{type(error).__name__}: {error}", "bold red")
        return
    say(f"Error: {error.message}", "bold red")
    if error.advice:
        say(f"       {error.advice}")
    say(f"       {error.fully_qualified_error_id} ({error.category})", "dim")
