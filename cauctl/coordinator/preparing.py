"""What is performed on a node beside updating it: the user's scripts, and the firewall rules for remote shutdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.coordinator.actions import AllowRestarts, RunScript
from cauctl.coordinator.events import RestartsAllowed, ScriptRan
from cauctl.errors import NodeError

if TYPE_CHECKING:
    from cauctl.coordinator.actions import Call
    from cauctl.coordinator.events import Event
    from cauctl.coordinator.performer import Ports

__all__ = ["prepare"]


def prepare(ports: Ports, call: Call) -> Event:
    """Perform the call and give the event that answers it; the lock is the caller's to look at."""
    action = call.action
    if isinstance(action, AllowRestarts):
        were_off = ports.node.allow_remote_restart(action.node)
        return RestartsAllowed(ports.clock.now(), call=call.number, node=action.node, were_off=were_off)
    if not isinstance(action, RunScript):
        raise TypeError(action)
    if ports.scripts is None:
        raise NodeError(f"{action.node}: this coordinator has no way to run scripts.", node=action.node)
    outcome = ports.scripts.run(action.node, action.script, within=action.within)
    return ScriptRan(ports.clock.now(), call=call.number, node=action.node, place=action.place, outcome=outcome)
