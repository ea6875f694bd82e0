"""Where PowerShell itself fails or dies: an error that says so in its words.

``error_id`` is PowerShell's FullyQualifiedErrorId; ``powershell_type`` and ``powershell_message`` are its exception's.
"""

from __future__ import annotations

from cauctl.errors import InputError

__all__ = ["ConversionError"]


class ConversionError(InputError):
    """A value that PowerShell's command cannot convert either.

    Args:
        message: PowerShell's message.
        powershell_type: the .NET exception that PowerShell reports.
        command: class of PowerShell's command.
        where: path of the value, such as ``record 2: Node.Name``.
        error_id: first part of PowerShell's id, where it is not the exception's type.
        advice: which rule this is and what to do about it.
    """

    def __init__(  # noqa: PLR0913  an error record has these fields
        self,
        message: str,
        *,
        powershell_type: str,
        command: str,
        where: str | None = None,
        advice: str | None = None,
        error_id: str | None = None,
    ) -> None:
        self.powershell_type, self.powershell_message, self.command = powershell_type, message, command
        super().__init__(message, where=where, advice=advice, error_id=f"{error_id or powershell_type},{command}")
