"""A lab whose nodes are real PowerShell: what it shows, what it refuses, and that nothing of it stays."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cauctl.errors import CauError, InputError, OperationTimeoutError, RemoteError
from cauctl.lab.lock import EndpointLock
from cauctl.lab.server import Lab
from cauctl.psrp.pipeline import command, script
from cauctl.psrp.session import NodeSession
from tests.engine_lab import Bench, bench

pytestmark = pytest.mark.pwsh

PATIENCE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def real(pwsh_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Two nodes with real PowerShell."""
    with bench(tmp_path_factory.mktemp("engine"), "pwsh", pwsh=pwsh_path) as found:
        yield found


def lives(process: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def ends(process: int) -> bool:
    """Whether a process ends within ten seconds."""
    end = time.monotonic() + 10
    while lives(process) and time.monotonic() < end:
        time.sleep(0.02)
    return not lives(process)


def test_objects_arrive_as_windows_sends_them(real):
    """A cluster node has Windows' type names, .NET's properties, enums by their names, and nested objects as text."""
    nodes = real.run(command("Get-ClusterNode")).output
    assert ["NODE1", "NODE2"] == [node["Name"] for node in nodes]
    assert "Microsoft.FailoverClusters.PowerShell.ClusterNode" == nodes[0].type_names[0]
    assert ("Up", real.lab.name) == (nodes[0]["State"], nodes[0]["Cluster"])


def test_pipelines_run_on_live_objects(real):
    """An enum compares by its name, and a filter of the engine feeds a command of the lab."""
    up = command("Get-ClusterNode") | command("Where-Object", Property="State", EQ=True, Value="Up")
    names = up | command("Select-Object", ExpandProperty="Name")
    assert ["NODE1", "NODE2"] == list(real.run(names).output)
    groups = command("Get-ClusterNode", Name="NODE2") | command("Get-ClusterGroup")
    assert {"NODE2"} == {str(group["OwnerNode"]) for group in real.run(groups).output}


@pytest.mark.parametrize(
    ("error_id", "asked"),
    [
        (
            "CannotConvertArgumentNoMessage,Microsoft.FailoverClusters.PowerShell.ResumeClusterNodeCommand",
            command("Resume-ClusterNode", Name="NODE1", Failback="Later"),
        ),
        (
            "NamedParameterNotFound,Microsoft.FailoverClusters.PowerShell.GetNodeCommand",
            command("Get-ClusterNode", X=1),
        ),
        ("NodeNotFound,Microsoft.FailoverClusters.PowerShell.GetNodeCommand", command("Get-ClusterNode", Name="N9")),
        ("CmdletizationQuery_NotFound_TaskName,Get-ScheduledTask", command("Get-ScheduledTask", TaskName="x")),
        ("ParameterArgumentTransformationError,Get-StorageJob", command("Get-StorageJob", ThrottleLimit="many")),
    ],
)
def test_errors_have_the_ids_of_windows(real, error_id, asked):
    """The binder's are those of a compiled cmdlet or of a function, whichever the command is on Windows."""
    assert error_id == real.refusal(asked).fully_qualified_error_id


@pytest.mark.parametrize("name", ["Import-Module", "Start-Job", "Invoke-Command", "Restart-Computer", "ls", "bash"])
def test_nothing_but_the_commands_of_the_lab_is_there(real, name):
    """Neither other commands nor programs of the computer that the lab runs on can be called."""
    assert "CommandNotFoundException" == real.refusal(command(name)).fully_qualified_error_id


def test_script_text_is_refused(real):
    """The session has no language, so nothing that is sent can be run as code."""
    with pytest.raises(RemoteError):
        real.run(script("[System.IO.File]::Delete('x')"))


def test_the_processes_of_a_node_end_with_its_restart(real):
    """Each shell is a process; shutting a node down ends it, and the node is reachable again afterwards."""
    real.run(command("Get-Cluster"), "NODE2")
    before = {shell.engine.process_id for shell in real.lab.endpoints["NODE2"].shells}
    assert before
    assert all(map(lives, before))
    real.lab.endpoints["NODE2"].stop()
    assert all(map(ends, before))
    real.lab.endpoints["NODE2"].start()
    real.fleet.forget("NODE2")
    assert 1 == len(real.run(command("Get-Cluster"), "NODE2").output)


def test_a_missing_powershell_is_told_before_anything_starts(tmp_path):
    """The message says how to name one."""
    with pytest.raises(InputError, match="--pwsh PATH"):
        Lab(engine="pwsh", pwsh=tmp_path / "none")
    with pytest.raises(InputError, match="python or pwsh"):
        Lab(engine="bash")


def test_a_program_that_is_no_powershell_is_refused_and_leaves_nothing():
    """What it said stands in the message."""
    lab = Lab("LAB-NONE", engine="pwsh", pwsh=sys.executable, published=False)
    with pytest.raises(InputError, match="a PowerShell 7 that starts"):
        lab.start()
    assert () == lab.processes


def test_a_powershell_that_cannot_save_assemblies_emits_them_in_each_session(pwsh_path, tmp_path):
    """.NET 8 has no way to save what it emits: the cmdlets are the same without the file."""
    with bench(tmp_path / "lab", "pwsh", name="LAB-EMITS", pwsh=pwsh_path) as old:
        (old.lab._host._kit.folder / "Cauctl.Lab.dll").unlink()
        assert 2 == len(old.run(command("Get-ClusterNode")).output)
        refused = old.refusal(command("Resume-ClusterNode", Failback="Later"))
    assert "CannotConvertArgumentNoMessage" == refused.fully_qualified_error_id.partition(",")[0]


def test_a_session_that_cannot_be_made_is_told(pwsh_path, tmp_path):
    """A module that is missing breaks the session, and the client learns it at once."""
    lock = EndpointLock(("Get-NodeName",), modules=(tmp_path / "Missing.psm1",))
    with (
        bench(tmp_path / "lab", "pwsh", name="LAB-BROKEN", pwsh=pwsh_path, lock=lock) as broken,
        NodeSession(broken.connections[0]) as session,
        pytest.raises(CauError) as told,
    ):
        session.run(command("Get-NodeName"), within=PATIENCE)
    assert "The specified module" in str(told.value)


CHILD = """
import sys, time
from pathlib import Path
from cauctl.psrp.pipeline import command
from tests.engine_lab import bench
with bench(Path(sys.argv[1]), "pwsh", name="LAB-KILLED", pwsh=sys.argv[2]) as found:
    found.run(command("Get-Cluster"))
    print(*found.lab.processes, flush=True)
    time.sleep(600)
"""


def test_the_processes_end_when_the_lab_is_killed(pwsh_path, tmp_path):
    """Nothing has to be tidied up by hand: their standard input closes with the lab's process."""
    root, environment = Path(__file__).parents[2], {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "lab"), pwsh_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=environment,
    ) as child:
        processes = [int(text) for text in child.stdout.readline().split()]
        assert processes
        child.kill()
    assert all(map(ends, processes))


