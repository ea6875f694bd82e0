"""How fast CLIXML is read and written beside PowerShell, and how little memory a stream of values takes.

Both sides take turns in one run, each call on the same file: median of 11 calls after 10 to warm up. Our reading
includes a look at the type and the value of every property; PowerShell's does not. Run with
``pytest --nightly -s tests/benchmarks`` on a quiet machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cauctl.psobject import (
    Int64,
    PSDictionary,
    PSObject,
    Version,
    array,
    custom_object,
    enum_value,
    hashtable,
    ordered_dictionary,
    read_clixml,
    save_clixml,
    write_clixml,
)
from cauctl.psobject.values import TYPE_NAMES
from tests.benchmarks.beside import Beside, medians

TYPES = {**TYPE_NAMES, type(None): None}
FIRST = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

pytestmark = [pytest.mark.nightly, pytest.mark.pwsh, pytest.mark.timeout(900)]


def uniform(count: int) -> Iterator[PSObject]:
    """Objects of six properties, as a scan returns them."""
    for number in range(count):
        yield custom_object(
            {
                "NodeName": f"NODE{number % 16:02d}",
                "UpdateId": f"{number:08x}-1a2b-4c3d-8e9f-000102030405",
                "UpdateTitle": f"2026-11 Cumulative Update for Windows Server 2025 <x64> (KB{number})",
                "ErrorCode": number - 5000,
                "RebootRequired": number % 3 == 0,
                "UpdateTimestamp": FIRST + timedelta(seconds=number * 7),
            }
        )


def mixed(count: int) -> Iterator[Any]:
    """Bags, .NET objects, enums, lists, dictionaries and plain values, by turns, nested and with nulls."""
    updates = uniform(count)
    for number in range(count):
        day = enum_value("System.DayOfWeek", DAYS[number % 7], number % 7)
        shared = custom_object({"Kb": f"KB{number}", "Ok": number % 2 == 0})
        yield (
            next(updates),
            custom_object({"Day": day, "Tags": ["a", "b", number], "Table": hashtable({"k": number}), "Note": None}),
            custom_object({"Id": UUID(int=number), "Ratio": number / 7, "Version": Version((10, 0, number))}),
            ordered_dictionary({"a": number, "b": f"b{number}", "c": [1, 2, 3], "d": None, "e": 1.5}),
            PSObject(
                type_names=("My.NodeState", "My.State", "System.Object"),
                text=f"state {number}",
                adapted={"Name": f"N{number}", "Price": Decimal(number) / 100, "Size": Int64(number), "Took": FIRST},
            ),
            custom_object({"Inner": shared if number % 4 else None, "Results": [shared, custom_object({"Kb": "x"})]}),
            f"line {number} & more",
        )[number % 7]


FILES: dict[str, Callable[[int], Iterator[Any]]] = {"uniform": uniform, "mixed": mixed}


def look(values: Iterable[Any], seen: set[int]) -> None:
    """Look at the type and the value of everything in some values, at each object once."""
    for value in values:
        if type(value) in TYPES or id(value) in seen:
            continue
        seen.add(id(value))
        _ = value.type_names
        for _, item in value.items():  # noqa: PERF102  an object is no dict, and names are part of it
            if type(item) not in TYPES:
                look((item,), seen)
        base = value.base
        if base is not None:
            inner = chain(*base.pairs) if type(base) is PSDictionary else base if value.is_container else (base,)
            look(inner, seen)


def read_and_look(text: str) -> None:
    look(read_clixml(text), set())


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of 10,000 values in one list."""
    path = tmp_path / f"{request.param}.clixml"
    save_clixml([array(FILES[request.param](10_000))], path)
    return path


@pytest.fixture
def beside(file: Path, pwsh_path: str) -> Iterator[Beside]:
    powershell = Beside(pwsh_path, file)
    yield powershell
    powershell.close()


READING = {"uniform": 1.0, "mixed": 2.5}
WRITING = 0.5


def test_reading_takes_no_longer_than_it_may(beside, file):
    """Uniform objects at most 1.0 times PowerShell's warm reader, a mixed file at most 2.5 times."""
    text = file.read_text(encoding="utf-8")
    ours, theirs = medians(beside, "read", lambda: read_and_look(text))

    print(f"\nreading {file.stem}: {ours:.3f} s, {ours / theirs:.2f} times PowerShell's reader ({theirs:.3f} s)")
    assert ours / theirs <= READING[file.stem]


def test_writing_takes_no_longer_than_it_may(beside, file):
    """At most half of the time of PowerShell's ``Serialize``, uniform objects and a mixed file."""
    values = read_clixml(file)
    ours, theirs = medians(beside, "write", lambda: write_clixml(values))

    print(f"\nwriting {file.stem}: {ours:.3f} s, {ours / theirs:.2f} times PowerShell's writer ({theirs:.3f} s)")
    assert ours / theirs <= WRITING


STREAM = """
import sys
from pathlib import Path
from cauctl.psobject import iter_clixml
from tests.benchmarks.resident import most
before = most()
count = sum(1 for value in iter_clixml(Path(sys.argv[1])))
print(count, most() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the most memory that a process ever had")
def test_a_hundred_thousand_values_are_read_in_under_thirty_megabytes(tmp_path):
    """Resident memory of a process that reads 100,000 top-level values of six properties, above its start."""
    path = tmp_path / "many.clixml"
    save_clixml(uniform(100_000), path)

    command = [sys.executable, "-c", STREAM, str(path)]
    count, grown = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())

    print(f"\n{path.stat().st_size / 1e6:.0f} MB read as a stream: {grown / 1e6:.1f} MB above the start")
    assert count == 100_000
    assert grown < 30_000_000
