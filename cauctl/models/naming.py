"""The two spellings of a name: PowerShell's and Python's.

``RebootTimeoutMinutes`` and ``reboot_timeout_minutes`` name the same thing; Microsoft's documentation is searched with
the first, Python code uses the second.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["pascal_case", "snake_case"]

_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """Give the Python spelling of a PowerShell name."""
    return _BOUNDARY.sub("_", name).lower()


def pascal_case(name: str) -> str:
    """Give the PowerShell spelling of a Python name; no name of CAU's cmdlets holds an abbreviation in capitals."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
