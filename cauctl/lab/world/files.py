r"""The disk of a node: ``C:\`` with folders and files, all in memory.

Paths are written as Windows takes them: either slash, any case, ``.`` and ``..``; what is made keeps its spelling.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.lab.world.world import World

__all__ = ["Entry", "FileError", "FileSystem", "normal_path", "parent_path"]

_FOLDERS: Final = (
    "C:",
    r"C:\Windows",
    r"C:\Windows\System32",
    r"C:\Windows\System32\WindowsPowerShell",
    r"C:\Windows\System32\WindowsPowerShell\v1.0",
    r"C:\Windows\Temp",
    r"C:\Windows\Cluster",
    r"C:\Windows\Cluster\Reports",
    r"C:\ProgramData",
    r"C:\Users",
)
_PROGRAMS: Final = (r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", r"C:\Windows\System32\shutdown.exe")


class FileError(Exception):
    """Something with a file cannot be done; ``reason`` is missing, exists, folder, not-folder or not-empty."""

    def __init__(self, reason: str, path: str) -> None:
        self.reason, self.path = reason, path
        super().__init__(f"{reason}: {path}")


@define(eq=False)
class Entry:
    """A file or a folder."""

    path: str
    """Full path as it was made."""
    content: bytearray | None = field(default=None, kw_only=True)
    """Bytes of a file; None for a folder."""
    created: datetime = field(kw_only=True)
    modified: datetime = field(kw_only=True)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.content is None

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("\\")[2] or self.path


def normal_path(path: str) -> str | None:
    r"""Give a path on ``C:`` in its usual form, without a backslash at the end; None for any other path."""
    text = path.replace("/", "\\")
    for prefix in ("microsoft.powershell.core\\filesystem::", "filesystem::", "\\\\?\\"):
        if text.casefold().startswith(prefix):
            text = text[len(prefix) :]
    drive, _, rest = text.partition("\\")
    if drive.casefold() != "c:":
        return None
    parts: list[str] = []
    for part in rest.split("\\"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "\\".join(("C:", *parts))


def parent_path(path: str) -> str:
    """Give the folder that a path in its usual form lies in."""
    return path.rpartition("\\")[0] or "C:"


class FileSystem:
    """Everything below ``C:``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries: dict[str, Entry] = {}
        for path in _FOLDERS:
            self._add(path, None)
        for path in _PROGRAMS:
            self._add(path, bytearray(b"MZ"))

    def __repr__(self) -> str:
        return f"<FileSystem {len(self._entries)} entries>"

    def find(self, path: str) -> Entry | None:
        """Give what stands at a path."""
        normal = normal_path(path)
        return None if normal is None else self._entries.get(normal.casefold())

    def get(self, path: str) -> Entry:
        """Give what stands at a path; FileError missing."""
        entry = self.find(path)
        if entry is None:
            raise FileError("missing", path)
        return entry

    def read(self, path: str) -> bytes:
        """Give the bytes of a file; FileError missing or folder."""
        entry = self.get(path)
        if entry.content is None:
            raise FileError("folder", path)
        return bytes(entry.content)

    def write(self, path: str, content: bytes, *, append: bool = False) -> Entry:
        """Write a file, making it where its folder exists; FileError missing or folder."""
        entry = self.find(path)
        if entry is None:
            normal = normal_path(path)
            if normal is None or not self._is_folder(parent_path(normal)):
                raise FileError("missing", path)
            entry = self._add(normal, bytearray())
        if entry.content is None:
            raise FileError("folder", path)
        if not append:
            entry.content.clear()
        entry.content += content
        entry.modified = self._world.now
        return entry

    def make_folder(self, path: str, *, parents: bool = True) -> Entry:
        """Make a folder, and those above it; one that exists is given; FileError exists for a file."""
        normal = normal_path(path)
        if normal is None:
            raise FileError("missing", path)
        entry = self._entries.get(normal.casefold())
        if entry is not None:
            if not entry.is_folder:
                raise FileError("exists", path)
            return entry
        above = parent_path(normal)
        if not self._is_folder(above):
            if not parents:
                raise FileError("missing", above)
            self.make_folder(above)
        return self._add(normal, None)

    def children(self, path: str) -> list[Entry]:
        """Give what stands directly in a folder, by name; FileError missing or not-folder."""
        folder = self.get(path)
        if not folder.is_folder:
            raise FileError("not-folder", path)
        start = f"{folder.path.casefold()}\\"
        found = [
            entry for key, entry in self._entries.items() if key.startswith(start) and "\\" not in key[len(start) :]
        ]
        return sorted(found, key=lambda entry: entry.name.casefold())

    def remove(self, path: str, *, recurse: bool = False) -> None:
        """Remove a file or a folder; FileError missing, or not-empty without ``recurse``."""
        entry = self.get(path)
        below = list(self._below(entry))
        if below and not recurse:
            raise FileError("not-empty", path)
        for each in (entry, *below):
            del self._entries[each.path.casefold()]

    def move(self, path: str, to: str, *, replace: bool = False) -> Entry:
        """Give a file or folder another path; FileError missing or exists."""
        entry, target = self.get(path), normal_path(to)
        if target is None or not self._is_folder(parent_path(target)):
            raise FileError("missing", to)
        taken = self._entries.get(target.casefold())
        if taken is not None and taken is not entry:
            if not replace or taken.is_folder:
                raise FileError("exists", to)
            self.remove(target)
        old = entry.path
        for each in [entry, *self._below(entry)]:
            del self._entries[each.path.casefold()]
            each.path = target + each.path[len(old) :]
            self._entries[each.path.casefold()] = each
        return entry

    def _add(self, path: str, content: bytearray | None) -> Entry:
        entry = Entry(path, content=content, created=self._world.now, modified=self._world.now)
        self._entries[path.casefold()] = entry
        return entry

    def _is_folder(self, path: str) -> bool:
        entry = self._entries.get(path.casefold())
        return entry is not None and entry.is_folder

    def _below(self, entry: Entry) -> Iterator[Entry]:
        start = f"{entry.path.casefold()}\\"
        return iter([each for key, each in self._entries.items() if key.startswith(start)])
