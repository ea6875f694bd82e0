"""The way to a cluster: from its name to the ports that reach it.

Where the nodes come from, first match wins:

1. ``connection=``: connections to entry nodes, or the options of a command line that name some;
2. the cluster's entry in ``clusters.toml``;
3. a lab of that name that runs on this computer (its runtime record, which only its user can read).

The name of a cluster is never connected to. Without an entry node there is nothing to ask, and the error says what to
give.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, evolve, field, frozen

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential
from cauctl.operations.clock import ScaledClock, SystemClock
from cauctl.operations.script_files import ScriptFiles
from cauctl.ports import Clock, Cluster, Node, Scripts, UpdateAgent
from cauctl.psrp.clusters_file import ClusterEntry, ClustersFile
from cauctl.psrp.connection import Authentication, NodeConnection

if TYPE_CHECKING:
    from cauctl.lab.record import LabRecord
    from cauctl.psrp.fleet import Fleet

__all__ = ["Access", "AskPassword", "Connection", "ConnectionChoice", "connect", "ways"]

_log = logging.getLogger(__name__)
_ABOUT_WHOM: Final = frozenset({"entry_nodes", "username"})
"""Choices that are no fields of a connection."""

AskPassword = Callable[[str], PSCredential]
"""Asked for the credential of a user name when no variable holds its password."""


@frozen(kw_only=True)
class ConnectionChoice:
    """How to reach a cluster, as far as somebody said; the rest comes from ``clusters.toml`` or the defaults."""

    entry_nodes: tuple[str, ...] = ()
    """Nodes to connect to, first the preferred one."""
    username: str | None = None
    """Account on the nodes."""
    port: int | None = None
    """TCP port of the nodes."""
    authentication: str | None = None
    """How to authenticate, as ``NodeConnection.authentication``."""
    tls: bool | None = None
    """HTTPS, or HTTP with encrypted messages."""
    ca_file: Path | None = None
    """PEM file of the authorities to trust."""
    client_certificate: Path | None = None
    """PEM file of our own certificate."""
    client_certificate_key: Path | None = None
    """PEM file of its key, when it is not in the same file."""
    configuration_name: str | None = None
    """Session configuration on the nodes."""
    jea: bool | None = None
    """The nodes show only the functions of ``cauctl jea export``."""
    proxy: str | None = field(default=None, repr=False)
    """URL of an HTTP proxy."""

    @property
    def options(self) -> dict[str, Any]:
        """Fields of :class:`~cauctl.psrp.connection.NodeConnection` that were chosen."""
        chosen = asdict(self, filter=lambda each, value: each.name not in _ABOUT_WHOM and value is not None)
        return dict(chosen)


Connection = ConnectionChoice | NodeConnection | Sequence[NodeConnection]
"""What ``connection=`` takes: connections to one or more entry nodes, or choices that complete ``clusters.toml``."""


@frozen
class Access:
    """The ports that reach one cluster."""

    name: str
    """The cluster's name, as it was asked for."""
    cluster: Cluster = field(kw_only=True)
    """The cluster as a whole."""
    node: Node = field(kw_only=True)
    """The operating system of each node."""
    agent: UpdateAgent = field(kw_only=True)
    """Windows Update on each node."""
    clock: Clock = field(kw_only=True)
    """Time of whatever is done there."""
    scripts: Scripts = field(kw_only=True)
    """The user's scripts on each node."""
    script_files: ScriptFiles = field(kw_only=True)
    """Where their texts come from."""
    account: str = field(default="", kw_only=True)
    """Account that the nodes are driven with; empty: the current user's ticket."""


@contextmanager
def connect(
    cluster_name: str,
    *,
    connection: Connection | None = None,
    credential: PSCredential | None = None,
    ask_password: AskPassword | None = None,
) -> Iterator[Access]:
    """Give the ports to a cluster; sessions are opened when they are first used, and closed at the end.

    Raises:
        InputError: no entry node is known, or what is known does not fit together.
    """
    connections, clock = ways(cluster_name, connection, credential, ask_password)
    from cauctl.psrp.cluster import PsrpCluster  # noqa: PLC0415  loaded when something is asked of a node
    from cauctl.psrp.fleet import Fleet  # noqa: PLC0415  as above
    from cauctl.psrp.scripts import PsrpScripts  # noqa: PLC0415  as above

    fleet = Fleet(cluster_name, connections)
    if connections[0].authentication is Authentication.CREDSSP:
        _log.warning("CredSSP hands the password itself to each node; nothing here needs it, kerberos serves as well.")
    node, agent = _node_ports(fleet)
    used = connections[0].credential
    files = ScriptFiles()
    try:
        yield Access(
            cluster_name,
            cluster=PsrpCluster(fleet, clock),
            node=node,
            agent=agent,
            clock=clock,
            scripts=PsrpScripts(fleet, files.text_of),
            script_files=files,
            account=used.user_name if used else "",
        )
    finally:
        fleet.close()


