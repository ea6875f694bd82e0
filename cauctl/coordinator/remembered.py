"""A run in few bytes: its state packed into text for the cluster's memory, and back.

What another coordinator can see for itself (the cluster, its storage) is left out, and so is what only reports show and
the cluster does not have to remember: descriptions of updates, addresses of articles. The rest is the machine's state
as it is, so that going on from a checkpoint is going on from a journal that ends there. Times are kept to the
millisecond, those of single updates to the second. Text is JSON, packed (zlib, base64).

A node's part is written anew only when the node has changed: a :class:`Packer` keeps what it wrote last.
"""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve
from cattrs import BaseValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.strategies import configure_tagged_union, include_subclasses

from cauctl.coordinator.actions import Action, Call
from cauctl.coordinator.codec import strict_converter
from cauctl.coordinator.sight import completed
from cauctl.coordinator.state import Installation, NodeWork, Pause, RunState, changed
from cauctl.errors import StateError
from cauctl.models.agent import FoundUpdate, OperationResultCode, UpdateKey, UpdateOutcome
from cauctl.models.nodes import NodeState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cattrs import Converter

    from cauctl.coordinator.events import RunRestored
    from cauctl.coordinator.state import NodeRecord

__all__ = ["LOST_DETAILS", "Packer", "restored", "unpack"]

LOST_DETAILS: Final = "descriptions and addresses of updates, and what was seen of storage before"
"""What a run that goes on from a checkpoint cannot know any more, for its report."""
_FORGOTTEN: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "facts": None,
        "storage": None,
        "came_up": {},
        "blind": False,
        "trouble": None,
        "lock": None,
        "nodes": {},
        "detached": False,
    }
)
_LISTED: Final[Mapping[str, Any]] = MappingProxyType(
    {"offered": {}, "skipped": {}, "updates": (), "staged": {}, "installed": {}}
)
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes that a packed state may have when it is unpacked: more is none of ours."""


class Packer:
    """Packs the states of one run."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[NodeWork, str]] = {}
        self._updates: dict[FoundUpdate, int] = {}
        self._updates_written: tuple[int, str] = 0, "[]"

    def __repr__(self) -> str:
        return f"<Packer of {len(self._written)} nodes>"

    def pack(self, state: RunState) -> str:
        """Give the state in short."""
        run = _json(_converter.unstructure(changed(state, **_FORGOTTEN)))
        nodes = ",".join(self._node(node) for node in state.nodes.values())
        if self._updates_written[0] != len(self._updates):
            text = _json([_converter.unstructure(update) for update in self._updates])
            self._updates_written = len(self._updates), text
        updates = self._updates_written[1]
        return base64.b64encode(zlib.compress(f"[{run},{updates},[{nodes}]]".encode(), 6)).decode("ascii")

    def _node(self, node: NodeWork) -> str:
        known = self._written.get(node.name)
        if known is not None and known[0] is node:
            return known[1]
        record, agent = node.record, node.agent
        if agent is not None and agent.found:
            agent = changed(agent, found=tuple(map(_bare, agent.found)))
        bare = changed(node, agent=agent, record=changed(record, **_LISTED))
        text = _json([_converter.unstructure(bare), self._lists(record)])
        self._written[node.name] = node, text
        return text

    def _lists(self, record: NodeRecord) -> list[list[Any]]:
        """Name the updates of a node by their place in the list of all, and what became of them in few digits."""
        place = {key: self._place(update) for key, update in (*record.offered.items(), *record.skipped.items())}
        return [
            [place[key] for key in record.offered],
            [place[key] for key in record.skipped],
            [place[update.key] for update in record.updates if update.key in place],
            [_outcome(place[key], outcome) for key, outcome in record.staged.items() if key in place],
            [_outcome(place[key], each.outcome) for key, each in record.installed.items() if key in place],
        ]

    def _place(self, update: FoundUpdate) -> int:
        return self._updates.setdefault(_bare(update), len(self._updates))


def unpack(text: str) -> RunState:
    """Give the state that was packed; StateError when the text is none of this version's."""
    try:
        content = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), _LARGEST)
        run, table, nodes = json.loads(content)
        state = _converter.structure(run, RunState)
        updates = [_converter.structure(update, FoundUpdate) for update in table]
        works = [_listed(_converter.structure(node, NodeWork), lists, updates) for node, lists in nodes]
    except (
        *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, zlib.error),
        *(BaseValidationError, ForbiddenExtraKeysError),
    ) as error:
        raise StateError(f"the checkpoint in the cluster cannot be read: {type(error).__name__}.") from error
    return changed(state, nodes={node.name: node for node in works})


def restored(event: RunRestored) -> RunState:
    """Give the state from which a run goes on: what was packed, and the cluster as it is now.

    Nobody knows what happened to the nodes meanwhile: all that are Up have only just come.
    """
    state = unpack(event.packed)
    up = {node.name: event.at for node in event.facts.nodes if node.state is NodeState.UP}
    return changed(state, facts=completed(event.facts, state.nodes), came_up=up, lock=event.lock)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bare(update: FoundUpdate) -> FoundUpdate:
    """Leave out what only reports show."""
    return evolve(update, description="", support_url="")


def _outcome(place: int, outcome: UpdateOutcome) -> list[int]:
    found = [place, outcome.result.value, int(outcome.at.timestamp()), int(outcome.reboot_required), outcome.hresult]
    return found if outcome.hresult else found[:4] if outcome.reboot_required else found[:3]


def _listed(node: NodeWork, lists: list[list[Any]], updates: list[FoundUpdate]) -> NodeWork:
    offered, skipped, chosen, staged, installed = lists
    done = [(updates[each[0]], _read_outcome(updates[each[0]].key, *each[1:])) for each in installed]
    record = changed(
        node.record,
        offered={updates[place].key: updates[place] for place in offered},
        skipped={updates[place].key: updates[place] for place in skipped},
        updates=tuple(updates[place] for place in chosen),
        staged={updates[each[0]].key: _read_outcome(updates[each[0]].key, *each[1:]) for each in staged},
        installed={update.key: Installation(update, outcome=outcome) for update, outcome in done},
    )
    return changed(node, record=record)


def _read_outcome(key: UpdateKey, result: int, at: int, reboot: int = 0, hresult: int = 0) -> UpdateOutcome:
    return UpdateOutcome(
        key,
        result=OperationResultCode(result),
        hresult=hresult,
        reboot_required=bool(reboot),
        at=datetime.fromtimestamp(at, UTC),
    )


def _make_converter() -> Converter:
    converter = strict_converter(omit_defaults=True, detailed=False)
    converter.register_unstructure_hook(datetime, lambda at: round(at.timestamp() * 1000))
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromtimestamp(value / 1000, UTC))
    converter.register_unstructure_hook(UpdateKey, lambda key: f"{key.update_id}/{key.revision}")
    converter.register_structure_hook(UpdateKey, _key)
    tagged = partial(configure_tagged_union, tag_name="do")
    include_subclasses(Action, converter, union_strategy=tagged)
    configure_tagged_union(Call | Pause, converter, tag_name="is")
    return converter


def _key(text: Any, _: type) -> UpdateKey:
    update_id, _slash, revision = text.rpartition("/")
    return UpdateKey(update_id, int(revision))


_converter = _make_converter()
