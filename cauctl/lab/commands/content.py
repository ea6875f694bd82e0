"""Commands about what stands in files: text in the encodings of Windows PowerShell, bytes, hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import file_failure
from cauctl.lab.commands.paths import expand, is_pattern, paths_of
from cauctl.lab.commands.scene import CommandSet, Scene, one
from cauctl.lab.commands.shapes import make
from cauctl.lab.dispatch import CommandError
from cauctl.lab.world.files import FileError
from cauctl.psobject import Byte, PSObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.files import Entry

__all__ = ["COMMANDS"]

COMMANDS = CommandSet()

_CODECS: Final = {
    "ascii": "ascii",
    "default": "cp1252",
    "oem": "cp437",
    "string": "utf-16-le",
    "unicode": "utf-16-le",
    "bigendianunicode": "utf-16-be",
    "utf7": "utf-7",
    "utf8": "utf-8",
    "utf8bom": "utf-8",
    "utf8nobom": "utf-8",
    "utf32": "utf-32-le",
}
_MARKS: Final = {"utf8": b"\xef\xbb\xbf", "utf8bom": b"\xef\xbb\xbf", "unicode": b"\xff\xfe", "string": b"\xff\xfe"}
_NEWLINE: Final = "\r\n"


def _encoding(call: BoundCall) -> str:
    return str(one(call.get("Encoding")) or "default").casefold()


def _is_bytes(call: BoundCall) -> bool:
    return _encoding(call) == "byte" or call.switch("AsByteStream")


@COMMANDS.command("Set-Content", "Add-Content")
def write_content(scene: Scene, call: BoundCall) -> None:
    """Write values to files: text by lines, or bytes."""
    append = call.command.casefold().startswith("add")
    for path, literal in paths_of(call):
        many = not literal and is_pattern(path)
        for target in [entry.path for _, entry in expand(scene, call)] if many else [path]:
            try:
                _write(scene, call, target, append=append)
            except FileError as error:
                scene.context.error(_unwritable(error))


def _write(scene: Scene, call: BoundCall, path: str, *, append: bool) -> None:
    content = _content(call)
    found = scene.node.files.find(path)
    is_empty = found is None or not found.content
    mark = b"" if _is_bytes(call) or (append and not is_empty) else _MARKS.get(_encoding(call), b"")
    scene.node.files.write(path, mark + content, append=append)


def _content(call: BoundCall) -> bytes:
    values = list(_items(call.get("Value")))
    if _is_bytes(call):
        return bytes(int(value) & 0xFF for value in values)
    end = "" if call.switch("NoNewline") else _NEWLINE
    text = "".join(f"{_text(value)}{end}" for value in values)
    codec = _CODECS.get(_encoding(call))
    if codec is None:
        raise CommandError(f"'{_encoding(call)}' is no encoding.", error_id="ParameterArgumentValidationError",
                           category="InvalidData")  # fmt: skip
    return text.encode(codec, "replace")


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | bytes | bytearray) or (isinstance(value, PSObject) and value.is_container):
        for each in value:
            yield from _items(each)
    elif value is not None:
        yield value.base if isinstance(value, PSObject) and value.base is not None else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    return str(value.text or "") if isinstance(value, PSObject) else str(value)


def _unwritable(error: FileError) -> CommandError:
    if error.reason == "folder":
        return CommandError(
            f"Access to the path '{error.path}' is denied.",
            error_id="GetContentWriterUnauthorizedAccessError",
            category="PermissionDenied",
            exception_type="System.UnauthorizedAccessException",
            target=error.path,
            terminating=False,
        )
    return CommandError(
        f"Could not find a part of the path '{error.path}'.",
        error_id="GetContentWriterDirectoryNotFoundError",
        category="ObjectNotFound",
        exception_type="System.IO.DirectoryNotFoundException",
        target=error.path,
        terminating=False,
    )


@COMMANDS.command("Get-Content")
def get_content(scene: Scene, call: BoundCall) -> Iterable[Any]:
    """Write what stands in files: lines, one text with ``-Raw``, or bytes."""
    for path, entry in expand(scene, call):
        try:
            content = scene.node.files.read(path)
        except FileError as error:
            scene.context.error(file_failure(error))
            continue
        yield from _read(call, entry, content)


def _read(call: BoundCall, entry: Entry, content: bytes) -> Iterable[Any]:
    if _is_bytes(call):
        return [content] if call.switch("Raw") else _part(call, [Byte(byte) for byte in content])
    text = _decoded(content, _encoding(call))
    if call.switch("Raw"):
        return [text] if text else []
    lines = text.replace(_NEWLINE, "\n").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    return [_noted(line, number, entry) for number, line in enumerate(_part(call, lines), 1)]


def _decoded(content: bytes, encoding: str) -> str:
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, "replace")
    return content.decode(_CODECS.get(encoding, "utf-8"), "replace")


def _part(call: BoundCall, items: list[Any]) -> list[Any]:
    tail, count = call.get("Tail"), call.get("TotalCount")
    if tail is not None:
        return items[len(items) - min(int(tail), len(items)) :]
    return items if count is None or int(count) < 0 else items[: int(count)]


def _noted(line: str, number: int, entry: Entry) -> PSObject:
    """Give a line with the notes that Get-Content puts on it."""
    return PSObject(
        line,
        type_names=("System.String", "System.Object"),
        text=line,
        extended={
            "PSPath": f"Microsoft.PowerShell.Core\\FileSystem::{entry.path}",
            "PSChildName": entry.name,
            "ReadCount": number,
        },
    )


@COMMANDS.command("Get-FileHash")
def get_file_hash(scene: Scene, call: BoundCall) -> Iterable[PSObject]:
    """Write hashes of files."""
    algorithm = (one(call.get("Algorithm")) or "SHA256").upper()
    for path, entry in expand(scene, call):
        if entry.content is None:
            continue
        digest = hashlib.new(algorithm.lower(), scene.node.files.read(path), usedforsecurity=False).hexdigest().upper()
        values = {"Algorithm": algorithm, "Hash": digest, "Path": entry.path}
        made = make("FileHash", values)
        made.adapted = None
        made.extended.update(values)
        yield made
