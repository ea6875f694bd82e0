"""What can be done with a cluster: the one place that knows all parts and wires them.

``scan``, ``plan``, ``run``, ``status``, ``explain``, ``recover``, ``try_connections``, ``get_reports`` and
``export_reports`` serve the cmdlets and the command line alike; each takes validated options and returns plain values.
"""

from cauctl.coordinator.stop_switch import StopSwitch
from cauctl.operations.access import Access, Connection, ConnectionChoice, connect
from cauctl.operations.explain import explain
from cauctl.operations.going_on import go_on
from cauctl.operations.outcome import ClusterStatus, ExitCode, RunOutcome, ScanResult
from cauctl.operations.plan import load_plan, plan
from cauctl.operations.recover import Recovery, recover, status
from cauctl.operations.reports import FoundReports, export_reports, get_reports, remove_damaged_reports
from cauctl.operations.run import run, scan
from cauctl.operations.run_control import stop_run, watch_run
from cauctl.operations.trying import ConnectionTrial, NodeTrial, try_connections

__all__ = [
    "Access",
    "ClusterStatus",
    "Connection",
    "ConnectionChoice",
    "ConnectionTrial",
    "ExitCode",
    "FoundReports",
    "NodeTrial",
    "Recovery",
    "RunOutcome",
    "ScanResult",
    "StopSwitch",
    "connect",
    "explain",
    "export_reports",
    "get_reports",
    "go_on",
    "load_plan",
    "plan",
    "recover",
    "remove_damaged_reports",
    "run",
    "scan",
    "status",
    "stop_run",
    "try_connections",
    "watch_run",
]
