"""Parameter values on their way to a node: from Python's to PowerShell's.

Rules kept here:

* A text arrives as it was given, character by character: quotes, ``;``, ``$(…)``, control characters and lone
  surrogates included. What CLIXML cannot carry (U+FFFE and U+FFFF) is refused.
* ``int`` is Int32, Int64 or UInt64, whichever is the first that fits; a ``dict`` is a Hashtable; a list or tuple is an
  ``Object[]``; an enum goes by its value, which for Microsoft's enums is the name. Values of :mod:`cauctl.psobject` go
  as they are. Anything else is refused.
* A password leaves only sealed with the session's key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential, Secret
from cauctl.psobject import PSObject, SecureString, UInt64, array, hashtable

__all__ = ["Seal", "to_wire"]

Seal = Callable[[str], str]
"""Encrypts a text with the session's key and gives its text form."""

_CREDENTIAL: Final = "System.Management.Automation.PSCredential"
_DEEPEST: Final = 32
_INT64_END, _UINT64_END = 1 << 63, 1 << 64


def to_wire(value: Any, *, seal: Seal) -> Any:
    """Give ``value`` as the writer of CLIXML takes it.

    Args:
        value: what to send.
        seal: encrypts secrets.

    Raises:
        InputError: the value, or one inside of it, cannot be sent; what no type of .NET holds, the writer refuses.
    """
    return _outgoing(value, seal, _DEEPEST)


def _outgoing(value: Any, seal: Seal, depth: int) -> Any:
    if depth == 0:
        raise InputError("the value is nested too deeply", expected=f"at most {_DEEPEST} levels")
    if isinstance(value, PSCredential):
        secret = SecureString(_seal(value.password, seal))
        members = {"UserName": _text(value.user_name), "Password": secret}
        return PSObject(type_names=(_CREDENTIAL, "System.Object"), text=_CREDENTIAL, adapted=members)
    if isinstance(value, Secret):
        return SecureString(_seal(value.text, seal))
    if isinstance(value, SecureString):
        raise InputError("a SecureString that was read cannot be sent on", expected="a Secret or a PSCredential")
    if isinstance(value, Enum):
        return _outgoing(value.value, seal, depth - 1)
    if isinstance(value, Mapping):
        entries = ((_outgoing(key, seal, depth - 1), _outgoing(item, seal, depth - 1)) for key, item in value.items())
        return hashtable(entries)
    if isinstance(value, list | tuple):
        return array(_outgoing(item, seal, depth - 1) for item in value)
    return _plain(value)


def _plain(value: Any) -> Any:
    if type(value) is str:
        return _text(value)
    if type(value) is int and _INT64_END <= value < _UINT64_END:
        return UInt64(value)
    return value


def _text(text: str) -> str:
    for character in "\ufffe\uffff":
        if character in text:
            raise InputError(f"the text holds U+{ord(character):04X}, which CLIXML cannot carry")
    return text


def _seal(text: str, seal: Seal) -> str:
    try:
        text.encode("utf-16-le")
    except UnicodeEncodeError:
        # The text itself must not appear in the error, nor in its cause.
        raise InputError("the secret holds half of a surrogate pair", expected="whole characters") from None
    return seal(text)
