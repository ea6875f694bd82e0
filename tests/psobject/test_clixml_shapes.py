"""The fast ways of reading and writing give exactly what the careful ways give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.psobject import (
    DateTime,
    Kind,
    PSObject,
    array,
    custom_object,
    enum_value,
    hashtable,
    iter_clixml,
    ordered_dictionary,
    read_clixml,
    read_fragment,
    write_clixml,
    write_fragment,
)
from cauctl.psobject.clixml_writer import Writer
from tests.psobject.clixml_graphs import NAMES, PRIMITIVES
from tests.psobject.describe import UTC_ZONE, describe
from tests.psobject.pipe import Pipe

LEAVES = PRIMITIVES.map(lambda meant: meant.value)
FEW = 40
EIGHTEEN = 18
DATE = DateTime(datetime(2026, 1, 2), kind=Kind.UTC)  # noqa: DTZ001  a clock time without zone
EXACT = DateTime.from_ticks(1, kind=Kind.UTC)


@pytest.fixture(autouse=True, scope="module")
def eager() -> Iterator[None]:
    """Shapes are learnt after four objects, not sixteen: so few make all that many make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cauctl.psobject.clixml_shapes._SEEN_BEFORE_LEARNING", 4)
        yield


def careful(text: str) -> str:
    """The same document in a spelling that the fast ways do not know: blanks where PowerShell writes none."""
    return re.sub(r"</([A-Za-z0-9]+)>", r"</\1 >", re.sub(r"<([A-Za-z0-9]+) (?=[A-Za-z])", r"<\1  ", text))


def seen(text: str) -> Any:
    return [describe(value, UTC_ZONE) for value in read_clixml(text)]


def make(kind: str, names: list[str], values: list[Any]) -> PSObject:
    """One object of a kind, of these values."""
    members = dict(zip(names, values, strict=False))
    inner = custom_object({"C": values[0]}, type_name="Inner")
    day = enum_value("System.DayOfWeek", "Monday", 1)
    return {
        "bag": lambda: custom_object(members),
        "net": lambda: PSObject(type_names=("My.Type", "System.Object"), text=str(values[0]), adapted=members),
        "both": lambda: PSObject(type_names=("My.Type",), text="", adapted=members, extended={"n": values[0]}),
        "nested": lambda: custom_object({**members, "Inner": inner, "Day": day}),
        "optional": lambda: custom_object({**members, "Inner": inner if values[0] is None else None}),
        "list": lambda: custom_object({**members, "L": array(values), "E": array()}),
        "table": lambda: custom_object({"T": hashtable({"k": values[0], "l": 2}), "O": ordered_dictionary(members)}),
        "items": lambda: array(values),
        "boxed": lambda: PSObject(held(values[0]), extended={"n": 1}),
        "bare": lambda: PSObject(extended=members),
    }[kind]()


def held(value: Any) -> Any:
    """What can be a base value: of an object its number, for null another."""
    return 1 if value is None else value.base if isinstance(value, PSObject) else value


KINDS = ("bag", "net", "both", "nested", "optional", "list", "table", "items", "boxed", "bare")


