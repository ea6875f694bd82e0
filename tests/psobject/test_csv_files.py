"""CSV files: what Export-Csv writes and Import-Csv reads."""

from __future__ import annotations

import stat

import pytest

import cmdlets
from cauctl.errors import InputError
from cauctl.psobject import PSObject, UnnamedColumnWarning, custom_object
from tests.psobject.recorded_rows import document

THINGS = [custom_object({"a": 1, "b": "x"}), custom_object({"a": 2, "b": 'y "z"\nü'})]


def recorded_bytes(name: str) -> bytes:
    extra = next(extra for extra in document("convertto-xml/extras.json")["extras"] if extra["name"] == name)
    return bytes.fromhex(extra["output"].replace("-", ""))


def bags(objects: list[PSObject]) -> list[dict[str, str | None]]:
    return [dict(each.items()) for each in objects]


def test_a_file_keeps_its_empty_lines(tmp_path):
    """The recorded bytes of a file whose second object has nothing of the first's column."""
    with pytest.warns(UserWarning, match="'b'"):
        cmdlets.export_csv([custom_object({"a": 1}), custom_object({"b": 2})], tmp_path / "t.csv")
    assert recorded_bytes("csv exported second differs") == (tmp_path / "t.csv").read_bytes()


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        ('"a"\n"ü"\n'.encode(), {}),
        ('"a"\n"ü"\n'.encode("utf-8-sig"), {"encoding": "utf8BOM"}),
        (b"\xff\xfe" + '"a"\n"ü"\n'.encode("utf-16-le"), {"encoding": "Unicode"}),
        (b"\xfe\xff" + '"a"\n"ü"\n'.encode("utf-16-be"), {"encoding": "bigendianunicode"}),
        (b"\xff\xfe\0\0" + '"a"\n"ü"\n'.encode("utf-32-le"), {"encoding": "utf32"}),
        (b"\xff\xfe" + '"a"\n"ü"\n'.encode("utf-16-le"), {"encoding": "utf-16"}),
        (b"\xff\xfe\0\0" + '"a"\n"ü"\n'.encode("utf-32-le"), {"encoding": "UTF_32"}),
        ('"a"\n"ü"\n'.encode("cp1252"), {"encoding": "cp1252"}),
        (b'"a"\n"?"\n', {"encoding": "ascii"}),
        (b'"a"\r\n"?"\r\n', {"windows_powershell": True, "no_type_information": True}),
    ],
    ids=str,
)
def test_a_file_has_the_encoding_and_the_line_ends_asked_for(tmp_path, expected, options):
    cmdlets.export_csv(custom_object({"a": "ü"}), tmp_path / "t.csv", **options)
    assert expected == (tmp_path / "t.csv").read_bytes()


@pytest.mark.parametrize("encoding", ["utf8", "utf8BOM", "unicode", "bigendianunicode", "utf32", "bigendianutf32"])
def test_what_was_exported_is_imported_again(tmp_path, encoding):
    """A byte order mark decides; without one it is UTF-8."""
    cmdlets.export_csv(THINGS, tmp_path / "t.csv", encoding=encoding)
    assert [{"a": "1", "b": "x"}, {"a": "2", "b": 'y "z"\nü'}] == bags(cmdlets.import_csv(tmp_path / "t.csv"))


def test_a_lone_surrogate_becomes_the_replacement_character(tmp_path):
    cmdlets.export_csv(custom_object({"a": "x\ud83d"}), tmp_path / "t.csv")
    assert '"a"\n"x\ufffd"\n'.encode() == (tmp_path / "t.csv").read_bytes()


def test_appending_goes_on_with_columns_encoding_and_delimiter(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe" + '"b";"A"\n"1";"2"'.encode("utf-16-le"))
    cmdlets.export_csv(custom_object({"a": "ü", "b": "y"}), path, append=True, delimiter=";")
    assert '"b";"A"\n"1";"2"\n"y";"ü"\n' == path.read_text("utf-16")


@pytest.mark.parametrize("there", [None, b""])
def test_appending_to_nothing_writes_a_file(tmp_path, there):
    if there is not None:
        (tmp_path / "t.csv").write_bytes(there)
    cmdlets.export_csv(THINGS[:1], tmp_path / "t.csv", append=True)
    assert b'"a","b"\n"1","x"\n' == (tmp_path / "t.csv").read_bytes()


def test_appending_what_lacks_a_column_needs_force(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"a","c"\n"1","2"\n')
    with pytest.raises(InputError, match="corresponds to the column 'c'") as caught:
        cmdlets.export_csv(custom_object({"a": 3}), path, append=True)
    assert caught.value.fully_qualified_error_id.startswith("CannotAppendCsvWithMismatchedPropertyNames,")
    assert '"a","c"\n"1","2"\n' == path.read_text()
    cmdlets.export_csv(custom_object({"a": 3}), path, append=True, force=True)
    assert '"a","c"\n"1","2"\n"3",\n' == path.read_text()


def test_no_clobber_keeps_a_file(tmp_path):
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(InputError, match=r"t\.csv: the file exists") as caught:
        cmdlets.export_csv(THINGS, tmp_path / "t.csv", no_clobber=True)
    assert ("NoClobber", "mine") == (caught.value.fully_qualified_error_id, (tmp_path / "t.csv").read_text())


def test_a_record_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "t.csv").write_text("old")
    with pytest.raises(InputError, match="record 2"):
        cmdlets.export_csv([custom_object({"a": 1}), None], tmp_path / "t.csv")
    assert {"t.csv": "old"} == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    path = tmp_path / "t.csv"
    path.touch(mode=0o640)
    cmdlets.export_csv(THINGS, path)
    assert 0o640 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda folder: cmdlets.export_csv([], folder / "none" / "t.csv"), "cannot be used: No such file"),
        (lambda folder: cmdlets.export_csv([], folder / "t.csv", encoding="klingon"), "'klingon' is no encoding"),
        (lambda folder: cmdlets.export_csv([], folder / "t.csv", encoding="base64"), "'base64' is no encoding"),
        (lambda folder: cmdlets.export_csv([], folder / "t.csv", append=True, no_clobber=True), "exclude each other"),
        (lambda folder: cmdlets.import_csv(folder / "none.csv"), "cannot be used: No such file"),
        (cmdlets.import_csv, "cannot be used: Is a directory"),
    ],
    ids=range(6),
)
def test_a_file_that_cannot_be_used_is_an_input_error(tmp_path, call, said):
    with pytest.raises(InputError, match=said):
        call(tmp_path)


