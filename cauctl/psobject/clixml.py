"""CLIXML, the text form in which PowerShell saves and sends objects ([MS-PSRP] 2.2.5), read and written.

Reading: :func:`read_clixml` gives the list of top-level values, :func:`iter_clixml` one after the other in little
memory, :func:`read_streams` also takes what ``powershell -OutputFormat xml`` prints, :func:`read_fragment` one bare
element as PSRP messages hold it. Writing: :func:`write_clixml` and :func:`write_fragment`.

Where we are stricter than PowerShell 7.6, and why:

* more than 32 Mi characters in one string, 1 Gi in one document: bounds for what comes from outside (see Limits);
* member sets nested deeper than 48: PowerShell would overflow its stack;
* a date that is a time alone, a day or a month alone: it would mean another date each day;
* an XML document (``XD``) that uses entities: they are not expanded here;
* encodings other than UTF-8 and UTF-16.

    values = read_clixml(Path("report.clixml").read_bytes())
    text = write_clixml(values)
"""

from __future__ import annotations

import re
from typing import Any, Final

from cauctl.psobject.clixml_reader import NAMESPACE, Limits, Reader, read_root
from cauctl.psobject.clixml_syntax import Syntax
from cauctl.psobject.clixml_writer import Writer

__all__ = ["Limits", "read_clixml", "read_fragment", "write_clixml", "write_fragment"]

_DECLARATION: Final = re.compile(r"<\?xml[ \t\n][^?<>]*\?>")


def read_clixml(source: str, *, limits: Limits = Limits()) -> list[Any]:
    text = _normal(source)
    syntax = Syntax(text)
    reader = Reader(syntax, limits)
    declaration = _DECLARATION.match(text)
    pos = syntax.skip(declaration.end() if declaration else 0)
    root = read_root(syntax, pos)
    values: list[Any] = []
    pos = root.end
    if not root.empty:
        while not text.startswith("</", pos := syntax.skip(pos)):
            value, pos = reader.value(syntax.start(pos), pos, 0)
            values.append(value)
        pos = syntax.end(pos, root)
    if (pos := syntax.skip(pos)) < len(text):
        raise syntax.error(pos, "Something follows the root element.", "the end")
    return values


def read_fragment(text: str) -> Any:
    normal = _normal(text)
    syntax = Syntax(normal)
    pos = syntax.skip(0)
    value, pos = Reader(syntax, Limits(), any_secret=True).value(syntax.start(pos), pos, 0)
    if (pos := syntax.skip(pos)) < len(normal):
        raise syntax.error(pos, "Something follows the value.", "the end")
    return value


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def write_clixml(values: Any, *, depth: int | None = None, newline: str = "\n") -> str:
    writer = Writer(newline=newline, depth=depth)
    body = "".join(writer.write(value) for value in values)
    start = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}"'
    return f"{start}>{body}{newline}</Objs>" if body else f"{start} />"


def write_fragment(value: Any, *, depth: int | None = None) -> str:
    return Writer(depth=depth).write(value)
