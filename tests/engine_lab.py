"""A lab of two nodes with either engine, and a fleet that reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from cauctl.errors import RemoteError
from cauctl.lab.lock import EndpointLock
from cauctl.lab.server import Lab
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.fleet import Fleet
from cauctl.psrp.pipeline import Command, Pipeline, PipelineResult


@frozen
class Bench:
    """A running lab and who asks it."""

    lab: Lab
    fleet: Fleet
    connections: list[NodeConnection]

    def run(self, pipeline: Pipeline | Command, node: str = "NODE1") -> PipelineResult:
        """Run a pipeline on a node."""
        return self.fleet.look_on(node, pipeline, collect_errors=True)

    def refusal(self, pipeline: Pipeline | Command, node: str = "NODE1") -> RemoteError:
        """Give the error that a pipeline ends with, or the first that it writes."""
        try:
            result = self.fleet.look_on(node, pipeline)
        except RemoteError as error:
            return error
        raise AssertionError(f"not refused: {result}")


@contextmanager
def bench(  # noqa: PLR0913  what a lab can be
    folder: Path,
    engine: str,
    *,
    name: str = "LAB-ENGINE",
    pwsh: str | None = None,
    lock: EndpointLock | None = None,
    time_scale: float = 1,
) -> Iterator[Bench]:
    """A running lab of two nodes."""
    lab = Lab(
        name, nodes=2, seed=7, time_scale=time_scale, published=False, engine=engine, pwsh=pwsh, lock=lock
    )  # fmt: skip
    with lab:
        folder.mkdir(exist_ok=True)
        (folder / "ca.pem").write_bytes(lab.authority.pem)
        credential = PSCredential(lab.record.user_name, lab.record.password)
        connections = [
            NodeConnection(
                node.name,
                address=node.address,
                port=node.port,
                credential=credential,
                authentication="basic",
                ca_file=folder / "ca.pem",
                certificate_name=node.name,
                jea=lab.record.jea,
            )
            for node in lab.record.nodes
        ]
        fleet = Fleet(lab.name, connections)
        try:
            yield Bench(lab, fleet, connections)
        finally:
            fleet.close()
