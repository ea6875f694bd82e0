"""What PowerShell 7.6 and .NET 10 printed, as it was recorded; every text is exact."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "recorded"


@cache
def rows(name: str) -> list[dict[str, Any]]:
    """Read a file of one record a line; texts hold other line separators raw, so lines end at LF alone."""
    return [json.loads(line) for line in _text(name).split("\n") if line]


@cache
def document(name: str) -> Any:
    """Read a file that is one JSON document."""
    return json.loads(_text(name))


def _text(name: str) -> str:
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes()).decode("utf-8")
