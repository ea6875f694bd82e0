"""The XML that CLIXML is made of, read with positions: tags, text, comments, end of file.

Rules kept here, all as PowerShell's own reader has them:

* An element of another namespace is another element, however it is called; but numbers, booleans, dates and the like
  (NAMESPACE_FREE) go by their local name alone. Prefixes must be declared. Attributes count only without a prefix.
* Between elements stand white space, comments and processing instructions, nothing else. White space may be written
  as a reference there (``&#10;``), but outside the root. CDATA is text.
* No document type, no entities but the five of XML; ``&#1;`` and ``&#xD800;`` are accepted, raw control characters not.
* Every refusal is an InputError with line and column (both from 1) of the offending character and what was expected.

lxml cannot do this: it refuses ``&#1;`` and lone surrogates, and gives no columns for what is valid XML but no CLIXML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cauctl.psobject.clixml_escapes import UnknownReferenceError, resolve
from cauctl.psobject.clixml_window import Window

if TYPE_CHECKING:
    from cauctl.errors import InputError

__all__ = ["DECLARATION", "NAME", "NAMESPACE_FREE", "StartTag", "Syntax"]

NAMESPACE_FREE: Final = frozenset(
    (
        *("B", "By", "SB", "I16", "U16", "I32", "U32", "I64", "U64", "Sg", "Db", "D", "C"),
        *("DT", "TS", "G", "Version", "BA", "SS"),
    )
)
"""Elements that PowerShell knows by their local name alone."""

DECLARATION: Final = re.compile(
    r"""<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')"""
    r"""(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"[A-Za-z][\w.\-]*"|'[A-Za-z][\w.\-]*'))?"""
    r"""(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>""",
    re.ASCII,
)
"""An XML declaration."""
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WHITE_REFERENCE: Final = re.compile(r"&#(?:0*(?:9|10|13|32)|x0*(?:9|[aA]|[dD]|20));")
_OPEN_REFERENCE: Final = re.compile(r"&(?:#(?:[0-9]*|x[0-9A-Fa-f]*))?")
_NEXT_TAG: Final = re.compile(r"[ \t\r\n]*<(?![!?])")
_NAME_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd"
)
_NCNAME: Final = f"[{_NAME_START}][{_NAME_START}\\-.0-9\u00b7\u0300-\u036f\u203f-\u2040]*"
_QNAME: Final = re.compile(f"(?:({_NCNAME}):)?({_NCNAME})")
NAME: Final = f"(?:{_NCNAME}(?::{_NCNAME})?)"
"""Pattern of a name, with or without a prefix."""
_ATTRIBUTE: Final = re.compile(r"""[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')""")
_PLAIN_START: Final = re.compile(
    r'<([A-Za-z]\w*)(?: S="([^"<&]*)")?(?: N="([^"<&]*)")?(?: RefId="([^"<&]*)")? ?(/?)>', re.ASCII
)
_PI_TARGET: Final = re.compile(f"<\\?({_NCNAME})(?=[ \t\r\n?])")
_WHOLE_TAG: Final = re.compile(r"""<(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+""")


class StartTag(NamedTuple):
    """One start tag, attributes that mean nothing left out."""

    local: str
    qname: str
    stream: str | None
    name: str | None
    ref_id: str | None
    empty: bool
    end: int
    """Offset behind the tag."""
    declares: tuple[tuple[str, str | None], ...] = ()
    """Prefixes that the element declares, with what they meant before; "" is the default namespace."""


