"""Get-CauReport and Export-CauReport from Python, on reports that lie in the user's state folder."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

import cmdlets as cau
from cauctl.errors import InputError
from cauctl.models import CauNode, CauReport, CauReportSummary, ClusterResult, NodeResult, SummaryStatus
from cauctl.reports.store import ReportStore

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def report(day: int, cluster: str = "CONTOSO-FC1") -> CauReport:
    return CauReport(
        ClusterResult(
            cluster,
            run_id=UUID(int=day),
            start_timestamp=START + timedelta(days=day),
            run_duration=timedelta(minutes=30),
            status=SummaryStatus.SUCCEEDED,
            node_results=(NodeResult(CauNode("NODE1"), status=SummaryStatus.SUCCEEDED),),
        )
    )


@pytest.fixture
def stored() -> list[Path]:
    """Three reports of one cluster and one of another, in the user's state folder."""
    store = ReportStore()
    return [store.save(each) for each in (report(0), report(1), report(2), report(3, "OTHER"))]


def test_summaries_come_oldest_first(stored: list[Path]):
    expected = [CauReportSummary.of(report(day), report_id=stored[day].stem) for day in range(3)]
    assert expected == cau.get_cau_report("contoso-fc1")


@pytest.mark.usefixtures("stored")
def test_details_and_the_last_report_can_be_asked_for():
    assert [report(2)] == cau.get_cau_report("CONTOSO-FC1", last=True, detailed=True)
    assert [report(0), report(1), report(2), report(3, "OTHER")] == cau.get_cau_report(detailed=True)


def test_dates_take_positions_and_end_before_the_second(stored: list[Path]):
    found = cau.get_cau_report("CONTOSO-FC1", START + timedelta(days=1), START + timedelta(days=2))
    assert [stored[1].stem] == [each.report_id for each in found]


@pytest.mark.usefixtures("stored")
def test_a_summary_gives_its_report():
    """As in PowerShell: ``$s = Get-CauReport X -Last; Get-CauReport X -Report $s``."""
    summary = cau.get_cau_report("CONTOSO-FC1", last=True)
    assert [report(2)] == cau.get_cau_report("CONTOSO-FC1", report=summary)
    assert [report(2)] == cau.get_cau_report("CONTOSO-FC1", report=summary[0])


def test_a_damaged_report_is_warned_of(stored: list[Path]):
    stored[1].write_bytes(b"<CauReport")
    with pytest.warns(cau.CauWarning, match=r"CauReport-20261123023000\.xml: the report is damaged") as caught:
        found = cau.get_cau_report("CONTOSO-FC1", detailed=True)
    assert ([report(0), report(2)], 1, __file__) == (list(found), len(found.notices), caught[0].filename)


def test_a_cluster_without_reports_has_none():
    assert [] == cau.get_cau_report("CONTOSO-FC1", last=True)


@pytest.mark.usefixtures("stored")
def test_reports_are_exported_and_returned_only_on_request(tmp_path: Path):
    reports = cau.get_cau_report("CONTOSO-FC1", detailed=True)
    page, table = tmp_path / "run.html", str(tmp_path / "run.csv")
    assert [] == cau.export_cau_report(reports, "HTML", page, time_zone="UTC")
    assert reports == cau.export_cau_report(reports, format="csv", path=table, pass_thru=True, time_zone=UTC)
    assert "Updating Run of CONTOSO-FC1" in page.read_text(encoding="utf-8")
    assert 7 == len(Path(table).read_text(encoding="utf-8").splitlines())
    with pytest.raises(InputError, match="exists already"):
        cau.export_cau_report(reports, "Html", page)


@pytest.mark.parametrize(("answer", "written"), [(True, True), (False, False)])
def test_who_is_asked_decides(tmp_path: Path, *, answer: bool, written: bool):
    questions: list[str] = []

    def confirm(question: str) -> bool:
        questions.append(question)
        return answer

    path = tmp_path / "run.csv"
    cau.export_cau_report(report(0), "Csv", path, confirm=confirm)
    assert ([f"Write 1 report(s) to {path}?"], written) == (questions, path.exists())


def test_what_if_writes_nothing(tmp_path: Path):
    cau.export_cau_report(report(0), "Csv", tmp_path / "run.csv", what_if=True)
    assert not (tmp_path / "run.csv").exists()


def test_a_run_that_is_not_wanted_touches_nothing():
    """Who says no to the question gets nothing back, and no node was looked for."""
    questions: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = cau.invoke_cau_run("CONTOSO-FC1", confirm=lambda question: bool(questions.append(question)))
    assert ([], ["Update the nodes of CONTOSO-FC1 one after the other?"]) == (answer, questions)
