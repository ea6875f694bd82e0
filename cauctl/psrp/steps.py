"""The way to a node, tried step by step: what works, what does not, and what to change.

Each step needs the one before it; the first that fails ends the trial, and the others are not tried. Nothing is changed
on the node: a session is opened, asked who and where it is and which commands it shows, and removed.

::

    for tried in try_node(connection, cluster="CONTOSO-FC1"):
        print(tried.step.value, tried.passed, tried.detail)
"""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen

from cauctl.errors import AuthenticationError, CauError, NodeError, NodeUnreachableError, RemoteError, TransportError
from cauctl.psrp.advice import add_port_advice
from cauctl.psrp.agent_files import agent_file
from cauctl.psrp.answers import answers
from cauctl.psrp.commands import COMMANDS, send
from cauctl.psrp.connection import Authentication
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.jea.functions import call
from cauctl.psrp.link import Link, is_address
from cauctl.psrp.lookup import addresses
from cauctl.psrp.session import NodeSession
from cauctl.psrp.tls import tls_context, tls_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cauctl.psrp.connection import NodeConnection

__all__ = ["SHOWN_COMMANDS", "Step", "Tried", "try_node"]

_SOON: Final = timedelta(days=30)
"""A certificate that ends within this time is worth a word."""
SHOWN_COMMANDS: Final = send("Get-Command", Name=list(COMMANDS), ErrorAction="SilentlyContinue") | send(
    "Select-Object", Property=["Name"]
)
"""Asks an endpoint which of the commands that are used it shows."""
_MODULE: Final = call("Get-CauctlIdentity")
_PROXY_PORTS: Final = {"http": 80, "https": 443}
_QUESTION: Final = timedelta(seconds=60)
_NO_LISTENER: Final = (
    "Check that WinRM listens there (winrm enumerate winrm/config/listener) and that no firewall is between."
)
_NO_PROXY: Final = "Check the proxy's URL, or leave the proxy out where the node is reached without one."
_CREDSSP_ADVICE: Final = "CredSSP hands the password itself to the node, and nothing here needs it: use kerberos."


class Step(Enum):
    """A part of the way."""

    NAME = "Name"
    """The address is found."""
    TCP = "TCP"
    """Somebody listens there."""
    TLS = "TLS"
    """It speaks TLS, and its certificate is trusted and carries the right name."""
    AUTHENTICATION = "Authentication"
    """It accepts who we are."""
    SHELL = "Shell"
    """It opens a session of the configuration that was asked for."""
    IDENTITY = "Identity"
    """It is the node that it should be, and speaks for the cluster."""
    COMMANDS = "Commands"
    """It shows the commands that are used."""


@frozen
class Tried:
    """What became of one step."""

    step: Step
    """The step."""
    passed: bool = field(kw_only=True)
    """True when it works."""
    detail: str = field(kw_only=True)
    """What was seen, in one sentence."""
    advice: str | None = field(default=None, kw_only=True)
    """What to change; also on a step that passed, where something is better otherwise."""
    took: timedelta = field(default=timedelta(), kw_only=True)
    """How long it took, real time."""


def try_node(connection: NodeConnection, *, cluster: str, today: datetime) -> Iterator[Tried]:
    """Try the way to a node; ends with the first step that fails.

    Args:
        connection: how to reach the node.
        cluster: name of the cluster that it must belong to.
        today: the present moment; certificates end by it.
    """
    trial = _Trial(connection, cluster, today)
    try:
        for step, work in trial.steps():
            begun = time.monotonic()
            try:
                detail, advice = work()
            except CauError as error:
                yield Tried(
                    Step.AUTHENTICATION if isinstance(error, AuthenticationError) else step,
                    passed=False,
                    detail=error.message,
                    advice=error.advice,
                    took=timedelta(seconds=time.monotonic() - begun),
                )
                return
            took = timedelta(seconds=time.monotonic() - begun)
            yield Tried(step, passed=True, detail=detail, advice=advice, took=took)
    finally:
        trial.close()


class _Opened:
    """A session that is open already, as a link sees it: closed until the link opens it and asks who the node is."""

    def __init__(self, session: NodeSession) -> None:
        self._session = session
        self._greeted = False
        self.run, self.close, self.retire = session.run, session.close, session.retire

    @property
    def is_open(self) -> bool:
        return self._greeted and self._session.is_open

    def open(self, within: timedelta, *, insist: bool = True) -> None:
        self._greeted = True
        self._session.open(within, insist=insist)


