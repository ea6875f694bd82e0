"""Sessions: run, stream, stop, survive; every failure is what its type says."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauctl.errors import (
    AuthenticationError,
    FateUnknownError,
    InputError,
    NodeUnreachableError,
    OperationCancelledError,
    OperationTimeoutError,
    RemoteError,
    SessionBusyError,
    SessionLostError,
)
from cauctl.lab.wsman.exchange import Exchange
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.wire import Break, Substitute, WireMode
from cauctl.models.credential import PSCredential
from cauctl.psrp import advice
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.deadline import Deadline
from cauctl.psrp.invocation import Invocation
from cauctl.psrp.pipeline import ErrorRecord, as_pipeline, command, native, script
from cauctl.psrp.reader import PipelineState
from cauctl.psrp.session import NodeSession
from tests.psrp.nodes import SOON, WAYS, Node, sees_its_connection_end, serve

GRACE = 2.0
"""Seconds that a call may take after its deadline."""


@pytest.fixture(scope="module")
def loop() -> Iterator[EndpointLoop]:
    """The loop of all nodes of this module."""
    with EndpointLoop() as running:
        yield running


@pytest.fixture(params=WAYS)
def node(request, loop, tmp_path) -> Iterator[Node]:
    """A node for each way to reach one."""
    with serve(loop, tmp_path, request.param) as served:
        yield served


@pytest.fixture
def tls_node(loop, tmp_path) -> Iterator[Node]:
    """A node behind HTTPS and basic authentication, where the way does not matter."""
    with serve(loop, tmp_path) as served:
        yield served


@pytest.fixture
def session(node) -> Iterator[NodeSession]:
    """An open session with ``node``."""
    with NodeSession(node.connection) as opened:
        opened.open(SOON)
        yield opened


@pytest.fixture
def tls_session(tls_node) -> Iterator[NodeSession]:
    """An open session with ``tls_node``."""
    with NodeSession(tls_node.connection) as opened:
        opened.open(SOON)
        yield opened


def ends(condition: Callable[[], bool]) -> bool:
    """Whether ``condition`` comes true soon; nodes end pipelines and shells in threads of their own."""
    limit = time.monotonic() + 5
    while not condition() and time.monotonic() < limit:
        threading.Event().wait(0.005)
    return condition()


# What goes right


def test_a_pipeline_gives_its_objects_in_order(session):
    assert [*range(1000)] == session.run(native("count.exe", "1000"), within=SOON).output


def test_a_session_leaves_nothing_on_the_node(node):
    with NodeSession(node.connection) as opened:
        opened.run(native("echo.exe", "a"), within=SOON)
        assert 1 == len(node.endpoint.shells)
    assert () == node.endpoint.shells
    assert 0 == node.endpoint.running


def test_a_session_opens_by_itself_and_again_after_it_was_closed(tls_node):
    session = NodeSession(tls_node.connection)
    assert not session.is_open
    for _ in range(2):
        assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output
        assert session.is_open
        session.close()
        assert not session.is_open


def test_output_is_given_in_batches_and_not_kept(tls_session):
    batches: list[list[int]] = []
    result = tls_session.run(native("count.exe", "5000"), within=SOON, on_output=batches.append)
    assert [*range(5000)] == [value for batch in batches for value in batch]
    assert len(batches) > 1
    assert [] == result.output


def test_output_arrives_while_the_pipeline_runs(tls_session):
    """A batch is given as soon as it is there, and not only at the end."""
    stopped = []
    with pytest.raises(OperationCancelledError):
        tls_session.run(
            native("wait.exe"),
            within=SOON,
            on_output=lambda batch: stopped.append((batch, threading.Thread(target=tls_session.cancel).start())),
        )
    assert (["started"], None) == stopped[0]


def test_a_value_longer_than_an_envelope_passes_in_both_directions(session):
    """Several fragments in several requests, and several answers."""
    text = "0123456789abcdef" * 50_000
    assert [text] == session.run(native("echo.exe", text), within=SOON).output


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(categories=None, exclude_characters="\ufffe\uffff")), min_size=1, max_size=4))
def test_any_text_arrives_as_the_same_text(tls_session, texts):
    """Law: whatever a user gives comes back unchanged: quotes, ``$(…)``, control characters, halves of pairs."""
    got = tls_session.run(native("echo.exe", *texts), within=SOON).output
    assert [text.encode("utf-16", "surrogatepass") for text in texts] == [
        text.encode("utf-16", "surrogatepass") for text in got
    ]


@pytest.mark.parametrize(
    "text", ['it\'s; $(evil) `n "x" & | > < %PATH% \r\n\t\0\x1b', "_x0041_", "\ud83d\ude00", "ß\U0010ffff"]
)
def test_text_that_looks_like_code_or_escapes_is_text(session, text):
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert [expected] == session.run(native("echo.exe", text), within=SOON).output


def test_a_credential_is_sealed_with_the_sessions_key(session):
    """The node receives a PSCredential; what it holds for the password is not the password."""
    (value,) = session.run(native("echo.exe", PSCredential("u", "hunter2")), within=SOON).output
    assert "u" == value["UserName"]
    assert "hunter2" not in value["Password"].protected
    assert value["Password"].protected


# What the node says


def test_a_terminating_error_is_raised_with_all_its_facts(session):
    with pytest.raises(RemoteError) as caught:
        session.run(native("fail.exe", "x"), within=SOON)
    error = caught.value
    assert str(error) == "N1: fail.exe x: It broke."
    assert (error.node, error.command, error.remote_message) == ("N1", "fail.exe x", "It broke.")
    assert (error.fully_qualified_error_id, error.category) == ("Broke", "InvalidOperation")
    assert (error.exception_type, error.target, error.hresult) == ("System.IO.IOException", "C:", 0x80070070)


def test_the_first_non_terminating_error_is_raised_when_the_pipeline_has_ended(session):
    with pytest.raises(RemoteError) as caught:
        session.run(native("complain.exe"), within=SOON)
    assert ("DiskFull1", "WriteError") == (caught.value.fully_qualified_error_id, caught.value.category)


def test_non_terminating_errors_are_returned_where_that_is_asked(session):
    result = session.run(native("complain.exe"), within=SOON, collect_errors=True)
    assert [1, 2] == result.output
    assert ("watch out",) == result.warnings
    assert ["DiskFull1", "DiskFull2"] == [record.fully_qualified_error_id for record in result.errors]
    assert ErrorRecord("Disk 1 is full.", fully_qualified_error_id="DiskFull1", category="WriteError").message == (
        result.errors[0].message
    )
    assert result.had_errors


def test_an_unknown_command_is_powershells_error(session):
    with pytest.raises(RemoteError) as caught:
        session.run(command("Get-Typo"), within=SOON)
    assert caught.value.fully_qualified_error_id.startswith("CommandNotFoundException")
    assert "ObjectNotFound" == caught.value.category


def test_script_is_refused_where_there_is_no_language(session):
    with pytest.raises(RemoteError, match="no-language mode") as caught:
        session.run(script("Get-Date"), within=SOON)
    assert "Get-Date" not in str(caught.value)


def test_a_failed_pipeline_leaves_the_session_usable(session):
    with pytest.raises(RemoteError):
        session.run(native("fail.exe"), within=SOON)
    assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output


def test_what_cannot_be_sent_is_refused_before_anything_is(tls_node, tls_session):
    with pytest.raises(InputError, match=r"argument 1 of echo\.exe"):
        tls_session.run(native("echo.exe", object()), within=SOON)
    assert tls_session.is_open
    assert 0 == tls_node.runs["echo.exe"]


# Deadlines and cancelling


def test_a_deadline_stops_the_pipeline(node, session):
    begin = time.monotonic()
    with pytest.raises(OperationTimeoutError) as caught:
        session.run(native("wait.exe"), within=timedelta(seconds=0.4))
    assert 0.4 <= time.monotonic() - begin < 0.4 + GRACE
    assert timedelta(seconds=0.4) == caught.value.after
    assert str(caught.value) == "N1: the pipeline had not ended after 0.4 s. It was stopped."
    assert ends(lambda: node.endpoint.running == 0)
    assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output


def test_cancelling_stops_the_pipeline_from_another_thread(node, session):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(session.run, native("wait.exe"), within=SOON)
        assert node.waiting.wait(5)
        begin = time.monotonic()
        assert session.cancel()
        with pytest.raises(OperationCancelledError):
            run.result(5)
        assert time.monotonic() - begin < GRACE
    assert ends(lambda: node.endpoint.running == 0)
    assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output


def test_output_counts_even_if_the_pipeline_ends_while_it_is_being_stopped(tls_node, tls_session):
    """A pipeline that completes before the node stops it has done its work: its whole result is returned."""

    def let_it_end_first(exchange: Exchange) -> None:
        if exchange.action == "Signal":
            assert ends(lambda: tls_node.endpoint.running == 0)

    tls_node.endpoint.intercept(let_it_end_first)
    cancelled = threading.Event()
    cancelled.set()
    assert tls_session._shell is not None
    invocation = Invocation(tls_session._shell, deadline=Deadline.after(SOON), cancelled=cancelled, on_output=None)
    invocation.run(as_pipeline(native("count.exe", "3")))
    assert PipelineState.COMPLETED is invocation.reader.state
    assert [0, 1, 2] == invocation.reader.result().output


def test_there_is_nothing_to_cancel_in_an_idle_session(tls_session):
    assert not tls_session.cancel()
    assert ["a"] == tls_session.run(native("echo.exe", "a"), within=SOON).output


def test_a_node_that_answers_nobody_cannot_hold_a_cancelled_call(tls_node, tls_session):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(tls_session.run, native("wait.exe"), within=SOON)
        assert tls_node.waiting.wait(5)
        tls_node.endpoint.mode = WireMode.HANGING
        begin = time.monotonic()
        assert tls_session.cancel()
        with pytest.raises(OperationCancelledError, match="may have run"):
            run.result(5)
        assert time.monotonic() - begin < GRACE
    tls_node.endpoint.mode = WireMode.SERVING


def test_opening_can_be_cancelled(tls_node):
    tls_node.endpoint.mode = WireMode.HANGING
    session = NodeSession(tls_node.connection)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(session.open, SOON)
        assert ends(lambda: "opening" in repr(session))
        assert session.cancel()
        with pytest.raises(OperationCancelledError):
            opening.result(5)
    tls_node.endpoint.mode = WireMode.SERVING


@contextmanager
def silent_listener(backlog: int) -> Iterator[NodeConnection]:
    """A port where nobody answers: with a backlog of 0 not even TCP, with 5 TLS does not."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listening, ExitStack() as stack:
        for _ in range(3 - backlog // 2):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield NodeConnection(
            "N1", address="127.0.0.1", port=listening.getsockname()[1], credential=PSCredential("admin", "hunter2")
        )


