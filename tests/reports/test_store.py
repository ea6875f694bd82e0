"""Reports are kept whole, private and under names that never leave their folder; damaged ones hide no others."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from golden_files import golden
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import REPORTS
from sample_run import GOOD_REPORT, REPORT, START

from cauctl.errors import InputError, StateError
from cauctl.models import CauReport, CauReportSummary
from cauctl.reports.folders import cluster_folder, folder_name, state_folder
from cauctl.reports.store import ReportStore, StoredReport, read_report, write_report

CLUSTER = "CONTOSO-FC1"


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    return ReportStore(tmp_path / "state")


def named(report: CauReport, cluster: str) -> CauReport:
    return evolve(report, cluster_result=evolve(report.cluster_result, name=cluster))


def test_a_stored_report_is_the_golden_document():
    text = write_report(REPORT).decode("utf-8")
    assert golden("report.xml", text) == text


@settings(max_examples=50)
@given(REPORTS)
def test_any_report_reads_back_equal(report: CauReport):
    """Whatever a report holds, its document follows the schema and gives the same report back."""
    assert report == read_report(write_report(report), source="report.xml")


def test_a_report_is_named_after_the_end_of_its_run(store: ReportStore):
    path = store.save(REPORT)
    assert ("CauReport-20261122024530.xml", "contoso-fc1") == (path.name, path.parent.name)
    assert StoredReport(path, report=REPORT) == store.last(CLUSTER)


def test_two_reports_of_one_second_are_both_kept(store: ReportStore):
    first, second = store.save(REPORT), store.save(REPORT)
    assert ["CauReport-20261122024530.xml", "CauReport-20261122024531.xml"] == [first.name, second.name]
    assert (REPORT, REPORT) == tuple(stored.report for stored in store.shelf(CLUSTER).reports)


def test_nothing_but_reports_is_left_in_the_folder(store: ReportStore):
    path = store.save(REPORT)
    assert [path] == list(path.parent.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="Windows has access control lists instead of modes")
def test_only_the_user_can_read_reports(store: ReportStore):
    path = store.save(REPORT)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    for folder in (path.parent, path.parent.parent, store.root):
        assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


def test_the_journal_is_moved_beside_the_report(store: ReportStore):
    journal = store.folder(CLUSTER) / "run.jsonl"
    journal.write_text("{}\n", encoding="utf-8")
    stored = store.shelf(CLUSTER).last or StoredReport(store.save(REPORT, journal=journal), report=REPORT)
    assert stored.path.with_suffix(".jsonl") == stored.journal
    assert not journal.exists()


def test_reports_are_found_by_the_beginning_of_their_run(store: ReportStore):
    store.save(REPORT)
    store.save(GOOD_REPORT)
    began = GOOD_REPORT.cluster_result.start_timestamp
    assert (GOOD_REPORT, REPORT) == tuple(stored.report for stored in store.shelf(CLUSTER).reports)
    assert (CauReportSummary.of(GOOD_REPORT, report_id="CauReport-20261023023000"),) == store.summaries(
        CLUSTER, start_date=began, end_date=START
    )
    assert () == store.summaries(CLUSTER, end_date=began)
    assert (REPORT,) == tuple(each.report for each in store.shelf(CLUSTER, start_date=START).reports)


def test_clusters_are_kept_apart_and_found_together(store: ReportStore):
    store.save(REPORT)
    other = named(GOOD_REPORT, "other")
    store.save(other)
    assert (other,) == tuple(each.report for each in store.shelf("OTHER").reports)
    assert (other, REPORT) == tuple(each.report for each in store.shelf().reports)
    assert () == store.shelf("nobody").reports


def test_a_damaged_report_is_named_and_hides_no_other(store: ReportStore):
    path = store.save(GOOD_REPORT)
    (path.parent / "CauReport-00000101000000.xml").write_bytes(b"")
    newest = path.with_name("CauReport-29991231235959.xml")
    newest.write_bytes(path.read_bytes()[:-40])
    (path.parent / "notes.xml").write_text("not a report", encoding="utf-8")
    shelf = store.shelf(CLUSTER)
    assert (GOOD_REPORT,) == tuple(stored.report for stored in shelf.reports)
    assert [str(path.parent / "CauReport-00000101000000.xml"), str(newest)] == [error.path for error in shelf.damaged]
    assert "line 1, column 1: not well-formed XML: Document is empty" in str(shelf.damaged[0])
    assert StoredReport(path, report=GOOD_REPORT) == store.last(CLUSTER)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (b"<Status>Canceled</Status>", b"<Status>Succeeded</Status>"),
        (b"<NodeName> </NodeName>", b"<NodeName>NODE1</NodeName>"),
        (b"2026-13-23T02:00:00.250000Z", b"2026-10-23T02:00:00.250000Z"),
        (b"PT99999999999999S", b"PT1800S"),
        (b'xmlns="urn:other"', b'xmlns="urn:cauctl:cau-report:1"'),
    ],
)
def test_a_report_edited_by_hand_is_read_or_refused(wrong: bytes, right: bytes):
    """A value that the models do not take is an error that says where, never another kind of failure."""
    document = write_report(GOOD_REPORT)
    assert right in document
    if wrong.startswith(b"<Status>"):
        assert "Canceled" == str(read_report(document.replace(right, wrong), source="x").cluster_result.status)
    else:
        with pytest.raises(InputError):
            read_report(document.replace(right, wrong), source="x")


def test_a_summary_leads_to_its_report(store: ReportStore):
    path = store.save(REPORT)
    summary = store.summaries(CLUSTER)[0]
    assert REPORT == store.load(summary).report
    assert REPORT == store.load(evolve(summary, report_id=None)).report
    path.write_bytes(b"<CauReport/>")
    with pytest.raises(StateError, match="the report is damaged"):
        store.load(summary)
    path.unlink()
    with pytest.raises(InputError, match="there is no report of the run of CONTOSO-FC1"):
        store.load(summary)


def test_a_summary_cannot_lead_out_of_the_folder(store: ReportStore, tmp_path: Path):
    store.save(REPORT)
    (tmp_path / "CauReport-20261122024530.xml").write_bytes(write_report(GOOD_REPORT))
    summary = evolve(store.summaries(CLUSTER)[0], report_id="../../../CauReport-20261122024530")
    assert REPORT == store.load(summary).report


def test_a_report_is_found_again_by_its_run(store: ReportStore):
    store.save(named(GOOD_REPORT, CLUSTER))
    taken = evolve(REPORT, cluster_result=evolve(REPORT.cluster_result, run_id=GOOD_REPORT.cluster_result.run_id))
    store.save(taken)
    path = store.save(REPORT)
    assert StoredReport(path, report=REPORT) == store.find(REPORT)
    assert store.find(evolve(REPORT, cluster_result=evolve(REPORT.cluster_result, run_duration=timedelta(1)))) is None


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path):
    (tmp_path / "state").write_text("in the way", encoding="utf-8")
    with pytest.raises(StateError, match="the folder cannot be made"):
        ReportStore(tmp_path / "state").save(REPORT)


def test_the_state_folder_follows_the_environment(tmp_path: Path):
    assert tmp_path / "state" == state_folder()
    assert f"ReportStore({str(tmp_path / 'state')!r})" == repr(ReportStore())


WILD = st.text(min_size=1, max_size=40) | st.sampled_from(
    [
        "..",
        "../../etc",
        "a b",
        "'\"",
        "x;y",
        "$(reboot)",
        "CON",
        "nul",
        "a\\b",
        "C:",
        "~",
        "\ud800",
        "a" * 300,
        "%2e%2e",
        ".",
    ]
)


@given(WILD)
def test_no_name_leaves_the_state_folder(name: str):
    """A cluster's folder lies directly below the folder of reports, whatever the cluster is called."""
    root = Path("/state")
    folder = cluster_folder(root, name)
    assert root / "reports" == Path(os.path.normpath(folder)).parent
    assert 110 > len(folder.name)
    assert folder.name.isascii()
    assert set('\\/:*?"<>|. ').isdisjoint(folder.name)


@given(WILD, WILD)
def test_two_names_share_a_folder_only_when_they_differ_in_case_alone(one: str, other: str):
    assert (one.casefold() == other.casefold()) == (folder_name(one) == folder_name(other))


@settings(max_examples=40)
@given(WILD.filter(lambda name: bool(name.strip())))
def test_reports_of_a_cluster_of_any_name_are_found_again(tmp_path_factory: pytest.TempPathFactory, name: str):
    store = ReportStore(tmp_path_factory.getbasetemp() / "wild")
    report = named(REPORT, name)
    path = store.save(report)
    try:
        assert StoredReport(path, report=report) == store.find(report)
    finally:
        path.unlink()
