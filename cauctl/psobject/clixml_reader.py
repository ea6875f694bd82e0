"""From CLIXML text to values: objects, references, type names, containers.

Rules kept here, as PowerShell 7.6 keeps them:

* Inside ``Obj`` the order is free; the last TN, ToString, base value and Props win, several MS add up.
* RefIds are plain strings. A reference finds what was begun before it, across top-level values too.
* A name that comes again, in any case, replaces value and name of the first at its place.
* An OrderedDictionary stays ordered only if its type name comes first of all and before the entries.
* ``Obj`` nests 48 deep. Member sets (MS within MS) share that limit here; PowerShell does not count them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from cauctl.psobject.clixml_primitives import PRIMITIVES
from cauctl.psobject.clixml_syntax import StartTag, Syntax, unescape
from cauctl.psobject.objects import (
    DESERIALIZED,
    ORDERED_DICTIONARY,
    Members,
    MemberSet,
    PSDictionary,
    PSEnumerable,
    PSList,
    PSObject,
    PSQueue,
    PSStack,
)
from cauctl.psobject.values import ProgressRecord, SecureString

if TYPE_CHECKING:
    from collections.abc import Callable

    from cauctl.errors import InputError

__all__ = ["NAMESPACE", "Limits", "Reader", "read_root"]

NAMESPACE: Final = "http://schemas.microsoft.com/powershell/2004/04"
_CONTAINERS: Final[dict[str, type[PSList]]] = {"LST": PSList, "IE": PSEnumerable, "STK": PSStack, "QUE": PSQueue}
_PROGRESS: Final = (
    ("AV", "activity"),
    ("AI", "activity_id"),
    (None, "current_operation"),
    ("PI", "parent_activity_id"),
    ("PC", "percent_complete"),
    ("T", "record_type"),
    ("SR", "seconds_remaining"),
    ("SD", "status_description"),
)
_VALUE: Final = "a value (S, I32, Nil, Obj, Ref …)"
_HIGHEST_PERCENT: Final = 100


@frozen
class Limits:
    """How much a document may ask for; beyond it is an InputError."""

    depth: int = 48
    """Levels of ``Obj``, and of member sets: PowerShell's own limit."""
    text: int = field(default=32 << 20, kw_only=True)
    """Characters in one string."""
    document: int = field(default=1 << 30, kw_only=True)
    """Characters in one document, after decompression."""


def read_root(syntax: Syntax, pos: int) -> StartTag:
    """Read the start tag of ``Objs``: its namespace must be right, its version, if there is one, 1.something."""
    expected = f'<Objs Version="1.1.0.1" xmlns="{NAMESPACE}">'
    if not syntax.text.startswith("<", pos):
        raise syntax.cut(pos, expected)
    root, attributes = syntax.full_start(pos)
    prefix = root.qname.partition(":")[0] if ":" in root.qname else ""
    namespace = attributes.get(f"xmlns:{prefix}" if prefix else "xmlns")
    if root.local != "Objs" or namespace != NAMESPACE:
        raise syntax.error(pos + 1, f"The root element is {root.qname} in {namespace or 'no namespace'}.", expected)
    try:
        supported = "Version" not in attributes or PRIMITIVES["Version"](attributes["Version"]).parts[0] == 1
    except ValueError:
        supported = False
    if not supported:
        raise syntax.error(pos + 1, f"The version {attributes['Version'][:40]!a} is not supported.", "1.1.0.1 or 1.x")
    return root


