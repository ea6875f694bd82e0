"""Cultures of .NET: the patterns, signs and separators by which numbers, dates and lists print.

Rules kept here:

* The invariant culture (``""``) is built in; the 558 specific cultures of .NET 10 with ICU 72 are read from the
  packaged ``cultures.json`` when the first of them is asked for.
* Names are found in any case. A neutral name (``de``) is refused: PowerShell's session always has a specific culture.
* Numbers print in every culture. Dates print where the calendar is the Gregorian one and are refused elsewhere.
* Windows PowerShell 5.1 has Windows' own culture data. Only the two cultures that are known are served for it: the
  invariant one and en-US, which there has a plain space before AM and PM (ICU 72 has U+202F). Never run on 5.1.

Use::

    find_culture("de-DE").decimal_separator
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Final

from attrs import evolve, field, frozen

from cauctl.errors import InputError

__all__ = ["INVARIANT", "Culture", "culture_names", "find_culture"]

GREGORIAN: Final = "GregorianCalendar"
_DATE_FIELDS: Final = {
    "yyyy": "{year:04d}",
    "MM": "{month:02d}",
    "M": "{month}",
    "dd": "{day:02d}",
    "d": "{day}",
    "HH": "{hour:02d}",
    "H": "{hour}",
    "hh": "{half:02d}",
    "h": "{half}",
    "mm": "{minute:02d}",
    "m": "{minute}",
    "ss": "{second:02d}",
    "s": "{second}",
    "tt": "{designator}",
}


@frozen
class Culture:
    """How one culture of .NET writes numbers, dates and lists."""

    name: str
    """.NET's name, such as ``de-DE``; empty for the invariant culture."""
    short_date: str = field(kw_only=True)
    long_time: str = field(kw_only=True)
    date_separator: str = field(kw_only=True)
    time_separator: str = field(kw_only=True)
    am: str = field(kw_only=True)
    pm: str = field(kw_only=True)
    decimal_separator: str = field(kw_only=True)
    negative_sign: str = field(kw_only=True)
    positive_sign: str = field(kw_only=True)
    nan: str = field(kw_only=True)
    infinity: str = field(kw_only=True)
    negative_infinity: str = field(kw_only=True)
    list_separator: str = field(kw_only=True)
    """What ``-UseCulture`` puts between CSV fields."""
    calendar: str = field(default=GREGORIAN, kw_only=True)
    """.NET's calendar class."""

    @property
    def date_format(self) -> str:
        """Template of ``str.format`` for the short date and the long time (.NET's pattern ``G``).

        Its fields are year, month, day, hour, half (the hour of a twelve-hour clock), minute, second and designator.

        Raises:
            InputError: the calendar is not the Gregorian one.
        """
        if self.calendar != GREGORIAN:
            raise InputError(
                f"dates of culture {self.name} are those of the {self.calendar}, which this version cannot compute.",
                where="culture",
                expected="a culture with the Gregorian calendar",
            )
        return _date_format(f"{self.short_date} {self.long_time}", self.date_separator, self.time_separator)

    @property
    def time_format(self) -> str:
        """Template of ``str.format`` for the long time alone; its fields are those of :attr:`date_format`."""
        return _date_format(self.long_time, self.date_separator, self.time_separator)


@cache
def _date_format(pattern: str, date_separator: str, time_separator: str) -> str:
    """Turn a .NET date pattern into a template: runs of a letter are fields, quotes protect literals."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter in "'\"":
            end = pattern.index(letter, at + 1)
            parts.append(_literal(pattern[at + 1 : end]))
            at = end + 1
            continue
        end = at + 1
        while end < len(pattern) and pattern[end] == letter:
            end += 1
        run, at = pattern[at:end], end
        if letter in "/:":
            parts.append(_literal((date_separator if letter == "/" else time_separator) * len(run)))
        else:
            parts.append(_DATE_FIELDS.get(run) or _literal(run))
    return "".join(parts)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


INVARIANT: Final = Culture(
    "",
    short_date="MM/dd/yyyy",
    long_time="HH:mm:ss",
    date_separator="/",
    time_separator=":",
    am="AM",
    pm="PM",
    decimal_separator=".",
    negative_sign="-",
    positive_sign="+",
    nan="NaN",
    infinity="Infinity",
    negative_infinity="-Infinity",
    list_separator=",",
)


def find_culture(name: str | Culture | None, *, windows_powershell: bool = False) -> Culture:
    """Find a culture by .NET's name, in any case; ``None`` and ``""`` are the invariant culture.

    Raises:
        InputError: no specific culture of that name is known, or 5.1's data of it are not.
    """
    if not isinstance(name, str | Culture | None):
        raise InputError(f"{name!r} is no culture.", where="culture", expected="a name such as de-DE")
    found = name if isinstance(name, Culture) else _named(name)
    if not windows_powershell or not found.name:
        return found
    if found.name != "en-US":
        raise InputError(
            f"how Windows PowerShell 5.1 prints in culture {found.name} is not known.",
            where="culture",
            expected="the invariant culture or en-US",
        )
    return evolve(found, long_time="h:mm:ss tt")


def culture_names() -> tuple[str, ...]:
    """Names of the specific cultures that are known, in alphabetical order."""
    return tuple(found.name for found in _cultures().values())


@cache
def _named(name: str | None) -> Culture:
    if not name:
        return INVARIANT
    found = _cultures().get(name.lower())
    if found is None:
        near = [known for known in culture_names() if known.lower().startswith(f"{name.lower()}-")]
        hint = f"a specific culture such as {', '.join(near[:4])}" if near else "a name such as en-US or de-DE"
        raise InputError(f"{name!a} is not a culture that this version knows.", where="culture", expected=hint)
    return found


@cache
def _cultures() -> dict[str, Culture]:
    text = resources.files("cauctl.psobject").joinpath("cultures.json").read_text(encoding="utf-8")
    packed = json.loads(text)
    fields = packed["fields"]
    return {
        name.lower(): Culture(name, **dict(zip(fields, values, strict=True)))
        for name, values in packed["cultures"].items()
    }
