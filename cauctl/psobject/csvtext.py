"""CSV as PowerShell writes it: records in, lines out.

Rules kept here (numbers are those of the project's study of ConvertTo-Xml):

* The first record gives the columns: its properties, or a dictionary's keys and then its notes. Later records never add
  one; what they lack is an empty field, what they have besides is dropped with a warning (R53).
* A field is ``Value.ToString()`` in the culture; a null is nothing at all, an empty text is ``""`` (R54, R55).
* The type line is the first type name, also a custom or ``Deserialized.`` one; ``CSV:`` in front is cut (R56).
* ConvertTo-Csv leaves out empty lines, a file keeps them (R53, R57).
* A dictionary that comes later also fills columns called like a .NET property of it, such as ``Count``.
* A null record, and a null value in a dictionary, fail as they do in PowerShell.

Use::

    for line in convert_to_csv(updates): ...
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.psobject.convertxml import each_record
from cauctl.psobject.culture import Culture, find_culture
from cauctl.psobject.failure import ConversionError
from cauctl.psobject.members import base_type, is_live_enum, notes, properties
from cauctl.psobject.native import powershell_value
from cauctl.psobject.netmembers import net_properties
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objects import PSDictionary, PSObject
from cauctl.psobject.objecttext import ObjectText
from cauctl.psobject.values import DateTime, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CsvStyle", "DroppedPropertyWarning", "QuoteKind", "convert_to_csv", "csv_lines"]

QuoteKind = Literal["Always", "AsNeeded", "Never"]
"""``-UseQuotes``; any letter case is accepted."""
_KINDS: Final = {kind.lower(): kind for kind in ("Always", "AsNeeded", "Never")}
_NULL_RECORD: Final = "Cannot bind argument to parameter 'InputObject' because it is null."
_NULL_REFERENCE: Final = "Object reference not set to an instance of an object."
_SCRIPTED: Final = (UUID, DateTime)
"""Types whose first property comes of PowerShell's type table, which does not know what was read under another name."""
_TYPE_PREFIX: Final = "CSV:"


class DroppedPropertyWarning(UserWarning):
    """A record has a property that the first one lacks: CSV drops it, in PowerShell without a word."""


@frozen(kw_only=True)
class CsvStyle:
    """How CSV is laid out; the fields are PowerShell's parameters and what its session holds."""

    delimiter: str | None = None
    """One character; the comma by default."""
    use_culture: bool = False
    """Take the culture's list separator as the delimiter."""
    include_type_information: bool = False
    """Begin with a ``#TYPE`` line."""
    no_type_information: bool = False
    """Begin without one; only ``windows_powershell`` writes it unasked."""
    no_header: bool = False
    """Leave out header and type line."""
    use_quotes: QuoteKind | None = field(default=None)
    """Which fields are quoted: ``Always`` by default, ``AsNeeded`` (delimiter, quote, LF) or ``Never``."""
    quote_fields: tuple[str, ...] | None = field(default=None)
    """Names of the columns that are quoted, in any case; the others never are."""
    culture: str | Culture | None = None
    """.NET's name of the culture of numbers and dates."""
    time_zone: tzinfo | None = None
    """Zone in which times print that were read with an offset; the process's by default."""
    windows_powershell: bool = False
    """Write what Windows PowerShell 5.1 would: its type line and digits. Never run there."""

    def __attrs_post_init__(self) -> None:
        if self.use_quotes is not None and self.quote_fields is not None:
            raise InputError(
                "You must specify either the -UseQuotes or -QuoteFields parameters, but not both.",
                where="quote_fields",
                error_id="CannotSpecifyQuoteFieldsAndUseQuotes",
            )
        if self.include_type_information and self.no_type_information:
            raise InputError(
                "You must specify either the -IncludeTypeInformation or -NoTypeInformation parameters, but not both.",
                where="no_type_information",
                error_id="CannotSpecifyIncludeTypeInformationAndNoTypeInformation",
            )
        if self.use_culture and self.delimiter is not None:
            raise InputError("delimiter and use_culture exclude each other.", where="use_culture")
        if self.use_quotes is not None and str(self.use_quotes).lower() not in _KINDS:
            raise InputError(f"{self.use_quotes!r} is no way to quote.", where="use_quotes", expected="|".join(_KINDS))
        self.text_style  # noqa: B018  an unknown culture is refused now
        if len(self.separator) != 1:
            raise InputError(f"{self.separator!a} is no delimiter.", where="delimiter", expected="one character")

    @property
    def text_style(self) -> TextStyle:
        """How values print."""
        windows = self.windows_powershell
        local = find_culture(self.culture, windows_powershell=windows)
        return TextStyle(local, time_zone=self.time_zone, windows_powershell=windows)

    @property
    def separator(self) -> str:
        """The character between fields."""
        if self.use_culture:
            return find_culture(self.culture, windows_powershell=self.windows_powershell).list_separator
        return "," if self.delimiter is None else self.delimiter

    @property
    def has_type_line(self) -> bool:
        """Whether the first line names the type."""
        return self.include_type_information or (self.windows_powershell and not self.no_type_information)


