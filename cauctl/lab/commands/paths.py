"""Paths that a node's commands are given, with wildcards where they are meant.

``-LiteralPath`` is taken as it stands; ``-Path`` may hold ``*`` and ``?`` in its last part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cauctl.lab.commands.failures import path_not_found
from cauctl.lab.commands.scene import strings, texts_match
from cauctl.lab.world.files import normal_path, parent_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cauctl.lab.commands.scene import Scene
    from cauctl.lab.dispatch import BoundCall
    from cauctl.lab.world.files import Entry

__all__ = ["expand", "is_pattern", "paths_of"]


def paths_of(call: BoundCall) -> Iterator[tuple[str, bool]]:
    """Give each path of a call and whether it is literal."""
    literal = call.get("LiteralPath")
    if literal is not None:
        yield from ((path, True) for path in strings(literal))
    else:
        yield from ((path, False) for path in strings(call.get("Path")))


def is_pattern(path: str) -> bool:
    """Tell whether a path that is not literal means several."""
    return "*" in path or "?" in path


def expand(scene: Scene, call: BoundCall) -> Iterator[tuple[str, Entry]]:
    """Give each file or folder that a call means, with the path as it was written; a missing one is an error."""
    for path, literal in paths_of(call):
        if not literal and is_pattern(path):
            yield from _matching(scene, path)
            continue
        entry = scene.node.files.find(path)
        if entry is None:
            scene.context.error(path_not_found(path))
        else:
            yield path, entry


def _matching(scene: Scene, path: str) -> Iterator[tuple[str, Entry]]:
    normal = normal_path(path) or ""
    folder = scene.node.files.find(parent_path(normal))
    if folder is None or not folder.is_folder:
        return
    for entry in scene.node.files.children(folder.path):
        if texts_match([normal.rpartition("\\")[2]], entry.name):
            yield entry.path, entry
