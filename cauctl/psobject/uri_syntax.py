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
_HIGHEST_PORT: Final = 65535


def is_absolute_uri(text: str) -> bool:
    """Tell whether a Uri is absolute; a text that is none is a ValueError."""
    found = _SCHEME.match(text)
    if found is None:
        return text.lstrip().startswith("\\\\")
    scheme, rest = found[1].lower(), text[found.end() :].rstrip(" \t\r\n")
    if len(scheme) == 1:
        return _is_dos_path(rest)
    if rest.startswith("//"):
        _check_authority(_AUTHORITY_END.split(rest[2:], maxsplit=1)[0], required=scheme in _NEEDS_HOST)
        return True
    if scheme == "mailto" and "@" in rest and not rest.partition("@")[2].partition("?")[0]:
        raise ValueError("a host after @")
    return scheme not in _NEEDS_HOST


def _is_dos_path(rest: str) -> bool:
    if not rest:
        return False
    if rest[0] not in "\\/":
        raise ValueError("a rooted path such as c:\\x")
    return True


def _check_authority(authority: str, *, required: bool) -> None:
    host_and_port = authority.rpartition("@")[2]
    if not host_and_port and (required or authority):
        raise ValueError("a host")
    if host_and_port.startswith("["):
        host, closed, port = host_and_port[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise ValueError("an IPv6 address in brackets")
        _check_ipv6(host)
        port = port[1:]
    else:
        host, _, port = host_and_port.partition(":")
        if host_and_port and not all(map(_LABEL.fullmatch, host.removesuffix(".").split("."))):
            raise ValueError("a host name")
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) <= _HIGHEST_PORT):
        raise ValueError("a port up to 65535")
    if "@" in authority.rpartition("@")[0]:
        raise ValueError("one @ before the host")


def _check_ipv6(host: str) -> None:
    try:
        IPv6Address(host)
    except AddressValueError as refusal:
        raise ValueError("an IPv6 address in brackets") from refusal
