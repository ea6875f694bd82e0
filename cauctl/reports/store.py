"""Keeps the reports of finished runs as files, and finds them again.

Rules kept here:

* A report is the file ``CauReport-yyyyMMddHHmmss.xml`` in its cluster's folder, named after the moment (UTC) at which
  the run ended; a second that is taken moves the name to the next free one. No report is ever replaced.
* A report appears whole or not at all: it is written beside, forced to the disk, and then given its name.
* Its journal lies beside it under the same name, ending in ``.jsonl``.
* A damaged file is told apart with its reason and never hides the others.

::

    store = ReportStore()
    path = store.save(report)
    shelf = store.shelf("CONTOSO-FC1", start_date=last_week)
    for stored in shelf.reports:
        ...
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from cauctl.errors import InputError, StateError
from cauctl.models.report import CauReport, CauReportSummary
from cauctl.models.schemas import schema
from cauctl.psobject.documents import Schema, parse, serialize
from cauctl.reports.codec import from_element, to_element
from cauctl.reports.files import give_name, sync_folder, write_durably
from cauctl.reports.folders import cluster_folder, private_folder, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["ReportStore", "Shelf", "StoredReport", "read_report", "write_report"]

NAMESPACE: Final = "urn:cauctl:cau-report:1"
_SCHEMA_NAME: Final = "cau-report.xsd"
_NAME: Final = re.compile(r"CauReport-\d{14}")
_TAKEN: Final = 3600
"""How many seconds in a row may be taken before we stop looking for a free one."""

_schemas: dict[str, Schema] = {}


@frozen
class StoredReport:
    """A report and where it lies."""

    path: Path
    """Its file."""
    report: CauReport = field(kw_only=True)
    """The report."""

    @property
    def report_id(self) -> str:
        """Name of the report, ``CauReport-yyyyMMddHHmmss``."""
        return self.path.stem

    @property
    def summary(self) -> CauReportSummary:
        """The report in one line."""
        return CauReportSummary.of(self.report, report_id=self.report_id)

    @property
    def journal(self) -> Path | None:
        """The journal of the run, when it lies beside the report."""
        path = self.path.with_suffix(".jsonl")
        return path if path.is_file() else None


@frozen
class Shelf:
    """What was found: the readable reports, oldest first, and why the others cannot be read."""

    reports: tuple[StoredReport, ...] = ()
    """Reports in the order of their names, which is the order in which the runs ended."""
    damaged: tuple[StateError, ...] = field(default=(), kw_only=True)
    """One error for each file that is no report; each names its file."""

    @property
    def summaries(self) -> tuple[CauReportSummary, ...]:
        """The reports in one line each."""
        return tuple(stored.summary for stored in self.reports)

    def before(self, moment: datetime) -> tuple[CauReport, ...]:
        """Give the reports of runs that began before a moment, oldest first."""
        return tuple(each.report for each in self.reports if each.report.cluster_result.start_timestamp < moment)

    @property
    def last(self) -> StoredReport | None:
        """The newest readable report."""
        return self.reports[-1] if self.reports else None


class ReportStore:
    """The reports below one state folder. Several processes may use one folder at a time.

    Args:
        root: the state folder; None: the user's (``CAUCTL_STATE`` or the platform's).
    """

    def __init__(self, root: Path | None = None) -> None:
        self._given = root

    def __repr__(self) -> str:
        return f"ReportStore({str(self.root)!r})"

    @cached_property
    def root(self) -> Path:
        """The state folder."""
        return self._given or state_folder()

    def folder(self, cluster: str) -> Path:
        """Make and name the folder of a cluster's reports, mode 0700."""
        return private_folder(cluster_folder(self.root, cluster))

    def save(self, report: CauReport, *, journal: Path | None = None) -> Path:
        """Store a report and give its file; ``journal`` is moved beside it.

        Raises:
            StateError: the folder or the file cannot be written.
        """
        folder, data = self.folder(report.cluster_result.name), write_report(report)
        temporary = folder / f".{secrets.token_hex(8)}.tmp"
        try:
            write_durably(temporary, data)
            path = _publish(temporary, _names(folder, report))
            if journal is not None:
                journal.replace(path.with_suffix(".jsonl"))
            sync_folder(folder)
        except OSError as error:
            raise StateError(f"the report cannot be stored: {error.strerror}.", path=str(folder)) from error
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def journals(self, cluster: str) -> tuple[Path, ...]:
        """Find the journals of a cluster's runs, ended or not, the one that was written last at the end."""
        found = cluster_folder(self.root, cluster).glob("*.jsonl")
        return tuple(sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name)))

    def shelf(
        self, cluster: str | None = None, *, start_date: datetime | None = None, end_date: datetime | None = None
    ) -> Shelf:
        """Read a cluster's reports (None: all clusters') of runs that began in ``[start_date, end_date)``."""
        reports, damaged = [], []
        for path in self._files(cluster):
            try:
                stored = _load(path)
            except StateError as error:
                damaged.append(error)
                continue
            if _within(stored.report, start_date, end_date):
                reports.append(stored)
        return Shelf(tuple(reports), damaged=tuple(damaged))

    def summaries(
        self, cluster: str | None = None, *, start_date: datetime | None = None, end_date: datetime | None = None
    ) -> tuple[CauReportSummary, ...]:
        """Summarise the readable reports; :meth:`shelf` tells of damaged ones too."""
        return self.shelf(cluster, start_date=start_date, end_date=end_date).summaries

    def last(self, cluster: str | None = None) -> StoredReport | None:
        """Find the newest readable report without reading the older ones."""
        for path in reversed(self._files(cluster)):
            try:
                return _load(path)
            except StateError:
                continue
        return None

    def load(self, summary: CauReportSummary) -> StoredReport:
        """Read the report that a summary summarises.

        Raises:
            StateError: its file is damaged.
            InputError: there is no such report here.
        """
        if summary.report_id is not None and _NAME.fullmatch(summary.report_id):
            path = cluster_folder(self.root, summary.cluster_name) / f"{summary.report_id}.xml"
            if path.is_file():
                return _load(path)
        shelf = self.shelf(summary.cluster_name)
        found = (
            stored
            for stored in shelf.reports
            if stored.report.cluster_result.start_timestamp == summary.start_timestamp
        )
        return _one(next(found, None), summary)

    def find(self, report: CauReport) -> StoredReport | None:
        """Find the stored form of a report by its run; None when it is not here."""
        run_id = report.cluster_result.run_id
        for path in _names(cluster_folder(self.root, report.cluster_result.name), report):
            if not path.is_file():
                return None
            try:
                stored = _load(path)
            except StateError:
                continue
            if stored.report.cluster_result.run_id == run_id:
                return stored
        return None

    def _files(self, cluster: str | None) -> list[Path]:
        pattern = cluster_folder(self.root, cluster).name if cluster is not None else "*"
        root = self.root / "reports"
        folders = [root / pattern] if cluster is not None else sorted(root.glob(pattern))
        files = (path for folder in folders for path in folder.glob("CauReport-*.xml") if _NAME.fullmatch(path.stem))
        return sorted(files, key=lambda path: (path.stem, str(path.parent)))


