"""Export-Csv: objects as a file of CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cauctl import psobject
from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo
    from os import PathLike

    from cauctl.psobject.csvtext import QuoteKind

__all__ = ["export_csv"]


def export_csv(  # noqa: PLR0913  PowerShell's parameters and what its session holds
    records: Any,
    path: str | PathLike[str],
    *,
    append: bool = False,
    force: bool = False,
    no_clobber: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    use_culture: bool = False,
    include_type_information: bool = False,
    no_type_information: bool = False,
    quote_fields: Sequence[str] | None = None,
    use_quotes: QuoteKind | None = None,
    no_header: bool = False,
    culture: str | None = None,
    newline: str | None = None,
    time_zone: tzinfo | None = None,
    windows_powershell: bool = False,
) -> None:
    """Write objects to a file as PowerShell's Export-Csv does.

    A new file appears whole or not at all. The columns are those of the first object, or of the file that is appended
    to; see :func:`cmdlets.convert_to_csv`.

    Args:
        records: a list or an iterator of objects, or one object of any other kind.
        path: the file.
        append: add to the file, in its encoding and with its columns; without a file it is written anew.
        force: append even where the first object lacks a column of the file.
        no_clobber: refuse to replace a file.
        encoding: PowerShell's or Python's name of the encoding; UTF-8 without a byte order mark by default, ASCII for
            ``windows_powershell``.
        delimiter: one character between fields; the comma by default.
        use_culture: take the culture's list separator instead.
        include_type_information: begin with a ``#TYPE`` line.
        no_type_information: begin without one; only ``windows_powershell`` writes it unasked.
        quote_fields: names of the columns that are quoted, in any case; all others never are.
        use_quotes: ``Always`` (the default), ``AsNeeded`` or ``Never``; not together with ``quote_fields``.
        no_header: leave out header and type line.
        culture: .NET's name of the culture that numbers and dates print in; the invariant one by default.
        newline: line end; LF by default, CR LF for ``windows_powershell``.
        time_zone: zone in which times print that were read with an offset; the process's by default.
        windows_powershell: write what Windows PowerShell 5.1 would. Never run there.

    Raises:
        InputError: parameters exclude each other, an object cannot be converted, or the file cannot be written.
    """
    if append and no_clobber:
        raise InputError("append and no_clobber exclude each other.", where="no_clobber")
    style = psobject.CsvStyle(
        delimiter=delimiter,
        use_culture=use_culture,
        include_type_information=include_type_information,
        no_type_information=no_type_information,
        quote_fields=None if quote_fields is None else tuple(quote_fields),
        use_quotes=use_quotes,
        no_header=no_header,
        culture=culture,
        time_zone=time_zone,
        windows_powershell=windows_powershell,
    )
    written_as = encoding or ("ascii" if windows_powershell else "utf8")
    line_end = newline if newline is not None else "\r\n" if windows_powershell else "\n"
    if append:
        psobject.append_csv(records, path, style=style, encoding=written_as, newline=line_end, force=force)
    else:
        psobject.write_csv(records, path, style=style, encoding=written_as, newline=line_end, replace=not no_clobber)