@pytest.mark.parametrize("backlog", [0, 5])
def test_opening_can_be_cancelled_before_there_is_a_connection(backlog):
    """While TCP or TLS still waits for an answer."""
    with silent_listener(backlog) as connection:
        session = NodeSession(connection)
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(session.open, SOON)
            assert ends(lambda: "opening" in repr(session) and session._work.shell is not None)
            begin = time.monotonic()
            assert session.cancel()
            assert isinstance(opening.exception(10), OperationCancelledError)
            assert time.monotonic() - begin < GRACE


def test_a_hanging_node_ends_a_call_at_its_deadline(tls_node, tls_session):
    tls_node.endpoint.mode = WireMode.HANGING
    begin = time.monotonic()
    with pytest.raises(OperationTimeoutError, match="Whether it ran is unknown"):
        tls_session.run(native("count.exe", "1"), within=timedelta(seconds=0.3))
    assert time.monotonic() - begin < 0.3 + GRACE
    assert not tls_session.is_open
    tls_node.endpoint.mode = WireMode.SERVING


def test_a_session_serves_one_thread_after_the_other(session):
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(session.run, native("echo.exe", number), within=SOON) for number in range(12)]
        assert [[number] for number in range(12)] == [run.result(20).output for run in runs]


def test_waiting_for_a_session_ends_at_the_deadline(tls_node, tls_session):
    """The error promises that nothing was sent: a timeout would count as sent, and a restart as asked."""
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(tls_session.run, native("wait.exe"), within=SOON)
        assert tls_node.waiting.wait(5)
        with pytest.raises(SessionBusyError, match=r"in use by another thread for 0\.1 s; nothing was sent"):
            tls_session.run(native("echo.exe", "a"), within=timedelta(seconds=0.1))
        with pytest.raises(SessionBusyError):
            tls_session.open(timedelta(seconds=0.01))
        tls_session.cancel()
        assert run.exception(5) is not None
    assert 0 == tls_node.runs["echo.exe"]


