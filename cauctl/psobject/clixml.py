"""CLIXML, the text form in which PowerShell saves and sends objects ([MS-PSRP] 2.2.5), read and written.

Reading: :func:`read_clixml` gives the list of top-level values, :func:`iter_clixml` one after the other in little
memory, :func:`read_streams` also tells the stream of each, as ``powershell -OutputFormat xml`` prints them,
:func:`read_fragment` one bare element, as PSRP messages hold it. Writing: :func:`write_clixml`,
:func:`write_fragment`, and :func:`save_clixml` for files.

Reading accepts and refuses what PowerShell 7.6 does. Where we are stricter, and why:

* more than 32 Mi characters in one string, 1 Gi in one document: bounds for what comes from outside (:class:`Limits`);
* member sets nested deeper than 48: PowerShell would overflow its stack;
* a date that is a time, a day or a month alone: it would mean another date each day;
* an XML document (``XD``) that uses entities of its own: nothing is expanded here;
* an encoding other than UTF-8 and UTF-16.

::

    values = read_clixml(Path("report.clixml"))
    text = write_clixml(values)
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cauctl.errors import InputError
from cauctl.psobject.clixml_limits import Limits
from cauctl.psobject.clixml_reader import Reader
from cauctl.psobject.clixml_root import NAMESPACE
from cauctl.psobject.clixml_source import open_source
from cauctl.psobject.clixml_stream import Documents
from cauctl.psobject.clixml_syntax import Syntax
from cauctl.psobject.clixml_writer import Writer
from cauctl.psobject.textfile import write_text

if TYPE_CHECKING:
    from os import PathLike

    from cauctl.psobject.clixml_source import Source

__all__ = [
    "Limits",
    "StreamValue",
    "clixml_pieces",
    "iter_clixml",
    "read_clixml",
    "read_fragment",
    "read_streams",
    "save_clixml",
    "write_clixml",
    "write_fragment",
]

_USUAL_LIMITS: Final = Limits()
_VALUES_AT_ONCE: Final = 2000
_STREAMS: Final = {
    name.lower(): name for name in ("Output", "Error", "Warning", "Verbose", "Debug", "Progress", "Information")
}


class StreamValue(NamedTuple):
    """A value and the stream that it was written to."""

    stream: str
    """``Output``, ``Error``, ``Warning``, ``Verbose``, ``Debug``, ``Progress``, ``Information``, or as it says."""
    value: Any


def read_clixml(source: Source, *, limits: Limits = _USUAL_LIMITS, printed: bool = False) -> list[Any]:
    """Read all top-level values of a document.

    Args:
        source: the text, the bytes, a path, or a binary stream; gzip is unpacked.
        limits: what the document may ask for.
        printed: also accept ``#< CLIXML`` in front and several documents, which PowerShell's own reader refuses.

    Raises:
        InputError: with line and column and what was expected.
    """
    with open_source(source, most=limits.document) as text:
        return [value for _, value in Documents(text, limits, whole=True, printed=printed)]


def iter_clixml(source: Source, *, limits: Limits = _USUAL_LIMITS, printed: bool = False) -> Generator[Any, None, None]:
    """Read top-level values one after the other, in the memory that one of them takes.

    References to earlier top-level values need a source that can be rewound (text, bytes, a path, a seekable stream);
    it is looked through once before. Otherwise as :func:`read_clixml`; values before an error are given.
    """
    with open_source(source, most=limits.document) as text:
        for _, value in Documents(text, limits, whole=False, printed=printed):
            yield value


def read_streams(source: Source, *, limits: Limits = _USUAL_LIMITS) -> list[StreamValue]:
    """Read what ``powershell -OutputFormat xml`` printed: values with their streams.

    Errors and warnings are strings there; progress is a property bag. Otherwise as :func:`read_clixml`.
    """
    with open_source(source, most=limits.document) as text:
        return [
            StreamValue("Output" if stream is None else _STREAMS.get(stream.lower(), stream), value)
            for stream, value in Documents(text, limits, whole=True, printed=True)
        ]


def read_fragment(text: str, *, limits: Limits = _USUAL_LIMITS) -> Any:
    """Read one bare element, such as ``<Obj RefId="0">…</Obj>`` of a PSRP message: no root, no namespace.

    Raises:
        InputError: with line and column and what was expected.
    """
    with open_source(text, most=limits.document) as source:
        syntax = Syntax(source.read(limits.document), fault=source.fault)
    reader = Reader(syntax, limits, any_secret=True)
    pos = syntax.skip(0, inside=False)
    value, pos = reader.value(syntax.start(pos), pos, 0)
    reader.shapes.settle()
    if (pos := syntax.skip(pos, inside=False)) < len(syntax.text):
        raise syntax.error(pos, "Something follows the value.", "the end")
    syntax.check_end()
    return value


def write_clixml(records: Any, *, depth: int | None = None, newline: str = "\n") -> str:
    r"""Write values as a document.

    Args:
        records: a list or an iterator of values, each of them one top-level value, or one value of any other kind;
            values of the value model, Python's own, models.
        depth: PowerShell's depth, at least 1: levels of .NET properties to write; None for all.
        newline: line end; ``\r\n`` is Windows'.

    Raises:
        InputError: a value has no counterpart, or PowerShell could not read it back.
    """
    return "".join(clixml_pieces(records, depth=depth, newline=newline))


def clixml_pieces(records: Any, *, depth: int | None = None, newline: str = "\n") -> Iterator[str]:
    """Write values as a document, piece by piece; otherwise as :func:`write_clixml`."""
    if depth is not None and depth < 1:
        raise InputError(f"the depth {depth} is too small.", where="depth", expected="1 or more")
    values = iter(records if isinstance(records, list | Iterator) else (records,))
    writer = Writer(newline=newline, depth=depth)
    start = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}"'
    piece = writer.write(list(islice(values, _VALUES_AT_ONCE)))
    if not piece:
        yield f"{start} />"
        return
    yield f"{start}>"
    while piece:
        yield piece
        piece = writer.write(list(islice(values, _VALUES_AT_ONCE)))
    yield f"{newline}</Objs>"


def save_clixml(  # noqa: PLR0913  a file has a place, an encoding, a line end
    records: Any,
    path: str | PathLike[str],
    *,
    depth: int | None = None,
    newline: str = "\n",
    encoding: str = "utf8",
    replace: bool = True,
) -> None:
    """Write values to a file, which appears whole or not at all; otherwise as :func:`write_clixml`.

    Args:
        records: as :func:`write_clixml`.
        path: the file.
        depth: as :func:`write_clixml`.
        newline: as :func:`write_clixml`.
        encoding: PowerShell's or Python's name; PowerShell's default is UTF-8, that of 5.1 ``unicode``.
        replace: False refuses to replace a file.

    Raises:
        InputError: as :func:`write_clixml`, or the file cannot be written.
    """
    write_text(path, clixml_pieces(records, depth=depth, newline=newline), encoding=encoding, replace=replace)


def write_fragment(value: Any, *, depth: int | None = None) -> str:
    """Write one value as PSRP messages hold it: no root, no namespace, no indentation."""
    return Writer(depth=depth).write([value])
