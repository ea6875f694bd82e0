"""docs/clixml.md is true: its programs run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "clixml.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_programs_run(tmp_path, monkeypatch):
    """One after the other, as a reader would type them, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    for program in PROGRAMS:
        exec(compile(program, "docs/clixml.md", "exec"), names)

    assert len(PROGRAMS) == 4
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".clixml") == [
        "many.clixml",
        "node.clixml",
    ]
