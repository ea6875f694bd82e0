"""A coordinator that is killed anywhere is replaced by one that goes on to the same result.

The coordinator is a process of its own that dies by SIGKILL; the lab lives in this one, so that its ground truth can be
looked at. Its successor has the journal (the same machine) or the checkpoint in the cluster alone (another machine).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

import cmdlets as cau
from cauctl import operations
from cauctl.cli.app import main
from cauctl.lab.server import Lab
from cauctl.lab.world.scenario import Quirks, standard_scenario
from cauctl.lab.world.standard import STANDARD_CATALOGUE
from cauctl.models.enums import RunState, SummaryStatus

ROOT = Path(__file__).resolve().parents[2]
StartLab = Callable[..., Lab]
SMALL = evolve(
    standard_scenario("T-FC1", nodes=2, quirks=evolve(Quirks.none(), drain_leaves_role=1.0, repair_suspended=1.0)),
    catalogue=STANDARD_CATALOGUE[:2],
)
"""Two nodes with a storage pool and two updates, one of which wants a restart; drains and repairs need our help."""
OPTIONS = {"scenario": SMALL, "time_scale": 1000.0}

KINDS = (
    *("AcquireLock", "RenewLease", "BeginAgent", "PollAgent", "CollectAgent", "CheckGates", "SuspendNode", "MoveGroup"),
    *("ObserveCluster", "RestartNode", "ProbeNode", "ResumeNode", "RepairDisk", "ReleaseLock"),
)
"""Every kind of action of a run that holds the lock and is neither cancelled nor left, in an order that occurs."""
SOME_KINDS = ("SuspendNode", "CollectAgent", "RestartNode", "ResumeNode")
"""Those after which the checkpoint and the world differ most."""


def killed(lab: Lab, kind: str, moment: str, *, state: Path) -> None:
    """Let a coordinator begin, or go on, and die at an action; ``state`` is its state folder."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.operations.deadly", lab.name, kind, moment],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CAUCTL_STATE": str(state)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert -signal.SIGKILL == done.returncode, f"{kind}, {moment}: {done.returncode}\n{done.stderr}"


def world_of(lab: Lab) -> dict[str, object]:
    """The ground truth that must be the same with and without a crash."""
    with lab.world.lock:
        world = lab.world
        return {
            "builds": {name: machine.build for name, machine in world.machines.items()},
            "owners": {group.name: group.owner for group in world.cluster.roles if not group.core},
            "paused": dict(world.ledger.paused_now),
            "roles restarted under": [each.node for each in world.ledger.restarts if each.roles],
            "installed": sorted((each.node, each.title) for each in world.ledger.installations),
        }


def result_of(cluster_result: cau.ClusterResult) -> dict[str, object]:
    """What a run reports, as far as it must be the same."""
    return {
        node.node.node_name: (
            node.status,
            sorted(each.update_id for each in node.install_results),
            node.node_reboot_result and node.node_reboot_result.reboot_summary_result,
        )
        for node in cluster_result.node_results
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], dict[str, object]]:
    """What a run reports that nobody kills, and the ground truth after it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("whole")
        for name in ("STATE", "RUNTIME"):
            patch.setenv(f"CAUCTL_{name}", str(folder / name.lower()))
        with Lab("T-FC1", **OPTIONS) as lab:
            result = cau.invoke_cau_run(lab.name, force=True)[-1]
            return result_of(result), world_of(lab)


def recovered(lab: Lab) -> cau.ClusterResult:
    """Go on to the end, as soon as the lease has ended."""
    until(lambda: operations.status(lab.name).state is RunState.RUN_FAILED)
    return cau.invoke_cau_run(lab.name, force_recovery=True, force=True)[-1]


def until(true: Callable[[], bool], *, within: float = 60.0) -> None:
    """Wait for the world to get there."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "the world did not get there"
        time.sleep(0.02)


def nothing_is_left(lab: Lab) -> None:
    """The lock is free, and no work is left on a node."""
    assert RunState.RUN_NOT_IN_PROGRESS is operations.status(lab.name).state
    with operations.connect(lab.name) as access:
        assert {()} == {access.agent.leftovers(node) for node in lab.endpoints}


