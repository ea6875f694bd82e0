"""The private names of pypsrp, requests and urllib3 that the layer leans on: each test fails when one of them moves.

Nothing here needs a node: a test that fails here after an update of a package says which hook is gone.
"""

from __future__ import annotations

import http.client
import inspect
import io
import logging
import socket
import xml.etree.ElementTree as ET
from typing import Any

import pypsrp.wsman
import pytest
import requests
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
from pypsrp.messages import Destination, GetAvailableRunspaces, Message, WarningRecord
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.powershell import Fragment, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.shell import SignalCode, WinRS

from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.transport import NodePool, NodeTransport, NodeWSMan, pack_creation, select_shell
from cauctl.psrp.wire import Line, NodeAdapter

CONNECTION = NodeConnection(
    "N1", address="127.0.0.1", authentication="basic", credential=PSCredential("admin", "hunter2")
)


class Recorder(NodeTransport):
    """A transport whose requests end one step before the socket, and are answered as the envelope asks."""

    def __init__(self, connection: NodeConnection) -> None:
        super().__init__(connection)
        self.sent: list[ET.Element] = []
        self.deadline = Deadline.after(60)

    def _send_request(self, request: requests.PreparedRequest, timeout: Any = None) -> bytes:  # noqa: ARG002  the hook's signature
        envelope = ET.fromstring(request.body)
        self.sent.append(envelope)
        message_id = envelope.findtext("{*}Header/{*}MessageID")
        return (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/'
            f'08/addressing"><s:Header><a:RelatesTo>{message_id}</a:RelatesTo></s:Header><s:Body/></s:Envelope>'
        ).encode()


@pytest.fixture
def wsman() -> NodeWSMan:
    """A WSMan that records."""
    made = NodeWSMan(CONNECTION)
    made.transport = Recorder(CONNECTION)
    return made


def test_wsman_sends_by_its_transport_attribute_through_both_overridden_methods(wsman):
    """``WSMan.transport`` can be replaced; ``send`` asks ``_build_session`` and ends in ``_send_request``."""
    wsman.get("uri")
    session = wsman.transport.session
    assert isinstance(session, requests.Session)
    assert isinstance(session.get_adapter("https://x"), NodeAdapter)
    assert not session.trust_env
    assert 1 == len(wsman.transport.sent)


def test_the_transport_keeps_session_and_encryption_where_reset_clears_them(wsman):
    wsman.get("uri")
    assert wsman.transport.encryption is None
    wsman.transport.reset()
    assert wsman.transport.session is None
    wsman.get("uri")
    assert wsman.transport.session is not None


@pytest.mark.parametrize("authentication", ["basic", "negotiate"])
@pytest.mark.parametrize("body", [None, b"<x/>"])
def test_requests_are_prepared_as_requests_prepares_them(authentication, body):
    """URL, headers and cookies are worked out once; the rest, and what authentication hooks in, for each request."""
    session = NodeTransport(CONNECTION.evolve(authentication=authentication))._build_session()
    own = {} if body is None else {"Content-Type": "application/soap+xml;charset=UTF-8"}
    request = requests.Request("POST", "https://127.0.0.1:5986/wsman", data=body, headers=own)
    expected = vars(requests.Session.prepare_request(session, request))
    for _ in range(2):
        assert expected == vars(session.prepare_request(request))
    session.cookies.set("a", "b")
    assert "a=b" == session.prepare_request(request).headers["Cookie"]


def test_messages_are_sealed_exactly_where_tls_does_not(wsman):
    """``wrap_required`` says so, and ``wrap_message`` and ``unwrap_message`` do it."""
    assert not wsman.transport.wrap_required
    assert NodeTransport(CONNECTION.evolve(tls=False, port=0, authentication="negotiate")).wrap_required
    assert {"wrap_message", "unwrap_message"} <= set(dir(pypsrp.wsman.WinRMEncryption))


def test_a_receive_is_told_apart_by_its_retries(wsman):
    """Our ``receive`` asks for one; no other request does, so no other is repeated."""
    seen = []

    class Telling(Recorder):
        def send(self, message: bytes, *, retries_on_read_timeout: int = 0, timeout: Any = None) -> bytes:
            seen.append((retries_on_read_timeout, timeout))
            return super().send(message, retries_on_read_timeout=retries_on_read_timeout, timeout=timeout)

    wsman.transport = Telling(CONNECTION)
    body = ET.Element("x")
    wsman.receive("uri", body, timeout=5)
    wsman.receive("uri", body)
    for method in (wsman.command, wsman.create, wsman.send, wsman.signal, wsman.delete):
        method("uri", body)
    assert [(1, 7), (1, None), *[(0, None)] * 5] == seen


def test_a_fraction_of_a_second_is_a_timeout_that_wsman_writes(wsman):
    wsman.receive("uri", ET.Element("x"), timeout=0.5)
    assert "PT0.5S" == wsman.transport.sent[0].findtext("{*}Header/{*}OperationTimeout")


