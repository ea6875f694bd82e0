"""Kerberos against a real MIT KDC on loopback: tickets, passwords, mutual authentication, sealed messages."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from nodes import SOON

from cauctl.errors import AuthenticationError, TransportError
from cauctl.lab.dispatch import BoundCall, CommandContext, CommandTable
from cauctl.lab.endpoint import NodeEndpoint
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.tls import LabAuthority
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.pipeline import native
from cauctl.psrp.session import NodeSession
from tests.psrp import kdc

_MISSING = [name for name in kdc.PROGRAMS if kdc.program(name) is None] + [
    name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None
]
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=f"no Kerberos here: {', '.join(_MISSING)} missing")

OPERATOR = PSCredential(kdc.USER, kdc.PASSWORD)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kdc.Realm]:
    """A realm for the tests of this module."""
    with kdc.running(tmp_path_factory.mktemp("kdc")) as started:
        yield started


@pytest.fixture(autouse=True)
def _in_the_realm(realm: kdc.Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    realm.sign_out()
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)


def table() -> CommandTable:
    """Programs of the node."""
    programs = CommandTable()

    @programs.native("whoami.exe")
    def whoami(ctx: CommandContext, _: BoundCall) -> Iterator[Any]:
        yield ctx.user

    return programs


class Served:
    """A node in the realm, over HTTP with sealed messages or over HTTPS."""

    def __init__(self, folder: Path, *, tls: bool) -> None:
        self.loop = EndpointLoop()
        authority = LabAuthority.create()
        ca_file = folder / "ca.pem"
        ca_file.write_bytes(authority.pem)
        self.endpoint = NodeEndpoint(
            "N1",
            loop=self.loop,
            commands=table(),
            credentials=Credentials({kdc.USER: ""}, schemes={"negotiate"}, require_encryption=not tls),
            tls=authority.server_context("N1") if tls else None,
        )
        self.options: dict[str, Any] = {
            "address": "127.0.0.1",
            "port": self.endpoint.port,
            "tls": tls,
            "authentication": "kerberos",
            "kerberos_host": kdc.SERVICE_HOST,
            "ca_file": ca_file if tls else None,
        }

    def __enter__(self) -> Self:
        self.loop.__enter__()
        self.endpoint.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.endpoint.close()
        self.loop.__exit__(*details)

    def ask(self, **options: Any) -> list[Any]:
        """Open a session, ask who we are, and close it."""
        with NodeSession(NodeConnection("N1", **{**self.options, **options})) as session:
            session.open(within=SOON)
            return session.run(native("whoami.exe"), within=SOON).output


@pytest.fixture(params=[False, True], ids=["sealed over HTTP", "over HTTPS"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A node by both ways."""
    with Served(tmp_path, tls=request.param) as served:
        yield served


def test_a_password_gets_a_ticket(node: Served):
    assert [kdc.USER] == node.ask(credential=OPERATOR)


def test_the_ticket_of_the_current_user_is_enough(node: Served, realm: kdc.Realm):
    realm.sign_in()
    assert [kdc.USER] == node.ask()


def test_negotiate_finds_kerberos(node: Served, realm: kdc.Realm):
    realm.sign_in()
    assert [kdc.USER] == node.ask(authentication="negotiate")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"credential": PSCredential(kdc.USER, "wrong")}, f"did not accept {kdc.USER} by kerberos"),
        ({"credential": PSCredential(f"nobody@{kdc.REALM}", "x")}, "did not accept nobody@LAB.TEST by kerberos"),
        ({}, "did not accept the current user by kerberos"),
        ({"credential": OPERATOR, "kerberos_host": "n9.lab.test"}, f"did not accept {kdc.USER} by kerberos"),
    ],
    ids=["wrong password", "no such user", "no ticket", "no such service"],
)
def test_what_the_realm_refuses_is_final(node: Served, options: dict[str, Any], told: str):
    """One error of the family, at once; the password is in no text."""
    with pytest.raises(AuthenticationError) as caught:
        node.ask(**options)
    assert told in caught.value.message
    assert "wrong" not in str(caught.value)


def test_a_node_that_cannot_prove_itself_is_refused(tmp_path: Path, realm: kdc.Realm, monkeypatch: pytest.MonkeyPatch):
    """Mutual authentication: a node without the service's key reads no ticket, and cannot answer for the service."""
    with Served(tmp_path, tls=False) as impostor:
        monkeypatch.setenv("KRB5_KTNAME", f"FILE:{realm.folder / 'none.keytab'}")
        with pytest.raises(TransportError):
            impostor.ask(credential=OPERATOR)


def test_messages_are_sealed_over_http(tmp_path: Path, realm: kdc.Realm):
    """The node refuses what is not sealed; and a session goes on over a new connection, by a new context."""
    with Served(tmp_path, tls=False) as served:
        realm.sign_in()
        with NodeSession(NodeConnection("N1", **served.options)) as session:
            session.open(within=SOON)
            served.endpoint.drop_connections()
            assert [kdc.USER] == session.run(native("whoami.exe"), within=timedelta(seconds=20)).output


def test_a_realm_that_is_silent_is_an_error_of_the_family(
    node: Served, realm: kdc.Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "krb5.conf"
    text = (realm.folder / "krb5.conf").read_text(encoding="utf-8")
    config.write_text(text.replace(f"127.0.0.1:{realm.port}", "127.0.0.1:1"), encoding="utf-8")
    monkeypatch.setenv("KRB5_CONFIG", str(config))
    with pytest.raises(AuthenticationError, match="by kerberos"):
        node.ask(credential=OPERATOR)
