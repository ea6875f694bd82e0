"""The little PowerShell that a lab's own engine knows, so that scripts of a user can be tried in it.

A script is a line after the other: a comment, a literal text, ``Write-Output``, ``Write-Warning``, ``Write-Error`` or
``throw`` with a literal text, ``Start-Sleep -Seconds`` with a number. A script that holds anything else is refused, as
an endpoint without language refuses it: it is better not run than run wrong.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cauctl.lab.dispatch import CommandError, RegisteredCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.lab.dispatch import BoundCall, CommandContext

__all__ = ["read_script"]

_TEXT: Final = r"(?:'(?P<text>[^']*)'|\"(?P<plain>[^\"$`]*)\")"
_STATEMENT: Final = re.compile(
    rf"(?:(?P<verb>Write-Output|Write-Warning|Write-Error|throw)\s+)?{_TEXT}"
    r"|Start-Sleep\s+(?:-Seconds\s+)?(?P<seconds>\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_ERROR: Final = "Microsoft.PowerShell.Commands.WriteErrorException"


def read_script(text: str) -> RegisteredCommand | None:
    """Make a command of a script; None for one that holds more than the lab's own engine knows."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    statements = [_STATEMENT.fullmatch(line) for line in lines if line and not line.startswith("#")]
    read = [statement for statement in statements if statement is not None]
    if len(read) < len(statements):
        return None

    def run(context: CommandContext, _call: BoundCall) -> Iterator[str]:
        for statement in read:
            yield from _do(context, statement)

    return RegisteredCommand(text, handler=run, native=True)


def _do(context: CommandContext, statement: re.Match[str]) -> Iterator[str]:
    found = statement.groupdict()
    if found["seconds"] is not None:
        context.sleep(timedelta(seconds=float(found["seconds"])))
        return
    text, verb = found["text"] or found["plain"] or "", (found["verb"] or "").casefold()
    if verb == "throw":
        raise CommandError(text, error_id=f"{text},", category="OperationStopped")
    if verb == "write-error":
        context.error(CommandError(text, error_id=f"{_ERROR},", exception_type=_ERROR, terminating=False))
    elif verb == "write-warning":
        context.warning(text)
    else:
        yield text
