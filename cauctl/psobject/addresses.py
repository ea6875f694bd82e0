"""Texts of addresses as .NET parses and prints them: IPAddress and MailAddress.

Rules kept here:

* An IPv4 address has one to four numbers, decimal, octal (``0177``) or hexadecimal (``0x7f``); the last fills what is
  left. An IPv6 address may stand in brackets, with a port that does not count.
* IPv6 prints as short as can be, in lower case, its last 32 bits as IPv4 in a mapped, compatible or ISATAP address.
* A mail address may have comments around user and host, a quoted user and a domain in brackets. What stands before it,
  quoted or not, is the display name; angle brackets around the address are optional.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

__all__ = ["ip_address", "ip_text", "mail_parts"]

_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+")
_MOST_PARTS: Final = 4
_IN_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\](?::(?:0[xX][0-9A-Fa-f]*|[0-9]*))?")
_MAPPED: Final = 0xFFFF
_ISATAP: Final = 0x5EFE
_LONGEST: Final = 1000
"""Longest text that is looked at: no address is longer."""

_COMMENT: Final = r"\((?:[^()\\]|\\.|\([^()]*\))*\)"
_BLANK: Final = rf"(?:[ \t\r\n]|{_COMMENT})*"
_ATOM: Final = r"[^\x00-\x20\x7f()<>\[\]:;,@\\\".]+"
_ATOMS: Final = rf"{_ATOM}(?:\.{_ATOM})*\.?"
_QUOTED: Final = r'"(?:[^"\\\r\n]|\\.)*"'
_USER: Final = rf'(?<![^\s<")]){_ATOMS}|{_QUOTED}'
_HOST: Final = rf"{_ATOMS}|\[[^\[\]\\]*\]"
_ADDRESS: Final = rf"{_BLANK}({_USER}){_BLANK}@{_BLANK}({_HOST}){_BLANK}"
_NAME: Final = rf'(?:\s*({_QUOTED}){_BLANK}|([^"<>]*?))'
_MAIL: Final = re.compile(rf"{_NAME}(?:<{_ADDRESS}>\s*|{_ADDRESS})", re.DOTALL)


def ip_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address as .NET does; None where it refuses it."""
    if len(text) > _LONGEST:
        return None
    if ":" not in text:
        return _ip4(text)
    inside = _IN_BRACKETS.fullmatch(text)
    plain, _, zone = (text if inside is None else inside[1]).partition("%")
    try:
        return IPv6Address(plain if zone.strip("0") == "" else f"{plain}%{zone}")
    except ValueError:
        return None


def _ip4(text: str) -> IPv4Address | None:
    parts = text.split(".")
    if len(parts) > _MOST_PARTS or not all(map(_NUMBER.fullmatch, parts)):
        return None
    try:
        *first, last = map(_number, parts)
    except ValueError:
        return None
    room = 1 << (8 * (_MOST_PARTS - len(first)))
    if last >= room or any(number > 0xFF for number in first):  # noqa: PLR2004  a byte
        return None
    whole = 0
    for number in first:
        whole = whole << 8 | number
    return IPv4Address(whole * room + last)


def _number(text: str) -> int:
    """Read a number of an IPv4 address; a ValueError for an octal one with other digits."""
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8 if text[0] == "0" else 10)


def ip_text(address: IPv4Address | IPv6Address) -> str:
    """Give the text of an address."""
    if isinstance(address, IPv4Address):
        return str(address)
    groups = [int(group, 16) for group in IPv6Address(int(address)).exploded.split(":")]
    zone = f"%{address.scope_id}" if address.scope_id else ""
    if not _ends_as_ip4(groups):
        return f"{IPv6Address(int(address))}{zone}"
    # The rest prints as if two groups of its own stood at the end, which are then replaced.
    lead = str(IPv6Address(int(address) >> 32 << 32 | 0x1_0001)).removesuffix("1:1")
    return f"{lead}{IPv4Address(int(address) & 0xFFFF_FFFF)}{zone}"


def _ends_as_ip4(groups: list[int]) -> bool:
    """Tell whether .NET prints the last 32 bits of an IPv6 address as IPv4."""
    before, last = groups[4:6], groups[6]
    if not any(groups[:4]) and last and before in ([0, 0], [0, _MAPPED], [_MAPPED, 0]):
        return True
    return before == [0, _ISATAP]


def mail_parts(text: str) -> tuple[str, str, str] | None:
    """Part a mail address into display name, user and host; None where .NET refuses it."""
    found = _MAIL.fullmatch(text.strip(" \t\r\n")) if len(text) <= _LONGEST else None
    if found is None:
        return None
    quoted, plain, *users_and_hosts = found.groups()
    user, host = (each for each in users_and_hosts if each is not None)
    return (plain if quoted is None else quoted[1:-1]).strip(), user, host
