r"""The run's memory: JSON Lines that tell by themselves whether they are whole and unchanged.

Each line is ``{"sum":"<16 hex digits>","is":<record>}``. The sum is SHA-256, cut to 64 bits, of the sum before (of the
line above; sixteen zeros for the first) and the bytes of the record: so no line can be changed, left out, added or
exchanged unseen. The first record is the head: version, cluster, run. It protects from accident and from good
intentions, not from an attacker, who could compute it.

What is wrong with a journal is told apart, each as a :class:`~cauctl.errors.StateError`: cut short in its last line, of
another version, of another cluster, changed by hand. A line that is cut short was never acted upon: whoever goes on
with the run may drop it (``torn="drop"``), everybody else refuses it.

A line is forced to the disk before :meth:`FileJournal.append` returns. The file is held by the process that writes it
(``flock``): a journal that nobody holds is one whose coordinator is gone.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from attrs import field, frozen

from cauctl.coordinator.codec import json_to_event
from cauctl.coordinator.events import Event
from cauctl.errors import JournalInUseError, StateError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "JOURNAL_VERSION",
    "FileJournal",
    "JournalHead",
    "JournalText",
    "MemoryJournal",
    "is_written",
    "read_journal",
]

JOURNAL_VERSION = 1
"""Grows with every change after which older journals can no longer be replayed."""

_DIGITS = 16
_ZERO = "0" * _DIGITS
_BEYOND = 2**30
"""A place that no journal reaches: what is locked there keeps nobody from reading."""
_PREFIX = b'{"sum":"'
_MIDDLE = b'","is":'
_START = len(_PREFIX) + _DIGITS + len(_MIDDLE)


@frozen
class JournalHead:
    """What a journal is of."""

    cluster: str
    """Name of the cluster, as the run was asked for."""
    run_id: str = field(kw_only=True)
    """The run."""
    version: int = field(default=JOURNAL_VERSION, kw_only=True)
    """Version of the records."""


@frozen
class JournalText:
    """A journal that was read and found whole."""

    head: JournalHead
    """What it is of."""
    events: tuple[Event, ...] = field(kw_only=True)
    """Its events, in order."""
    sum: str = field(kw_only=True)
    """Sum of its last line."""
    size: int = field(kw_only=True)
    """Bytes of its whole lines."""
    torn: bool = field(default=False, kw_only=True)
    """True when a last line that was cut short was dropped."""


class FileJournal:
    """A journal in a file; :class:`cauctl.ports.Journal`."""

    def __init__(self, path: Path, descriptor: int, last: str, *, exclusive: bool) -> None:
        self.path = path
        self.exclusive = exclusive
        """True where the file is certain to be held by nobody else; some file systems cannot tell."""
        self._descriptor = descriptor
        self._sum = last

    def __repr__(self) -> str:
        return f"<FileJournal {self.path.name}, {'closed' if self._descriptor < 0 else 'open'}>"

    @classmethod
    def create(cls, path: Path, head: JournalHead) -> Self:
        """Begin a journal; StateError when the file exists or cannot be made."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            raise StateError(f"the journal cannot be begun: {error.strerror}", path=str(path)) from error
        journal = cls(path, descriptor, _ZERO, exclusive=_hold(descriptor, path))
        journal.append({"cluster": head.cluster, "run_id": head.run_id, "version": head.version})
        _settle(path.parent)
        return journal

    @classmethod
    def reopen(cls, path: Path, *, cluster: str | None = None) -> tuple[Self, JournalText]:
        """Go on with a journal; a last line that was cut short is removed from the file.

        Raises:
            JournalInUseError: the coordinator that writes it lives.
            StateError: it cannot be followed.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise StateError(f"the journal cannot be written: {error.strerror}", path=str(path)) from error
        try:
            exclusive = _hold(descriptor, path)
            text = read_journal(path, cluster=cluster, torn="drop")
            os.ftruncate(descriptor, text.size)
            os.fsync(descriptor)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError):
                raise StateError(f"the journal cannot be written: {error.strerror}", path=str(path)) from error
            raise
        return cls(path, descriptor, text.sum, exclusive=exclusive), text

    def append(self, record: Mapping[str, object]) -> None:
        """Write one record and force it to the disk."""
        line, self._sum = _line(record, self._sum)
        try:
            _write(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            raise StateError(f"the journal cannot be written: {error.strerror}", path=str(self.path)) from error

    def close(self) -> None:
        """Nothing more will be written."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class MemoryJournal:
    """A journal that keeps the bytes a file would have; for trials and tests."""

    def __init__(self, head: JournalHead) -> None:
        self._lines: list[bytes] = []
        self._sum = _ZERO
        self.append({"cluster": head.cluster, "run_id": head.run_id, "version": head.version})

    def __repr__(self) -> str:
        return f"<MemoryJournal {len(self._lines)} lines>"

    def append(self, record: Mapping[str, object]) -> None:
        """Keep one record."""
        line, self._sum = _line(record, self._sum)
        self._lines.append(line)

    def close(self) -> None:
        """Nothing more will be written."""

    @property
    def content(self) -> bytes:
        """The bytes of all lines."""
        return b"".join(self._lines)