@pytest.mark.parametrize(
    ("kinds", "elsewhere"),
    [
        pytest.param(KINDS, False, id="by journal"),
        pytest.param(SOME_KINDS, True, id="by checkpoint"),
        pytest.param(KINDS, True, id="by checkpoint, each kind", marks=pytest.mark.nightly),
    ],
)
def test_a_run_whose_coordinators_die_at_each_kind_of_action_ends_as_one_that_nobody_kills(
    start_lab, whole, tmp_path, kinds, elsewhere
):
    """One run, killed once at each kind of action, before or after it; each successor is killed in its turn."""
    lab = start_lab(**OPTIONS)
    for number, kind in enumerate(kinds):
        moment = ("after", "before")[(number + elsewhere * (number > 0)) % 2] if kind != "ReleaseLock" else "before"
        state = tmp_path / (f"machine-{number}" if elsewhere else "state")
        killed(lab, kind, moment, state=state)
    if elsewhere:
        with pytest.warns(cau.CauWarning, match="went on from its checkpoint"):
            result = recovered(lab)
    else:
        result = recovered(lab)
    assert SummaryStatus.SUCCEEDED is result.status, [node.error_record_data for node in result.node_results]
    assert whole == (result_of(result), world_of(lab))
    nothing_is_left(lab)


# --- two coordinators ------------------------------------------------------------------------------------------------


def coordinator(lab: Lab, *, state: Path) -> subprocess.Popen[str]:
    """``cauctl run`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cauctl", "run", lab.name, "--force", "--quiet"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CAUCTL_STATE": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_two_coordinators_that_start_together_exactly_one_runs(start_lab, tmp_path):
    """The other is told who and since when, with exit code 4."""
    lab = start_lab(**OPTIONS)
    with coordinator(lab, state=tmp_path / "a") as first, coordinator(lab, state=tmp_path / "b") as second:
        told = {process.pid: process.communicate(timeout=120)[1] for process in (first, second)}
    assert {0, 4} == {first.returncode, second.returncode}, told
    winner, loser = (first, second) if first.returncode == 0 else (second, first)
    assert f"(pid {winner.pid}) since 20" in told[loser.pid]
    assert 2 == len([pause for pause in lab.report().pauses if pause.paused])


def test_a_coordinator_that_was_fenced_off_does_nothing_more_when_it_wakes_up(start_lab, tmp_path):
    """It sleeps with a node paused; another machine goes on; it wakes up, says which node it had paused, and ends."""
    lab = start_lab(**OPTIONS)
    with coordinator(lab, state=tmp_path / "asleep") as process:
        try:
            until(lambda: bool(lab.report().paused_now))
            process.send_signal(signal.SIGSTOP)
            until(lambda: operations.status(lab.name).state is RunState.RUN_FAILED)
            assert 0 == main(["recover", lab.name, "--force", "--quiet"])
            before = lab.report()
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    after = lab.report()
    assert 5 == process.returncode, err
    assert "this coordinator does nothing more" in err
    assert (before.pauses, before.restarts, before.installations) == (after.pauses, after.restarts, after.installations)
    nothing_is_left(lab)


@pytest.mark.nightly
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["by journal", "by checkpoint"])
def test_a_coordinator_may_be_killed_at_every_single_event(tmp_path, monkeypatch, whole, moment, elsewhere):
    """By SIGKILL, on the lab over real PowerShell remoting."""
    event = 3
    while True:
        folder = tmp_path / str(event)
        for name in ("STATE", "RUNTIME"):
            monkeypatch.setenv(f"CAUCTL_{name}", str(folder / name.lower()))
        with Lab(SMALL.name, **OPTIONS) as lab:
            try:
                killed(lab, str(event), moment, state=folder / ("elsewhere" if elsewhere else "state"))
            except AssertionError:
                return  # the run has fewer events
            if operations.status(lab.name).lock is not None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", cau.CauWarning)
                    assert whole == (result_of(recovered(lab)), world_of(lab)), f"killed {moment} event {event}"
                nothing_is_left(lab)
        event += 1
