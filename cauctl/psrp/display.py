"""Show a parameter value to people: short, on one line, without secrets.

A value is a secret by its type (``PSCredential``, ``Secret``) or by the name of its parameter (``-Password`` and
its like take plain text in some of Windows' commands).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from cauctl.models.credential import PSCredential, Secret

if TYPE_CHECKING:
    from cauctl.errors import TransportError

__all__ = ["bare_reason", "show_text", "show_value"]

_SECRET_NAME = re.compile(r"password|passphrase|secret|token|apikey|securestring", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9_.:\\/*{}+-]+")
_ASSURANCE = re.compile(r"[;.] nothing (?:was sent|ran)(?=\.$)", re.IGNORECASE)
_LONGEST_TEXT = 120
_MOST_ITEMS = 8


def show_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Escape control characters and lone surrogates, and cut ``text`` after ``longest`` characters."""
    shown = text[:longest]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in shown)
    return shown if len(text) <= longest else f"{shown}…({len(text)} characters)"


def bare_reason(error: TransportError) -> str:
    """Give what happened, for an error that says more: without the node's name, which stands in front again.

    That nothing was sent is left out as well. It was said of one request, and need not hold for what it belonged to.
    """
    return _ASSURANCE.sub("", error.message.removeprefix(f"{error.node}: "))


def show_value(value: Any, *, parameter: str = "") -> str:
    """Write ``value``, given for ``parameter``, roughly as PowerShell source would have it."""
    if _SECRET_NAME.search(parameter) and not isinstance(value, bool | PSCredential):
        return "<secret>"
    return _show(value)


@singledispatch
def _show(value: Any) -> str:
    return "$null" if value is None else show_text(str(value))


@_show.register
def _(value: bool) -> str:  # noqa: FBT001  dispatch goes by the first argument
    return "$true" if value else "$false"


@_show.register
def _(value: PSCredential) -> str:
    return f"<PSCredential {show_text(value.user_name)}>"


@_show.register
def _(_: Secret) -> str:
    return "<secret>"


@_show.register
def _(value: Enum) -> str:
    return _show(value.value)


@_show.register
def _(text: str) -> str:
    shown = show_text(text)
    return shown if _PLAIN.fullmatch(shown) else "'" + shown.replace("'", "''") + "'"


@_show.register
def _(value: bytes) -> str:
    return f"<{len(value)} bytes>"


@_show.register(list)
@_show.register(tuple)
def _(items: list[Any] | tuple[Any, ...]) -> str:
    return _join((_show(item) for item in items[:_MOST_ITEMS]), len(items), ",") or "@()"


@_show.register(Mapping)
def _(mapping: Mapping[Any, Any]) -> str:
    first = list(mapping.items())[:_MOST_ITEMS]
    shown = (f"{_show(key)}={show_value(value, parameter=str(key))}" for key, value in first)
    return "@{" + _join(shown, len(mapping), "; ") + "}"


def _join(shown: Iterable[str], total: int, separator: str) -> str:
    more = [] if total <= _MOST_ITEMS else [f"…({total} items)"]
    return separator.join([*shown, *more])