def convert_to_csv(records: Any, *, style: CsvStyle | None = None) -> Iterator[str]:
    """Give the lines that PowerShell's ConvertTo-Csv writes, without line ends.

    Args:
        records: a list or an iterator of records, or one record of any other kind.
        style: how the lines are laid out.

    Raises:
        InputError: a record cannot be converted; ConversionError where PowerShell itself fails. It comes when the
            iterator reaches the record.
    """
    command = "Microsoft.PowerShell.Commands.ConvertToCsvCommand"
    return (line for line in csv_lines(records, style or CsvStyle(), command=command) if line)


def csv_lines(
    records: Any, style: CsvStyle, *, command: str, columns: list[str] | None = None, force: bool = True
) -> Iterator[str]:
    """Give the lines of a CSV file, empty ones too.

    Args:
        records: as for :func:`convert_to_csv`.
        style: how the lines are laid out.
        command: class of PowerShell's command, for errors.
        columns: columns that a file has already, which lines are to be appended to; there is no header then.
        force: whether the first record may lack some of those columns.
    """
    table = _Table(style, command, columns or [])
    for number, record in enumerate(each_record(records), 1):
        with _at_record(number):
            fields = table.fields(record, number)
        if number == 1 and columns is None:
            yield from table.begin(record, fields)
        elif number == 1:
            table.go_on(fields, force=force)
        with _at_record(number):
            line = table.row(fields, number)
        yield line


@contextmanager
def _at_record(number: int) -> Iterator[None]:
    """Name the record in errors that do not."""
    try:
        yield
    except ConversionError:
        raise
    except InputError as error:
        error_id = error.fully_qualified_error_id
        raise InputError(error.message, where=f"record {number}", advice=error.advice, error_id=error_id) from error


class _Field:
    """One value of a record by its name."""

    __slots__ = ("is_asked_for", "is_entry", "name", "value")

    def __init__(self, name: str, value: Any, *, is_entry: bool = False, is_asked_for: bool = False) -> None:
        self.name, self.value, self.is_entry = name, value, is_entry
        self.is_asked_for = is_asked_for
        """Whether it is only there for a column that others have."""


