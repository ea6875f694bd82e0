"""The elements of ConvertTo-Xml: one value becomes one ``Object`` element and what lies inside of it.

Rules kept here (numbers are those of the project's study of ConvertTo-Xml):

* First match wins: null, primitive, container, text form at the depth limit, properties (section 4). Containers do not
  use up depth (R32); properties do.
* An empty text is a tag pair, nothing at all the short form (R9). A null property shows its declared type (R36).
* A container is its items; then, if it is an enumerable or was read with ``Props``, its properties; then its notes
  (R29, R31, R33).
* At the limit an object with members of its own is a wrapper: its text, then its notes by ``ToString()`` (R43, R49).
  A null note there fails, as in PowerShell (R45).
* Within one conversion an object whose properties were written takes the wrapper when it is met again at the limit, and
  so does an empty property bag that was met before (R46); between conversions nothing is remembered.
* A value that holds itself, or is nested deeper than 1000 elements, is refused; PowerShell dies of it (R51). So is one
  whose references would multiply its parts beyond measure.

The writer keeps a stack of its own, so no depth of nesting overflows Python's.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakValueDictionary

from cauctl.errors import InputError
from cauctl.psobject.escaping import IllegalCharacterError, attribute_text, element_text
from cauctl.psobject.failure import ConversionError
from cauctl.psobject.members import Property, base_type, depth_within, is_bag, is_live_enum, notes, properties
from cauctl.psobject.native import powershell_value
from cauctl.psobject.objects import PSDictionary, PSEnumerable, PSObject
from cauctl.psobject.objecttext import ObjectText
from cauctl.psobject.rebuilt import may_be_rebuilt
from cauctl.psobject.typenames import full_name_for
from cauctl.psobject.values import type_name
from cauctl.psobject.xmlrows import GAP, RowTemplates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.psobject.nettext import TextStyle

__all__ = ["COMMAND", "XmlWriter"]

COMMAND: Final = "Microsoft.PowerShell.Commands.ConvertToXmlCommand"
NOTE_TYPE: Final = "System.Management.Automation.PSNoteProperty"
MAX_NESTING: Final = 1000
MAX_ELEMENTS: Final = 250_000
"""Elements of one record that are written without asking how often they repeat each other."""
MAX_REPETITION: Final = 100
"""Beyond that: how often, on average, a record may write the same part."""
_NULL_REFERENCE: Final = "Object reference not set to an instance of an object."
_NULL_NOTE: Final = (
    "PowerShell fails so on a null note at the depth limit (R45): raise depth, or write such nulls as empty elements."
)
_ILLEGAL: Final = "XML cannot hold that character (R10, R11), and PowerShell fails as well."


class _Child(NamedTuple):
    """A value that is to become an element."""

    name: str | None
    value: Any
    depth: int
    null_type: str | None = None
    """Type that a null shows; None for none at all."""


class _Note(NamedTuple):
    """A member that is written by its text: of a container, or of an object at the limit."""

    name: str
    value: Any


class _Frame:
    """An element that is open."""

    __slots__ = ("children", "fresh", "identity", "label", "position", "tag")

    def __init__(self, tag: str, children: Iterator[_Child | _Note], identity: tuple[int, int], *, fresh: bool) -> None:
        self.tag, self.children, self.identity, self.fresh = tag, children, identity, fresh
        self.position, self.label = 0, ""


class XmlWriter:
    """Writes records as ConvertTo-Xml does.

    Args:
        style: culture, time zone and edition.
        depth: how many levels of objects are written as elements.
        types: whether elements show their types.
        newline: line end between elements and within texts.
        level: depth of indentation of a record's element, whose first line is not indented here; None: no indentation
            and no line ends at all.
        empty_text: what stands for an empty text; the Document form marks it.
        null_notes: whether a null note at the depth limit is written as an empty element instead of failing.
    """

    def __init__(  # noqa: PLR0913  the cmdlet's options
        self,
        style: TextStyle,
        *,
        depth: int,
        types: bool,
        newline: str,
        level: int | None,
        empty_text: str = "",
        null_notes: bool = False,
    ) -> None:
        self._style, self._texts = style, ObjectText(style)
        self._depth, self._types, self._null_notes = depth, types, null_notes
        self._newline, self._level, self._empty_text = newline, level, empty_text
        self._breaks: list[str] = []
        self._rows = RowTemplates(style, newline=newline, empty_text=empty_text, frame=self._row_frame)
        self._touched: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._out: list[str] = []
        self._stack: list[_Frame] = []
        self._opened: dict[int, Any] = {}
        self._steps = self._fresh_steps = 0

    def record(self, value: Any, *, number: int = 1) -> str:
        """Write one record as an ``Object`` element.

        Args:
            value: the record.
            number: its place among the records, counted from 1, for errors.

        Raises:
            InputError: PowerShell cannot write the value either, or has no counterpart of it; ``where`` says which.
        """
        self._out, self._stack = [], []
        self._opened, self._steps, self._fresh_steps = {}, 0, 0
        try:
            plain = type(value) is PSObject and value.deserialized and value.base is None
            if plain and (row := self._rows.text(value, None, 0)) is not None:
                return row
            self._element(_Child(None, value, self._depth))
            while self._stack:
                self._step()
        except IllegalCharacterError as error:
            raise self._failed("System.ArgumentException", str(error), number, _ILLEGAL) from error
        except _NullNoteError as error:
            raise self._failed("System.NullReferenceException", _NULL_REFERENCE, number, _NULL_NOTE) from error
        except InputError as error:
            where, error_id = self._path(number), error.fully_qualified_error_id
            raise InputError(error.message, where=where, advice=error.advice, error_id=error_id) from error
        return "".join(self._out)

    def _step(self) -> None:
        """Write the next child of the innermost open element, or close it."""
        frame = self._stack[-1]
        child = next(frame.children, None)
        if child is None:
            self._stack.pop()
            if frame.position:
                self._out.append(f"{self._line_break(len(self._stack))}</{frame.tag}>")
            else:
                self._out[-1] = f"{self._out[-1][:-1]} />"
            return
        self._count(fresh=frame.fresh)
        frame.label = f"[{frame.position}]" if child.name is None else child.name
        frame.position += 1
        self._out.append(self._line_break(len(self._stack)))
        if isinstance(child, _Note):
            self._note(child)
        else:
            self._element(child)

    def _count(self, *, fresh: bool) -> None:
        """Refuse a value that refers to the same few objects again and again; so a small text could fill a disk."""
        self._steps += 1
        self._fresh_steps += fresh
        if self._steps > MAX_ELEMENTS and self._steps > MAX_REPETITION * self._fresh_steps:
            raise InputError(
                f"the value has {self._fresh_steps} parts and would be written as more than {MAX_ELEMENTS} elements.",
                expected=f"no more than {MAX_REPETITION} times its parts, or fewer levels of depth",
            )

    def _element(self, child: _Child) -> None:
        """Write a value as an element, or open the element that its parts go into."""
        known = type(child.value) in self._style.printers
        held = child.value if known and type(child.value) is not int else powershell_value(child.value)
        if held is None:
            self._out.append(f"{self._start(child.name, child.null_type)} />")
        elif not isinstance(held, PSObject):
            self._primitive(child.name, held)
        elif held.base is not None and not held.is_container and not is_live_enum(held):
            self._primitive(child.name, held.base)
        elif held.is_container:
            self._open(child, base_type(held), self._container(held, child.depth))
        elif child.depth:
            self._object(child, held)
        else:
            self._at_limit(child, held)

    def _object(self, child: _Child, held: PSObject) -> None:
        """Write an object with its properties."""
        self._touch(child.value, held)
        row = self._rows.text(held, child.name, len(self._stack))
        if row is not None:
            self._out.append(row)
        else:
            self._open(child, base_type(held), self._members(held, depth_within(held, child.depth)))

    def _row_frame(self, row: PSObject, name: str | None, level: int) -> str:
        """Give the text of an object whose properties are primitives, with a gap in the place of each text."""
        tag = "Property" if level else "Object"
        parts = []
        for each in properties(row):
            value = powershell_value(each.value)
            held = value.base if isinstance(value, PSObject) else value
            kind = self._null_type(each) if held is None else type_name(held)
            start = self._start_tag("Property", each.name, kind)
            end = " />" if each.value is None else f">{GAP}</Property>"
            parts.append(f"{self._line_break(level + 1)}{start}{end}")
        outer = self._start_tag(tag, name, base_type(row))
        if not parts:
            return f"{outer} />"
        return f"{outer}>{''.join(parts)}{self._line_break(level)}</{tag}>"

    def _at_limit(self, child: _Child, held: PSObject) -> None:
        """Write an object as its text, within a wrapper if it has members of its own (R42, R43, R49)."""
        name = base_type(held)
        looked_at = held.text is not None or held.adapted is not None or may_be_rebuilt(held)
        wrapped = held.extended or (held.deserialized and looked_at)
        if wrapped or self._touched.get(id(child.value)) is child.value:
            self._open(child, name, self._wrapper(held))
            return
        if is_bag(held):
            self._touch(child.value, held)
        self._text(self._start(child.name, name), self._texts.object_text(held))

    def _touch(self, value: Any, held: PSObject) -> None:
        """Remember that PowerShell has listed an object's members: from then on it has members of its own (R46).

        What has some anyway, and what exists anew each time, need not be remembered.
        """
        if not (held.extended or held.deserialized or is_live_enum(held)) or not (held.extended or held.adapted):
            with contextlib.suppress(TypeError):  # few classes allow no weak reference to their objects
                self._touched[id(value)] = value

    def _primitive(self, name: str | None, value: Any) -> None:
        self._text(self._start(name, type_name(value)), self._style.text(value))

    def _note(self, note: _Note) -> None:
        start = self._start(note.name, NOTE_TYPE)
        if note.value is not None:
            self._text(start, self._texts.to_string(note.value))
        elif self._null_notes:
            self._out.append(f"{start} />")
        else:
            raise _NullNoteError

    def _text(self, start: str, text: str) -> None:
        """Write an element that holds a text."""
        shown = element_text(text, self._newline) if text else self._empty_text
        self._out.append(f"{start}>{shown}</{'Property' if self._stack else 'Object'}>")

    def _start(self, name: str | None, kind: str | None) -> str:
        """Begin the start tag of an element that is written now."""
        return self._start_tag("Property" if self._stack else "Object", name, kind)

    def _start_tag(self, tag: str, name: str | None, kind: str | None) -> str:
        named = "" if name is None else f' Name="{attribute_text(name)}"'
        typed = "" if kind is None or not self._types else f' Type="{attribute_text(kind)}"'
        return f"<{tag}{named}{typed}"

    def _open(self, child: _Child, kind: str, children: Iterator[_Child | _Note]) -> None:
        """Open an element that holds others; it turns into the short form if none comes."""
        identity = (id(child.value), child.depth)  # depth ends a cycle of objects, nothing one of containers
        if any(frame.identity == identity for frame in self._stack):
            raise InputError("the value holds itself; PowerShell's process dies of it (R51).")
        if len(self._stack) >= MAX_NESTING:
            raise InputError(f"values are nested deeper than {MAX_NESTING} elements.")
        tag = "Property" if self._stack else "Object"
        self._out.append(f"{self._start(child.name, kind)}>")
        fresh = id(child.value) not in self._opened
        self._opened[id(child.value)] = child.value  # kept alive, so that its id is not another's
        self._stack.append(_Frame(tag, children, identity, fresh=fresh))

    def _members(self, held: PSObject, depth: int) -> Iterator[_Child]:
        """List an object's properties; all of a live enum show its number (R39)."""
        for each in properties(held):
            value = held.base if is_live_enum(held) else each.value
            yield _Child(each.name, value, depth, self._null_type(each))

    def _null_type(self, each: Property) -> str:
        return full_name_for(each.declared, windows_powershell=self._style.windows_powershell)

    def _container(self, held: PSObject, depth: int) -> Iterator[_Child | _Note]:
        """List a container's items or entries, then the properties and notes that it has besides."""
        if isinstance(held.base, PSDictionary):
            for key, value in held.base.items():
                yield _Child("Key", key, depth)
                yield _Child("Value", value, depth)
        else:
            yield from (_Child(None, item, depth) for item in held.base)
        enumerable = isinstance(held.base, PSEnumerable) and not held.deserialized
        if depth and (enumerable or (held.deserialized and held.adapted is not None)):
            yield from self._members(held, depth_within(held, depth))
        yield from self._notes(held)

    def _wrapper(self, held: PSObject) -> Iterator[_Child | _Note]:
        """List what stands in the place of an object at the limit: its text, then its notes."""
        yield _Child(None, self._texts.object_text(held), 0)
        yield from self._notes(held)

    def _notes(self, held: PSObject) -> Iterator[_Note]:
        """List the notes that are written by their texts."""
        found = notes(held)
        if self._style.windows_powershell and len(found) > 1:
            raise InputError(
                "Windows PowerShell 5.1 nests the second note of such an object in the first: no well-formed XML.",
                advice="Raise depth, or leave windows_powershell out.",
            )
        yield from (_Note(name, value) for name, value in found)

    def _line_break(self, level: int) -> str:
        """Give the line end and the indentation of an element ``level`` below the record's."""
        if self._level is None:
            return ""
        while len(self._breaks) <= level:
            self._breaks.append(self._newline + "  " * (self._level + len(self._breaks)))
        return self._breaks[level]

    def _failed(self, kind: str, message: str, number: int, advice: str) -> ConversionError:
        where = self._path(number)
        return ConversionError(message, powershell_type=kind, command=COMMAND, where=where, advice=advice)

    def _path(self, number: int) -> str:
        """Name the place that is being written, such as ``record 2: Node.Names[3]``; items are counted from 0."""
        labels = [frame.label for frame in self._stack if frame.label]
        inner = "".join(label if label.startswith("[") else f".{label}" for label in labels).removeprefix(".")
        return f"record {number}{': ' if inner else ''}{inner}"


class _NullNoteError(Exception):
    """A null note stands where PowerShell asks for its text."""
