"""What a caller hands in may fail; a run, its result and its report do not."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Callable

import pytest

import cmdlets as cau
from cauctl.lab.server import Lab
from cauctl.operations.coordinator_name import orchestrator, owner

StartLab = Callable[..., Lab]


def test_an_on_output_that_fails_costs_neither_result_nor_report(start_lab: StartLab, caplog: pytest.LogCaptureFixture):
    """It is called once, the failure is logged, and all that was written is returned and stored."""
    called: list[object] = []

    def fail(written: object) -> None:
        called.append(written)
        raise ZeroDivisionError

    lab = start_lab(nodes=2, faults=("scan-error:*,hresult=0x8024402C",))
    with caplog.at_level(logging.ERROR, "cauctl"):
        result = cau.invoke_cau_run(lab.name, force=True, on_output=fail)
    assert ["NodeResult", "ClusterResult"] == [type(each).__name__ for each in result[-2:]]
    assert [result[0]] == called
    assert ["on_output failed and is not called again"] == [each.message for each in caplog.records]
    (stored,) = cau.get_cau_report(lab.name, last=True, detailed=True)
    assert result[-1] == stored.cluster_result


def test_a_user_without_a_name_can_coordinate(monkeypatch: pytest.MonkeyPatch):
    """Containers run as user ids that no account has."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr("os.getuid", lambda: 12345, raising=False)
    assert owner().startswith("12345@")
    assert ("12345", "CONTOSO\\admin") == (orchestrator().account, orchestrator("CONTOSO\\admin").account)
