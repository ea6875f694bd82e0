"""``clusters.toml``: which nodes a cluster is reached by, how, and as whom.

Rules kept here:

* A fault is named with its line and key, all faults at once; nothing is ignored.
* A password never stands here: ``password_variable`` names the environment variable that holds it, else whoever asks is
  asked. A key that looks like a password, and a proxy with one in its URL, are refused.
* Relative paths count from the folder of the file.
* The file is ``clusters.toml`` in the user's configuration folder, or the one that ``CAUCTL_CONFIG`` names. A file that
  is not there names no clusters.

Use::

    entry = ClustersFile.load().find("CONTOSO-FC1")
    credential = entry.credential(ask=prompt_for)
    connections = entry.connections(credential)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import platformdirs
from attrs import field, frozen

from cauctl.errors import InputError
from cauctl.models.credential import PSCredential
from cauctl.psrp.cluster_keys import CLUSTER_KEYS, NODE_KEYS, Fault, read_keys
from cauctl.psrp.connection import NodeConnection
from cauctl.psrp.toml_lines import key_lines, parse_toml

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONFIG_VARIABLE", "PASSWORD_VARIABLE", "ClusterEntry", "ClustersFile", "clusters_path"]

CONFIG_VARIABLE: Final = "CAUCTL_CONFIG"
"""Environment variable that names another file."""
PASSWORD_VARIABLE: Final = "CAUCTL_PASSWORD"  # noqa: S105  the name of a variable
"""Environment variable that holds the password of an entry which names no other."""


@frozen
class ClusterEntry:
    """What the file says of one cluster."""

    name: str
    """The cluster's name."""
    nodes: tuple[Mapping[str, Any], ...] = field(kw_only=True)
    """Entry nodes in the order in which they are tried; each a node's name (``node``) and options of its own."""
    domain: str = field(default="", kw_only=True)
    """DNS domain that is appended to a node's name where it has no address."""
    user_name: str | None = field(default=None, kw_only=True)
    """Account on the nodes; None: the current user's Kerberos ticket."""
    password_variable: str = field(default=PASSWORD_VARIABLE, kw_only=True)
    """Environment variable that holds the password."""
    options: Mapping[str, Any] = field(factory=dict, kw_only=True)
    """Fields of :class:`~cauctl.psrp.connection.NodeConnection` that hold for every node."""

    def connections(self, credential: PSCredential | None = None) -> tuple[NodeConnection, ...]:
        """Give the connections to the entry nodes.

        Raises:
            InputError: the options do not fit together, or need a credential.
        """
        return tuple(self._connection(node, credential) for node in self.nodes)

    def credential(
        self, *, environ: Mapping[str, str] | None = None, ask: Callable[[str], PSCredential] | None = None
    ) -> PSCredential | None:
        """Give the credential of ``user_name``: its password from the environment, else from ``ask(user_name)``.

        Raises:
            InputError: neither knows a password.
        """
        if self.user_name is None:
            return None
        password = (os.environ if environ is None else environ).get(self.password_variable)
        if password is not None:
            return PSCredential(self.user_name, password)
        if ask is None:
            raise InputError(
                f"no password for {self.user_name} on the nodes of {self.name}",
                where="credential",
                expected=f"a PSCredential, or the password in the environment variable {self.password_variable}",
            )
        return ask(self.user_name)

    def _connection(self, node: Mapping[str, Any], credential: PSCredential | None) -> NodeConnection:
        name = node["node"]
        address = f"{name}.{self.domain}" if self.domain and "." not in name else name
        return NodeConnection(**{"address": address, **self.options, **node, "credential": credential})


