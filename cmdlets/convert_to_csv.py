"""ConvertTo-Csv: objects as lines of CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cauctl import psobject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from cauctl.psobject.csvtext import QuoteKind

__all__ = ["convert_to_csv"]


def convert_to_csv(  # noqa: PLR0913  PowerShell's parameters and what its session holds
    records: Any,
    *,
    delimiter: str | None = None,
    use_culture: bool = False,
    include_type_information: bool = False,
    no_type_information: bool = False,
    quote_fields: Sequence[str] | None = None,
    use_quotes: QuoteKind | None = None,
    no_header: bool = False,
    culture: str | None = None,
    time_zone: tzinfo | None = None,
    windows_powershell: bool = False,
) -> Iterator[str]:
    """Convert objects to the lines that PowerShell's ConvertTo-Csv writes, to the byte.

    The first object gives the columns. Later ones never add one: what they lack is an empty field, what they have
    besides is dropped, with a :class:`cauctl.psobject.DroppedPropertyWarning` (PowerShell drops it silently). The rules
    were recorded from PowerShell 7.6.9.

    Args:
        records: a list or an iterator of objects, or one object of any other kind.
        delimiter: one character between fields; the comma by default.
        use_culture: take the culture's list separator instead.
        include_type_information: begin with a ``#TYPE`` line.
        no_type_information: begin without one; only ``windows_powershell`` writes it unasked.
        quote_fields: names of the columns that are quoted, in any case; all others never are.
        use_quotes: ``Always`` (the default), ``AsNeeded`` or ``Never``; not together with ``quote_fields``.
        no_header: leave out header and type line.
        culture: .NET's name of the culture that numbers and dates print in; the invariant one by default.
        time_zone: zone in which times print that were read with an offset; the process's by default.
        windows_powershell: write what Windows PowerShell 5.1 would: its type line and digits. Never run there.

    Returns:
        An iterator over the lines, without line ends; it converts while it is read.

    Raises:
        InputError: parameters exclude each other, or an object cannot be converted. A null among the objects, and a
            null value in a dictionary, fail as they do in PowerShell, with its FullyQualifiedErrorId.
    """
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
    return psobject.convert_to_csv(records, style=style)
