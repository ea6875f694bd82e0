"""What to do when nobody answers: look whether WinRM's other port does.

Nothing is sent there; a TCP connection is made and closed.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cauctl.psrp.connection import HTTP_PORT, HTTPS_PORT
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.lookup import addresses

if TYPE_CHECKING:
    from cauctl.errors import TransportError
    from cauctl.psrp.connection import NodeConnection

__all__ = ["add_port_advice", "listens"]

_PROBE_SECONDS: Final = 0.5
_ONLY_HTTP: Final = (
    f"Only port {HTTP_PORT} (HTTP) answers. Give the node an HTTPS listener (winrm quickconfig -transport:https), or"
    " allow HTTP with encrypted messages (tls=False in Python, tls = false in clusters.toml) with negotiate, kerberos"
    " or ntlm. Basic authentication is refused there, as it would send the password in clear."
)
_ONLY_HTTPS: Final = f"Port {HTTPS_PORT} (HTTPS) answers: leave tls and port as they are by default."


def add_port_advice(error: TransportError, connection: NodeConnection) -> None:
    """Add to ``error`` what the node's other port suggests; leave it alone where nothing does."""
    if error.advice or connection.proxy:
        return
    other, advice = (HTTP_PORT, _ONLY_HTTP) if connection.tls else (HTTPS_PORT, _ONLY_HTTPS)
    usual = HTTPS_PORT if connection.tls else HTTP_PORT
    if connection.port == usual and listens(connection.address, other):
        error.advice = advice


def listens(address: str, port: int, seconds: float = _PROBE_SECONDS) -> bool:
    """Tell whether something accepts TCP connections there; the answer takes ``seconds`` in all, the name included."""
    deadline = Deadline.after(seconds)
    try:
        found = addresses(address, port, deadline) or []
    except OSError:
        return False
    for family, kind, protocol, _, target in found:
        with socket.socket(family, kind, protocol) as probe, suppress(OSError):
            probe.settimeout(max(deadline.remaining, 0.01))
            probe.connect(target)
            return True
        if deadline.passed:
            break
    return False
