"""The worlds that are made up are of all the kinds that they should be of, and often enough."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from cauctl.coordinator.settings import RunSettings
from cauctl.lab.faults import FaultKind
from tests.laws.worlds import TROUBLES, Case, cases

SAMPLE = 400


@cache
def sample() -> tuple[Case, ...]:
    """A fixed series of worlds."""
    made: list[Case] = []

    @settings(
        max_examples=SAMPLE,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def make(case: Case) -> None:
        made.append(case)

    make()
    return tuple(made)


def share(holds: Callable[[Case], bool]) -> float:
    """Which part of the worlds something holds for."""
    return sum(map(holds, sample())) / len(sample())


def _goes_wrong(case: Case) -> bool:
    return bool(case.scenario.faults or case.troubles)


def test_half_of_the_clusters_have_four_nodes_or_more_and_some_have_sixteen():
    sizes = [len(case.scenario.nodes) for case in sample()]
    assert statistics.median(sizes) >= 4
    assert (2, 16) == (min(sizes), max(sizes))


def test_in_four_worlds_of_five_something_goes_wrong():
    assert 0.75 <= share(_goes_wrong) <= 0.92


def test_troubles_come_at_moments_all_over_the_run():
    moments = [trouble.after.total_seconds() for case in sample() for trouble in case.troubles]
    assert len(moments) > SAMPLE
    quarters = [sum(part * 1800 <= moment < (part + 1) * 1800 for moment in moments) for part in range(4)]
    assert min(quarters) >= len(moments) / 8


FEATURES: dict[str, Callable[[Case], bool]] = {
    "a witness": lambda case: case.scenario.witness,
    "no witness": lambda case: not case.scenario.witness,
    "sites": lambda case: any(node.site for node in case.scenario.nodes),
    "no sites": lambda case: not any(node.site for node in case.scenario.nodes),
    "Storage Spaces Direct": lambda case: bool(case.scenario.virtual_disks),
    "no Storage Spaces Direct": lambda case: not case.scenario.virtual_disks,
    "a locked role": lambda case: any(role.locked for role in case.scenario.roles),
    "nodes without a vote": lambda case: any(not node.node_weight for node in case.scenario.nodes),
    "a dependent update": lambda case: any(update.requires for update in case.scenario.catalogue),
    "an update that is rolled back each time": lambda case: any(each.rolls_back for each in case.scenario.catalogue),
    "an update that is rolled back now and then": lambda case: any(
        each is FaultKind.UPDATE_ROLLS_BACK
        for each in [
            *(fault.kind for fault in case.scenario.faults),
            *(trouble.fault.kind for trouble in case.troubles if trouble.fault),
        ]
    ),
    "a slow service": lambda case: any(node.slow_service for node in case.scenario.nodes),
    "a node paused before": lambda case: any(node.paused for node in case.scenario.nodes),
    "a node down before": lambda case: any(node.down for node in case.scenario.nodes),
    "a restart pending before": lambda case: any(node.reboot_pending for node in case.scenario.nodes),
    "no update at all": lambda case: not case.scenario.catalogue,
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_is_in_one_world_of_twenty_at_least(feature):
    assert share(FEATURES[feature]) >= 0.05


@pytest.mark.parametrize("kind", TROUBLES)
def test_each_trouble_is_in_one_world_of_twenty_at_least(kind):
    assert share(lambda case: any(trouble.kind == kind for trouble in case.troubles)) >= 0.05


@pytest.mark.parametrize("kind", FaultKind)
def test_each_fault_is_in_one_world_of_fifty_at_least(kind):
    assert share(lambda case: any(fault.kind is kind for fault in case.scenario.faults)) >= 0.02


def test_every_option_is_one_that_a_run_has():
    assert {name for case in sample() for name in case.options} <= set(RunSettings.__annotations__)
