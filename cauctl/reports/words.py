"""Times, durations and codes as reports for people show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.models.hresult import hex_code, hresult

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

__all__ = ["code_text", "duration_text", "moment_text"]


def moment_text(moment: datetime, zone: tzinfo | None) -> str:
    """Show a moment to the second, such as ``2026-11-22 04:15:00+01:00``; None: in this computer's zone."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def duration_text(duration: timedelta) -> str:
    """Show a duration as ``h:mm:ss``, whole seconds."""
    sign, seconds = ("-", -duration.total_seconds()) if duration.total_seconds() < 0 else ("", duration.total_seconds())
    minutes, rest = divmod(round(seconds), 60)
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{rest:02}"


def code_text(code: int) -> str:
    """Show an error code with its name, such as ``0x8024200B WU_E_UH_INSTALLERFAILURE``."""
    known = hresult(code)
    return f"{hex_code(code)} {known.name}" if known else hex_code(code)
