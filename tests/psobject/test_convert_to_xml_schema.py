"""``schemas/convertto-xml.xsd`` accepts what PowerShell wrote and refuses the rest with line and column."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from cauctl.errors import InputError
from cauctl.models.schemas import schema
from cauctl.psobject import convert_to_xml, custom_object
from cauctl.psobject.documents import Schema, parse
from tests.psobject.recorded_rows import rows

SCHEMA = Schema(schema("convertto-xml.xsd"), "convertto-xml.xsd")
DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<Objects>
  <Object Type="System.Management.Automation.PSCustomObject">
    <Property Name="a" Type="System.Int32">1</Property>
    <Property Name="l" Type="System.Object[]">
      <Property Type="System.String">x</Property>
      <Property />
    </Property>
  </Object>
  <Object Type="System.String"></Object>
</Objects>"""
COUNT = 7
"""Elements of the document."""


def place_of(text: str, number: int) -> tuple[int, int]:
    """Line and column of a start tag, counted from 0 in the document."""
    start = [found.start() for found in re.finditer(r"<[A-Za-z]", text)][number]
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)


def with_child(element: Any, tag: str) -> None:
    child = etree.Element(tag)
    child.tail, element.text = element.text, None
    element.insert(0, child)


CHANGES: dict[str, tuple[Callable[[Any], None], int]] = {
    "unknown element": (lambda element: setattr(element, "tag", "Thing"), 0),
    "element in lower case": (lambda element: setattr(element, "tag", element.tag.lower()), 0),
    "element in a namespace": (lambda element: setattr(element, "tag", f"{{urn:x}}{element.tag}"), 0),
    "unknown attribute": (lambda element: element.set("Extra", "1"), 0),
    "attribute in lower case": (lambda element: element.set("type", "System.Int32"), 0),
    "attribute in a namespace": (lambda element: element.set("{urn:x}Type", "System.Int32"), 0),
    "type with blanks": (lambda element: element.set("Type", " System.Int32"), 0),
    "unknown child": (lambda element: with_child(element, "Thing"), 1),
    "root as a child": (lambda element: with_child(element, "Objects"), 1),
}
"""Changes of one element, and how many start tags further on the refusal points."""


def changed(number: int, change: Callable[[Any], None]) -> str:
    root = etree.fromstring(DOCUMENT.encode())
    change(list(root.iter())[number])
    return etree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("number", range(COUNT))
@pytest.mark.parametrize(("change", "further"), CHANGES.values(), ids=CHANGES)
def test_each_change_is_refused_with_line_and_column(number, change, further):
    """63 documents that differ from a good one in one place."""
    text = changed(number, change)
    with pytest.raises(InputError, match=r"expected what convertto-xml\.xsd says") as caught:
        parse(text.encode(), source="x.xml", schema=SCHEMA)
    assert place_of(text, number + further) == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    ("line", "column", "old", "new"),
    [
        (2, 1, "<Objects>", "<Objects>text"),
        (2, 1, "<Objects>", '<Objects Type="T">'),
        (3, 3, "<Object Type", '<Object Name="n" Type'),
        (3, 3, "<Object Type", '<Object Type="T" Name'),
        (3, 3, "<Object ", '<Object Name="" '),
        (10, 3, '<Object Type="System.String"></Object>', "<Property />"),
        (9, 12, "<Property />", "<Property>"),
        (11, 11, "</Objects>", "</Objects><Objects />"),
        (4, 24, 'Name="a"', 'Name="a" Name="b"'),
        (4, 43, ">1<", ">&unknown;<"),
    ],
    ids=str,
)
def test_other_changes_are_refused_too(line, column, old, new):
    text = DOCUMENT.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        parse(text.encode(), source="x.xml", schema=SCHEMA)
    assert line == caught.value.line
    assert column is not None


def test_what_powershell_wrote_is_accepted():
    """Every recorded output that came to its end."""
    count = 0
    for row in rows("convertto-xml/deserialized.jsonl"):
        for output in row["outputs"]:
            text = "".join(output.get("text") or "")
            if text.endswith(("</Objects>", "<Objects />")):
                parse(text.encode(), source=row["name"], schema=SCHEMA)
                count += 1
    assert 9800 < count


def test_what_we_write_is_accepted():
    things = [custom_object({"a": [1, {"k": None}], "n": custom_object({"x": ""})}), None, "x"]
    parse(convert_to_xml(things, as_="String").encode(), source="x.xml", schema=SCHEMA)
