"""Data on standard output: forms that programs read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cauctl.cli.console import say_error
from cauctl.cli.output import plain, print_table, write_data
from cauctl.errors import RemoteError
from cauctl.models import CauNode, ClusterResult, NodeResult, SummaryStatus, UpdateInfo
from cauctl.psobject import convert_to_xml

UPDATE = UpdateInfo("N1", update_id="a", update_title="[bold]50% & more", update_description=None)
RESULT = ClusterResult(
    "C1",
    run_id=UUID(int=1),
    start_timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    run_duration=timedelta(hours=25, seconds=1.5),
    status=SummaryStatus.SUCCEEDED,
    node_results=(NodeResult(CauNode("N1"), status=SummaryStatus.SUCCEEDED),),
)


def test_json_has_powershells_names_in_their_order(capsys: pytest.CaptureFixture[str]):
    write_data([UPDATE], "json", table=lambda _: None)
    expected = {
        "NodeName": "N1",
        "UpdateId": "a",
        "UpdateTitle": "[bold]50% & more",
        "UpdateDescription": None,
        "SourcePlugin": "Microsoft.WindowsUpdatePlugin",
    }
    (found,) = json.loads(capsys.readouterr().out)
    assert list(expected.items()) == list(found.items())


def test_json_of_times_ids_and_enums():
    """ISO 8601 in UTC, .NET's TimeSpan, names of enums, nested objects."""
    found = plain(RESULT)
    assert "2026-01-02T03:04:05Z" == found["StartTimestamp"]
    assert "1.01:00:01.5000000" == found["RunDuration"]
    assert ("00000000-0000-0000-0000-000000000001", "Succeeded") == (found["RunId"], found["Status"])
    assert "N1" == found["NodeResults"][0]["Node"]["NodeName"]


def test_xml_is_what_convertto_xml_prints(capsys: pytest.CaptureFixture[str]):
    write_data([UPDATE], "xml", table=lambda _: None)
    assert convert_to_xml([UPDATE], as_="String") + "\n" == capsys.readouterr().out


def test_csv_and_clixml_are_read_back(capsys: pytest.CaptureFixture[str]):
    write_data([UPDATE, UPDATE], "csv", table=lambda _: None)
    assert 3 == len(capsys.readouterr().out.splitlines())
    write_data([UPDATE], "clixml", table=lambda _: None)
    assert capsys.readouterr().out.startswith('<Objs Version="1.1.0.1"')


@pytest.mark.parametrize("form", ["xml", "json", "csv", "clixml"])
def test_no_records_are_a_valid_document(form: str, capsys: pytest.CaptureFixture[str]):
    write_data([], form, table=lambda _: None)
    out = capsys.readouterr().out
    assert {"xml": "<Objects />", "json": "[]", "csv": "", "clixml": "<Objs "}[form] in out
    assert ("" == out) == (form == "csv")


def test_a_text_of_a_node_does_not_command_the_terminal(capsys):
    """Its control characters are shown as escapes; line breaks stay."""
    say_error(RemoteError("a\x1b[2J\r\nb\x9b\tc", node="N1", command="Get-X"))
    print_table("", ["Detail"], [["\x1b]0;x\x07"]])
    shown = capsys.readouterr()
    assert "a\\x1b[2J\nb\\x9b" in shown.err
    assert "\\x1b]0;x\\x07" in shown.out
    assert not {"\x1b", "\x07", "\x9b"} & set(shown.out)