def test_bytes_that_are_no_text_are_refused_with_their_place(tmp_path):
    (tmp_path / "t.csv").write_bytes(b'"a"\n"\xff"\n')
    with pytest.raises(InputError, match=r"not utf-8: invalid start byte at byte 5"):
        cmdlets.import_csv(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ([{"a": "1", "b": "2"}], "a,b\n1,2\n"),
        ([{"a": "1", "b": "2"}], "a,b\r\n1,2"),
        ([{"a": "1", "b": "2"}], "a,b\r1,2\r"),
        ([{"a": "x,y", "b": 'q"r'}], 'a,b\n"x,y","q""r"\n'),
        ([{"a": "l\r\nm", "b": ""}], 'a,b\n"l\r\nm",""\n'),
        ([{"a": "", "b": "2"}], "a,b\n,2\n"),
        ([{"a": "1", "b": ""}], "a,b\n1,\n"),
        ([{"a": "1", "b": None}], "a,b\n1\n"),
        ([{"a": "1", "b": None}], "a,b\n1,"),
        ([{"a": "1", "b": "2"}], "a,b\n1,2,3\n"),
        ([{"a": "1", "b": "2"}], "a,b\n\n\n1,2\n\n"),
        ([{"a": "foo ", "b": "x y "}], "a,b\n  foo   ,\tx y \n"),
        ([{"a": "in", "b": "outer"}], 'a,b\n"in"  ,"out"er\n'),
        ([{"a": 'x"y', "b": "2"}], 'a,b\nx"y,2\n'),
        ([{"a": "open,\n1"}], 'a\n"open,\n1'),
        ([{"a": "1"}], "#TYPE X\na\n1\n"),
        ([{"a": "1"}], "#Software: x\n#Version: y\n#Fields: a\n1\n"),
        ([{"a": "1"}], "a,,\n1,2,3\n"),
        ([], "a,b\n"),
        ([], ""),
    ],
    ids=str,
)
def test_csv_is_read_as_powershell_reads_it(expected, text):
    """The rules are those of PowerShell's own reader, from its source."""
    assert expected == bags(cmdlets.convert_from_csv(text))


def test_the_type_line_gives_the_type_name():
    assert ("My.Type", "CSV:My.Type") == cmdlets.convert_from_csv('#TYPE My.Type\n"a"\n"1"')[0].type_names


def test_a_read_type_name_is_written_as_it_was():
    again = cmdlets.convert_to_csv(cmdlets.convert_from_csv('#TYPE My.Type\n"a"\n"1"'), include_type_information=True)
    assert ["#TYPE My.Type", '"a"', '"1"'] == list(again)


def test_a_header_may_be_given():
    assert [{"x": "a", "y": "b"}] == bags(cmdlets.convert_from_csv("a,b\n", header=["x", "y"]))


def test_lines_may_be_given():
    assert [{"a": "1"}] == bags(cmdlets.convert_from_csv(["a", "1\n"]))


def test_unnamed_columns_are_named_with_a_warning():
    with pytest.warns(UnnamedColumnWarning, match="headers were not specified"):
        assert [{"H1": "1", "b": "2", "H2": "3", "d": "4"}] == bags(cmdlets.convert_from_csv(",b,,d\n1,2,3,4"))


def test_a_column_that_comes_twice_is_refused():
    with pytest.raises(InputError, match="'A' is already present"):
        cmdlets.convert_from_csv("a,A\n1,2")


def test_the_cultures_list_separator_may_delimit():
    assert [{"a": "1", "b": "2"}] == bags(cmdlets.convert_from_csv("a;b\n1;2", use_culture=True, culture="de-DE"))


@pytest.mark.parametrize(
    ("expected", "line"), [(None, '1,"'), ("", '1,""'), ("", "1,\n"), (None, "1,"), ('"', '1,"""')]
)
def test_a_quote_that_ends_the_text_opens_no_field(expected, line):
    """As in PowerShell's reader: the field is missing, not empty."""
    (row,) = cmdlets.convert_from_csv(f"a,b\n{line}")
    assert ["1", expected] == [row["a"], row["b"]]
