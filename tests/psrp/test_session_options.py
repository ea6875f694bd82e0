"""Options of a connection do what they say: certificates, proxies, names and limits, seen from the node."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from cauctl.errors import AuthenticationError, InputError, NodeUnreachableError
from cauctl.lab.dispatch import CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.tls import LabAuthority
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.pipeline import native
from cauctl.psrp.session import NodeSession
from tests.psrp.nodes import SOON, serve


@pytest.fixture(scope="module")
def loop() -> Iterator[EndpointLoop]:
    """The loop of all nodes of this module."""
    with EndpointLoop() as running:
        yield running


def test_session_configuration_idle_timeout_and_account_reach_the_node(loop, tmp_path):
    options = {"configuration_name": "Contoso.Cau", "idle_timeout": timedelta(minutes=7)}
    with serve(loop, tmp_path, **options) as node, NodeSession(node.connection) as session:
        session.open(SOON)
        (shell,) = node.endpoint.shells
        assert shell.resource_uri.endswith("/powershell/Contoso.Cau")
        assert timedelta(minutes=7) == shell.idle_timeout
        assert "LAB\\admin" == shell.owner


def test_the_node_may_hold_a_request_as_long_as_is_said(loop, tmp_path):
    """And never longer than the deadline leaves."""
    with serve(loop, tmp_path, operation_timeout=timedelta(seconds=7), read_timeout=timedelta(seconds=9)) as node:
        held: list[float] = []

        def note(exchange: object) -> None:
            if exchange.action == "Receive":
                held.append(exchange.request.operation_timeout.total_seconds())

        node.endpoint.intercept(note)
        with NodeSession(node.connection) as session:
            session.open(SOON)
            opening = len(held)
            session.run(native("echo.exe", "a"), within=SOON)
            session.run(native("echo.exe", "a"), within=timedelta(seconds=3))
        long, short = held[opening], held[-1]
        assert 7 == long
        assert 2 < short <= 3


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that opens tunnels (CONNECT); gives its URL and the lines by which it was asked."""
    asked: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))
    sockets: list[socket.socket] = [listening]

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve_one(client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        line = head.partition(b"\r\n")[0].decode()
        asked.append(line)
        host, _, port = line.split()[1].partition(":")
        if host == "forbidden":
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        target = socket.create_connection((host, int(port)))
        sockets.append(target)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=pump, args=(target, client), daemon=True).start()
        pump(client, target)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                sockets.append(client)
                threading.Thread(target=serve_one, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
    finally:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def test_a_proxy_is_used_where_it_is_given(loop, tmp_path):
    """TLS ends at the node, not at the proxy."""
    with proxy() as (url, asked), serve(loop, tmp_path, proxy=url) as node, NodeSession(node.connection) as session:
        assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output
        assert ["CONNECT", f"127.0.0.1:{node.endpoint.port}"] == asked[0].split()[:2]


def test_a_proxy_that_refuses_sent_nothing():
    with proxy() as (url, _):
        connection = NodeConnection("N1", address="forbidden", proxy=url, credential=PSCredential("admin", "hunter2"))
        with pytest.raises(NodeUnreachableError, match="403 Forbidden"):
            NodeSession(connection).run(native("echo.exe", "a"), within=timedelta(seconds=1))


@pytest.fixture
def certificates(tmp_path) -> tuple[LabAuthority, Path]:
    """An authority, and a folder with its certificate and a client's certificate and key."""
    authority = LabAuthority.create()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    certificate, key = authority.issue("operator", client=True)
    (tmp_path / "me.pem").write_bytes(certificate)
    (tmp_path / "me.key").write_bytes(key)
    return authority, tmp_path


@contextmanager
def certified(loop: EndpointLoop, authority: LabAuthority) -> Iterator[NodeEndpoint]:
    credentials = Credentials(certificates={"operator": "LAB\\operator"}, schemes={"certificate"})
    tls = authority.server_context("N1")
    node = NodeEndpoint("N1", loop=loop, commands=CommandTable(), credentials=credentials, tls=tls)
    node.start()
    try:
        yield node
    finally:
        node.close()


def test_a_client_certificate_signs_in(loop, certificates):
    authority, folder = certificates
    with certified(loop, authority) as node:
        connection = NodeConnection(
            "N1",
            address="127.0.0.1",
            port=node.port,
            authentication="certificate",
            ca_file=folder / "ca.pem",
            client_certificate=folder / "me.pem",
            client_certificate_key=folder / "me.key",
        )
        with NodeSession(connection) as session:
            session.open(SOON)
            assert ["LAB\\operator"] == [shell.owner for shell in node.shells]


def test_a_client_certificate_of_nobody_is_refused(loop, certificates):
    authority, folder = certificates
    certificate, key = authority.issue("stranger", client=True)
    (folder / "me.pem").write_bytes(certificate + key)
    with certified(loop, authority) as node, pytest.raises(AuthenticationError):
        NodeSession(
            NodeConnection(
                "N1",
                address="127.0.0.1",
                port=node.port,
                authentication="certificate",
                ca_file=folder / "ca.pem",
                client_certificate=folder / "me.pem",
            )
        ).open(SOON)


def test_a_certificate_file_that_is_none_is_bad_input(tmp_path):
    (tmp_path / "me.pem").write_text("nothing")
    connection = NodeConnection("N1", authentication="certificate", client_certificate=tmp_path / "me.pem")
    with pytest.raises(InputError, match="client_certificate"):
        NodeSession(connection).open(SOON)


def test_a_name_that_is_not_found_is_said_to_be():
    """Looked up by the system, in a thread that the deadline does not wait for."""
    connection = NodeConnection("N1", address="no-such-host.invalid", credential=PSCredential("admin", "hunter2"))
    with pytest.raises(NodeUnreachableError, match=r"no-such-host\.invalid.*nothing was sent"):
        NodeSession(connection).open(timedelta(seconds=0.4))


def test_credssp_needs_its_package():
    connection = NodeConnection("N1", authentication="credssp", credential=PSCredential("admin", "hunter2"))
    with pytest.raises(InputError, match="requests-credssp"):
        NodeSession(connection).open(timedelta(seconds=1))
