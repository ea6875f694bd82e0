"""How long ``import cmdlets`` takes in a fresh interpreter, and whether it starts threads or touches the network.

The package loads a cmdlet when it is first asked for, so the import alone says little: the time until every cmdlet is
there is told too, and until everything is loaded that a scan needs to reach a node.

Bytecode is cached in a folder of its own that a first import fills, so that neither a read-only installation nor an
old cache decides. Target: the import at most 0.35 s, median of eleven; no thread; no socket.

Run with ``python -m tests.benchmarks.bench_import``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

TARGET, COUNT = 0.35, 11
ROOT = Path(__file__).resolve().parents[2]

_CHILD = """
import json, sys, threading, time
sockets = []
sys.addaudithook(lambda event, arguments: event.startswith("socket.") and sockets.append(event))
start = time.perf_counter()
import cmdlets
seconds = [time.perf_counter() - start]
for name in cmdlets.__all__:
    getattr(cmdlets, name)
seconds.append(time.perf_counter() - start)
threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
seen = {"threads": threads, "sockets": list(sockets)}
import cauctl.operations, cauctl.psrp.agent, cauctl.psrp.cluster, cauctl.psrp.fleet, cauctl.psrp.node, cauctl.psrp.shell
seconds.append(time.perf_counter() - start)
print(json.dumps({**seen, "seconds": seconds}))
"""
STAGES = ("import cmdlets", "every cmdlet of it", "all that a scan needs")


def import_once(cache: str) -> dict[str, object]:
    """Import in a fresh interpreter and tell what was seen there."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([sys.executable, "-c", _CHILD], env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measure and report."""
    with TemporaryDirectory() as cache:
        import_once(cache)
        seen = [import_once(cache) for _ in range(COUNT)]
    print(f"Seconds from the start, median of {COUNT} (least to most); target of the first: {TARGET}")
    for stage, figures in zip(STAGES, zip(*(each["seconds"] for each in seen), strict=True), strict=True):
        print(f"  {stage:22} {statistics.median(figures):.3f} ({min(figures):.3f} to {max(figures):.3f})")
    print(f"threads: {seen[0]['threads'] or 'none'}; sockets: {seen[0]['sockets'] or 'none'}")


if __name__ == "__main__":
    main()
