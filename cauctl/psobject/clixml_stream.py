"""Top-level values of CLIXML documents one after the other, in the memory that one value takes.

Rules kept here:

* A value that is cut off by the end of the text at hand is read again once more text is there; what the first attempt
  had remembered is forgotten.
* An object is remembered beyond its top-level value only if a reference asks for it. A first look through the source
  finds these; a source that cannot be rewound has no references across values.
* ``#< CLIXML`` in front, and several documents one after the other, as ``powershell -OutputFormat xml`` prints, are
  accepted only where asked for: PowerShell's own reader refuses them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cauctl.psobject.clixml_batches import Batches
from cauctl.psobject.clixml_reader import Reader
from cauctl.psobject.clixml_root import NAMESPACE, read_root
from cauctl.psobject.clixml_syntax import DECLARATION, StartTag, Syntax
from cauctl.psobject.clixml_window import TruncatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cauctl.psobject.clixml_limits import Limits
    from cauctl.psobject.clixml_source import TextSource

__all__ = ["Documents"]

_T = TypeVar("_T")
_HEADER: Final = "#< CLIXML"
_NOT_ACROSS: Final = "of the same top-level value: this source cannot be rewound"
_WINDOW: Final = 1 << 16
_EVERYTHING: Final = 1 << 24
_LONGEST_TAIL: Final = 1 << 20
_OBJECTS: Final = re.compile(
    r"""<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"""
    r"""|<(?P<close>/?)(?:[\w.\-]+:)?(?P<local>Obj|Ref)(?P<attributes>(?=[\s/>])(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""",
    re.DOTALL,
)
_REF_ID: Final = re.compile(r"""\sRefId\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class Documents:
    """The top-level values of a source, each with its start tag's stream name.

    Args:
        source: the text.
        limits: what a document may ask for.
        whole: read all text at once and remember all objects: fastest where the values are kept anyway.
        printed: accept ``#< CLIXML`` and several documents.
    """

    def __init__(self, source: TextSource, limits: Limits, *, whole: bool, printed: bool) -> None:
        self._source, self._limits, self._whole, self._printed = source, limits, whole, printed
        self._wanted: frozenset[str] = frozenset()
        if not whole and source.seekable:
            self._wanted = _references_across(source)
            source.rewind()
        first = self._read_all() if whole else source.read(_WINDOW)
        final = whole or not first or source.fault is not None
        self._syntax = Syntax(first, namespace=NAMESPACE, where=source.where, final=final, fault=source.fault)
        self._pos = 0

    def _read_all(self) -> str:
        pieces = iter(lambda: self._source.read(_EVERYTHING), "")
        first = next(pieces, "")
        rest = list(pieces)
        return "".join([first, *rest]) if rest else first

    def __iter__(self) -> Iterator[tuple[str | None, Any]]:
        more = True
        while more:
            yield from self._document()
            more = self._printed and self._attempt(self._has_more)
        if self._attempt(self._has_more):
            raise self._syntax.error(self._pos, "Something follows the document.", "the end")

    def _attempt(self, step: Callable[[], _T]) -> _T:
        """Take a step, again with more text as long as it lacks text."""
        while True:
            before = self._syntax.mark()
            try:
                return step()
            except TruncatedError:
                self._syntax.restore(before)
                self._more()

    def _more(self) -> None:
        """Drop the text that was read, and add at least as much as was not enough."""
        held = len(self._syntax.text) - self._pos
        piece = self._source.read(max(_WINDOW, held))
        final = not piece or self._source.fault is not None
        self._syntax.advance(self._pos, piece, final=final, fault=self._source.fault)
        self._pos = 0

    def _document(self) -> Iterator[tuple[str | None, Any]]:
        root = self._attempt(self._root)
        across = self._whole or self._source.seekable
        expected = "the RefId of an earlier Obj" + ("" if across else f" {_NOT_ACROSS}")
        batches = Batches(Reader(self._syntax, self._limits, expected=expected), across=across)
        if root.empty:
            return
        inside = self._syntax.mark()
        last = False
        while not last:
            values, self._pos, fault, last = batches.read(self._pos, None if self._whole else self._wanted)
            yield from values
            if isinstance(fault, TruncatedError):
                self._syntax.restore(inside)
                self._more()
            elif fault is not None:
                raise fault
        self._attempt(lambda: self._end(root))

    def _root(self) -> StartTag:
        syntax, pos = self._syntax, self._pos
        if self._printed:
            pos = self._header(syntax.skip_space(pos))
        declaration = DECLARATION.match(syntax.text, pos)
        if declaration is not None:
            pos = declaration.end()
        elif syntax.text.startswith("<?xml ", pos) and "?>" not in syntax.text[pos:]:
            raise syntax.cut("the end of the XML declaration, ?>")
        root = read_root(syntax, syntax.skip(pos, inside=False))
        self._pos = root.end
        return root

    def _header(self, pos: int) -> int:
        text = self._syntax.text
        if not text.startswith("#", pos):
            return pos
        end = text.find("\n", pos)
        if end < 0 and not self._syntax.final:
            raise TruncatedError
        if text[pos : end if end >= 0 else None].rstrip() != _HEADER:
            raise self._syntax.error(pos, "The line is not known here.", f"{_HEADER} or a document")
        return self._syntax.skip_space(end + 1 if end >= 0 else len(text))

    def _end(self, root: StartTag) -> None:
        syntax = self._syntax
        self._pos = syntax.end(syntax.skip(self._pos), root)

    def _has_more(self) -> bool:
        """Tell whether anything but white space and comments is left."""
        syntax = self._syntax
        pos = syntax.skip_space(self._pos) if self._printed else self._pos
        if not (self._printed and syntax.text.startswith("#", pos)):
            pos = syntax.skip(pos, inside=False)
        if pos == len(syntax.text):
            if not syntax.final:
                raise TruncatedError
            syntax.check_end()
            return False
        self._pos = pos
        return True


def _references_across(source: TextSource) -> frozenset[str]:
    """Find the RefIds by which one top-level value refers to another, without reading values."""
    if not _mentions_references(source):
        return frozenset()
    source.rewind()
    scan = _Scan()
    while piece := source.read(_WINDOW):
        scan.feed(piece)
    return frozenset(scan.wanted)


def _mentions_references(source: TextSource) -> bool:
    tail = ""
    while piece := source.read(_WINDOW):
        text = tail + piece
        if "<Ref" in text or ":Ref" in text:
            return True
        tail = text[-4:]
    return False


class _Scan:
    """Looks for references in text that comes in pieces."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._own: set[str] = set()
        self._depth = 0
        self._tail = ""

    def feed(self, piece: str) -> None:
        """Look at the next piece."""
        text, done = self._tail + piece, 0
        for found in _OBJECTS.finditer(text):
            if found["local"] is None and found.end() == len(text) and not found[0].endswith((">",)):
                done = found.start()
                break
            done = found.end()
            if found["local"] is not None:
                self._element(found)
        begun = text.rfind("<", done)
        self._tail = text[begun:] if begun >= 0 and len(text) - begun < _LONGEST_TAIL else ""

    def _element(self, found: re.Match[str]) -> None:
        given = _REF_ID.search(found["attributes"])
        ref_id = None if given is None else given[1] or given[2] or ""
        if found["close"]:
            self._depth -= 1
            if self._depth <= 0:
                self._own.clear()
        elif found["local"] == "Obj":
            self._depth += not found["attributes"].endswith("/")
            if ref_id is not None:
                self._own.add(ref_id)
        elif ref_id is not None and ref_id not in self._own:
            self.wanted.add(ref_id)
