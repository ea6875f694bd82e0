"""The canonical text of a System.Uri, as its ``ToString()`` gives it (R23).

Rules kept here, as seen on .NET 10:

* An absolute Uri: scheme and host in lower case, white space around it dropped, the scheme's default port dropped,
  an empty path becomes ``/``, dot segments are resolved, a DOS or UNC path becomes a ``file`` Uri.
* Escapes are undone where that is safe: what stands for a delimiter, a percent sign, a backslash, a control character
  or no UTF-8 stays escaped. A percent sign that begins no escape becomes ``%25``.
* A relative Uri prints as given, unless it has non-ASCII text or an escape that nobody needed: then as above.

What is no Uri at all prints as it is; whether it may be one is not asked here.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

__all__ = ["canonical_uri"]

_SPACE: Final = " \t\r\n"
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+):", re.ASCII)
_DOS: Final = re.compile(r"[A-Za-z]:[\\/]", re.ASCII)
_ESCAPES: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NEEDLESS_ESCAPE: Final = re.compile(
    "%(?:4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe]|3[0-9]|2[DdEe]|[89A-Fa-f][0-9A-Fa-f])|[^\x00-\x7f]"
)
_SLASH_ESCAPE: Final = re.compile("%2[Ff]")
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT_ESCAPED: Final = frozenset(";/?:@&=+$,#[]!'()*%\\")
_AUTHORITY: Final = re.compile(r"//((?:[^/?#\\@]*@)?\[[^\]/?#]*\](?::[0-9]*)?|[^/?#\\]*)")
_PORT: Final = re.compile(r":([0-9]*)\Z")
_DEFAULT_PORTS: Final = {
    "http": 80,
    "https": 443,
    "ws": 80,
    "wss": 443,
    "ftp": 21,
    "gopher": 70,
    "nntp": 119,
    "telnet": 23,
    "ldap": 389,
    "net.tcp": 808,
}
_NEVER_OPAQUE: Final = frozenset((*_DEFAULT_PORTS, "net.pipe", "file"))
_SLASH_UNESCAPED: Final = frozenset(("net.tcp", "net.pipe", "file"))


def canonical_uri(text: str) -> str:
    """Give ``Uri.ToString()`` of a Uri that was made from ``text``."""
    trimmed = text.strip(_SPACE)
    if _DOS.match(trimmed):
        return "file:///" + _unescaped(_resolved(trimmed.replace("\\", "/"), lead=2), percent=True)
    if trimmed.startswith("\\\\"):
        trimmed = "file:" + trimmed.replace("\\", "/")
    found = _SCHEME.match(trimmed)
    scheme, rest = (found[1].lower(), trimmed[found.end() :]) if found else ("", "")
    if not found or (scheme in _NEVER_OPAQUE and not rest.startswith("//")):
        return _unescaped(text) if not found and trimmed[:1] != "/" and _NEEDLESS_ESCAPE.search(text) else text
    shown = f"{scheme}:{_hierarchic(scheme, rest) if _is_hierarchic(scheme, rest) else _opaque(scheme, rest)}"
    return shown.rstrip(_SPACE) if _NEEDLESS_ESCAPE.search(text) else shown


def _is_hierarchic(scheme: str, rest: str) -> bool:
    return rest.startswith("//") and scheme != "mailto"


def _hierarchic(scheme: str, rest: str) -> str:
    """Show what follows a scheme with an authority."""
    authority, host = "", ""
    found = _AUTHORITY.match(rest)
    if found:
        authority, host = found[1], _shown_authority(scheme, found[1])
    path, tail = _split(rest[len(authority) + 2 :], query=scheme != "ftp")
    if scheme in _SLASH_UNESCAPED:
        path = _SLASH_ESCAPE.sub("/", path)
    path = path if path.startswith("/") else f"/{path}"
    if scheme != "ldap":
        path = _resolved(path.replace("\\", "/"))
    return f"//{host}{_unescaped(path, percent=True)}{tail}"


def _split(rest: str, *, query: bool = True) -> tuple[str, str]:
    """Split off query and fragment, unescaped; where there are no queries, ``?`` is part of the path."""
    before, hash_sign, fragment = rest.partition("#")
    path, question, asked = before.partition("?") if query else (before.replace("?", "%3F"), "", "")
    if "%" in fragment:
        fragment = _unescaped(fragment.replace("#", "%23"), percent=True)
    return path, question + _unescaped(asked, percent=True, private=True) + hash_sign + fragment


def _opaque(scheme: str, rest: str) -> str:
    """Show what follows a scheme without authority."""
    path, tail = _split(rest)
    user, at, host = path.rpartition("@")
    if scheme == "mailto" and at and not path.startswith("//"):
        return f"{user}@{host.lower()}{tail}"
    return _unescaped(path, percent=True) + tail


def _shown_authority(scheme: str, authority: str) -> str:
    user, at, place = authority.rpartition("@")
    port = _PORT.search(place)
    host = place[: port.start()] if port else place
    number = int(port[1]) if port and port[1] else None
    shown_port = "" if number is None or number == _DEFAULT_PORTS.get(scheme) else f":{number}"
    return f"{user}{at}{_shown_host(host, numeric=scheme in _NEVER_OPAQUE)}{shown_port}"


def _shown_host(host: str, *, numeric: bool) -> str:
    if host.startswith("["):
        try:
            return f"[{IPv6Address(host[1:-1].partition('%')[0])}]"
        except AddressValueError:
            return host.lower()
    return (_number_address(host) if numeric else None) or host.lower()


def _number_address(host: str) -> str | None:
    """Show a host of one to four numbers, each decimal, octal or hexadecimal, as an IPv4 address."""
    parts = host.split(".")
    try:
        numbers = [int(part, 16 if part[:2] in {"0x", "0X"} else 8 if part[:1] == "0" else 10) for part in parts]
        *first, last = numbers
        return str(IPv4Address(bytes(first) + last.to_bytes(4 - len(first), "big")))
    except (ValueError, OverflowError):
        return None


def _resolved(path: str, *, lead: int = 0) -> str:
    """Resolve ``.`` and ``..`` segments behind the first ``lead`` characters."""
    kept: list[str] = []
    segments = path[lead:].split("/")
    for at, segment in enumerate(segments):
        plain = re.sub("%2[Ee]", ".", segment)
        if plain not in {".", ".."}:
            kept.append(segment)
            continue
        if plain == ".." and len(kept) > 1:
            kept.pop()
        if at == len(segments) - 1:
            kept.append("")
    return path[:lead] + "/".join(kept)


def _unescaped(text: str, *, percent: bool = False, private: bool = False) -> str:
    """Undo the escapes that can be undone.

    With ``percent``, percent signs that begin none are escaped; with ``private``, characters for private use are shown.
    """
    if "%" not in text:
        return text
    if percent:
        text = _BARE_PERCENT.sub("%25", text)
    return _ESCAPES.sub(lambda found: _shown_escapes(found[0], private=private), text)


def _shown_escapes(run: str, *, private: bool) -> str:
    """Show a run of escapes: what is UTF-8 and harmless as characters, the rest as it stands."""
    shown, at = [], 0
    data = bytes.fromhex(run.replace("%", ""))
    while at < len(data):
        size = next((size for size in (1, 2, 3, 4) if _is_shown(data[at : at + size], private=private)), 0)
        shown.append(data[at : at + size].decode() if size else run[at * 3 : at * 3 + 3])
        at += size or 1
    return "".join(shown)


def _is_shown(data: bytes, *, private: bool) -> bool:
    try:
        character = data.decode()
    except UnicodeDecodeError:
        return False
    if len(character) != 1:
        return False
    code = ord(character)
    if code < 0x80:  # noqa: PLR2004  ASCII
        return 0x20 <= code < 0x7F and character not in _KEPT_ESCAPED  # noqa: PLR2004  printable
    return _may_stand_in_iri(code) or (private and 0xE000 <= code <= 0xF8FF)  # noqa: PLR2004  private use


def _may_stand_in_iri(code: int) -> bool:
    """Tell whether RFC 3987 allows a character beyond ASCII."""
    if code > 0xFFFF:  # noqa: PLR2004  the last two of each plane are no characters
        return code & 0xFFFF < 0xFFFE and code < 0xE0000  # noqa: PLR2004  as RFC 3987 has it
    return 0xA0 <= code <= 0xD7FF or 0xF900 <= code <= 0xFDCF or 0xFDF0 <= code <= 0xFFEF  # noqa: PLR2004  as RFC 3987
