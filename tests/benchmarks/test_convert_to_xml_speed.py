"""How fast ConvertTo-Xml is beside PowerShell's own reader, and how little memory a stream takes.

Both sides take turns in one run, each call on the same 10,000 objects of six properties: median of 11 after 10 calls to
warm up. Run with ``pytest --nightly -s tests/benchmarks`` on a quiet machine.
"""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cauctl.psobject import PSObject, array, convert_to_xml, custom_object, read_clixml, write_clixml
from tests.benchmarks.beside import Beside, medians

FIRST = datetime(2026, 11, 22, tzinfo=UTC)


def updates(count: int) -> Iterator[PSObject]:
    for number in range(count):
        yield custom_object(
            {
                "NodeName": f"NODE{number % 16:02d}",
                "UpdateId": f"{number:08x}-1a2b-4c3d-8e9f-000102030405",
                "UpdateTitle": f"2026-11 Cumulative Update for Windows Server 2025 for x64-based Systems (KB{number})",
                "ErrorCode": number - 5000,
                "RebootRequired": number % 3 == 0,
                "UpdateTimestamp": FIRST + timedelta(seconds=number * 7),
            }
        )


FORMS: dict[str, tuple[float, Callable[[list[Any]], object]]] = {
    "String": (1.0, lambda records: convert_to_xml(records, as_="String")),
    "Stream": (1.0, lambda records: deque(convert_to_xml(records, as_="Stream"), maxlen=0)),
    "Document": (4.0, lambda records: convert_to_xml(records, as_="Document")),
}


@pytest.mark.nightly
@pytest.mark.pwsh
@pytest.mark.parametrize("form", FORMS)
def test_converting_takes_no_longer_than_powershell_takes_to_read(form, pwsh_path, tmp_path):
    """String and Stream at most 1.0 times warm ``Deserialize`` of the same objects, Document at most 4 times."""
    file = tmp_path / "updates.clixml"
    file.write_text(write_clixml([array(updates(10_000))]), encoding="utf-8")
    records = list(read_clixml(file.read_text(encoding="utf-8"))[0].base)
    limit, convert = FORMS[form]

    powershell = Beside(pwsh_path, file)
    try:
        ours, reader = medians(powershell, "read", lambda: convert(records))
    finally:
        powershell.close()

    print(f"\n{form}: {ours:.3f} s, {ours / reader:.2f} times PowerShell's reader ({reader:.3f} s)")
    assert limit >= ours / reader


def peak(count: int) -> int:
    """Bytes that converting so many objects as a stream takes at most."""
    tracemalloc.start()
    try:
        deque(convert_to_xml(updates(count), as_="Stream"), maxlen=0)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_stream_takes_no_more_memory_for_more_objects():
    """Flat memory: 5,000 objects take what 500 take."""
    few, many = peak(500), peak(5_000)
    assert few + 200_000 > many


MILLION = """
from collections import deque
from cauctl.psobject import convert_to_xml
from tests.benchmarks.resident import most
from tests.benchmarks.test_convert_to_xml_speed import updates

deque(convert_to_xml(updates(1_000), as_="Stream"), maxlen=0)
before = most()
deque(convert_to_xml(updates(1_000_000), as_="Stream"), maxlen=0)
print(most() - before)
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the most memory that a process ever had")
def test_a_stream_of_a_million_objects_takes_flat_memory():
    """Less than 5 MiB above the start."""
    done = subprocess.run([sys.executable, "-c", MILLION], check=True, capture_output=True, text=True)
    print(f"a stream of a million: {int(done.stdout) / 1e6:.1f} MB above the start")
    assert int(done.stdout) < 5 << 20
