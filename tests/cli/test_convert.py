"""``cauctl convert`` and ``cauctl validate``: PowerShell's files without PowerShell."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from cauctl.cli.app import main

DOCUMENT = """<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">
  <Obj RefId="0">
    <TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN>
    <MS><S N="Name">n &lt;1&gt;</S><I32 N="Count">3</I32><D N="Price">1.10</D><BA N="Raw">AQI=</BA>
      <DT N="At">2026-03-17T21:00:00Z</DT><TS N="For">PT1H</TS><G N="Id">00000000-0000-0000-0000-000000000001</G></MS>
  </Obj>
</Objs>"""
EXPECTED = {
    "Name": "n <1>",
    "Count": 3,
    "Price": "1.10",
    "Raw": "AQI=",
    "At": "2026-03-17T21:00:00Z",
    "For": "01:00:00",
    "Id": "00000000-0000-0000-0000-000000000001",
}


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "objects.clixml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def test_to_json(document: Path, capsys: pytest.CaptureFixture[str]):
    assert 0 == main(["convert", str(document), "--to", "json"])
    assert [EXPECTED] == json.loads(capsys.readouterr().out)


def test_to_xml_and_csv(document: Path, capsys: pytest.CaptureFixture[str]):
    assert 0 == main(["convert", str(document), "--to", "xml"])
    assert '<Property Name="Count" Type="System.Int32">3</Property>' in capsys.readouterr().out
    assert 0 == main(["convert", str(document), "--to", "csv"])
    assert capsys.readouterr().out.startswith('"Name","Count","Price","Raw","At","For","Id"\n"n <1>","3","1.10",')


def test_clixml_comes_back_the_same(document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Read and written, read and written again: the same text."""
    assert 0 == main(["convert", str(document), "--to", "clixml"])
    once = capsys.readouterr().out
    again = tmp_path / "again.clixml"
    again.write_bytes(gzip.compress(once.encode("utf-8")))
    assert 0 == main(["convert", str(again), "--to", "clixml"])
    assert once == capsys.readouterr().out


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(DOCUMENT.encode("utf-16"))))
    assert 0 == main(["convert", "-", "--to", "json"])
    assert [EXPECTED] == json.loads(capsys.readouterr().out)


def test_a_damaged_document_is_placed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Exit code 2, line and column, no traceback, nothing on standard output."""
    path = tmp_path / "cut.clixml"
    path.write_text(DOCUMENT[:200], encoding="utf-8")
    assert 2 == main(["convert", str(path), "--to", "json"])
    out, err = capsys.readouterr()
    assert "" == out
    assert "line " in err
    assert "column " in err


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert 2 == main(["convert", str(tmp_path / "none"), "--to", "json"])
    assert 2 == main(["validate", str(tmp_path / "none")])
    assert "No such file" in capsys.readouterr().err


def test_validate_names_the_schema(document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert 0 == main(["validate", str(document)])
    assert "meets clixml.xsd" in capsys.readouterr().out
    main(["convert", str(document), "--to", "xml"])
    converted = tmp_path / "objects.xml"
    converted.write_text(capsys.readouterr().out.rstrip("\n"), encoding="utf-8")
    assert 0 == main(["validate", str(converted)])
    assert "meets convertto-xml.xsd" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [("<Objs xmlns='urn:x'><Nothing/></Objs>", "line 1"), ("<Other/>", "root element Other")],
)
def test_validate_tells_what_breaks_the_schema(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "bad.xml"
    path.write_text(text, encoding="utf-8")
    assert 1 == main(["validate", str(path)])
    assert told in capsys.readouterr().err


def given(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    document = f'<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">{body}</Objs>'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(document.encode())))


def test_what_a_process_printed_has_progress_and_json_for_it(monkeypatch, capsys):
    record = "<PR><AV>Prep</AV><AI>0</AI><Nil /><PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD>x</SD></PR>"
    given(monkeypatch, f'<S S="Error">no</S>{record}')
    assert 0 == main(["convert", "--to", "json"])
    error, progress = json.loads(capsys.readouterr().out)
    assert ("no", "Prep", "Completed") == (error, progress["Activity"], progress["RecordType"])


def test_a_secret_is_only_carried(monkeypatch, capsys):
    """Only CLIXML, which PowerShell reads again, has the protected text."""
    for form in ("json", "xml", "csv"):
        given(monkeypatch, '<Obj RefId="0"><MS><SS N="Password">7300</SS></MS></Obj>')
        assert 0 == main(["convert", "--to", form])
        assert "7300" not in capsys.readouterr().out
    given(monkeypatch, "<SS>7300</SS>")
    assert 0 == main(["convert", "--to", "clixml"])
    assert "<SS>7300</SS>" in capsys.readouterr().out


@pytest.mark.parametrize(("expected", "form"), [('"\\ud83d"', "json"), ('"\ufffd"', "csv")])
def test_half_a_surrogate_pair_can_be_written(expected, form, monkeypatch, capsys):
    given(monkeypatch, '<Obj RefId="0"><MS><S N="a">_xD83D_</S></MS></Obj>')
    assert 0 == main(["convert", "--to", form])
    assert expected in capsys.readouterr().out


def test_a_dropped_property_is_a_notice_of_one_line(monkeypatch, capsys):
    given(monkeypatch, '<Obj RefId="0"><MS><S N="a">1</S></MS></Obj><Obj RefId="1"><MS><S N="b">1</S></MS></Obj>')
    assert 0 == main(["convert", "--to", "csv"])
    notice = "Warning: record 2 has a property 'b' that the first record lacks; CSV drops such properties.\n"
    assert ('"a"\n"1"\n', notice) == capsys.readouterr()


def test_validate_takes_gzip_and_standard_input(monkeypatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    packed = tmp_path / "objects.xml.gz"
    packed.write_bytes(gzip.compress(DOCUMENT.encode("utf-16")))
    assert 0 == main(["validate", str(packed)])
    assert f"{packed}: meets clixml.xsd\n" == capsys.readouterr().out
    for arguments in ([], ["-"]):
        given(monkeypatch, "<I32>1</I32>")
        assert 0 == main(["validate", *arguments])
        assert "standard input: meets clixml.xsd\n" == capsys.readouterr().out


def test_validate_names_damaged_gzip(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    packed = tmp_path / "half.gz"
    packed.write_bytes(gzip.compress(DOCUMENT.encode())[:-20])
    assert 2 == main(["validate", str(packed)])
    assert "gzip data is damaged" in " ".join(capsys.readouterr().err.split())


def test_validate_ends_in_time_on_an_element_of_many_attributes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """To look at all of them takes minutes; more than any of ours has is refused at once, with its line."""
    wide = tmp_path / "wide.xml"
    attributes = " ".join(f'a{number}="1"' for number in range(100_000))
    wide.write_text(f"<Objects>\n<Object {attributes}/></Objects>", encoding="utf-8")
    assert 2 == main(["validate", str(wide)])
    assert "line 2: the element Object has too many attributes; expected at most 100." in " ".join(
        capsys.readouterr().err.split()
    )
