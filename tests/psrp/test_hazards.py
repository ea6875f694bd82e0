"""The hazards of raw pypsrp that ``docs/connections.md`` lists: each fails on bare pypsrp and passes on our layer.

The first half of each test is the reason why the layer exists. If it begins to fail after an update of pypsrp, the
hazard is gone and what guards against it may go too.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import WinRMError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue

from cauctl.errors import (
    FateUnknownError,
    NodeUnreachableError,
    OperationCancelledError,
    OperationTimeoutError,
    RemoteError,
)
from cauctl.lab.wsman.loop import EndpointLoop
from cauctl.lab.wsman.service import Quotas
from cauctl.lab.wsman.wire import Break, WireMode
from cauctl.models.credential import Secret
from cauctl.psrp import shell as shell_module
from cauctl.psrp import transport as transport_module
from cauctl.psrp.pipeline import native
from cauctl.psrp.session import NodeSession
from cauctl.psrp.transport import NodeWSMan
from tests.psrp.nodes import SOON, WAYS, Node, sees_its_connection_end, serve

SEALED = WAYS[2]


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


@pytest.fixture
def sealed(loop, tmp_path) -> Iterator[Node]:
    """A node behind plain HTTP, where every message is sealed."""
    with serve(loop, tmp_path, SEALED) as served:
        yield served


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Bare pypsrp logs a traceback at ERROR for each repetition."""
    logger = logging.getLogger("pypsrp.wsman")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


def raw_pool(node: Node, **options: object) -> RunspacePool:
    pool = RunspacePool(node.raw(**options))
    pool.open()
    return pool


def raw_run(pool: RunspacePool, program: str, *arguments: object) -> list:
    pipeline = PowerShell(pool).add_cmdlet(program)
    for argument in arguments:
        pipeline.add_argument(argument)
    output = pipeline.invoke()
    pipeline.close()
    return output


# 1. Message encryption does not survive a new TCP connection.


def test_1_sealed_requests_fail_for_ever_after_a_new_connection(sealed):
    pool = raw_pool(sealed)
    sealed.endpoint.drop_connections()
    sealed.endpoint.drop_connections()  # comes back after the loop has done what the first one asked for
    for _ in range(2):
        with pytest.raises(WinRMTransportError, match="Code: 400"):
            raw_run(pool, "echo.exe", "a")


@pytest.mark.parametrize("way", WAYS)
def test_1_ours_agrees_on_a_new_context_and_goes_on(loop, tmp_path, way):
    """The same session goes on; the command ran once, since the node could not read the first request."""
    with serve(loop, tmp_path, way) as node, NodeSession(node.connection) as session:
        session.open(SOON)
        before = node.endpoint.shells
        node.endpoint.drop_connections(reset=True)
        sees_its_connection_end(session)
        assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output
        assert before == node.endpoint.shells
        assert 1 == node.runs["echo.exe"]


def test_1_ours_rebuilds_a_connection_that_was_silent_for_a_minute(sealed, monkeypatch):
    """http.sys drops it after two; nothing has to fail first."""
    with NodeSession(sealed.connection) as session:
        session.open(SOON)
        first = session._shell._wsman.transport.session
        session.run(native("echo.exe", "a"), within=SOON)
        assert first is session._shell._wsman.transport.session
        monkeypatch.setattr(shell_module, "LONGEST_SILENCE", -1.0)
        session.run(native("echo.exe", "a"), within=SOON)
        assert first is not session._shell._wsman.transport.session


# 2. A Receive that broke.


def test_2_a_new_receive_after_a_broken_one_loses_output_in_silence(node):
    pool = raw_pool(node)
    pipeline = PowerShell(pool).add_cmdlet("trickle.exe").add_argument("20").add_argument("20")
    pipeline.begin_invoke()
    while not pipeline.output:
        pipeline.poll_invoke()
    node.endpoint.cut(Break.AFTER, action="Receive")
    with pytest.raises(requests.ConnectionError):
        pipeline.poll_invoke()
    assert [*range(20)] != pipeline.end_invoke()
    assert PSInvocationState.COMPLETED == pipeline.state
    assert not pipeline.had_errors


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", [Break.AFTER, Break.MIDDLE, Break.BEFORE])
def test_2_ours_asks_again_with_the_same_bytes_and_loses_nothing(loop, tmp_path, way, how):
    """Whether the node had acted on the Receive or not, all output arrives, once, in order."""
    with serve(loop, tmp_path, way) as node, NodeSession(node.connection) as session:
        session.open(SOON)
        for times in (1, 2, 1):
            node.endpoint.cut(how, action="Receive", times=times)
        assert [*range(20)] == session.run(native("trickle.exe", "20", "5"), within=SOON).output
        assert 4 == session._shell._wsman.transport.repeats


