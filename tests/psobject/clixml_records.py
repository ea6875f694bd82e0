"""The recorded CLIXML documents: what PowerShell 7.6 wrote, read and refused."""

from __future__ import annotations

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "recorded" / "clixml"


@cache
def records(name: str) -> list[dict[str, Any]]:
    """Read one file of records; texts hold line separators raw, so lines end at LF alone."""
    text = lzma.decompress((FOLDER / f"{name}.jsonl.xz").read_bytes()).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line]
