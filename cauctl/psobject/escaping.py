"""Characters of XML as .NET's writer puts them.

Rules kept here (numbers are those of the project's study of ConvertTo-Xml):

* In text ``&``, ``<`` and ``>`` are escaped; CR LF, CR and LF each become the line end asked for; the rest is raw
  (R6, R8).
* In attributes also ``"``, tab, CR and LF are escaped (R7).
* What XML 1.0 cannot hold is refused with .NET's message: control characters, U+FFFE, U+FFFF, lone surrogates
  (R10, R11).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["IllegalCharacterError", "attribute_text", "element_text", "is_plain"]

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL: Final = re.compile("[&<>\r\n\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKED: Final = b"&<>" + bytes(code for code in range(0x20) if code not in b"\t\n")
"""What an ASCII text may not hold if it is to stay as it is."""
_MARKED_OR_LF: Final = _MARKED + b"\n"
_NEWLINE: Final = re.compile("\r\n|\r|\n")
_USUAL: Final = 256
"""Most characters of a name that is remembered."""
_IN_ATTRIBUTE: Final = {'"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}


class IllegalCharacterError(ValueError):
    """A character that XML cannot hold; its text is .NET's message. Translated by who knows the place."""


def is_plain(text: str, newline: str) -> bool:
    """Tell quickly that a text is its own element text; False means only that it may not be."""
    if text.isascii():
        data = text.encode()
        return len(data.translate(None, _MARKED if newline == "\n" else _MARKED_OR_LF)) == len(data)
    return text.isprintable() and "&" not in text and "<" not in text and ">" not in text


def element_text(text: str, newline: str) -> str:
    """Escape the text of an element.

    Raises:
        IllegalCharacterError: XML cannot hold a character of it.
    """
    if not _SPECIAL.search(text):
        return text
    text = _legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _NEWLINE.sub(newline, text) if "\n" in text or "\r" in text else text


def attribute_text(text: str) -> str:
    """Escape the value of an attribute.

    Raises:
        IllegalCharacterError: XML cannot hold a character of it.
    """
    return _remembered(text) if len(text) <= _USUAL else _attribute_text(text)


def _attribute_text(text: str) -> str:
    text = _legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for raw, escaped in _IN_ATTRIBUTE.items():
        text = text.replace(raw, escaped)
    return text


_remembered = lru_cache(maxsize=4096)(_attribute_text)
"""Names and types come again and again."""


def _legal(text: str) -> str:
    """Give the text with surrogate pairs joined, or raise .NET's complaint about its first illegal character."""
    if not _ILLEGAL.search(text):
        return text
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    found = _ILLEGAL.search(text)
    if found is None:
        return text
    code, following = ord(found[0]), text[found.end() : found.end() + 1]
    if not 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  surrogates
        shown = found[0] if code else "."
        raise IllegalCharacterError(f"'{shown}', hexadecimal value 0x{code:02X}, is an invalid character.")
    if code >= 0xDC00:  # noqa: PLR2004  low surrogates begin here
        raise IllegalCharacterError(
            f"Invalid high surrogate character (0x{code:X}). "
            "A high surrogate character must have a value from range (0xD800 - 0xDBFF)."
        )
    if not following:
        raise IllegalCharacterError("The surrogate pair is invalid. Missing a low surrogate character.")
    raise IllegalCharacterError(
        f"The surrogate pair (0x{code:X}, 0x{_first_unit(following):X}) is invalid. A high surrogate character "
        "(0xD800 - 0xDBFF) must always be paired with a low surrogate character (0xDC00 - 0xDFFF)."
    )


def _first_unit(character: str) -> int:
    """First UTF-16 code unit of a character."""
    return int.from_bytes(character.encode("utf-16-le", "surrogatepass")[:2], "little")
