"""The unmodified client reaches a node by every transport that a Windows node offers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests
from pypsrp.exceptions import AuthenticationError
from pypsrp.powershell import RunspacePool

from cauctl.errors import InputError
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.tls import LabAuthority
from tests.lab.remote import CREDENTIALS, PASSWORD, USER, node_table, pool_on, run, serving, wsman

EXPECTED = [{"Name": "NODE1", "State": "Up"}, {"Name": "NODE2", "State": "Up"}]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabAuthority, str]:
    made = LabAuthority.create("test")
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(made.pem)
    return made, str(path)


@pytest.mark.parametrize("auth", ["basic", "negotiate"])
def test_plain_http(auth):
    """Basic without encryption, and NTLM with each message sealed."""
    encryption = "never" if auth == "basic" else "always"
    with serving() as node, pool_on(node, auth=auth, encryption=encryption) as pool:
        assert EXPECTED == run(pool, "Get-ClusterNode").output


@pytest.mark.parametrize("auth", ["basic", "negotiate"])
def test_https_with_the_labs_own_authority(authority, auth):
    made, path = authority
    tls = made.server_context("NODE1")
    with (
        serving(tls=tls) as node,
        pool_on(node, auth=auth, ssl=True, encryption="auto", cert_validation=path) as pool,
    ):
        assert EXPECTED == run(pool, "Get-ClusterNode").output


def test_a_tls_connection_keeps_a_small_buffer(authority):
    """What asyncio has is 256 KiB, filled or not; where this fails, asyncio has changed, and a lab's memory with it."""
    made, path = authority
    with (
        serving(tls=made.server_context("NODE1")) as node,
        pool_on(node, auth="basic", ssl=True, encryption="auto", cert_validation=path),
    ):
        (connection,) = node._listener.connections
        assert 16 << 10 == len(connection._transport._ssl_protocol._ssl_buffer)


def test_client_certificate(authority, tmp_path: Path):
    """A certificate of the lab's authority signs in the account that it is mapped to."""
    made, path = authority
    certificate, key = made.issue("operator", client=True)
    (tmp_path / "c.pem").write_bytes(certificate)
    (tmp_path / "k.pem").write_bytes(key)
    credentials = Credentials(certificates={"operator": "CONTOSO\\operator"}, schemes=frozenset({"certificate"}))
    with (
        serving(tls=made.server_context("NODE1"), credentials=credentials) as node,
        pool_on(
            node,
            ssl=True,
            auth="certificate",
            encryption="auto",
            cert_validation=path,
            certificate_pem=str(tmp_path / "c.pem"),
            certificate_key_pem=str(tmp_path / "k.pem"),
        ) as pool,
    ):
        assert "CONTOSO\\operator" == run(pool, "Get-Process").output[0]["user"]


def test_an_unknown_authority_is_not_trusted(authority):
    made, _path = authority
    with serving(tls=made.server_context("NODE1")) as node, pytest.raises(requests.exceptions.SSLError):
        RunspacePool(wsman(node, ssl=True, encryption="auto")).open()


@pytest.mark.parametrize("auth", ["basic", "negotiate"])
@pytest.mark.parametrize(("username", "password"), [(USER, "wrong"), ("CONTOSO\\nobody", PASSWORD)])
def test_a_wrong_password_or_account_is_refused(auth, username, password):
    with serving() as node:
        client = wsman(
            node, auth=auth, username=username, password=password, encryption="never" if auth == "basic" else "auto"
        )
        with pytest.raises(AuthenticationError):
            RunspacePool(client).open()


def test_a_scheme_that_is_not_offered_is_refused():
    with (
        serving(credentials=Credentials({USER: PASSWORD}, schemes=frozenset({"negotiate"}))) as node,
        pytest.raises(AuthenticationError),
    ):
        RunspacePool(wsman(node)).open()


def test_unsealed_messages_are_refused_where_encryption_is_required():
    credentials = Credentials({USER: PASSWORD}, schemes=frozenset({"negotiate"}), require_encryption=True)
    with serving(credentials=credentials) as node:
        with pytest.raises(AuthenticationError):
            RunspacePool(wsman(node, auth="negotiate", encryption="never")).open()
        with pool_on(node, auth="negotiate", encryption="always") as pool:
            assert EXPECTED == run(pool, "Get-ClusterNode").output


def test_a_sealed_message_on_a_new_connection_is_answered_by_400():
    """As WinRM: the security context died with the old connection, so the body cannot be read."""
    with serving() as node, wsman(node, auth="negotiate", encryption="always") as client:
        pool = RunspacePool(client)
        pool.open()
        node.drop_connections()
        session = client.transport.session
        payload = client.transport.encryption.wrap_message(b"<x/>")
        request = requests.Request("POST", node.url, data=payload[0] if isinstance(payload, tuple) else payload)
        prepared = session.prepare_request(request)
        prepared.headers["Content-Type"] = (
            'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
        )
        assert session.send(prepared).status_code in {400, 401}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_only_loopback_is_bound(host):
    """A lab is never reachable from another machine."""
    with EndpointLoop() as loop, pytest.raises(InputError, match="not a loopback address"):
        NodeEndpoint("NODE1", loop=loop, commands=node_table(), credentials=CREDENTIALS, host=host)


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with EndpointLoop() as loop, pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be used"):
            NodeEndpoint("NODE1", loop=loop, commands=node_table(), credentials=CREDENTIALS, port=port)


def test_no_password_shows_in_a_repr():
    with serving() as node:
        shown = f"{CREDENTIALS!r} {node!r}"
        assert PASSWORD not in shown
