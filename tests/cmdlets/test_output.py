"""What a cmdlet returns shows and converts itself."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from attrs import frozen

import cmdlets as cau
from cauctl.errors import InputError
from cauctl.models import CauNode, NodeStatus, NodeStatusNotification, UpdateInfo

MOMENT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
UPDATE = UpdateInfo("NODE1", update_id="id1", update_title="<b>Update</b> & more")
WAITING = NodeStatusNotification(CauNode("NODE1"), status=NodeStatus.WAITING, timestamp=MOMENT)
OUTPUT = cau.CauOutput([WAITING, UPDATE, UPDATE], notices=["An interrupted run <was> met."])


def test_output_is_a_list_that_tells_what_it_holds():
    assert [WAITING, UPDATE, UPDATE] == OUTPUT
    assert "<CauOutput: 1 NodeStatusNotification, 2 UpdateInfo>" == repr(OUTPUT)
    assert "<CauOutput: nothing>" == repr(cau.CauOutput())
    assert (("An interrupted run <was> met.",), ()) == (OUTPUT.notices, OUTPUT.errors)


def test_a_frame_has_powershells_names():
    expected = pd.DataFrame(
        [["NODE1", "id1", "<b>Update</b> & more", None, "Microsoft.WindowsUpdatePlugin"]] * 2,
        columns=["NodeName", "UpdateId", "UpdateTitle", "UpdateDescription", "SourcePlugin"],
    )
    pd.testing.assert_frame_equal(expected, OUTPUT.to_frame(UpdateInfo))


def test_a_frame_of_different_objects_has_the_columns_of_all():
    frame = OUTPUT.to_frame()
    assert ["Node", "Status", "Timestamp", "NodeName"] == list(frame.columns)[:4]
    assert ("NODE1", "Waiting", MOMENT) == tuple(frame.iloc[0, :3])
    assert (0, 0) == cau.CauOutput().to_frame().shape


def test_without_pandas_a_frame_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install 'cauctl\\[notebook\\]'"):
        OUTPUT.to_frame()


def test_a_notebook_shows_tables_and_no_markup_of_others():
    assert (
        "<p><strong>Warning:</strong> An interrupted run &lt;was&gt; met.</p>"
        "<table><caption>NodeStatusNotification</caption>"
        "<thead><tr><th>Node</th><th>Status</th><th>Timestamp</th></tr></thead>"
        "<tbody><tr><td>NODE1</td><td>Waiting</td><td>2026-11-22 03:00:00+00:00</td></tr></tbody></table>"
        "<table><caption>UpdateInfo</caption><thead><tr><th>NodeName</th><th>UpdateId</th><th>UpdateTitle</th>"
        "<th>UpdateDescription</th><th>SourcePlugin</th></tr></thead><tbody>"
        "<tr><td>NODE1</td><td>id1</td><td>&lt;b&gt;Update&lt;/b&gt; &amp; more</td><td></td>"
        "<td>Microsoft.WindowsUpdatePlugin</td></tr></tbody></table>"
    ) == cau.CauOutput([WAITING, UPDATE], notices=OUTPUT.notices)._repr_html_()
    assert "<p>Nothing.</p>" == cau.CauOutput()._repr_html_()


def test_a_long_output_is_cut_in_a_notebook():
    shown = cau.CauOutput([UPDATE] * 500)._repr_html_()
    assert 200 == shown.count("<tr><td>")
    assert "<p>… and 300 more.</p>" in shown


def test_xml_is_what_convertto_xml_prints(tmp_path: Path):
    path = tmp_path / "updates.xml"
    text = OUTPUT.to_xml(path)
    assert cau.convert_to_xml(list(OUTPUT), as_="String") == text == path.read_text(encoding="utf-8")
    assert '<Object Type="Microsoft.ClusterAwareUpdating.UpdateInfo">' in text


def test_csv_is_what_convertto_csv_prints(tmp_path: Path):
    path = tmp_path / "updates.csv"
    text = cau.CauOutput([UPDATE]).to_csv(path)
    assert (
        '"NodeName","UpdateId","UpdateTitle","UpdateDescription","SourcePlugin"\n'
        '"NODE1","id1","<b>Update</b> & more",,"Microsoft.WindowsUpdatePlugin"\n'
    ) == text
    assert text == path.read_text(encoding="utf-8")


def test_objects_that_powershell_does_not_know_show_their_own_fields():
    @frozen
    class Step:
        node_name: str
        updates: tuple[str, ...] = ()

    assert ["NodeName", "Updates"] == list(cau.CauOutput([Step("NODE1", ("a",))]).to_frame().columns)
    assert "<td>1 str</td>" in cau.CauOutput([Step("NODE1", ("a",))])._repr_html_()
    assert ["Value"] == list(cau.CauOutput([3]).to_frame().columns)


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be written"):
        OUTPUT.to_xml(tmp_path / "nowhere" / "updates.xml")
