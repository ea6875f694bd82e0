"""From CLIXML text to values: objects, references, type names, containers.

Rules kept here, as PowerShell 7.6 keeps them:

* Inside ``Obj`` the order is free; the last TN, ToString, base value and Props win, several MS add up.
* RefIds are plain strings. A reference finds what was begun before it, across top-level values too.
* A name that comes again, in any case, replaces value and name of the first at its place.
* An ``Obj`` may be the base value of another, which then stands for it.
* A text drops a note ``ToString`` before it, Props a note ``GetType``.
* An OrderedDictionary stays ordered only if its type name comes first of all and before the entries.
* ``Obj`` nests 48 deep. Member sets (MS within MS) share that limit here; PowerShell does not count them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.psobject.clixml_escapes import replace_entities, unescape
from cauctl.psobject.clixml_nodes import CONTAINERS, is_ordered
from cauctl.psobject.clixml_primitives import PRIMITIVES
from cauctl.psobject.clixml_progress import read_progress
from cauctl.psobject.clixml_references import References
from cauctl.psobject.clixml_shapes import Shapes
from cauctl.psobject.clixml_syntax import StartTag, Syntax
from cauctl.psobject.clixml_usual import ENTRY, HEAD, LEAF
from cauctl.psobject.objects import (
    Members,
    MemberSet,
    PSDictionary,
    PSObject,
)
from cauctl.psobject.values import SecureString

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from cauctl.psobject.clixml_limits import Limits


__all__ = ["ODD", "Reader"]

_VALUE: Final = "a value (S, I32, Nil, Obj, Ref …)"
_SHAPE_LEVELS: Final = 16
"""Levels below which shapes are used; a shape has fewer itself."""
_OBJECT: Final = StartTag("Obj", "Obj", None, None, None, empty=False, end=0)
ODD: Final = object()
"""What the careful way must look at."""


def _nothing(_text: str, _pos: int) -> None:
    """Match nothing: in another namespace nothing is usual."""


class Reader:
    """Reads values from a :class:`Syntax`, and remembers what references may point to.

    Args:
        syntax: the text.
        limits: what a document may ask for.
        any_secret: accept any text as a SecureString, as on the wire, where it is encrypted by the session's key.
        expected: what a reference should have been, for errors.
    """

    def __init__(
        self,
        syntax: Syntax,
        limits: Limits,
        *,
        any_secret: bool = False,
        expected: str = "the RefId of an earlier Obj",
    ) -> None:
        self.syntax = syntax
        self._limits = limits
        self._expected = expected
        self.references = References()
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.shapes = Shapes(syntax, self.references, self.one, longest=limits.text)
        self.references.settle = self.shapes.settle
        self.top = 0
        self._primitives = {**PRIMITIVES, "SS": SecureString} if any_secret else PRIMITIVES
        self._parts: dict[str, Callable[[PSObject, StartTag, int], int]] = {
            "TN": self._type_names,
            "TNRef": self._type_names_reference,
            "ToString": self._to_string,
            "Props": self._adapted,
            "MS": self._extended,
            "DCT": self._dictionary,
            **dict.fromkeys(CONTAINERS, self._container),
        }

    def leaf(self, tag: str, ref_id: str | None, raw: str | None) -> Any:
        """Give the value of a usual element without children; ODD for whatever the careful way must look at."""
        if raw is None:
            return self._bare(tag, ref_id)
        parse = self._primitives.get(tag)
        if parse is None or len(raw) > self._limits.text or "]]>" in raw:
            return ODD
        if "&" in raw:
            plain = replace_entities(raw)
            if plain is None:
                return ODD
            raw = plain
        try:
            return parse(raw)
        except ValueError:
            return ODD

    def _bare(self, tag: str, ref_id: str | None) -> Any:
        """Give the value of a usual element without content: a null or a reference."""
        if tag == "Nil":
            return None
        found = self.references.find(ref_id) if tag == "Ref" and ref_id is not None else None
        return ODD if found is None else found

    def value(self, tag: StartTag, pos: int, depth: int) -> tuple[Any, int]:
        """Read the value whose start tag ``tag`` stands at ``pos``; ``depth`` counts the ``Obj`` around it."""
        local = tag.local
        if local in self._primitives:
            return self._primitive(tag)
        if local == "Nil":
            return None, self.syntax.drop(tag)
        if local == "Obj":
            return self._object(tag, pos, depth + 1)
        if local == "Ref":
            return self._reference(tag, pos), self.syntax.drop(tag)
        if local == "PR":
            return read_progress(self.syntax, tag)
        raise self.syntax.unknown(tag, pos, _VALUE)

    def _primitive(self, tag: StartTag) -> tuple[Any, int]:
        text, end = self.syntax.content(tag)
        if len(text) > self._limits.text:
            raise self.syntax.error(
                tag.end, f"The text has {len(text)} characters.", f"at most {self._limits.text} (see Limits)"
            )
        try:
            return self._primitives[tag.local](text), end
        except ValueError as refusal:
            shown = "The text" if tag.local == "SS" else f"{text[:40]!a}{'…' if len(text) > 40 else ''}"  # noqa: PLR2004  a look
            raise self.syntax.error(tag.end, f"{shown} is no {tag.local}.", str(refusal)) from refusal

    def _reference(self, tag: StartTag, pos: int) -> PSObject:
        if tag.ref_id is None:
            raise self.syntax.error(pos + 1, "The reference has no RefId.", 'RefId="…"')
        found = self.references.find(tag.ref_id)
        if found is None:
            raise self.syntax.error(pos + 1, f"No object with RefId {tag.ref_id!a} stands before.", self._expected)
        return found

    def _object(self, tag: StartTag, pos: int, depth: int) -> tuple[PSObject, int]:
        if depth > self._limits.depth:
            raise self.syntax.error(pos + 1, f"Obj is nested deeper than {self._limits.depth} levels.", "less nesting")
        found = PSObject(deserialized=True)
        if tag.ref_id is not None:
            self.references.add(tag.ref_id, found)
        if tag.empty:
            return found, tag.end
        return found, self._rest(found, tag, tag.end, depth)

    def _headed(self, head: re.Match[str], depth: int) -> tuple[PSObject, int] | None:
        """Read the object whose usual beginning was matched; None where the careful way must look at it."""
        _, ref_id, type_names, shown, part = head.groups()
        names = () if type_names is None else self.references.type_names.get(type_names)
        if names is None or depth > self._limits.depth or (shown is not None and "]]>" in shown):
            return None
        found = PSObject(deserialized=True)
        self.references.add(ref_id, found)
        found.type_names = names
        if shown is not None:
            found.text = unescape(shown)
        pos = head.end()
        if part is not None:
            pos = self._parts[part](found, StartTag(part, part, None, None, None, False, pos), depth)
        return found, self._rest(found, _OBJECT, pos, depth)

    def _rest(self, found: PSObject, tag: StartTag, pos: int, depth: int) -> int:
        """Read what is left of an object up to its end tag."""
        syntax = self.syntax
        while not syntax.text.startswith("</", pos := syntax.skip(pos)):
            child = syntax.start(pos)
            part = self._parts.get(child.local)
            if part is not None:
                pos = part(found, child, depth)
            elif child.local in self._primitives:
                found.base, pos = self._primitive(child)
            elif child.local == "PR":
                found.base, pos = read_progress(self.syntax, child)
            elif child.local == "Obj":
                inner, pos = self._object(child, pos, depth + 1)
                _wrap(found, inner)
            else:
                raise syntax.unknown(child, pos, "TN, TNRef, ToString, Props, MS, a container, Obj or a primitive")
        return syntax.end(pos, tag)

    def _type_names(self, found: PSObject, tag: StartTag, _depth: int) -> int:
        syntax, names, pos = self.syntax, [], tag.end
        while not tag.empty and not syntax.text.startswith("</", pos := syntax.skip(pos)):
            child = syntax.start(pos)
            if child.local != "T":
                raise self.syntax.unknown(child, pos, "T")
            name, pos = syntax.content(child)
            if name:
                names.append(unescape(name))
        found.type_names = tuple(names)
        if tag.ref_id is not None:
            self.references.name(tag.ref_id, found.type_names)
        return pos if tag.empty else syntax.end(pos, tag)

    def _type_names_reference(self, found: PSObject, tag: StartTag, _depth: int) -> int:
        names = None if tag.ref_id is None else self.references.type_names.get(tag.ref_id)
        if names is None:
            raise self.syntax.error(
                tag.end - 1, f"No type names with RefId {tag.ref_id!a} stand before.", "the RefId of an earlier TN"
            )
        found.type_names = names
        return self.syntax.drop(tag)

    def _to_string(self, found: PSObject, tag: StartTag, _depth: int) -> int:
        text, pos = self.syntax.content(tag)
        found.text = unescape(text)
        found.extended.discard("ToString")
        return pos

    def _adapted(self, found: PSObject, tag: StartTag, depth: int) -> int:
        names, values, pos = self._members(tag, depth, 0)
        found.extended.discard("GetType")
        known = self._shared(names)
        if known is None:
            found.adapted = Members.joined(names, values)
        else:
            found.hold_adapted(known, tuple(values))
        return pos

    def _extended(self, found: PSObject, tag: StartTag, depth: int) -> int:
        names, values, pos = self._members(tag, depth, 1)
        (before, held) = found.parts()[1]
        if before:
            names, values = [*before, *names], [*held, *values]
        known = self._shared(names)
        if known is None:
            found.extended = Members.joined(names, values)
        else:
            found.hold_extended(known, tuple(values))
        return pos

    def _shared(self, names: list[str]) -> tuple[str, ...] | None:
        """Give the tuple that stands for these names in all objects; None where a name comes twice."""
        key = tuple(names)
        known = self._names.get(key)
        if known is None and len({name.upper() for name in key}) == len(key):
            known = self._names[key] = key
        return known

    def _members(self, tag: StartTag, depth: int, sets: int) -> tuple[list[str], list[Any], int]:
        """Read named values; ``sets`` counts the MS around them, 0 where none may stand."""
        syntax, pos = self.syntax, tag.end
        match = LEAF.match if syntax.usual else _nothing
        names: list[str] = []
        values: list[Any] = []
        if tag.empty:
            return names, values, pos
        text = syntax.text
        while True:
            found = match(text, pos)
            if found is not None and found[2] is not None:
                value = self.leaf(found[1], found[3], found[4])
                if value is not ODD:
                    names.append(unescape(found[2]))
                    values.append(value)
                    pos = found.end()
                    continue
            pos = syntax.skip(pos)
            if text.startswith("</", pos):
                return names, values, syntax.end(pos, tag)
            head = HEAD.match(text, pos) if syntax.usual else None
            if head is not None and head[1] is not None and (headed := self._headed(head, depth + 1)) is not None:
                name = unescape(head[1])
                value, pos = headed
            else:
                name, value, pos = self._member(pos, depth, sets)
            names.append(name)
            values.append(value)

    def _member(self, pos: int, depth: int, sets: int) -> tuple[str, Any, int]:
        """Read one named value, or a member set."""
        syntax = self.syntax
        child = syntax.start(pos)
        if child.name is None:
            if child.local not in self._primitives and child.local not in ("Nil", "Obj", "Ref", "PR", "MS"):
                raise self.syntax.unknown(child, pos, _VALUE)
            raise syntax.error(pos + 1, f"The member {child.qname} has no name.", 'N="…"')
        if child.local == "MS" and sets:
            if depth + sets > self._limits.depth:
                raise syntax.error(pos + 1, f"MS is nested deeper than {self._limits.depth} levels.", "less nesting")
            names, values, end = self._members(child, depth, sets + 1)
            if not MemberSet.RESERVED.isdisjoint(name.lower() for name in names):
                raise syntax.error(pos + 1, "A member of the set has a name that PowerShell reserves.", "another name")
            return unescape(child.name), MemberSet.joined(names, values), end
        value, end = self.value(child, pos, depth)
        return unescape(child.name), value, end

    def _container(self, owner: PSObject, tag: StartTag, depth: int) -> int:
        items = owner.base = CONTAINERS[tag.local]()
        syntax, pos = self.syntax, tag.end
        if tag.empty:
            return pos
        text, match = syntax.text, LEAF.match if syntax.usual else _nothing
        while True:
            found = match(text, pos)
            if found is not None:
                item = self.leaf(found[1], found[3], found[4])
                if item is not ODD:
                    items.append(item)
                    pos = found.end()
                    continue
            pos = syntax.skip(pos)
            if text.startswith("</", pos):
                return syntax.end(pos, tag)
            taken = self.take(items, pos, depth)
            if taken is None:
                item, pos = self.one(pos, depth)
                items.append(item)
            else:
                pos = taken

    def take(self, items: list[Any], pos: int, depth: int) -> int | None:
        """Take objects of a known shape; None where there are none."""
        if not self.syntax.usual or depth + _SHAPE_LEVELS > self._limits.depth:
            return None
        return self.shapes.take(items, pos, depth, self.top)

    def one(self, pos: int, depth: int) -> tuple[Any, int]:
        """Read one value at ``pos``."""
        head = HEAD.match(self.syntax.text, pos) if self.syntax.usual else None
        headed = None if head is None else self._headed(head, depth + 1)
        if headed is None:
            return self.value(self.syntax.start(pos), pos, depth)
        self.shapes.learn(headed[0], pos)
        return headed

    def _dictionary(self, found: PSObject, tag: StartTag, depth: int) -> int:
        entries = found.base = PSDictionary(ordered=is_ordered(found.type_names))
        syntax, pos = self.syntax, tag.end
        if tag.empty:
            return pos
        objects: set[int] = set()
        text, match = syntax.text, ENTRY.match if syntax.usual else _nothing
        while True:
            plain = match(text, pos)
            if plain is not None:
                key, value = self.leaf(plain[1], None, plain[2]), self.leaf(plain[3], None, plain[4])
                if key is not ODD and value is not ODD:
                    entries.pairs.append((key, value))
                    pos = plain.end()
                    continue
            pos = syntax.skip(pos)
            if text.startswith("</", pos):
                return syntax.end(pos, tag)
            child = syntax.start(pos)
            if child.local != "En":
                raise self.syntax.unknown(child, pos, "En")
            start = pos
            key, value, pos = self._entry(child, depth)
            if isinstance(key, PSObject):
                if id(key) in objects:
                    raise syntax.error(start, "The same object is a key twice.", "different keys")
                objects.add(id(key))
            entries.pairs.append((key, value))

    def _entry(self, tag: StartTag, depth: int) -> tuple[Any, Any, int]:
        key, pos = self._half(tag, tag.end, depth, "Key")
        if key is None:
            raise self.syntax.error(tag.end, "The key of the entry is null.", "a key")
        value, pos = self._half(tag, pos, depth, "Value")
        return key, value, self.syntax.end(self.syntax.skip(pos), tag)

    def _half(self, entry: StartTag, pos: int, depth: int, name: str) -> tuple[Any, int]:
        """Read the key or the value of an entry."""
        syntax = self.syntax
        if not entry.empty:
            pos = syntax.skip(pos)
        if entry.empty or syntax.text.startswith("</", pos):
            raise syntax.error(pos, f"The entry has no {name}.", f'a value with N="{name}"')
        child = syntax.start(pos)
        if child.name is None or child.name.upper() != name.upper():
            raise syntax.error(pos + 1, f"This is not the {name} of the entry.", f'a value with N="{name}"')
        return self.value(child, pos, depth)


def _wrap(found: PSObject, inner: PSObject) -> None:
    """Let ``found`` stand for ``inner``, as PowerShell does: Windows sends a PSObject around a PSObject so."""
    found.base = inner.base
    found.text = inner.text if found.text is None else found.text
    found.type_names = found.type_names or inner.type_names
    found.extended = Members.of({**inner.extended, **found.extended})
    if found.adapted is None:
        found.adapted = inner.adapted
