"""64 sessions with 64 lab nodes: pipelines a second with the lab in a process of its own, memory with both in one.

``python -m tests.benchmarks.bench_fleet`` runs each part in a fresh interpreter. The lab's process is told to stop by
closing its standard input. Memory is what the system counts (RSS) above an interpreter that has imported nothing, after
a collection. Targets: 200 pipelines a second on two cores; 80 MB; no growth over 6,400 more pipelines.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

NODES, ROUNDS = 64, 20
GROWTH = 6400
TARGET_RATE, TARGET_MEMORY = 200, 80
NAME = "BENCH-FLEET"


def used_memory() -> float:
    """MB of this process in memory, where Linux tells."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_time(process: int) -> float:
    """CPU seconds of another process so far."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def asking(folder: Path) -> Iterator[Callable[[int], None]]:
    """Sessions with all nodes of the lab; what is given has each of them run that many pipelines, all at once."""
    from datetime import timedelta  # noqa: PLC0415  nothing is imported before memory was measured

    from cauctl.lab.record import find_lab  # noqa: PLC0415
    from cauctl.models.credential import PSCredential  # noqa: PLC0415
    from cauctl.psrp.connection import NodeConnection  # noqa: PLC0415
    from cauctl.psrp.pipeline import command  # noqa: PLC0415
    from cauctl.psrp.session import NodeSession  # noqa: PLC0415

    record = find_lab(NAME)
    assert record is not None, f"no lab of this name in {folder}"
    pipeline = command("Get-ClusterNode", Name="NODE1") | command("Select-Object", Property=["Name", "State"])
    patience = timedelta(seconds=60)
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(NODES))
        sessions = [
            stack.enter_context(
                NodeSession(
                    NodeConnection(
                        node.name,
                        address=node.address,
                        port=node.port,
                        authentication="basic",
                        credential=PSCredential(record.user_name, record.password),
                        ca_file=record.ca_file,
                        certificate_name=node.name,
                    )
                )
            )
            for node in record.nodes
        ]

        def work(session: NodeSession, count: int) -> None:
            for _ in range(count):
                session.run(pipeline, within=patience)

        def ask(count: int) -> None:
            for _ in threads.map(work, sessions, [count] * len(sessions)):
                pass

        yield ask


def serve() -> None:
    """Be the lab until standard input ends."""
    from cauctl.lab.server import Lab  # noqa: PLC0415

    with Lab(NAME, nodes=NODES, time_scale=1):
        print("ready", flush=True)
        sys.stdin.read()


def rate(folder: Path) -> None:
    """Measure pipelines a second with the lab in its own process."""
    lab = subprocess.Popen(
        [sys.executable, "-m", __spec__.name, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert lab.stdout is not None
        lab.stdout.readline()
        with asking(folder) as ask:
            ask(1)
            before, begin = (time.process_time(), processor_time(lab.pid)), time.perf_counter()
            ask(ROUNDS)
            seconds, after = time.perf_counter() - begin, (time.process_time(), processor_time(lab.pid))
        count = NODES * ROUNDS
        client, other = ((end - start) / count for start, end in zip(before, after, strict=True))
        print(
            f"{count} pipelines in {seconds:.2f} s: {count / seconds:.0f} a second, target {TARGET_RATE}; each takes"
            f" {client * 1e3:.1f} ms CPU of the client, {other * 1e3:.1f} ms of the lab: with a core of its own each"
            f" would do {1 / max(client, other):.0f} a second"
        )
    finally:
        lab.communicate(timeout=30)


def memory(folder: Path) -> None:
    """Measure memory with lab and sessions in this process."""
    bare = used_memory()
    from cauctl.lab.server import Lab  # noqa: PLC0415

    with Lab(NAME, nodes=NODES, time_scale=1), asking(folder) as ask:
        ask(0)
        lab = used_memory() - bare
        ask(1)
        opened = used_memory() - bare
        ask(ROUNDS)
        worked = used_memory() - bare
        print(
            f"MB above the interpreter's {bare:.0f}: {lab:.0f} with {NODES} nodes, {opened:.0f} with a session each,"
            f" {worked:.0f} after {NODES * ROUNDS} pipelines, target {TARGET_MEMORY}"
        )
        ask(GROWTH // NODES)
        print(f"after {GROWTH} more: {used_memory() - bare:.0f}")


def main() -> None:
    """Measure both, each in a fresh interpreter, with a lab that nobody else sees."""
    parts = {"serve": lambda _: serve(), "rate": rate, "memory": memory}
    if len(sys.argv) > 1:
        parts[sys.argv[1]](Path(os.environ["CAUCTL_RUNTIME"]))
        return
    with TemporaryDirectory() as folder:
        for part in ("rate", "memory"):
            environment = {**os.environ, "CAUCTL_RUNTIME": folder}
            subprocess.run([sys.executable, "-m", __spec__.name, part], env=environment, check=True)


if __name__ == "__main__":
    main()
