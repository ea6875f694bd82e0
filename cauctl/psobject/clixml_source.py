r"""Where CLIXML text comes from: strings, bytes, files, streams; UTF-8 and UTF-16, gzip.

Rules kept here:

* A byte order mark decides the encoding; without one UTF-16 shows by its zero bytes, all else is UTF-8. What the XML
  declaration says must agree. Windows PowerShell 5.1 writes UTF-16 with a mark, PowerShell 7 UTF-8 without.
* Two bytes tell gzip; it is unpacked while it is read.
* Line ends come out as ``\n``. Bytes that are no text end the text there, and what is wrong is told when the reader
  gets that far: values before it can still be read.
* A caller's stream is read, never closed; a file that was opened here is closed here.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Source", "TextSource", "open_source"]

Source: TypeAlias = "str | bytes | bytearray | memoryview | os.PathLike[str] | IO[bytes]"
"""A document: its text, its bytes, a path, or a binary stream."""

_GZIP: Final = b"\x1f\x8b"
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ZEROS: Final = {b"<\0": "utf-16-le", b"\0<": "utf-16-be", b"#\0": "utf-16-le", b"\0#": "utf-16-be"}
_DECLARED: Final = re.compile(r"""<\?xml[ \t\r\n][^>]*?encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][\w.\-]*)["']""")
_AGREES: Final = {
    "utf-8": frozenset(("utf-8", "us-ascii", "ascii")),
    "utf-16-le": frozenset(("utf-16", "utf-16le", "unicode")),
    "utf-16-be": frozenset(("utf-16", "utf-16be", "unicodefffe")),
}
_HEAD: Final = 1 << 12
_ALL: Final = 1 << 20


class TextSource(Protocol):
    """Text in pieces."""

    where: str | None
    """Name of the source in errors."""
    fault: str | None
    """What is wrong behind the last character that was given; None as long as nothing is."""
    seekable: bool

    def read(self, size: int) -> str:
        """Give the next piece, about ``size`` long; empty at the end."""
        ...

    def rewind(self) -> None:
        """Begin again; only a seekable source can."""
        ...


class _Text:
    """Text that is there already."""

    seekable = True

    def __init__(self, text: str, *, most: int) -> None:
        self.where: str | None = None
        self.fault: str | None = _too_long(most) if len(text) > most else None
        self._text = text[:most]
        self._pos = 0

    def read(self, size: int) -> str:
        """Give the next piece; a CR LF is never cut in two."""
        end = self._pos + size
        if self._text[end - 1 : end + 1] == "\r\n":
            end += 1
        piece = self._text[self._pos : end]
        self._pos = end
        return piece.replace("\r\n", "\n").replace("\r", "\n") if "\r" in piece else piece

    def rewind(self) -> None:
        """Begin again."""
        self._pos = 0


class _Bytes:
    """Bytes of a stream, unpacked and decoded."""

    def __init__(self, raw: IO[bytes], *, where: str | None, most: int) -> None:
        self.where = where
        self.seekable = raw.seekable()
        self._raw, self._most = raw, most
        self._start = raw.tell() if self.seekable else 0
        self._begin()

    def _begin(self) -> None:
        self.fault: str | None = None
        self._left, self._ended = self._most, False
        lead = _take(self._raw, _HEAD)
        self._stream: _Readable = _Pushed(lead, self._raw)
        if lead.startswith(_GZIP):
            self._stream = gzip.GzipFile(fileobj=self._stream)  # type: ignore[call-overload]  # it needs read alone
            lead = self._bytes(_HEAD)
            self._stream = _Pushed(lead, self._stream)
        encoding = next((name for mark, name in _MARKS if lead.startswith(mark)), None)
        if encoding is None:
            encoding = _ZEROS.get(lead[:2], "utf-8")
        else:
            self._stream.read(3 if encoding == "utf-8" else 2)
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        declared = _DECLARED.match(lead.decode(encoding, "ignore").lstrip("\ufeff"))
        if declared is not None and declared[1].lower() not in _AGREES[encoding]:
            self._end(f"The document is declared as {declared[1]} and is not, or is no UTF-8 or UTF-16")

    def rewind(self) -> None:
        """Begin again."""
        self._raw.seek(self._start)
        self._begin()

    def read(self, size: int) -> str:
        """Give the next piece, empty at the end."""
        text = ""
        while not text and not self._ended:
            data = self._bytes(size)
            self._ended = self._ended or not data
            try:
                text = self._newlines.decode(self._decoder.decode(data, final=not data), final=not data)
            except UnicodeDecodeError as refusal:
                good: bytes = refusal.object[: refusal.start]
                text = self._newlines.decode(good.decode(self._encoding), final=True)
                self._end(f"The bytes are no {self._encoding.upper().removesuffix('-LE').removesuffix('-BE')}")
        if len(text) > self._left:
            text = text[: self._left]
            self._end(_too_long(self._most))
        self._left -= len(text)
        return text

    def _bytes(self, size: int) -> bytes:
        try:
            return _take(self._stream, size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as failure:
            self._end(f"The gzip data is damaged ({failure})")
            return b""

    def _end(self, fault: str) -> None:
        self.fault, self._ended = fault, True


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Pushed:
    """A stream whose first bytes were looked at."""

    def __init__(self, lead: bytes, rest: _Readable) -> None:
        self._lead, self._rest = lead, rest

    def read(self, size: int) -> bytes:
        """Give up to ``size`` bytes."""
        if self._lead:
            piece, self._lead = self._lead[:size], self._lead[size:]
            return piece
        return self._rest.read(size)


def _take(stream: _Readable, size: int) -> bytes:
    """Read from a stream; a failure of the system is an InputError."""
    try:
        return stream.read(size) or b""
    except gzip.BadGzipFile:
        raise
    except OSError as failure:
        raise InputError(f"The document cannot be read: {failure.strerror or failure}.") from failure


def _too_long(most: int) -> str:
    return f"The document has more than {most} characters (see Limits)"


@contextmanager
def open_source(source: Source, *, most: int) -> Iterator[TextSource]:
    """Open a document for reading.

    Args:
        source: text, bytes, a path or a binary stream.
        most: characters to give at most.

    Raises:
        InputError: the file cannot be opened, or the argument is none of these.
    """
    if isinstance(source, str):
        yield _Text(source, most=most)
    elif isinstance(source, bytes | bytearray | memoryview):
        yield _Bytes(io.BytesIO(source), where=None, most=most)
    elif isinstance(source, os.PathLike):
        path = os.fspath(source)
        try:
            file = open(path, "rb")  # noqa: PTH123, SIM115  the with statement below closes it
        except OSError as failure:
            raise InputError(f"The file cannot be read: {failure.strerror or failure}.", where=str(path)) from failure
        with file:
            yield _Bytes(file, where=str(path), most=most)
    elif hasattr(source, "read"):
        stream: Any = source
        if isinstance(stream, io.TextIOBase):
            raise InputError("The stream gives text.", expected="a binary stream, such as sys.stdin.buffer")
        name = getattr(stream, "name", None)
        yield _Bytes(stream, where=name if isinstance(name, str) else None, most=most)
    else:
        raise InputError(
            f"{type(source).__name__} is no CLIXML source.", expected="text, bytes, a path or a binary stream"
        )
