"""From values to CLIXML text, as PowerShell 7.6 writes it.

Rules kept here:

* In an ``Obj``: TN or TNRef, ToString, the base value or container, Props, MS. Numbers of ``RefId`` count up from 0, those
  of objects and of type name lists apart; an object met again is a ``Ref``.
* An indented document has two spaces a level and no line end at its end; a fragment (PSRP) has no root, no indentation.
* ``depth`` works as PowerShell's: .NET properties cost one level, notes, items and entries none; at 0 an object is the
  text of its ToString. None writes everything. What was read once is never cut.
* Nothing is written that PowerShell could not read back: 48 levels of ``Obj`` at most, no null key, no U+FFFE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cauctl.errors import InputError
from cauctl.psobject.clixml_text import TEXTS, escape, escape_attribute
from cauctl.psobject.native import powershell_value
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objects import (
    MemberSet,
    PSDictionary,
    PSEnumerable,
    PSList,
    PSObject,
    PSQueue,
    PSStack,
)
from cauctl.psobject.objecttext import ObjectText
from cauctl.psobject.values import ProgressRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEEPEST", "Writer"]

DEEPEST: Final = 48
_TAGS: Final[dict[type, str]] = {PSList: "LST", PSStack: "STK", PSQueue: "QUE", PSEnumerable: "IE"}
_INT32: Final = 1 << 31


class Writer:
    """Writes values one after the other; remembers which objects and type names were written.

    Args:
        newline: line end of an indented document; None for no indentation.
        depth: PowerShell's depth, None for no limit.
    """

    def __init__(self, *, newline: str | None = None, depth: int | None = None) -> None:
        self._newline = newline
        self._depth = depth
        self._objects: dict[int, tuple[int, Any]] = {}  # the object too: its id is its own as long as it lives
        self._type_names: dict[tuple[str, ...], int] = {}
        self._next = 0
        self._out: list[str] = []
        self._texts = ObjectText(TextStyle())

    def write(self, value: Any, *, stream: str | None = None) -> str:
        """Give the text of one value; in an indented document it begins with a line end."""
        self._out = []
        self._value(value, f' S="{escape_attribute(stream)}"' if stream else "", 1, self._depth, 0)
        return "".join(self._out)

    def _pad(self, level: int) -> str:
        return "" if self._newline is None else self._newline + "  " * level

    def _value(self, value: Any, attributes: str, level: int, depth: int | None, nesting: int) -> None:  # noqa: PLR0913  the state of the walk
        form = TEXTS.get(type(value))
        if form is not None:
            self._primitive(value, form, attributes, level)
        elif value is None:
            self._out.append(f"{self._pad(level)}<Nil{attributes} />")
        elif type(value) is ProgressRecord:
            self._progress(value, attributes, level)
        elif isinstance(value, PSObject):
            self._object(value, value, attributes, level, depth, nesting)
        else:
            held = powershell_value(value)
            if isinstance(held, PSObject):
                self._object(held, value, attributes, level, depth, nesting)
            else:
                self._value(held, attributes, level, depth, nesting)

    def _primitive(self, value: Any, form: tuple[str, Any], attributes: str, level: int) -> None:
        tag, text = form[0], form[1](value)
        if tag == "I32" and not -_INT32 <= value < _INT32:
            if not -(1 << 63) <= value < 1 << 63:
                raise InputError(f"{value} is out of the range of System.Int64.", expected="UInt64 or Decimal for it")
            tag = "I64"
        if tag == "BA" and not text:
            self._out.append(f"{self._pad(level)}<BA{attributes} />")
        else:
            self._out.append(f"{self._pad(level)}<{tag}{attributes}>{text}</{tag}>")

    def _progress(self, value: ProgressRecord, attributes: str, level: int) -> None:
        pad, out = self._pad(level + 1), self._out
        current = value.current_operation
        out.append(f"{self._pad(level)}<PR{attributes}>")
        out.append(f"{pad}<AV>{escape(value.activity)}</AV>{pad}<AI>{value.activity_id}</AI>")
        out.append(f"{pad}<Nil />" if current is None else f"{pad}<S>{escape(current)}</S>")
        out.append(f"{pad}<PI>{value.parent_activity_id}</PI>{pad}<PC>{value.percent_complete}</PC>")
        out.append(f"{pad}<T>{escape(value.record_type)}</T>{pad}<SR>{value.seconds_remaining}</SR>")
        out.append(f"{pad}<SD>{escape(value.status_description)}</SD>{self._pad(level)}</PR>")

    def _object(  # noqa: PLR0913  the state of the walk
        self, value: PSObject, identity: Any, attributes: str, level: int, depth: int | None, nesting: int
    ) -> None:
        written = self._objects.get(id(identity))
        if written is not None:
            self._out.append(f'{self._pad(level)}<Ref{attributes} RefId="{written[0]}" />')
            return
        if depth == 0 and not value.is_container:
            if not value.deserialized:
                self._at_limit(value, attributes, level)
                return
            depth = 1
        if nesting == DEEPEST:
            raise InputError(
                f"Objects are nested deeper than {DEEPEST} levels; PowerShell could not read the document.",
                expected="less nesting, or a smaller depth",
            )
        number, self._next = self._next, self._next + 1
        self._objects[id(identity)] = number, identity
        out, pad = self._out, self._pad(level + 1)
        out.append(f'{self._pad(level)}<Obj{attributes} RefId="{number}">')
        if value.type_names:
            self._write_type_names(value.type_names, level + 1)
        if value.text is not None:
            out.append(f"{pad}<ToString>{escape(value.text)}</ToString>" if value.text else f"{pad}<ToString />")
        if value.base is not None:
            self._base(value.base, level + 1, depth, nesting + 1)
        if value.adapted is not None:
            self._members(
                "Props", "", value.adapted, level + 1, None if depth is None else max(depth - 1, 0), nesting + 1
            )
        if value.extended:
            self._members("MS", "", value.extended, level + 1, depth, nesting + 1)
        out.append(f"{self._pad(level)}</Obj>")

    def _at_limit(self, value: PSObject, attributes: str, level: int) -> None:
        """Write an object as its text, within an Obj with its notes if it has any and is no bag."""
        self._primitive(self._texts.object_text(value), TEXTS[str], attributes, level)

    def _write_type_names(self, names: tuple[str, ...], level: int) -> None:
        number, pad = self._type_names.get(names), self._pad(level)
        if number is not None:
            self._out.append(f'{pad}<TNRef RefId="{number}" />')
            return
        number = self._type_names[names] = len(self._type_names)
        inner = self._pad(level + 1)
        listed = "".join(f"{inner}<T>{escape(name)}</T>" for name in names)
        self._out.append(f'{pad}<TN RefId="{number}">{listed}{pad}</TN>')

    def _base(self, base: Any, level: int, depth: int | None, nesting: int) -> None:
        if isinstance(base, PSDictionary):
            self._dictionary(base, level, depth, nesting)
            return
        tag = _TAGS.get(type(base))
        if tag is None:
            self._value(base, "", level, depth, nesting)
        elif not base:
            self._out.append(f"{self._pad(level)}<{tag} />")
        else:
            self._out.append(f"{self._pad(level)}<{tag}>")
            for item in base:
                self._value(item, "", level + 1, depth, nesting)
            self._out.append(f"{self._pad(level)}</{tag}>")

    def _dictionary(self, base: PSDictionary, level: int, depth: int | None, nesting: int) -> None:
        pad, inner, out = self._pad(level), self._pad(level + 1), self._out
        if not base.pairs:
            out.append(f"{pad}<DCT />")
            return
        out.append(f"{pad}<DCT>")
        for key, value in base.pairs:
            if key is None:
                raise InputError("A dictionary has a null key.", expected="a key; PowerShell reads no null key")
            out.append(f"{inner}<En>")
            self._value(key, ' N="Key"', level + 2, depth, nesting)
            self._value(value, ' N="Value"', level + 2, depth, nesting)
            out.append(f"{inner}</En>")
        out.append(f"{pad}</DCT>")

    def _members(  # noqa: PLR0913  the state of the walk
        self, tag: str, attributes: str, members: Mapping[str, Any], level: int, depth: int | None, nesting: int
    ) -> None:
        pad, out = self._pad(level), self._out
        if not members:
            out.append(f"{pad}<{tag}{attributes} />")
            return
        out.append(f"{pad}<{tag}{attributes}>")
        for name, value in members.items():
            named = f' N="{escape_attribute(name)}"'
            if isinstance(value, MemberSet):
                if nesting == DEEPEST:
                    raise InputError(f"Member sets are nested deeper than {DEEPEST} levels.", expected="less nesting")
                self._members("MS", named, value, level + 1, depth, nesting + 1)
            else:
                self._value(value, named, level + 1, depth, nesting)
        out.append(f"{pad}</{tag}>")
