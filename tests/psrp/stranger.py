"""A server that is no WinRM: takes requests over TLS and answers as a test says."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from cauctl.lab.wsman.tls import LabAuthority
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection

Behaviour = Callable[[ssl.SSLSocket], None]
"""What is done with a connection once a request has been read from it."""


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole HTTP answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/soap+xml", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def says(answer: bytes) -> Behaviour:
    """Send ``answer`` and nothing else."""
    return lambda connection: connection.sendall(answer)


class Stranger:
    """Listens on loopback until the context is left; ``requests`` holds what was received."""

    def __init__(self, folder: Path, *behaviours: Behaviour, certificate_for: str = "127.0.0.1") -> None:
        authority = LabAuthority.create("strangers")
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(authority.pem)
        self._tls = authority.server_context(certificate_for, alternatives=())
        self._behaviours = list(behaviours)
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in [self._listening, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join(5)

    def connection(self, **options: object) -> NodeConnection:
        """How to reach it."""
        return NodeConnection(
            "N1",
            **{
                "address": "127.0.0.1",
                "port": self._listening.getsockname()[1],
                "authentication": "basic",
                "credential": PSCredential("admin", "hunter2"),
                "ca_file": self.ca_file,
                **options,
            },
        )

    def _serve(self) -> None:
        """Serve one connection after the other, each request by the next behaviour; the last one stays."""
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(accepted)
            with suppress(OSError), self._tls.wrap_socket(accepted, server_side=True) as connection:
                self._open.append(connection)
                while request := self._read(connection):
                    self.requests.append(request)
                    behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    behaviour(connection)

    @staticmethod
    def _read(connection: ssl.SSLSocket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        match = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while match and len(body) < int(match[1]):
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body
