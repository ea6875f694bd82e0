"""Objects that PowerShell makes live again when it reads CLIXML.

Most objects stay property bags after reading. A few types do not: PowerShell builds the .NET object anew, so their .NET
type, properties and text show. Notes stay, but for those that are called like a property or method. A known name counts
at any place among the type names, with and without ``Deserialized.`` in front. The parts may be properties or notes,
boxed or not; addresses come of a text. Where they do not make an object, the bag stays, as in PowerShell.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, Final

from cauctl.psobject.addresses import ip_address, ip_text, mail_parts
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objects import (
    DESERIALIZED,
    HASHTABLE,
    ORDERED_DICTIONARY,
    Members,
    MemberSet,
    PSDictionary,
    PSEnumerable,
    PSList,
    PSObject,
    enum_value,
)
from cauctl.psobject.values import TYPE_NAMES, Int16, Int64, ScriptBlock, SecureString

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["dictionary_type", "may_be_rebuilt", "rebuilt"]

_MISSING: Final = object()
_METHODS: Final = frozenset(
    ("TOSTRING", "GETTYPE", "EQUALS", "GETHASHCODE", *(name.upper() for name in MemberSet.RESERVED))
)
"""Methods and hidden members of every object."""
_OBJECT: Final = ("System.Object",)
_STRING: Final = "System.String"
_BOOLEAN: Final = "System.Boolean"
_CULTURE_PROPERTIES: Final = (
    "LCID",
    "Name",
    "DisplayName",
    "IetfLanguageTag",
    "ThreeLetterISOLanguageName",
    "ThreeLetterWindowsLanguageName",
    "TwoLetterISOLanguageName",
)
_FAMILIES: Final = {4: ("InterNetwork", 2), 6: ("InterNetworkV6", 23)}
_NETWORKS: Final = {
    "IsIPv6Multicast": IPv6Network("ff00::/8"),
    "IsIPv6LinkLocal": IPv6Network("fe80::/10"),
    "IsIPv6SiteLocal": IPv6Network("fec0::/10"),
    "IsIPv6Teredo": IPv6Network("2001::/32"),
    "IsIPv6UniqueLocal": IPv6Network("fc00::/7"),
    "IsIPv4MappedToIPv6": IPv6Network("::ffff:0:0/96"),
}


def rebuilt(value: PSObject) -> PSObject:
    """Give the live object that PowerShell makes of one that was read; the same object where it makes none."""
    build = _builder(value.type_names) if value.deserialized else None
    if build is None or (value.base is not None and build not in _OF_TEXT):
        return value
    made = build(value)
    if made is None:
        return value
    taken = {name.upper() for name in made.adapted or ()} | _METHODS
    made.extended = Members.of({name: item for name, item in value.extended.items() if name.upper() not in taken})
    return made


def _part(value: PSObject, name: str) -> Any:
    """Give a part of an object, unboxed; ``_MISSING`` if there is none of the name."""
    found = value.get(name, _MISSING)
    return found.base if isinstance(found, PSObject) and not found.is_container and found.base is not None else found


def may_be_rebuilt(value: PSObject) -> bool:
    """Tell whether an object's type names are such that PowerShell tries to make it live."""
    build = _builder(value.type_names) if value.deserialized else None
    return build is not None and (value.base is None or build in _OF_TEXT)


@lru_cache(maxsize=1024)
def _builder(type_names: tuple[str, ...]) -> Callable[[PSObject], PSObject | None] | None:
    known = (_BUILDERS.get(name.removeprefix(DESERIALIZED)) for name in type_names)
    return next(filter(None, known), None)


def _live(
    type_name: str,
    text: str,
    properties: Mapping[str, Any],
    declared: Mapping[str, str],
    *,
    bases: tuple[str, ...] = _OBJECT,
) -> PSObject:
    return PSObject(type_names=(type_name, *bases), text=text, adapted=properties, declared=declared)


def _text(value: PSObject) -> str:
    """Give the text that an address is parsed of: the stored one, else that of the base value."""
    if value.text is not None or value.base is None or value.is_container:
        return value.text or ""
    return TextStyle().text(value.base)


def _ip_address(value: PSObject) -> PSObject | None:
    address = ip_address(_text(value))
    if address is None:
        return None
    six = address if isinstance(address, IPv6Address) else None
    text = ip_text(address)
    zone = six.scope_id if six else None
    # A getter that throws (ScopeId of IPv4, Address of IPv6) shows as a null of its declared type.
    found: dict[str, Any] = {
        "IPAddressToString": text,
        "AddressFamily": enum_value("System.Net.Sockets.AddressFamily", *_FAMILIES[address.version]),
        "ScopeId": Int64(int(zone) if zone and zone.isdecimal() else 0) if six else None,
        **{name: bool(six) and IPv6Address(int(address)) in network for name, network in _NETWORKS.items()},
        "Address": Int64(int.from_bytes(address.packed, "little")) if isinstance(address, IPv4Address) else None,
    }
    declared = {"ScopeId": "System.Int64", "Address": "System.Int64"}
    return _live("System.Net.IPAddress", text, found, declared)


