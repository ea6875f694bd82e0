"""What can go wrong between a client and a node, as a test or a fault of the lab asks for it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from attrs import field, frozen

if TYPE_CHECKING:
    from cauctl.lab.wsman.exchange import Exchange

__all__ = ["Break", "Interceptor", "Substitute", "Verdict", "WireMode"]


class WireMode(Enum):
    """How a node's listener treats everybody."""

    SERVING = "serving"
    HANGING = "hanging"
    """Connections are taken, nothing is read or answered until the mode changes."""
    UNAVAILABLE = "unavailable"
    """Each request is answered by HTTP 503."""
    SLOW = "slow"
    """Answers trickle: a few bytes at a time."""


class Break(Enum):
    """How one exchange is broken."""

    BEFORE = "before"
    """The connection is reset once the request has arrived; the request is not acted on."""
    AFTER = "after"
    """The request is acted on; the connection is reset instead of the answer."""
    MIDDLE = "middle"
    """The request is acted on; the connection ends after half of the answer."""
    SILENT_BEFORE = "silent before"
    """The request is not acted on and never answered; the connection stays."""
    SILENT_AFTER = "silent after"
    """The request is acted on and never answered; the connection stays."""

    @property
    def acts(self) -> bool:
        """Whether the request is acted on."""
        return self in {Break.AFTER, Break.MIDDLE, Break.SILENT_AFTER}


@frozen
class Substitute:
    """Bytes that are sent instead of an answer; the request is not acted on."""

    payload: bytes = field(repr=False)
    """A whole HTTP answer, or whatever a broken node would send."""
    close: bool = field(default=True, kw_only=True)
    """Whether the connection ends behind it."""


Verdict: TypeAlias = Break | Substitute | None
"""What becomes of an exchange; None lets it be."""

Interceptor: TypeAlias = Callable[["Exchange"], Verdict]
"""Looks at each request before it is acted on, on the loop's thread."""
