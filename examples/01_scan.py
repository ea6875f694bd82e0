"""Scan a cluster and print what it needs, as a table of our own and as ConvertTo-Xml prints it.

Without an argument it starts an embedded cluster; with one it scans the cluster of that name.
"""

import sys
from contextlib import ExitStack

import cmdlets as cau
from cauctl.lab import Lab


def main(cluster_name: str | None = None) -> None:
    """Scan, group by node, print."""
    with ExitStack() as stack:
        if cluster_name is None:
            cluster_name = stack.enter_context(Lab("EXAMPLE-FC1", nodes=3)).name
        updates = cau.invoke_cau_scan(cluster_name)

    for node in sorted({update.node_name for update in updates}):
        print(node)
        for update in updates:
            if update.node_name == node:
                print(f"  {update.update_title}")

    print(cau.convert_to_xml(updates[:1], as_="String"))


if __name__ == "__main__":
    main(*sys.argv[1:2])
