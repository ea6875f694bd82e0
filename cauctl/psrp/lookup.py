"""The addresses of a node's name, within a deadline."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cauctl.psrp.deadline import Deadline

__all__ = ["SocketAddress", "addresses"]

SocketAddress = tuple[int, int, int, str, Any]
"""One answer of ``getaddrinfo``: family, kind, protocol, canonical name, where to connect to."""


def addresses(host: str, port: int, deadline: Deadline) -> list[SocketAddress] | None:
    """Look up ``host``; None when the deadline passed first.

    The system's call cannot be interrupted, so a thread of its own waits for it.
    """
    try:
        numeric = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        numeric = None
    if numeric is not None:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    found: list[list[SocketAddress] | OSError] = []

    def look_up() -> None:
        try:
            found.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            found.append(error)
        except UnicodeError as error:
            found.append(OSError(str(error)))

    thread = threading.Thread(target=look_up, name=f"look up {host}", daemon=True)
    thread.start()
    thread.join(deadline.remaining)
    if not found:
        return None
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
