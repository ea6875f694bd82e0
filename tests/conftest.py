"""What the whole suite shares: where PowerShell is, where recorded traffic is, and the nightly switch.

Environment:

* ``CAUCTL_PWSH``: path of a PowerShell 7; without it ``pwsh`` is looked for on PATH.
* ``CAUCTL_DATA``: folder whose ``wsman`` holds recorded sessions of real Windows (``*.yml``, see ``tests.recordings``).
* ``CAUCTL_STUBS``: folder of modules that stand for Windows' commands as far as binding goes.
* ``CAUCTL_REQUIRE_PWSH=1``: a test that would skip for want of PowerShell or of recorded sessions fails instead.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import recordings

# At the gate the same examples each time, so that a change is judged by what it changes; elsewhere new ones each time.
settings.register_profile(
    "cauctl",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("cauctl")

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="also run what takes longer than a change should wait")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--nightly"):
        return
    skip = pytest.mark.skip(reason="nightly; run with --nightly")
    for item in items:
        if "nightly" in item.keywords:
            item.add_marker(skip)


def missing(reason: str) -> None:
    if os.environ.get("CAUCTL_REQUIRE_PWSH"):
        pytest.fail(f"{reason}, and CAUCTL_REQUIRE_PWSH forbids to skip")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def pwsh_path() -> str:
    """Path of a PowerShell 7, else the test skips."""
    path = os.environ.get("CAUCTL_PWSH") or shutil.which("pwsh")
    if not path or not Path(path).exists():
        missing("no PowerShell 7: neither pwsh on PATH nor CAUCTL_PWSH")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def wsman_recordings() -> Path:
    """Folder of recorded WSMan sessions, else the test skips."""
    folder = recordings.folder()
    if folder is None:
        missing("no recorded sessions: CAUCTL_DATA names no folder with wsman/*.yml")
    assert folder is not None
    return folder


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's configuration, state or lab records."""
    monkeypatch.setenv("CAUCTL_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CAUCTL_CONFIG", str(tmp_path / "config" / "clusters.toml"))
    monkeypatch.setenv("CAUCTL_RUNTIME", str(tmp_path / "runtime"))
