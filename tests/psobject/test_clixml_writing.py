"""What is written, to the byte, where PowerShell was seen to write it; and what is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest

from cauctl.errors import InputError
from cauctl.psobject import (
    Char,
    DateTime,
    Kind,
    Members,
    MemberSet,
    ProgressRecord,
    PSEnumerable,
    PSObject,
    PSQueue,
    PSStack,
    ScriptBlock,
    SecureString,
    TimeSpan,
    Uri,
    Version,
    XmlDocument,
    array,
    custom_object,
    enum_value,
    hashtable,
    ordered_dictionary,
    read_clixml,
    read_fragment,
    save_clixml,
    write_clixml,
    write_fragment,
)
from tests.psobject.clixml_records import records

RECORDED = {record["name"]: record for record in records("serialize")}
ORDERED = "System.Collections.Specialized.OrderedDictionary"
ROOT = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"'


def net(name: str, /, text: str | None = None, *, bases: tuple[str, ...] = (), **properties: object) -> PSObject:
    """An object of a .NET class."""
    return PSObject(type_names=(name, *bases, "System.Object"), text=name if text is None else text, adapted=properties)


def chain(name: str, *names: str) -> PSObject:
    """A bag in a bag in a bag; the innermost property is 1."""
    return custom_object({name: chain(*names) if names else 1})


def node(name: str, following: PSObject | None = None) -> PSObject:
    return net("Oracle.Node", Name=name, Next=following)


def clock(*parts: int) -> datetime:
    """A clock time without zone."""
    return datetime(*parts)  # noqa: DTZ001  that is what it is


def cyclic_node() -> PSObject:
    found = node("a")
    found["Next"] = found
    return found


def cyclic_list() -> PSObject:
    found = array([1], type_names=("System.Collections.ArrayList", "System.Object"))
    found.base.append(found)
    return found


BASE = net("Oracle.Base", B="b", V="base")
POINT = net("Oracle.Point", "P:q", Name="q", X=1)
POINT["n"] = 1
THREE = node("a", node("b", node("c")))

LIVE = {
    "net-linked/d1": THREE,
    "net-linked/d2": THREE,
    "net-linked/d3": THREE,
    "net-cycle/d1": cyclic_node(),
    "net-cycle/d2": cyclic_node(),
    "pso-shared-net/d1": custom_object({"P": BASE, "Q": BASE}),
    "net-note-nested/d1": custom_object({"p": POINT}),
    "net-note-nested/d2": custom_object({"p": POINT}),
    "list-cycle/d1": cyclic_list(),
    "enum-flags": enum_value("Oracle.Days", "Mon, Wed", 5),
    "stack-empty": PSObject(PSStack(), type_names=("System.Collections.Stack", "System.Object")),
    "generator-array/d1": PSObject(
        PSEnumerable([1, "two"]), type_names=("Oracle.ArraySequence", "System.Object"), adapted={"Count2": 2}
    ),
    "net-nulltext/d1": net("Oracle.NullText", "", A=1),
    "net-empty/d1": PSObject(type_names=("Oracle.Empty", "System.Object"), text="Oracle.Empty"),
    "standard-members": custom_object({"A": 1, "B": 2, "PSStandardMembers": MemberSet()}),
    "pso-nested/d1": chain("A", "B", "C", "D", "E"),
    "array-nested/d1": [[1, 2], [3, [4, [5, [6]]]]],
}


@pytest.mark.parametrize("name", LIVE)
def test_live_objects_are_written_as_recorded(name):
    record = RECORDED[name]

    assert write_clixml([LIVE[name]], depth=record["depth"]) == record["clixml"]


def fragment(body: str) -> str:
    names = '<TN RefId="0"><T>E</T><T>System.Object</T></TN>'
    return f'<Obj RefId="0">{names}<ToString>t</ToString><Props>{body}</Props></Obj>'


def at_limit(value: object) -> str:
    """The text of a value as a .NET property at the end of the depth, as PowerShell 7.6 was seen to write it."""
    return write_fragment(net("E", "t", Value=value), depth=1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (node("b"), '<S N="Value">Oracle.Node</S>'),
        (enum_value("System.DayOfWeek", "Monday", 1), '<S N="Value">Monday</S>'),
        (
            custom_object({"a": 1, "b": None, "c": custom_object({"d": 1})}),
            (
                '<Obj N="Value" RefId="1"><S>@{a=1; b=; c=}</S><MS><I32 N="a">1</I32><Nil N="b" />'
                '<Obj N="c" RefId="2"><S>@{d=1}</S><MS><I32 N="d">1</I32></MS></Obj></MS></Obj>'
            ),
        ),
        (custom_object(), '<Obj N="Value" RefId="1"><S></S></Obj>'),
        (
            custom_object({"a": 1}, type_name="My.Type"),
            (
                '<Obj N="Value" RefId="1"><TN RefId="1"><T>My.Type</T>'
                "<T>System.Management.Automation.PSCustomObject</T>"
                '<T>System.Object</T></TN><S>@{a=1}</S><MS><I32 N="a">1</I32></MS></Obj>'
            ),
        ),
        (POINT, '<Obj N="Value" RefId="1"><S>P:q</S><MS><I32 N="n">1</I32></MS></Obj>'),
        (
            PSObject(5, extended={"n": node("b")}),
            '<Obj N="Value" RefId="1"><I32>5</I32><MS><S N="n">Oracle.Node</S></MS></Obj>',
        ),
        (
            [custom_object({"g": 1 / 3})],
            (
                '<Obj N="Value" RefId="1"><TN RefId="1"><T>System.Object[]</T><T>System.Array</T>'
                '<T>System.Object</T></TN><LST><Obj RefId="2"><S>@{g=0.333333333333333}</S>'
                '<MS><Db N="g">0.3333333333333333</Db></MS></Obj></LST></Obj>'
            ),
        ),
        (1.5, '<Db N="Value">1.5</Db>'),
    ],
    ids=["object", "enum", "bag", "empty bag", "named bag", "notes", "boxed", "list", "primitive"],
)
def test_at_the_end_of_the_depth_an_object_is_its_text(value, expected):
    assert at_limit(value) == fragment(expected)


def test_what_was_read_is_never_cut():
    text = write_clixml([net("A", "a", P=net("B", "b", Q=net("C", "c", R=1)))])

    assert write_clixml(read_clixml(text), depth=1) == text


class Colour(Enum):
    """An enum that nobody described as .NET's."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "<Nil />"),
        (True, "<B>true</B>"),
        (5, "<I32>5</I32>"),
        (-(1 << 31) - 1, "<I64>-2147483649</I64>"),
        (1.0, "<Db>1</Db>"),
        (1e17, "<Db>1E+17</Db>"),
        (-0.0, "<Db>-0</Db>"),
        (float("inf"), "<Db>INF</Db>"),
        (Decimal("1.10"), "<D>1.10</D>"),
        ("a\r\n\t_x0041_", "<S>a_x000D__x000A__x0009__x005F_x0041_</S>"),
        ("\x7f\x85\U0001f600<&>\"'", "<S>_x007F__x0085__xD83D__xDE00_&lt;&amp;&gt;\"'</S>"),
        ("", "<S></S>"),
        ("_X_", "<S>_x005F_X_</S>"),
        (b"", "<BA />"),
        (b"\x07\x08", "<BA>Bwg=</BA>"),
        (UUID(int=1), "<G>00000000-0000-0000-0000-000000000001</G>"),
        (clock(2026, 1, 2, 3, 4, 5, 60), "<DT>2026-01-02T03:04:05.00006</DT>"),
        (datetime(2026, 1, 2, tzinfo=UTC), "<DT>2026-01-02T00:00:00Z</DT>"),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))), "<DT>2026-01-01T22:00:00Z</DT>"),
        (
            DateTime(clock(1, 1, 1), hundred_nanoseconds=7, kind=Kind.LOCAL, offset=timedelta(minutes=-90)),
            "<DT>0001-01-01T00:00:00.0000007-01:30</DT>",
        ),
        (date(2026, 1, 2), "<DT>2026-01-02T00:00:00</DT>"),
        (timedelta(days=-1, microseconds=1), "<TS>-PT23H59M59.999999S</TS>"),
        (timedelta(0), "<TS>PT0S</TS>"),
        (TimeSpan(-(1 << 63)), "<TS>-P10675199DT2H48M5.4775808S</TS>"),
        (time(1, 2, 3), "<TS>PT1H2M3S</TS>"),
        (Char("\ud83d"), "<C>55357</C>"),
        (Uri("http://a/_x0041_"), "<URI>http://a/_x005F_x0041_</URI>"),
        (Version((1, 2)), "<Version>1.2</Version>"),
        (XmlDocument("<a>&amp;</a>"), "<XD>&lt;a&gt;&amp;amp;&lt;/a&gt;</XD>"),
        (ScriptBlock(" 1 "), "<SBK> 1 </SBK>"),
        (SecureString("610062"), "<SS>610062</SS>"),
        (Colour.RED, "<S>red</S>"),
        (
            ProgressRecord("a", activity_id=3, status_description="s"),
            "<PR><AV>a</AV><AI>3</AI><Nil /><PI>-1</PI><PC>-1</PC><T>Processing</T><SR>-1</SR><SD>s</SD></PR>",
        ),
        (PSObject(), '<Obj RefId="0" />'),
        (PSObject(5), '<Obj RefId="0"><I32>5</I32></Obj>'),
        ({}, f'<Obj RefId="0"><TN RefId="0"><T>{ORDERED}</T><T>System.Object</T></TN><DCT /></Obj>'),
        (PSObject(PSQueue([1])), '<Obj RefId="0"><QUE><I32>1</I32></QUE></Obj>'),
    ],
    ids=repr,
)
def test_a_fragment_of_each_kind(value, expected):
    assert write_fragment(value) == expected


