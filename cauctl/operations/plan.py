"""The plan of a run: made by looking, kept as a file, compared with an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from cauctl.coordinator.plan_document import read_plan
from cauctl.coordinator.planning import plan_from_scan
from cauctl.coordinator.settings import Purpose, update_settings
from cauctl.errors import InputError
from cauctl.operations.access import connect
from cauctl.operations.run import ports_of, scanned, with_scripts
from cauctl.reports.store import ReportStore

if TYPE_CHECKING:
    from cauctl.coordinator.plan import Plan
    from cauctl.models.options import UpdatingRunOptions
    from cauctl.operations.access import AskPassword, Connection
    from cauctl.ports import Observer

__all__ = ["load_plan", "plan"]


def plan(
    options: UpdatingRunOptions,
    *,
    connection: Connection | None = None,
    ask_password: AskPassword | None = None,
    observer: Observer | None = None,
    store: ReportStore | None = None,
) -> Plan:
    """Say what a run with these options would do, without touching anything.

    Args:
        options: Invoke-CauRun's parameters.
        connection: how to reach the nodes; see :mod:`cauctl.operations.access`.
        ask_password: asked for a credential when no variable holds the password.
        observer: sees every event of the scan.
        store: where reports of earlier runs are, which foretell durations; None: the user's state folder.

    Raises:
        InputError, ClusterError, TransportError: as :func:`cauctl.operations.scan`.
    """
    settings = update_settings(options)
    earlier = (store or ReportStore()).shelf(options.cluster_name).reports
    with connect(
        options.cluster_name, connection=connection, credential=options.credential, ask_password=ask_password
    ) as access:
        settings = with_scripts(access, options, settings)
        state = scanned(access, evolve(settings, purpose=Purpose.SCAN), [] if observer is None else [observer])
        found = plan_from_scan(ports_of(access), state, settings, [stored.report for stored in earlier])
    return _of_one(found, settings.target) if settings.purpose.one_node else found


def _of_one(found: Plan, node: str) -> Plan:
    """Keep the step of one node, without updates: what its gates say, and the votes while it is out."""
    steps = (evolve(step, updates=(), restart_expected=False) for step in found.steps)
    return evolve(found, steps=tuple(step for step in steps if step.node.casefold() == node.casefold()))


def load_plan(path: str | Path) -> Plan:
    """Read a plan that was saved as JSON.

    Raises:
        InputError: the file cannot be read or is no plan; the message says where.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise InputError(f"the plan cannot be read: {why}.", where=str(path)) from error
    return read_plan(text, source=str(path))
