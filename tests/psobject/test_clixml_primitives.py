"""Odd texts of primitives are read as .NET reads them; the recorded documents show the usual ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

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


@pytest.mark.parametrize("white", ["\x85", "\xa0", "\u2003", "\u2028", "&#11;"])
def test_white_space_of_any_kind_around_dates_durations_and_guids_does_not_count(white):
    assert GUID == read("G", f"{white}{GUID}{white}")
    assert timedelta(hours=1) == read("TS", f"{white}PT1H{white}").to_python()
    assert 2026 == read("DT", f"{white}2026-01-02T03:04:05{white}").to_python().year
