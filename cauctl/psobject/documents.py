"""XML files of our own and of others as plain values: read safely, held to a schema, written.

Rules kept here:

* No document type, no entities, no network, no sizes beyond the parser's limits; a document with a document type is
  refused.
* Every refusal is an :class:`~cauctl.errors.InputError` with the source's name, line and column, counted from 1.
* What XML cannot hold in a text travels as PowerShell writes it in CLIXML: ``_x0000_`` (:func:`escape`,
  :func:`unescape`).

::

    report = parse(data, source="CauReport-20261122031500.xml", schema=Schema(xsd, "cau-report.xsd"))
    report.child("ClusterResult").child("Name").text
"""

from __future__ import annotations

import gzip
import io
import re
import threading
import zlib
from collections.abc import Mapping
from typing import Any, Final, cast

from attrs import field, frozen
from lxml import etree

from cauctl.errors import InputError

__all__ = ["LONGEST", "MOST_ATTRIBUTES", "Element", "Schema", "escape", "parse", "serialize", "unescape", "unpack"]

LONGEST: Final = 512 * 2**20
"""Bytes that a packed document may have when it is unpacked."""
MOST_ATTRIBUTES: Final = 100
"""Attributes that one element may have."""
_GZIP: Final = b"\x1f\x8b"

_LOST: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
# An underscore is replaced too where it would begin an escape, also one that the next character's escape completes.
_UNSAFE: Final = re.compile(f"[{_LOST}]|_(?=[xX][0-9A-Fa-f]{{4}}[_{_LOST}])")
_ESCAPED: Final = re.compile(r"_x([0-9A-F]{4})_")
_NAMESPACE: Final = re.compile(r"\{[^{}\s]*[:/][^{}\s]*\}")
_POSITION: Final = re.compile(r", line \d+, column \d+$")
_MARKUP: Final = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?P<start>[^/!?](?:[^<>"']|"[^"]*"|'[^']*')*)>""", re.DOTALL
)


@frozen
class Element:
    """One element: its local name, and either a text or children."""

    name: str
    """Name without a namespace."""
    text: str = field(default="", kw_only=True)
    """Text; of an element with children, nothing."""
    attributes: Mapping[str, str] = field(factory=dict, kw_only=True)
    """Attributes by name without a namespace."""
    children: tuple[Element, ...] = field(default=(), kw_only=True)
    """Elements within, in order."""
    line: int | None = field(default=None, kw_only=True, eq=False, repr=False)
    """Line in the document that it was read from."""

    def child(self, name: str) -> Element | None:
        """Find the first child of that name."""
        return next((child for child in self.children if child.name == name), None)


class Schema:
    """An XML Schema, compiled when it is first used. Several threads may use it."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name, self._lock = data, name, threading.Lock()
        self._compiled: etree.XMLSchema | None = None

    def __repr__(self) -> str:
        return f"Schema({self._name!r}, {'compiled' if self._compiled is not None else 'not compiled yet'})"

    def check(self, root: etree._Element, *, data: bytes, source: str) -> None:
        """Hold a parsed document to the schema; InputError at the first place that breaks it."""
        with self._lock:
            if self._compiled is None:
                self._compiled = etree.XMLSchema(etree.fromstring(self._data, _parser()))
            if self._compiled.validate(root):
                return
            errors: Any = self._compiled.error_log  # the stubs know no sequence
            entry = errors[0]
            message, line, path = str(entry.message), int(entry.line), entry.path
        place = _place(root, data, path) or (line, None)
        raise InputError(
            _sentence(message),
            where=source,
            line=place[0],
            column=place[1],
            expected=f"what {self._name} says",
        )


def parse(data: bytes, *, source: str, schema: Schema | None = None) -> Element:
    """Read a document.

    Raises:
        InputError: the document is not well-formed, has a document type, or breaks ``schema``.
    """
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        message = f"not well-formed XML: {_POSITION.sub('', error.msg or '')}."
        raise InputError(message, where=source, line=max(line, 1), column=max(column, 1)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise InputError("a document type is not allowed here.", where=source, expected="a document without DOCTYPE")
    _refuse_wide(root, source)
    if schema is not None:
        schema.check(root, data=data, source=source)
    return _value(root)


def unpack(data: bytes, *, source: str) -> bytes:
    """Unpack a document that gzip packed; any other comes as it is.

    Raises:
        InputError: the packed data is damaged, or larger than :data:`LONGEST` when it is unpacked.
    """
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            found = packed.read(LONGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"the gzip data is damaged ({error}).", where=source) from error
    if len(found) > LONGEST:
        raise InputError(
            "it is too large when it is unpacked.", where=source, expected=f"at most {LONGEST // 2**20} MiB"
        )
    return found


def serialize(element: Element, *, namespace: str) -> bytes:
    """Write a document as UTF-8 with declaration and indentation; all elements are in ``namespace``.

    Texts must be such as XML can hold: see :func:`escape`.
    """
    spaces: Any = {None: namespace}  # the stubs know no default namespace
    root = _tree(element, namespace, etree.Element(f"{{{namespace}}}{element.name}", nsmap=spaces))
    etree.indent(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def escape(text: str) -> str:
    """Replace what XML cannot hold, or would not give back, by ``_xHHHH_``; :func:`unescape` undoes it."""
    return _UNSAFE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescape(text: str) -> str:
    """Undo :func:`escape`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _refuse_wide(root: etree._Element, source: str) -> None:
    """Refuse an element with more attributes than any of ours has: to look at them takes time that grows squared."""
    wide: Any = root.xpath(f"(//*[count(@*) > {MOST_ATTRIBUTES}])[1]")
    if wide:
        raise InputError(
            f"the element {etree.QName(wide[0]).localname} has too many attributes.",
            where=source,
            line=wide[0].sourceline,
            expected=f"at most {MOST_ATTRIBUTES}",
        )


def _sentence(message: str) -> str:
    """Take namespaces and line ends out of what the library says."""
    return " ".join(_NAMESPACE.sub("", message).split())


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _value(node: etree._Element) -> Element:
    children = tuple(_value(child) for child in node if isinstance(child.tag, str))
    return Element(
        etree.QName(node).localname,
        text="" if children else "".join(str(part) for part in node.itertext()),
        attributes={etree.QName(str(name)).localname: str(value) for name, value in node.attrib.items()},
        children=children,
        line=cast("int | None", node.sourceline),
    )


def _tree(element: Element, namespace: str, node: etree._Element) -> etree._Element:
    for name, value in element.attributes.items():
        node.set(name, value)
    if element.text:
        node.text = element.text
    for child in element.children:
        _tree(child, namespace, etree.SubElement(node, f"{{{namespace}}}{child.name}"))
    return node


def _place(root: etree._Element, data: bytes, path: str | None) -> tuple[int, int] | None:
    """Find line and column of the start tag that ``path`` names; lxml tells the line alone."""
    prefixes = {prefix: uri for each in root.iter("*") for prefix, uri in each.nsmap.items() if prefix}
    found = root.getroottree().xpath(path, namespaces=prefixes) if path else None
    if not isinstance(found, list) or not found:
        return None
    wanted = next(index for index, each in enumerate(root.iter("*")) if each is found[0])
    text = data.decode(root.getroottree().docinfo.encoding or "utf-8", "replace")
    starts = (match.start() for match in _MARKUP.finditer(text) if match["start"])
    for index, start in enumerate(starts):
        if index == wanted:
            return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    return None
