"""Every recorded document is read, refused and written as PowerShell 7.6 did it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from cauctl.errors import InputError
from cauctl.psobject import read_clixml, write_clixml
from tests.psobject.clixml_records import records
from tests.psobject.describe import describe, differences

BERLIN = ZoneInfo("Europe/Berlin")  # where the records were made

WRITTEN = [record for record in records("serialize") if record.get("clixml")]
READ = records("deserialize")

STRICTER: dict[str, str] = {}
"""Documents that PowerShell reads and we refuse."""

OTHERWISE: dict[str, str] = {
    "string-escape-8": "PowerShell doubles the character before an eight-digit escape beyond U+10FFFF; we do not",
}
"""Documents that we read to something else."""

WRITTEN_OTHERWISE: dict[str, str] = {
    "scriptblock": "PowerShell reads a script block as String, so it is written as one",
    "guid-property": "holds a script block, see scriptblock",
    "error-writeerror/d2": "holds a script block, see scriptblock",
}
"""Documents that are not the same text after reading and writing."""


@pytest.mark.parametrize("record", [r for r in WRITTEN if not r.get("back_error")], ids=lambda r: r["name"])
def test_what_powershell_wrote_is_read_to_what_it_reads_back(record):
    values = read_clixml(record["clixml"])

    assert len(values) == 1
    assert differences(record["back"], describe(values[0], BERLIN)) == []


@pytest.mark.parametrize("record", [r for r in WRITTEN if r.get("back_error")], ids=lambda r: r["name"])
def test_what_powershell_cannot_read_back_is_refused(record):
    with pytest.raises(InputError):
        read_clixml(record["clixml"])


@pytest.mark.parametrize("record", [r for r in READ if not r.get("error")], ids=lambda r: r["name"])
def test_accepted_documents_are_read_to_the_described_values(record):
    if record["name"] in STRICTER:
        with pytest.raises(InputError):
            read_clixml(record["clixml"])
        return
    values = read_clixml(record["clixml"])

    assert len(values) == len(record["values"])
    found = [
        line
        for expected, value in zip(record["values"], values, strict=True)
        for line in differences(expected, describe(value, BERLIN))
    ]
    assert bool(found) == (record["name"] in OTHERWISE), found


@pytest.mark.parametrize("record", [r for r in READ if r.get("error")], ids=lambda r: r["name"])
def test_refused_documents_are_refused_with_their_place(record):
    with pytest.raises(InputError) as refusal:
        read_clixml(record["clixml"])

    assert refusal.value.line >= 1
    assert refusal.value.column >= 1
    assert refusal.value.expected


@pytest.mark.parametrize("record", [r for r in WRITTEN if not r.get("back_error")], ids=lambda r: r["name"])
def test_documents_read_and_written_again_are_the_same_text(record):
    again = write_clixml(read_clixml(record["clixml"]))

    assert (again == record["clixml"]) == (record["name"] not in WRITTEN_OTHERWISE)


@pytest.mark.parametrize("listed", [STRICTER, OTHERWISE, WRITTEN_OTHERWISE], ids=["stricter", "otherwise", "written"])
def test_every_exception_names_a_record(listed):
    names = {record["name"] for record in (*WRITTEN, *READ)}

    assert set(listed) - names == set()
