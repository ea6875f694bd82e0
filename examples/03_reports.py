"""List the reports of a cluster, show the last one, and export it as HTML and CSV.

Without an argument it starts an embedded cluster and updates it first, so that there is a report.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import cmdlets as cau
from cauctl.lab import Lab


def main(cluster_name: str | None = None) -> None:
    """Summaries, then the last report in detail, then the exported files."""
    with ExitStack() as stack:
        if cluster_name is None:
            cluster_name = stack.enter_context(Lab("EXAMPLE-FC3", nodes=3)).name
            cau.invoke_cau_run(cluster_name, force=True)

        for summary in cau.get_cau_report(cluster_name):
            print(f"{summary.start_timestamp:%Y-%m-%d %H:%M}  {summary.status}  {summary.count_of_succeeded_results}")

        (report,) = cau.get_cau_report(cluster_name, last=True, detailed=True)

    for node in report.cluster_result.node_results:
        for installed in node.install_results:
            print(f"{node.node.node_name}: {installed.update_result_code}: {installed.update_title}")

    folder = Path(mkdtemp(prefix="cauctl-reports-"))
    cau.export_cau_report(report, format="Html", path=folder / "report.html")
    cau.export_cau_report(report, format="Csv", path=folder / "report.csv", time_zone="Europe/Berlin")
    print(folder)


if __name__ == "__main__":
    main(*sys.argv[1:2])
