"""Exported files appear whole, replace nothing by accident, and show what journals know."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sample_run import GOOD_REPORT, HISTORY, REPORT, RUN_ID

from cauctl.errors import InputError, StateError
from cauctl.models import ExportReportOptions, OutputType, RunHistory
from cauctl.reports.export import Histories, export_reports, histories_of, render
from cauctl.reports.store import ReportStore


def options(path: Path, **given: Any) -> ExportReportOptions:
    return ExportReportOptions.bind(
        **({"input_report": REPORT, "format": "Html", "path": path, "time_zone": UTC} | given)
    )


@pytest.mark.parametrize("kind", ["Html", "csv"])
def test_a_file_holds_what_is_rendered(tmp_path: Path, kind: str):
    path = export_reports(options(tmp_path / "run", format=kind), Histories({RUN_ID: HISTORY}))
    expected = render([REPORT], OutputType(kind), zone=UTC, histories={RUN_ID: HISTORY})
    assert expected == path.read_bytes().decode("utf-8")
    assert [path] == list(tmp_path.iterdir())


def test_an_existing_file_is_replaced_only_by_force(tmp_path: Path):
    path = tmp_path / "run.csv"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists already") as caught:
        export_reports(options(path))
    assert ("mine", "path") == (path.read_text(encoding="utf-8"), caught.value.where)
    export_reports(options(path, force=True, format="Csv"))
    assert path.read_text(encoding="utf-8").startswith('"Level"')


def test_what_if_checks_everything_and_writes_nothing(tmp_path: Path):
    export_reports(options(tmp_path / "run.html", what_if=True))
    assert [] == list(tmp_path.iterdir())
    with pytest.raises(InputError, match="no time zone is named"):
        export_reports(options(tmp_path / "run.html", what_if=True, time_zone="Mars"))
    with pytest.raises(InputError, match="does not exist"):
        export_reports(options(tmp_path / "nowhere" / "run.html", what_if=True))
    with pytest.raises(InputError, match="is a folder"):
        export_reports(options(tmp_path, force=True))


def test_texts_that_no_file_can_hold_are_replaced(tmp_path: Path):
    path = export_reports(
        options(tmp_path / "run.csv", format="Csv", input_report=(GOOD_REPORT, REPORT), time_zone="UTC"),
    )
    assert 7 == path.read_bytes().count(b"\r\n")


def test_histories_are_read_from_the_journals_beside_the_reports(tmp_path: Path):
    """A damaged journal costs its own part and is told of; a report without one costs nothing."""
    store = ReportStore(tmp_path)
    store.save(REPORT).with_suffix(".jsonl").write_text("{}", encoding="utf-8")
    store.save(GOOD_REPORT)

    def read(path: Path) -> RunHistory:
        assert "CauReport-20261122024530.jsonl" == path.name
        return HISTORY

    def damaged(path: Path) -> RunHistory:
        raise StateError("line 3 is cut short.", path=path.name)

    assert Histories({RUN_ID: HISTORY}) == histories_of([REPORT, GOOD_REPORT], store, read)
    assert Histories(notices=("CauReport-20261122024530.jsonl: line 3 is cut short.",)) == histories_of(
        [REPORT], store, damaged
    )


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="cannot be written: ") as caught:
        export_reports(options(tmp_path / name))
    assert "path" == caught.value.where
