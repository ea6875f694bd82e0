"""Random graphs of PowerShell values, each in two forms: ours, and the PowerShell script that makes the same.

Containers and objects stand in variables, so that one can be part of several: a graph, not only a tree.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from decimal import Decimal
from typing import Any
from uuid import UUID

from attrs import field, frozen
from hypothesis import strategies as st

from cauctl.psobject import (
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    Kind,
    ProgressRecord,
    PSObject,
    PSQueue,
    PSStack,
    SByte,
    Single,
    TimeSpan,
    UInt16,
    UInt32,
    UInt64,
    Uri,
    Version,
    XmlDocument,
    array,
    custom_object,
    enum_value,
    hashtable,
    ordered_dictionary,
)

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
LAST_TICK = 3_155_378_975_999_999_999
UTC_OFFSET = DateTime.from_ticks(0).clock - DateTime.from_ticks(0).clock


@frozen
class Meant:
    """A value, and the PowerShell expression or program that makes it."""

    value: Any
    script: str
    variables: tuple[str, ...] = field(default=(), kw_only=True)


def literal(text: str) -> str:
    """A PowerShell expression for any string, lone surrogates included."""
    units = text.encode("utf-16-le", "surrogatepass")
    codes = ",".join(str(unit) for (unit,) in struct.iter_unpack("<H", units))
    return f"[string]::new([char[]]@({codes}))" if codes else "''"


# No U+FFFE, U+FFFF: nobody can write them. Surrogates in pairs only, and alone only where no pair arises.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff"), max_size=12),
    st.text(st.sampled_from("_xX0041&<>\"'\r\n\t \x00\x1f\x7f\x85\u2028\ufeff\ufffd\U0001f600é"), max_size=12),
    st.sampled_from(["\ud83d", "x\ude00", "\ude00\ud83d", "\ud83dx", "]]>", "_x000A_", "__x005F_"]),
)
NAMES = st.one_of(
    st.sampled_from(["Name", "Id", "a b", "Über", "x\ny", '<&>"', "_x0041_", "\x1f", "Count", "Key"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
)


def integers(cls: type, name: str) -> st.SearchStrategy[Meant]:
    low, high = (-(1 << 31), (1 << 31) - 1) if cls is int else (cls.lowest, cls.highest)
    return st.integers(low, high).map(lambda number: Meant(cls(number), f"[{name}]'{number}'"))


def double_of(bits: int) -> Meant:
    (value,) = struct.unpack("<d", struct.pack("<q", bits))
    return Meant(value, f"[BitConverter]::Int64BitsToDouble([long]'{bits}')")


def single_of(bits: int) -> Meant:
    (value,) = struct.unpack("<f", struct.pack("<i", bits))
    return Meant(Single(value), f"[BitConverter]::Int32BitsToSingle([int]'{bits}')")


def decimal_of(sign: int, digits: int, scale: int) -> Meant:
    value = Decimal((sign if digits else 0, tuple(map(int, str(digits))), -scale))
    parts = f"[int]'{signed(digits)}',[int]'{signed(digits >> 32)}',[int]'{signed(digits >> 64)}'"
    return Meant(value, f"[decimal]::new({parts},${'true' if sign and digits else 'false'},{scale})")


def signed(word: int) -> int:
    """The low 32 bits as a signed number."""
    return struct.unpack("<i", struct.pack("<I", word & 0xFFFF_FFFF))[0]


def date_of(ticks: int, kind: Kind) -> Meant:
    offset = UTC_OFFSET if kind is Kind.LOCAL else None  # the oracle's zone is UTC
    value = DateTime.from_ticks(ticks, kind=kind, offset=offset)
    return Meant(value, f"[datetime]::new([long]'{ticks}',[DateTimeKind]::{kind.value})")


PRIMITIVES = st.one_of(
    st.just(Meant(None, "$null")),
    st.booleans().map(lambda flag: Meant(flag, f"${str(flag).lower()}")),
    TEXTS.map(lambda text: Meant(text, literal(text))),
    integers(int, "int"),
    integers(Byte, "byte"),
    integers(SByte, "sbyte"),
    integers(Int16, "int16"),
    integers(UInt16, "uint16"),
    integers(UInt32, "uint32"),
    integers(Int64, "long"),
    integers(UInt64, "uint64"),
    st.integers(-(1 << 63), (1 << 63) - 1).map(double_of),
    st.floats().map(lambda value: double_of(struct.unpack("<q", struct.pack("<d", value))[0])),
    st.integers(-(1 << 31), (1 << 31) - 1).map(single_of),
    st.builds(decimal_of, st.integers(0, 1), st.integers(0, (1 << 96) - 1), st.integers(0, 28)),
    st.integers(0, 0xFFFD).map(lambda code: Meant(Char(chr(code)), f"[char]{code}")),
    st.builds(date_of, st.integers(0, LAST_TICK), st.sampled_from(Kind)),
    st.integers(-(1 << 63), (1 << 63) - 1).map(
        lambda ticks: Meant(TimeSpan(ticks), f"[timespan]::new([long]'{ticks}')")
    ),
    st.uuids().map(lambda guid: Meant(UUID(int=guid.int), f"[guid]'{guid}'")),
    st.lists(st.integers(0, (1 << 31) - 1), min_size=2, max_size=4).map(
        lambda parts: Meant(Version(tuple(parts)), f"[version]'{'.'.join(map(str, parts))}'")
    ),
    st.binary(max_size=20).map(
        lambda data: Meant(data, f"[Convert]::FromBase64String('{b64encode(data).decode('ascii')}')")
    ),
    st.sampled_from(["http://example.com/a%20b?x=1#f", "urn:a:b", "a b", "", "mailto:a@example.com", "/x"]).map(
        lambda text: Meant(Uri(text), f"[uri]::new('{text}',[UriKind]::RelativeOrAbsolute)")
    ),
    st.sampled_from(['<a><b x="1">t</b></a>', "<a />", ""]).map(
        lambda text: Meant(XmlDocument(text), f"[xml]'{text}'" if text else "[xml]::new()")
    ),
    st.integers(0, 6).map(
        lambda day: Meant(enum_value("System.DayOfWeek", DAYS[day], day), f"[System.DayOfWeek]{day}")
    ),
    st.builds(
        lambda number, percent: Meant(
            ProgressRecord("act", activity_id=number, status_description="stat", percent_complete=percent),
            f"(&{{ $p = [System.Management.Automation.ProgressRecord]::new({number},'act','stat');"
            f" $p.PercentComplete = {percent}; $p }})",
        ),
        st.integers(0, 9),
        st.integers(-1, 100),
    ),
)


@st.composite
def graphs(draw: st.DrawFn) -> Meant:
    """A graph of up to eight objects; the last one holds, directly or not, some of the others."""
    made: list[Meant] = []
    lines: list[str] = []
    for index in range(draw(st.integers(1, 8))):
        parts = st.one_of(PRIMITIVES, st.sampled_from(made)) if made else PRIMITIVES
        build = draw(st.sampled_from((bag, items, entries, single_entry)))
        value, statements = build(draw, parts, f"$v{index}")
        lines += statements
        made.append(Meant(value, f"$v{index}"))
    return Meant(made[-1].value, "\n".join([*lines, f",{made[-1].script}"]))


def bag(draw: st.DrawFn, parts: st.SearchStrategy[Meant], name: str) -> tuple[PSObject, list[str]]:
    members = draw(st.lists(st.tuples(NAMES, parts), max_size=5, unique_by=lambda member: member[0].upper()))
    lines = [f"{name} = [pscustomobject]@{{}}"]
    lines += [
        f"{name}.psobject.Properties.Add([psnoteproperty]::new({literal(key)}, {part.script}))" for key, part in members
    ]
    return custom_object({key: part.value for key, part in members}), lines


def items(draw: st.DrawFn, parts: st.SearchStrategy[Meant], name: str) -> tuple[PSObject, list[str]]:
    held = draw(st.lists(parts, max_size=5))
    kind = draw(st.sampled_from(("array", "list", "stack", "queue")))
    values = [part.value for part in held]
    if kind == "array":
        lines = [f"{name} = [object[]]::new({len(held)})"]
        lines += [f"{name}[{index}] = {part.script}" for index, part in enumerate(held)]
        return array(values), lines
    cls, method, container = {
        "list": ("ArrayList", "Add", None),
        "stack": ("Stack", "Push", PSStack),
        "queue": ("Queue", "Enqueue", PSQueue),
    }[kind]
    lines = [f"{name} = [System.Collections.{cls}]::new()"]
    order = list(reversed(held)) if kind == "stack" else held
    lines += [f"$null = {name}.{method}({part.script})" for part in order]
    names = (f"System.Collections.{cls}", "System.Object")
    return (
        array(values, type_names=names) if container is None else PSObject(container(values), type_names=names)
    ), lines


def entries(draw: st.DrawFn, parts: st.SearchStrategy[Meant], name: str) -> tuple[PSObject, list[str]]:
    pairs = draw(st.lists(st.tuples(NAMES, parts), max_size=4, unique_by=lambda pair: pair[0].upper()))
    lines = [f"{name} = [ordered]@{{}}", *(f"{name}.Add({literal(key)}, {part.script})" for key, part in pairs)]
    return ordered_dictionary([(key, part.value) for key, part in pairs]), lines


def single_entry(draw: st.DrawFn, parts: st.SearchStrategy[Meant], name: str) -> tuple[PSObject, list[str]]:
    """A Hashtable of one entry: of several the order would mean nothing."""
    key, part = draw(PRIMITIVES.filter(lambda key: key.value is not None)), draw(parts)
    return hashtable([(key.value, part.value)]), [f"{name} = @{{}}", f"{name}.Add({key.script}, {part.script})"]
