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

from typing import TYPE_CHECKING, Any, NamedTuple

from cauctl.psobject.clixml_reader import NAMESPACE, Limits, Reader
from cauctl.psobject.clixml_source import open_source
from cauctl.psobject.clixml_stream import Documents
from cauctl.psobject.clixml_syntax import Syntax
from cauctl.psobject.clixml_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.psobject.clixml_source import Source

__all__ = [
    "Limits",
    "StreamValue",
    "iter_clixml",
    "read_clixml",
    "read_fragment",
    "read_streams",
    "write_clixml",
    "write_fragment",
]

_USUAL_LIMITS = Limits()
_STREAMS = {
    name.lower(): name for name in ("Output", "Error", "Warning", "Verbose", "Debug", "Progress", "Information")
}


class StreamValue(NamedTuple):
    """A value and the stream that it was written to."""

    stream: str
    """``Output``, ``Error``, ``Warning``, ``Verbose``, ``Debug``, ``Progress``, ``Information``, or what else it says."""
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


def iter_clixml(source: Source, *, limits: Limits = _USUAL_LIMITS, printed: bool = False) -> Iterator[Any]:
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
    pos = syntax.skip(0)
    value, pos = reader.value(syntax.start(pos), pos, 0)
    if (pos := syntax.skip(pos)) < len(syntax.text):
        raise syntax.error(pos, "Something follows the value.", "the end")
    syntax.check_end()
    return value


def write_clixml(values: Iterable[Any], *, depth: int | None = None, newline: str = "\n") -> str:
    r"""Write values as a document, each of them one top-level value.

    Args:
        values: values of the value model, Python's own, models.
        depth: PowerShell's depth, at least 1: levels of .NET properties to write; None for all.
        newline: line end; ``\r\n`` is Windows'.

    Raises:
        InputError: a value has no counterpart, or PowerShell could not read it back.
    """
    body = Writer(newline=newline, depth=depth).write(values if isinstance(values, list) else list(values))
    start = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}"'
    return f"{start}>{body}{newline}</Objs>" if body else f"{start} />"


def write_fragment(value: Any, *, depth: int | None = None) -> str:
    """Write one value as PSRP messages hold it: no root, no namespace, no indentation."""
    return Writer(depth=depth).write([value])
