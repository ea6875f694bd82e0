"""Faults: their text form, and on which node they fall."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauctl.errors import InputError
from cauctl.lab.faults import EVERY_NODE, Fault, FaultKind, FaultPlan

NODES = ["NODE1", "NODE2", "NODE3"]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(FaultKind.DRAIN_FAILS), "drain-fails"),
        (Fault(FaultKind.DRAIN_FAILS, node="NODE2"), "drain-fails:NODE2"),
        (Fault(FaultKind.DRAIN_FAILS, node=EVERY_NODE), "drain-fails:*"),
        (Fault(FaultKind.SCAN_ERROR, node="NODE1", hresult=0x80244018), "scan-error:NODE1,hresult=0x80244018"),
        (Fault(FaultKind.INSTALL_FAILS, times=2), "install-fails,times=2"),
        (
            Fault(FaultKind.CONNECTION_CUT, after=timedelta(seconds=5), lasts=timedelta(seconds=7.5)),
            "connection-cut,after=5,lasts=7.5",
        ),
    ],
)
def test_a_fault_is_read(fault: Fault, text: str) -> None:
    assert Fault.parse(f" {text.upper().replace('NODE', 'NODE')} ".replace("HRESULT=0X", "hresult=0x")) == fault


@given(
    st.builds(
        Fault,
        st.sampled_from(FaultKind),
        node=st.sampled_from([None, "NODE1", EVERY_NODE]),
        times=st.none() | st.integers(1, 9),
        hresult=st.just(0) | st.integers(0x80000000, 0xFFFFFFFF),
        after=st.integers(0, 10**6).map(lambda number: timedelta(seconds=number)),
        lasts=st.integers(0, 10**6).map(lambda number: timedelta(seconds=number)),
    )
)
def test_the_text_of_a_fault_reads_back(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


def test_codes_that_faults_have_without_one() -> None:
    assert Fault.parse("scan-error").hresult == 0x8024402C
    assert Fault.parse("install-fails").hresult == 0x80070643
    assert Fault.parse("scan-error,hresult=-2145107924").hresult == 0x8024402C


@pytest.mark.parametrize(
    "text",
    ["", "drain", "drain-fails:NODE1,x=1", "drain-fails,times", "drain-fails,times=0", "drain-fails,times=x",
     "scan-error,hresult=0", "scan-error,hresult=", "connection-cut,after=soon", "connection-cut,after=1e400"],
)  # fmt: skip
def test_what_is_no_fault_is_refused_with_what_would_be_accepted(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Fault.parse(text)
    assert caught.value.expected


def test_faults_fall_where_they_are_told_or_where_the_seed_says() -> None:
    plan = FaultPlan(
        [Fault.parse("drain-fails:node2"), Fault.parse("restart-hangs:*"), Fault.parse("scan-error"),
         Fault.parse("witness-offline")],
        NODES,
        lambda _kind: "NODE3",
    )  # fmt: skip
    assert sorted((kind.value, node) for kind, node in plan) == [
        ("drain-fails", "NODE2"),
        ("restart-hangs", "NODE1"),
        ("restart-hangs", "NODE2"),
        ("restart-hangs", "NODE3"),
        ("scan-error", "NODE3"),
        ("witness-offline", ""),
    ]


def test_a_fault_strikes_as_often_as_it_says_on_each_node() -> None:
    plan = FaultPlan([Fault.parse("install-fails:*,times=2")], NODES, lambda _kind: "")
    struck = [plan.strike(FaultKind.INSTALL_FAILS, node) is not None for node in ("NODE1", "NODE1", "NODE1", "NODE2")]
    assert struck == [True, True, False, True]


def test_a_node_that_the_lab_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="NODE1, NODE2, NODE3"):
        FaultPlan([Fault.parse("drain-fails:NODE9")], NODES, lambda _kind: "")
