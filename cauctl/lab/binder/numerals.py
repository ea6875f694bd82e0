"""Texts of numbers as PowerShell's language and .NET read them (invariant culture)."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

__all__ = ["scan_number", "to_double", "to_integer"]

_MULTIPLIERS: Final = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_LITERAL: Final = re.compile(
    r"""(?P<sign>[+-]?)
        (?: 0x(?P<hex>[0-9a-f]*) (?P<hexsuffix>u?[lysn]?|u)
          | 0b(?P<bin>[01]+) (?P<binsuffix>u?[lysn]?|u)
          | (?P<digits>\d+\.?\d*|\.\d+)(?P<exponent>e[+-]?\d+)? (?P<suffix>u?[lysn]|[ud])? )
        (?P<multiplier>[kmgtp]b)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_DOUBLE: Final = re.compile(r"[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_RADIX: Final = re.compile(r"(?P<sign>[+-]?)(?:\#|&h|0x)(?P<hex>[0-9a-f]*)", re.IGNORECASE | re.ASCII)
_INT32_DIGITS: Final = 8
_INT64_DIGITS: Final = 16


def scan_number(text: str) -> Fraction | None:
    """Read a literal of the language: ``0x10``, ``0b11``, ``1e1``, ``1kb``, ``10l``; None for anything else."""
    match = _LITERAL.fullmatch(text.strip())
    if match is None:
        return None
    factor = _MULTIPLIERS.get((match["multiplier"] or "").lower(), 1)
    value = _magnitude(match) * factor
    return -value if match["sign"] == "-" else value


def _magnitude(match: re.Match[str]) -> Fraction:
    if match["hex"] is not None:
        return Fraction(_signed_hex(match["hex"]))
    if match["bin"] is not None:
        return Fraction(int(match["bin"], 2))
    return _decimal(match["digits"] + (match["exponent"] or ""))


def _decimal(text: str) -> Fraction:
    """Read decimal digits with an exponent; one that is absurd is cut to what is out of every range."""
    mantissa, _, exponent = text.lower().partition("e")
    places = max(-400, min(400, int(exponent or 0)))
    return Fraction(Decimal(mantissa)) * Fraction(10) ** places


def _signed_hex(digits: str) -> int:
    """Read hexadecimal digits as the language does: eight or sixteen of them may make a negative number."""
    value = int(digits or "0", 16)
    width = _INT32_DIGITS if len(digits) <= _INT32_DIGITS else _INT64_DIGITS
    if len(digits) == width and value >= 1 << (4 * width - 1):
        value -= 1 << (4 * width)
    return value


def _round(value: Fraction, lowest: int, highest: int) -> int | None:
    """Round half to even; None out of range."""
    rounded = round(value)
    return rounded if lowest <= rounded <= highest else None


def to_integer(text: str, lowest: int, highest: int) -> int | None:
    """Read an integer of a range: a literal, ``#`` and ``&h`` hexadecimals, thousands commas, fractions; else None."""
    stripped = text.strip()
    if not stripped:
        return 0
    scanned = scan_number(stripped)
    if scanned is not None:
        found = _round(scanned, lowest, highest)
        if found is not None:
            return found
    radix = _RADIX.fullmatch(stripped)
    if radix is not None:
        value = int(radix["hex"] or "0", 16) * (-1 if radix["sign"] == "-" else 1)
        return value if lowest <= value <= highest else None
    if scanned is None and _DOUBLE.fullmatch(stripped):
        return _round(_decimal(stripped.replace(",", "")), lowest, highest)
    return None


def to_double(text: str) -> float | None:
    """Read a double; None for what is no number."""
    stripped = text.strip()
    if not stripped:
        return 0.0
    scanned = scan_number(stripped)
    if scanned is None and _DOUBLE.fullmatch(stripped):
        scanned = _decimal(stripped.replace(",", ""))
    if scanned is None:
        return {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf}.get(stripped.lower())
    try:
        return float(scanned)
    except OverflowError:
        return math.inf if scanned > 0 else -math.inf
