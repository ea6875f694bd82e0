"""A discrete-event failover cluster: what really happens in a lab.

A :class:`Scenario` and a seed make a :class:`World`; :meth:`World.advance` lets its time pass. Commands of nodes and
the ports in memory act on it; its :attr:`World.ledger` says what happened.
"""

from cauctl.lab.world.catalogue import CatalogueUpdate
from cauctl.lab.world.scenario import Durations, NodeSpec, Quirks, RoleSpec, Scenario, standard_scenario
from cauctl.lab.world.standard import CUMULATIVE_UPDATE, STANDARD_CATALOGUE
from cauctl.lab.world.world import World

__all__ = [
    "CUMULATIVE_UPDATE",
    "STANDARD_CATALOGUE",
    "CatalogueUpdate",
    "Durations",
    "NodeSpec",
    "Quirks",
    "RoleSpec",
    "Scenario",
    "World",
    "standard_scenario",
]