def test_a_shell_is_addressed_by_its_selectors(wsman):
    """``WinRS._selector_set`` and ``opened`` make a shell that another WSMan opened usable."""
    shell = WinRS(wsman, resource_uri="uri", id="SHELL-1")
    select_shell(shell, "SHELL-1")
    shell.signal(SignalCode.PS_CTRL_C, "COMMAND-1")
    shell.close()
    signal, delete = wsman.transport.sent
    assert {"ShellId": "SHELL-1"} == {each.get("Name"): each.text for each in signal.iter("{*}Selector")} | {
        each.get("Name"): each.text for each in signal.findall("{*}Header/{*}SelectorSet/{*}Selector")
    }
    assert "SHELL-1" == delete.findtext("{*}Header/{*}SelectorSet/{*}Selector")


def test_messages_are_numbered_with_those_of_the_pool(wsman):
    """``RunspacePool._fragmenter`` counts one object id for each message, and knows the room of a fragment."""
    pool = RunspacePool(wsman)
    pipeline_id = "12345678-1234-5678-1234-567812345678"
    (theirs,) = pool._fragmenter.fragment(GetAvailableRunspaces(ci=1), pool.id, pipeline_id)
    (first,), (second,), (third,) = (pack_creation(pool, "<S>x</S>", pipeline_id) for _ in range(3))
    (last,) = pool._fragmenter.fragment(GetAvailableRunspaces(ci=1), pool.id, pipeline_id)
    assert [1, 2, 3, 4, 5] == [int.from_bytes(each[:8], "big") for each in (theirs, first, second, third, last)]
    assert 21 + pool._fragmenter.max_size == max(map(len, pack_creation(pool, "x" * 500_000, pipeline_id)))


def test_a_warning_about_the_pool_warns_nobody_else(wsman):
    """A module that a node loads at the start of a session may warn; pypsrp makes a Python warning of that."""
    pool = NodePool(wsman)
    record = Message(Destination.CLIENT, None, None, WarningRecord(message="careful", invocation=False), Serializer())
    pool._parse_responses(Fragment(1, 0, record.pack(), start=True, end=True).pack())
    assert 1 == len(pool.node_warnings)


def test_the_channel_binding_is_read_where_our_reader_shows_it():
    """Pypsrp looks for the certificate at ``_fp.fp.raw._sock`` of urllib3's response."""
    assert "raw_response._fp.fp.raw._sock" in inspect.getsource(HTTPNegotiateAuth._get_cbt_data)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = (
            NodeAdapter(Line(CONNECTION))
            .get_connection_with_tls_context(requests.Request("POST", CONNECTION.url).prepare(), verify=True)
            ._new_conn()
        )
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        response = connection.response_class(ours, method="POST")
        assert ours is response.fp.raw._sock
        response.close()


def test_a_response_of_http_client_reads_from_fp():
    """The bounded reader takes its place."""
    assert "self.fp = sock.makefile" in inspect.getsource(http.client.HTTPResponse.__init__)
    assert hasattr(io.BufferedReader, "detach")
    assert "self.response_class(" in inspect.getsource(http.client.HTTPConnection.getresponse)


def test_urllib3_connects_by_the_methods_that_are_overridden():
    for method in ("_new_conn", "connect", "getresponse", "_dns_host"):
        assert hasattr(urllib3.connection.HTTPConnection("h"), method)
    assert "self._new_conn()" in inspect.getsource(urllib3.connection.HTTPSConnection.connect)
    assert "self.ConnectionCls(" in inspect.getsource(urllib3.connectionpool.HTTPSConnectionPool._new_conn)
    assert "self._validate_conn(conn)" in inspect.getsource(urllib3.connectionpool.HTTPConnectionPool._make_request)


def test_requests_leaves_tls_to_the_adapter():
    """Else its own authorities would be loaded into our context."""
    sent = inspect.getsource(requests.adapters.HTTPAdapter.get_connection_with_tls_context)
    assert "self.build_connection_pool_key_attributes(" in sent
    pool = NodeAdapter(Line(CONNECTION)).get_connection_with_tls_context(
        requests.Request("POST", CONNECTION.url).prepare(), verify="/no/such/file"
    )
    assert pool.ca_certs is None
    assert "ssl_context" in pool.conn_kw


def test_pypsrp_cannot_log_what_it_sends(caplog, wsman):
    """Hazard 9: neither through the root logger nor when its own is set to DEBUG."""
    logging.getLogger("pypsrp.wsman").setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG):
            wsman.command("uri", ET.Element("hunter2"))
        assert "hunter2" not in caplog.text
        assert [] == [record for record in caplog.records if record.name.startswith(("pypsrp", "spnego"))]
    finally:
        logging.getLogger("pypsrp.wsman").setLevel(logging.NOTSET)
