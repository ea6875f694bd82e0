"""What goes wrong between client and node, and what the node keeps of it."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests
from pypsrp.complex_objects import ObjectMeta
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool
from pypsrp.shell import WinRS
from pypsrp.wsman import NAMESPACES

from cauctl.lab.dispatch import BoundCall
from cauctl.lab.wsman.auth import Credentials
from cauctl.lab.wsman.exchange import Exchange
from cauctl.lab.wsman.service import Quotas
from cauctl.lab.wsman.soap import RSP
from cauctl.lab.wsman.wire import Break, Substitute, WireMode
from tests.lab.remote import (
    COMPLETED,
    PASSWORD,
    USER,
    node_table,
    pipeline,
    pool_on,
    run,
    serving,
    sleep_seconds,
    wsman,
)

ECHO = ("Write-Output", {"InputObject": "x"})


def opened(node, **options) -> RunspacePool:
    pool = RunspacePool(wsman(node, **options))
    pool.open()
    return pool


def closed(pool: RunspacePool) -> None:
    """Let go of a pool whose node no longer knows it."""
    pool.connection.close()


def test_a_stopped_node_refuses_and_has_lost_its_shells():
    """As a restart: connections reset, port closed, shells gone; back on the same port with none."""
    with serving() as node:
        pool, port = opened(node), node.port
        node.stop()
        with pytest.raises(requests.ConnectionError, match="refused"):
            opened(node)
        node.start()
        assert (port, ()) == (node.port, node.shells)
        with pytest.raises(WSManFaultError) as fault:
            run(pool, ECHO)
        assert 0x8033805B == fault.value.code
        closed(pool)
        with pool_on(node) as again:
            assert ["x"] == run(again, ECHO).output


def test_a_node_that_dies_breaks_a_waiting_receive_at_once():
    with serving() as node:
        pool = opened(node)
        shell = pipeline(pool, sleep_seconds(60))
        shell.begin_invoke()
        threading.Timer(0.1, node.stop).start()
        began = time.monotonic()
        with pytest.raises(requests.ConnectionError):
            shell.end_invoke()
        assert time.monotonic() - began < 20
        closed(pool)


def test_a_node_may_restart_twice_and_stop_twice():
    with serving() as node:
        node.start()
        node.stop()
        node.stop()
        node.start()
        with pool_on(node) as pool:
            assert ["x"] == run(pool, ECHO).output


def test_refusing_keeps_the_shells():
    """WinRM is down or a firewall is in the way: once it is back, the pool goes on."""
    with serving() as node, pool_on(node) as pool:
        node.refuse()
        with pytest.raises(requests.ConnectionError):
            run(pool, ECHO)
        node.start()
        assert ["x"] == run(pool, ECHO).output


def test_dropped_connections_lose_nothing():
    with serving() as node, pool_on(node) as pool:
        node.drop_connections()
        assert ["x"] == run(pool, ECHO).output
        node.drop_connections(reset=True)
        assert 1 == len(node.shells)


def test_a_hanging_node_answers_nothing_until_it_goes_on():
    with serving() as node, pool_on(node, read_timeout=1) as pool:
        node.mode = WireMode.HANGING
        with pytest.raises(requests.ReadTimeout):
            pool.get_runspace_pools(wsman(node, read_timeout=1))
        node.mode = WireMode.SERVING
        assert ["x"] == run(pool, ECHO).output


def test_a_slow_node_answers_completely():
    with serving() as node, pool_on(node) as pool:
        node.mode = WireMode.SLOW
        began = time.monotonic()
        assert ["x"] == run(pool, ECHO).output
        assert time.monotonic() - began > 0.5
        node.mode = WireMode.SERVING


def test_an_unavailable_node_says_503():
    with serving() as node, pool_on(node) as pool:
        node.mode = WireMode.UNAVAILABLE
        with pytest.raises(WinRMTransportError) as error:
            run(pool, ECHO)
        assert 503 == error.value.code
        node.mode = WireMode.SERVING
        assert ["x"] == run(pool, ECHO).output


@pytest.mark.parametrize(
    ("how", "ran"), [(Break.BEFORE, 0), (Break.AFTER, 1), (Break.MIDDLE, 1)], ids=["before", "after", "middle"]
)
def test_a_connection_cut_at_a_command(how, ran):
    """Before the command is acted on it has not run, after and in the middle of the answer it has."""
    calls: list[BoundCall] = []
    with serving(commands=node_table(calls)) as node:
        pool = opened(node)
        node.cut(how, command="get-clusternode", action="Command")
        with pytest.raises(requests.RequestException):
            run(pool, "Get-ClusterNode")
        deadline = time.monotonic() + 5
        while len(calls) < ran and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ran == len(calls)
        assert ["x"] == run(pool, ECHO).output  # only the one exchange was cut
        pool.close()


@pytest.mark.parametrize("how", [Break.SILENT_BEFORE, Break.SILENT_AFTER])
def test_an_exchange_that_is_never_answered(how):
    calls: list[BoundCall] = []
    with serving(commands=node_table(calls)) as node:
        pool = opened(node, read_timeout=1)
        node.cut(how, command="Get-ClusterNode", action="Command")
        with pytest.raises(requests.ReadTimeout):
            run(pool, "Get-ClusterNode")
        assert (how is Break.SILENT_AFTER) == bool(calls)
        closed(pool)


def test_cuts_count_and_match_the_receive_of_a_command():
    """A Receive belongs to the pipeline that it reads; other pipelines are left alone."""
    with serving() as node:
        pool = opened(node, reconnection_retries=0)
        node.cut(Break.AFTER, command="Get-ClusterNode", action="Receive", times=2)
        assert ["x"] == run(pool, ECHO).output
        for _ in range(2):
            with pytest.raises(requests.ConnectionError):
                run(pool, "Get-ClusterNode")
        assert 2 == len(run(pool, "Get-ClusterNode").output)
        pool.close()


def test_an_interceptor_sees_each_exchange_and_may_answer_itself():
    seen: list[tuple[str, tuple[str, ...]]] = []

    def look(exchange: Exchange) -> None:
        seen.append((exchange.action, exchange.commands))

    with serving() as node, pool_on(node) as pool:
        remove = node.intercept(look)
        run(pool, ECHO)
        remove()
        assert [("Command", ("Write-Output",)), ("Receive", ("Write-Output",)), ("Signal", ("Write-Output",))] == seen
        html = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
        remove = node.intercept(lambda _exchange: Substitute(html))
        with pytest.raises(Exception, match=r"syntax|mismatched|no element|unclosed"):
            run(pool, ECHO)
        remove()
        assert ["x"] == run(pool, ECHO).output


def test_a_repeated_receive_gets_the_same_answer():
    """The very same request, sent again after a broken connection: no output is lost, none comes twice."""
    with serving() as node, pool_on(node) as pool:
        shell = pipeline(pool, ("Get-ChildItem", {"Filter": "3"}))
        shell.begin_invoke()
        sent: list[bytes] = []
        transport = pool.connection.transport
        send = transport.send

        def remember(message, *args, **options):
            sent.append(message)
            return send(message, *args, **options)

        transport.send = remember
        shell.end_invoke()
        transport.send = send
        receive = next(message for message in reversed(sent) if b"Receive" in message)
        first, second = send(receive), send(receive)
        assert (first, True) == (second, b"CommandState/Done" in first)
        shell.close()


def test_a_receive_without_output_times_out_and_the_client_goes_on():
    """TimedOut is no failure: the client asks again."""
    with serving() as node, pool_on(node, operation_timeout=1) as pool:
        assert COMPLETED == run(pool, sleep_seconds(1.2)).state


def test_quota_of_shells():
    with serving(quotas=Quotas(max_shells_per_user=2)) as node, pool_on(node), pool_on(node):
        with pytest.raises(WSManFaultError) as fault:
            opened(node)
        assert 0x803381E4 == fault.value.code
        assert "maximum number of 2 concurrent shells" in str(fault.value)


def test_quota_of_commands_counts_pipelines_that_were_not_closed():
    with serving(quotas=Quotas(max_commands_per_shell=3)) as node, pool_on(node) as pool:
        held = [pipeline(pool, ECHO) for _ in range(3)]
        for shell in held:
            shell.invoke()
        with pytest.raises(WSManFaultError) as fault:
            pipeline(pool, ECHO).invoke()
        assert 0x803381E9 == fault.value.code
        held[0].close()
        assert ["x"] == run(pool, ECHO).output
        for shell in held[1:]:
            shell.close()


def test_a_shell_belongs_to_its_owner():
    with serving(credentials=Credentials({USER: PASSWORD, "CONTOSO\\other": "pw"})) as node, pool_on(node) as pool:
        stranger = wsman(node, username="CONTOSO\\other", password="pw")
        assert [] == RunspacePool.get_runspace_pools(stranger)
        assert 1 == len(RunspacePool.get_runspace_pools(wsman(node)))
        assert pool.id is not None


def test_disconnect_and_reconnect_by_the_same_client():
    with serving() as node, pool_on(node) as pool:
        pool.disconnect()
        with pytest.raises(WSManFaultError):
            pool.shell.receive("stdout", timeout=1)
        pool.connect()
        assert ["x"] == run(pool, ECHO).output


def test_a_disconnected_pool_is_taken_over_with_its_pipeline():
    """Another client finds the shell, connects, and gets the output that was waiting."""
    with serving() as node:
        first = opened(node)
        shell = pipeline(first, ("Get-ChildItem", {"Filter": "2"}))
        shell.begin_invoke()
        first.disconnect()
        closed(first)
        (found,) = RunspacePool.get_runspace_pools(wsman(node))
        (waiting,) = found.create_disconnected_power_shells()
        found.connect()
        waiting.connect()
        assert [f"item {number} {'x' * 100}" for number in range(2)] == waiting.end_invoke()
        found.close()


def test_runspace_counts_can_be_asked_and_changed():
    with serving() as node, wsman(node) as client, RunspacePool(client, max_runspaces=3) as pool:
        assert 3 == pool.get_available_runspaces()
        pool.max_runspaces = 5
        pool.min_runspaces = 2
        assert (5, 2, 5) == (pool.max_runspaces, pool.min_runspaces, pool.get_available_runspaces())
        pool.reset_runspace_state()


def test_keys_are_exchanged():
    with serving() as node, pool_on(node) as pool:
        pool.exchange_keys()
        secret = pool.serialize("not shown", ObjectMeta("SS"))
        assert ("SS", False) == (secret.tag, "not shown" in (secret.text or ""))
        assert ["x"] == run(pool, ECHO).output


def test_configuration_of_the_service_can_be_read():
    with serving() as node, wsman(node) as client:
        client.update_max_payload_size()
        assert 500 * 1024 == client.max_envelope_size


def test_only_powershell_resources_are_served():
    with serving() as node, wsman(node) as client, pytest.raises(WSManFaultError) as fault:
        WinRS(client).open()
    assert 0x80338131 == fault.value.code


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /wsman HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /wsman HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"401"),
        (b"x" * 70_000, b"431"),
    ],
)
def test_what_is_no_request_is_refused(request_bytes, status):
    with serving() as node, socket.create_connection(("127.0.0.1", node.port), timeout=5) as raw:
        raw.sendall(request_bytes)
        assert status == raw.recv(4096).split(b" ")[1]


def test_namespaces_of_the_client_are_the_ones_served():
    """The shell namespace that pypsrp asks with is the one that the service reads."""
    assert f"{{{NAMESPACES['rsp']}}}" == RSP
