"""PowerShell's serializer beside ours: both take turns in one run, each call on the same file."""

from __future__ import annotations

import gc
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Beside", "medians"]

SCRIPT = Path(__file__).with_name("clixml_speed.ps1")
WARM, COUNT = 10, 11


class Beside:
    """PowerShell in a process of its own, which works once each time it is asked."""

    def __init__(self, pwsh: str, file: Path) -> None:
        command = [pwsh, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(SCRIPT), str(file)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def seconds(self, work: str) -> float:
        """Let it read or write once; give the seconds that it took."""
        self._process.stdin.write(f"{work}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


def medians(beside: Beside, work: str, ours: Callable[[], object]) -> tuple[float, float]:
    """Take turns; give our median and PowerShell's."""
    mine, theirs = [], []
    for _ in range(WARM + COUNT):
        gc.collect()
        start = time.perf_counter()
        ours()
        mine.append(time.perf_counter() - start)
        theirs.append(beside.seconds(work))
    return statistics.median(mine[WARM:]), statistics.median(theirs[WARM:])
