"""The Document form and .NET's texts of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cauctl.errors import InputError
from cauctl.psobject import convert_to_xml, custom_object, outer_xml, save_xml
from tests.psobject.recorded_rows import document

# LoadXml, OuterXml and Save of .NET 10, from a one-off run.
MIXED = (
    '<Objects><Object Type="S"> </Object><Object><Property Name="a&#x9;b&#xA;c&#xD;d&quot;e\'f&lt;&gt;&amp;">x\ny'
    "&#xD;&#x9;&gt;&quot;</Property><P> </P><Q><!--c--><R/>t<S/></Q></Object></Objects>"
)
MIXED_OUTER = (
    '<?xml version="1.0" encoding="utf-8"?><Objects><Object Type="S"></Object><Object>'
    '<Property Name="a\tb&#xA;c&#xD;d&quot;e\'f&lt;&gt;&amp;">x\ny\r\t&gt;"</Property><P></P>'
    "<Q><!--c--><R />t<S /></Q></Object></Objects>"
)
MIXED_SAVED = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<Objects>\n  <Object Type="S">\n  </Object>\n  <Object>\n'
    '    <Property Name="a\tb&#xA;c&#xD;d&quot;e\'f&lt;&gt;&amp;">x\ny\r\t&gt;"</Property>\n    <P>\n    </P>\n'
    "    <Q>\n      <!--c-->\n      <R />t<S /></Q>\n  </Object>\n</Objects>"
)


def mixed() -> etree._ElementTree:
    root = etree.fromstring(MIXED)
    for element in root.iter("Object", "P"):
        if element.text == " ":
            element.text = ""
    return root.getroottree()


def test_outer_xml_writes_what_dotnet_writes():
    assert MIXED_OUTER == outer_xml(mixed())


def test_save_xml_writes_what_dotnet_writes(tmp_path):
    """Mixed content stays as it is; the end tag of an empty pair stands on a line of its own."""
    save_xml(mixed(), tmp_path / "t.xml")
    assert MIXED_SAVED.encode() == (tmp_path / "t.xml").read_bytes()


def test_save_xml_writes_the_recorded_bytes(tmp_path):
    extras = document("convertto-xml/extras.json")["extras"]
    recorded = next(extra["output"] for extra in extras if extra["name"] == "xml document saved")
    save_xml(convert_to_xml(5), tmp_path / "t.xml")
    assert bytes.fromhex(recorded.replace("-", "")) == (tmp_path / "t.xml").read_bytes()


def test_save_xml_leaves_the_file_that_was_there_when_it_fails(tmp_path):
    """Here a folder is in the way; nothing half written stays behind."""
    (tmp_path / "t.xml").mkdir()
    with pytest.raises(InputError, match="cannot be used"):
        save_xml(convert_to_xml(5), tmp_path / "t.xml")
    assert ["t.xml"] == [each.name for each in tmp_path.iterdir()]


def test_save_xml_takes_the_line_end_of_windows(tmp_path):
    save_xml(convert_to_xml(5), str(tmp_path / "t.xml"), newline="\r\n")
    assert b"\r\n<Objects>\r\n  <Object" in (tmp_path / "t.xml").read_bytes()


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ('<Object Type="System.String"></Object>', ""),
        ('<Object Type="System.String"></Object>', " \t\r\n"),
        ('<Object Type="System.String">\xa0</Object>', "\xa0"),
        ('<Object Type="System.String">\x85</Object>', "\x85"),
        ('<Object Type="System.String"> x </Object>', " x "),
        ('<Object Type="System.String">a\nb\nc\nd</Object>', "a\r\nb\rc\nd"),
        ("<Object />", None),
    ],
    ids=str,
)
def test_blank_text_is_dropped_and_its_pair_stays(expected, value):
    """R8, R9, R12."""
    assert f"<Objects>{expected}</Objects>" in outer_xml(convert_to_xml([value]))


def test_an_empty_pair_and_the_short_form_are_told_apart():
    tree = convert_to_xml([custom_object({"empty": "", "null": None})])
    assert ["", None] == [each.text for each in tree.iterfind("Object/Property")]


def test_names_keep_their_tabs_and_line_ends():
    tree = convert_to_xml([custom_object({"a\tb\nc\rd\"'<": 1})])
    assert "a\tb\nc\rd\"'<" == tree.find("Object/Property").get("Name")
    assert '<Property Name="a\tb&#xA;c&#xD;d&quot;\'&lt;" ' in outer_xml(tree)


def test_a_document_without_records_is_an_empty_root():
    assert '<?xml version="1.0" encoding="utf-8"?><Objects />' == outer_xml(convert_to_xml([]))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1))
def test_a_text_comes_out_of_the_document_as_it_went_in(text):
    (element,) = convert_to_xml([f"x{text}"]).getroot()
    assert f"x{text}" == element.text
