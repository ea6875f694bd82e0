"""ShouldProcess: what -WhatIf and -Confirm do to a call, in a session that cannot ask anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cauctl.lab.dispatch import CommandError

if TYPE_CHECKING:
    from cauctl.lab.binder.bind import Binding
    from cauctl.lab.dispatch import BoundCall

__all__ = ["should_process"]

_ASKS: Final = "High"
"""Impact from which PowerShell asks by itself ($ConfirmPreference)."""


def should_process(binding: Binding, call: BoundCall) -> bool:
    """Tell whether the command is to act.

    Raises:
        CommandError: somebody would have to be asked.
    """
    impact = binding.metadata.confirm_impact
    if impact is None:
        return True
    if call.common.get("WhatIf"):
        return False
    confirm = call.common.get("Confirm")
    asks = impact == _ASKS and not call.switch("Force") if confirm is None else bool(confirm)
    if not asks:
        return True
    raise _nobody_to_ask(call.command, compiled=binding.metadata.compiled)


def _nobody_to_ask(command: str, *, compiled: bool) -> CommandError:
    reason = (
        "A command that prompts the user failed because the host program or the command type does not support user "
        "interaction. The host was attempting to request confirmation with the following message: Are you sure you "
        f'want to perform this action?\nPerforming the operation "{command}" on target "{command}".'
    )
    if compiled:
        return CommandError(
            reason,
            error_id="HostException",
            category="NotImplemented",
            exception_type="System.Management.Automation.Host.HostException",
        )
    return CommandError(
        f'Exception calling "ShouldProcess" with "1" argument(s): "{reason}"',
        error_id="HostException,",
        category="NotSpecified",
        exception_type="System.Management.Automation.MethodInvocationException",
    )
