"""One long-lived PowerShell process that answers questions, a line each way."""

from __future__ import annotations

import os
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


class PowerShellError(Exception):
    """PowerShell answered with an error; the text is its message."""


class PowerShell:
    """A PowerShell that runs a script of ours, which reads questions and writes answers until its input ends.

    Args:
        pwsh: path of the program.
        script: the script; a question is ``verb base64``, an answer ``ok base64`` or ``error base64``, UTF-16LE inside.
        environment: further variables.
    """

    def __init__(self, pwsh: str, script: Path, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [pwsh, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TZ": "UTC", **(environment or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def ask(self, verb: str, text: str) -> str:
        """Ask, and wait for the answer."""
        data = b64encode(text.encode("utf-16-le", "surrogatepass")).decode("ascii")
        self._process.stdin.write(f"{verb} {data}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"PowerShell ended, status {self._process.wait(timeout=30)}")
        state, _, answer = line.strip().partition(" ")
        said = b64decode(answer).decode("utf-16-le", "surrogatepass")
        if state != "ok":
            raise PowerShellError(said)
        return said