def test_closing_stops_what_runs(tls_node, tls_session):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(tls_session.run, native("wait.exe"), within=SOON)
        assert tls_node.waiting.wait(5)
        tls_session.close()
        assert isinstance(run.exception(5), OperationCancelledError)
    assert ends(lambda: tls_node.endpoint.shells == ())


def test_an_error_of_the_one_who_takes_output_ends_the_pipeline(tls_node, tls_session):
    def refuse(_: list) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tls_session.run(native("wait.exe"), within=SOON, on_output=refuse)
    assert ends(lambda: tls_node.endpoint.running == 0)
    assert ends(lambda: tls_node.endpoint.shells == ())


# Nodes that go away


def test_nothing_was_sent_when_nobody_answers(node, session):
    node.endpoint.refuse()
    sees_its_connection_end(session)
    with pytest.raises(NodeUnreachableError, match="nothing was sent"):
        session.run(native("echo.exe", "a"), within=SOON)
    assert 0 == node.runs["echo.exe"]


def test_the_shell_of_a_session_that_was_given_up_is_removed_later(node, session):
    """The network came back, not the node: its shells are still there, and none may stay."""
    node.endpoint.refuse()
    sees_its_connection_end(session)
    with pytest.raises(NodeUnreachableError):
        session.run(native("echo.exe", "a"), within=SOON)
    assert 1 == len(node.endpoint.shells)
    node.endpoint.start()
    session.open(SOON)
    assert 1 == len(node.endpoint.shells)
    session.close()
    assert () == node.endpoint.shells


