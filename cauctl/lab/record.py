"""The runtime record of a running lab: how other processes of the same user find it.

Rules kept here:

* One file a lab, ``labs/<name>.json`` with mode 0600 in a folder of mode 0700, beside it the certificate of the lab's
  authority. The folder lies where ``CAUCTL_RUNTIME`` says, else in the session's runtime folder, else in the user's
  cache. Both files are written whole or not at all, and removed when the lab ends.
* A record whose process is gone does not count, nor one that another user could have written or read.
* It holds a random password that is good for this lab alone, as long as it runs: the one password this package writes
  to a file.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import platformdirs
from attrs import field, frozen

from cauctl.errors import InputError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LabNode", "LabRecord", "find_lab", "list_labs", "publish", "refuse_second", "withdraw"]

RUNTIME_VARIABLE: Final = "CAUCTL_RUNTIME"
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,13}[A-Za-z0-9])?")
_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@frozen
class LabNode:
    """Where one node of a lab listens."""

    name: str
    """Name of the node; its certificate carries it."""
    address: str = field(kw_only=True)
    """Loopback address."""
    port: int = field(kw_only=True)
    """HTTPS port."""


@frozen
class LabRecord:
    """What a client needs to know of a running lab."""

    name: str
    """Name of the cluster."""
    nodes: tuple[LabNode, ...] = field(kw_only=True)
    """All nodes."""
    user_name: str = field(kw_only=True)
    """Account that may sign in."""
    password: str = field(kw_only=True, repr=False)
    """Its password, made for this lab."""
    ca_file: Path = field(kw_only=True)
    """Certificate of the lab's authority, PEM."""
    pid: int = field(kw_only=True)
    """Process that runs the lab."""
    epoch: datetime = field(kw_only=True)
    """What the lab's clock showed when it began, aware."""
    started: datetime = field(kw_only=True)
    """When that was by the computer's clock, aware."""
    scale: float = field(kw_only=True)
    """How many times as fast as real time the lab's clock runs."""
    seed: int = field(default=0, kw_only=True)
    """The lab's luck."""
    jea: bool = field(default=False, kw_only=True)
    """Its nodes are reached by an endpoint without language."""


def _folder() -> Path:
    named = os.environ.get(RUNTIME_VARIABLE)
    if named:
        return Path(named) / "labs"
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session:
        return Path(session) / "cauctl" / "labs"
    return Path(platformdirs.user_cache_dir("cauctl", appauthor=False)) / "labs"


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!a} cannot name a lab", where="name", expected="1 to 15 letters, digits and hyphens, no hyphen first"
        )
    return _folder() / f"{name.casefold()}.json"


def certificate_path(name: str) -> Path:
    """Give the path of the certificate of a lab's authority."""
    return _path(name).with_suffix(".pem")


def publish(record: LabRecord, certificate: bytes) -> None:
    """Write record and certificate; InputError when a lab of that name runs, StateError when they cannot be written."""
    refuse_second(record.name)
    path = _path(record.name)
    try:
        path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        _write(path.with_suffix(".pem"), certificate)
        _write(path, json.dumps(_document(record), indent=1).encode())
    except OSError as error:
        raise StateError(f"the lab's record cannot be written: {error.strerror}", path=str(path)) from error


def refuse_second(name: str) -> None:
    """Raise InputError when a lab of that name runs."""
    running = find_lab(name)
    if running is not None:
        raise InputError(
            f"a lab of that name runs already (process {running.pid})",
            where=name,
            expected="another name, or end that lab first",
        )


def withdraw(name: str) -> None:
    """Remove record and certificate of a lab that ends; missing ones are fine."""
    path = _path(name)
    for each in (path, path.with_suffix(".pem")):
        with suppress(OSError):
            each.unlink()


def find_lab(name: str) -> LabRecord | None:
    """Give the running lab of that name, with or without a domain behind it; None when there is none."""
    short = name.partition(".")[0]
    return _read(_path(short)) if _NAME.fullmatch(short) else None


def list_labs() -> list[LabRecord]:
    """Give every lab of this user that runs, by name."""
    return list(_all())


def _all() -> Iterator[LabRecord]:
    try:
        paths = sorted(_folder().glob("*.json"))
    except OSError:
        return
    for path in paths:
        record = _read(path)
        if record is not None:
            yield record


def _write(path: Path, content: bytes) -> None:
    """Write a private file in one step."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def _read(path: Path) -> LabRecord | None:
    """Read a record that counts; None for any other."""
    try:
        with path.open("rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            record = _record(json.loads(file.read()), path)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if _is_alive(record.pid) else None


def _is_ours(status: os.stat_result) -> bool:
    """Tell whether nobody but this user could have written or read the file."""
    if sys.platform == "win32":
        return True
    return status.st_uid == os.getuid() and not status.st_mode & _OTHERS


def _document(record: LabRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "nodes": [{"name": node.name, "address": node.address, "port": node.port} for node in record.nodes],
        "user_name": record.user_name,
        "password": record.password,
        "pid": record.pid,
        "epoch": record.epoch.isoformat(),
        "started": record.started.isoformat(),
        "scale": record.scale,
        "seed": record.seed,
        "jea": record.jea,
    }


def _record(document: dict[str, Any], path: Path) -> LabRecord:
    return LabRecord(
        document["name"],
        nodes=tuple(LabNode(each["name"], address=each["address"], port=each["port"]) for each in document["nodes"]),
        user_name=document["user_name"],
        password=document["password"],
        ca_file=path.with_suffix(".pem"),
        pid=int(document["pid"]),
        epoch=datetime.fromisoformat(document["epoch"]),
        started=datetime.fromisoformat(document["started"]),
        scale=float(document["scale"]),
        seed=int(document["seed"]),
        jea=bool(document.get("jea", False)),
    )


if sys.platform == "win32":

    def _is_alive(pid: int) -> bool:
        """Tell whether the process runs; ``os.kill`` would send it a signal here."""
        import ctypes  # noqa: PLC0415  exists on Windows only in this form

        synchronize, still_running = 0x0010_0000, 0x102
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return False
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == still_running)
        finally:
            kernel.CloseHandle(handle)

else:

    def _is_alive(pid: int) -> bool:
        """Tell whether the process runs."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
