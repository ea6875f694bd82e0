"""Data on standard output: a table for people; XML, JSON, CSV and CLIXML for programs.

XML is what ConvertTo-Xml prints of the same objects, CSV what ConvertTo-Csv prints, CLIXML what Import-Clixml reads.
JSON has the PowerShell property names, ISO 8601 times in UTC, durations as .NET prints them, enums by name, decimals
and ids as texts, bytes in base64. Half a surrogate pair, which no encoding of a terminal has, is escaped in JSON and
U+FFFD in CSV, as PowerShell writes it.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from rich.table import Table
from rich.text import Text

from cauctl.cli.console import data_console, say, visible
from cauctl.models.dotnet import dotnet_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["plain", "print_table", "write_data"]

_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")


def write_data(records: Sequence[Any], form: str, *, table: Callable[[Sequence[Any]], None], depth: int = 1) -> None:
    """Write ``records`` to standard output in the form that ``--output`` asked for.

    Args:
        records: models, in order.
        form: table, xml, json, csv or clixml.
        table: draws the records as a table.
        depth: ConvertTo-Xml's Depth for ``xml``; 1 is its default.
    """
    if form == "table":
        table(records)
        return
    from cauctl import psobject  # noqa: PLC0415  lxml is loaded only when something is printed with it

    writers: Mapping[str, Callable[[], str]] = {
        "xml": lambda: str(psobject.convert_to_xml(list(records), depth=depth, as_="String")),
        "json": lambda: _json([plain(record) for record in records]),
        "csv": lambda: _csv(psobject.convert_to_csv(list(records))),
        "clixml": lambda: psobject.write_clixml(list(records)),
    }
    text = writers[form]()
    sys.stdout.write(text if form == "csv" else f"{text}\n")
    sys.stdout.flush()


def _json(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _HALF_A_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _csv(lines: Iterable[str]) -> str:
    """Join the lines; warnings become notices on standard error."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        text = "".join(f"{line}\n" for line in lines)
    for warning in said:
        say(f"Warning: {warning.message}", "yellow")
    return _HALF_A_PAIR.sub("\ufffd", text)


def plain(value: Any) -> Any:
    """A value as JSON has it: models as objects with PowerShell's property names, in their order."""
    description = dotnet_type(type(value))
    if description is not None:
        return {each.name: plain(getattr(value, each.attribute)) for each in description.properties}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        from cauctl.psobject.nettext import timespan_text  # noqa: PLC0415  as above

        return timespan_text(value // timedelta(microseconds=1) * 10)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value) if isinstance(value, (UUID, PurePath, Decimal)) else value


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "") -> None:
    """Draw a table; square brackets in texts mean nothing special. ``empty`` is said when there are no rows."""
    table = Table(title=title or None, title_justify="left", show_lines=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    count = 0
    for row in rows:
        table.add_row(
            *(cell if isinstance(cell, Text) else Text("" if cell is None else visible(str(cell))) for cell in row)
        )
        count += 1
    data_console().print(table if count or not empty else Text(empty))
