"""``cauctl convert`` and ``cauctl validate``: PowerShell's files without PowerShell."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter as Option

from cauctl.cli.console import say, say_error
from cauctl.cli.output import write_data
from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from cyclopts import App

__all__ = ["register"]

_STANDARD = "-"
_SCHEMAS = ("clixml.xsd", "convertto-xml.xsd", "cau-report.xsd")


def register(app: App) -> None:
    """Add the commands."""
    app.command(convert, name="convert")
    app.command(validate, name="validate")


def convert(
    source: Annotated[
        str,
        Option(help="CLIXML file, packed by gzip or not; - or nothing: standard input.", allow_leading_hyphen=True),
    ] = _STANDARD,
    /,
    *,
    to: Annotated[Literal["xml", "csv", "json", "clixml"], Option(help="What to write on standard output.")],
    depth: Annotated[int, Option(help="Depth of ConvertTo-Xml.", show_default=True)] = 1,
) -> int:
    """Convert objects that PowerShell exported: to what ConvertTo-Xml or ConvertTo-Csv prints, to JSON or CLIXML.

    Reads files of Export-Clixml of PowerShell 5.1 and 7, and what powershell -OutputFormat xml printed.
    """
    from cauctl import psobject  # noqa: PLC0415  lxml is loaded only when it is used
    from cauctl.operations.outcome import ExitCode  # noqa: PLC0415  beside its only use

    with _opened(source) as stream:
        values: list[Any] = psobject.read_clixml(stream, printed=True)
    if to == "json":
        values = [psobject.json_value(value) for value in values]
    write_data(values, to, table=lambda _: None, depth=depth)
    return ExitCode.SUCCEEDED


def validate(
    file: Annotated[
        str, Option(help="XML file, packed by gzip or not; - or nothing: standard input.", allow_leading_hyphen=True)
    ] = _STANDARD,
    /,
) -> int:
    """Say which schema of ours a file meets: CLIXML, ConvertTo-Xml's, or a stored report's.

    Exit codes: 0 it meets one, 1 it meets none; then the place that breaks the schema of its root element is told.
    """
    from cauctl.models.schemas import schema  # noqa: PLC0415  lxml is loaded only when it is used
    from cauctl.operations.outcome import ExitCode  # noqa: PLC0415  beside its only use
    from cauctl.psobject.documents import Schema, parse, unpack  # noqa: PLC0415  as above

    name = "standard input" if file == _STANDARD else file
    with _opened(file, kind="an XML file") as stream:
        data = unpack(stream.read(), source=name)
    root = parse(data, source=name).name
    likely = {"Objs": "clixml.xsd", "Objects": "convertto-xml.xsd", "CauReport": "cau-report.xsd"}.get(root)
    if likely is None:
        say(f"{name}: its root element {root} is of none of these: {', '.join(_SCHEMAS)}.", "bold red")
        return ExitCode.FAILED
    try:
        parse(data, source=name, schema=Schema(schema(likely), likely))
    except InputError as error:
        say_error(error)
        return ExitCode.FAILED
    sys.stdout.write(f"{name}: meets {likely}\n")
    return ExitCode.SUCCEEDED


@contextmanager
def _opened(source: str, *, kind: str = "a CLIXML file") -> Iterator[BinaryIO]:
    if source == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        with Path(source).open("rb") as stream:
            yield stream
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=source, expected=kind) from error