@frozen
class ClustersFile:
    """The clusters of one file."""

    path: Path
    """Where it was read."""
    clusters: tuple[ClusterEntry, ...] = field(default=(), kw_only=True)
    """In the order of the file."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the user's file, or the one at ``path``.

        Raises:
            InputError: it cannot be read, or something in it is wrong.
        """
        path = path or clusters_path()
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return cls(path)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read: {error}.", where=str(path), expected="a TOML file in UTF-8") from error
        return cls.parse(text, path=path)

    @classmethod
    def parse(cls, text: str, *, path: Path) -> Self:
        """Read the text of a file; relative paths in it count from the folder of ``path``."""
        faults: list[Fault] = []
        clusters = tuple(_clusters(parse_toml(text, where=str(path)), path.parent, faults))
        if faults:
            raise _all_faults(faults, text, path)
        return cls(path, clusters=clusters)

    def find(self, name: str) -> ClusterEntry | None:
        """Find a cluster by its name, in any case, with or without its domain."""
        wanted = name.partition(".")[0].casefold()
        return next((entry for entry in self.clusters if entry.name.partition(".")[0].casefold() == wanted), None)


def clusters_path(environ: Mapping[str, str] | None = None) -> Path:
    """Say where the user's file is, whether it exists or not."""
    named = (os.environ if environ is None else environ).get(CONFIG_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("cauctl", appauthor=False) / "clusters.toml"


def _clusters(document: Mapping[str, Any], folder: Path, faults: list[Fault]) -> list[ClusterEntry]:
    tables = document.get("clusters", {})
    faults += [
        Fault((key,), "is no key of this file", "clusters and defaults")
        for key in document
        if key not in {"clusters", "defaults"}
    ]
    defaults = _table(document.get("defaults", {}), ("defaults",), faults)
    common = read_keys(defaults, CLUSTER_KEYS, path=("defaults",), folder=folder, faults=faults)
    faults += [Fault(("defaults", "nodes"), "cannot be common to clusters", "a list in each cluster")] * (
        "nodes" in defaults
    )
    entries = []
    for name, table in _table(tables, ("clusters",), faults).items():
        path = ("clusters", name)
        own = read_keys(_table(table, path, faults), CLUSTER_KEYS, path=path, folder=folder, faults=faults)
        entries.append(_entry(name, {**common, **own}, path, folder, faults))
    return entries


def _entry(name: str, values: dict[str, Any], path: tuple[str, ...], folder: Path, faults: list[Fault]) -> ClusterEntry:
    nodes = [
        {"node": node}
        if isinstance(node, str)
        else read_keys(node, NODE_KEYS, path=(*path, "nodes", str(number)), folder=folder, faults=faults)
        for number, node in enumerate(values.pop("nodes", ()), 1)
    ]
    faults += [
        Fault((*path, "nodes", str(number)), "has no name", 'name = "N1"')
        for number, node in enumerate(nodes, 1)
        if "node" not in node
    ]
    if not nodes:
        faults.append(Fault(path, "names no nodes", 'nodes = ["N1", "N2"]'))
    own = {key: values.pop(key) for key in ("domain", "user_name", "password_variable") if key in values}
    entry = ClusterEntry(name, nodes=tuple(nodes), options=values, **own)
    if not faults:
        faults += _fitting_faults(entry, path)
    return entry


def _fitting_faults(entry: ClusterEntry, path: tuple[str, ...]) -> list[Fault]:
    """Try the connections, so that what does not fit together is found when the file is read."""
    try:
        entry.connections(PSCredential(entry.user_name or "anyone", ""))
    except InputError as error:
        return [Fault(path, error.message)]
    return []


def _table(value: Any, path: tuple[str, ...], faults: list[Fault]) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    faults.append(Fault(path, "is no table", f"[{'.'.join(path)}]"))
    return {}


def _all_faults(faults: list[Fault], text: str, path: Path) -> InputError:
    lines = key_lines(text)
    placed = sorted(((_line(fault.path, lines), fault) for fault in faults), key=lambda pair: pair[0])
    first, rest = placed[0], placed[1:]
    message = "; ".join([str(first[1]), *(f"line {line}: {fault}" for line, fault in rest)])
    return InputError(f"{message}.", where=str(path), line=first[0])


def _line(path: tuple[str, ...], lines: Mapping[tuple[str, ...], int]) -> int:
    """Give the line of the deepest part of ``path`` that has one."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 1)
