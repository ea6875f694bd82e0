"""Whatever comes in: an InputError with its place, in bounded time and memory; or the value."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc

import pytest

from cauctl.errors import InputError
from cauctl.psobject import (
    Limits,
    convert_to_xml,
    custom_object,
    iter_clixml,
    read_clixml,
    read_fragment,
    read_streams,
    write_clixml,
)

INT32 = "a whole number from -2147483648 to 2147483647"
DATE = "a date such as 2026-11-22T15:40:01.1234567Z"
REFERENCE = "&lt; &gt; &amp; &quot; &apos; or &#number;"
START = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
END = "</Objs>"


def document(body: str) -> str:
    return f"{START}{body}{END}"


def refusal(text: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read_clixml(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "expected"),
    [
        ("", 1, 1, "The text ends too early.", f"{START}"),
        ("x", 1, 1, "Text stands where only elements may stand.", "an element"),
        ("<Objs/>", 1, 2, "The root element is Objs in no namespace.", START),
        (document("\n  <Foo>1</Foo>"), 2, 4, "The element Foo is not known here.", "a value (S, I32, Nil, Obj, Ref …)"),
        (document("\n<I32>x</I32>"), 2, 6, "'x' is no I32.", INT32),
        (document("<I32>2147483648</I32>"), 1, 86, "'2147483648' is no I32.", INT32),
        (document("<DT>2026-02-30T00:00:00</DT>"), 1, 85, "'2026-02-30T00:00:00' is no DT.", DATE),
        (document("<DT>15:40:01</DT>"), 1, 85, "'15:40:01' is no DT.", DATE),
        (document("<TS>P1W</TS>"), 1, 85, "'P1W' is no TS.", "a duration such as P1DT2H3M4.5S or -PT5M"),
        (document("<SS>secret</SS>"), 1, 85, "The text is no SS.", "a protected string in hexadecimal digits"),
        (
            document('<Ref RefId="7" />'),
            1,
            82,
            "No object with RefId '7' stands before.",
            "the RefId of an earlier Obj",
        ),
        (
            document('\n<Obj RefId="0"><TNRef RefId="3" /></Obj>'),
            2,
            34,
            "No type names with RefId '3' stand before.",
            "the RefId of an earlier TN",
        ),
        (document('<Obj RefId="0"><MS><I32>1</I32></MS></Obj>'), 1, 101, "The member I32 has no name.", 'N="…"'),
        (document("<I32>1</S>"), 1, 87, "The element I32 is not closed here.", "</I32>"),
        (
            document('<Obj RefId="0"><MS><MS N="Set"><S N="PSBase">x</S></MS></MS></Obj>'),
            1,
            101,
            "A member of the set has a name that PowerShell reserves.",
            "another name",
        ),
        (START + "<I32>1", 1, 87, "The text ends too early.", "</I32>"),
        (document("\n \x01"), 2, 2, "The character U+0001 is not allowed in XML.", "an element"),
        (document("<S>a\x01b</S>"), 1, 85, "The character U+0001 is not allowed in XML.", "</S>"),
        (document("<S>\ud800</S>"), 1, 84, "The character U+D800 is not allowed in XML.", "</S>"),
        (document("<S>a & b</S>"), 1, 86, "The reference is malformed or unknown.", REFERENCE),
        (document("<S>&lol9;</S>"), 1, 84, "The reference is malformed or unknown.", REFERENCE),
        (document("<S>]]></S>"), 1, 84, "The characters ]]> stand in a text.", "]]&gt;"),
        (document("<S><b/></S>"), 1, 84, "The element S holds markup.", "text and </S>"),
        (document('<I32 N="a" N="b">1</I32>'), 1, 92, "The attribute N stands twice.", "each attribute once"),
        (document("<q:I32>1</q:I32>"), 1, 82, "The prefix 'q' is not declared.", "a declared prefix, or none"),
        ("<!DOCTYPE x>" + document(""), 1, 1, "A document type declaration is not accepted.", "an element"),
        (START.replace("1.1.0.1", "2.0") + END, 1, 2, "The version '2.0' is not supported.", "1.1.0.1 or 1.x"),
        (document("") + "x", 1, 88, "Text stands where only elements may stand.", "an element"),
        (document("") + "<x/>", 1, 88, "Something follows the document.", "the end"),
        ("#< CLIXML\n" + document(""), 1, 1, "Text stands where only elements may stand.", "an element"),
    ],
)
def test_a_refusal_says_where_what_and_what_instead(text, line, column, message, expected):
    found = refusal(text)

    assert (found.line, found.column, found.expected) == (line, column, expected)
    assert found.message.startswith(f"line {line}, column {column}: {message.rstrip('.')}")


def test_every_beginning_of_a_document_is_refused():
    """A document that is cut off anywhere, by characters or by bytes, never gives values, and never another error."""
    whole = write_clixml([custom_object({"Größe": [1, "a&b\U0001f600", None, {"k": 1.5}], "b": custom_object()})])
    data = whole.encode("utf-8")

    for end in range(len(whole)):
        assert refusal(whole[:end]).line
    for end in range(len(data)):
        assert refusal(data[:end]).line


@pytest.mark.parametrize("tag", ["Obj", "MS", "LST", "Nil", "X", "En", "S", "TN", "PR", "Ref"])
@pytest.mark.parametrize("close", [True, False], ids=["closed", "open"])
def test_a_hundred_thousand_levels_end_in_time_without_recursion(tag, close):
    levels = 100_000
    inside = {"MS": '<Obj RefId="0">' + '<MS N="a">' * levels, "LST": '<Obj RefId="0"><LST>' * levels}
    opened = inside.get(tag, f'<{tag} RefId="1" N="a">' * levels)
    text = document(opened + (f"</{tag}>" * levels if close else ""))
    begun = time.monotonic()

    if tag == "Nil" and close:
        assert read_clixml(text) == [None]
    else:
        assert refusal(text).line == 1
    assert time.monotonic() - begun < 5


def test_entities_do_not_multiply():
    bomb = (
        '<!DOCTYPE a [<!ENTITY e "' + "x" * 1000 + '">' + "".join(f'<!ENTITY e{n} "&e;&e;">' for n in range(20)) + "]>"
    )

    assert "document type" in refusal(bomb + document("<S>&e19;</S>")).message
    inner = (bomb + "<a>&e19;</a>").replace("&", "&amp;").replace("<", "&lt;")
    assert "XD" in refusal(document(f"<XD>{inner}</XD>")).message


def test_a_string_of_fifty_megabytes_is_refused_and_a_limit_lets_it_pass():
    text = document(f"<S>{'x' * 50_000_000}</S>")
    begun = time.monotonic()

    assert refusal(text).expected == "at most 33554432 (see Limits)"
    assert time.monotonic() - begun < 5
    assert len(read_clixml(text, limits=Limits(text=1 << 30))[0]) == 50_000_000


def test_a_small_gzip_of_a_huge_document_stops_at_the_limit():
    packed = gzip.compress(document("<I32>1</I32>" * 200_000).encode())
    tracemalloc.start()

    with pytest.raises(InputError, match="more than 1000000 characters"):
        read_clixml(packed, limits=Limits(document=1_000_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 80_000_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (document("<S>ü</S>").encode("latin-1"), "The bytes are no UTF-8"),
        (document("<S>a</S>").encode("utf-16-le") + b"\x00", "The text ends too early"),
        (
            b"\xff\xfe" + document("<S>a</S>").encode("utf-16-le") + b"\x00\xd8",
            "Something follows|The bytes are no UTF-16",
        ),
        (b'<?xml version="1.0" encoding="windows-1252"?>' + document("").encode(), "declared as windows-1252"),
        (b'<?xml version="1.0" encoding="utf-16"?>' + document("").encode(), "declared as utf-16"),
        (b"\x1f\x8b\x08\x00broken", "The gzip data is damaged"),
        (gzip.compress(document("<I32>1</I32>" * 1000).encode())[:-20], "The gzip data is damaged"),
    ],
)
def test_bytes_that_are_no_such_text_are_refused(data, message):
    with pytest.raises(InputError, match=message) as caught:
        read_clixml(data if not data.endswith(b"\x00") or data.startswith(b"\xff\xfe") else data[:-3])
    assert caught.value.line == 1


@pytest.mark.parametrize("source", [42, None, io.StringIO("<x/>"), object()], ids=lambda source: type(source).__name__)
def test_what_is_no_source_is_refused(source):
    with pytest.raises(InputError):
        read_clixml(source)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.clixml: The file cannot be read: No such file or directory"):
        read_clixml(tmp_path / "gone.clixml")


def test_values_before_an_error_come_out_of_a_stream():
    values = iter_clixml(document("<I32>1</I32><I32>2</I32><I32>x</I32>").encode())

    assert [next(values), next(values)] == [1, 2]
    with pytest.raises(InputError):
        next(values)


@pytest.mark.parametrize("text", ["", " ", "x", "<S>a</S><S>b</S>", "<S>a", "<Foo/>", '<Ref RefId="0" />', "<S>a</S>x"])
def test_fragments_that_are_none_are_refused(text):
    with pytest.raises(InputError):
        read_fragment(text)


def test_lines_between_printed_documents_must_be_known():
    with pytest.raises(InputError) as caught:
        read_streams(f"#< CLIXML\n{document('')}\n#< JSON\n{document('')}")

    assert (caught.value.line, caught.value.expected) == (3, "#< CLIXML or a document")


def names(*given: str) -> str:
    members = "".join(f'<S N="{name}">x</S>' for name in given)
    return document(f'<Obj RefId="0"><MS>{members}</MS></Obj>')


@pytest.mark.parametrize(
    "text",
    [
        names(*(f"{letter}{number}" for number in range(15_000) for letter in "nN")),
        names(*(f"n{number}" for number in range(30_000))),
        document(
            '<Obj RefId="0"><TN RefId="0"><T>System.Net.Mail.MailAddress</T></TN>'
            f"<ToString>{' ' * 100_000}</ToString></Obj>"
        ),
    ],
    ids=["names that differ in case", "many names", "blanks where an address is expected"],
)
def test_time_grows_no_faster_than_the_text(text):
    """Reading, converting and making plain; twice as many would take four times as long else, minutes here."""
    began = time.monotonic()
    values = read_clixml(text)
    convert_to_xml(values * 2, as_="String")
    values[0].to_python()
    assert 5 > time.monotonic() - began
