"""Answers that no node gives, in the middle of a session: an error of the family, in time, in bounded memory."""

from __future__ import annotations

import base64
import itertools
import struct
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from cauctl.errors import CauError, FateUnknownError, TransportError
from cauctl.lab.wsman.exchange import Exchange
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.wire import Substitute
from cauctl.psrp import reader as reader_module
from cauctl.psrp.fragments import LONGEST_MESSAGE
from cauctl.psrp.pipeline import native
from cauctl.psrp.session import NodeSession
from cauctl.psrp.shell import MOST_TO_OPEN
from cauctl.psrp.wire import LONGEST_ANSWER
from tests.psrp.nodes import SOON, Node, serve
from tests.psrp.stranger import http
from tests.psrp.test_fragments import END, START, fragment, message, whole

MB = 1024 * 1024
GRACE = 2.0
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:rsp="{}"><s:Header>'
    '<a:RelatesTo xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">{}</a:RelatesTo></s:Header>'
    "<s:Body>{}</s:Body></s:Envelope>"
)
NOBODY = f"uuid:{uuid.UUID(int=0)}"
"""Stands for the message that is answered until that is known; every id is as long."""
OUTPUT, WARNING = 0x00041004, 0x00041009


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


def received(fragments: bytes, *, done: bool = False) -> bytes:
    """An answer to a Receive."""
    body = f'<rsp:Stream Name="stdout">{base64.b64encode(fragments).decode()}</rsp:Stream>'
    if done:
        body += f'<rsp:CommandState State="{RSP}/CommandState/Done"/>'
    return http(_ENVELOPE.format(RSP, NOBODY, f"<rsp:ReceiveResponse>{body}</rsp:ReceiveResponse>").encode())


def fault(code: int) -> bytes:
    detail = f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}"/>'
    reason = "<s:Code/><s:Reason><s:Text>no</s:Text></s:Reason>"
    body = _ENVELOPE.format(RSP, NOBODY, f"<s:Fault>{reason}<s:Detail>{detail}</s:Detail></s:Fault>")
    return http(body.encode(), "500 Internal Server Error")


def answering(node: Node, action: str, answers: Iterator[bytes]) -> None:
    """Answer each request of a kind by the next of ``answers``."""

    def judge(exchange: Exchange) -> Substitute | None:
        if exchange.action != action:
            return None
        return Substitute(next(answers).replace(NOBODY.encode(), exchange.request.message_id.encode()))

    node.endpoint.intercept(judge)


def run_fails(
    session: NodeSession, *, within: timedelta = SOON, on_output: Callable[[list], None] | None = None
) -> CauError:
    begin = time.monotonic()
    with pytest.raises(CauError) as caught:
        session.run(native("wait.exe"), within=within, on_output=on_output)
    assert time.monotonic() - begin < within.total_seconds() + GRACE
    assert not session.is_open
    return caught.value


