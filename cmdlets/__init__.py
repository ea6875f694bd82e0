"""The CAU cmdlets as Python functions: ``import cmdlets as cau``."""

from cmdlets.convert_to_xml import convert_to_xml

__all__ = [
    "convert_to_xml",
]