def read_journal(
    source: Path | bytes, *, cluster: str | None = None, torn: Literal["refuse", "drop"] = "refuse"
) -> JournalText:
    """Read a journal and hold it to its sums; StateError says which line is wrong, and in what way.

    Args:
        source: the file, or its bytes.
        cluster: name of the cluster that it must be of; None: of any.
        torn: what to do about a last line that was cut short.
    """
    path = str(source) if isinstance(source, Path) else None
    content = source if isinstance(source, bytes) else _content(source)
    lines = content.split(b"\n")
    rest = lines.pop()
    if rest and torn == "refuse":
        raise StateError(
            f"line {len(lines) + 1} is cut short.", path=path, advice="The run was interrupted while it wrote it."
        )
    records = _records(lines, path)
    head = _head(next(records, None), path, cluster)
    events = tuple(_event(number, record, path) for number, record in enumerate(records, 2))
    last = lines[-1][len(_PREFIX) : len(_PREFIX) + _DIGITS].decode("ascii") if lines else _ZERO
    return JournalText(head, events=events, sum=last, size=len(content) - len(rest), torn=bool(rest))


def _hold(descriptor: int, path: Path) -> bool:
    """Hold the file as long as this process lives, so that others see whether it does; False where none can."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _BEYOND, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise JournalInUseError("its coordinator is at work on this computer.", path=str(path)) from error
    except OSError:
        return False  # a file system that knows no locks
    return True


def is_written(path: Path) -> bool:
    """Say whether a process on this computer holds a journal; True as well where nobody can tell."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    except OSError:
        return True
    try:
        return not _hold(descriptor, path)
    except JournalInUseError:
        return True
    finally:
        os.close(descriptor)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StateError(f"the journal cannot be read: {error.strerror}", path=str(path)) from error


def _records(lines: Iterable[bytes], path: str | None) -> Iterator[dict[str, Any]]:
    last = _ZERO
    for number, line in enumerate(lines, 1):
        body = line[_START:-1]
        last = _sum(last, body)
        if (
            line[: len(_PREFIX)] != _PREFIX
            or line[len(_PREFIX) : _START] != last.encode() + _MIDDLE
            or line[-1:] != b"}"
        ):
            raise StateError(
                f"line {number} is not as it was written: changed, left out or added by hand.",
                path=path,
                advice="Nothing is decided by it; start from the checkpoint in the cluster.",
            )
        yield _parsed(number, body, path)


def _parsed(number: int, body: bytes, path: str | None) -> dict[str, Any]:
    try:
        record = json.loads(body)
    except ValueError as error:
        raise StateError(f"line {number} is no JSON.", path=path) from error
    if not isinstance(record, dict):
        raise StateError(f"line {number} is no JSON object.", path=path)
    return record


def _head(record: dict[str, Any] | None, path: str | None, cluster: str | None) -> JournalHead:
    if record is None:
        raise StateError("the journal is empty.", path=path)
    version = record.get("version")
    if version != JOURNAL_VERSION:
        raise StateError(f"the journal is of version {version!r:.20}, expected {JOURNAL_VERSION}.", path=path)
    name, run_id = record.get("cluster"), record.get("run_id")
    if not isinstance(name, str) or not isinstance(run_id, str):
        raise StateError("the first line does not say what the journal is of.", path=path)
    if cluster is not None and name.casefold() != cluster.casefold():
        raise StateError(f"the journal is of the cluster {name}, expected {cluster}.", path=path)
    return JournalHead(name, run_id=run_id, version=version)


def _event(number: int, record: dict[str, Any], path: str | None) -> Event:
    try:
        return json_to_event(record)
    except StateError as error:
        raise StateError(f"line {number}: {error.message}", path=path) from error


def _line(record: Mapping[str, object], last: str) -> tuple[bytes, str]:
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    mark = _sum(last, body)
    return b"".join((_PREFIX, mark.encode(), _MIDDLE, body, b"}\n")), mark


def _sum(last: str, body: bytes) -> str:
    return sha256(last.encode() + body).hexdigest()[:_DIGITS]


def _write(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]


def _settle(folder: Path) -> None:
    """Force the file's name to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
