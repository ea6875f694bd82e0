"""What people see of reports: pages and tables."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, timedelta, timezone
from html.parser import HTMLParser

import pytest
from attrs import evolve
from golden_files import golden
from hypothesis import given, settings
from model_strategies import REPORTS, TEXTS
from sample_run import BAD_NODE, GOOD_NODE, GOOD_REPORT, HISTORY, LOCKED, REPORT, RUN_ID, START, at

from cauctl.errors import InputError
from cauctl.models import CauNode, CauReport, FirstCause, NodeResult, SummaryStatus
from cauctl.reports import csv as csv_module
from cauctl.reports.cause import cause_of
from cauctl.reports.csv import COLUMNS, csv_table
from cauctl.reports.html import html_page
from cauctl.reports.words import code_text, duration_text, moment_text
from cauctl.reports.zones import zone_named, zone_text

BERLIN = zone_named("W. Europe Standard Time")
HISTORIES = {RUN_ID: HISTORY}


class Page(HTMLParser):
    """Tags, attributes and text of a page; complains when tags do not nest."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, blanks made one."""
        return " ".join(" ".join(self.texts).split())


def test_a_page_is_the_golden_page():
    text = html_page([REPORT, GOOD_REPORT], zone=BERLIN, histories=HISTORIES)
    assert golden("report.html", text) == text


def test_a_table_is_the_golden_table():
    text = csv_table([REPORT, GOOD_REPORT], zone=BERLIN, histories=HISTORIES)
    assert golden("report.csv", text) == text


def test_the_first_cause_stands_before_everything_else():
    """Who opens a report of a failed run reads why it failed before the list of all that followed."""
    text = Page(html_page([REPORT], zone=UTC, histories=HISTORIES)).text
    cause = text.index("First cause NODE2 while Suspending · 2026-11-22 02:25:00+00:00 The requested operation")
    assert cause < text.index("Summary") < text.index("MaxFailedNodesExceeded")


def test_what_needs_somebody_stands_on_top():
    text = Page(html_page([REPORT], zone=UTC, histories=HISTORIES)).text
    assert text.index("To be looked at NODE2 : It could not be resumed") < text.index("Summary")
    without_journal = Page(html_page([REPORT], zone=UTC)).text
    assert "To be looked at NODE2 : It was paused by this run and not resumed." in without_journal


@pytest.mark.parametrize(
    "said",
    [
        "KB5031364",
        "Critical",
        "0x80242016 WU_E_UH_POSTREBOOTUNEXPECTEDSTATE",
        "rolled back during the restart. Repair the component store",
        "20348.2031 → 20348.2113",
        "StorageRepair virtual disk CSV01 is Degraded, 2 jobs are running 2026-11-22 02:20:00+00:00 0:03:04 1:00:00",
        "Drain role SQL02 has not left 2026-11-22 02:26:00+00:00 0:15:00 0:15:00 given up",
        "SQL01 NODE1 NODE1",
        "File <Server> NODE1 NODE3",
        "2026-11-22 02:13:00+00:00, took 0:07:00 (KB5031364)",
        "since 2026-11-22 02:26:00+00:00, not resumed",
        "The drain failed: SQL02 is locked.",
        "Wait until the backup of the role has ended, then run again.",
        "Times are in UTC.",
    ],
)
def test_a_page_tells(said: str):
    assert said in Page(html_page([REPORT], zone=UTC, histories=HISTORIES)).text


def test_a_report_without_a_journal_is_shown_without_what_only_journals_know():
    text = Page(html_page([REPORT], zone=UTC)).text
    assert "CONTOSO-FC1" in text
    for absent in ("Timeline", "Build", "Owner before", "Attempts"):
        assert absent not in text


def test_titles_stay_text():
    """A title that holds markup is shown, not run."""
    page = html_page([REPORT], zone=UTC)
    assert "<script" not in page
    assert "<img" not in page
    assert """<script>alert("KB1234567")</script> & <img src=x onerror='alert(1)'>""" in Page(page).text


@settings(max_examples=30)
@given(REPORTS, TEXTS)
def test_no_text_of_a_report_becomes_markup(report: CauReport, text: str):
    """The tags of a page are those of the template, whatever the report says."""
    hostile = evolve(report, plugin=f'"><script src="//x">{text}')
    tags = Page(html_page([hostile], zone=UTC)).tags
    assert {name for name, _ in tags} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "section",
        "h1",
        "h2",
        "h3",
        "p",
        "span",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
        "code",
        "footer",
        "ul",
        "li",
        "strong",
        "br",
    }
    assert all(not name.startswith("on") for _, attributes in tags for name in attributes)


def test_a_page_needs_nothing_from_elsewhere():
    page = html_page([REPORT], zone=UTC, histories=HISTORIES)
    assert [] == re.findall(r"(?:src|href)\s*=|url\(|@import", page.replace("&lt;img src=x", ""))


