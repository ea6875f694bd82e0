"""Import-Clixml, Export-Clixml and their kin as Python functions."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

import cmdlets as cau
from cauctl.errors import InputError
from cauctl.models.updates import UpdateInfo
from cauctl.psobject import PSObject, custom_object, to_python

ROOT = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
UPDATE = UpdateInfo("N1", update_id="5c6b-1", update_title="2026-11 Cumulative Update (KB5066782)", source_plugin=None)


def plain(values: list[object]) -> list[object]:
    return [to_python(value) for value in values]


def test_objects_come_back_from_a_file(tmp_path):
    path = tmp_path / "scan.clixml"

    cau.export_clixml([UPDATE, {"k": [1, None]}, "text"], path)
    update, table, text = cau.import_clixml(path)

    assert update.type_names[0] == "Microsoft.ClusterAwareUpdating.UpdateInfo"
    assert (update["nodename"], update["SourcePlugin"]) == ("N1", None)
    assert (table.to_python(), text) == ({"k": [1, None]}, "text")
    assert plain(cau.import_clixml(str(path))) == plain([update, table, text])


def test_a_model_is_written_as_the_dotnet_object_that_it_stands_for():
    """A class of Microsoft's, with .NET properties in its order, no notes."""
    text = cau.convert_to_clixml(UPDATE)

    assert text == (
        f"""{ROOT}
  <Obj RefId="0">
    <TN RefId="0">
      <T>Microsoft.ClusterAwareUpdating.UpdateInfo</T>
      <T>Microsoft.ClusterAwareUpdating.UpdateInfoBase</T>
      <T>System.Object</T>
    </TN>
    <ToString>Microsoft.ClusterAwareUpdating.UpdateInfo</ToString>
    <Props>
      <S N="NodeName">N1</S>
      <S N="UpdateId">5c6b-1</S>
      <S N="UpdateTitle">2026-11 Cumulative Update (KB5066782)</S>
      <Nil N="UpdateDescription" />
      <Nil N="SourcePlugin" />
    </Props>
  </Obj>
</Objs>"""
    )


@pytest.mark.parametrize(
    ("skip", "first", "expected"),
    [
        (0, None, [0, 1, 2, 3, 4]),
        (2, None, [2, 3, 4]),
        (0, 2, [0, 1]),
        (1, 2, [1, 2]),
        (9, 2, []),
        (0, 0, []),
    ],
)
def test_skip_and_first_take_a_part(skip, first, expected, tmp_path):
    path = tmp_path / "numbers.clixml"
    cau.export_clixml(range(5).__iter__(), path)

    assert cau.import_clixml(path, skip=skip, first=first) == expected
    assert cau.import_clixml(io.BytesIO(path.read_bytes()), skip=skip, first=first) == expected


def test_what_follows_the_first_objects_is_not_looked_at(tmp_path):
    path = tmp_path / "cut.clixml"
    path.write_text(f"{ROOT}<I32>1</I32><I32>2</I32><I32>", encoding="utf-8")

    assert cau.import_clixml(path, first=2) == [1, 2]
    with pytest.raises(InputError, match="ends too early"):
        cau.import_clixml(path)


@pytest.mark.parametrize(("name", "count"), [("skip", -1), ("first", -2)])
def test_counts_below_zero_are_refused(name, count, tmp_path):
    with pytest.raises(InputError, match=name):
        cau.import_clixml(tmp_path / "a", **{name: count})


def test_files_of_windows_powershell_are_written_and_read(tmp_path):
    path = tmp_path / "51.clixml"

    cau.export_clixml(["é"], path, windows_powershell=True)

    assert path.read_bytes() == b"\xff\xfe" + f"{ROOT}\r\n  <S>é</S>\r\n</Objs>".encode("utf-16-le")
    assert cau.import_clixml(path) == ["é"]
    assert cau.convert_to_clixml("é", windows_powershell=True) == f"{ROOT}\r\n  <S>é</S>\r\n</Objs>"
    assert cau.convert_to_clixml("é", newline="\r\n") == f"{ROOT}\r\n  <S>é</S>\r\n</Objs>"


def test_printed_and_packed_files_are_imported(tmp_path):
    path = tmp_path / "printed.clixml.gz"
    path.write_bytes(gzip.compress(f'#< CLIXML\r\n{ROOT}<S S="Error">no</S></Objs>'.encode()))

    assert cau.import_clixml(path) == ["no"]
    assert cau.convert_from_clixml(f"#< CLIXML\r\n{ROOT}<I32>1</I32></Objs>") == [1]


def test_no_clobber_keeps_the_file(tmp_path):
    path = tmp_path / "a.clixml"
    cau.export_clixml(1, path)

    with pytest.raises(InputError, match="exists"):
        cau.export_clixml(2, path, no_clobber=True)
    cau.export_clixml(3, path)
    assert cau.import_clixml(path) == [3]


def test_depth_is_powershells_two_by_default():
    inner = PSObject(type_names=("C", "System.Object"), text="c", adapted={"x": 1})
    middle = PSObject(type_names=("B", "System.Object"), text="b", adapted={"c": inner})
    outer = PSObject(type_names=("A", "System.Object"), text="a", adapted={"b": middle})

    (two,), (three,) = (
        cau.convert_from_clixml(cau.convert_to_clixml(outer)),
        cau.convert_from_clixml(cau.convert_to_clixml(outer, depth=3)),
    )
    assert (two["b"]["c"], three["b"]["c"]["x"]) == ("c", 1)


def test_one_value_is_one_record_and_a_list_is_many():
    assert cau.convert_from_clixml(cau.convert_to_clixml([1, 2])) == [1, 2]
    assert plain(cau.convert_from_clixml(cau.convert_to_clixml([[1, 2]]))) == [[1, 2]]
    assert plain(cau.convert_from_clixml(cau.convert_to_clixml(custom_object({"a": 1})))) == [{"a": 1}]
    assert cau.convert_from_clixml(cau.convert_to_clixml([])) == []


def test_a_profile_saved_by_powershell_is_a_hashtable(tmp_path):
    """Updating Run Profiles are CLIXML files of one Hashtable."""
    path = tmp_path / "profile.xml"
    path.write_text(
        f"""{ROOT}
  <Obj RefId="0">
    <TN RefId="0">
      <T>System.Collections.Hashtable</T>
      <T>System.Object</T>
    </TN>
    <DCT>
      <En>
        <S N="Key">MaxFailedNodes</S>
        <I32 N="Value">1</I32>
      </En>
    </DCT>
  </Obj>
</Objs>""",
        encoding="utf-8",
    )
    (profile,) = cau.import_clixml(path)

    assert profile["maxfailednodes"] == 1
    assert cau.convert_to_clixml([profile]) == path.read_text(encoding="utf-8")


def test_a_secret_passes_through_and_is_not_shown(tmp_path):
    text = f"{ROOT}\n  <SS>610062006300</SS>\n</Objs>"
    (secret,) = cau.convert_from_clixml(text)
    path = Path(tmp_path, "secret.clixml")
    cau.export_clixml(secret, path)

    assert "6100" not in repr(secret)
    assert path.read_text(encoding="utf-8") == text