def write_report(report: CauReport) -> bytes:
    """Write a report as the XML document that ``cau-report.xsd`` describes."""
    return serialize(to_element(report), namespace=NAMESPACE)


def read_report(data: bytes, *, source: str) -> CauReport:
    """Read a report.

    Raises:
        InputError: the document is damaged or of another kind; it says where.
    """
    if _SCHEMA_NAME not in _schemas:
        _schemas[_SCHEMA_NAME] = Schema(schema(_SCHEMA_NAME), _SCHEMA_NAME)
    element = parse(data, source=source, schema=_schemas[_SCHEMA_NAME])
    try:
        return from_element(CauReport, element)
    except (ValueError, OverflowError) as error:
        raise InputError("a value is out of range.", where=source) from error


def _load(path: Path) -> StoredReport:
    try:
        return StoredReport(path, report=read_report(path.read_bytes(), source=path.name))
    except InputError as error:
        raise StateError(
            f"the report is damaged: {error.message}", path=str(path), advice="Move the file away; it is not used."
        ) from error
    except OSError as error:
        raise StateError(f"the report cannot be read: {error.strerror}.", path=str(path)) from error


def _one(found: StoredReport | None, summary: CauReportSummary) -> StoredReport:
    if found is None:
        raise InputError(
            f"there is no report of the run of {summary.cluster_name} that began at {summary.start_timestamp}.",
            where="report",
            expected="a summary that get_cau_report gave on this computer",
        )
    return found


def _within(report: CauReport, start: datetime | None, end: datetime | None) -> bool:
    began = report.cluster_result.start_timestamp
    return (start is None or began >= start) and (end is None or began < end)


def _names(folder: Path, report: CauReport) -> Iterator[Path]:
    """Give the file names that a report may have, the one of its own second first."""
    result = report.cluster_result
    ended = (result.start_timestamp + result.run_duration).astimezone(UTC)
    for seconds in range(_TAKEN):
        stamp = re.sub(
            r"\D", "", (ended + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(timespec="seconds")
        )
        yield folder / f"CauReport-{stamp}.xml"


def _publish(temporary: Path, names: Iterator[Path]) -> Path:
    """Give the written file the first free name, without ever replacing a report."""
    for path in names:
        try:
            give_name(temporary, path)
        except FileExistsError:
            continue
        return path
    raise StateError("no free name was found for the report.", path=str(temporary.parent))
