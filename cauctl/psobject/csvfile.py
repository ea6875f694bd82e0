"""CSV files: what Export-Csv writes and Import-Csv reads.

Rules kept here: a file has every line, empty ones too (R57); appending goes on with the columns, the encoding and the
delimiter of the file, and writes no header; a file whose last line has no end gets one first, so that no record is lost
in it (PowerShell would glue the two).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from cauctl.psobject.csvreader import csv_columns
from cauctl.psobject.csvtext import CsvStyle, csv_lines
from cauctl.psobject.textfile import append_text, file_encoding, read_text, write_text

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["append_csv", "write_csv"]

_COMMAND: Final = "Microsoft.PowerShell.Commands.ExportCsvCommand"


def write_csv(  # noqa: PLR0913  a file has a place, an encoding, a line end
    records: Any,
    path: str | PathLike[str],
    *,
    style: CsvStyle,
    encoding: str,
    newline: str,
    replace: bool = True,
) -> None:
    """Write a new file, whole or not at all.

    Raises:
        InputError: a record cannot be converted, or the file cannot be written.
    """
    lines = (line + newline for line in csv_lines(records, style, command=_COMMAND))
    write_text(path, lines, encoding=encoding, replace=replace)


def append_csv(  # noqa: PLR0913  as above
    records: Any,
    path: str | PathLike[str],
    *,
    style: CsvStyle,
    encoding: str,
    newline: str,
    force: bool = False,
) -> None:
    """Add records to a file; one that is missing or empty is written anew.

    Raises:
        InputError: the first record lacks a column of the file and ``force`` is False, a record cannot be converted, or
            the file cannot be used.
    """
    target = Path(path)
    if not target.exists() or not target.stat().st_size:
        write_csv(records, path, style=style, encoding=encoding, newline=newline)
        return
    there = read_text(path, encoding=encoding)
    columns = csv_columns(there, delimiter=style.separator)
    lines = [
        line + newline
        for line in csv_lines(records, evolve(style, no_header=True), command=_COMMAND, columns=columns, force=force)
    ]
    if lines and not there.endswith(("\n", "\r")):
        lines.insert(0, newline)
    append_text(path, lines, encoding=file_encoding(path, encoding=encoding))
