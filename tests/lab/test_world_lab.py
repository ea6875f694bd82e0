"""A whole lab over real PSRP: found by its record, follows its world, leaves nothing behind."""

from __future__ import annotations

import json
import lzma
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from cauctl.errors import InputError, NodeUnreachableError, RemoteError, TransportError
from cauctl.lab.commands import node_commands
from cauctl.lab.engine_commands import engine_commands
from cauctl.lab.faults import Fault
from cauctl.lab.record import LabRecord, certificate_path, find_lab, list_labs, publish, withdraw
from cauctl.lab.server import Lab
from cauctl.lab.world import Quirks, World, standard_scenario
from cauctl.models.credential import PSCredential
from cauctl.models.enums import FailbackType
from cauctl.operations.access import Access, connect
from cauctl.psobject.clixml import read_clixml
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.pipeline import Pipeline, command
from cauctl.psrp.session import NodeSession

RECORDED = Path(__file__).parent.parent / "recorded" / "binding" / "node-pipelines.jsonl.xz"
FAST = 3000.0


def quiet_lab(*faults: str, nodes: int = 2, scale: float = FAST, **options: Any) -> Lab:
    scenario = standard_scenario(nodes=nodes, faults=map(Fault.parse, faults), quirks=Quirks.none())
    return Lab(scenario=scenario, time_scale=scale, seed=1, **options)


