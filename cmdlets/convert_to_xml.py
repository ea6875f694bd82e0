"""ConvertTo-Xml: objects as PowerShell's XML, to the byte.

The function is :func:`cauctl.psobject.convert_to_xml` itself: its parameters are PowerShell's in snake_case, and what a
PowerShell session holds besides (culture, line end, time zone, edition).
"""

from cauctl.psobject.convertxml import convert_to_xml

__all__ = ["convert_to_xml"]
