"""What System.Uri accepts as a Uri, absolute or relative, as far as reading a value needs it.

The rules are .NET's: a text with a known scheme needs a host that can be one; ``http:a`` is a relative Uri; a DOS path
must be rooted; what has no scheme is relative. The canonical text of a Uri is not made here.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

__all__ = ["is_absolute_uri"]

_SCHEME: Final = re.compile(r"[ \t\r\n]*([A-Za-z][A-Za-z0-9+.\-]*):", re.ASCII)
_NEEDS_HOST: Final = frozenset(
    ("http", "https", "ftp", "ws", "wss", "gopher", "nntp", "telnet", "net.tcp", "net.pipe", "ldap")
)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_LABEL: Final = re.compile(r"[A-Za-z0-9_\-\u00a1-\U0010ffff]+")
_DRIVE: Final = re.compile(r"/{0,3}[A-Za-z]:(.?)", re.DOTALL)
_HIGHEST_PORT: Final = 65535


def is_absolute_uri(text: str) -> bool:
    """Tell whether a Uri is absolute; a text that is none is a ValueError."""
    found = _SCHEME.match(text)
    if found is None:
        return _is_unc_path(text.strip(" \t\r\n"))
    scheme, rest = found[1].lower(), text[found.end() :].rstrip(" \t\r\n")
    if len(scheme) == 1:
        return _is_rooted(rest[:1], optional=True)
    if scheme == "file" and (drive := _DRIVE.match(rest)):
        return _is_rooted(drive[1], optional=False)
    if rest.startswith("//"):
        _check_authority(_AUTHORITY_END.split(rest[2:], maxsplit=1)[0], required=scheme in _NEEDS_HOST)
        return True
    if scheme == "mailto":
        address = _AUTHORITY_END.split(rest, maxsplit=1)[0]
        _check_authority(address, required="@" in address)
    return scheme not in _NEEDS_HOST


def _is_rooted(after: str, *, optional: bool) -> bool:
    if not after and optional:
        return False
    if after not in ("\\", "/"):
        raise ValueError("a rooted path such as c:\\x")
    return True


def _is_unc_path(text: str) -> bool:
    if not text.startswith("\\\\") or text == "\\\\":
        return False
    _check_host(re.split(r"[\\/]", text[2:], maxsplit=1)[0])
    return True


def _check_authority(authority: str, *, required: bool) -> None:
    user, _, place = authority.rpartition("@")
    if "@" in user:
        raise ValueError("one @ before the host")
    if not place and (required or authority):
        raise ValueError("a host")
    if place.startswith("["):
        host, closed, port = place.partition("]")
        host, port = host + closed, port.removeprefix(":") if port.startswith(":") or not port else "?"
    else:
        host, _, port = place.partition(":")
    if place:
        _check_host(host)
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) <= _HIGHEST_PORT):
        raise ValueError("a port up to 65535")


def _check_host(host: str) -> None:
    if host.startswith("[") and host.endswith("]"):
        try:
            IPv6Address(host[1:-1])
        except AddressValueError as refusal:
            raise ValueError("an IPv6 address in brackets") from refusal
    elif not all(map(_LABEL.fullmatch, host.removesuffix(".").split("."))):
        raise ValueError("a host name")
