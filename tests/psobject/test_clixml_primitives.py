"""Odd texts of primitives are read as .NET reads them; the recorded documents show the usual ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

import pytest

from cauctl.errors import InputError
from cauctl.psobject import read_clixml

GUID = UUID("42bef424-0001-0002-0304-05060708090a")


def read(tag: str, text: str) -> Any:
    (value,) = read_clixml(
        f'<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><{tag}>{text}</{tag}></Objs>'
    )
    return value


@pytest.mark.parametrize(
    ("days", "text"),
    [(330, "P11M"), (365, "P12M"), (395, "P13M"), (2155, "P71M"), (760, "P1Y13M"), (0, "P0M"), (-395, "-P13M")],
)
def test_twelve_months_of_a_duration_are_a_year(days, text):
    """A month is 30 days, a year 365."""
    assert timedelta(days=days) == read("TS", text).to_python()


@pytest.mark.parametrize(
    "text",
    [
        "{0x42bef424,0x0001,0x0002,{0x03,0x04,0x05,0x06,0x07,0x08,0x09,0x0a}}",
        "{0x42BEF424, 0x1, 0x2, {0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xA}}",
        "{0X042bef424,0x00001,0x2,{0x003,0x4,0x5,0x6,0x7,0x8,0x9,0xa}}",
    ],
)
def test_a_guid_may_be_written_as_numbers(text):
    assert GUID == read("G", text)


@pytest.mark.parametrize(
    "text",
    [
        "{0x42bef424,0x0001,0x0002,{0x03,0x04,0x05,0x06,0x07,0x08,0x09,0x10a}}",
        "{0x42bef424,0x0001,0x0002,{0x03,0x04,0x05,0x06,0x07,0x08,0x09}}",
        "{42bef424,0001,0002,{03,04,05,06,07,08,09,0a}}",
    ],
)
def test_other_numbers_are_no_guid(text):
    with pytest.raises(InputError, match="is no G; expected a GUID such as"):
        read("G", text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("01234567-09ab-0def-0123-056789abcdef", "+1234567-+9ab-+def-+123-+56789abcdef"),
        ("00034567-0012-cdef-0001-000789abcdef", "{+0x34567-0X12-cdef-+0x1-+0x789abcdef}"),
    ],
)
def test_the_parts_of_a_guid_may_have_a_sign_and_a_prefix(expected, text):
    assert UUID(expected) == read("G", text)


@pytest.mark.parametrize(
    "text",
    [
        *("+2bef0123-89ab-cdef-0123-456789abcdef0", "0x+34567-89ab-cdef-0123-456789abcdef"),
        *("-1234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-4567+89abcde"),
        *("01234567-89ab-cdef-0123-45670x89abcd", "+0123456789abcdef0123456789abcdef"),
        *("0x00000x-89ab-cdef-0123-456789abcdef", "+2345678+89ab-cdef-0123-456789abcdef"),
    ],
)
def test_signs_elsewhere_make_no_guid(text):
    with pytest.raises(InputError, match="is no G; expected a GUID such as"):
        read("G", text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "PT.S"), (0, "-PT.S"), (60, "PT1M.S"), (1, "PT1.S"), (0.5, "PT.5S"), (86400, "P1DT.S")]
)
def test_seconds_of_a_duration_may_lack_digits_around_the_point(seconds, text):
    assert timedelta(seconds=seconds) == read("TS", text).to_python()


@pytest.mark.parametrize("text", ["PTS", "PT1MS", "PT.", "P.S"])
def test_seconds_without_point_and_digit_are_no_duration(text):
    with pytest.raises(InputError, match="is no TS; expected a duration such as"):
        read("TS", text)


DOCTYPES = (
    *("<!DOCTYPE a><a/>", "<!DOCTYPE p:a ><a/>", " \n<!-- x --><?p?><!DOCTYPE a><!-- y --><a/>", "<!DOCTYPE a []><a/>"),
    *('<?xml version="1.0"?><!DOCTYPE a SYSTEM "x"><a/>', "<!DOCTYPE a PUBLIC 'x'  \"y\" [ ] ><a/>"),
    "<!DOCTYPE a[<!ELEMENT a ANY><!ELEMENT b (c|d)* ><!-- > ] --><?p ]> ?>%x;]><a/>",
    "<!DOCTYPE a [<!ATTLIST a b CDATA ']>' c CDATA #IMPLIED><!NOTATION n PUBLIC 'x'>]><a/>",
    "<!DOCTYPE a [<!ENTITY e \"]>\"><!ENTITY % f SYSTEM 'x'><!ENTITY g SYSTEM 'x' NDATA n>]><a/>",
)
NO_DOCTYPES = (
    *("<!DOCTYPE a>", "<!DOCTYPE 1a><a/>", "<!DOCTYPE a foo><a/>", "<!doctype a><a/>", "<a><!DOCTYPE a></a>"),
    *('<!DOCTYPE a PUBLIC "x"><a/>', "<!DOCTYPE a><!DOCTYPE a><a/>", "<!DOCTYPE a [foo]><a/>", "<!DOCTYPE><a/>"),
    *("<!DOCTYPE a [<!FOO a ANY>]><a/>", "<!DOCTYPE a [<!ELEMENT a>]><a/>", '<!DOCTYPE a [<!ELEMENT a "x>">]><a/>'),
    *("<!DOCTYPE a [<!ELEMENT a ANY>", "<!DOCTYPE a [<!ENTITY e>]><a/>", "<!DOCTYPE a [<!-- -- -->]><a/>"),
)


@pytest.mark.parametrize("text", DOCTYPES)
def test_an_xml_document_may_have_a_document_type(text):
    assert text == read("XD", escape(text)).text


@pytest.mark.parametrize("text", NO_DOCTYPES)
def test_a_document_type_must_be_one(text):
    with pytest.raises(InputError, match="is no XD; expected an XML document"):
        read("XD", escape(text))


@pytest.mark.parametrize("white", ["\x85", "\xa0", "\u2003", "\u2028", "&#11;"])
def test_white_space_of_any_kind_around_dates_durations_and_guids_does_not_count(white):
    assert GUID == read("G", f"{white}{GUID}{white}")
    assert timedelta(hours=1) == read("TS", f"{white}PT1H{white}").to_python()
    assert 2026 == read("DT", f"{white}2026-01-02T03:04:05{white}").to_python().year
