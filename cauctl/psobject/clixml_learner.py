"""Learning the shape of an object from its text: a pattern with holes, and the node that reads them."""

from __future__ import annotations

import re
from typing import Final

from cauctl.psobject.clixml_columns import HOLES
from cauctl.psobject.clixml_escapes import unescape
from cauctl.psobject.clixml_nodes import CONTAINERS, Entries, Items, Leaf, Node, NodeMembers

__all__ = ["Learner", "UnlearnableError"]

_MOST_HOLES: Final = 200
_PART: Final = re.compile(
    r"(?P<space>[ \t\n]*)"
    r'(?:(?P<object><Obj)(?: N="(?P<owner>[^"<&]*)")? RefId="[^"<&]*">'
    r'|(?P<names><TNRef) RefId="[^"<&]*" />'
    r'|(?P<pointer><Ref)(?: N="(?P<pointed>[^"<&]*)")? RefId="[^"<&]*" />'
    r"|(?P<text><ToString)(?: />|>[^<]*</ToString>)"
    r"|<(?P<group>Props|MS)>"
    r'|(?P<null><Nil)(?: N="(?P<nothing>[^"<&]*)")? />'
    r"|<(?P<container>LST|IE|STK|QUE|DCT)(?P<empty> /)?>"
    r"|(?P<entry><En>)"
    r"|</(?P<close>Props|MS|Obj|LST|IE|STK|QUE|DCT|En)>"
    r'|<(?P<tag>[A-Za-z0-9]+)(?: N="(?P<name>[^"<&]*)")?>[^<]*</(?P=tag)>)'
)
_ID: Final = '([^"<&]*)'


class UnlearnableError(Exception):
    """The object holds something that shapes do not cover."""


