"""What takes the place of PowerShell's prompt: a function of the caller's that is asked; the library never prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["can_ask"]


def can_ask(confirm: Callable[[str], bool] | None) -> bool:
    """Say whether there is somebody to ask.

    Raises:
        InputError: ``confirm`` is neither a function nor None.
    """
    if confirm is None or callable(confirm):
        return confirm is not None
    raise InputError(
        f"{confirm!r:.80} cannot be asked", where="confirm", expected="a function from the question to True or False"
    )
