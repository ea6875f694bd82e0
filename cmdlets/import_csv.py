"""Import-Csv: a file of CSV as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl import psobject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from cauctl.psobject import PSObject

__all__ = ["import_csv"]


def import_csv(  # noqa: PLR0913  PowerShell's parameters and what its session holds
    path: str | PathLike[str],
    *,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
    use_culture: bool = False,
    encoding: str = "utf8",
    culture: str | None = None,
) -> list[PSObject]:
    """Read a file of CSV as PowerShell's Import-Csv does: an object a record, every value a text.

    Args:
        path: the file.
        delimiter: one character between fields; the comma by default.
        header: names of the columns, where the file has none.
        use_culture: take the culture's list separator as the delimiter.
        encoding: PowerShell's or Python's name of the encoding; a byte order mark in the file decides otherwise.
        culture: .NET's name of the culture of ``use_culture``; the invariant one by default.

    Returns:
        Property bags; a ``#TYPE`` line gives their type names, ``Name`` and ``CSV:Name``.

    Raises:
        InputError: the file cannot be read or decoded, a column's name comes twice, or the delimiter is not one
            character.
    """
    style = psobject.CsvStyle(delimiter=delimiter, use_culture=use_culture, culture=culture)
    text = psobject.read_text(path, encoding=encoding)
    return list(psobject.read_csv(text, delimiter=style.separator, header=header))
