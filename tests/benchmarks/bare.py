"""A lab's nodes for the unmodified pypsrp client, and for ours, without the runtime record that others could find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pypsrp.wsman import WSMan

from cauctl.lab.record import LabNode
from cauctl.lab.server import Lab
from cauctl.models.credential import PSCredential
from cauctl.psrp.connection import NodeConnection

__all__ = ["bare_wsman", "connection_to", "lab_authority"]


@contextmanager
def lab_authority(lab: Lab) -> Iterator[Path]:
    """A file of the authority that signs the lab's certificates."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "authority.pem"
        path.write_bytes(lab.authority.pem)
        yield path


def connection_to(lab: Lab, node: LabNode, authority: Path) -> NodeConnection:
    """How our client reaches a node of the lab."""
    record = lab.record
    return NodeConnection(
        node.name,
        address=node.address,
        port=node.port,
        authentication="basic",
        credential=PSCredential(record.user_name, record.password),
        ca_file=authority,
        certificate_name=node.name,
    )


def bare_wsman(lab: Lab, node: LabNode, authority: Path) -> WSMan:
    """How pypsrp reaches the same node: HTTPS, basic, certificate verified, no proxy, as ours does."""
    record = lab.record
    return WSMan(
        node.address,
        port=node.port,
        ssl=True,
        auth="basic",
        username=record.user_name,
        password=record.password,
        cert_validation=str(authority),
        no_proxy=True,
    )
