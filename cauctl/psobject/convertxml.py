"""ConvertTo-Xml: records in, PowerShell's XML out.

Rules kept here (numbers are those of the project's study of ConvertTo-Xml):

* A list or an iterator is many records, anything else is one; an array as one record is ``[values]`` (R5).
* ``String`` is the whole text without a line end at its end (R2). ``Stream`` is an iterator over the declaration,
  ``<Objects>``, one text a record, ``</Objects>`` (R3). ``Document`` is an lxml ElementTree (R4).
* The culture is the invariant one and lines end with LF unless asked otherwise, on every system.
* Where PowerShell fails, ConversionError says so before anything is given out; in Stream form after the texts of the
  records before (R52).
* PowerShell's text depends on what was done to an object before (R46: once its members were listed, an object at the
  limit gets a wrapper). Here it depends on this conversion alone, as if nobody had looked at the object before.

Use::

    print(convert_to_xml(updates, as_="String"))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from cauctl.errors import InputError
from cauctl.psobject.culture import Culture, find_culture
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.xmldocument import DECLARATION, EMPTY_MARK, read_document
from cauctl.psobject.xmlwriter import XmlWriter

if TYPE_CHECKING:
    from datetime import tzinfo

    from lxml import etree

__all__ = ["XmlForm", "convert_to_xml", "each_record"]

XmlForm = Literal["Document", "String", "Stream"]
"""What ConvertTo-Xml gives; any letter case is accepted."""
_FORMS: Final = {form.lower(): form for form in ("Document", "String", "Stream")}
_MAX_DEPTH: Final = 2_147_483_647


@overload
def convert_to_xml(
    records: Any,
    *,
    depth: int = ...,
    no_type_information: bool = ...,
    as_: Literal["Document"] = ...,
    culture: str | Culture | None = ...,
    newline: str | None = ...,
    time_zone: tzinfo | None = ...,
    windows_powershell: bool = ...,
    null_notes: bool = ...,
) -> etree._ElementTree: ...


@overload
def convert_to_xml(
    records: Any,
    *,
    depth: int = ...,
    no_type_information: bool = ...,
    as_: Literal["String"],
    culture: str | Culture | None = ...,
    newline: str | None = ...,
    time_zone: tzinfo | None = ...,
    windows_powershell: bool = ...,
    null_notes: bool = ...,
) -> str: ...


@overload
def convert_to_xml(
    records: Any,
    *,
    depth: int = ...,
    no_type_information: bool = ...,
    as_: Literal["Stream"],
    culture: str | Culture | None = ...,
    newline: str | None = ...,
    time_zone: tzinfo | None = ...,
    windows_powershell: bool = ...,
    null_notes: bool = ...,
) -> Iterator[str]: ...


def convert_to_xml(  # noqa: PLR0913  PowerShell's parameters and what its session holds
    records: Any,
    *,
    depth: int = 1,
    no_type_information: bool = False,
    as_: XmlForm = "Document",
    culture: str | Culture | None = None,
    newline: str | None = None,
    time_zone: tzinfo | None = None,
    windows_powershell: bool = False,
    null_notes: bool = False,
) -> Any:
    """Convert records to the XML that PowerShell's ConvertTo-Xml prints, to the byte.

    PowerShell 7.6.9 on Linux is the model: lines end with LF and the culture is the invariant one unless asked
    otherwise, on every system. The rules were recorded from that PowerShell, and what it printed is part of the test
    suite.

    Args:
        records: a list or an iterator of records (each becomes one ``Object`` element), or one record of any other
            kind. An array as one record is ``[values]``.
        depth: how many levels of objects are written as elements, 1 or more; below that an object is its text. Lists
            and dictionaries do not count. PowerShell's default is 1, so an object within an object is already text.
        no_type_information: leave out every ``Type`` attribute.
        as_: ``Document`` for an lxml ElementTree (:func:`outer_xml` and :func:`save_xml` give .NET's texts of it),
            ``String`` for one str, ``Stream`` for an iterator of str that converts while it is read.
        culture: .NET's name of the culture that numbers and dates print in, such as ``de-DE``.
        newline: line end between elements and within texts. A Document has LF always.
        time_zone: zone in which times print that were read with an offset; the process's by default.
        windows_powershell: print as Windows PowerShell 5.1 would: CR LF, its type names and digits; invariant culture
            or en-US only. Written from its documentation and source, never run on it.
        null_notes: write a null property of a property bag at the depth limit as an empty element. PowerShell fails
            there (NullReferenceException), and so does this function unless told otherwise.

    Raises:
        InputError: a parameter or a value cannot be used; ``where`` names the place. Where PowerShell itself fails it
            is a ConversionError with PowerShell's id and message. In Stream form it comes when the iterator reaches
            the record, in the other forms before anything is given out.
    """
    form = _form(as_)
    if not isinstance(depth, int) or not 1 <= depth <= _MAX_DEPTH:
        raise InputError(f"{depth!r} cannot be the depth.", where="depth", expected=f"1 to {_MAX_DEPTH}")
    document = form == "Document"
    ends = newline if newline is not None else "\r\n" if windows_powershell else "\n"
    if ends not in {"\n", "\r\n", "\r"}:
        raise InputError(f"{ends!a} is no line end.", where="newline", expected="LF, CR LF or CR")
    writer = XmlWriter(
        TextStyle(
            find_culture(culture, windows_powershell=windows_powershell),
            time_zone=time_zone,
            windows_powershell=windows_powershell,
        ),
        depth=depth,
        types=not no_type_information,
        newline="\n" if document else ends,
        level=None if document else int(form == "String"),
        empty_text=EMPTY_MARK if document else "",
        null_notes=null_notes,
    )
    if form == "Stream":
        return _stream(writer, records)
    if document:
        return read_document(_whole(writer, records, "", before=""))
    return _whole(writer, records, ends, before=DECLARATION + ends)


def each_record(records: Any) -> Iterable[Any]:
    """Give the records that a pipeline would pass: those of a list or an iterator, else the one value."""
    return records if isinstance(records, list | Iterator) else (records,)


def _form(as_: str) -> str:
    form = _FORMS.get(as_.lower()) if isinstance(as_, str) else None
    if form is None:
        raise InputError(f"{as_!r} is no form of output.", where="as_", expected="Document, String or Stream")
    return form


def _stream(writer: XmlWriter, records: Any) -> Iterator[str]:
    yield DECLARATION
    yield "<Objects>"
    for number, record in enumerate(each_record(records), 1):
        yield writer.record(record, number=number)
    yield "</Objects>"


def _whole(writer: XmlWriter, records: Any, newline: str, *, before: str) -> str:
    """Give the root element and what stands before it; the texts are copied only once."""
    indent = newline + "  " if newline else ""
    texts = [writer.record(record, number=number) for number, record in enumerate(each_record(records), 1)]
    if not texts:
        return f"{before}<Objects />"
    texts[0] = f"{before}<Objects>{indent}{texts[0]}"
    texts[-1] = f"{texts[-1]}{newline}</Objects>"
    return indent.join(texts)
