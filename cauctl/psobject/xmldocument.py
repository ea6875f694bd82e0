"""The Document form of ConvertTo-Xml: an lxml ElementTree, and .NET's texts of it.

Rules kept here (R4, R7, R9, R12 of the project's study of ConvertTo-Xml; the rest was seen on .NET 10):

* An element whose ``text`` is ``""`` is a tag pair, one whose ``text`` is ``None`` and that has no children the short
  form: lxml keeps the two apart, and so does .NET's XmlDocument.
* Text made of space, tab, CR and LF alone is dropped, its tag pair stays.
* ``outer_xml`` is ``XmlDocument.OuterXml``: no indentation, raw tab in attributes, LF and CR there as references.
* ``save_xml`` is ``XmlDocument.Save``: byte order mark, declaration, two blanks a level, no line end at the end; the
  end tag of an empty pair stands on a line of its own.

Parsing knows no entities, no DTD and no network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cauctl.psobject.textfile import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from lxml import etree

__all__ = ["DECLARATION", "EMPTY_MARK", "outer_xml", "read_document", "save_xml"]

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>'
EMPTY_MARK: Final = " "
"""What the writer puts for an empty text in this form: it is dropped like any other blank text, and its pair stays."""
_BLANK_PAIR: Final = re.compile(">[ \\t\\n]+</")
_BLANK_TEXT: Final = "//*[not(*) and text() and normalize-space(text()) = '']"


def read_document(text: str) -> etree._ElementTree:
    """Parse what the writer gave, without indentation, into an ElementTree."""
    from lxml import etree  # noqa: PLC0415  importing the cmdlets must stay cheap

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root = etree.fromstring(text.encode(), parser)
    if _BLANK_PAIR.search(text):
        blank: Any = root.xpath(_BLANK_TEXT)
        for element in blank:
            element.text = ""
    return root.getroottree()


def outer_xml(tree: etree._ElementTree) -> str:
    """Give the text that ``XmlDocument.OuterXml`` gives for a converted document."""
    return DECLARATION + "".join(_pieces(tree.getroot(), ""))


def save_xml(tree: etree._ElementTree, path: str | PathLike[str], *, newline: str = "\n") -> None:
    """Write the bytes that ``XmlDocument.Save`` writes for a converted document; the file appears whole or not at all.

    Args:
        tree: what :func:`convert_to_xml` gave.
        path: the file; an existing one is replaced.
        newline: line end between elements; .NET takes the system's.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, (DECLARATION, newline, *_pieces(tree.getroot(), newline)), encoding="utf8BOM")


def _pieces(root: etree._Element, newline: str) -> Iterator[str]:
    """Write elements as .NET's XmlTextWriter does; without ``newline`` there is no indentation.

    Mixed content is not indented from its first text on.
    """
    from lxml import etree  # noqa: PLC0415  as above

    mixed = [not newline]
    for event, element in etree.iterwalk(root, events=("start", "end", "comment")):
        level = len(mixed) - 1
        if event == "end":
            unbroken = mixed.pop()
            if not _is_short(element):
                yield f"{'' if unbroken else _line_break(newline, level - 1)}</{element.tag}>"
        else:
            if level and not mixed[-1]:
                yield _line_break(newline, level)
            yield f"<!--{element.text or ''}-->" if event == "comment" else _start(element)
        if event == "start":
            mixed.append(mixed[-1] or bool(element.text))
        elif element.tail and element is not root:
            mixed[-1] = True
            yield _content(element.tail)


def _is_short(element: etree._Element) -> bool:
    """Tell whether an element has neither text nor children, which is not the same as an empty text."""
    return element.text is None and not len(element)


def _start(element: etree._Element) -> str:
    tag = f"<{element.tag!s}{''.join(map(_attribute, element.items()))}"
    return f"{tag} />" if _is_short(element) else f"{tag}>{_content(element.text or '')}"


def _line_break(newline: str, level: int) -> str:
    return newline + "  " * level if newline else ""


def _content(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(item: tuple[Any, Any]) -> str:
    name, value = item
    text = _content(value).replace('"', "&quot;").replace("\n", "&#xA;").replace("\r", "&#xD;")
    return f' {name}="{text}"'
