"""Nodes of the lab's endpoint with one program, ``work.exe``, that writes into the node's books what it ran."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from cauctl.lab.dispatch import BoundCall, CommandContext, CommandError, CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.tls import LabAuthority
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection

__all__ = ["PASSWORD", "WAYS", "Books", "ChaosNode", "serve"]

WAYS: Final = ("basic over TLS", "ntlm over TLS", "ntlm over HTTP")
"""Nodes take turns; over HTTP every message is sealed."""
USER, PASSWORD = "LAB\\admin", "hunter2"


@define
class Books:
    """What the nodes themselves say they ran: the truth that clients are measured by."""

    ran: Counter[tuple[str, str]] = field(factory=Counter)
    """How often each node began the work of each marker."""
    _lock: threading.Lock = field(factory=threading.Lock, repr=False)

    def note(self, node: str, marker: str) -> None:
        """Write down that a node begins."""
        with self._lock:
            self.ran[node, marker] += 1

    def times(self, node: str, marker: str) -> int:
        """How often the work of ``marker`` began on ``node``; a thousand when it began on another one."""
        stray = sum(count for (other, found), count in self.ran.items() if found == marker and other != node)
        return self.ran[node, marker] + 1000 * stray


@define
class ChaosNode:
    """A node and how to reach it."""

    endpoint: NodeEndpoint
    connection: NodeConnection
    way: str


def serve(loop: EndpointLoop, number: int, *, authority: LabAuthority, ca_file: Path, books: Books) -> ChaosNode:
    """Make a node and have it listen."""
    name, way = f"N{number:02}", WAYS[number % len(WAYS)]
    tls = way.endswith("TLS")
    scheme = "basic" if way.startswith("basic") else "negotiate"
    endpoint = NodeEndpoint(
        name,
        loop=loop,
        commands=_programs(name, books),
        credentials=Credentials({USER: PASSWORD}, schemes={scheme}, require_encryption=not tls),
        tls=authority.server_context(name) if tls else None,
    )
    endpoint.start()
    connection = NodeConnection(
        name,
        address="127.0.0.1",
        port=endpoint.port,
        tls=tls,
        authentication=way.partition(" ")[0],
        credential=PSCredential(USER, PASSWORD),
        ca_file=ca_file if tls else None,
        connect_timeout=timedelta(seconds=2),
        operation_timeout=timedelta(seconds=3),
        read_timeout=timedelta(seconds=5),
    )
    return ChaosNode(endpoint, connection, way)


def _programs(node: str, books: Books) -> CommandTable:
    programs = CommandTable()

    @programs.native("work.exe")
    def work(ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
        marker, kind, *rest = call.arguments
        books.note(node, str(marker))
        match kind:
            case "echo":
                yield from rest
            case "count":
                yield from range(int(rest[0]))
            case "trickle":
                for number in range(int(rest[0])):
                    ctx.sleep(timedelta(milliseconds=int(rest[1])))
                    yield number
            case "wait":
                ctx.sleep(timedelta(minutes=10))
            case _:
                raise CommandError(str(marker), error_id="AsAsked", category="InvalidOperation")

    return programs
