"""A real PowerShell prints what we print: ConvertTo-Xml over generated graphs, .NET's texts over generated values."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.psobject import (
    ConversionError,
    DateTime,
    Kind,
    TextStyle,
    TimeSpan,
    convert_to_xml,
    outer_xml,
    read_clixml,
    write_clixml,
)
from cauctl.psobject.nettext import decimal_text, double_text, local_clock, rounded_text, single_text
from tests.psobject.clixml_graphs import graphs
from tests.pwsh import PowerShell, PowerShellError

pytestmark = pytest.mark.pwsh

FOLDER = Path(__file__).parent
ONE_PROCESS = settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def dotnet(pwsh_path: str) -> Iterator[PowerShell]:
    with PowerShell(pwsh_path, FOLDER / "dotnet_text_oracle.ps1") as powershell:
        yield powershell


@pytest.fixture(scope="module")
def converter(pwsh_path: str) -> Iterator[PowerShell]:
    """A PowerShell that has ConvertTo-Xml: the engine alone has not."""
    with PowerShell(pwsh_path, FOLDER / "convert_to_xml_oracle.ps1") as powershell:
        if powershell.ask("can", "") != "yes":
            said = "this PowerShell lacks ConvertTo-Xml (Microsoft.PowerShell.Utility)"
            if os.environ.get("CAUCTL_REQUIRE_CONVERTTOXML"):
                pytest.fail(said)
            pytest.skip(said)
        yield powershell


def said_by_us(document: str, form: str, depth: int) -> tuple[str, str]:
    """What we print, or the message of PowerShell's error that we name; a Stream's texts end with U+0000."""
    try:
        given = convert_to_xml(read_clixml(document), as_=form, depth=depth, time_zone=UTC)
        if form == "Document":
            return "ok", outer_xml(given)
        return "ok", given if form == "String" else "".join(f"{text}\0" for text in given)
    except ConversionError as error:
        return "error", error.powershell_message


def said_by_powershell(converter: PowerShell, document: str, form: str, depth: int) -> tuple[str, str]:
    try:
        return "ok", converter.ask(f"{form}.{depth}", document)
    except PowerShellError as error:
        return "error", str(error)


@given(graphs(), st.sampled_from(["String", "Stream", "Document"]), st.integers(1, 4))
@ONE_PROCESS
def test_powershell_converts_as_we_do(converter, meant, form, depth):
    """Both read the same CLIXML; Hashtables of one entry have one order."""
    document = write_clixml([meant.value])
    assert said_by_powershell(converter, document, form, depth) == said_by_us(document, form, depth)


@given(st.floats())
@ONE_PROCESS
def test_dotnet_prints_doubles_as_we_do(dotnet, value):
    answer = dotnet.ask("double", struct.pack(">d", value).hex())
    assert answer == f"{double_text(value)}\n{rounded_text(value, 15)}"


@given(st.floats(width=32))
@ONE_PROCESS
def test_dotnet_prints_singles_as_we_do(dotnet, value):
    answer = dotnet.ask("single", struct.pack(">f", value).hex())
    assert answer == f"{single_text(value)}\n{rounded_text(value, 7)}"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**15), max_value=10**15))
@ONE_PROCESS
def test_dotnet_prints_decimals_as_we_do(dotnet, value: Decimal):
    try:
        said = decimal_text(value)
    except InputError:
        assume(False)
    assert dotnet.ask("decimal", format(value, "f")) == said


@given(st.integers(-(1 << 63), (1 << 63) - 1))
@ONE_PROCESS
def test_dotnet_prints_timespans_as_we_do(dotnet, ticks):
    assert dotnet.ask("timespan", str(ticks)) == TextStyle().text(TimeSpan(ticks))


@given(st.integers(0, 3_155_378_975_999_999_999))
@ONE_PROCESS
def test_dotnet_shows_local_times_as_we_do(dotnet, ticks):
    """The oracle's zone is UTC."""
    value = DateTime.from_ticks(ticks, kind=Kind.LOCAL, offset=timedelta(0))
    shown = DateTime(local_clock(value, UTC), hundred_nanoseconds=ticks % 10)
    assert dotnet.ask("local", str(ticks)) == str(shown.ticks)
