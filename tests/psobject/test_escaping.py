"""Characters of XML as .NET's writer puts them (R6 to R11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.psobject.escaping import IllegalCharacterError, attribute_text, element_text, is_plain

HIGH_NEEDS_LOW = (
    "A high surrogate character (0xD800 - 0xDBFF) must always be paired with a low surrogate character "
    "(0xDC00 - 0xDFFF)."
)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("&amp;&lt;&gt;\"'", "&<>\"'"),
        ("]]&gt;", "]]>"),
        ("&amp;amp; &amp;#65;", "&amp; &#65;"),
        ("a|b|c|d", "a\r\nb\rc\nd"),
        ("||", "\n\r"),
        ("\t\x7f\x85\x9f\xa0\u2028\ufeff\ufffd\U0001f600", "\t\x7f\x85\x9f\xa0\u2028\ufeff\ufffd\U0001f600"),
        ("\U0001f600", "\ud83d\ude00"),
    ],
    ids=ascii,
)
def test_texts_are_escaped_and_lines_end_as_asked(expected, text):
    assert expected == element_text(text, "|")


@pytest.mark.parametrize(
    ("expected", "text"),
    [("&amp;&lt;&gt;&quot;'", "&<>\"'"), ("&#x9;&#xA;&#xD;", "\t\n\r"), ("\xa0\x85", "\xa0\x85")],
    ids=ascii,
)
def test_attributes_are_escaped_further(expected, text):
    assert expected == attribute_text(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("'.', hexadecimal value 0x00, is an invalid character.", "a\x00"),
        ("'\x0b', hexadecimal value 0x0B, is an invalid character.", "\x0b"),
        ("'\uffff', hexadecimal value 0xFFFF, is an invalid character.", "x\uffff"),
        ("The surrogate pair is invalid. Missing a low surrogate character.", "a\ud83d"),
        (
            f"The surrogate pair (0xD83D, 0x78) is invalid. {HIGH_NEEDS_LOW}",
            "\ud83dx",
        ),
        (
            f"The surrogate pair (0xD83D, 0xD83D) is invalid. {HIGH_NEEDS_LOW}",
            "\ud83d\U0001f600",
        ),
        (
            (
                "Invalid high surrogate character (0xDE00). A high surrogate character must have a value from range "
                "(0xD800 - 0xDBFF)."
            ),
            "\ude00b",
        ),
    ],
    ids=ascii,
)
def test_what_xml_cannot_hold_is_refused_in_dotnets_words(expected, text):
    for escape in (lambda: element_text(text, "\n"), lambda: attribute_text(text)):
        with pytest.raises(IllegalCharacterError) as caught:
            escape()
        assert expected == str(caught.value)


@given(st.text(), st.sampled_from(["\n", "\r\n"]))
def test_a_plain_text_is_its_own_element_text(text, newline):
    if is_plain(text, newline):
        assert text == element_text(text, newline)
