"""The part of WQL that queries of a lab may use: ``SELECT * FROM Class WHERE Name='x' AND State<>'y'``.

Comparisons ``=``, ``<>``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` and ``LIKE`` joined by ``AND`` or ``OR`` (``AND`` binds
closer), without parentheses. Anything else is an invalid query (0x80041017).
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final

from cauctl.lab.commands.failures import cim_failure
from cauctl.psobject import PSObject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["condition", "select"]

WBEM_E_INVALID_QUERY: Final = 0x80041017
_SELECT: Final = re.compile(r"\s*select\s+.+?\s+from\s+(\w+)(?:\s+where\s+(.+))?\s*", re.IGNORECASE | re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+)|(?P<sign><>|!=|<=|>=|=|<|>)|(?P<word>\w+))"
)
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def select(query: str) -> tuple[str, Callable[[Mapping[str, Any]], bool]]:
    """Read a query; give the class and the condition."""
    match = _SELECT.fullmatch(query)
    if match is None:
        raise _invalid()
    return match[1], condition(match[2] or "")


def condition(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Read a condition; empty text is met by everything."""
    tokens = _tokens(text)
    if not tokens:
        return lambda _properties: True
    groups = [[_comparison(part) for part in _split(group, "and")] for group in _split(tokens, "or")]
    return lambda properties: any(all(holds(properties) for holds in group) for group in groups)


def _invalid() -> Exception:
    return cim_failure("Invalid query", code=WBEM_E_INVALID_QUERY, category="InvalidArgument")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _invalid()
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        at = match.end()
    return tokens


def _split(tokens: list[tuple[str, str]], word: str) -> list[list[tuple[str, str]]]:
    parts: list[list[tuple[str, str]]] = [[]]
    for kind, text in tokens:
        if kind == "word" and text.casefold() == word:
            parts.append([])
        else:
            parts[-1].append((kind, text))
    return parts


def _comparison(tokens: list[tuple[str, str]]) -> Callable[[Mapping[str, Any]], bool]:
    match tokens:
        case [("word", name), (sign_kind, sign), (value_kind, raw)]:
            value = _value(value_kind, raw)
        case _:
            raise _invalid()
    if sign_kind == "word" and sign.casefold() == "like" and isinstance(value, str):
        pattern = re.compile("".join(_LIKE.get(each, re.escape(each)) for each in value), re.IGNORECASE | re.DOTALL)
        return lambda properties: pattern.fullmatch(str(_property(properties, name))) is not None
    compare = _SIGNS.get(sign)
    if compare is None:
        raise _invalid()

    def holds(properties: Mapping[str, Any]) -> bool:
        own = _property(properties, name)
        try:
            return compare(_folded(own), _folded(value))
        except TypeError:
            return False

    return holds


_LIKE: Final = {"%": ".*", "_": "."}


def _value(kind: str, raw: str) -> Any:
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", raw[1:-1])
    if kind == "number":
        return int(raw)
    words = {"true": True, "false": False, "null": None}
    if raw.casefold() not in words:
        raise _invalid()
    return words[raw.casefold()]


def _property(properties: Mapping[str, Any], name: str) -> Any:
    folded = name.casefold()
    own = next((value for key, value in properties.items() if key.casefold() == folded), None)
    return own.base if isinstance(own, PSObject) else own


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
