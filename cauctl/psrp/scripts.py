"""The user's scripts on a node: the one place where script text is sent, unchanged, and only the user's own.

Rules kept here:

* A script runs in a session of its own, in the configuration that the user names for it, and the session ends with it.
* What it writes is kept as text, a line each, within bounds: the rest is counted, not kept.
* An error that ends the script is its failure; other errors and warnings are told beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import NodeError, RemoteError
from cauctl.models.scripts import ScriptOutcome
from cauctl.psrp.answers import plain_text
from cauctl.psrp.pipeline import script as script_text
from cauctl.psrp.session import NodeSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from cauctl.models.scripts import ScriptFile
    from cauctl.psrp.fleet import Fleet

__all__ = ["PsrpScripts"]

_MOST_LINES: Final = 200
_LONGEST_LINE: Final = 500
_NO_LANGUAGE: Final = "ScriptsNotAllowed"


class PsrpScripts:
    """Implements :class:`cauctl.ports.Scripts`.

    Args:
        fleet: knows how to reach each node.
        text_of: gives the text of a script; StateError where the file is gone or is not what it was.
    """

    def __init__(self, fleet: Fleet, text_of: Callable[[ScriptFile], str]) -> None:
        self.fleet = fleet
        self._text_of = text_of

    def __repr__(self) -> str:
        return f"<PsrpScripts {self.fleet!r}>"

    def run(self, node: str, script: ScriptFile, *, within: timedelta) -> ScriptOutcome:
        """Run a script to its end, or to the deadline."""
        text, lines = self._text_of(script), _Lines()
        connection = self.fleet.connection_to(node).evolve(configuration_name=script.configuration, jea=False)
        with NodeSession(connection) as session:
            try:
                result = session.run(script_text(text), within=within, on_output=lines.take, collect_errors=True)
            except RemoteError as error:
                if error.fully_qualified_error_id.partition(",")[0] == _NO_LANGUAGE:
                    raise _no_language(node, script) from error
                return ScriptOutcome(error.remote_message, output=lines.kept)
        complaints = [*(f"{record}" for record in result.errors), *(f"WARNING: {text}" for text in result.warnings)]
        return ScriptOutcome(output=lines.kept, errors=_bounded(complaints))


class _Lines:
    """What a script has written so far."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._left_out = 0

    def take(self, values: list[Any]) -> None:
        """Keep objects as text."""
        for value in values:
            for line in plain_text(value).splitlines() or [""]:
                if len(self._lines) < _MOST_LINES:
                    self._lines.append(line[:_LONGEST_LINE])
                else:
                    self._left_out += 1

    @property
    def kept(self) -> tuple[str, ...]:
        """The lines, and how many there were beyond them."""
        return (*self._lines, *([f"({self._left_out} further lines)"] if self._left_out else []))


def _bounded(texts: Iterable[str]) -> tuple[str, ...]:
    lines = _Lines()
    lines.take(list(texts))
    return lines.kept


def _no_language(node: str, script: ScriptFile) -> NodeError:
    return NodeError(
        f"{node}: the session configuration {script.configuration} has no language, so that no script runs in it.",
        node=node,
        advice="Name another one with configuration_name, or leave the scripts out.",
        error_id=_NO_LANGUAGE,
        category="SecurityError",
    )