@st.composite
def many(draw: st.DrawFn) -> list[PSObject]:
    """Eighteen objects of one or two kinds; each property mostly of one type, sometimes null or of another."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=str.upper))
    columns = [draw(st.lists(LEAVES, min_size=1, max_size=3)) for _ in names]
    choices = draw(st.lists(st.integers(0, 11), min_size=EIGHTEEN, max_size=EIGHTEEN))
    return [
        make(kinds[number % len(kinds)], names, [column[choice % len(column)] for column in columns])
        for number, choice in enumerate(choices)
    ]


@given(many())
def test_many_objects_read_fast_are_what_they_are_read_with_care(objects):
    text = write_clixml([array(objects)])

    assert seen(text) == seen(careful(text))


def one_by_one(values: list[Any], depth: int | None = None) -> str:
    """The text of top-level values that are never written together."""
    writer = Writer(newline="\n", depth=depth)
    return "".join(writer.write([value]) for value in values)


@given(many(), st.sampled_from((None, 1, 2, 3)))
def test_many_objects_written_together_are_what_they_are_written_one_by_one(objects, depth):
    """Among other values, with an object that comes again, and cut at any depth."""
    values = [*objects, "a", objects[0], None, *objects[3:5], 1 << 40]

    assert Writer(newline="\n", depth=depth).write(values) == one_by_one(values, depth)


def test_what_comes_again_among_many_is_a_reference():
    """Within one object, and from one to another; the same object at another place makes another layout."""
    shared = custom_object({"C": 1})
    inner = [custom_object({"C": number}) for number in range(FEW)]
    values = [
        custom_object({"A": item, "B": item if number % 3 else shared, "C": array([item])})
        for number, item in enumerate(inner)
    ]

    assert Writer(newline="\n").write(values) == one_by_one(values)
    assert all(item["A"] is item["C"][0] for item in read_clixml(write_clixml(values)))


def test_odd_values_among_many_are_written_as_they_are_alone():
    """Numbers that need 64 bits, no bytes, and texts with all kinds of escapes."""
    kinds = [5, 1 << 40], [b"a", b""], ["a", "\x01&", "\U0001f600"], [1.0, 1e300, float("nan")], [DATE, EXACT]
    values = [custom_object({"a": kind[number % len(kind)]}) for kind in kinds for number in range(FEW)]

    assert Writer(newline="\n").write(values) == one_by_one(values)


def test_more_kinds_of_objects_than_are_remembered_are_written_as_they_are_alone():
    """256 are: flat ones, and nested ones."""
    flat = [custom_object({f"p{number % 300}": number}) for number in range(900)]
    pairs = [custom_object({"x": kind(number % 20), "y": kind(number % 19)}) for number in range(900)]
    values = [*pairs, *flat, array(flat[:64]), array(range(65))]

    assert Writer(newline="\n").write(values) == one_by_one(values)


def kind(number: int) -> PSObject:
    return custom_object({f"k{number}": number})


def nested(levels: int) -> PSObject:
    return custom_object({"n": nested(levels - 1)}) if levels else custom_object({"v": 1})


def test_many_objects_may_nest_as_deep_as_one():
    """48 levels, the list included."""
    assert write_clixml([array([nested(46) for _ in range(FEW)])])
    with pytest.raises(InputError, match="deeper than 48"):
        write_clixml([array([nested(47) for _ in range(FEW)])])


@given(many())
def test_documents_of_many_objects_come_back_the_same(objects):
    text = write_clixml(objects)

    assert write_clixml(read_clixml(text)) == text


@given(many())
def test_fragments_of_many_objects_come_back_the_same(objects):
    """Messages of PSRP are read as documents are."""
    text = write_fragment(array(objects))

    assert write_fragment(read_fragment(text)) == text


@given(many(), st.sampled_from((64, 300, 2000)))
@settings(max_examples=25)
def test_many_objects_in_pieces_are_what_they_are_as_a_whole(objects, window):
    """In a stream that can be rewound, and, each within one value, in one that cannot."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cauctl.psobject.clixml_stream._WINDOW", window)
        text = write_clixml(objects)
        assert [describe(value, UTC_ZONE) for value in iter_clixml(text)] == seen(text)
        values = [array(objects[start : start + 9]) for start in (0, 9)]
        texts = [write_clixml([value]) for value in values]
        both = texts[0].removesuffix("\n</Objs>") + texts[1][texts[1].index("\n") :]
        pipe = Pipe(both.encode("utf-8", "surrogatepass"), most=window)
        assert [describe(value, UTC_ZONE) for value in iter_clixml(pipe)] == [*seen(texts[0]), *seen(texts[1])]


OBJECTS = [custom_object({"S": f"a{number}", "I": number, "D": 1.5, "B": True, "N": None}) for number in range(FEW)]
DOCUMENT = write_clixml([array(OBJECTS)])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<I32 N="I">30</I32>', '<I32 N="I">2147483648</I32>'),
        ('<I32 N="I">30</I32>', '<I32 N="I">x</I32>'),
        ('<S N="S">a30</S>', '<S N="S">a&nope;</S>'),
        ('<S N="S">a30</S>', '<S N="S">a]]></S>'),
        ('<S N="S">a30</S>', '<S N="S">a<b/></S>'),
        ('<S N="S">a30</S>', '<S N="S">a</T>'),
        ('<S N="S">a30</S>', "<S>a30</S>"),
        ('RefId="31"', 'RefId="31" RefId="31"'),
    ],
)
def test_an_odd_one_among_many_is_refused_at_its_place(old, new):
    """The place is that of the careful reader, whatever was read fast before."""
    text = DOCUMENT.replace(old, new, 1)
    assert text != DOCUMENT

    with pytest.raises(InputError) as fast:
        read_clixml(text)
    lines = text.split("\n")
    with pytest.raises(InputError) as slow:
        read_clixml("\n".join([*lines[:3], "<!-- -->", *lines[3:]]).replace(' N="S"', "  N='S'"))

    assert fast.value.line == text[: text.index(new)].count("\n") + 1 == slow.value.line - 1
    assert fast.value.expected == slow.value.expected


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ('<S N="S">a30</S>', '<S N="S">&lt;a&#65;_x0042_&amp;amp;</S>', "<aAB&amp;"),
        ('<S N="S">a30</S>', '<S N="S"><![CDATA[&]]></S>', "&"),
        ('<S N="S">a30</S>', '<Nil N="S" />', None),
        ('<S N="S">a30</S>', '<C N="S">97</C>', "a"),
        ('<S N="S">a30</S>', '<S N="s">other</S>', "other"),
    ],
)
def test_an_odd_one_among_many_is_read(old, new, value):
    (items,) = read_clixml(DOCUMENT.replace(old, new, 1))

    assert items[30]["S"] == value
    assert [item["I"] for item in items] == list(range(FEW))


def test_a_ref_id_that_comes_twice_means_the_last():
    """Objects may share a RefId; a reference finds the one that was begun last before it."""
    text = DOCUMENT.replace('RefId="31"', 'RefId="30"').replace("</LST>", '<Ref RefId="30" /></LST>')
    (items,) = read_clixml(text)

    assert items[-1] is items[30]
    assert [item["I"] for item in items] == [*range(FEW), 30]


def test_names_that_differ_in_case_replace_each_other_in_many_objects_too():
    text = DOCUMENT.replace('<Nil N="N" />', '<I32 N="s">7</I32>')
    (items,) = read_clixml(text)

    assert all(item.keys() == ["s", "I", "D", "B"] and item["S"] == 7 for item in items)
