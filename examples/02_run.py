"""Update a cluster node by node and follow it as it goes.

Without an argument it starts an embedded cluster; with one it updates the cluster of that name, and asks first.
"""

import sys
from contextlib import ExitStack

import cmdlets as cau
from cauctl.lab import Lab


def follow(written: object) -> None:
    """Print each object that the run writes, when it writes it."""
    match written:
        case cau.NodeStatusNotification():
            print(f"{written.timestamp:%H:%M:%S}  {written.node.node_name:<12} {written.status}")
        case cau.UpdateInstallResult():
            print(f"          {written.node_name:<12} {written.update_result_code}: {written.update_title}")
        case _:
            pass


def ask(question: str) -> bool:
    """Ask on the terminal."""
    return input(f"{question} [y/N] ").strip().casefold() == "y"


def main(cluster_name: str | None = None) -> int:
    """Run, print the result of each node, and return 0 when all of them succeeded."""
    with ExitStack() as stack:
        confirm = ask
        if cluster_name is None:
            cluster_name = stack.enter_context(Lab("EXAMPLE-FC2", nodes=3)).name
            confirm = None
        written = cau.invoke_cau_run(
            cluster_name,
            max_failed_nodes=0,
            require_all_nodes_online=True,
            force=confirm is None,
            confirm=confirm,
            on_output=follow,
        )

    result = written[-1]
    for node in result.node_results:
        print(f"{node.node.node_name}: {node.status}, {node.number_of_succeeded_updates} updates")
    print(f"{result.name}: {result.status} in {result.run_duration}")
    return 0 if result.status is cau.SummaryStatus.SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
