"""Import-Clixml: objects from a file that Export-Clixml wrote."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cauctl import psobject
from cauctl.errors import InputError

if TYPE_CHECKING:
    from os import PathLike
    from typing import IO

__all__ = ["import_clixml"]


def import_clixml(path: str | PathLike[str] | IO[bytes], *, skip: int = 0, first: int | None = None) -> list[Any]:
    """Read the objects of a CLIXML file as PowerShell's Import-Clixml does.

    Files of PowerShell 7 (UTF-8) and of Windows PowerShell 5.1 (UTF-16) are read, packed by gzip or not. What
    ``powershell -OutputFormat xml`` printed, with ``#< CLIXML`` in front, is read too; PowerShell refuses that.

    With ``skip`` or ``first`` the file is read as a stream: what was skipped is not kept, and what follows the first
    objects is not looked at.

    Args:
        path: the file, or a binary stream such as ``sys.stdin.buffer``.
        skip: number of objects to leave out at the beginning.
        first: number of objects to give at most; all by default.

    Returns:
        The top-level objects: plain values, values that know their .NET type, and
        :class:`~cauctl.psobject.PSObject`; ``to_python()`` makes them plain.

    Raises:
        InputError: the file cannot be read, or is no CLIXML; with line, column and what was expected.
    """
    for name, count in (("skip", skip), ("first", first)):
        if count is not None and count < 0:
            raise InputError(f"{count} objects cannot be counted.", where=name, expected="0 or more")
    source = Path(path) if isinstance(path, str) else path
    if not skip and first is None:
        return psobject.read_clixml(source, printed=True)
    values = psobject.iter_clixml(source, printed=True)
    try:
        return list(islice(values, skip, None if first is None else skip + first))
    finally:
        values.close()