class _Trial:
    """One trial under way. Each step returns what it saw, and advice where something is better otherwise."""

    def __init__(self, connection: NodeConnection, cluster: str, today: datetime) -> None:
        self._connection = connection
        self._today = today
        self._session = NodeSession(connection)
        unnamed = connection.address.casefold() == connection.node.casefold() and is_address(connection.node)
        self._link = Link(connection, cluster=cluster, open_session=lambda _: _Opened(self._session), any_name=unnamed)
        proxy = urlsplit(connection.proxy) if connection.proxy else None
        self._host = (proxy.hostname if proxy else None) or connection.address
        self._port = (proxy.port if proxy else None) or (_PROXY_PORTS[proxy.scheme] if proxy else connection.port)
        self._found: list[Any] = []

    def steps(self) -> Iterator[tuple[Step, Callable[[], tuple[str, str | None]]]]:
        """Give the steps of this connection's way, in order."""
        yield Step.NAME, self._look_up
        yield Step.TCP, self._reach
        if self._connection.tls and not self._connection.proxy:
            yield Step.TLS, self._shake_hands
        yield Step.AUTHENTICATION, self._sign_in
        yield Step.SHELL, self._see_shell
        yield Step.IDENTITY, self._identify
        yield Step.COMMANDS, self._list_commands

    def close(self) -> None:
        """Remove the session, if one was opened."""
        self._session.close()

    def _look_up(self) -> tuple[str, str | None]:
        what = "the proxy " if self._connection.proxy else ""
        try:
            found = addresses(self._host, self._port, Deadline.after(self._connection.connect_timeout))
        except OSError as error:
            raise self._silent(
                f"the name {self._host} was not found ({error.strerror or error}).",
                "Check the name in DNS, or give the node an address in clusters.toml.",
            ) from error
        if not found:
            raise self._silent(
                f"no name server told the address of {self._host} in time.", "Check the name server of this computer."
            )
        self._found = found
        hosts = dict.fromkeys(str(each[4][0]) for each in found)
        return f"{what}{self._host} is {', '.join(hosts)}", None

    def _reach(self) -> tuple[str, str | None]:
        failure: OSError = TimeoutError()
        for family, kind, protocol, _, target in self._found:
            with socket.socket(family, kind, protocol) as probe:
                probe.settimeout(self._connection.connect_timeout.total_seconds())
                try:
                    probe.connect(target)
                except OSError as error:
                    failure = error
                else:
                    self._found = [(family, kind, protocol, "", target)]
                    return f"port {self._port} answers", None
        silence = NodeUnreachableError(
            f"port {self._port} does not answer ({failure.strerror or 'nobody answered in time'}).",
            node=self._connection.node,
            address=f"{self._host}:{self._port}",
        )
        add_port_advice(silence, self._connection)
        silence.advice = silence.advice or (_NO_PROXY if self._connection.proxy else _NO_LISTENER)
        raise silence from failure

    def _shake_hands(self) -> tuple[str, str | None]:
        connection = self._connection
        context, name = tls_context(connection, own=True), connection.certificate_name or connection.address
        timeout = connection.connect_timeout.total_seconds()
        try:
            with (
                socket.create_connection(self._found[0][4][:2], timeout) as plain,
                context.wrap_socket(plain, server_hostname=name) as sealed,
            ):
                version, certificate = sealed.version(), sealed.getpeercert()
        except (OSError, ValueError) as error:
            raise tls_failure(connection, error) or self._silent(
                f"the connection ended during the TLS handshake ({error}).", "Look whether the node is starting."
            ) from error
        if not connection.certificate_validation:
            return f"{version}, certificate not checked", "Whoever answers is taken for the node: check certificates."
        return _describe(version, certificate, self._today)

    def _sign_in(self) -> tuple[str, str | None]:
        way, credential = self._connection.authentication, self._connection.credential
        self._session.open(self._connection.connect_timeout + self._connection.read_timeout, insist=False)
        who = credential.user_name if credential is not None else "the current user"
        return f"{who} by {way.value}", _CREDSSP_ADVICE if way is Authentication.CREDSSP else None

    def _see_shell(self) -> tuple[str, str | None]:
        return f"session configuration {self._connection.configuration_name}", None

    def _identify(self) -> tuple[str, str | None]:
        try:
            self._link.verify_cluster()
        except RemoteError as error:
            error.advice = error.advice or "The Cluster service does not answer there (Get-Service ClusSvc)."
            raise
        return f"{self._link.name} speaks for the cluster", None

    def _list_commands(self) -> tuple[str, str | None]:
        return self._check_module() if self._connection.jea else self._check_commands()

    def _check_module(self) -> tuple[str, str | None]:
        """An endpoint of ours shows the functions of its module, which says what it was written from."""
        name = self._connection.node
        output = self._session.run(_MODULE, within=_QUESTION).output
        if not output:
            raise NodeError(f"{name}: {_MODULE} gave no answer.", node=name)
        (answer,) = answers(output[:1], node=name, command=_MODULE.commands[0].name)
        told = answer.text("AgentHash")
        if told in {"", agent_file().sha256}:
            return f"the module {answer.text('ModuleVersion')} answers", None
        raise TransportError(
            "the module there was written by another version.",
            node=self._connection.node,
            advice="Write it anew (cauctl jea export) and install it on the node.",
        )

    def _check_commands(self) -> tuple[str, str | None]:
        names = list(COMMANDS)
        result = self._session.run(SHOWN_COMMANDS, within=_QUESTION, collect_errors=True)
        told = answers(result.output, node=self._connection.node, command="Get-Command")
        shown = {each.text("Name").casefold() for each in told}
        missing = [name for name in names if name.casefold() not in shown]
        if missing:
            raise TransportError(
                f"{len(missing)} of {len(names)} commands are not shown: {', '.join(missing)}.",
                node=self._connection.node,
                advice="Use an account that the endpoint shows them to, or install the roles that bring them.",
            )
        return f"all {len(names)} commands that are used are shown", None

    def _silent(self, message: str, advice: str) -> NodeUnreachableError:
        peer = f"{self._host}:{self._port}"
        return NodeUnreachableError(message, node=self._connection.node, address=peer, advice=advice)


def _describe(version: str | None, certificate: Any, today: datetime) -> tuple[str, str | None]:
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    names = ", ".join(value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "IP Address"})
    left = until - today
    advice = f"Renew the certificate: it ends in {left.days} days." if left < _SOON else None
    return f"{version}, certificate of {names or 'no name'}, valid until {until:%Y-%m-%d}", advice
