"""A scan of 16 lab nodes beside bare pypsrp that opens its own sessions and sends the same pipelines with 16 threads.

One scan is recorded: which pipelines went to which node, in which order. Bare pypsrp then gets exactly those: a thread
for each node opens a session, sends its pipelines, reads their output, closes each of them and the session. It has
nothing to wait for and nothing to decide, while our scan also waits for the agents to end, watches the cluster and
makes UpdateInfo objects. Both take turns on one lab in one process. Target: at most 1.25 times, medians of five; 1.1
times with 64 nodes.

Run with ``python -m tests.benchmarks.bench_scan``; the number of nodes may follow.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pypsrp.powershell import PowerShell, RunspacePool

import cmdlets as cau
from cauctl.lab.record import RUNTIME_VARIABLE, LabNode
from cauctl.lab.server import Lab
from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult, as_pipeline
from cauctl.psrp.session import NodeSession
from tests.benchmarks.bare import bare_wsman, lab_authority

NODES, ROUNDS = 16, 5
TARGET, CROWD, TARGET_OF_A_CROWD = 1.25, 64, 1.1

_construction = threading.Lock()
"""``WSMan()`` writes to a table that all threads share."""

Recording = dict[str, list[Pipeline]]
"""The pipelines of each node, by its name, in the order in which they were sent."""


@contextmanager
def recorded() -> Iterator[Recording]:
    """Write down what every session sends while this lasts."""
    sent: Recording = defaultdict(list)
    run = NodeSession.run

    def record(session: NodeSession, pipeline: Pipeline | Command, **options: object) -> PipelineResult:
        sent[session.connection.node].append(as_pipeline(pipeline))
        return run(session, pipeline, **options)

    NodeSession.run = record
    try:
        yield sent
    finally:
        NodeSession.run = run


def replay(lab: Lab, authority: Path, recording: Recording) -> None:
    """Send what was recorded by bare pypsrp, a thread for each node."""

    def work(node: LabNode) -> None:
        with _construction:
            wsman = bare_wsman(lab, node, authority)
        with wsman, RunspacePool(wsman) as pool:
            for pipeline in recording[node.name]:
                with PowerShell(pool) as shell:
                    for each in pipeline.commands:
                        shell.add_cmdlet(each.name).add_parameters(dict(each.parameters))
                    shell.invoke()

    nodes = lab.record.nodes
    with ThreadPoolExecutor(len(nodes)) as threads:
        for _ in threads.map(work, nodes):
            pass


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Real and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(lab: Lab) -> None:
    """Measure both in turns and report."""

    def scan() -> int:
        return len(cau.invoke_cau_scan(lab.name))

    found = scan()  # puts the agent's file on the nodes, once for all
    with recorded() as recording:
        scan()
    ours, bare = [], []
    with lab_authority(lab) as authority:
        for _ in range(ROUNDS):
            ours.append(seconds(scan))
            bare.append(seconds(lambda: replay(lab, authority, recording)))
    pipelines = sum(map(len, recording.values()))
    print(
        f"{len(recording)} nodes, {found} updates, {pipelines} pipelines; medians of {ROUNDS}, seconds (CPU seconds):"
    )
    print(f"  invoke_cau_scan   {_median(ours)}")
    print(f"  bare pypsrp       {_median(bare)}")
    ratio = statistics.median(wall for wall, _ in ours) / statistics.median(wall for wall, _ in bare)
    target = TARGET if len(recording) < CROWD else TARGET_OF_A_CROWD
    print(f"  ratio             {ratio:.2f}, target {target}")


def _median(figures: list[tuple[float, float]]) -> str:
    wall, cpu = map(statistics.median, zip(*figures, strict=True))
    return f"{wall:.2f} ({cpu:.2f})   each: {', '.join(f'{each:.2f}' for each, _ in figures)}"


def main(nodes: int = NODES) -> None:
    """Compare on a lab of so many nodes that nobody else sees."""
    with TemporaryDirectory() as folder:
        os.environ[RUNTIME_VARIABLE] = folder
        with Lab("BENCH-SCAN", nodes=nodes) as lab:
            compare(lab)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
