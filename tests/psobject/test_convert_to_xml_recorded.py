"""ConvertTo-Xml of what was read from CLIXML is PowerShell's, to the byte: 2,602 documents in 10,372 ways."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cauctl.psobject import ConversionError, convert_to_xml, outer_xml, read_clixml
from tests.psobject.recorded_rows import rows

BERLIN = ZoneInfo("Europe/Berlin")
RECORDED = rows("convertto-xml/deserialized.jsonl")
OTHERWISE = {
    "deserialize/string-escape-8": "PowerShell doubles a character before an escape beyond U+10FFFF; we do not",
}
"""Rows whose value is read otherwise here, with the reason."""


def converted(row: dict[str, Any], output: dict[str, Any]) -> tuple[Any, tuple[str, str] | None]:
    """What we print for a row, and PowerShell's id and message of the error that we name."""
    said: list[str] = []
    try:
        given = convert_to_xml(
            read_clixml(row["clixml"]),
            depth=output["depth"],
            no_type_information=output["notype"],
            as_=output["as"],
            culture=output.get("culture"),
            time_zone=BERLIN,
        )
        if output["as"] == "Stream":
            said.extend(given)
            return said, None
        return (given if output["as"] == "String" else outer_xml(given)), None
    except ConversionError as error:
        failed = (error.fully_qualified_error_id, error.powershell_message)
        return (said if output["as"] == "Stream" else None), failed


def recorded(output: dict[str, Any]) -> tuple[Any, tuple[str, str] | None]:
    error = output.get("error")
    return output.get("text"), (error["id"], error["message"]) if error else None


def without_order(said: Any) -> Any:
    """The lines of a text, sorted: a Hashtable's order means nothing."""
    text, failed = said
    return sorted("".join(text).replace("><", ">\n<").split("\n")), failed


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: row["name"])
def test_each_recorded_document_prints_as_powershell_printed_it(row):
    expected = [recorded(output) for output in row["outputs"]]
    said = [converted(row, output) for output in row["outputs"]]
    if row.get("unordered"):
        expected, said = list(map(without_order, expected)), list(map(without_order, said))
    assert (row["name"] in OTHERWISE) == (expected != said)


def test_rows_printed_otherwise_are_few_and_all_recorded():
    assert set(OTHERWISE) <= {row["name"] for row in RECORDED}
    assert 30 >= len(OTHERWISE)
