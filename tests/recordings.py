"""Recorded sessions with real Windows, which are others' work: read where they lie, never a part of this repository.

They are the recordings of pypsrp's own tests. ``CAUCTL_DATA`` names a folder; each ``wsman/*.yml`` in it holds
``messages``: envelopes as text, ``request`` and ``response`` in order.

Use, in a test module::

    def pytest_generate_tests(metafunc):
        parametrize(metafunc, "recording", recordings())

    def test_something(recording, wsman_recordings): ...    # one test a recording; without any, one that skips
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@frozen
class Recording:
    """One session."""

    name: str
    messages: tuple[tuple[str, str], ...]
    """Requests and what Windows answered."""

    def __str__(self) -> str:
        return self.name


def folder() -> Path | None:
    """Folder of the recordings, None where there are none."""
    named = os.environ.get("CAUCTL_DATA")
    found = Path(named) / "wsman" if named else None
    return found if found is not None and any(found.glob("*.yml")) else None


@cache
def recordings() -> tuple[Recording, ...]:
    """All recordings in the order of their names; nothing where there are none."""
    found = folder()
    return tuple(_read(file) for file in sorted(found.glob("*.yml"))) if found is not None else ()


def parametrize(metafunc: pytest.Metafunc, argument: str, values: Sequence[Any]) -> None:
    """Run the tests that take ``argument`` for each value; for none once, so that ``wsman_recordings`` says why."""
    if argument in metafunc.fixturenames:
        assert "wsman_recordings" in metafunc.fixturenames, "without it a test would run on no recording and pass"
        metafunc.parametrize(argument, values or [None], ids=str)


def _read(file: Path) -> Recording:
    with file.open(encoding="utf-8") as text:
        messages = yaml.load(text, _Loader)["messages"]
    return Recording(file.stem, tuple((message["request"], message["response"]) for message in messages))
