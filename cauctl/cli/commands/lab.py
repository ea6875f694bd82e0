"""``cauctl lab``: an embedded failover cluster as a process of its own."""

from __future__ import annotations

import signal
import tempfile
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter as Option

from cauctl.cli.console import data_console, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from cyclopts import App

    from cauctl.lab.lock import EndpointLock

__all__ = ["register"]


def register(app: App) -> None:
    """Add the command."""
    app.command(lab, name="lab")


def lab(  # noqa: PLR0913  options of a command
    *,
    name: Annotated[str, Option(help="Name of the cluster.", show_default=True)] = "LAB-FC1",
    nodes: Annotated[int, Option(help="Number of nodes, 1 to 64.", show_default=True)] = 4,
    seed: Annotated[int, Option(help="Seed of everything that is left to chance.", show_default=True)] = 1,
    time_scale: Annotated[
        float | None,
        Option(help="How many times as fast as real time its clock runs: 600, with real PowerShell 60."),
    ] = None,
    port: Annotated[int, Option(help="TCP port of the first node; 0: free ones.", show_default=True)] = 0,
    fault: Annotated[
        tuple[str, ...],
        Option(
            help="What goes wrong, as kind[:node]: drain-fails, restart-hangs, scan-error, connection-cut, "
            "install-fails, update-rolls-back, witness-offline, storage-stays-degraded. Repeat it for more.",
            negative="",
        ),
    ] = (),
    jea: Annotated[
        bool, Option(help="Nodes show nothing but the functions of the module that cauctl jea export writes.")
    ] = False,
    engine: Annotated[
        str, Option(help="What runs the nodes' pipelines: python, or pwsh, a real PowerShell 7.", show_default=True)
    ] = "python",
    pwsh: Annotated[
        Path | None, Option(help="PowerShell 7, where it is not pwsh on the path and CAUCTL_PWSH does not say it.")
    ] = None,
) -> int:
    """Start a failover cluster that speaks PowerShell remoting over HTTPS on loopback, until Ctrl-C.

    Other terminals of the same user reach it by its name. At the end it prints its availability ledger.
    """
    from cauctl.lab.faults import Fault  # noqa: PLC0415  as below
    from cauctl.lab.server import Lab  # noqa: PLC0415  the simulator is loaded only when one is started
    from cauctl.operations.outcome import ExitCode  # noqa: PLC0415  beside its only use

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with (
            _lock(engine) if jea else nullcontext() as lock,
            Lab(
                name,
                nodes=nodes,
                seed=seed,
                time_scale=time_scale,
                port=port,
                faults=[Fault.parse(each) for each in fault],
                lock=lock,
                engine=engine,
                pwsh=pwsh,
            ) as cluster,
        ):
            names = ", ".join(cluster.endpoints)
            say(f"{cluster.name} is up: {names}; its clock runs {cluster.time_scale:g} times as fast.")
            say(f"Try: cauctl scan {cluster.name}", "bold")
            say("Ctrl-C ends it.", "dim")
            ended.wait()
            ledger = cluster.report()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    data_console().print(ledger.to_text(), highlight=False, markup=False)
    return ExitCode.SUCCEEDED


@contextmanager
def _lock(engine: str) -> Iterator[EndpointLock]:
    """Give the lock of nodes with our functions alone; a real PowerShell gets the module as it is exported."""
    from cauctl.lab.jea import jea_lock  # noqa: PLC0415  beside its only use

    if engine != "pwsh":
        yield jea_lock()
        return
    from cauctl.psrp.jea.export import export_endpoint  # noqa: PLC0415  as above

    with tempfile.TemporaryDirectory(prefix="cauctl-jea-") as folder:
        written = export_endpoint(Path(folder, "export"))
        yield jea_lock(next(path for path in written if path.suffix == ".psd1"))
