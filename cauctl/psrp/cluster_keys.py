"""The keys of ``clusters.toml``: what each holds and what it becomes.

One table serves the reader, the messages and, checked by a test, the JSON schema ``clusters.schema.json``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.psrp.connection import Authentication, is_proxy
from cauctl.psrp.display import show_text

__all__ = ["CLUSTER_KEYS", "NODE_KEYS", "Fault", "Key", "read_keys"]

_DURATION: Final = re.compile(r"(\d+)(s|m|h)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours"}
_SECRET: Final = re.compile(r"pass(word|wd|phrase)?|secret|pwd|credential", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LAST_PORT: Final = 65535


@frozen
class Fault:
    """One thing that is wrong in a file."""

    path: tuple[str, ...]
    """Keys from the root of the document."""
    what: str
    """What is wrong, to follow the key."""
    expected: str = ""
    """What would be accepted."""

    def __str__(self) -> str:
        wanted = f", expected {self.expected}" if self.expected else ""
        return f"{'.'.join(self.path)} {self.what.rstrip('.')}{wanted}"


@frozen
class Key:
    """One key."""

    expected: str
    """What it holds, in words."""
    read: Callable[[Any, Path], Any] = field(repr=False)
    """Turn TOML's value into ours, given the folder of the file; ValueError for any other."""
    becomes: str = field(default="", kw_only=True)
    """Name of what it becomes, when it differs."""
    may_be_secret: bool = field(default=False, kw_only=True)
    """A wrong value is not shown."""


def read_keys(
    table: Any, keys: Mapping[str, Key], *, path: tuple[str, ...], folder: Path, faults: list[Fault]
) -> dict[str, Any]:
    """Read a table by ``keys``; what is wrong is added to ``faults`` and left out."""
    if not isinstance(table, dict):
        faults.append(Fault(path, "is no table", "a name, or a table with a name"))
        return {}
    values = {}
    for name, value in table.items():
        key = keys.get(name)
        if key is None:
            faults.append(_unknown((*path, name), keys))
            continue
        try:
            values[key.becomes or name] = key.read(value, folder)
        except (ValueError, InputError):
            shown = "is wrong" if key.may_be_secret else f"is {show_text(repr(value), 80)}"
            faults.append(Fault((*path, name), shown, key.expected))
    return values


def _unknown(path: tuple[str, ...], keys: Mapping[str, Key]) -> Fault:
    if _SECRET.search(path[-1]):
        return Fault(path, "is refused: no password stands in this file", "password_variable, or none: you are asked")
    close = difflib.get_close_matches(path[-1], keys, n=1)
    return Fault(path, "is no key of this table", f"{close[0]}?" if close else ", ".join(sorted(keys)))


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _flag(value: Any, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004  read_keys speaks for all readers
    return value


def _port(value: Any, _: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LAST_PORT:
        raise ValueError
    return value


def _file(value: Any, folder: Path) -> Path:
    return folder / Path(_text(value, folder)).expanduser()


def _duration(value: Any, folder: Path) -> timedelta:
    match = _DURATION.fullmatch(_text(value, folder))
    if match is None:
        raise ValueError
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _variable(value: Any, folder: Path) -> str:
    if not _VARIABLE.fullmatch(_text(value, folder)):
        raise ValueError
    return str(value)


def _proxy(value: Any, folder: Path) -> str:
    if "@" in _text(value, folder) or not is_proxy(value):
        raise ValueError
    return str(value)


def _authentication(value: Any, folder: Path) -> Authentication:
    return Authentication(_text(value, folder).casefold())


def _nodes(value: Any, _: Path) -> list[Any]:
    if not isinstance(value, list) or not value or not all(isinstance(node, str | dict) and node for node in value):
        raise ValueError
    return value


_TEXT: Final = Key("a text", _text)
_DURATION_KEY: Final = Key("a duration such as 30s, 5m or 2h", _duration)
_FILE: Final = Key("a path; a relative one counts from this file's folder", _file)

CLUSTER_KEYS: Final[Mapping[str, Key]] = {
    "nodes": Key("a list of at least one node, each a name or a table with a name", _nodes),
    "domain": Key("a DNS domain such as contoso.com", _text),
    "user_name": Key(r"an account such as 'CONTOSO\admin'", _text),
    "password_variable": Key("the name of an environment variable", _variable),
    "authentication": Key(" or ".join(way.value for way in Authentication), _authentication),
    "port": Key("a number from 1 to 65535", _port),
    "tls": Key("true or false", _flag),
    "path": _TEXT,
    "certificate_validation": Key("true or false", _flag),
    "ca_file": _FILE,
    "client_certificate": _FILE,
    "client_certificate_key": _FILE,
    "kerberos_service": _TEXT,
    "proxy": Key("a URL such as http://proxy:3128, without a password", _proxy, may_be_secret=True),
    "configuration_name": _TEXT,
    "jea": Key("true or false", _flag),
    "connect_timeout": _DURATION_KEY,
    "operation_timeout": _DURATION_KEY,
    "read_timeout": _DURATION_KEY,
    "idle_timeout": _DURATION_KEY,
    "locale": _TEXT,
}
"""Keys of ``[clusters.NAME]`` and, but for nodes, of ``[defaults]``."""

NODE_KEYS: Final[Mapping[str, Key]] = {
    "name": Key("a node's name", _text, becomes="node"),
    "address": Key("a host name or an IP address", _text),
    "port": CLUSTER_KEYS["port"],
    "certificate_name": Key("a name that the node's certificate carries", _text),
    "kerberos_host": Key("a host name", _text),
}
"""Keys of a node that is given as a table."""
