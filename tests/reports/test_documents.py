"""XML is read without entities, document types and network, and every refusal says where."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import TEXTS

from cauctl.errors import InputError
from cauctl.models.schemas import schema
from cauctl.psobject.documents import Element, Schema, escape, parse, serialize, unescape

XSD = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" elementFormDefault="qualified">
<xs:element name="list"><xs:complexType><xs:sequence><xs:element name="n" type="xs:int" maxOccurs="9"/></xs:sequence>
</xs:complexType></xs:element></xs:schema>"""


@given(TEXTS)
def test_escaping_loses_nothing(text: str):
    """Whatever a text holds, XML can hold its escape, and the same text comes back."""
    assert text == unescape(escape(text))
    document = serialize(Element("t", text=escape(text)), namespace="urn:t")
    assert text == unescape(parse(document, source="t.xml").text)


def test_a_document_reads_back_as_it_was_written():
    element = Element("a", attributes={"x": "1\n2"}, children=(Element("b", text=" & "), Element("c")))
    assert element == parse(serialize(element, namespace="urn:t"), source="a.xml")


def test_elements_know_their_children_and_lines():
    root = parse(b"<a>\n<b>1</b>\n<!-- no --><c/><b>2</b></a>", source="a.xml")
    assert (3, "1", None) == (root.children[1].line, root.child("b").text, root.child("d"))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
        b"<!DOCTYPE a><a/>",
    ],
)
def test_a_document_type_is_refused_and_nothing_is_fetched(document: bytes, monkeypatch: pytest.MonkeyPatch):
    def no_network(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    with pytest.raises(InputError, match="a document type is not allowed here; expected a document without DOCTYPE"):
        parse(document, source="a.xml")


@pytest.mark.parametrize(
    ("document", "line", "column"),
    [(b"", 1, 1), (b"<a>\n  <b></a>", 2, 10), (b"<a>&nope;</a>", 1, 10), (b"<a>\xff</a>", 1, 4), (b"<a x=1/>", 1, 6)],
)
def test_what_is_no_xml_is_refused_with_its_place(document: bytes, line: int, column: int):
    with pytest.raises(InputError, match="not well-formed XML") as caught:
        parse(document, source="a.xml")
    assert ("a.xml", line, column) == (caught.value.where, caught.value.line, caught.value.column)


def test_depth_is_limited():
    with pytest.raises(InputError, match="not well-formed XML"):
        parse(b"<a>" * 5000, source="a.xml")


@pytest.mark.parametrize(
    ("document", "line", "column"),
    [
        (b'<list xmlns="urn:t">\n  <n>1</n><!-- <n> -->\n  <n\n   >x</n></list>', 3, 3),
        (b'<list xmlns="urn:t"><n>1</n><n a=">"/></list>', 1, 29),
        (b'<list xmlns="urn:t">\n\n<m/></list>', 3, 1),
        (b'<?xml version="1.0" encoding="utf-16"?><list/>'.decode().encode("utf-16"), 1, 40),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_place(document: bytes, line: int, column: int):
    with pytest.raises(InputError, match=r"expected what list\.xsd says") as caught:
        parse(document, source="a.xml", schema=Schema(XSD, "list.xsd"))
    assert ("a.xml", line, column) == (caught.value.where, caught.value.line, caught.value.column)


def test_a_schema_tells_its_state():
    held = Schema(XSD, "list.xsd")
    assert "Schema('list.xsd', not compiled yet)" == repr(held)
    parse(b'<list xmlns="urn:t"><n>1</n></list>', source="a.xml", schema=held)
    assert "Schema('list.xsd', compiled)" == repr(held)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str):
    with contextlib.suppress(InputError):
        parse(text.encode("utf-8", "surrogatepass"), source="a.xml")


def test_schemas_of_the_project_are_found():
    checkout = Path(__file__).parents[2] / "schemas" / "cau-report.xsd"
    assert checkout.read_bytes() == schema("cau-report.xsd")
