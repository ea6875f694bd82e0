"""The arrows of the design: who may import whom, and which library has which home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEVELS = (
    ("cli",),
    ("operations",),
    ("psrp", "plugins", "reports", "lab"),
    ("coordinator",),
    ("ports",),
    ("policy", "psobject"),
    ("models",),
    ("errors",),
)
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
HOMES = {"pypsrp": "cauctl/psrp/", "lxml": "cauctl/psobject/", "psrpcore": "cauctl/lab/", "cyclopts": "cauctl/cli/"}
MODULES = sorted(path.relative_to(ROOT) for top in ("cauctl", "cmdlets") for path in (ROOT / top).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, wherever the statement stands."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield node.lineno, "." * node.level + module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def part(path: Path) -> str | None:
    """The part of cauctl that a module belongs to, None for ``cauctl/__init__.py`` and ``cmdlets``."""
    if path.parts[0] != "cauctl":
        return None
    name = path.parts[1].removesuffix(".py")
    return name if name in LEVEL_OF else None


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_down_the_list(path: Path):
    """A module imports its own part and parts of lower lines only; cauctl never imports cmdlets."""
    own = part(path)
    wrong = []
    for line, name in imports(path):
        pieces = name.split(".")
        if pieces[0] == "cmdlets" and path.parts[0] == "cauctl":
            wrong.append(f"{path}:{line} imports {name}")
        other = pieces[1] if pieces[0] == "cauctl" and len(pieces) > 1 else None
        if own and other in LEVEL_OF and other != own and LEVEL_OF[other] <= LEVEL_OF[own]:
            wrong.append(f"{path}:{line} imports {name}")
    assert [] == wrong


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_each_library_has_one_home(path: Path):
    """pypsrp, lxml, psrpcore and the command line's library are imported in one folder each."""
    wrong = [
        f"{path}:{line} imports {name}"
        for line, name in imports(path)
        if (home := HOMES.get(name.split(".")[0])) and not path.as_posix().startswith(home)
    ]
    assert [] == wrong


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_the_command_line_prints(path: Path):
    """Nothing but cauctl/cli calls print."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    calls = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert path.as_posix().startswith("cauctl/cli/") or [] == calls


def test_every_part_stands_in_the_list():
    """A new folder or module of cauctl must be given its place."""
    found = {path.parts[1].removesuffix(".py") for path in MODULES if path.parts[0] == "cauctl"}
    assert found - {"__init__", "__main__"} <= set(LEVEL_OF)