def test_opening_waits_for_a_node_that_starts(tls_node):
    tls_node.endpoint.stop()
    with ThreadPoolExecutor(1) as pool:
        session = NodeSession(tls_node.connection)
        opening = pool.submit(session.open, SOON)
        assert ends(lambda: "opening" in repr(session))
        tls_node.endpoint.start()
        opening.result(10)
    assert session.is_open
    session.close()


def test_opening_gives_up_at_its_deadline(tls_node):
    tls_node.endpoint.stop()
    begin = time.monotonic()
    with pytest.raises(NodeUnreachableError, match="refused the connection"):
        NodeSession(tls_node.connection).open(timedelta(seconds=0.3))
    assert time.monotonic() - begin < 0.3 + GRACE


def test_opening_without_insisting_tries_once(tls_node):
    """For a caller who has another node to ask; one that answers is opened as ever."""
    tls_node.endpoint.stop()
    session = NodeSession(tls_node.connection)
    begin = time.monotonic()
    with pytest.raises(NodeUnreachableError, match="refused the connection"):
        session.open(SOON, insist=False)
    assert time.monotonic() - begin < GRACE
    tls_node.endpoint.start()
    session.open(SOON, insist=False)
    assert session.is_open
    session.close()


@pytest.mark.parametrize("backlog", [0, 5])
def test_opening_without_insisting_waits_less_for_a_connection(monkeypatch, backlog):
    """Nobody answers at all: neither TCP, nor TLS behind it."""
    monkeypatch.setattr("cauctl.psrp.session._HURRY", 0.1)
    with silent_listener(backlog) as connection:
        begin = time.monotonic()
        with pytest.raises(NodeUnreachableError, match="nothing was sent"):
            NodeSession(connection).open(SOON, insist=False)
        assert time.monotonic() - begin < GRACE


def test_a_session_opened_in_a_hurry_gives_its_later_connections_their_time(tls_node):
    with NodeSession(tls_node.connection) as session:
        session.open(SOON, insist=False)
        line = session._shell._wsman.transport.line
        assert tls_node.connection.connect_timeout == line._connect_timeout


def test_a_restart_loses_the_session(node, session):
    """The node answers again and knows nothing of the session: nothing ran, and the next call opens a new one."""
    node.endpoint.stop()
    node.endpoint.start()
    with pytest.raises(SessionLostError, match="Nothing ran"):
        session.run(native("echo.exe", "a"), within=SOON)
    assert 0 == node.runs["echo.exe"]
    assert not session.is_open
    assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output


