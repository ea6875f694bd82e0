"""The text of values that are more than primitives: ``ToString()``, ``@{…}`` and joined items.

Rules kept here (R44, R49, R55 of the project's study of ConvertTo-Xml):

* :meth:`ObjectText.to_string` is ``Value.ToString()``, as note elements and CSV fields show it: an object's stored text
  if it has one, ``@{a=1; b=2}`` for a property bag, the items joined by one space for a list or a byte array that is
  wrapped in a PSObject (one that was read, or has notes), the type name for other containers.
* Within ``@{…}`` and joined lists numbers have 15 and 7 digits, a nested bag without stored text prints nothing and a
  nested container prints its type name.
* An enum prints its name: a live one the member's, one that was read its stored text.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from cauctl.psobject.members import ENUM_TEXT, base_type, has_enum_text, is_bag, properties
from cauctl.psobject.native import powershell_value
from cauctl.psobject.nettext import TextStyle
from cauctl.psobject.objects import PSList, PSObject
from cauctl.psobject.values import XmlDocument

__all__ = ["ObjectText"]

_SCRIPT_TYPE: Final = "System.Management.Automation.PSScriptProperty"
"""What ``@{…}`` shows of a script property, which it does not run."""

_DOCUMENT: Final = "#document"
"""What an XmlDocument is called that is wrapped in a PSObject, or an item of a joined list."""


@frozen
class ObjectText:
    """Texts of values in one style."""

    style: TextStyle

    def to_string(self, value: Any) -> str:
        """Give ``Value.ToString()`` of any value but null."""
        printer = self.style.printers.get(type(value))
        if printer is not None:
            return printer(value)
        held = powershell_value(value)
        if not isinstance(held, PSObject):
            return self.style.text(held)
        if held.text is None and isinstance(held.base, PSList | bytes) and _is_wrapped(held):
            return " ".join(map(self._joined, held.base))
        if held.text is None and is_bag(held):
            return self.bag_text(held)
        return self._inner_object(held)

    def bag_text(self, value: PSObject) -> str:
        """Give ``@{a=1; b=2}`` over the properties; the empty text where there are none."""
        by_script = ENUM_TEXT if has_enum_text(value) else None
        if by_script and not value.extended and value.adapted is None:
            return ""
        shown = "; ".join(
            f"{name}={_SCRIPT_TYPE if name == by_script else self._in_bag(item)}" for name, item, _ in properties(value)
        )
        return f"@{{{shown}}}" if shown else ""

    def object_text(self, value: PSObject) -> str:
        """Give the text of an object at the depth limit: its stored one, or ``@{…}`` of a bag without."""
        if value.text is not None:
            return value.text
        return self.bag_text(value) if is_bag(value) else base_type(value)

    def _in_bag(self, value: Any) -> str:
        """Give the text of a value within ``@{…}``."""
        held = powershell_value(value)
        if held is None:
            return ""
        return self._inner_object(held) if isinstance(held, PSObject) else self.style.string(held)

    def _joined(self, value: Any) -> str:
        """Give the text of an item within a joined list."""
        held = powershell_value(value)
        return _DOCUMENT if isinstance(held, XmlDocument) else self._in_bag(held)

    def _inner_object(self, value: PSObject) -> str:
        if value.text is not None:
            return value.text
        if isinstance(value.base, XmlDocument):
            return _DOCUMENT
        if value.base is not None and not value.is_container:
            return self.style.string(value.base)
        return "" if is_bag(value) else base_type(value)


def _is_wrapped(value: PSObject) -> bool:
    """Tell whether a container reaches PowerShell as a PSObject: one that was read, or has members of its own."""
    return value.deserialized or bool(value.extended)
