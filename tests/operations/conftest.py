"""Labs for tests of the whole product: a real cluster over real PowerShell remoting, in this process, fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from cauctl.lab.faults import Fault
from cauctl.lab.server import Lab

StartLab = Callable[..., Lab]


@pytest.fixture
def start_lab() -> Iterator[StartLab]:
    """Start labs that end with the test: ``start_lab(nodes=3, faults=["drain-fails:NODE2"])``."""
    with ExitStack() as stack:

        def start(name: str = "T-FC1", *, faults: tuple[str, ...] = (), time_scale: float = 1500.0, **options) -> Lab:
            plan = [Fault.parse(each) for each in faults]
            return stack.enter_context(Lab(name, faults=plan, time_scale=time_scale, **options))

        yield start
