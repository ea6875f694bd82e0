"""The way to a node, step by step: the first step that fails is named, with what to change."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cauctl.lab.server import Lab
from cauctl.models.credential import PSCredential
from cauctl.operations.access import ways
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.steps import Step, Tried, try_node
from tests.psrp.stranger import Stranger, http, says

TODAY = datetime(2026, 11, 30, tzinfo=UTC)
WHOLE_WAY = [Step.NAME, Step.TCP, Step.TLS, Step.AUTHENTICATION, Step.SHELL, Step.IDENTITY, Step.COMMANDS]


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeConnection]:
    """The way to the first node of a lab."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUCTL_RUNTIME", str(tmp_path_factory.mktemp("runtime")))
        with Lab(nodes=2, name="STEPS-FC1") as lab:
            yield ways(lab.name, None, None, None)[0][0]


def tried(connection: NodeConnection, *, cluster: str = "STEPS-FC1", today: datetime = TODAY) -> list[Tried]:
    return list(try_node(connection, cluster=cluster, today=today))


def failed(found: list[Tried]) -> Tried:
    """The last step, the only one that failed."""
    assert [True] * (len(found) - 1) + [False] == [each.passed for each in found]
    assert found[-1].advice
    return found[-1]


def test_the_whole_way(way: NodeConnection):
    found = tried(way)
    assert WHOLE_WAY == [each.step for each in found]
    assert all(each.passed and each.advice is None for each in found)
    assert "certificate of NODE1" in found[2].detail
    assert found[5].detail == "NODE1 speaks for the cluster"


def test_a_certificate_that_ends_soon_is_worth_a_word(way: NodeConnection):
    near = TODAY + timedelta(days=825 - 20)
    assert [Step.TLS] == [each.step for each in tried(way, today=near) if each.advice]


def test_a_name_that_nobody_knows(way: NodeConnection):
    found = failed(tried(way.evolve(address="nosuch.invalid")))
    assert Step.NAME is found.step
    assert "the name nosuch.invalid was not found" in found.detail


def test_a_port_where_nobody_listens(way: NodeConnection):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = failed(tried(way.evolve(port=probe.getsockname()[1])))
    assert Step.TCP is found.step
    assert "Connection refused" in found.detail


def test_a_certificate_of_another_name(way: NodeConnection):
    found = failed(tried(way.evolve(certificate_name="other.contoso.com")))
    assert Step.TLS is found.step
    assert "certificate_name" in found.advice


def test_an_authority_that_is_not_trusted(way: NodeConnection):
    found = failed(tried(way.evolve(ca_file=None)))
    assert Step.TLS is found.step
    assert "ca_file" in found.advice


def test_a_wrong_password(way: NodeConnection):
    found = failed(tried(way.evolve(credential=PSCredential(way.credential.user_name, "hunter2"))))
    assert Step.AUTHENTICATION is found.step
    assert "hunter2" not in found.detail + found.advice


def test_somebody_who_is_no_node(tmp_path):
    with Stranger(tmp_path, says(http(b"<html>", "404 Not Found"))) as stranger:
        found = failed(tried(stranger.connection()))
    assert Step.AUTHENTICATION is found.step
    assert "there is no /wsman" in found.detail


def test_another_node_than_expected(way: NodeConnection):
    found = failed(tried(way.evolve(node="NODE2")))
    assert Step.IDENTITY is found.step
    assert "the computer NODE1 answers where the node NODE2 was expected" in found.detail


def test_a_node_of_another_cluster(way: NodeConnection):
    found = tried(way, cluster="OTHER-FC9")[-1]
    assert (Step.IDENTITY, False) == (found.step, found.passed)
    assert "STEPS-FC1" in found.detail


def test_a_certificate_that_is_not_checked_is_advised_against(way: NodeConnection):
    found = tried(way.evolve(certificate_validation=False))
    assert all(each.passed for each in found)
    assert [Step.TLS] == [each.step for each in found if each.advice]


def test_through_a_proxy_the_proxy_is_reached(way: NodeConnection):
    found = tried(way.evolve(proxy="http://nosuch.invalid:3128", connect_timeout=timedelta(seconds=2)))
    assert (Step.NAME, False) == (found[-1].step, found[-1].passed)
    assert "nosuch.invalid" in found[-1].detail


def test_a_proxy_that_does_not_answer_is_not_the_nodes_listener(way: NodeConnection):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    found = failed(tried(way.evolve(proxy=f"http://127.0.0.1:{port}")))
    assert (Step.TCP, True) == (found.step, "proxy" in (found.advice or ""))
