"""CPU time of one small pipeline: our session beside bare pypsrp, on the same endpoint, in the same process.

Ours does more for a pipeline than bare pypsrp does (deadline, cancelling, bounded answers, an error family), so the
ratio shows what that costs. Client and lab are told apart by the clock of the thread that asks. Both sides take turns
in short rounds, since a shared machine changes its speed from second to second; the least of all rounds is the figure
to compare between versions, the median shows how quiet the machine was.

Run with ``python -m tests.benchmarks.bench_pipelines``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from pypsrp.powershell import PowerShell, RunspacePool

from cauctl.lab.server import Lab
from cauctl.psrp.pipeline import command
from cauctl.psrp.session import NodeSession
from tests.benchmarks.bare import bare_wsman, connection_to, lab_authority

ROUNDS, PIPELINES = 25, 20
PATIENCE = timedelta(seconds=60)
PIPELINE = command("Get-ClusterNode", Name="NODE1") | command("Select-Object", Property=["Name", "State"])


@dataclass
class Cost:
    """Milliseconds of one pipeline, a figure for each round."""

    client: list[float] = field(default_factory=list)
    lab: list[float] = field(default_factory=list)

    def take(self, work: Callable[[], object]) -> None:
        """Measure one round."""
        process, thread = time.process_time(), time.thread_time()
        for _ in range(PIPELINES):
            work()
        client = time.thread_time() - thread
        self.client.append(client / PIPELINES * 1e3)
        self.lab.append((time.process_time() - process - client) / PIPELINES * 1e3)

    @property
    def both(self) -> list[float]:
        """Client and lab together."""
        return [client + lab for client, lab in zip(self.client, self.lab, strict=True)]

    def __str__(self) -> str:
        return "   ".join(
            f"{name} {min(figures):5.2f} ({statistics.median(figures):5.2f})"
            for name, figures in (("client", self.client), ("lab", self.lab), ("together", self.both))
        )


def bare(pool: RunspacePool) -> None:
    """The same pipeline as anybody would send it with pypsrp; closed, as the thousandth is refused otherwise."""
    with PowerShell(pool) as shell:
        shell.add_cmdlet("Get-ClusterNode").add_parameter("Name", "NODE1")
        shell.add_cmdlet("Select-Object").add_parameter("Property", ["Name", "State"])
        shell.invoke()


@contextmanager
def both_clients() -> Iterator[tuple[NodeSession, RunspacePool]]:
    """A session of ours and one of pypsrp's with the same node of a lab."""
    with Lab("BENCH-PIPELINES", nodes=1, time_scale=1, published=False) as lab, lab_authority(lab) as authority:
        node = lab.record.nodes[0]
        with (
            NodeSession(connection_to(lab, node, authority)) as session,
            bare_wsman(lab, node, authority) as wsman,
            RunspacePool(wsman) as pool,
        ):
            yield session, pool


def main() -> None:
    """Measure and report."""
    ours, theirs = Cost(), Cost()
    with both_clients() as (session, pool):
        for _ in range(PIPELINES):
            session.run(PIPELINE, within=PATIENCE)
            bare(pool)
        for _ in range(ROUNDS):
            ours.take(lambda: session.run(PIPELINE, within=PATIENCE))
            theirs.take(lambda: bare(pool))
    print(f"CPU milliseconds of a pipeline, least (median) of {ROUNDS} rounds of {PIPELINES}:")
    print(f"  ours          {ours}")
    print(f"  bare pypsrp   {theirs}")
    print(f"  ratio         {min(ours.both) / min(theirs.both):.2f} ({ratio_of_medians(ours, theirs):.2f})")


def ratio_of_medians(ours: Cost, theirs: Cost) -> float:
    """How many times as much as bare pypsrp."""
    return statistics.median(ours.both) / statistics.median(theirs.both)


if __name__ == "__main__":
    main()
