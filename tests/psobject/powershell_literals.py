"""A small reader of the PowerShell that the recorded scripts use to make their values.

It understands literals, lists, ``@{}``, ``[ordered]``, ``[pscustomobject]``, casts, ``::new`` and a few static members
of the types that the product models, ``+`` and ``*`` on texts, variables, Add-Member of notes, Select-Object by names,
and a round trip through PSSerializer. Anything else is an UnreadableError: no value is made up. The classes and enums
that scripts name stand in :mod:`tests.psobject.dotnet_classes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from cauctl import psobject
from cauctl.errors import InputError
from cauctl.psobject import PSObject
from tests.psobject.dotnet_classes import CLASSES, ENUMS, SHORT_NAMES, enum_member, enum_number, full_name

AUTOMATION_NULL = object()
"""PowerShell's "nothing": no record at all in a pipeline, null elsewhere."""

TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:[^"`]|``?.|"")*"|'(?:[^']|'')*')
  | (?P<number>0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?[dDlL]?)
  | (?P<variable>\$(?:script:)?[A-Za-z_]\w*)
  | (?P<open>@\(|@\{|::|[(){}\[\],;|=.*+:-])
  | (?P<word>[A-Za-z_][\w.`]*)
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


class UnreadableError(Exception):
    """The script uses what this reader does not understand."""


def read_value(script: str) -> Any:
    """Run the script as far as it is understood and give what it leaves in ``$o``."""
    return _Script(script).run()


def _text_literal(token: str) -> str:
    if token[0] == "'":
        return token[1:-1].replace("''", "'")
    body = token[1:-1].replace('""', '"')
    if re.search(r"(?<!`)\$", body):
        raise UnreadableError("text with variables")
    return re.sub(r"`(.)", lambda found: ESCAPES.get(found[1], found[1]), body, flags=re.DOTALL)


def _number(token: str) -> Any:
    if token[:2] in {"0x", "0X"}:
        return int(token, 16)
    if token[-1] in "dD":
        return Decimal(token[:-1])
    if token[-1] in "lL":
        return psobject.Int64(int(token[:-1]))
    return float(token) if re.search("[.eE]", token) else int(token)


class _Script:
    def __init__(self, script: str) -> None:
        self.tokens: list[tuple[str, str, int, int]] = []
        self.script, self.at, position = script, 0, 0
        while position < len(script):
            found = TOKEN.match(script, position)
            if found is None:
                raise UnreadableError(script[position : position + 20])
            if found.lastgroup != "space":
                self.tokens.append((str(found.lastgroup), found[0], found.start(), found.end()))
            position = found.end()
        self.noted_arrays: list[Any] = []
        self.variables: dict[str, Any] = {"true": True, "false": False, "null": None}

    # Tokens

    @property
    def token(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self, *expected: str) -> str:
        token = self.token
        if expected and token not in expected:
            raise UnreadableError(f"{token!r} where {expected} was expected")
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.token == token:
            self.at += 1
            return True
        return False

    # Statements

    def run(self) -> Any:
        while self.at < len(self.tokens):
            self.statement()
            if self.at < len(self.tokens):
                self.take(";")
        return self.variables["o"]

    def statement(self) -> None:
        if self.kind == "word" and self.token == "Add":
            self.add_member(None)
            return
        if self.kind != "variable":
            raise UnreadableError(self.token)
        name = self.take()[1:]
        if self.token == "|":
            self.at -= 1
            self.pipeline()
        elif self.accept("."):
            self.call(self.variables[name])
        elif self.accept("["):
            key = self.pipeline()
            self.take("]")
            self.take("=")
            self.put(self.variables[name], key, self.pipeline())
        else:
            self.take("=")
            self.variables[name] = self.pipeline()

    def call(self, target: Any) -> None:
        """Call a method that fills a container."""
        method = self.take()
        value = self.arguments()
        if not isinstance(target, PSObject) or method not in {"Add", "Enqueue", "Push"}:
            raise UnreadableError(method)
        if method == "Push":
            target.base.insert(0, value[0])
        elif isinstance(target.base, psobject.PSDictionary) and len(value) == 2:
            target.base.pairs.append((value[0], value[1]))
        elif isinstance(target.base, list) and len(value) == 1:
            target.base.append(value[0])
        else:
            raise UnreadableError(method)

    @staticmethod
    def put(target: Any, key: Any, value: Any) -> None:
        if not isinstance(target, PSObject):
            raise UnreadableError("an element of what is no container")
        if isinstance(target.base, list):
            target.base[key] = value
            return
        target.base.pairs.append((key, value))
        if "Sorted" in target.type_names[0]:
            target.base.pairs.sort(key=lambda pair: pair[0])

    def add_member(self, target: Any) -> Any:
        """Add-Member of a note, as a statement or in a pipeline."""
        for part in ("Add", "-", "Member"):
            self.take(part)
        given: dict[str, Any] = {}
        while self.accept("-"):
            option = self.take()
            given[option] = True if option in {"PassThru", "Force"} else self.word_or_value()
        if not {"NotePropertyName", "NotePropertyValue"} <= set(given):
            raise UnreadableError(f"Add-Member {given}")
        held = given.get("InputObject", target)
        noted = _noted(held, given["NotePropertyName"], given["NotePropertyValue"])
        for name, value in self.variables.items():
            if value is held and held is not None:
                self.variables[name] = noted
                self.noted_arrays += [noted] if isinstance(held, list) else []
        return noted

    def word_or_value(self) -> Any:
        return self.take() if self.kind == "word" else self.single()

    # Expressions

    def pipeline(self) -> Any:
        value = self.listed()
        while self.accept("|"):
            if self.token == "Add":
                value = self.add_member(value)
            elif self.token == "Select":
                value = self.select(value)
            else:
                raise UnreadableError(f"| {self.token}")
        return value

    def select(self, value: Any) -> PSObject:
        for part in ("Select", "-", "Object", "-", "Property"):
            self.take(part)
        names = [self.take()]
        while self.accept(","):
            names.append(self.take())
        if not isinstance(value, PSObject) or value.is_container or "@{" in names or "*" in names:
            raise UnreadableError("Select-Object")
        selected = {name: value[name] for name in names}
        base = psobject.custom_object().type_names
        return PSObject(type_names=(f"Selected.{base[0]}", *base), extended=selected)

    def listed(self) -> Any:
        if self.accept(","):
            return [self.single()]
        first = self.sum()
        if self.token != ",":
            return first
        items = [first]
        while self.accept(","):
            items.append(self.sum())
        return items

    def single(self) -> Any:
        return self.sum()

    def sum(self) -> Any:
        value = self.product()
        while self.token == "+":
            self.take()
            other = self.product()
            if not isinstance(value, str):
                raise UnreadableError("+ on what is no text")
            value = str(value) + (str.__str__(other) if isinstance(other, str) else str(other))
        return value

    def product(self) -> Any:
        value = self.unary()
        while self.accept("*"):
            count = self.unary()
            if not isinstance(value, str):
                raise UnreadableError("* on what is no text")
            value = value * count
        return value

    def unary(self) -> Any:
        if self.accept("-"):
            value = self.unary()
            if type(value) not in {int, float, Decimal}:
                raise UnreadableError("- before what is no number")
            return -value
        if self.token == "[":
            return self.typed()
        if self.token == "New":
            return self.new_object()
        return self.primary()

    def new_object(self) -> Any:
        for part in ("New", "-", "Object", "-", "TypeName", "psobject", "-", "Property"):
            self.take(part)
        return _cast("pscustomobject", self.primary())

    def primary(self) -> Any:  # noqa: PLR0911  a way out for each kind of token
        kind, token = self.kind, self.take()
        if kind == "string":
            return _text_literal(token)
        if kind == "number":
            return _number(token)
        if kind == "variable":
            return self.variable(token[1:])
        if token == "(":
            value = self.pipeline()
            self.take(")")
            return value
        if token == "@(":
            return self.array()
        if token == "@{":
            return psobject.hashtable(self.entries())
        if token == "{":
            return self.script_block()
        raise UnreadableError(token)

    def variable(self, name: str) -> Any:
        if name not in self.variables:
            raise UnreadableError(f"${name}")
        return self.variables[name]

    def array(self) -> list[Any]:
        if self.accept(")"):
            return []
        value = self.pipeline()
        self.take(")")
        return value if isinstance(value, list) else [value]

    def entries(self) -> list[tuple[Any, Any]]:
        pairs: list[tuple[Any, Any]] = []
        while not self.accept("}"):
            key = self.take() if self.kind == "word" else self.unary()
            self.take("=")
            value = self.pipeline()
            if value is AUTOMATION_NULL or any(value is noted for noted in self.noted_arrays):
                raise UnreadableError("nothing, or an array that loses its notes, within an object")
            pairs.append((key, value))
            if not self.accept(";") and self.token != "}":
                raise UnreadableError(self.token)
        return pairs

    def script_block(self) -> Any:
        start, depth = self.tokens[self.at - 1][3], 1
        while depth:
            depth += (self.token == "{") - (self.token == "}")
            if self.kind == "end":
                raise UnreadableError("{")
            end = self.tokens[self.at][2]
            self.at += 1
        return psobject.ScriptBlock(self.script[start:end])

    def arguments(self) -> list[Any]:
        self.take("(")
        if self.accept(")"):
            return []
        values = [self.sum()]
        while self.accept(","):
            values.append(self.sum())
        self.take(")")
        return values

    # Types

    def type_name(self) -> str:
        self.take("[")
        name = self.take()
        while self.token in {"[", ",", "+"} or (self.token == "]" and name.count("[") > name.count("]")):
            name += self.take()
            if self.kind == "word":
                name += self.take()
        self.take("]")
        return name

    def typed(self) -> Any:
        name = self.type_name()
        if self.accept("::"):
            member = self.take()
            if self.token != "(":
                return _static_member(name, member)
            if (name, member) == ("System.Enum", "ToObject"):
                return self.enum_from_number()
            return _static_call(name, member, self.arguments())
        return _cast(name, self.unary())

    def enum_from_number(self) -> Any:
        self.take("(")
        name = self.type_name()
        self.take(",")
        number = self.unary()
        self.take(")")
        return enum_number(name, number)


def _noted(value: Any, name: str, note: Any) -> PSObject:
    """Give a value with a note, as PowerShell wraps it."""
    if isinstance(value, list):
        value = psobject.array(value)
    if not isinstance(value, PSObject):
        wrapped = PSObject(value, type_names=(psobject.type_name(value) or "",))
    else:
        wrapped = value
    wrapped.extended.pop(next((each for each in wrapped.extended if each.lower() == name.lower()), ""), None)
    wrapped.extended[name] = note
    return wrapped


def _cast(name: str, value: Any) -> Any:  # noqa: PLR0911  a way out for each kind of type
    short = name.removeprefix("System.").lower()
    name = SHORT_NAMES.get(name, name)
    if short in {"pscustomobject", "ordered"}:
        if not (isinstance(value, PSObject) and isinstance(value.base, psobject.PSDictionary)):
            raise UnreadableError(f"[{name}]")
        pairs = value.base.pairs
        if short == "ordered":
            return psobject.ordered_dictionary(pairs)
        if any(str(key).lower() == "pstypename" for key, _ in pairs):
            raise UnreadableError("PSTypeName")
        return psobject.custom_object(dict(pairs))
    if short == "psobject" and not isinstance(value, list):
        return value
    if name in ENUMS:
        return _known(enum_member if isinstance(value, str) else enum_number, name, value)
    if name in CLASSES:
        return _made(name, **dict(value.base.pairs)) if isinstance(value, PSObject) else _made(name, value)
    found = CASTS.get(short)
    if found is not None and not isinstance(value, PSObject):
        return found(value)
    if name.endswith("[]") or "List[" in name or name == "System.Collections.ArrayList":
        return _container(name, value if isinstance(value, list) else [value])
    raise UnreadableError(f"[{name}]")


def _container(name: str, items: list[Any]) -> Any:
    if name == "byte[]":
        return bytes(items)
    if name == "object[]":
        return items
    bases = ("System.Array", "System.Object") if name.endswith("]") and "[" in name[-3:] else ("System.Object",)
    return psobject.array(items, type_names=(full_name(name), *bases))


def _known(make: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableError(f"{arguments}") from error


def _made(name: str, *arguments: Any, **properties: Any) -> PSObject:
    return _known(lambda: CLASSES[name](*arguments, **properties))


def _time_span(text: str) -> psobject.TimeSpan:
    hours, minutes, seconds = map(int, text.split(":"))
    return psobject.TimeSpan(((hours * 60 + minutes) * 60 + seconds) * 10_000_000)


def _char(value: Any) -> Any:
    return psobject.Char(value if isinstance(value, str) else chr(value))


CASTS: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "int16": psobject.Int16,
    "sbyte": psobject.SByte,
    "byte": psobject.Byte,
    "uint32": psobject.UInt32,
    "uint64": psobject.UInt64,
    "long": psobject.Int64,
    "double": float,
    "single": psobject.Single,
    "decimal": Decimal,
    "char": _char,
    "string": lambda value: str.__str__(value) if isinstance(value, str) else str(value),
    "guid": UUID,
    "uri": psobject.Uri,
    "version": psobject.Version.from_text,
    "xml": psobject.XmlDocument,
    "nullable[int]": int,
    "timespan": _time_span,
}
MEMBERS: dict[tuple[str, str], Any] = {
    ("double", "NaN"): float("nan"),
    ("double", "NegativeInfinity"): float("-inf"),
    ("double", "PositiveInfinity"): float("inf"),
    ("datetime", "MinValue"): psobject.DateTime.from_ticks(0),
    ("timespan", "Zero"): psobject.TimeSpan(0),
    ("timespan", "MinValue"): psobject.TimeSpan(-(1 << 63)),
    ("timespan", "MaxValue"): psobject.TimeSpan((1 << 63) - 1),
    ("guid", "Empty"): UUID(int=0),
    ("cultureinfo", "InvariantCulture"): "",
    ("System.Management.Automation.Internal.AutomationNull", "Value"): AUTOMATION_NULL,
}


def _static_member(name: str, member: str) -> Any:
    name = name if (name, member) in MEMBERS else SHORT_NAMES.get(name, name)
    if (name, member) in MEMBERS:
        return MEMBERS[name, member]
    return _made(f"{name}::{member}") if f"{name}::{member}" in CLASSES else _known(enum_member, name, member)


def _datetime(*parts: Any) -> Any:
    if len(parts) == 1:
        return psobject.DateTime.from_ticks(int(parts[0]))
    kind = psobject.Kind(parts[6].text) if len(parts) > 6 else psobject.Kind.UNSPECIFIED
    return psobject.DateTime(datetime(*map(int, parts[:6])), kind=kind)  # noqa: DTZ001  .NET's have no zone either


CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("double", "Parse"): lambda text, _: float(text),
    ("single", "Parse"): lambda text, _: psobject.Single(float(text)),
    ("decimal", "Parse"): lambda text, _: Decimal(text),
    ("int", "Parse"): int,
    ("datetime", "new"): _datetime,
    ("timespan", "new"): psobject.TimeSpan,
    ("timespan", "FromHours"): lambda hours: psobject.TimeSpan(int(hours * 36_000_000_000)),
    ("uri", "new"): lambda text, *_: psobject.Uri(text),
    ("byte[]", "new"): bytes,
    ("char", "ConvertFromUtf32"): chr,
    ("scriptblock", "Create"): psobject.ScriptBlock,
    ("System.Management.Automation.ProgressRecord", "new"): lambda number, activity, status: psobject.ProgressRecord(
        activity, activity_id=number, status_description=status
    ),
    ("System.Management.Automation.PSSerializer", "Serialize"): lambda value, depth=1: psobject.write_clixml(
        [value], depth=depth
    ),
    ("System.Management.Automation.PSSerializer", "Deserialize"): lambda text: psobject.read_clixml(text)[0],
}


def _static_call(name: str, member: str, arguments: list[Any]) -> Any:
    found = CALLS.get((name, member))
    if found is None and member == "new" and name in CLASSES:
        return _made(name, *arguments)
    if found is None and member == "new":
        return _new_container(name, arguments)
    if found is None:
        raise UnreadableError(f"[{name}]::{member}()")
    try:
        return found(*arguments)
    except (InputError, TypeError) as error:
        raise UnreadableError(f"[{name}]::{member}(): {error}") from error


def _new_container(name: str, arguments: list[Any]) -> Any:
    """Make an empty container, or one of the items of another."""
    kind = re.fullmatch(r"System\.Collections\.(?:Generic\.)?(Queue|Stack|List|SortedDictionary)(\[.+\])?", name)
    if kind is not None and len(arguments) <= 1:
        base = {"Queue": psobject.PSQueue, "Stack": psobject.PSStack, "List": psobject.PSList}.get(kind[1])
        given = list(arguments[0]) if arguments else []
        held = base(given) if base else psobject.PSDictionary()
        return PSObject(held, type_names=(full_name(name), "System.Object"))
    if re.fullmatch(r"\w+(\[\])+|\w+\[,+\]", name) and name.startswith("int[") and arguments:
        size = 1
        for length in arguments:
            size *= length
        return psobject.array([0] * size, type_names=(full_name(name), "System.Array", "System.Object"))
    raise UnreadableError(f"[{name}]::new()")