class Learner:
    """Turns the text of one object into a pattern with holes, and the node that reads them."""

    def __init__(self, text: str, pos: int) -> None:
        self._text, self._pos = text, pos
        self._pattern: list[str] = []
        self._holes = 0

    def learn(self) -> tuple[re.Pattern[str], Node]:
        """Learn the object at the place given.

        The pattern matches such objects with the white space before them, and the empty text where there is none: so
        that looking for all of them from an offset on ends where the first other thing stands.
        """
        part = self._next()
        if not part["object"]:
            raise UnlearnableError
        node = self._object(part)
        return re.compile(f"[ \t\n]*{''.join(self._pattern)}|"), node

    def _next(self) -> re.Match[str]:
        part = _PART.match(self._text, self._pos)
        if part is None or self._holes > _MOST_HOLES:
            raise UnlearnableError
        self._pos = part.end()
        self._pattern.append(re.escape(part["space"]) if self._pattern else "")
        return part

    def _hole(self, before: str, pattern: str, after: str) -> int:
        """Add a hole; give its number among the groups."""
        self._pattern.append(f"{before}{pattern}{after}")
        self._holes += 1
        return self._holes - 1

    def _object(self, lead: re.Match[str]) -> Node:
        owner = lead["owner"]
        named = "" if owner is None else f' N="{re.escape(owner)}"'
        if owner is not None:
            self._pattern.append("(?:")
        node = Node(self._hole(f'<Obj{named} RefId="', _ID, '">'))
        while (part := self._next())["close"] is None:
            self._part(node, part)
        if part["close"] != "Obj":
            raise UnlearnableError
        self._pattern.append("</Obj>" if owner is None else f"</Obj>|<Nil{named} />)")
        return node

    def _part(self, node: Node, part: re.Match[str]) -> None:
        if part["names"] and node.type_names is None:
            node.type_names = self._hole('<TNRef RefId="', _ID, '" />')
        elif part["text"] and node.text is None and node.extended is None:
            node.text = self._hole("(?:<ToString>", "([^<]*)", "</ToString>|<ToString />)")
        elif part["group"] == "Props" and node.adapted is None and node.extended is None:
            node.adapted = self._members("Props")
        elif part["group"] == "MS" and node.extended is None:
            node.extended = self._members("MS")
        elif part["tag"] and part["name"] is None and node.base is None:
            node.base = self._leaf(part["tag"], "")
        elif part["container"] and node.base is None:
            node.base = self._container(part)
        else:
            raise UnlearnableError

    def _members(self, tag: str) -> NodeMembers:
        self._pattern.append(f"<{tag}>")
        names: list[str] = []
        members: list[Leaf | Node] = []
        while (part := self._next())["close"] is None:
            name = part["owner"] or part["nothing"] or part["pointed"] or part["name"]
            if name is None:
                raise UnlearnableError
            names.append(unescape(name))
            members.append(self._member(part, name))
        self._pattern.append(f"</{tag}>")
        if part["close"] != tag or not members or len({name.upper() for name in names}) < len(names):
            raise UnlearnableError
        return tuple(names), members

    def _member(self, part: re.Match[str], name: str) -> Leaf | Node:
        if part["object"]:
            return self._object(part)
        if part["pointer"]:
            return self._pointer(f' N="{re.escape(name)}"')
        if part["null"]:
            self._pattern.append(f'<Nil N="{re.escape(name)}" />')
            return Leaf(None)
        if part["tag"]:
            return self._leaf(part["tag"], name)
        raise UnlearnableError

    def _container(self, part: re.Match[str]) -> Items | Entries:
        tag = part["container"]
        if part["empty"]:
            self._pattern.append(f"<{tag} />")
            return Entries([]) if tag == "DCT" else Items(CONTAINERS[tag], [])
        self._pattern.append(f"<{tag}>")
        found = Entries(self._entries()) if tag == "DCT" else Items(CONTAINERS[tag], self._items(tag))
        self._pattern.append(f"</{tag}>")
        return found

    def _items(self, tag: str) -> list[Leaf | Node]:
        items: list[Leaf | Node] = []
        while (part := self._next())["close"] is None:
            items.append(self._item(part, None))
        if part["close"] != tag:
            raise UnlearnableError
        return items

    def _entries(self) -> list[tuple[Leaf | Node, Leaf | Node]]:
        entries = []
        while (part := self._next())["entry"]:
            self._pattern.append("<En>")
            entries.append((self._item(self._next(), "Key"), self._item(self._next(), "Value")))
            if self._next()["close"] != "En":
                raise UnlearnableError
            self._pattern.append("</En>")
        if part["close"] != "DCT":
            raise UnlearnableError
        return entries

    def _item(self, part: re.Match[str], name: str | None) -> Leaf | Node:
        """Learn an item of a list (no name), a key or a value."""
        if part["object"] and part["owner"] == name and name != "Key":
            return self._object(part)
        if part["pointer"] and part["pointed"] == name and name != "Key":
            return self._pointer("" if name is None else f' N="{name}"')
        if part["null"] and part["nothing"] == name and name != "Key":
            self._pattern.append("<Nil />" if name is None else f'<Nil N="{name}" />')
            return Leaf(None)
        if part["tag"] and part["name"] == name:
            return self._leaf(part["tag"], name or "")
        raise UnlearnableError

    def _pointer(self, named: str) -> Leaf:
        return Leaf(self._hole(f'<Ref{named} RefId="', _ID, '" />'), tag="Ref")

    def _leaf(self, tag: str, name: str) -> Leaf:
        if tag not in HOLES and tag not in ("S", "SBK"):
            raise UnlearnableError
        pattern = f"({HOLES[tag][0]})" if tag in HOLES else "([^<]*)"
        if not name:
            return Leaf(self._hole(f"<{tag}>", pattern, f"</{tag}>"), tag=tag)
        named = f' N="{re.escape(name)}"'
        if name == "Key":
            return Leaf(self._hole(f"<{tag}{named}>", pattern, f"</{tag}>"), tag=tag)
        return Leaf(self._hole(f"(?:<{tag}{named}>", pattern, f"</{tag}>|<Nil{named} />)"), tag=tag)