def test_a_restart_in_the_middle_leaves_the_fate_unknown(node, session):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(session.run, native("wait.exe"), within=SOON)
        assert node.waiting.wait(5)
        node.endpoint.stop()
        with pytest.raises(FateUnknownError):
            run.result(10)


@pytest.mark.parametrize(("runs", "how"), [(1, Break.AFTER), (1, Break.MIDDLE), (0, Break.BEFORE)], ids=str)
def test_a_command_whose_answer_is_lost_is_of_unknown_fate_and_never_repeated(node, session, runs, how):
    """A careful caller looks before it tries again; whether it ran cannot be told from here."""
    node.endpoint.cut(how, action="Command")
    with pytest.raises(FateUnknownError):
        session.run(native("count.exe", "3"), within=SOON)
    assert ends(lambda: node.endpoint.running == 0)
    assert runs == node.runs["count.exe"]
    assert ends(lambda: node.endpoint.shells == ())


def test_a_result_stands_even_if_the_pipeline_cannot_be_closed(node, session):
    """Its end was read; only the session is lost."""
    node.endpoint.cut(Break.BEFORE, action="Signal")
    assert [0, 1, 2] == session.run(native("count.exe", "3"), within=SOON).output
    assert not session.is_open
    assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output
    assert 1 == len(node.endpoint.shells)


def test_a_wrong_password_is_refused_at_once_and_tried_once(node):
    wrong = node.connection.evolve(credential=PSCredential("LAB\\admin", "wrong"))
    requests = []
    node.endpoint.intercept(requests.append)
    begin = time.monotonic()
    with pytest.raises(AuthenticationError, match=r"did not accept LAB\\admin") as caught:
        NodeSession(wrong).open(SOON)
    assert time.monotonic() - begin < GRACE
    assert "wrong" not in str(caught.value)
    assert [] == requests


def test_a_credential_refused_in_the_middle_leaves_the_fate_unknown(tls_node, tls_session):
    """The pipeline runs; only the way to it is barred. Nothing else is tried with that credential."""
    refused = []

    def refuse(exchange: Exchange) -> Substitute | None:
        if exchange.action != "Receive" and not refused:
            return None
        refused.append(exchange.action)
        return Substitute(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    tls_node.endpoint.intercept(refuse)
    with pytest.raises(FateUnknownError, match=r"did not accept LAB.*had been started before"):
        tls_session.run(native("wait.exe"), within=SOON)
    assert ["Receive"] == refused
    assert not tls_session.is_open


# What people see


def test_repr_tells_the_state_in_one_line(tls_node):
    session = NodeSession(tls_node.connection)
    url = tls_node.connection.url
    assert f"<NodeSession N1 {url} not open>" == repr(session)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(session.run, native("wait.exe"), within=SOON)
        assert tls_node.waiting.wait(5)
        assert repr(session).startswith(f"<NodeSession N1 {url} open, running wait.exe for 0.")
        session.cancel()
        assert run.exception(5) is not None
    assert f"<NodeSession N1 {url} open>" == repr(session)
    session.close()


def test_when_only_http_answers_the_error_says_how_to_allow_it(monkeypatch):
    """Two free ports stand for 5986 and 5985; only the second one listens."""
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        https, http = reserved.getsockname()[1], plain.getsockname()[1]
        monkeypatch.setattr(advice, "HTTPS_PORT", https)
        monkeypatch.setattr(advice, "HTTP_PORT", http)
        connection = NodeConnection("N1", address="127.0.0.1", port=https, credential=PSCredential("admin", "hunter2"))
        with pytest.raises(NodeUnreachableError) as caught:
            NodeSession(connection).open(timedelta(seconds=0.3))
    message = str(caught.value)
    assert message.startswith(f"N1: 127.0.0.1:{https} refused the connection; nothing was sent. Only port 5985")
    assert all(words in message for words in ("tls = false", "tls=False", "Basic authentication is refused"))


def test_importing_the_package_imports_no_client():
    """``import cmdlets`` stays fast: pypsrp and requests are imported by whoever connects."""
    program = (
        "import sys, threading, cauctl.psrp, cauctl.psrp.clusters_file\n"
        "assert not {'pypsrp', 'requests', 'urllib3', 'spnego'} & set(sys.modules)\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