def test_a_pipeline_that_waits_is_stopped(real):
    """A deadline stops the command on the node within a second or two, and the session goes on."""
    real.run(command("Get-Cluster"))
    began = time.monotonic()
    with pytest.raises(OperationTimeoutError):
        real.fleet.act_on("NODE1", command("Start-Sleep", Seconds=60), within=timedelta(seconds=1))
    assert 8 > time.monotonic() - began
    assert 1 == len(real.run(command("Get-Cluster")).output)


def test_a_locked_node_shows_named_commands_and_functions_of_modules(pwsh_path, tmp_path):
    """A function may call commands that the client cannot, as with JEA; the lab's end leaves no process or thread."""
    module = tmp_path / "Nodes.psm1"
    module.write_text("function Get-NodeName { (Get-ClusterNode).Name }\n")
    lock = EndpointLock(("Get-NodeName", "Select-Object"), modules=(module,))
    before = set(threading.enumerate())
    with (
        bench(tmp_path / "lab", "pwsh", name="LAB-LOCKED", pwsh=pwsh_path, lock=lock) as locked,
        NodeSession(locked.connections[0]) as session,
    ):
        assert ["NODE1", "NODE2"] == list(session.run(command("Get-NodeName"), within=PATIENCE).output)
        with pytest.raises(RemoteError, match="not recognized"):
            session.run(command("Get-ClusterNode"), within=PATIENCE)
        processes = locked.lab.processes
        assert 1 == len(processes)
    assert not any(map(lives, processes))
    assert set() == set(threading.enumerate()) - before
