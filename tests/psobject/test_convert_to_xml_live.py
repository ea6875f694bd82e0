"""ConvertTo-Xml of values made here is what PowerShell printed of the values that its scripts made."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from cauctl.errors import InputError
from cauctl.psobject import ConversionError, convert_to_xml, outer_xml
from tests.psobject.powershell_literals import AUTOMATION_NULL, UnreadableError, read_value
from tests.psobject.recorded_rows import rows

RECORDED = rows("convertto-xml/live.jsonl")
HIDDEN_STATE = "what was done to an object before the conversion is not remembered (R46)"
NOT_READ = {
    "a type that is not modelled: BigInteger, DateTimeOffset, DateOnly, SemanticVersion, Regex, Tuple, Exception …": (
        "culture en-US not primitive",
        "culture en-GB not primitive",
        "culture sv-SE not primitive",
        "culture fi-FI not primitive",
        "culture ja-JP not primitive",
        "culture fa-IR not primitive",
        "culture th-TH not primitive",
        "bigint",
        "bigint as property",
        "dateonly",
        "timeonly as property",
        "semantic version",
        "bigint large as property",
        "regex",
        "tuple",
        "exception with inner",
        "exception derived depth 3",
        "limit custom values",
        "limit custom more values",
        "back bigint at limit",
        "back datetimeoffset at limit",
        "back exception",
    ),
    "a container of .NET with members or an enumerator of its own": (
        "type name markup",
        "read only collection",
        "queue subclass",
        "hashset",
        "range iterator as property",
        "bit array",
        "regex matches",
        "hashtable keys",
        "yielding enumerable",
        "enumerable without enumerator",
        "enumerator object",
        "data table",
        "name value collection",
        "hashset with note",
        "dictionary that breaks",
        "dictionary without enumerator",
        "enumerable with null enumerator",
    ),
    "script, alias and code properties, property sets and type data run PowerShell": (
        "array with script property",
        "array with property set",
        "custom selected calculated",
        "custom script property nothing",
        "custom script property two output types",
        "custom property set",
        "psclass",
        "type data members",
        "type data members at limit",
        "type data specific",
        "type data depth",
        "limit custom script property throws",
        "limit custom alias",
    ),
    "a null or failing ToString, a subclass of XmlDocument, the members of an XmlElement": (
        "xml document subclass",
        "xml element",
        "net bad text inside",
        "limit null text with note",
    ),
    "whether PowerShell has wrapped a value, or lost its wrapper": (
        "array wrapped as property",
        "array with note as property",
        "custom with automation null",
        "limit custom wrapped array",
    ),
    "a command that is not read: Get-Date, Get-Content": (
        "datetime display hint",
        "line from get-content",
    ),
    HIDDEN_STATE: (
        "hidden after properties",
        "hidden after psobject",
        "hidden after select",
        "hidden after format",
        "hidden after deeper conversion",
        "hidden after top level conversion",
    ),
}
"""Scripts that the reader of these tests does not understand, by the reason."""
OTHERWISE = {
    "culture fa-IR nested text": "the Persian calendar is refused",
    "culture ar-SA nested text": "the Hijri calendar is refused",
    "hidden after clixml": HIDDEN_STATE,
}
"""Rows that do not print as recorded, with the reason."""
UNREAD = {name for names in NOT_READ.values() for name in names}


def records(row: dict[str, Any], value: Any) -> list[Any]:
    """The records that the recorded command passed to ConvertTo-Xml."""
    if row["mode"] == "pipe":
        return [] if value is AUTOMATION_NULL else value if isinstance(value, list) else [value]
    return [None if value is AUTOMATION_NULL else value]


def converted(row: dict[str, Any]) -> tuple[Any, str | None]:
    """What we print for a row, and the message of PowerShell's error that we name."""
    said: list[str] = []
    try:
        given = convert_to_xml(
            records(row, read_value(row["script"])),
            depth=row["depth"] or 1,
            no_type_information=row["noTypeInformation"],
            as_=row["as"],
            culture=row["culture"],
            time_zone=UTC,
        )
        if row["as"] == "Stream":
            said.extend(given)
            return said, None
        return (given if row["as"] == "String" else outer_xml(given)), None
    except ConversionError as error:
        return (said if row["as"] == "Stream" else None), error.powershell_message
    except InputError as error:
        return None, f"refused: {error}"


@pytest.mark.parametrize("row", [row for row in RECORDED if row["name"] not in UNREAD], ids=lambda row: row["name"])
def test_each_value_prints_as_powershell_printed_it(row):
    error = row["error"] and row["error"]["message"]
    expected = (row["items"] if row["as"] == "Stream" else row["output"], error)
    assert (row["name"] in OTHERWISE) == (expected != converted(row))


@pytest.mark.parametrize("row", [row for row in RECORDED if row["name"] in UNREAD], ids=lambda row: row["name"])
def test_a_script_that_is_listed_as_unread_is_refused_by_the_reader(row):
    with pytest.raises(UnreadableError):
        read_value(row["script"])


def test_rows_without_proof_are_few():
    assert 85 >= len(UNREAD) + len(OTHERWISE)