def _node_ports(fleet: Fleet) -> tuple[Node, UpdateAgent]:
    """Give the ports of single nodes for the kind of endpoint that the fleet reaches."""
    if fleet.jea:
        from cauctl.psrp.jea.agent import JeaUpdateAgent  # noqa: PLC0415  only where nodes show functions of ours
        from cauctl.psrp.jea.node import JeaNode  # noqa: PLC0415  as above

        return JeaNode(fleet), JeaUpdateAgent(fleet)
    from cauctl.psrp.agent import PsrpUpdateAgent  # noqa: PLC0415  only where nodes show Windows' commands
    from cauctl.psrp.node import PsrpNode  # noqa: PLC0415  as above

    return PsrpNode(fleet), PsrpUpdateAgent(fleet)


def ways(
    name: str, connection: Connection | None, credential: PSCredential | None, ask: AskPassword | None
) -> tuple[tuple[NodeConnection, ...], Clock]:
    """Give the connections to a cluster's entry nodes and the clock of what is done there; :func:`connect` says how."""
    if connection is not None and not isinstance(connection, ConnectionChoice):
        return tuple(_as(each, credential) for each in _connections(connection)), SystemClock()
    choice = connection or ConnectionChoice()
    entry = _chosen_entry(name, choice)
    if entry is not None:
        return entry.connections(credential or entry.credential(ask=ask)), SystemClock()
    record = _lab(name)
    if record is None:
        raise InputError(
            f"no node of the cluster {name} is known",
            where="cluster_name",
            expected="an entry in clusters.toml, an entry node, or the name of a running lab",
        )
    return _lab_ways(record, credential, choice, ask), ScaledClock(record.epoch, record.started, record.scale)


def _connections(given: NodeConnection | Sequence[NodeConnection]) -> tuple[NodeConnection, ...]:
    if isinstance(given, NodeConnection):
        return (given,)
    found = tuple(given) if isinstance(given, Iterable) else (given,)
    if not found or not all(isinstance(each, NodeConnection) for each in found):
        raise InputError(
            f"{given!r} says no way to a node", where="connection", expected="a NodeConnection, or a list of some"
        )
    return found


def _as(connection: NodeConnection, credential: PSCredential | None) -> NodeConnection:
    return connection if credential is None else connection.evolve(credential=credential)


def _chosen_entry(name: str, choice: ConnectionChoice) -> ClusterEntry | None:
    """The cluster's entry with what was chosen for this call in its place; None when nothing names a node."""
    entry = ClustersFile.load().find(name)
    if entry is None:
        if not choice.entry_nodes:
            return None
        entry = ClusterEntry(name, nodes=())
    nodes = tuple({"node": node} for node in choice.entry_nodes) or entry.nodes
    return evolve(
        entry,
        nodes=nodes,
        user_name=choice.username or entry.user_name,
        options={**entry.options, **choice.options},
    )


def _lab(name: str) -> LabRecord | None:
    from cauctl.lab.record import find_lab  # noqa: PLC0415  only where no configuration names the cluster

    return find_lab(name)


def _lab_ways(
    record: LabRecord, credential: PSCredential | None, choice: ConnectionChoice, ask: AskPassword | None
) -> tuple[NodeConnection, ...]:
    if choice.port is not None:
        raise InputError(f"the lab {record.name} tells the port of each node", where="port", expected="no port")
    chosen = ClusterEntry(record.name, nodes=(), user_name=choice.username).credential(ask=ask)
    own = credential or chosen or PSCredential(record.user_name, record.password)
    return tuple(
        NodeConnection(
            each.name,
            **{
                "authentication": "basic",
                "ca_file": record.ca_file,
                "jea": record.jea,
                **choice.options,
                "address": each.address,
                "port": each.port,
                "certificate_name": each.name,
                "credential": own,
            },
        )
        for each in record.nodes
    )
