"""Texts of addresses give what .NET's IPAddress and MailAddress gave for the same texts."""

from __future__ import annotations

import time

import pytest

from cauctl.psobject.addresses import ip_address, ip_text, mail_parts


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("1.2.0.3", "1.2.3"),
        ("127.0.0.1", "0x7f.1"),
        ("127.0.0.1", "0177.0.0.1"),
        ("0.0.0.127", "127"),
        ("255.255.255.255", "0xFFFFFFFF"),
        ("1.2.3.4", "0000000000000001.2.3.4"),
        ("::1", "[::1]"),
        ("::1", "[::1]:0x50"),
        ("::1", "[::1]:"),
        ("::1%5", "[::1%5]"),
        ("::1", "::1%"),
        ("2001:db8::1", "2001:DB8:0::1%0"),
        ("::%1", "::%1"),
        ("::ffff:1.2.3.4", "::FFFF:1.2.3.4"),
        ("::ffff:0:1.2.3.4", "::ffff:0:1.2.3.4"),
        ("::1.2.3.4", "::1.2.3.4"),
        ("::5:102:304", "::5:1.2.3.4"),
        ("64:ff9b::102:304", "64:ff9b::1.2.3.4"),
        ("fe80::5efe:1.2.3.4", "fe80::5efe:1.2.3.4"),
        ("1:0:0:2::3", "1:0:0:2:0:0:0:3"),
        ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7::"),
    ],
)
def test_an_ip_address_prints_in_its_shortest_form(expected, text):
    address = ip_address(text)
    assert address is not None
    assert expected == ip_text(address)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0x", "1..2", "08.1.1.1", "1.2.3.256", "1.2.65536", "256.1", "4294967296", "1.2.3.4.5", "1.0x1000000"),
        *("1.2.3.4 ", " 1.2.3.4", "1.2.3.4:5", "[1.2.3.4]", "[::1", "::1]", "::1/64", "::ffff:0x7f.1", "::1:"),
    ],
)
def test_other_texts_are_no_ip_address(text):
    assert None is ip_address(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (("", "a", "b"), "a@b"),
        (("", "a", "b"), "<a@b>"),
        (("A", "a", "b"), "A<a@b>"),
        (("A B", "a", "b"), "  A B  <a@b> "),
        (("A, B", "a", "b"), '"A, B" <a@b>'),
        (("A (x)", "a", "b"), "A (x) <a@b>"),
        (("A", "a", "b"), '"A" (x) <a@b>'),
        (("", "a", "b"), '"" <a@b>'),
        (('x\\"y', "a", "b"), '"x\\"y" <a@b>'),
        (("", "a", "b"), "a (c) @ (d) b (e)"),
        (("", "a", "b"), "a@(x(y)z)b"),
        (("A", "a", "b"), "A <(x)a(y)@(z)b(w)>"),
        (("", '"a b"', "c"), '"a b"@c'),
        (("", '"a@b"', "c"), '"a@b"@c'),
        (("a", '"b"', "d"), 'a"b"@d'),
        (("A", '"q u"', "h"), 'A <"q u"@h>'),
        (("x", "a", "b"), "x a@b"),
        (("a@b,", "c", "d"), "a@b, c@d"),
        (("", "a.", "b."), "a.@b."),
        (("", "a", "[1.2.3.4]"), "a@[1.2.3.4]"),
        (("", "é", "é"), "é@é"),
    ],
)
def test_a_mail_address_has_a_name_a_user_and_a_host(expected, text):
    assert expected == mail_parts(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "@b", "a@", "<>", "(a)", "a@b@c", "a..b@c", ".a@b", "a@.b", "a@b..c", "a@b c", "a@b>", "<a@b"),
        *('A "B" <a@b>', '"A" B <a@b>', '"A <a@b>', "A <a@b> x", "a[b@c", "a;b@c", "a:b@c", "a,b@c", "a@b\\c"),
        *("a@(b", "a)@b", "a@b)c", "a@[1]x", "a@[a]b]"),
    ],
)
def test_other_texts_are_no_mail_address(text):
    assert None is mail_parts(text)


@pytest.mark.parametrize("piece", [" ", "(", "()", "a", "a.", '"', "\\", "<", "a@", "( "])
def test_a_text_of_any_length_is_judged_in_bounded_time(piece):
    begun = time.monotonic()
    for length in (400, 1_000_000):
        mail_parts(piece * length)
        mail_parts(f"{piece * length}@b")
        ip_address(f"{piece * length}:")
    assert time.monotonic() - begun < 2
