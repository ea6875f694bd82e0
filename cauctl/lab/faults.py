"""Faults that a lab can be told to have: they change the world or the wire, and no product code knows them.

A fault is written ``kind[:node][,name=value]…``::

    drain-fails                       on a node that the seed chooses
    drain-fails:NODE2                 on NODE2
    drain-fails:*                     on every node
    scan-error:NODE1,hresult=0x8024402C
    connection-cut:NODE3,after=45,lasts=120
    install-fails:NODE2,times=1       only the first time
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, Self

from attrs import evolve, field, frozen

from cauctl.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["EVERY_NODE", "Fault", "FaultKind", "FaultPlan"]

EVERY_NODE: Final = "*"


class FaultKind(Enum):
    """What can go wrong."""

    DRAIN_FAILS = "drain-fails"
    """A role cannot leave the node: its drain ends Failed."""
    RESTART_HANGS = "restart-hangs"
    """The node goes down for a restart and does not come back."""
    SCAN_ERROR = "scan-error"
    """The search for updates ends with an HRESULT."""
    CONNECTION_CUT = "connection-cut"
    """The connections to the node break while it installs, and nobody answers there for a while."""
    INSTALL_FAILS = "install-fails"
    """An update that asks for a restart (else the first one) fails to install, with an HRESULT."""
    UPDATE_ROLLS_BACK = "update-rolls-back"
    """The restart undoes the updates that asked for it; they are offered again."""
    WITNESS_OFFLINE = "witness-offline"
    """The witness is offline from the beginning."""
    STORAGE_STAYS_DEGRADED = "storage-stays-degraded"
    """After the node was out, the repair of the virtual disks never ends."""


_HRESULTS: Final = {
    FaultKind.SCAN_ERROR: 0x8024402C,
    FaultKind.INSTALL_FAILS: 0x80070643,
    FaultKind.UPDATE_ROLLS_BACK: 0x80242016,
}
_CLUSTER_WIDE: Final = frozenset({FaultKind.WITNESS_OFFLINE})


@frozen
class Fault:
    """One fault."""

    kind: FaultKind
    """What goes wrong."""
    node: str | None = field(default=None, kw_only=True)
    """Node that has it; ``*`` for every node; None: the seed chooses one."""
    times: int | None = field(default=None, kw_only=True)
    """How many times it happens on a node; None: each time."""
    hresult: int = field(default=0, kw_only=True)
    """Code of a scan-error or install-fails, unsigned 32 bits."""
    after: timedelta = field(default=timedelta(seconds=30), kw_only=True)
    """For connection-cut: how long after an installation began."""
    lasts: timedelta = field(default=timedelta(seconds=90), kw_only=True)
    """For connection-cut: for how long nobody answers."""

    def __attrs_post_init__(self) -> None:
        if not self.hresult and self.kind in _HRESULTS:
            object.__setattr__(self, "hresult", _HRESULTS[self.kind])

    def __str__(self) -> str:
        """Give the text that :meth:`parse` reads back."""
        plain = Fault(self.kind, node=self.node)
        options = {
            "times": self.times,
            "hresult": f"0x{self.hresult:08X}" if self.hresult != plain.hresult else None,
            "after": self.after.total_seconds() if self.after != plain.after else None,
            "lasts": self.lasts.total_seconds() if self.lasts != plain.lasts else None,
        }
        where = f":{self.node}" if self.node else ""
        shown = "".join(f",{name}={value}" for name, value in options.items() if value is not None)
        return f"{self.kind.value}{where}{shown}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``kind[:node][,name=value]…``; InputError names what would be accepted."""
        head, *options = text.strip().split(",")
        kind_text, _, node = head.partition(":")
        given: dict[str, object] = {}
        for option in options:
            name, sign, value = option.partition("=")
            read = _OPTIONS.get(name.strip().lower())
            if read is None or not sign:
                raise InputError(f"no such option of a fault: {option!a}", where=text, expected=", ".join(_OPTIONS))
            given[name.strip().lower()] = _read(read, value.strip(), text)
        return cls(_kind(kind_text.strip().lower(), text), node=node.strip() or None, **given)  # type: ignore[arg-type]


def _kind(name: str, text: str) -> FaultKind:
    try:
        return FaultKind(name)
    except ValueError:
        kinds = ", ".join(kind.value for kind in FaultKind)
        raise InputError(f"no such fault: {name!a}", where=text, expected=f"one of {kinds}") from None


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=float(text))


def _code(text: str) -> int:
    code = int(text, 0) & 0xFFFF_FFFF
    if not code:
        raise ValueError(text)
    return code


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


_OPTIONS: Final[dict[str, Callable[[str], object]]] = {
    "times": _count,
    "hresult": _code,
    "after": _seconds,
    "lasts": _seconds,
}
_EXPECTED: Final[dict[Callable[[str], object], str]] = {
    _count: "a whole number from 1",
    _code: "a code such as 0x80070643",
    _seconds: "seconds",
}


def _read(reader: Callable[[str], object], value: str, text: str) -> object:
    try:
        return reader(value)
    except (ValueError, OverflowError):
        raise InputError(f"cannot be read: {value!a}", where=text, expected=_EXPECTED[reader]) from None


class FaultPlan:
    """The faults of one world: which node has which, and how often still."""

    def __init__(self, faults: Iterable[Fault], nodes: Iterable[str], choose: Callable[[str], str]) -> None:
        """Settle every fault on nodes; ``choose`` gives the node of a fault that names none."""
        names = {node.casefold(): node for node in nodes}
        self._left: dict[tuple[FaultKind, str], Fault] = {}
        for fault in faults:
            for node in _places(fault, names, choose):
                self._left[fault.kind, node] = fault

    def __repr__(self) -> str:
        return f"<FaultPlan {', '.join(f'{kind.value}:{node}' for kind, node in self._left) or 'nothing'}>"

    def __iter__(self) -> Iterator[tuple[FaultKind, str]]:
        return iter(self._left)

    def arm(self, fault: Fault, node: str) -> None:
        """Let a node have a fault from now on."""
        self._left[fault.kind, node] = fault

    def planned(self, kind: FaultKind, node: str = "") -> Fault | None:
        """Give the fault that the node (or the cluster) has, without using it up."""
        return self._left.get((kind, node))

    def strike(self, kind: FaultKind, node: str = "") -> Fault | None:
        """Give the fault that happens now, None when there is none or not any more."""
        fault = self._left.get((kind, node))
        if fault is not None and fault.times is not None:
            if fault.times > 1:
                self._left[kind, node] = evolve(fault, times=fault.times - 1)
            else:
                del self._left[kind, node]
        return fault


def _places(fault: Fault, names: dict[str, str], choose: Callable[[str], str]) -> list[str]:
    if fault.kind in _CLUSTER_WIDE:
        return [""]
    if fault.node == EVERY_NODE:
        return list(names.values())
    if fault.node is None:
        return [choose(fault.kind.value)]
    if fault.node.casefold() not in names:
        raise InputError("the lab has no such node", where=str(fault), expected=f"one of {', '.join(names.values())}")
    return [names[fault.node.casefold()]]