def test_names_are_escaped_as_text_and_for_quotes():
    assert 'N="&lt;&amp;&gt;&quot;\'_x000A__x005F_x_%s"' in write_fragment(custom_object({"<&>\"'\n_x_%s": 1}))
    many = [custom_object({"%d &": number}) for number in range(20)]
    assert write_fragment(many).count('N="%d &amp;"') == 20


def test_documents_are_framed_as_powershell_frames_them():
    assert write_clixml([]) == f"{ROOT} />"
    assert write_clixml([1, "a"]) == f"{ROOT}>\n  <I32>1</I32>\n  <S>a</S>\n</Objs>"
    assert write_clixml(1, newline="\r\n") == f"{ROOT}>\r\n  <I32>1</I32>\r\n</Objs>"
    assert write_clixml(iter([1, 2])) == f"{ROOT}>\n  <I32>1</I32>\n  <I32>2</I32>\n</Objs>"
    assert write_clixml((1, 2)).count("<Obj ") == 1


def test_the_same_python_object_is_one_object():
    """Lists and dicts of Python's own too: met again they are references, so that cycles end."""
    inner = [1]
    table = {"k": inner, "self": None}
    table["self"] = table

    (read,) = read_clixml(write_clixml([[inner, inner, table]]))

    assert read[0] is read[1] is read[2]["k"]
    assert read[2]["self"] is read[2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\ufffe", "U+FFFE"),
        (custom_object({"\uffff": 1}), "U+FFFF"),
        ({None: 1}, "null key"),
        (1 << 63, "out of the range of System.Int64"),
        (Decimal("NaN"), "System.Decimal|no counterpart|NaN"),
        (DateTime(clock(2026, 1, 1), kind=Kind.LOCAL, offset=timedelta(hours=101)), "too far"),
        (object(), "no counterpart"),
        ([object()], "no counterpart"),
    ],
    ids=["fffe", "name", "null key", "int", "decimal", "offset", "object", "inner"],
)
def test_what_powershell_could_not_read_is_not_written(value, message):
    with pytest.raises(InputError, match=re.escape(message) if "|" not in message else message):
        write_clixml([value])


