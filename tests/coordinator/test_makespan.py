"""A run takes hardly longer than the world needs: looks come soon after what they wait for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from cauctl.coordinator.state import NodeWork, Phase, RunState
from cauctl.lab.world.kernel import Kernel
from tests.trial import Trial, scenario

LONGEST = 1.02
"""Times the critical path and the documented waits."""

Span = tuple[datetime, datetime]


def record(kernel: Kernel) -> list[Span]:
    """Collect when the world was busy: from when something was planned to when it happened."""
    spans: list[Span] = []

    def planned() -> None:
        timer = next(timer for _, number, timer in kernel._queue if number == kernel._planned)
        begun, action = kernel.now, timer.action
        process = getattr(getattr(action, "__self__", None), "_process", None)
        if getattr(process, "__name__", "") == "_beat":  # an agent says that it lives: nobody waits for that
            return

        def act() -> None:
            spans.append((begun, kernel.now))
            action()

        timer.action = act

    kernel.on_plan = planned
    return spans


def is_documented(node: NodeWork) -> bool:
    """Whether a node waits although nothing happens: storage is to stay healthy, a proof to hold in a second look."""
    if node.phase is Phase.VERIFYING:
        return node.steady > 0
    return node.wait is not None and node.wait.name == "StorageSettled"


def covered(spans: Iterable[Span], until: datetime) -> timedelta:
    """Give the time that at least one of these spans covers."""
    total, end = timedelta(), None
    for begun, over in sorted((begun, min(over, until)) for begun, over in spans if begun < until):
        if end is None or begun > end:
            total += over - begun
            end = over
        elif over > end:
            total += over - end
            end = over
    return total


def ratio(nodes: int) -> float:
    """Give the makespan by the time in which the world was busy or a documented wait ran."""
    trial = Trial(scenario(nodes=nodes, storage=True))
    spans = record(trial.world.kernel)
    waits: list[Span] = []
    since: datetime | None = None

    def watch(_event: object, state: RunState) -> None:
        nonlocal since
        if since is not None:
            waits.append((since, state.now))
        since = state.now if any(map(is_documented, state.nodes.values())) else None

    trial.run(on_event=watch)
    begins, ends = trial.world.scenario.begins, trial.world.now
    return (ends - begins) / covered([*spans, *waits], ends)


@pytest.mark.parametrize("nodes", [4, 16])
def test_a_run_takes_hardly_longer_than_the_world_needs(nodes):
    """At most a fiftieth of the time passes while the world stands still and nothing documented is waited for."""
    found = ratio(nodes)
    print(f"\n{nodes} nodes: {found:.4f} times the critical path and the documented waits")
    assert 1 <= found <= LONGEST
