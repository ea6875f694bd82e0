"""Golden files hold what people see; one command rewrites them, and the difference is reviewed.

CAUCTL_GOLDEN=rewrite python -m pytest tests/reports
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def golden(name: str, text: str) -> str:
    """Give the content of a golden file; when they are rewritten, ``text`` first becomes it."""
    path = FOLDER / name
    if os.environ.get("CAUCTL_GOLDEN") == "rewrite":
        path.write_text(text, encoding="utf-8", newline="")
    return path.read_bytes().decode("utf-8")