def nested(levels: int) -> PSObject:
    found = custom_object({"v": 1})
    for _ in range(levels - 1):
        found = custom_object({"n": found})
    return found


def test_no_more_levels_are_written_than_powershell_reads():
    assert read_clixml(write_clixml([nested(48)]))
    with pytest.raises(InputError, match="deeper than 48"):
        write_clixml([nested(49)])
    sets: Members = Members({"v": 1})
    for _ in range(60):
        sets = MemberSet({"s": sets if isinstance(sets, MemberSet) else MemberSet(sets)})
    with pytest.raises(InputError, match="deeper than 48"):
        write_clixml([PSObject(extended={"s": sets})])


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_below_one_is_refused(depth):
    with pytest.raises(InputError, match="depth"):
        write_clixml([1], depth=depth)


@pytest.mark.parametrize("values", [[1, object()], (each for each in (1, 1 << 70))], ids=["list", "iterator"])
def test_nothing_half_written(values, tmp_path):
    """A value that cannot be written leaves the old file as it was, and no other file."""
    path = tmp_path / "a.clixml"
    path.write_text("old", encoding="utf-8")

    with pytest.raises(InputError):
        save_clixml(list(values) if isinstance(values, list) else values, path)

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_written_in_the_encoding_asked_for(tmp_path):
    path = tmp_path / "a.clixml"

    save_clixml(["é"], path, encoding="unicode", newline="\r\n")
    assert path.read_bytes() == b"\xff\xfe" + f"{ROOT}>\r\n  <S>é</S>\r\n</Objs>".encode("utf-16-le")
    save_clixml(["é"], path)
    assert path.read_bytes() == f"{ROOT}>\n  <S>é</S>\n</Objs>".encode()
    with pytest.raises(InputError, match="exists"):
        save_clixml([1], path, replace=False)


@pytest.mark.parametrize(
    "text",
    [
        "<S>a</S>",
        '<Obj RefId="0"><MS><S N="a">x</S></MS></Obj>',
        '<Obj RefId="0"><TN RefId="0"><T>A</T></TN><LST><Obj RefId="1"><TNRef RefId="0" /></Obj></LST></Obj>',
        "<SS>c2Vzc2lvbiBrZXk=</SS>",
        "<Nil />",
    ],
)
def test_fragments_come_back_the_same(text):
    """Messages of PSRP; a SecureString there is encrypted by the session's key, in base64, and stays as it is."""
    assert write_fragment(read_fragment(text)) == text


def test_a_fragment_is_read_without_a_namespace_and_with_any():
    assert read_fragment('<Obj RefId="0" xmlns="urn:x"><MS><S N="a">x</S></MS></Obj>')["a"] == "x"


def test_hashtables_for_parameters():
    assert write_fragment(hashtable({"a": 1})) == (
        '<Obj RefId="0"><TN RefId="0"><T>System.Collections.Hashtable</T><T>System.Object</T></TN>'
        '<DCT><En><S N="Key">a</S><I32 N="Value">1</I32></En></DCT></Obj>'
    )
    assert "OrderedDictionary" in write_fragment(ordered_dictionary({"a": 1}))
