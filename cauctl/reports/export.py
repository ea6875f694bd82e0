"""Writes reports into a file for people: HTML or CSV.

Rules kept here:

* The file appears whole or not at all. One that exists is replaced only when ``force`` says so.
* What the run's journal knows is shown where the journal lies beside the stored report; a journal that cannot be read
  costs that part only, and a notice says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import field, frozen

from cauctl.errors import InputError, StateError
from cauctl.models.enums import OutputType
from cauctl.models.run import RunHistory
from cauctl.reports.csv import csv_table
from cauctl.reports.files import give_name, write_durably
from cauctl.reports.html import html_page
from cauctl.reports.planned import foretold
from cauctl.reports.store import Shelf
from cauctl.reports.zones import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo
    from pathlib import Path

    from cauctl.models.options import ExportReportOptions
    from cauctl.models.report import CauReport
    from cauctl.reports.store import ReportStore

__all__ = ["Histories", "export_reports", "histories_of", "render"]


@frozen
class Histories:
    """What the journals of some runs tell."""

    by_run: Mapping[UUID, RunHistory] = field(factory=dict)
    """Histories by run id; a run whose journal is not known is missing."""
    notices: tuple[str, ...] = field(default=(), kw_only=True)
    """Why a journal that is there could not be used."""


def export_reports(options: ExportReportOptions, histories: Histories | None = None) -> Path:
    """Write the reports as the options say and give the file; with ``what_if`` only check that it could be written.

    Raises:
        InputError: the time zone is unknown, the file exists without ``force``, or it cannot be written.
    """
    zone = zone_named(options.time_zone)
    _refuse_existing(options.path, force=options.force)
    if not options.what_if:
        known = histories.by_run if histories is not None else {}
        text = render(options.input_report, options.format, zone=zone, histories=known)
        _write(options.path, text.encode("utf-8", "replace"), force=options.force)
    return options.path


def render(
    reports: Iterable[CauReport],
    kind: OutputType,
    *,
    zone: tzinfo | None = None,
    histories: Mapping[UUID, RunHistory] | None = None,
) -> str:
    """Give reports as the text of a file of that kind."""
    show = html_page if kind is OutputType.HTML else csv_table
    return show(reports, zone=zone, histories=histories)


def histories_of(reports: Iterable[CauReport], store: ReportStore, read: Callable[[Path], RunHistory]) -> Histories:
    """Read the journals that lie beside stored ``reports``; ``read`` raises StateError for a damaged one."""
    found: dict[UUID, RunHistory] = {}
    notices: list[str] = []
    shelves: dict[str, Shelf] = {}
    for report in reports:
        stored = store.find(report)
        if stored is None or stored.journal is None:
            continue
        result = report.cluster_result
        try:
            history = read(stored.journal)
        except StateError as error:
            notices.append(str(error))
            continue
        shelf = shelves.setdefault(result.name, store.shelf(result.name)) if history.plan else Shelf()
        found[result.run_id] = foretold(history, shelf.before(result.start_timestamp))
    return Histories(found, notices=tuple(notices))


def _refuse_existing(path: Path, *, force: bool) -> None:
    try:
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder.", where="path", expected="the name of a file")
        if not path.parent.is_dir():
            raise InputError(
                f"the folder {str(path.parent)!r} does not exist.", where="path", expected="an existing folder"
            )
        if path.exists() and not force:
            raise _taken(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _taken(path: Path) -> InputError:
    return InputError(
        f"{str(path)!r} exists already.", where="path", advice="Choose another name, or replace it by force."
    )


def _unwritable(path: Path, error: OSError | ValueError) -> InputError:
    """Say why nothing can be written there; a ValueError is a name that no file can have."""
    why = error.strerror if isinstance(error, OSError) else str(error)
    return InputError(f"{str(path)!r} cannot be written: {why}.", where="path")


def _write(path: Path, data: bytes, *, force: bool) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        write_durably(temporary, data, mode=0o666)
        if force:
            temporary.replace(path)
        else:
            give_name(temporary, path)
    except FileExistsError as error:
        raise _taken(path) from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
