"""docs/formats.md is true: its program gives its texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cmdlets as cau

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")


def block(language: str, place: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)\n?```", PAGE, re.DOTALL)[place]


def test_the_program_gives_the_texts():
    """The object of the page in its three forms, byte for byte."""
    names: dict[str, Any] = {}
    exec(block("python"), names)
    update = names["update"]
    assert block("xml", 0) == cau.convert_to_xml([update], as_="String")
    assert block("xml", 1) == cau.convert_to_clixml([update])
    assert block("csv") == "\n".join(cau.convert_to_csv([update]))
