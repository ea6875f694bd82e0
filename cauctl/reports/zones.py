"""Time zones by any name that an administrator may use: IANA's, Windows', or a tzinfo."""

from __future__ import annotations

import difflib
import json
from datetime import datetime, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cauctl.errors import InputError

__all__ = ["zone_named", "zone_text"]


def zone_named(zone: tzinfo | str | None) -> tzinfo | None:
    """Find a time zone; None stays None and means the zone of this computer.

    Raises:
        InputError: no zone has that name; similar names are told.
    """
    if zone is None or isinstance(zone, tzinfo):
        return zone
    name = _windows_names().get(zone.casefold(), zone)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"no time zone is named {zone!r}.", where="time_zone", expected=_expected(zone)) from error


def zone_text(zone: tzinfo | None) -> str:
    """Name a zone for people."""
    if zone is None:
        return "the time zone of this computer"
    if isinstance(zone, ZoneInfo):
        return "UTC" if zone.key in {"UTC", "Etc/UTC"} else zone.key
    return zone.tzname(None) or datetime.now(zone).tzname() or str(zone)


@cache
def _windows_names() -> dict[str, str]:
    """IANA's name of each of Windows' zones, by its name without case; as .NET maps them."""
    text = files("cauctl.reports").joinpath("windowszones.json").read_text(encoding="utf-8")
    names: dict[str, str] = json.loads(text)
    return {windows.casefold(): iana for windows, iana in names.items()}


def _expected(zone: str) -> str:
    known = {name.casefold(): name for name in available_timezones()}
    close = [
        known.get(name, name) for name in difflib.get_close_matches(zone.casefold(), [*known, *_windows_names()], n=3)
    ]
    similar = f"; similar: {', '.join(close)}" if close else ""
    return f"an IANA name such as Europe/Berlin or a Windows name such as W. Europe Standard Time{similar}"
