"""A lab for tests of the ports: a running one, and a fleet that reaches it over real PSRP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cauctl.lab.server import Lab
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fleet import Fleet

PATIENCE = 30.0
"""Real seconds that a test waits for the lab."""


@contextmanager
def running_lab(folder: Path, *, time_scale: float) -> Iterator[Lab]:
    """A lab of three nodes; the certificate of its authority lies in ``folder``."""
    with Lab(nodes=3, seed=7, time_scale=time_scale, published=False) as lab:
        (folder / "ca.pem").write_bytes(lab.authority.pem)
        yield lab


def fleet_of(lab: Lab, folder: Path, *, cluster: str = "") -> Fleet:
    """A new fleet, with sessions of its own."""
    record = lab.record
    credential = PSCredential(record.user_name, record.password)
    return Fleet(
        cluster or lab.name,
        [
            NodeConnection(
                node.name,
                address=node.address,
                port=node.port,
                credential=credential,
                authentication="basic",
                ca_file=folder / "ca.pem",
                certificate_name=node.name,
            )
            for node in record.nodes
        ],
    )


def until(true: Callable[[], bool]) -> None:
    """Ask again and again, for at most thirty real seconds; the questions themselves take the time."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