class Syntax(Window):
    """Cursor functions over one text: each takes an offset and gives the offset behind what it read.

    Args:
        text: as :class:`Window`.
        namespace: namespace of the elements; None: it does not matter.
        where: as :class:`Window`.
        final: as :class:`Window`.
        fault: as :class:`Window`.
    """

    def __init__(
        self,
        text: str,
        *,
        namespace: str | None = None,
        where: str | None = None,
        final: bool = True,
        fault: str | None = None,
    ) -> None:
        super().__init__(text, where=where, final=final, fault=fault)
        self._namespace = namespace
        self._meanings: dict[str, str] = {"xml": "xml", "xmlns": "xmlns"}
        self.usual = namespace is None

    def mark(self) -> dict[str, str]:
        """Give what :meth:`restore` needs to undo an attempt to read on."""
        return self._meanings.copy()

    def restore(self, mark: dict[str, str]) -> None:
        """Forget the namespaces that an abandoned attempt declared."""
        self._meanings = mark.copy()
        self._look()

    def _look(self) -> None:
        self.usual = self._namespace is None or self._meanings.get("") == self._namespace
        """Whether an element without a prefix is one of ours."""

    def unknown(self, tag: StartTag, pos: int, expected: str) -> InputError:
        """Build the error for an element that may not stand where it does."""
        return self.error(pos + 1, f"The element {tag.qname} is not known here.", expected)

    def skip_space(self, pos: int) -> int:
        """Skip white space."""
        return _SPACE.match(self.text, pos).end()  # type: ignore[union-attr]  # matches the empty string as well

    def skip(self, pos: int, *, inside: bool = True) -> int:
        """Skip white space, comments and processing instructions; what follows is ``<`` of a tag or the end.

        Args:
            pos: where to begin.
            inside: whether that is inside of an element, where white space may be written as a reference.
        """
        text = self.text
        found = _NEXT_TAG.match(text, pos)
        if found is not None:
            return found.end() - 1
        while True:
            pos = self.skip_space(pos)
            lead = text[pos : pos + 2]
            if lead == "<?":
                pos = self._instruction(pos)
            elif lead == "<!":
                pos = self._comment(pos)
            elif lead[:1] in ("<", ""):
                return pos
            elif inside and lead[0] == "&":
                pos = self._white_reference(pos)
            else:
                raise self.error(pos, "Text stands where only elements may stand.", "an element")

    def _white_reference(self, pos: int) -> int:
        found = _WHITE_REFERENCE.match(self.text, pos)
        if found is not None:
            return found.end()
        if _OPEN_REFERENCE.fullmatch(self.text, pos):
            raise self.cut("an element")
        raise self.error(pos, "Text stands where only elements may stand.", "an element")

    def _comment(self, pos: int) -> int:
        text = self.text
        if text.startswith("<!--", pos):
            end = text.find("--", pos + 4)
            if end < 0 or len(text) < end + 3:
                raise self.cut("the end of the comment, -->")
            if text[end + 2] != ">":
                raise self.error(end, "Two hyphens stand inside a comment.", "-->")
            return end + 3
        if text.startswith("<![CDATA[", pos):
            raise self.error(pos, "CDATA stands where only elements may stand.", "an element")
        if text.startswith("<!DOCTYPE", pos):
            raise self.error(pos, "A document type declaration is not accepted.", "an element")
        if "<![CDATA[".startswith(text[pos:]) or "<!--".startswith(text[pos:]) or "<!DOCTYPE".startswith(text[pos:]):
            raise self.cut("an element")
        raise self.error(pos, "This is no markup that XML knows.", "an element or a comment")

    def _instruction(self, pos: int) -> int:
        end = self.text.find("?>", pos + 2)
        if end < 0:
            raise self.cut("the end of the processing instruction, ?>")
        target = _PI_TARGET.match(self.text, pos)
        if target is None or target[1].lower() == "xml":
            raise self.error(pos, "The processing instruction has no usable name.", "a name other than xml")
        return end + 2

    def start(self, pos: int) -> StartTag:
        """Read the start tag at ``pos``, where ``<`` stands and no end tag."""
        found = _PLAIN_START.match(self.text, pos) if self.usual else None
        if found is None:
            return self.full_start(pos)[0]
        local, stream, name, ref_id, slash = found.groups()
        return StartTag(local, local, stream, name, ref_id, bool(slash), found.end())

    def full_start(self, pos: int) -> tuple[StartTag, dict[str, str]]:
        """Read any start tag by the letter of XML 1.0 and its namespaces, with all its attributes."""
        text = self.text
        if pos == len(text):
            raise self.cut("an element")
        qname = _QNAME.match(text, pos + 1)
        if qname is None or not text[qname.end() : qname.end() + 1] or text[qname.end()] not in " \t\r\n/>":
            self._complete(pos)
            raise self.error(pos + 1, "The tag has no usable name.", "the name of an element")
        attributes, end = self._attributes(pos, qname.end())
        declares = self._declare(attributes)
        for prefix in (qname[1], *(name.partition(":")[0] for name in attributes if ":" in name)):
            if prefix is not None and prefix not in self._meanings:
                raise self.error(pos + 1, f"The prefix {prefix!a} is not declared.", "a declared prefix, or none")
        empty = text[end] == "/"
        namespace, local = self._meanings.get(qname[1] or "", ""), qname[2]
        if self._namespace not in (None, namespace) and local not in NAMESPACE_FREE:
            local = f"{{{namespace}}}{local}"
        parts = attributes.get("S"), attributes.get("N"), attributes.get("RefId")
        tag = StartTag(local, qname[0], *parts, empty, end + 2 if empty else end + 1, declares)
        if empty:
            self.leave(tag)
        return tag, attributes

    def _declare(self, attributes: dict[str, str]) -> tuple[tuple[str, str | None], ...]:
        """Note the namespaces that a tag declares; give what their prefixes meant before."""
        declared = {name[6:]: value for name, value in attributes.items() if name == "xmlns" or name[:6] == "xmlns:"}
        if not declared:
            return ()
        before = tuple((prefix, self._meanings.get(prefix)) for prefix in declared)
        self._meanings.update(declared)
        self._look()
        return before

    def _attributes(self, tag: int, pos: int) -> tuple[dict[str, str], int]:
        """Read attributes up to ``>`` or ``/>``; give them by qualified name and the offset of that mark."""
        text = self.text
        found: dict[str, str] = {}
        while True:
            after = self.skip_space(pos)
            if text.startswith((">", "/>"), after):
                return found, after
            name = _QNAME.match(text, after)
            value = _ATTRIBUTE.match(text, name.end()) if name else None
            if name is None or value is None or after == pos:
                self._complete(tag)
                raise self.error(after, "The attributes of the tag are malformed.", 'name="value", then > or />')
            if name[0] in found:
                raise self.error(after, f"The attribute {name[0]} stands twice.", "each attribute once")
            start = value.start(1) if value[1] is not None else value.start(2)
            raw = value[1] if value[1] is not None else value[2]
            found[name[0]] = self.resolve(raw.replace("\n", " ").replace("\t", " "), start)
            pos = value.end()

    def _complete(self, pos: int) -> None:
        """Raise if the tag at ``pos`` is cut off by the end of the text."""
        stop = _WHOLE_TAG.match(self.text, pos).end()  # type: ignore[union-attr]  # "<" stands at pos
        if stop == len(self.text) or (self.text[stop] in "\"'" and self.text.find(self.text[stop], stop + 1) < 0):
            raise self.cut("the end of the tag, >")

    def end(self, pos: int, tag: StartTag) -> int:
        """Read the end tag that belongs to ``tag``; anything else at ``pos`` is an error."""
        text = self.text
        expected = f"</{tag.qname}>"
        if not text.startswith(expected, pos):
            after = pos + len(expected) - 1
            if text.startswith(expected[:-1], pos):
                close = self.skip_space(after)
                if text.startswith(">", close):
                    self.leave(tag)
                    return close + 1
            if expected.startswith(text[pos:]) or (len(text) > pos and text[pos] == "<" and ">" not in text[pos:]):
                raise self.cut(expected)
            raise self.error(pos, f"The element {tag.qname} is not closed here.", expected)
        self.leave(tag)
        return pos + len(expected)

    def leave(self, tag: StartTag) -> None:
        """Forget the namespaces that an element declared."""
        for prefix, meaning in tag.declares:
            if meaning is None:
                del self._meanings[prefix]
            else:
                self._meanings[prefix] = meaning
        if tag.declares:
            self._look()

    def content(self, tag: StartTag) -> tuple[str, int]:
        """Read the text of an element without children and its end tag."""
        if tag.empty:
            return "", tag.end
        text, pos, parts = self.text, tag.end, []
        while True:
            mark = text.find("<", pos)
            if mark < 0:
                raise self.cut(f"</{tag.qname}>")
            if mark > pos:
                parts.append(self._text(pos, mark))
            if text.startswith("</", mark):
                return "".join(parts), self.end(mark, tag)
            if text.startswith("<![CDATA[", mark):
                close = text.find("]]>", mark)
                if close < 0:
                    raise self.cut("the end of the CDATA section, ]]>")
                parts.append(text[mark + 9 : close])
                pos = close + 3
            elif text.startswith("<?", mark):
                pos = self._instruction(mark)
            elif text.startswith("<!", mark):
                pos = self._comment(mark)
            else:
                self._complete(mark)
                raise self.error(mark, f"The element {tag.qname} holds markup.", f"text and </{tag.qname}>")

    def _text(self, pos: int, mark: int) -> str:
        raw = self.text[pos:mark]
        bad = raw.find("]]>")
        if bad >= 0:
            raise self.error(pos + bad, "The characters ]]> stand in a text.", "]]&gt;")
        return self.resolve(raw, pos)

    def resolve(self, raw: str, pos: int) -> str:
        """Replace character references and XML's five entities; ``pos`` is the offset of ``raw``."""
        if "&" not in raw:
            return raw
        try:
            return resolve(raw)
        except UnknownReferenceError as unknown:
            expected = "&lt; &gt; &amp; &quot; &apos; or &#number;"
            raise self.error(pos + unknown.offset, "The reference is malformed or unknown.", expected) from unknown

    def drop(self, tag: StartTag) -> int:
        """Skip the whole content of an element, well-formed whatever it is; give the offset behind its end tag."""
        if tag.empty:
            return tag.end
        open_tags, pos = [tag], tag.end
        while open_tags:
            text, mark = self.text, self.text.find("<", pos)
            if mark < 0:
                raise self.cut(f"</{open_tags[-1].qname}>")
            self._text(pos, mark)
            if text.startswith("</", mark):
                pos = self.end(mark, open_tags.pop())
            elif text.startswith("<![CDATA[", mark):
                pos = text.find("]]>", mark) + 3
                if pos < 3:  # noqa: PLR2004  find gave -1
                    raise self.cut("the end of the CDATA section, ]]>")
            elif text.startswith("<?", mark):
                pos = self._instruction(mark)
            elif text.startswith("<!", mark):
                pos = self._comment(mark)
            else:
                child = self.start(mark)
                pos = child.end
                if not child.empty:
                    open_tags.append(child)
        return pos
