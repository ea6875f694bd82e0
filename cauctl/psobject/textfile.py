"""Text files as PowerShell reads and writes them.

Rules kept here:

* Encodings go by PowerShell's names (``utf8``, ``utf8BOM``, ``unicode`` …), in any case, or by Python's.
* A byte order mark decides how a file is read, whatever was asked for; without one it is UTF-8.
* A file appears whole or not at all: it is written beside its place and then takes it.
"""

from __future__ import annotations

import codecs
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = ["append_text", "encoding_name", "file_encoding", "read_text", "write_text"]

_NAMES: Final = {
    "utf8": "utf-8",
    "utf8nobom": "utf-8",
    "utf8bom": "utf-8-sig",
    "unicode": "utf-16-le-bom",
    "bigendianunicode": "utf-16-be-bom",
    "utf32": "utf-32-le-bom",
    "bigendianutf32": "utf-32-be-bom",
    "ascii": "ascii",
    "default": "utf-8",
}
_MARKING: Final = {"utf-16": "utf-16-le-bom", "utf-32": "utf-32-le-bom"}
"""Python's codecs that would write a byte order mark before each piece."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BOM: Final = "-bom"


def encoding_name(encoding: str) -> str:
    """Give our name of an encoding; ``-bom`` at its end asks for a byte order mark.

    Raises:
        InputError: nobody knows it.
    """
    found = _NAMES.get(encoding.lower())
    if found is not None:
        return found
    try:
        "".encode(encoding)  # refuses codecs that are no text encodings
        name = codecs.lookup(encoding).name
    except LookupError as error:
        expected = f"one of {', '.join(_NAMES)} or a codec's name"
        raise InputError(f"{encoding!a} is no encoding.", where="encoding", expected=expected) from error
    return _MARKING.get(name, name)


def read_text(path: str | PathLike[str], *, encoding: str = "utf8") -> str:
    """Read a whole file.

    Raises:
        InputError: the file is not there, cannot be read, or is not in that encoding.
    """
    data = _read(path)
    mark, codec = _marked(data, encoding)
    try:
        return data[mark:].decode(codec)
    except UnicodeDecodeError as error:
        raise InputError(
            f"the file is not {codec}: {error.reason} at byte {mark + error.start}.",
            where=os.fspath(path),
            expected="a byte order mark, or the right encoding",
        ) from error


def file_encoding(path: str | PathLike[str], *, encoding: str = "utf8") -> str:
    """Name the encoding that a file has, for text that is to be appended."""
    with Path(path).open("rb") as file:
        return _marked(file.read(4), encoding)[1]


def write_text(
    path: str | PathLike[str], pieces: Iterable[str], *, encoding: str = "utf8", replace: bool = True
) -> None:
    """Write a file; line ends are written as they are.

    Raises:
        InputError: there is a file and ``replace`` is False, the folder is missing, or the encoding lacks a character.
    """
    target = Path(path)
    codec = encoding_name(encoding)
    if target.exists() and not replace:
        raise InputError("the file exists.", where=os.fspath(path), error_id="NoClobber", category="ResourceExists")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(_mark(codec))
            for piece in pieces:
                file.write(_encoded(piece, codec, path))
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        raise _unusable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def append_text(path: str | PathLike[str], pieces: Iterable[str], *, encoding: str) -> None:
    """Append to a file at once, in the encoding that it has."""
    data = b"".join(_encoded(piece, encoding, path) for piece in pieces)
    try:
        with Path(path).open("ab") as file:
            file.write(data)
    except OSError as error:
        raise _unusable(path, error) from error


def _read(path: str | PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unusable(path, error) from error


def _marked(data: bytes, encoding: str) -> tuple[int, str]:
    """Give the length of a byte order mark and the codec of what follows it."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return len(mark), codec
    codec = encoding_name(encoding)
    return 0, codec.removesuffix(_BOM).removesuffix("-sig")


def _mark(codec: str) -> bytes:
    if codec == "utf-8-sig":
        return codecs.BOM_UTF8
    if not codec.endswith(_BOM):
        return b""
    return next(mark for mark, name in _MARKS if name == codec.removesuffix(_BOM))


def _encoded(text: str, codec: str, path: str | PathLike[str]) -> bytes:
    """Encode; what ASCII lacks becomes ``?`` and a lone surrogate U+FFFD, as PowerShell has it."""
    name = codec.removesuffix(_BOM).removesuffix("-sig")
    try:
        return text.encode(name, "replace" if name == "ascii" else "strict")
    except UnicodeEncodeError as error:
        if name.startswith("utf"):
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode(name)
        raise InputError(
            f"{text[error.start]!a} cannot be written as {name}.", where=os.fspath(path), expected="another encoding"
        ) from error


def _unusable(path: str | PathLike[str], error: OSError) -> InputError:
    return InputError(f"the file cannot be used: {error.strerror or error}.", where=os.fspath(path))
