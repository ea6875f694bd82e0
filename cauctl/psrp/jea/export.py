"""Write the files for an endpoint without language into a folder, whole or not at all.

Rules kept here:

* The folder appears complete, by one rename. What was there is replaced only when the caller says so, and only if it
  is an earlier export: a folder with anything else in it is never touched.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cauctl.errors import InputError, StateError
from cauctl.psrp.jea.files import OPERATORS, exported_files

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["export_endpoint"]


def export_endpoint(folder: Path, *, operators: str = OPERATORS, force: bool = False) -> tuple[Path, ...]:
    """Write module, role capability, session configuration and how-to.

    Args:
        folder: folder to make.
        operators: group that may connect.
        force: replace an earlier export.

    Returns:
        The files written.

    Raises:
        InputError: there is something at ``folder`` that may not be replaced, or ``operators`` names no group.
        StateError: it cannot be written.
    """
    contents = exported_files(operators=operators)
    folder = folder.absolute()
    try:
        _refuse_others(folder, contents, force=force)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            fresh, old = Path(name, "new"), Path(name, "old")
            _write(fresh, contents)
            if folder.exists():
                folder.rename(old)
            try:
                fresh.rename(folder)
            except OSError:
                if old.exists():
                    old.rename(folder)
                raise
    except OSError as error:
        raise StateError(f"cannot be written: {error.strerror}", path=str(folder)) from error
    return tuple(folder / path for path in contents)


def _refuse_others(folder: Path, contents: Mapping[str, str], *, force: bool) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_symlink() or not folder.is_dir():
        raise InputError("is no folder", where=str(folder), expected="a folder that does not exist yet")
    found = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    others = sorted(found - set(contents))
    if others:
        raise InputError(
            f"holds other files, {others[0]} for one", where=str(folder), expected="a folder that does not exist yet"
        )
    if found and not force:
        raise InputError("holds an export already", where=str(folder), expected="another folder, or --force")


def _write(folder: Path, contents: Mapping[str, str]) -> None:
    for path, text in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # Windows PowerShell takes a text without a mark for one of the node's own code page.
        file.write_text(text, encoding="ascii" if text.isascii() else "utf-8-sig", newline="\r\n")