def test_a_run_that_reached_no_node_is_shown():
    empty = evolve(REPORT, cluster_result=evolve(REPORT.cluster_result, node_results=()), first_cause=None)
    text = Page(html_page([empty], zone=UTC)).text
    assert "No node was reached." in text
    assert "First cause the run as a whole More than 0 nodes failed." in text


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_table_has_a_row_for_the_cluster_and_one_for_each_node():
    found = rows(csv_table([REPORT], zone=UTC, histories=HISTORIES))
    assert [("Cluster", ""), ("Node", "NODE1"), ("Node", "NODE2")] == [
        (each["Level"], each["NodeName"]) for each in found
    ]
    assert {
        "Level": "Cluster",
        "ClusterName": "CONTOSO-FC1",
        "RunId": str(RUN_ID),
        "NodeName": "",
        "Status": "PartiallyFailed",
        "StartTimestamp": "2026-11-22 02:00:00+00:00",
        "Duration": "0:45:30",
        "SucceededUpdates": "3",
        "FailedUpdates": "1",
        "CanceledUpdates": "1",
        "ErrorId": "ClusterResourceLocked,Suspend-ClusterNode",
        "ErrorMessage": LOCKED.message,
        "ErrorNodeName": "NODE2",
        "Restarts": "",
        "BuildBefore": "",
        "BuildAfter": "",
        "FailedUpdateTitles": "",
        "Plugin": "Microsoft.WindowsUpdatePlugin",
        "OrchestratorMachine": "ADMIN7",
    } == found[0]


def test_each_column_is_documented():
    documented = re.findall(r"^(\w+(?:, \w+)*)  +", csv_module.__doc__ or "", re.MULTILINE)
    assert list(COLUMNS) == [name for line in documented for name in line.split(", ")]


@settings(max_examples=40)
@given(REPORTS)
def test_a_table_reads_back_with_every_text_as_it_was(report: CauReport):
    found = rows(csv_table([report], zone=UTC).replace("\0", ""))
    assert [report.cluster_result.name.replace("\0", "")] * len(found) == [each["ClusterName"] for each in found]
    assert 1 + len(report.cluster_result.node_results) == len(found)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Europe/Berlin", "2026-11-22 03:00:00+01:00"),
        ("W. Europe Standard Time", "2026-11-22 03:00:00+01:00"),
        ("w. europe standard time", "2026-11-22 03:00:00+01:00"),
        ("India Standard Time", "2026-11-22 07:30:00+05:30"),
        ("UTC", "2026-11-22 02:00:00+00:00"),
        (timezone(timedelta(hours=-8)), "2026-11-21 18:00:00-08:00"),
    ],
)
def test_zones_go_by_any_of_their_names(name: str, shown: str):
    assert shown == moment_text(START, zone_named(name))


@pytest.mark.parametrize(
    "name", ["Europe/Berlim", "", "../etc/passwd", "/etc/localtime", "Mars Standard Time", "Europe"]
)
def test_an_unknown_zone_is_refused_with_what_would_be_accepted(name: str):
    with pytest.raises(InputError, match="no time zone is named") as caught:
        zone_named(name)
    assert "time_zone" == caught.value.where
    assert name != "Europe/Berlim" or "Europe/Berlin" in str(caught.value)


def test_zones_and_values_have_words():
    assert ("UTC", "Europe/Berlin", "the time zone of this computer", "UTC+02:00") == (
        zone_text(zone_named("Etc/UTC")),
        zone_text(BERLIN),
        zone_text(None),
        zone_text(timezone(timedelta(hours=2))),
    )
    assert ("26:00:01", "-0:00:30", "0:00:00") == tuple(
        map(duration_text, (timedelta(days=1, hours=2, seconds=1), timedelta(seconds=-30), timedelta()))
    )
    assert ("0x80240034 WU_E_DOWNLOAD_FAILED", "0x80004005") == (code_text(-2145124300), code_text(0x80004005))


def cause(*nodes: NodeResult) -> FirstCause | None:
    return cause_of(evolve(REPORT, first_cause=None, cluster_result=evolve(REPORT.cluster_result, node_results=nodes)))


def test_the_first_cause_is_kept_found_or_derived():
    """The report's own wins; else the journal's; else the first node's error, its failed update, the run's error."""
    assert REPORT.first_cause == cause_of(REPORT)
    assert HISTORY.first_cause == cause_of(evolve(REPORT, first_cause=None), HISTORY)
    assert FirstCause(LOCKED, node_name="NODE2") == cause(GOOD_NODE, BAD_NODE)
    found = cause(evolve(BAD_NODE, error_record_data=None))
    assert found is not None
    assert ("UpdateFailed", "NODE2", at(31)) == (found.error.fully_qualified_error_id, found.node_name, found.timestamp)
    assert "failed with 0x80242016 (rolled back during the restart)." in found.error.message
    assert FirstCause(REPORT.cluster_result.error_record_data) == cause(  # type: ignore[arg-type]
        NodeResult(CauNode("N"), status=SummaryStatus.CANCELED)
    )
    assert cause_of(GOOD_REPORT) is None