def _mail_address(value: PSObject) -> PSObject | None:
    parts = mail_parts(_text(value))
    if parts is None:
        return None
    name, user, host = parts
    address = f"{user}@{host}"
    found = {"DisplayName": name, "User": user, "Host": host, "Address": address}
    return _live("System.Net.Mail.MailAddress", f'"{name}" <{address}>' if name else address, found, {})


def _culture(value: PSObject) -> PSObject | None:
    given = value.adapted or Members()
    if value.text is None:
        return None
    # Only these are ever written, whatever else the class has.
    found = {name: given.get(name) for name in _CULTURE_PROPERTIES}
    return _live("System.Globalization.CultureInfo", value.text, found, {})


def _switch(value: PSObject) -> PSObject | None:
    given = _part(value, "IsPresent")
    if not (given is None or isinstance(given, bool)):
        return None
    present = bool(given)
    name = "System.Management.Automation.SwitchParameter"
    text = "True" if present else "False"
    return _live(name, text, {"IsPresent": present}, {"IsPresent": _BOOLEAN}, bases=("System.ValueType", *_OBJECT))


def _credential(value: PSObject) -> PSObject | None:
    name = "System.Management.Automation.PSCredential"
    user, password = _part(value, "UserName"), _part(value, "Password")
    if not (user is None or type(user) in TYPE_NAMES) or not (password is None or type(password) is SecureString):
        return None
    shown = "" if user is None else TextStyle().text(user)
    if shown and password is None:
        return None
    found = {"UserName": shown or None, "Password": password if shown else None}
    return _live(name, name, found, {"UserName": _STRING, "Password": "System.Security.SecureString"})


def _distinguished_name(value: PSObject) -> PSObject | None:
    data = _part(value, "RawData")
    if not isinstance(data, bytes):
        return None
    name = "System.Security.Cryptography.X509Certificates.X500DistinguishedName"
    return _live(name, name, {"RawData": data}, {"RawData": "System.Byte[]"})


def _primitive_dictionary(value: PSObject) -> PSObject | None:
    """Make an empty dictionary of an object that holds none."""
    return PSObject(PSDictionary(), type_names=(_PRIMITIVE_DICTIONARY, *HASHTABLE)) if not value.adapted else None


def dictionary_type(value: PSObject) -> str:
    """Name the .NET type of a dictionary that was read.

    Ordered and primitive dictionaries keep their type, the latter only while it holds nothing but what it may hold.
    """
    if value.base.ordered:
        return ORDERED_DICTIONARY[0]
    name = value.type_names[0].removeprefix(DESERIALIZED) if value.type_names else ""
    return name if name == _PRIMITIVE_DICTIONARY and _holds_primitives(value) else HASHTABLE[0]


def _holds_primitives(value: Any, above: tuple[int, ...] = ()) -> bool:
    base = value.base if isinstance(value, PSObject) else value
    if id(base) in above:
        return True
    inner = (*above, id(base))
    if isinstance(base, PSDictionary):
        named = value.type_names[:1] == (_PRIMITIVE_DICTIONARY,)
        return named and all(isinstance(key, str) and _holds_primitives(item, inner) for key, item in base.items())
    if isinstance(base, PSList):
        return type(base) in {PSList, PSEnumerable} and all(_holds_primitives(item, inner) for item in base)
    return value is None or (type(base) in TYPE_NAMES and type(base) not in {Int16, ScriptBlock, SecureString})


_PRIMITIVE_DICTIONARY: Final = "System.Management.Automation.PSPrimitiveDictionary"
_BUILDERS: Final[Mapping[str, Callable[[PSObject], PSObject | None]]] = {
    "System.Net.IPAddress": _ip_address,
    "System.Net.Mail.MailAddress": _mail_address,
    "System.Globalization.CultureInfo": _culture,
    "System.Management.Automation.SwitchParameter": _switch,
    "System.Management.Automation.PSCredential": _credential,
    _PRIMITIVE_DICTIONARY: _primitive_dictionary,
    "System.Security.Cryptography.X509Certificates.X500DistinguishedName": _distinguished_name,
}
_OF_TEXT: Final = frozenset((_ip_address, _mail_address))
"""What PowerShell makes of the text of anything, of a boxed value too; the others it makes of property bags only."""
