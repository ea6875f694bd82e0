"""What a node, or who answers in its place, may do to cost time, memory or an account: it is bounded."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from cauctl.errors import AuthenticationError, FateUnknownError, InputError, TransportError
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.models.credential import Secret
from cauctl.psobject import read_fragment
from cauctl.psrp.advice import listens
from cauctl.psrp.answers import Answer, name_of, plain_text
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.fragments import cut, pack
from cauctl.psrp.orphans import Orphans
from cauctl.psrp.pipeline import native
from cauctl.psrp.reader import PipelineReader
from cauctl.psrp.session import NodeSession
from cauctl.psrp.shell import Receipt
from cauctl.psrp.transport import NodeTransport
from cauctl.psrp.wire import Line, _Connection
from tests.psrp.nodes import SOON, Node, serve
from tests.psrp.stranger import Stranger, http, says
from tests.psrp.test_fragments import START, fragment
from tests.psrp.test_strange_answers import answering, received

STATE = 0x00041006
NOBODY = UUID(int=0)


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


def laughs(levels: int) -> object:
    """A list that holds a list ten times, which holds a list ten times, and so on."""
    text = "<I32>1</I32>"
    for level in range(levels):
        text = (
            f'<Obj RefId="{level}"><LST>{text}' + f'<Ref RefId="{level - 1}"/>' * (9 if level else 0) + "</LST></Obj>"
        )
    return read_fragment(text)


def test_an_object_that_holds_itself_many_times_over_stays_short_as_text():
    """A kilobyte of references would else be terabytes of text."""
    value = laughs(20)
    assert all(len(text) < 20_000 for text in (name_of(value), plain_text(value)))
    with pytest.raises(Exception, match="not a date") as caught:
        Answer(read_fragment('<Obj RefId="0"><MS><Nil N="When"/></MS></Obj>'), node="N1", command="x").moment("When")
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize("number", ["<LST><I32>4</I32></LST>", "<DCT/>", "<S>4</S>", "<MS/>"])
def test_a_state_that_is_no_number_is_no_state(number):
    text = f'<Obj RefId="0"><MS><Obj N="PipelineState" RefId="1">{number}</Obj></MS></Obj>'
    data = b"".join(cut(pack(text, kind=STATE, pool=NOBODY, pipeline=NOBODY), object_id=1, room=65536))
    with pytest.raises(FateUnknownError, match="without the pipeline's state"):
        PipelineReader(NodeConnection("N1"), keep_output=True).take(Receipt(data, done=True, repeated=False))


def test_a_fragment_that_breaks_off_while_a_session_opens_is_no_message(node):
    answering(node, "Receive", itertools.repeat(received(b"\1\2\3")))
    with pytest.raises(TransportError, match="no WSMan message"):
        NodeSession(node.connection).open(SOON)


def test_a_node_that_talks_without_end_while_a_key_is_agreed_on_is_refused(node):
    """These answers, too, are read by pypsrp, which bounds nothing."""
    with NodeSession(node.connection) as session:
        session.open(SOON)
        parts = (fragment(99, number, 0 if number else START, bytes(1 << 17)) for number in itertools.count())
        answering(node, "Receive", map(received, parts))
        with pytest.raises(TransportError, match="greater length"):
            session.run(native("echo.exe", Secret("hunter2")), within=SOON)


def test_a_file_that_is_gone_in_the_middle_leaves_the_fate_unknown(node):
    """A pipeline runs; whether it ends well cannot be asked without the authorities to trust."""
    with NodeSession(node.connection) as session:
        session.open(SOON)
        node.connection.ca_file.unlink()
        answering(node, "Receive", itertools.repeat(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"))
        with pytest.raises(FateUnknownError, match="had been started before"):
            session.run(native("echo.exe"), within=SOON)


def test_an_interrupt_forgets_no_shell_that_is_still_to_be_removed():
    class Stubborn:
        def remove(self, _: Deadline) -> None:
            raise KeyboardInterrupt

    orphans = Orphans()
    orphans.add(Stubborn())
    with pytest.raises(KeyboardInterrupt):
        orphans.remove(Deadline.after(1))
    assert 1 == len(orphans)


def test_a_credential_is_refused_for_good_though_the_challenge_ended_its_connection(tmp_path):
    """It would be tried again and again, and the account locked."""
    challenge = says(http(b"", "401 Unauthorized", "WWW-Authenticate: NTLM", "Connection: close"))
    refusal = says(http(b"", "401 Unauthorized", "WWW-Authenticate: NTLM"))
    with Stranger(tmp_path, challenge, refusal) as stranger:
        with pytest.raises(AuthenticationError):
            NodeSession(stranger.connection(authentication="ntlm")).open(timedelta(seconds=5))
        assert len(stranger.requests) == 2


def test_where_kerberos_is_not_installed_the_advice_is_to_install_it(tmp_path, monkeypatch):
    """The credential was not refused: nobody saw it."""

    def missing(*_: object, **__: object) -> None:
        raise ImportError("no gssapi")

    monkeypatch.setattr("pypsrp.negotiate.spnego.client", missing)
    challenge = says(http(b"", "401 Unauthorized", "WWW-Authenticate: Negotiate"))
    with Stranger(tmp_path, challenge) as stranger, pytest.raises(AuthenticationError) as caught:
        NodeSession(stranger.connection(authentication="kerberos")).open(SOON)
    assert "pip install cauctl[kerberos]" in (caught.value.advice or "")


def test_cookies_of_a_node_are_not_kept(tmp_path):
    with Stranger(tmp_path, says(http(b"<x/>", "200 OK", "Set-Cookie: a=b; Path=/"))) as stranger:
        transport = NodeTransport(stranger.connection())
        transport.deadline = Deadline.after(SOON)
        assert [b"<x/>", b"<x/>"] == [transport.send(b"<y/>"), transport.send(b"<y/>")]
        transport.reset()
    assert [False, False] == [b"cookie" in request.lower() for request in stranger.requests]


def test_a_name_server_that_hangs_does_not_hold_up_the_look_at_another_port(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: list(filter(None, [answered.wait(5) and None])))
    begin = time.monotonic()
    assert not listens("n1.example", 5985, 0.1)
    answered.set()
    assert time.monotonic() - begin < 1


def test_a_handshake_has_what_a_slow_connection_left_of_the_time():
    """Else it could last as long again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()
        line = Line(NodeConnection("N1", address=host, port=port, connect_timeout=timedelta(seconds=1)))
        line.begin(Deadline.after(SOON))

        class Slow(socket.socket):
            def connect(self, address: object) -> None:
                time.sleep(0.3)
                super().connect(address)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cauctl.psrp.wire.socket.socket", Slow)
            found = line.connect(host, port, None)
        with found:
            assert 0 < (found.gettimeout() or 0) < 0.8
        line.hold(None)


def test_each_record_of_a_long_message_waits_only_for_what_is_left_of_the_time():
    """TLS waits for each anew: who reads slowly would stretch a message by as many times as it has records."""
    waits: list[float] = []

    class Slow:
        def settimeout(self, seconds: float) -> None:
            waits.append(seconds)

        def sendall(self, data: bytes) -> None:
            assert len(data) <= 16 * 1024
            time.sleep(0.02)

    line = Line(NodeConnection("N1"))
    line.begin(Deadline.after(1))
    connection = _Connection("127.0.0.1", line=line)
    connection.sock = Slow()
    connection.send(bytes(40_000))
    connection.sock = None
    assert (3, sorted(waits, reverse=True)) == (len(waits), waits)


@pytest.mark.parametrize("url", ["http://proxy:99999", "http://proxy:x", "http://[::1", "http://:3128", "http://p:0"])
def test_a_proxy_that_cannot_be_reached_by_any_means_is_refused(url):
    with pytest.raises(InputError, match="proxy is no URL of a proxy"):
        NodeConnection("N1", proxy=url)