def until(access: Access, ready: Any, *, seconds: float = 8) -> None:
    """Wait in real time for something to become true of the lab."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        access.clock.wait(access.clock.now(), lambda: False)


def test_a_lab_starts_at_once_is_found_by_name_and_leaves_nothing_behind() -> None:
    threads = set(threading.enumerate())
    began = time.monotonic()
    with quiet_lab(nodes=4) as lab:
        assert time.monotonic() - began < 2
        record = find_lab("lab-fc1")
        assert record == lab.record
        assert [node.name for node in record.nodes] == ["NODE1", "NODE2", "NODE3", "NODE4"]
        assert find_lab("LAB-FC1.lab.test") == record
        assert list_labs() == [record]
        assert record.password not in repr(record)
        assert record.password not in repr(lab)
    assert (find_lab("LAB-FC1"), list_labs(), record.ca_file.exists()) == (None, [], False)
    assert set(threading.enumerate()) <= threads
    for node in record.nodes:
        with closing(socket.socket()) as probe:
            assert probe.connect_ex((node.address, node.port)) != 0
    assert not list(record.ca_file.parent.iterdir())


def test_stopping_twice_and_a_lab_that_never_started_are_fine() -> None:
    lab = quiet_lab()
    lab.stop()
    lab.stop()
    assert repr(lab) == "<Lab LAB-FC1 stopped, 2 nodes, seed 1>"
    with pytest.raises(InputError):
        _ = quiet_lab().record


@pytest.mark.parametrize(
    "options",
    [
        {"time_scale": 0},
        {"time_scale": float("nan")},
        {"time_scale": float("inf")},
        {"time_scale": 1e300},
        {"port": 65535},
        {"name": "no such name"},
        {"name": "../x"},
        {"nodes": 0},
    ],
)
def test_a_lab_that_cannot_be_is_refused_before_anything_starts(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Lab(**options)


def test_a_second_lab_of_the_name_is_refused_and_the_first_goes_on() -> None:
    with quiet_lab() as lab:
        with pytest.raises(InputError, match="runs already"):
            quiet_lab().start()
        assert find_lab("LAB-FC1") == lab.record


def test_ports_follow_the_first_one() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with quiet_lab(port=port) as lab:
        assert [node.port for node in lab.record.nodes] == [port, port + 1]


# The record


def record_of(lab: Lab) -> LabRecord:
    with lab:
        return lab.record


@pytest.fixture
def written() -> LabRecord:
    record = record_of(quiet_lab())
    publish(record, b"PEM")
    return record


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's")
def test_the_record_is_private(written: LabRecord) -> None:
    path = written.ca_file.with_suffix(".json")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path, written.ca_file)] == [0o700, 0o600, 0o600]
    path.chmod(0o644)
    assert find_lab(written.name) is None


def test_a_record_of_a_dead_process_does_not_count(written: LabRecord) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    path = written.ca_file.with_suffix(".json")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "pid": int(dead.stdout)}))
    assert (find_lab(written.name), list_labs()) == (None, [])
    publish(evolve(written, seed=7), b"PEM")
    found = find_lab(written.name)
    assert found is not None
    assert found.seed == 7


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"name": "LAB-FC1"}', b"\xff"])
def test_a_record_that_cannot_be_read_does_not_count(written: LabRecord, content: bytes) -> None:
    written.ca_file.with_suffix(".json").write_bytes(content)
    assert find_lab(written.name) is None


def test_withdrawing_twice_is_fine_and_names_stay_in_their_folder(written: LabRecord) -> None:
    withdraw(written.name)
    withdraw(written.name)
    assert find_lab("../../etc/passwd") is None
    with pytest.raises(InputError):
        certificate_path("../x")
    assert os.getpid() == written.pid


# The world behind the wire


def test_a_restart_breaks_every_connection_and_brings_the_node_back() -> None:
    with quiet_lab() as lab, connect(lab.name) as access:
        before = access.node.probe("NODE2")
        access.cluster.avoid(["NODE2"])
        access.node.restart("NODE2", reason='a "reason"; $(x)')
        seen: list[str] = []

        def back() -> bool:
            try:
                now = access.node.probe("NODE2")
            except TransportError as error:
                seen.append(type(error).__name__)
                return False
            return now.boot_time > before.boot_time and now.boot_finished and now.cluster_service_running

        until(access, back)
        assert "restart reason: cauctl: a 'reason'; $(x)" in [entry.text for entry in lab.world.ledger.entries]
        assert [restart.by for restart in lab.world.ledger.restarts] == ["LAB-FC1\\Administrator"]


def test_a_cut_wire_is_not_a_restart() -> None:
    with quiet_lab(scale=400.0) as lab, connect(lab.name) as access:
        before = access.node.probe("NODE1")
        with lab.world.lock:
            lab.world.machine("NODE1").cut(timedelta(days=9))
        with pytest.raises(NodeUnreachableError):
            access.node.probe("NODE1")
        access.cluster.avoid(["NODE1"])
        assert access.cluster.observe().node("NODE1").state.value == "Up"
        with lab.world.lock:
            lab.world.machine("NODE1").mend()
        after = access.node.probe("NODE1")
        assert after.uptime > before.uptime
        assert evolve(after, uptime=before.uptime) == before


def test_a_failure_within_the_world_is_told_and_does_not_stop_its_time(caplog: pytest.LogCaptureFixture) -> None:
    lab, seen = quiet_lab(), threading.Event()
    lab.world.kernel.after(timedelta(seconds=1), lambda: 1 // 0)
    lab.world.kernel.after(timedelta(seconds=2), seen.set)
    with lab:
        assert seen.wait(5)
    assert "ZeroDivisionError" in caplog.text


def test_the_clock_of_the_coordinator_is_the_labs() -> None:
    with quiet_lab() as lab, connect(lab.name) as access:
        drift = access.clock.now() - lab.report().ends
        assert abs(drift) < timedelta(seconds=FAST / 5)


def test_a_drain_is_seen_from_outside_and_resumed() -> None:
    with quiet_lab(nodes=3) as lab, connect(lab.name) as access:
        access.cluster.suspend("NODE1")
        until(access, lambda: access.cluster.observe().node("NODE1").drain_status.value == "Completed")
        assert access.cluster.observe().owned_by("NODE1") == ()
        access.cluster.resume("NODE1", failback=FailbackType.IMMEDIATE)
        until(access, lambda: len(access.cluster.observe().owned_by("NODE1")) > 2)
        assert lab.report().pauses[0].by == "LAB-FC1\\Administrator"


# Every pipeline that the project knows


_ENDS_THE_SESSION = {
    "4.2 restart by method",
    "2.5 stop a node's cluster service",
    "4.3 stop a service through the pipeline",
}


def _recorded() -> list[tuple[str, Pipeline]]:
    table = node_commands(World(standard_scenario(nodes=2), 0))
    table.include(engine_commands())
    found = []
    with lzma.open(RECORDED, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            names = [each["command"] for each in record["pipeline"]]
            if all(name in table for name in names) and record["name"] not in _ENDS_THE_SESSION:
                commands = [
                    command(each["command"], **{p["name"]: read_clixml(p["clixml"])[0] for p in each["parameters"]})
                    for each in record["pipeline"]
                ]
                found.append((record["name"], Pipeline(tuple(commands))))
    return found


def test_every_recorded_pipeline_of_these_commands_is_answered_or_refused_as_a_node_does() -> None:
    """No command of a node breaks by itself: whatever fails, fails with an error record of Windows."""
    outcomes: Counter[str] = Counter()
    refused: dict[str, tuple[str, str]] = {}
    with quiet_lab(scale=20_000.0) as lab:
        record = lab.record
        node = NodeConnection(
            "NODE1",
            address=record.nodes[0].address,
            port=record.nodes[0].port,
            authentication="basic",
            credential=PSCredential(record.user_name, record.password),
            ca_file=record.ca_file,
            certificate_name="NODE1",
        )
        with closing(NodeSession(node)) as session:
            for name, pipeline in _recorded():
                try:
                    session.run(pipeline, within=timedelta(seconds=20), collect_errors=True)
                    outcomes["answered"] += 1
                except RemoteError as error:
                    refused[name] = (error.fully_qualified_error_id, error.exception_type or "")
    assert outcomes["answered"] > 100
    assert {name for name, told in refused.items() if told[0].startswith("ClusterEndpointNotRegistered")} == set()
    own = {name: told for name, told in refused.items() if not told[1].startswith(("System.", "Microsoft."))}
    assert own == {}
