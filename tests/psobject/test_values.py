"""Primitive values: each knows its .NET type, its range, and its plain form."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.psobject import (
    Byte,
    Char,
    DateTime,
    Int16,
    Int64,
    Kind,
    ProgressRecord,
    SByte,
    ScriptBlock,
    SecureString,
    Single,
    TimeSpan,
    UInt16,
    UInt32,
    UInt64,
    Uri,
    Version,
    XmlDocument,
    to_python,
    type_name,
)
from cauctl.psobject.times import date_time

INTEGERS = {
    Byte: (0, 255),
    SByte: (-128, 127),
    Int16: (-32768, 32767),
    UInt16: (0, 65535),
    UInt32: (0, 2**32 - 1),
    Int64: (-(2**63), 2**63 - 1),
    UInt64: (0, 2**64 - 1),
}
NEW_YEAR = datetime.fromisoformat("2026-01-01")
LAST_TICK = 3_155_378_975_999_999_999  # of 9999-12-31T23:59:59.9999999
PROGRESS = ProgressRecord("a", status_description="s")


@pytest.mark.parametrize(("cls", "span"), INTEGERS.items())
def test_an_integer_keeps_to_its_width_and_is_an_int(cls, span):
    for number in span:
        assert (cls(number), type_name(cls(number)), type(to_python(cls(number)))) == (number, cls.dotnet_type, int)
        assert repr(cls(number)) == f"{cls.__name__}({number})"
        assert f"{cls(number)}" == str(cls(number)) == str(number)
    for number in (span[0] - 1, span[1] + 1):
        with pytest.raises(InputError, match="out of the range"):
            cls(number)


@pytest.mark.parametrize(
    ("value", "name", "plain"),
    [
        (None, None, None),
        (True, "System.Boolean", True),
        (1, "System.Int32", 1),
        (1 << 31, "System.Int64", 1 << 31),
        (1.5, "System.Double", 1.5),
        ("a", "System.String", "a"),
        (b"a", "System.Byte[]", b"a"),
        (Decimal("1.50"), "System.Decimal", Decimal("1.50")),
        (UUID(int=5), "System.Guid", UUID(int=5)),
        (Single(0.1), "System.Single", 0.10000000149011612),
        (Char("a"), "System.Char", "a"),
        (ScriptBlock("1"), "System.Management.Automation.ScriptBlock", "1"),
        (TimeSpan(10), "System.TimeSpan", timedelta(microseconds=1)),
        (TimeSpan(-15), "System.TimeSpan", timedelta(microseconds=-1)),
        (Version((1, 2, 3)), "System.Version", "1.2.3"),
        (Uri("a b"), "System.Uri", "a b"),
        (XmlDocument("<a/>"), "System.Xml.XmlDocument", "<a/>"),
        (PROGRESS, "System.Management.Automation.ProgressRecord", PROGRESS),
        (object, None, object),
    ],
    ids=repr,
)
def test_each_value_knows_its_type_and_its_plain_form(value, name, plain):
    assert (type_name(value), to_python(value), type(to_python(value))) == (name, plain, type(plain))


def test_values_survive_pickling_and_copying():
    for value in (
        Int64(5),
        Single(0.1),
        Char("a"),
        ScriptBlock("x"),
        TimeSpan(5),
        DateTime.from_ticks(5),
        Version((1, 2)),
    ):
        for other in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
            assert (other, type(other)) == (value, type(value))


def test_a_single_is_rounded_to_thirty_two_bits():
    assert Single(16777217.0) == 16777216.0
    assert Single(1e39) == float("inf")
    assert Single(-1e39) == float("-inf")
    assert Single(float("nan")) != Single(float("nan"))


@pytest.mark.parametrize("text", ["", "ab", "\U0001f600"])
def test_a_char_is_one_code_unit(text):
    with pytest.raises(InputError, match=r"System\.Char"):
        Char(text)


def test_a_char_may_be_half_a_pair():
    assert Char("\ud83d").to_python() == "\ud83d"


@given(st.integers(0, LAST_TICK))
def test_ticks_of_a_date_come_back(ticks):
    assert DateTime.from_ticks(ticks).ticks == ticks


@pytest.mark.parametrize("ticks", [-1, LAST_TICK + 1])
def test_dates_end_where_dotnets_end(ticks):
    with pytest.raises(InputError, match=r"System\.DateTime"):
        DateTime.from_ticks(ticks)


@pytest.mark.parametrize(
    ("value", "kind", "offset"),
    [
        (datetime.fromisoformat("2026-01-02T03:04:05.000006"), Kind.UNSPECIFIED, None),
        (datetime(2026, 1, 2, tzinfo=UTC), Kind.UTC, None),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-5))), Kind.LOCAL, timedelta(hours=-5)),
    ],
)
def test_a_python_datetime_goes_in_and_comes_out(value, kind, offset):
    found = DateTime.from_python(value)

    assert (found.kind, found.offset, found.hundred_nanoseconds) == (kind, offset, 0)
    assert found.to_python() == value
    assert found.to_python().tzinfo == value.tzinfo


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(99, datetime(2025, 12, 27, 21, tzinfo=UTC)), (-30, datetime(2026, 1, 2, 6, tzinfo=UTC))],
)
def test_an_offset_that_python_has_no_zone_for_becomes_utc(hours, expected):
    """.NET reads offsets up to 99:59; Python's stay under a day."""
    found = DateTime(NEW_YEAR, kind=Kind.LOCAL, offset=timedelta(hours=hours))

    assert found.to_python() == expected


def test_a_far_offset_at_the_end_of_time_stays_there():
    found = DateTime(datetime.fromisoformat("0001-01-01"), kind=Kind.LOCAL, offset=timedelta(hours=99))

    assert found.to_python() == datetime.min.replace(tzinfo=UTC)


def test_a_local_date_without_an_offset_stays_naive():
    assert DateTime(NEW_YEAR, kind=Kind.LOCAL).to_python() == NEW_YEAR


def test_the_fast_way_to_make_a_date_makes_the_same():
    assert date_time(NEW_YEAR, 7, Kind.LOCAL, timedelta(hours=1)) == DateTime(
        NEW_YEAR, hundred_nanoseconds=7, kind=Kind.LOCAL, offset=timedelta(hours=1)
    )


@given(st.timedeltas())
def test_a_timedelta_goes_in_and_comes_out(value):
    try:
        assert TimeSpan.from_python(value).to_python() == value
    except InputError:
        assert abs(value) > timedelta(days=10_675_199)


@pytest.mark.parametrize("ticks", [1 << 63, -(1 << 63) - 1])
def test_a_time_span_keeps_to_64_bits(ticks):
    with pytest.raises(InputError, match=r"System\.TimeSpan"):
        TimeSpan(ticks)


@pytest.mark.parametrize("parts", [(), (1,), (1, 2, 3, 4, 5), (1, -1), (1, 1 << 31)])
def test_a_version_has_two_to_four_parts(parts):
    with pytest.raises(InputError, match=r"System\.Version"):
        Version(parts)


def test_a_version_is_read_from_its_text():
    assert Version.from_text("10.0.20348.1") == Version((10, 0, 20348, 1))
    with pytest.raises(InputError):
        Version.from_text("1.x")


def test_a_secret_does_not_show():
    secret = SecureString("610062006300")

    assert repr(secret) == str(secret) == "SecureString(...)"
    assert to_python(secret) is secret
