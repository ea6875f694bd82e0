"""Windows Update search criteria: ``IsInstalled=0 and Type='Software' and IsHidden=0``.

Rules kept here (``IUpdateSearcher::Search``, MS-UAMG):

* ``Name op Value`` joined by ``and``; ``or`` joins such groups at the top level only. Names and words in any case.
* Strings stand in single quotes, numbers are decimal.
* A group that does not name ``DeploymentAction`` means ``DeploymentAction='Installation'``.
* ``RevisionNumber`` stands only beside ``UpdateID =``.
* Anything else is 0x80240032.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Facts", "WindowsUpdateError", "parse_criteria"]

WU_E_INVALID_CRITERIA: Final = 0x80240032

Facts: TypeAlias = "Mapping[str, str | int | frozenset[str]]"
"""What an update is, by the names of the criteria in lower case; text in lower case, truth as 0 and 1."""

_FLAGS: Final = frozenset(
    ("isassigned", "browseonly", "autoselectonwebsites", "isinstalled", "ishidden", "ispresent", "rebootrequired")
)
_ACTIONS: Final = frozenset(("installation", "uninstallation", "optionalinstallation"))
_TYPES: Final = frozenset(("software", "driver"))
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN: Final = re.compile(r"\s*(?:(?P<word>[A-Za-z]+)|(?P<text>'[^']*')|(?P<number>\d+)|(?P<sign>!=|=|\(|\)))")


class WindowsUpdateError(Exception):
    """A call of the Windows Update Agent that failed; ``hresult`` is an unsigned 32-bit number."""

    def __init__(self, hresult: int, message: str = "") -> None:
        self.hresult = hresult
        super().__init__(message or f"Exception from HRESULT: 0x{hresult:08X}")


@lru_cache(maxsize=256)
def parse_criteria(text: str) -> Callable[[Facts], bool]:
    """Read criteria; the result tells whether an update meets them. WindowsUpdateError 0x80240032 when invalid."""
    groups = _Reader(_tokens(text)).read()

    def meets(facts: Facts) -> bool:
        return any(all(_holds(facts, *criterion) for criterion in group) for group in groups)

    return meets


_Criterion: TypeAlias = "tuple[str, str, str | int]"


def _holds(facts: Facts, name: str, operator: str, value: str | int) -> bool:
    fact = facts[name]
    if operator == "contains":
        return isinstance(fact, frozenset) and value in fact
    return (fact == value) == (operator == "=")


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise WindowsUpdateError(WU_E_INVALID_CRITERIA)
        tokens.append(match.group(match.lastgroup or 0).lower())
        at = match.end()
    return tokens


class _Reader:
    """Reads groups of criteria from tokens, from the left."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def read(self) -> list[list[_Criterion]]:
        groups = [self._group()]
        while self._take("or"):
            groups.append(self._group())
        if self._at < len(self._tokens):
            raise WindowsUpdateError(WU_E_INVALID_CRITERIA)
        return [_completed(group) for group in groups]

    def _group(self) -> list[_Criterion]:
        found: list[_Criterion] = []
        while True:
            if self._take("("):
                found += self._group()
                self._expect(")")
            else:
                found.append(self._criterion())
            if not self._take("and"):
                return found

    def _criterion(self) -> _Criterion:
        name, operator, value = self._next(), self._next(), self._next()
        return name, operator, _checked(name, operator, value)

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise WindowsUpdateError(WU_E_INVALID_CRITERIA)
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, token: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += taken
        return taken

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise WindowsUpdateError(WU_E_INVALID_CRITERIA)


def _checked(name: str, operator: str, value: str) -> str | int:
    """Give the value in the type that the criterion has."""
    text = value[1:-1] if value.startswith("'") else None
    number = int(value) if value.isdigit() else None
    valid = {
        "type": operator in {"=", "!="} and text in _TYPES,
        "deploymentaction": operator == "=" and text in _ACTIONS,
        "updateid": operator in {"=", "!="} and text is not None and _GUID.fullmatch(text) is not None,
        "categoryids": operator == "contains" and text is not None and _GUID.fullmatch(text) is not None,
        "revisionnumber": operator == "=" and number is not None,
    }.get(name, name in _FLAGS and operator == "=" and number in {0, 1})
    if not valid:
        raise WindowsUpdateError(WU_E_INVALID_CRITERIA)
    return number if text is None and number is not None else text or ""


def _completed(group: list[_Criterion]) -> list[_Criterion]:
    names = {(name, operator) for name, operator, _ in group}
    if ("revisionnumber", "=") in names and ("updateid", "=") not in names:
        raise WindowsUpdateError(WU_E_INVALID_CRITERIA)
    if ("deploymentaction", "=") not in names:
        group = [*group, ("deploymentaction", "=", "installation")]
    return group