def test_2_ours_survives_a_connection_that_is_cut_again_and_again(sealed):
    """The pipeline goes on; its output is complete; the deadline holds all the same."""
    stop = threading.Event()

    def cut() -> None:
        while not stop.wait(0.1):
            sealed.endpoint.drop_connections(reset=True)

    with ThreadPoolExecutor(1) as pool, NodeSession(sealed.connection) as session:
        session.open(SOON)
        cutting = pool.submit(cut)
        try:
            assert [*range(40)] == session.run(native("trickle.exe", "40", "20"), within=SOON).output
        finally:
            stop.set()
        assert cutting.exception(5) is None


# 3. One thread for each WSMan.


def test_3_two_threads_break_a_sealed_session(sealed):
    """urllib3 opens a second connection; there is one security context."""
    pool = raw_pool(sealed, reconnection_retries=0)

    def stop() -> None:
        for _ in range(3):
            pipeline = PowerShell(pool).add_cmdlet("echo.exe").add_argument("b")
            pipeline.invoke()

    waiting = PowerShell(pool).add_cmdlet("wait.exe")
    waiting.begin_invoke()
    with ThreadPoolExecutor(2) as threads:
        poll = threads.submit(lambda: [waiting.poll_invoke(timeout=1) for _ in range(3)])
        assert sealed.waiting.wait(5)
        other = threads.submit(stop)
        with pytest.raises(WinRMTransportError, match="Code: 400"):
            other.result(10)
        sealed.endpoint.stop()
        poll.exception(10)


def test_3_ours_cancels_over_a_connection_of_its_own(sealed):
    """The waiting Receive is answered at once, and the session goes on."""
    with NodeSession(sealed.connection) as session, ThreadPoolExecutor(1) as pool:
        run = pool.submit(session.run, native("wait.exe"), within=SOON)
        assert sealed.waiting.wait(5)
        begin = time.monotonic()
        assert session.cancel()
        assert isinstance(run.exception(5), OperationCancelledError)
        assert time.monotonic() - begin < 1
        assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output
        assert 1 == len(sealed.endpoint.shells)


def test_3_ours_makes_one_wsman_at_a_time(node):
    """``WSMan()`` writes to a table of ElementTree that all threads share: bare pypsrp fails there now and then."""
    with ThreadPoolExecutor(1) as pool:
        with transport_module._construction:
            making = pool.submit(NodeWSMan, node.connection)
            with pytest.raises(TimeoutError):
                making.result(0.1)
        assert isinstance(making.result(5), NodeWSMan)


# 4. A hung node blocks a Receive.


def test_4_a_receive_outlives_its_timeout_six_times(node):
    """And sleeps 114 s in between, but for the back-off that this test shortens."""
    pool = raw_pool(node, reconnection_backoff=0.001)
    pipeline = PowerShell(pool).add_cmdlet("wait.exe")
    pipeline.begin_invoke()
    pool.connection.transport.read_timeout = 0.1
    node.endpoint.mode = WireMode.HANGING
    begin = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        pipeline.end_invoke()
    assert time.monotonic() - begin > 0.5
    node.endpoint.mode = WireMode.SERVING


def test_4_ours_ends_at_the_deadline(node):
    with NodeSession(node.connection) as session:
        session.open(SOON)

        def hang(_: list) -> None:
            node.endpoint.mode = WireMode.HANGING

        begin = time.monotonic()
        with pytest.raises(OperationTimeoutError):
            session.run(native("wait.exe"), within=timedelta(seconds=0.2), on_output=hang)
        assert time.monotonic() - begin < 0.2 + 2
        node.endpoint.mode = WireMode.SERVING


# 5. Pipelines that nobody closes.


def test_5_pipelines_that_are_not_closed_fill_a_quota(loop, tmp_path):
    with serve(loop, tmp_path, quotas=Quotas(max_commands_per_shell=5)) as node:
        pool = raw_pool(node)
        for _ in range(5):
            PowerShell(pool).add_cmdlet("echo.exe").add_argument("a").invoke()
        with pytest.raises(WSManFaultError):
            PowerShell(pool).add_cmdlet("echo.exe").add_argument("a").invoke()


def test_5_ours_closes_each_whatever_its_end(loop, tmp_path):
    with (
        serve(loop, tmp_path, quotas=Quotas(max_commands_per_shell=5)) as node,
        NodeSession(node.connection) as session,
    ):
        for number in range(12):
            assert [number] == session.run(native("echo.exe", number), within=SOON).output
            with pytest.raises(RemoteError):
                session.run(native("fail.exe"), within=SOON)
        assert 1 == len(node.endpoint.shells)


# 6. Exceptions.


def test_6_raw_exceptions_do_not_say_whether_anything_was_sent(node):
    """The same class for a refused connection and for a lost answer; and nothing of it is pypsrp's."""
    pool = raw_pool(node)
    node.endpoint.cut(Break.AFTER, action="Command")
    with pytest.raises(requests.ConnectionError) as lost:
        raw_run(pool, "echo.exe", "a")
    node.endpoint.stop()
    with pytest.raises(requests.ConnectionError) as refused:
        RunspacePool(node.raw()).open()
    assert type(lost.value) is type(refused.value)
    assert not isinstance(lost.value, WinRMError)
    assert RunspacePoolState.OPENED == pool.state


