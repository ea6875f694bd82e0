"""ConvertFrom-Csv: text of CSV as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl import psobject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cauctl.psobject import PSObject

__all__ = ["convert_from_csv"]


def convert_from_csv(
    text: str | Iterable[str],
    *,
    delimiter: str | None = None,
    header: Sequence[str] | None = None,
    use_culture: bool = False,
    culture: str | None = None,
) -> list[PSObject]:
    """Read CSV as PowerShell's ConvertFrom-Csv does: an object a record, every value a text.

    Args:
        text: the whole text, or its lines with or without line ends.
        delimiter: one character between fields; the comma by default.
        header: names of the columns, where the text has none.
        use_culture: take the culture's list separator as the delimiter.
        culture: .NET's name of that culture; the invariant one by default.

    Returns:
        Property bags; a ``#TYPE`` line gives their type names, ``Name`` and ``CSV:Name``.

    Raises:
        InputError: a column's name comes twice, or the delimiter is not one character.
    """
    whole = text if isinstance(text, str) else "".join(f"{line.removesuffix(chr(10))}\n" for line in text)
    style = psobject.CsvStyle(delimiter=delimiter, use_culture=use_culture, culture=culture)
    return list(psobject.read_csv(whole, delimiter=style.separator, header=header))
