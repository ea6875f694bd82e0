"""``cauctl demo``: the main job on an embedded cluster, from scan to report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter as Option

from cauctl.cli.commands.run import print_result
from cauctl.cli.console import data_console, say
from cauctl.cli.output import print_table
from cauctl.cli.progress import RunProgress
from cauctl.errors import InputError
from cauctl.models.enums import OutputType
from cauctl.models.options import ScanOptions, UpdatingRunOptions

if TYPE_CHECKING:
    from cyclopts import App

    from cauctl.operations import RunOutcome, ScanResult
    from cauctl.reports.store import ReportStore

__all__ = ["register"]


def register(app: App) -> None:
    """Add the command."""
    app.command(demo, name="demo")


def demo(  # noqa: PLR0913  options of a command
    *,
    nodes: Annotated[int, Option(help="Number of nodes, 1 to 64.", show_default=True)] = 4,
    seed: Annotated[int, Option(help="Seed of everything that is left to chance.", show_default=True)] = 1,
    path: Annotated[Path, Option(help="Folder for the files that it leaves.", show_default=True)] = Path("cauctl-demo"),
    fault: Annotated[tuple[str, ...], Option(help="What goes wrong, as for cauctl lab; repeat it for more.")] = (),
    engine: Annotated[
        str, Option(help="What runs the nodes' pipelines: python, or pwsh, a real PowerShell 7.", show_default=True)
    ] = "python",
    pwsh: Annotated[
        Path | None, Option(help="PowerShell 7, where it is not pwsh on the path and CAUCTL_PWSH does not say it.")
    ] = None,
) -> int:
    """Start an embedded cluster, scan it, update it node by node, and write the reports. About half a minute.

    With --engine pwsh each node is a real PowerShell, and it takes some minutes.

    It leaves scan.xml, run.xml, report.html and report.csv in the folder, and nothing elsewhere.
    """
    from cauctl import operations  # noqa: PLC0415  all that a demo needs is loaded when one is started
    from cauctl.lab.faults import Fault  # noqa: PLC0415  as below
    from cauctl.lab.server import Lab  # noqa: PLC0415  as above
    from cauctl.reports.store import ReportStore  # noqa: PLC0415  as above

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be made: {error.strerror}", where="--path", expected="a folder that can be written"
        ) from error
    store = ReportStore(path / "state")
    faults = [Fault.parse(each) for each in fault]
    with Lab("DEMO-FC1", nodes=nodes, seed=seed, faults=faults, engine=engine, pwsh=pwsh) as lab:
        say(f"{lab.name}: {nodes} nodes on loopback, each with a real PowerShell remoting listener over HTTPS.", "bold")
        scan = operations.scan(ScanOptions.bind(cluster_name=lab.name))
        _show_scan(scan)
        with RunProgress() as progress:
            options = UpdatingRunOptions.bind(cluster_name=lab.name, force=True)
            outcome = operations.run(options, observer=progress, on_signal=say, store=store)
        ledger = lab.report().to_text()
    for notice in outcome.notices:
        say(notice, "yellow")
    print_result(outcome.report.cluster_result)
    data_console().print(ledger, highlight=False, markup=False)
    _write_files(path, scan, outcome, store)
    say(f"Written to {path}/: scan.xml, run.xml, report.html, report.csv", "bold")
    return outcome.exit_code


def _show_scan(scan: ScanResult) -> None:
    by_title: dict[str, list[str]] = {}
    for update in scan.updates:
        by_title.setdefault(update.update_title, []).append(update.node_name)
    print_table(
        f"{len(scan.updates)} updates are needed",
        ("UpdateTitle", "Nodes"),
        [(title, ", ".join(sorted(names))) for title, names in by_title.items()],
    )


def _write_files(path: Path, scan: ScanResult, outcome: RunOutcome, store: ReportStore) -> None:
    from cauctl import operations, psobject  # noqa: PLC0415  as above

    for name, records in (("scan.xml", scan.updates), ("run.xml", outcome.objects)):
        tree = psobject.convert_to_xml(list(records), depth=3)
        psobject.save_xml(tree, path / name)
    for name, form in (("report.html", OutputType.HTML), ("report.csv", OutputType.CSV)):
        operations.export_reports([outcome.report], format=form, path=path / name, force=True, store=store)