def test_6_ours_do(node):
    session = NodeSession(node.connection)
    session.open(SOON)
    node.endpoint.cut(Break.AFTER, action="Command")
    with pytest.raises(FateUnknownError):
        session.run(native("echo.exe", "a"), within=SOON)
    node.endpoint.stop()
    with pytest.raises(NodeUnreachableError):
        session.run(native("echo.exe", "a"), within=SOON)


def fail_after_a_restart(node: Node) -> None:
    node.endpoint.stop()
    node.endpoint.start()
    raise KeyError("mine")


def test_6_raw_hides_the_error_of_who_uses_it(node):
    """Closing what is gone raises in its place."""
    with pytest.raises(WSManFaultError), node.raw() as wsman, RunspacePool(wsman):
        fail_after_a_restart(node)


def test_6_ours_lets_it_pass(node):
    session = NodeSession(node.connection)
    session.open(SOON)
    with pytest.raises(KeyError), session:
        fail_after_a_restart(node)


# 7. A pipeline of unknown fate.


def test_7_raw_keeps_a_pool_whose_pipeline_nobody_knows(node):
    """The pool says that it is open, the pipeline that it has not started; it runs on."""
    pool = raw_pool(node)
    node.endpoint.cut(Break.AFTER, action="Command")
    pipeline = PowerShell(pool).add_cmdlet("wait.exe")
    with pytest.raises(requests.ConnectionError):
        pipeline.invoke()
    assert (RunspacePoolState.OPENED, PSInvocationState.NOT_STARTED) == (pool.state, pipeline.state)
    assert node.waiting.wait(5)


def test_7_ours_removes_the_session_and_with_it_the_pipeline(node):
    session = NodeSession(node.connection)
    session.open(SOON)
    node.endpoint.cut(Break.AFTER, action="Command")
    with pytest.raises(FateUnknownError):
        session.run(native("wait.exe"), within=SOON)
    assert () == node.endpoint.shells
    assert not session.is_open


# 8. Errors that do not count as errors.


def test_8_a_non_terminating_error_is_no_error_to_raw_pypsrp(node):
    pipeline = PowerShell(raw_pool(node)).add_cmdlet("complain.exe")
    pipeline.invoke()
    assert not pipeline.had_errors
    assert 2 == len(pipeline.streams.error)


def test_8_ours_raises_it(node):
    with NodeSession(node.connection) as session, pytest.raises(RemoteError, match="Disk 1 is full"):
        session.run(native("complain.exe"), within=SOON)


# 9. Secrets in the log.

_LOGGED = """
import logging, sys, io
log = io.StringIO()
logging.basicConfig(level=logging.DEBUG, stream=log)
{use_ours}
from pypsrp.complex_objects import Command, CommandParameter, HostInfo, Pipeline
from pypsrp.complex_objects import ApartmentState, RemoteStreamOptions
from pypsrp.messages import CreatePipeline
from pypsrp.powershell import Fragmenter
from pypsrp.serializer import Serializer
command = Command("Set-It", args=[CommandParameter(name="Key", value="hunter2")])
pipeline = Pipeline(is_nested=False, cmds=[command], history=None, redirect_err_to_out=False)
state, options = ApartmentState(value=2), RemoteStreamOptions(value=0)
message = CreatePipeline(True, state, options, False, HostInfo(host=None), pipeline, False)
Fragmenter(10000, Serializer()).fragment(message, "12345678-1234-5678-1234-567812345678")
sys.exit(10 if "hunter2" in log.getvalue() else 0)
"""


@pytest.mark.parametrize(("leaks", "use_ours"), [(10, ""), (0, "import cauctl.psrp.transport")])
def test_9_debug_logging_writes_parameters_but_not_once_our_layer_is_loaded(leaks, use_ours):
    program = _LOGGED.format(use_ours=use_ours)
    assert leaks == subprocess.run([sys.executable, "-c", program], check=False).returncode


def test_9_raw_cannot_send_a_secret_before_keys_are_exchanged(node):
    with pytest.raises(WinRMError):
        raw_run(raw_pool(node), "echo.exe", TaggedValue("SS", "hunter2"))


def test_9_ours_exchanges_keys_when_the_first_secret_is_sent(node):
    with NodeSession(node.connection) as session:
        (secret,) = session.run(native("echo.exe", Secret("hunter2")), within=SOON).output
        assert "hunter2" not in repr(secret)
        assert ["a"] == session.run(native("echo.exe", "a"), within=SOON).output


# 10. Numbers and nested values.


def test_10_raw_cannot_send_a_large_number_and_keeps_nested_values_opaque(node):
    pool = raw_pool(node)
    with pytest.raises(WinRMError):
        raw_run(pool, "echo.exe", 2**40)
    pool = raw_pool(node)
    (inner,) = raw_run(pool, "echo.exe", [["a", "b"]])
    assert ["a", "b"] != inner


def test_10_ours_carries_both(node):
    with NodeSession(node.connection) as session:
        number, table = session.run(native("echo.exe", 2**40, {"List": ["a", 2**40]}), within=SOON).output
        assert 2**40 == number
        assert {"List": ["a", 2**40]} == table.to_python()
