"""``import cmdlets`` costs next to nothing and gives functions, whichever way it is imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cmdlets as cau

ROOT = Path(__file__).parents[2]
FUNCTIONS = [name for name in cau.__all__ if name.islower()]


def python(program: str) -> str:
    """Run a program in a Python of its own and give what it printed."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_loads_nothing_heavy_and_starts_nothing():
    """No library, no thread and no socket at import; each costs only when something is used."""
    program = """
import sys, threading
def refuse(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(event)
sys.addaudithook(refuse)
import cmdlets
heavy = {"attr", "attrs", "lxml", "pypsrp", "requests", "jinja2", "rich", "pandas", "asyncio", "ssl"} & set(sys.modules)
print(sorted(heavy), threading.active_count())
"""
    assert "[] 1" == python(program)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_name_means_the_function_also_after_its_module_was_imported(name: str):
    program = f"""
from cmdlets.{name} import {name} as function
import cmdlets
import cmdlets.{name}
print(cmdlets.{name} is function, callable(cmdlets.{name}))
"""
    assert "True True" == python(program)


def test_every_name_is_there_and_no_other():
    assert sorted(cau.__all__) == dir(cau)
    assert all(getattr(cau, name).__name__ == name for name in cau.__all__)
    with pytest.raises(AttributeError, match="module 'cmdlets' has no attribute 'invoke_nothing'"):
        cau.invoke_nothing  # noqa: B018  looking is what fails


def test_type_checkers_see_what_programs_see():
    """The imports for type checkers name exactly what is given at run time."""
    tree = ast.parse(Path(cau.__file__ or "").read_text(encoding="utf-8"))
    seen = {
        alias.name
        for block in ast.walk(tree)
        if isinstance(block, ast.If)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(cau.__all__) == seen
