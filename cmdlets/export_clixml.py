"""Export-Clixml: objects as a file that Import-Clixml reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cauctl import psobject

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["export_clixml"]


def export_clixml(  # noqa: PLR0913  PowerShell's parameters and what its session holds
    records: Any,
    path: str | PathLike[str],
    *,
    depth: int = 2,
    no_clobber: bool = False,
    encoding: str | None = None,
    newline: str | None = None,
    windows_powershell: bool = False,
) -> None:
    """Write objects to a CLIXML file as PowerShell's Export-Clixml does.

    The file appears whole or not at all. A SecureString that was read is written as it was read.

    Args:
        records: a list or an iterator of objects, or one object of any other kind.
        path: the file.
        depth: levels of .NET properties to write; below them an object is its text. Notes of property bags, items and
            entries do not count, and objects that were read are never cut.
        no_clobber: refuse to replace a file.
        encoding: PowerShell's or Python's name of the encoding; UTF-8 without a byte order mark by default, UTF-16
            for ``windows_powershell``.
        newline: line end; LF by default, CR LF for ``windows_powershell``.
        windows_powershell: write the file as Windows PowerShell 5.1 would. Never run there.

    Raises:
        InputError: an object has no counterpart in PowerShell, or the file cannot be written.
    """
    psobject.save_clixml(
        records,
        path,
        depth=depth,
        newline=newline if newline is not None else "\r\n" if windows_powershell else "\n",
        encoding=encoding or ("unicode" if windows_powershell else "utf8"),
        replace=not no_clobber,
    )
