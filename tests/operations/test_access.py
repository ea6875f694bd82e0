"""The way to a cluster: what a caller says about it is heeded or refused, never left aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import cmdlets as cau
from cauctl import operations
from cauctl.errors import AuthenticationError, ClusterError, InputError
from cauctl.lab.server import Lab
from cauctl.models.credential import PSCredential
from cauctl.operations.access import ConnectionChoice
from cauctl.psrp.connection import NodeConnection

StartLab = Callable[..., Lab]


def test_a_user_name_counts_at_a_lab_too(start_lab: StartLab):
    asked: list[str] = []

    def ask(user_name: str) -> PSCredential:
        asked.append(user_name)
        return PSCredential(user_name, "not the lab's")

    lab = start_lab(nodes=1)
    with pytest.raises(AuthenticationError, match="somebody"):
        operations.status(lab.name, connection=ConnectionChoice(username="somebody"), ask_password=ask)
    assert ["somebody"] == asked


def test_the_port_of_a_lab_is_the_labs(start_lab: StartLab):
    lab = start_lab(nodes=1)
    with pytest.raises(InputError, match="tells the port of each node; expected no port"):
        operations.status(lab.name, connection=ConnectionChoice(port=1))


def test_what_kind_of_endpoint_is_tried_may_be_chosen(start_lab: StartLab):
    """An open lab has no such session configuration of its own, so the first question tells the mistake."""
    lab = start_lab(nodes=1)
    with pytest.raises(ClusterError) as caught:
        operations.status(lab.name, connection=ConnectionChoice(jea=True))
    assert "leave jea out" in caught.value.advice


@pytest.mark.parametrize("connection", ["NODE1", b"NODE1", 5, [], ["NODE1"], {}])
def test_what_is_no_connection_is_refused(connection: Any):
    with pytest.raises(InputError, match="expected a NodeConnection, or a list of some") as caught:
        cau.invoke_cau_scan("C1", connection=connection)
    assert "connection" == caught.value.where


def test_credssp_is_warned_against(caplog):
    way = NodeConnection("N1", authentication="credssp", credential=PSCredential("kim", "hunter2"))
    with operations.connect("FC1", connection=way):
        pass
    assert ["CredSSP hands the password itself to each node"] == [
        record.message.partition(";")[0] for record in caplog.records
    ]