class _Table:
    """What the first record has settled, and the conversion of each."""

    def __init__(self, style: CsvStyle, command: str, columns: list[str]) -> None:
        self._style, self._command = style, command
        self._texts = ObjectText(style.text_style)
        self._separator = style.separator
        self._quotes = "Always" if style.use_quotes is None else _KINDS[style.use_quotes.lower()]
        self._quoted = None if style.quote_fields is None else {name.upper() for name in style.quote_fields}
        self._settle(columns)
        self._warned = False

    def fields(self, record: Any, number: int) -> list[_Field]:
        """List what a record has."""
        held = powershell_value(record)
        if held is None:
            raise self._failed(
                "System.Management.Automation.ParameterBindingValidationException",
                _NULL_RECORD,
                number,
                error_id="ParameterArgumentValidationErrorNullNotAllowed",
            )
        if number > 1 and not self._columns:
            return []
        if not isinstance(held, PSObject):
            return [_Field(name, value) for name, value in net_properties(held, self._texts.style)]
        if isinstance(held.base, PSDictionary):
            found = [*map(self._entry, held.base.items()), *(self._note(held.base, *note) for note in notes(held))]
            return found + self._asked_for(held, {each.name.upper() for each in found})
        found = [_Field(name, value) for name, value, _ in properties(held)]
        if held.base is not None and not is_live_enum(held) and (not held.deserialized or held.adapted is None):
            there = {each.name.upper() for each in found}
            of_dotnet = net_properties(held if held.is_container else held.base, self._texts.style)
            if held.deserialized and held.type_names and type(held.base) in _SCRIPTED:
                del of_dotnet[0]
            found += [_Field(name, value) for name, value in of_dotnet if name.upper() not in there]
        return found

    def _asked_for(self, dictionary: PSObject, there: set[str]) -> list[_Field]:
        """List the properties of a dictionary that others have columns for."""
        wanted = set(self._names) - there
        if not wanted:
            return []
        known = dictionary.adapted
        own = net_properties(dictionary, self._texts.style) if known is None else known.items()
        return [_Field(name, value, is_asked_for=True) for name, value in own if name.upper() in wanted]

    def begin(self, record: Any, fields: list[_Field]) -> Iterator[str]:
        """Settle the columns and give type line and header."""
        self._settle([each.name for each in fields])
        if self._style.no_header:
            return
        if self._style.has_type_line:
            yield f"#TYPE {_first_type_name(powershell_value(record))}"
        yield self._separator.join(map(self._shown, self._columns, self._columns))

    def go_on(self, fields: list[_Field], *, force: bool) -> None:
        """Hold the first of the records that are appended to the columns that a file has already."""
        there = {each.name.upper() for each in fields if not each.is_asked_for}
        missing = next((name for name in self._columns if name.upper() not in there), None)
        if missing is not None and not force:
            raise InputError(
                f"The appended object does not have a property that corresponds to the column {missing!a}.",
                advice="Add force=True to go on with mismatched properties.",
                error_id=f"CannotAppendCsvWithMismatchedPropertyNames,{self._command}",
            )

    def row(self, fields: list[_Field], number: int) -> str:
        """Give the line of a record."""
        if [each.name for each in fields] != self._columns:
            fields = self._arranged(fields, number)
        shown = (self._shown(each.name, self._text(each, number)) for each in fields)
        return self._separator.join(shown)

    def _settle(self, columns: list[str]) -> None:
        self._columns = columns
        self._names = [name.upper() for name in columns]

    def _arranged(self, fields: list[_Field], number: int) -> list[_Field]:
        """Put a record's values into the columns; warn once of what finds no place."""
        by_name = {each.name.upper(): each for each in reversed(fields)}
        dropped = next((each.name for each in fields if each.name.upper() not in self._names), None)
        if dropped is not None and not self._warned:
            self._warned = True
            warnings.warn(
                f"record {number} has a property {dropped!a} that the first record lacks; CSV drops such properties.",
                DroppedPropertyWarning,
                stacklevel=2,
            )
        return [
            by_name.get(name, _Field(column, None)) for name, column in zip(self._names, self._columns, strict=True)
        ]

    def _text(self, each: _Field, number: int) -> str | None:
        if each.value is None:
            if each.is_entry:
                raise self._failed("System.NullReferenceException", _NULL_REFERENCE, number)
            return None
        return self._texts.to_string(each.value)

    def _shown(self, name: str, text: str | None) -> str:
        """Give a field with its quotes."""
        if text is None:
            return ""
        if self._quoted is not None:
            quote = name.upper() in self._quoted
        else:
            needed = self._separator in text or "\n" in text or '"' in text
            quote = self._quotes == "Always" or (self._quotes == "AsNeeded" and needed)
        return '"' + text.replace('"', '""') + '"' if quote else text

    def _entry(self, entry: tuple[Any, Any]) -> _Field:
        """Give a dictionary's entry; PowerShell names the column of any key, and looks for texts only."""
        key, value = entry
        return _Field(key, value, is_entry=True) if type(key) is str else _Field(self._texts.to_string(key), None)

    def _note(self, entries: PSDictionary, name: str, value: Any) -> _Field:
        """Give a dictionary's note; an entry of its name stands in its column too."""
        return _Field(name, entries[name], is_entry=True) if name in entries else _Field(name, value)

    def _failed(self, kind: str, message: str, number: int, *, error_id: str | None = None) -> ConversionError:
        where = f"record {number}"
        return ConversionError(message, powershell_type=kind, command=self._command, where=where, error_id=error_id)


def _first_type_name(value: Any) -> str:
    """Give the first of ``PSTypeNames``."""
    if isinstance(value, PSObject):
        names = value.ps_type_names
        first = names[0] if names else base_type(value)
    else:
        first = type_name(value) or ""
    return first[len(_TYPE_PREFIX) :] if first.upper().startswith(_TYPE_PREFIX) else first
