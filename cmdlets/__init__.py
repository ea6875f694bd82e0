"""The CAU cmdlets as Python functions: ``import cmdlets as cau``."""

__all__: list[str] = []
