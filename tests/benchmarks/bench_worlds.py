"""How many whole runs in memory one core does in a second, by the size of the cluster.

Two kinds of worlds: the standard lab (Storage Spaces Direct, thirteen updates a node and more, two restarts), and the
worlds that the laws are held on (``tests/laws/worlds.py``, one to six updates, something goes wrong in four of five).
A run includes its world, the machine, the journal's bytes and the observers that history and output are made by.
Time is CPU time of the process. The yardstick is a loop of a million additions: it tells how fast this core is now.

Run with ``python -m tests.benchmarks.bench_worlds``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

from tests.laws.course import carry_out
from tests.laws.test_worlds import sample
from tests.trial import Trial, scenario

SIZES = (2, 4, 8, 16)
ROUNDS, AT_MOST = 5, 30
TARGET = 100
"""Worlds of four nodes in a second."""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Give the CPU time of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def rate(times: Iterable[float]) -> float:
    """Give how many fit in a second, by the median."""
    return 1 / statistics.median(times)


def yardstick() -> float:
    """Give the milliseconds of a million additions."""

    def add() -> None:
        total = 0
        for number in range(1_000_000):
            total += number

    return min(cpu_seconds(add) for _ in range(5)) * 1e3


def standard(nodes: int) -> tuple[float, int]:
    """Give worlds a second of the standard lab, and the events of one."""
    built = scenario(nodes=nodes, storage=True)
    events = 0

    def count(_event: object, _state: object) -> None:
        nonlocal events
        events += 1

    Trial(built).run(on_event=count)
    return rate(cpu_seconds(lambda: Trial(built).run()) for _ in range(ROUNDS)), events


def of_the_laws(nodes: int) -> tuple[float, float, int]:
    """Give worlds a second of the laws' worlds of a size, the mean number of events, and how many worlds there were."""
    chosen = [case for case in sample() if len(case.scenario.nodes) == nodes][:AT_MOST]
    events: list[int] = []
    times = [cpu_seconds(lambda: events.append(carry_out(case).events)) for case in chosen]  # noqa: B023  called at once
    return rate(times), statistics.mean(events), len(chosen)


def main() -> None:
    """Measure and report."""
    print(
        f"Worlds a second on one core, target {TARGET} for four nodes; a million additions take {yardstick():.0f} ms:"
    )
    for nodes in SIZES:
        worlds, events = standard(nodes)
        ours, mean, count = of_the_laws(nodes)
        print(
            f"  {nodes:2} nodes   standard {worlds:5.1f} ({events} events)   "
            f"laws {ours:5.1f} (median of {count}, {mean:.0f} events)"
        )


if __name__ == "__main__":
    main()