ANYWHERE = {
    "HTML": http(b"<html><body>Welcome!</body></html>"),
    "HTML with an error": http(b"<html/>", "500 Internal Server Error"),
    "nothing": http(b""),
    "a fault nobody knows": fault(0x80330000),
    "a fault without a code": http(_ENVELOPE.format(RSP, NOBODY, "<s:Fault/>").encode(), "500 Internal Server Error"),
    "an envelope without a body": http(b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>'),
    "a truncated body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    "an endless body": b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + bytes(LONGEST_ANSWER + MB),
    "a truncated chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort",
    "a document type": http(b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'),
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
}
"""What a node may answer to anything."""


@pytest.mark.parametrize("action", ["Command", "Receive"])
@pytest.mark.parametrize("answer", ANYWHERE.values(), ids=ANYWHERE.keys())
def test_whether_it_ran_is_unknown_after_a_strange_answer(node, action, answer):
    with NodeSession(node.connection) as session:
        session.open(SOON)
        answering(node, action, itertools.repeat(answer))
        error = run_fails(session)
    # A fault that refuses the request itself says that nothing ran.
    kinds = {TransportError, FateUnknownError} if b"Fault" in answer else {FateUnknownError}
    assert type(error) in kinds
    assert "N1" in str(error)


STREAMS = {
    "object ids out of order": whole(5) + whole(3),
    "an object twice": whole(5) + whole(5),
    "a fragment without its start": fragment(5, 1, END, message("<S>x</S>")),
    "an object within another": fragment(5, 0, START, message("<S>x</S>")) + whole(6),
    "a missing fragment": fragment(5, 0, START, message("<S>x")) + fragment(5, 2, END, b"</S>"),
    "a fragment that is cut": whole(5)[:-3],
    "a length that lies": struct.pack(">QQBI", 5, 0, START | END, 1 << 31) + b"x",
    "an end without a state": whole(5),
    "no CLIXML": whole(5, "<S>x"),
    "HTML as CLIXML": whole(5, "<html/>"),
    "a document type": whole(5, '<!DOCTYPE x [<!ENTITY a "aaaa">]><S>&a;</S>'),
    "no UTF-8": fragment(5, 0, START | END, message("") + b"\xff\xfe"),
}
"""What may be wrong within a well-formed answer."""


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS.keys())
def test_whether_it_ran_is_unknown_after_a_stream_that_cannot_be_read(node, stream):
    """Nothing is skipped, nothing is guessed."""
    with NodeSession(node.connection) as session:
        session.open(SOON)
        answering(node, "Receive", itertools.repeat(received(stream, done=True)))
        error = run_fails(session)
    assert type(error) is FateUnknownError
    assert str(error).startswith("N1: the answer cannot be read")


def peak_memory(work: Callable[[], None]) -> int:
    """Bytes that Python had at most while ``work`` was done, more than before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_an_object_of_200_mb_is_refused_once_it_is_longer_than_any_may_be(node):
    """What was received is all that it costs: the object, and one answer in its several forms."""
    part = bytes(4 * MB)
    parts = (received(fragment(5, number, START if number == 0 else 0, part)) for number in range(50))
    with NodeSession(node.connection) as session:
        session.open(SOON)
        answering(node, "Receive", parts)
        peak = peak_memory(lambda: raises("longer than 8,388,608 bytes", run_fails(session)))
    assert 48 > len(list(parts)) > 40
    assert peak < LONGEST_MESSAGE + 6 * LONGEST_ANSWER


def raises(words: str, error: CauError) -> None:
    assert words in str(error)
    assert type(error) is FateUnknownError


def endless_stream(kind: int) -> Iterator[bytes]:
    """Objects of half a megabyte without end."""
    return (
        received(fragment(number, 0, START | END, message(f"<S>{'x' * (MB // 2)}</S>", kind)))
        for number in itertools.count(1)
    )


@pytest.mark.parametrize(("kind", "in_batches"), [(OUTPUT, False), (WARNING, False), (WARNING, True)])
def test_what_is_kept_of_a_pipeline_is_bounded(node, monkeypatch, kind, in_batches):
    """Output that nobody takes, and records in any case."""
    monkeypatch.setattr(reader_module, "MOST_KEPT", 3 * MB)
    with NodeSession(node.connection) as session:
        session.open(SOON)
        answering(node, "Receive", endless_stream(kind))
        error = run_fails(session, on_output=(lambda _: None) if in_batches else None)
    raises("the pipeline wrote more than 3,145,728 bytes", error)


def test_output_that_is_taken_may_be_endless_until_the_deadline(node):
    taken: list[int] = []
    with NodeSession(node.connection) as session:
        session.open(SOON)
        answering(node, "Receive", endless_stream(OUTPUT))
        error = run_fails(session, within=timedelta(seconds=0.5), on_output=lambda batch: taken.append(len(batch)))
    assert "had not ended after 0.5 s" in str(error)
    assert sum(taken) > 3


@pytest.mark.nightly
@pytest.mark.parametrize("element", ["<Nil/>", "<I32>1</I32>", '<Obj RefId="{}"><MS><S N="a">b</S></MS></Obj>'])
def test_objects_take_at_most_seven_times_as_much_as_their_clixml(element):
    """What is said of :data:`MOST_KEPT`."""
    count = MB // len(element)
    text = f'<Obj RefId="a"><LST>{"".join(element.format(number) for number in range(count))}</LST></Obj>'
    kept: list[object] = []
    assert peak_memory(lambda: kept.append(reader_module.read_fragment(text))) < 7 * len(text)


def test_a_node_that_talks_without_end_while_a_session_opens_is_refused(node):
    """What comes before a session is open is read by pypsrp, which bounds nothing."""
    parts = (fragment(1, number, 0 if number else START, bytes(MB // 8)) for number in itertools.count())
    answering(node, "Receive", map(received, parts))
    with pytest.raises(TransportError, match="greater length than opening a session takes") as caught:
        NodeSession(node.connection).open(SOON)
    assert type(caught.value) is TransportError
    answers = next(parts)[15]
    assert answers * MB // 8 <= MOST_TO_OPEN