class Reader:
    """Reads values from a :class:`Syntax`, and remembers what references may point to.

    Args:
        syntax: the text.
        limits: what a document may ask for.
        any_secret: accept any text as a SecureString, as on the wire, where it is encrypted by the session's key.
    """

    def __init__(self, syntax: Syntax, limits: Limits, *, any_secret: bool = False) -> None:
        self.syntax = syntax
        self.objects: dict[str, PSObject] = {}
        self.type_names: dict[str, tuple[str, ...]] = {}
        self._limits = limits
        self._primitives = {**PRIMITIVES, "SS": SecureString} if any_secret else PRIMITIVES
        self._parts: dict[str, Callable[[PSObject, StartTag, int], int]] = {
            "TN": self._type_names,
            "TNRef": self._type_names_reference,
            "ToString": self._to_string,
            "Props": self._adapted,
            "MS": self._extended,
            "DCT": self._dictionary,
            **dict.fromkeys(_CONTAINERS, self._container),
        }

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
            return self._progress(tag)
        raise self._unknown(tag, pos, _VALUE)

    def _unknown(self, tag: StartTag, pos: int, expected: str) -> InputError:
        return self.syntax.error(pos + 1, f"The element {tag.qname} is not known here.", expected)

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
        found = self.objects.get(tag.ref_id)
        if found is None:
            raise self.syntax.error(
                pos + 1, f"No object with RefId {tag.ref_id!a} stands before.", "the RefId of an earlier Obj"
            )
        return found

    def _object(self, tag: StartTag, pos: int, depth: int) -> tuple[PSObject, int]:
        if depth > self._limits.depth:
            raise self.syntax.error(pos + 1, f"Obj is nested deeper than {self._limits.depth} levels.", "less nesting")
        found = PSObject(deserialized=True)
        if tag.ref_id is not None:
            self.objects[tag.ref_id] = found
        if tag.empty:
            return found, tag.end
        syntax, pos = self.syntax, tag.end
        while not syntax.text.startswith("</", pos := syntax.skip(pos)):
            child = syntax.start(pos)
            part = self._parts.get(child.local)
            if part is not None:
                pos = part(found, child, depth)
            elif child.local in self._primitives:
                found.base, pos = self._primitive(child)
            elif child.local == "PR":
                found.base, pos = self._progress(child)
            else:
                raise self._unknown(child, pos, "TN, TNRef, ToString, Props, MS, a container or a primitive")
        return found, syntax.end(pos, tag)

    def _type_names(self, found: PSObject, tag: StartTag, _depth: int) -> int:
        syntax, names, pos = self.syntax, [], tag.end
        while not tag.empty and not syntax.text.startswith("</", pos := syntax.skip(pos)):
            child = syntax.start(pos)
            if child.local != "T":
                raise self._unknown(child, pos, "T")
            name, pos = syntax.content(child)
            if name:
                names.append(unescape(name))
        found.type_names = tuple(names)
        if tag.ref_id is not None:
            self.type_names[tag.ref_id] = found.type_names
        return pos if tag.empty else syntax.end(pos, tag)

    def _type_names_reference(self, found: PSObject, tag: StartTag, _depth: int) -> int:
        names = None if tag.ref_id is None else self.type_names.get(tag.ref_id)
        if names is None:
            raise self.syntax.error(
                tag.end - 1, f"No type names with RefId {tag.ref_id!a} stand before.", "the RefId of an earlier TN"
            )
        found.type_names = names
        return self.syntax.drop(tag)

    def _to_string(self, found: PSObject, tag: StartTag, _depth: int) -> int:
        text, pos = self.syntax.content(tag)
        found.text = unescape(text)
        return pos

    def _adapted(self, found: PSObject, tag: StartTag, depth: int) -> int:
        found.adapted = Members()
        return self._members(found.adapted, tag, depth, 0)

    def _extended(self, found: PSObject, tag: StartTag, depth: int) -> int:
        return self._members(found.extended, tag, depth, 1)

    def _members(self, members: Members, tag: StartTag, depth: int, sets: int) -> int:
        """Read named values into ``members``; ``sets`` counts the MS around them, 0 where none may stand."""
        syntax, pos = self.syntax, tag.end
        if tag.empty:
            return pos
        while not syntax.text.startswith("</", pos := syntax.skip(pos)):
            child = syntax.start(pos)
            if child.name is None:
                if child.local not in self._primitives and child.local not in ("Nil", "Obj", "Ref", "PR", "MS"):
                    raise self._unknown(child, pos, _VALUE)
                raise self.syntax.error(pos + 1, f"The member {child.qname} has no name.", 'N="…"')
            name = unescape(child.name)
            if child.local == "MS" and sets:
                if depth + sets > self._limits.depth:
                    raise syntax.error(
                        pos + 1, f"MS is nested deeper than {self._limits.depth} levels.", "less nesting"
                    )
                member_set = MemberSet()
                pos = self._members(member_set, child, depth, sets + 1)
                members.put(name, member_set)
            else:
                value, pos = self.value(child, pos, depth)
                members.put(name, value)
        return syntax.end(pos, tag)

    def _container(self, found: PSObject, tag: StartTag, depth: int) -> int:
        items = found.base = _CONTAINERS[tag.local]()
        syntax, pos = self.syntax, tag.end
        if tag.empty:
            return pos
        while not syntax.text.startswith("</", pos := syntax.skip(pos)):
            item, pos = self.value(syntax.start(pos), pos, depth)
            items.append(item)
        return syntax.end(pos, tag)

    def _dictionary(self, found: PSObject, tag: StartTag, depth: int) -> int:
        first = found.type_names[0].removeprefix(DESERIALIZED) if found.type_names else ""
        entries = found.base = PSDictionary(ordered=first == ORDERED_DICTIONARY[0])
        syntax, pos = self.syntax, tag.end
        if tag.empty:
            return pos
        objects: set[int] = set()
        while not syntax.text.startswith("</", pos := syntax.skip(pos)):
            child = syntax.start(pos)
            if child.local != "En":
                raise self._unknown(child, pos, "En")
            start = pos
            key, value, pos = self._entry(child, depth)
            if isinstance(key, PSObject):
                if id(key) in objects:
                    raise syntax.error(start, "The same object is a key twice.", "different keys")
                objects.add(id(key))
            entries.pairs.append((key, value))
        return syntax.end(pos, tag)

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

    def _progress(self, tag: StartTag) -> tuple[ProgressRecord, int]:
        """Read a ``PR``, whose children have a fixed order."""
        syntax, pos, fields = self.syntax, tag.end, {}
        for local, name in _PROGRESS:
            if not tag.empty:
                pos = syntax.skip(pos)
            wanted = local or "S or Nil"
            if tag.empty or syntax.text.startswith("</", pos):
                raise syntax.error(pos, "The progress record ends too early.", wanted)
            child = syntax.start(pos)
            if child.local != local and not (local is None and child.local in ("S", "Nil")):
                raise self._unknown(child, pos, wanted)
            fields[name], pos = self._progress_field(child, name)
        return ProgressRecord(**fields), syntax.end(syntax.skip(pos), tag)

    def _progress_field(self, tag: StartTag, name: str) -> tuple[Any, int]:
        if tag.local == "Nil":
            return None, self.syntax.drop(tag)
        text, pos = self.syntax.content(tag)
        value: Any = unescape(text)
        try:
            if tag.local in ("AI", "PI", "PC", "SR"):
                value = PRIMITIVES["I32"](text)
        except ValueError as refusal:
            raise self.syntax.error(tag.end, f"{text[:40]!a} is no number.", str(refusal)) from refusal
        if name == "percent_complete" and value > _HIGHEST_PERCENT:
            raise self.syntax.error(tag.end, f"{value} percent are too many.", f"at most {_HIGHEST_PERCENT}")
        if name in ("activity", "status_description") and not value:
            raise self.syntax.error(tag.end, f"The {name.replace('_', ' ')} is empty.", "a text")
        if name == "record_type" and value not in ("Processing", "Completed"):
            raise self.syntax.error(tag.end, f"{value[:40]!a} is no type of progress.", "Processing or Completed")
        return value, pos
