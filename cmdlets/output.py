"""What a cmdlet returns: the objects that it wrote, as a list that shows and converts itself."""

from __future__ import annotations

import html
import importlib
from collections import Counter
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from attrs import fields, has

from cauctl.errors import InputError
from cauctl.models.dotnet import dotnet_type
from cauctl.models.naming import pascal_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cauctl.errors import CauError

__all__ = ["CauOutput", "CauWarning"]

T = TypeVar("T")

_MOST_ROWS: Final = 200
"""Rows of one table in a notebook."""


class CauWarning(UserWarning):
    """What PowerShell writes to its warning stream."""


class CauOutput(list[T]):
    """The objects that a cmdlet wrote, in order; what the variable would hold in PowerShell.

    Attributes:
        notices: what the cmdlet warned of; each was also given to :mod:`warnings` as :class:`CauWarning`.
        errors: what failed while other work went on, such as a node that could not be scanned.
    """

    def __init__(
        self, objects: Iterable[T] = (), *, notices: Sequence[str] = (), errors: Sequence[CauError] = ()
    ) -> None:
        super().__init__(objects)
        self.notices = tuple(notices)
        self.errors = tuple(errors)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{count} {name}" for name, count in Counter(type(each).__name__ for each in self).items())
        return f"<CauOutput: {kinds or 'nothing'}>"

    def to_xml(self, path: str | Path | None = None, *, depth: int = 1, no_type_information: bool = False) -> str:
        """Give what ConvertTo-Xml -As String prints of the objects; ``path`` also writes it there, as UTF-8."""
        from cauctl.psobject import convert_to_xml  # noqa: PLC0415  lxml is loaded only when it is used

        text = convert_to_xml(list(self), depth=depth, no_type_information=no_type_information, as_="String")
        return _kept(text, path)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Give what ConvertTo-Csv prints of the objects; ``path`` also writes it there, as UTF-8."""
        from cauctl.psobject import convert_to_csv  # noqa: PLC0415  as in to_xml

        return _kept("".join(f"{line}\n" for line in convert_to_csv(list(self))), path)

    def to_frame(self, kind: type | None = None) -> Any:
        """Give a ``pandas.DataFrame``: a row an object, a column a PowerShell property.

        Args:
            kind: take the objects of this class only; without it a column takes in what any object has.

        Raises:
            InputError: pandas is not installed.
        """
        rows = [dict(_cells(each)) for each in self if kind is None or isinstance(each, kind)]
        return _pandas().DataFrame(rows, columns=list(dict.fromkeys(name for row in rows for name in row)))

    def _repr_html_(self) -> str:
        """Show the objects in a notebook: a table for each stretch of objects of one class."""
        tables = [_table(kind, list(objects)) for kind, objects in groupby(self, key=type)]
        notices = "".join(f"<p><strong>Warning:</strong> {html.escape(notice)}</p>" for notice in self.notices)
        return notices + ("".join(tables) or "<p>Nothing.</p>")


def _cells(value: Any) -> Iterator[tuple[str, Any]]:
    """Give PowerShell's property names with Python's values; enums and ids as the texts that people know."""
    described = dotnet_type(type(value))
    if described is not None:
        yield from ((each.name, _plain(getattr(value, each.attribute))) for each in described.properties)
    elif has(type(value)):
        yield from ((pascal_case(each.name), _plain(getattr(value, each.name))) for each in fields(type(value)))
    else:
        yield "Value", value


def _plain(value: Any) -> Any:
    if isinstance(value, (Enum, UUID)):
        return str(value)
    described = dotnet_type(type(value))
    if described is not None and described.text is not None:
        return getattr(value, described.text)
    return value


def _table(kind: type, objects: Sequence[Any]) -> str:
    rows = [dict(_cells(each)) for each in objects[:_MOST_ROWS]]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{_shown(cell)}</td>' for cell in row.values())}</tr>" for row in rows)
    more = f"<p>… and {len(objects) - _MOST_ROWS} more.</p>" if len(objects) > _MOST_ROWS else ""
    caption = f"<caption>{html.escape(kind.__name__)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, tuple):
        return f"{len(cell)} {html.escape(type(cell[0]).__name__)}" if cell else ""
    return html.escape(str(cell))


def _kept(text: str, path: str | Path | None) -> str:
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(f"{str(path)!r} cannot be written: {error.strerror}.", where="path") from error
    return text


def _pandas() -> Any:
    try:
        return importlib.import_module("pandas")
    except ImportError as error:
        raise InputError("pandas is not installed.", advice="Install it: pip install 'cauctl[notebook]'.") from error
