"""What bad weather showed: answers that break off in their headers, handshakes cut in two, sessions hard to remove."""

from __future__ import annotations

import base64
import re
import ssl
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cauctl.errors import FateUnknownError, NodeUnreachableError, OperationCancelledError
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.wire import Break, Substitute, WireMode
from cauctl.psrp.pipeline import native
from cauctl.psrp.session import NodeSession
from tests.psrp.nodes import SOON, Node, sees_its_connection_end, serve
from tests.psrp.stranger import Stranger, says

GRACE = 0.5


@pytest.fixture(scope="module")
def loop() -> Iterator[EndpointLoop]:
    """The loop of all nodes of this module."""
    with EndpointLoop() as running:
        yield running


@pytest.fixture
def node(loop, tmp_path) -> Iterator[Node]:
    """A node behind HTTPS."""
    with serve(loop, tmp_path) as served:
        yield served


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "401 Unauthorized", "503 Service Unavailable"])
def test_an_answer_that_ends_within_its_headers_is_no_answer(node, status):
    """http.client takes it for a whole one without a body: a refused credential, a node that ran nothing."""
    with NodeSession(node.connection) as session:
        session.open(SOON)
        node.endpoint.intercept(
            lambda exchange: (
                Substitute(f"HTTP/1.1 {status}\r\nServer: Mic".encode()) if exchange.action == "Command" else None
            )
        )
        with pytest.raises(FateUnknownError, match="ended within its headers"):
            session.run(native("echo.exe", "a"), within=SOON)


_FIELDS = struct.pack("<IHHII8s8sHHI8s", 2, 0, 0, 56, 0x00028201, b"01234567", b"", 4, 4, 56, b"")
CHALLENGE = base64.b64encode(b"NTLMSSP\0" + _FIELDS + bytes(4)).decode()
"""A challenge of NTLM, [MS-NLMP] 2.2.1.2, with an empty target."""


def refuses(header: str) -> bytes:
    return f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {header}\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_handshake_that_was_cut_in_two_is_no_refused_credential(tmp_path):
    """A node authenticates a connection: one that restarts in between refuses whatever comes over the next one."""

    def challenge_and_leave(connection: ssl.SSLSocket) -> None:
        connection.sendall(refuses(f"NTLM {CHALLENGE}"))
        connection.close()

    behaviours = (says(refuses("NTLM")), challenge_and_leave, says(refuses("NTLM")))
    with Stranger(tmp_path, *behaviours) as stranger:
        session = NodeSession(stranger.connection(authentication="ntlm"))
        with pytest.raises(NodeUnreachableError, match="broke while we signed in; nothing ran"):
            session.open(SOON, insist=False)
        tokens = [re.search(rb"Authorization: NTLM (\S+)", request) for request in stranger.requests]
        assert [None, 1, 3] == [token and base64.b64decode(token[1])[8] for token in tokens]


def test_a_session_that_could_not_be_closed_is_removed_when_the_node_answers_again(node):
    session = NodeSession(node.connection)
    session.open(SOON)
    node.endpoint.refuse()
    sees_its_connection_end(session)
    session.close()
    assert 1 == len(node.endpoint.shells)
    node.endpoint.start()
    session.open(SOON)
    assert 1 == len(node.endpoint.shells)
    session.close()
    assert () == node.endpoint.shells


def test_a_session_that_could_not_be_removed_is_removed_later(node):
    """However often removing it fails."""
    session = NodeSession(node.connection)
    session.open(SOON)
    node.endpoint.cut(Break.BEFORE, action="Delete", times=2)
    for _ in range(2):
        node.endpoint.cut(Break.BEFORE, action="Command")
        with pytest.raises(FateUnknownError):
            session.run(native("wait.exe"), within=SOON)
    session.close()
    assert () == node.endpoint.shells


def test_an_error_does_not_say_in_one_breath_that_nothing_and_something_was_sent(node):
    """The last request was not sent; the pipeline was."""
    with NodeSession(node.connection) as session:
        session.open(SOON)

        def leave(_: list) -> None:
            node.endpoint.refuse()
            sees_its_connection_end(session)

        with pytest.raises(FateUnknownError) as caught:
            session.run(native("wait.exe"), within=SOON, on_output=leave)
        address = f"127.0.0.1:{node.connection.port}"
        assert (
            f"N1: {address} refused the connection. But the pipeline had been started before." == caught.value.message
        )
        node.endpoint.start()


def test_closing_gives_a_hanging_node_up(node, monkeypatch):
    """After two seconds, which are shortened here; what is left there is removed when it answers again."""
    monkeypatch.setattr("cauctl.psrp.session._LONGEST_CLEAN_UP", 0.2)
    session = NodeSession(node.connection)
    session.open(SOON)
    node.endpoint.mode = WireMode.HANGING
    begin = time.monotonic()
    session.close()
    assert 0.2 <= time.monotonic() - begin < 0.2 + GRACE
    node.endpoint.mode = WireMode.SERVING
    session.open(SOON)
    session.close()
    assert () == node.endpoint.shells


# Leaving


def test_a_retired_session_ends_what_runs_refuses_what_waits_and_stays_closed(node):
    session = NodeSession(node.connection)
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(session.run, native("wait.exe"), within=SOON)
        assert node.waiting.wait(5)
        waiting = pool.submit(session.run, native("echo.exe", "a"), within=SOON)
        session.retire()
        assert isinstance(running.exception(1), OperationCancelledError)
        assert isinstance(waiting.exception(1), OperationCancelledError)
    with pytest.raises(OperationCancelledError, match="was closed; nothing was sent"):
        session.run(native("echo.exe", "a"), within=SOON)
    assert () == node.endpoint.shells
    assert 0 == node.runs["echo.exe"]


def test_retiring_an_idle_session_removes_it(node):
    session = NodeSession(node.connection)
    session.open(SOON)
    session.retire()
    assert () == node.endpoint.shells
    session.close()


def test_a_hanging_node_holds_retiring_no_longer_than_a_second(node):
    session = NodeSession(node.connection)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(session.run, native("wait.exe"), within=SOON)
        assert node.waiting.wait(5)
        node.endpoint.mode = WireMode.HANGING
        begin = time.monotonic()
        session.retire()
        assert time.monotonic() - begin < 1 + GRACE
        assert isinstance(running.exception(1), OperationCancelledError)


def test_an_interrupt_does_not_wait_for_a_node_that_hangs(node):
    """Ctrl-C raises KeyboardInterrupt wherever the main thread is, here where it takes output."""
    session = NodeSession(node.connection)

    def interrupt(_: list) -> None:
        node.endpoint.mode = WireMode.HANGING
        raise KeyboardInterrupt

    session.open(SOON)
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.run(native("wait.exe"), within=SOON, on_output=interrupt)
    assert time.monotonic() - begin < 0.5 + GRACE
    assert not session.is_open
