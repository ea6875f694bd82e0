"""A world prints as a short script that makes it again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from cauctl.lab.faults import Fault
from cauctl.lab.world import CatalogueUpdate, NodeSpec, Quirks, RoleSpec, Scenario, World, standard_scenario
from cauctl.lab.world.script import as_code, replay_script
from cauctl.models.enums import FailbackType

OWN = Scenario(
    "OWN",
    nodes=(NodeSpec("A", products=frozenset({"X", "Y"}), site="S", slow_service=timedelta(minutes=4)), NodeSpec("B")),
    roles=(RoleSpec("R", owner="A", possible=("A", "B"), locked=True),),
    catalogue=(CatalogueUpdate("1", title="one", requires=("2",)), CatalogueUpdate("2", title="two", rolls_back=True)),
    faults=(Fault.parse("connection-cut:B,after=45,times=2"),),
    quirks=Quirks.none(),
)


@pytest.mark.parametrize("scenario", [standard_scenario(nodes=3), OWN, evolve(OWN, catalogue=())])
def test_the_script_makes_the_same_world(scenario):
    names: dict[str, object] = {}
    exec(replay_script(World(scenario, seed=7)), names)
    assert (scenario, 7) == (names["world"].scenario, names["world"].seed)


def test_only_what_differs_from_the_usual_is_written():
    assert "NodeSpec('A', paused=True)" == as_code(NodeSpec("A", paused=True))


def test_settings_of_a_run_can_be_written_as_well():
    assert "{'failback_mode': FailbackType.POLICY, 'stop_after': timedelta(seconds=60)}" == as_code(
        {"failback_mode": FailbackType.POLICY, "stop_after": timedelta(minutes=1)}
    )
