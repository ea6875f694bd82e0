"""The text of each primitive is .NET's, by the tables that were recorded from it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.psobject import (
    Byte,
    Char,
    DateTime,
    Int64,
    Kind,
    ProgressRecord,
    ScriptBlock,
    SecureString,
    Single,
    TextStyle,
    TimeSpan,
    Uri,
    Version,
    XmlDocument,
    find_culture,
)
from cauctl.psobject.nettext import (
    decimal_text,
    double_text,
    local_clock,
    rounded_text,
    single_text,
    timespan_text,
)
from tests.psobject.recorded_rows import rows

clock = datetime.fromisoformat

BERLIN = ZoneInfo("Europe/Berlin")
FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)


def recorded(kind: str) -> list[dict[str, Any]]:
    return [row for row in rows("dotnet-text.jsonl") if row["kind"] == kind]


def bits(form: str, text: str) -> float:
    return struct.unpack(form, bytes.fromhex(text))[0]


def test_doubles_print_the_recorded_digits():
    """1,800 doubles of all sizes, the odd powers of two and the special values; plain and rounded to 15 digits."""
    table = recorded("double")
    assert [(row["text"], row["rounded"]) for row in table] == [
        (double_text(bits(">d", row["bits"])), rounded_text(bits(">d", row["bits"]), 15)) for row in table
    ]


def test_singles_print_the_recorded_digits():
    """1,800 singles of all sizes and the special values; plain and rounded to 7 digits."""
    table = recorded("single")
    assert [(row["text"], row["rounded"]) for row in table] == [
        (single_text(bits(">f", row["bits"])), rounded_text(bits(">f", row["bits"]), 7)) for row in table
    ]


def test_timespans_print_as_recorded():
    table = recorded("timespan")
    assert [row["text"] for row in table] == [timespan_text(row["ticks"]) for row in table]


def test_decimals_print_as_recorded():
    table = recorded("decimal")
    assert [row["text"] for row in table] == [decimal_text(Decimal(row["value"])) for row in table]


def test_universal_times_show_the_recorded_local_time():
    """Five zones from year 1 to 9999: daylight saving, local mean time cut to minutes, and both ends of time."""
    table = recorded("local time")
    assert [row["local"] for row in table] == [
        ticks_of(local_clock(moment(row["utc"]), ZoneInfo(row["zone"]))) * 10 + row["local"] % 10 for row in table
    ]


def moment(ticks: int) -> DateTime:
    """A time that was read with the offset +00:00."""
    return DateTime.from_ticks(ticks, kind=Kind.LOCAL, offset=timedelta(0))


def ticks_of(clock: datetime) -> int:
    """Microseconds since the beginning of time."""
    return (clock.replace(tzinfo=UTC) - FIRST_DAY) // timedelta(microseconds=1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_parses_back_from_its_text(value):
    """R19: the digits are the shortest that parse back, but for the two powers of two that .NET 10 cuts."""
    expected = value if abs(value) not in {2**-25, bits(">d", "0410000000000000")} else None
    assert expected in {float(double_text(value)), None}


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_parses_back_from_its_text(value):
    assert value == struct.unpack("<f", struct.pack("<f", float(single_text(value))))[0]


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("True", True),
        ("False", False),
        ("-5", -5),
        ("200", Byte(200)),
        ("-9223372036854775808", Int64(-(1 << 63))),
        ("x", Char("x")),
        ("", ""),
        (" 1 + 1 ", ScriptBlock(" 1 + 1 ")),
        ("e1af6d4c-1a2b-4c3d-8e9f-000102030405", UUID("E1AF6D4C-1A2B-4C3D-8E9F-000102030405")),
        ("1.2", Version((1, 2))),
        ("10.0.20348.1", Version((10, 0, 20348, 1))),
        ("http://example.com/a b", Uri("HTTP://Example.com:80/a%20b")),
        ("System.Byte[]", b""),
        ("System.Xml.XmlDocument", XmlDocument("<a />")),
        ("System.Security.SecureString", SecureString("7000")),
        ("01/02/2020 03:04:05", DateTime(clock("2020-01-02T03:04:05.999999"), hundred_nanoseconds=9)),
        ("00:00:00.0000001", TimeSpan(1)),
        (
            "parent = -1 id = 1 act = act stat = stat cur =  pct = -1 sec = -1 type = Processing",
            ProgressRecord("act", activity_id=1, status_description="stat"),
        ),
    ],
    ids=str,
)
def test_each_primitive_prints_what_to_string_gives(expected, value):
    assert expected == TextStyle().text(value)


@pytest.mark.parametrize(
    ("expected", "shown", "kind", "offset"),
    [
        ("11/22/2026 16:40:01", clock("2026-11-22T15:40:01"), Kind.LOCAL, 0),
        ("11/22/2026 15:40:01", clock("2026-11-22T15:40:01"), Kind.LOCAL, 1),
        ("11/22/2026 15:40:01", clock("2026-11-22T15:40:01"), Kind.UTC, None),
        ("11/22/2026 15:40:01", clock("2026-11-22T15:40:01"), Kind.UNSPECIFIED, None),
        ("11/22/2026 15:40:01", clock("2026-11-22T15:40:01"), Kind.LOCAL, None),
        ("12/31/9999 23:59:59", clock("9999-12-31T23:59:59"), Kind.LOCAL, -5),
        ("01/01/0001 00:00:00", clock("0001-01-01T00:00:00"), Kind.LOCAL, 14),
    ],
    ids=str,
)
def test_a_date_prints_in_the_zone_asked_for(expected, shown, kind, offset):
    """Only a time that carries an offset moves; what leaves the range of dates stays at its end."""
    hours = None if offset is None else timedelta(hours=offset)
    value = DateTime(shown, kind=kind, offset=hours)
    assert expected == TextStyle(time_zone=BERLIN).text(value)


def test_a_date_prints_in_the_zone_of_the_process_unless_told_otherwise():
    value = DateTime(clock("2026-07-01T12:00:00"), kind=Kind.LOCAL, offset=timedelta(0))
    there = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone()
    assert f"{there:%m/%d/%Y %H:%M:%S}" == TextStyle().text(value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [("0.333333333333333", 1 / 3), ("0.3333333", Single(1 / 3)), ("0", -0.0), ("1E+15", 1e15), ("1E+07", Single(1e7))],
    ids=str,
)
def test_windows_powershell_prints_fewer_digits_and_no_negative_zero(expected, value):
    assert expected == TextStyle(windows_powershell=True).text(value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [("1E+15", 1e15), ("0.333333333333333", 1 / 3), ("0.3333333", Single(1 / 3)), ("-0", -0.0), ("7", 7)],
    ids=str,
)
def test_powershell_converts_to_string_with_15_and_7_digits(expected, value):
    """R44: within ``@{}`` and joined lists."""
    assert expected == TextStyle().string(value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("\u22121,5E\u221207", -1.5e-7),
        ("1,5E+20", 1.5e20),
        ("\u2212\u221e", float("-inf")),
        ("\u22121234,50", Decimal("-1234.50")),
        ("\u22125", -5),
    ],
    ids=str,
)
def test_numbers_take_signs_and_separators_from_the_culture(expected, value):
    assert expected == TextStyle(find_culture("sv-SE")).text(value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E-29", "79228162514264337593543950336", "1E+29"])
def test_a_decimal_that_dotnet_cannot_hold_is_refused(value):
    with pytest.raises(InputError, match=r"out of the range of System\.Decimal"):
        decimal_text(Decimal(value))
