"""A node of the lab's endpoint with a few programs that tests of the PSRP layer need, and connections to it."""

from __future__ import annotations

import select
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypsrp.wsman
from attrs import define, field

from cauctl.lab.dispatch import BoundCall, CommandContext, CommandError, CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.service import Quotas
from cauctl.lab.wsman.tls import LabAuthority
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.session import NodeSession

WAYS = ("basic over TLS", "negotiate over TLS", "negotiate over HTTP")
"""How a node can be reached; over HTTP every message is sealed."""
USER, PASSWORD = "LAB\\admin", "hunter2"
SOON = timedelta(seconds=20)
"""A deadline that no test should ever come near."""


@define
class Node:
    """A node, how to reach it, and what its programs have seen."""

    endpoint: NodeEndpoint
    connection: NodeConnection
    runs: Counter[str] = field(factory=Counter)
    """How often each program was started."""
    waiting: threading.Event = field(factory=threading.Event)
    """Set while ``wait.exe`` runs."""

    def raw(self, **options: Any) -> pypsrp.wsman.WSMan:
        """A WSMan of bare pypsrp to the same node."""
        connection = self.connection
        return pypsrp.wsman.WSMan(
            connection.address,
            **{
                "port": connection.port,
                "ssl": connection.tls,
                "auth": connection.authentication.value,
                "username": USER,
                "password": PASSWORD,
                "cert_validation": str(connection.ca_file) if connection.tls else True,
                "no_proxy": True,
                **options,
            },
        )


def sees_its_connection_end(session: NodeSession) -> None:
    """Wait until the node's end of the connection has reached us: sending before it has is of unknown fate."""
    assert session._shell is not None
    readable, _, _ = select.select([session._shell._wsman.transport.line._handle], [], [], 5)
    assert readable


@contextmanager
def serve(
    loop: EndpointLoop, folder: Path, way: str = WAYS[0], *, quotas: Quotas | None = None, **options: Any
) -> Iterator[Node]:
    """Run a node until the context is left."""
    authority = LabAuthority.create()
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority.pem)
    tls = way.endswith("TLS")
    scheme = way.partition(" ")[0]
    programs = CommandTable()
    endpoint = NodeEndpoint(
        "N1",
        loop=loop,
        commands=programs,
        credentials=Credentials({USER: PASSWORD}, schemes={scheme}, require_encryption=not tls),
        tls=authority.server_context("N1") if tls else None,
        quotas=quotas,
    )
    connection = NodeConnection(
        "N1",
        **{
            "address": "127.0.0.1",
            "port": endpoint.port,
            "tls": tls,
            "authentication": scheme,
            "credential": PSCredential(USER, PASSWORD),
            "ca_file": ca_file if tls else None,
            **options,
        },
    )
    node = Node(endpoint, connection)
    _install(programs, node)
    endpoint.start()
    try:
        yield node
    finally:
        endpoint.close()


def _install(programs: CommandTable, node: Node) -> None:
    @programs.native("echo.exe")
    def echo(_: CommandContext, call: BoundCall) -> Iterator[Any]:
        node.runs["echo.exe"] += 1
        yield from call.arguments

    @programs.native("count.exe")
    def count(_: CommandContext, call: BoundCall) -> Iterator[Any]:
        node.runs["count.exe"] += 1
        yield from range(int(call.arguments[0]))

    @programs.native("trickle.exe")
    def trickle(ctx: CommandContext, call: BoundCall) -> Iterator[Any]:
        for number in range(int(call.arguments[0])):
            ctx.sleep(timedelta(milliseconds=int(call.arguments[1])))
            yield number

    @programs.native("wait.exe")
    def wait(ctx: CommandContext, _: BoundCall) -> Iterator[Any]:
        node.runs["wait.exe"] += 1
        yield "started"
        node.waiting.set()
        try:
            ctx.sleep(timedelta(minutes=10))
        finally:
            node.waiting.clear()

    @programs.native("fail.exe")
    def fail(_: CommandContext, __: BoundCall) -> Iterator[Any]:
        yield "before"
        raise CommandError(
            "It broke.",
            error_id="Broke",
            category="InvalidOperation",
            exception_type="System.IO.IOException",
            target="C:",
            hresult=0x80070070,
        )

    @programs.native("complain.exe")
    def complain(ctx: CommandContext, _: BoundCall) -> Iterator[Any]:
        yield 1
        ctx.warning("watch out")
        for number in (1, 2):
            ctx.error(CommandError(f"Disk {number} is full.", error_id=f"DiskFull{number}", category="WriteError"))
        yield 2
