"""Export-CauReport: reports as a page to read or as a table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cauctl.models.options import ExportReportOptions
from cmdlets.confirmation import can_ask
from cmdlets.output import CauOutput, CauWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo
    from os import PathLike

    from cauctl.models.enums import OutputType
    from cauctl.models.report import CauReport

__all__ = ["export_cau_report"]


def export_cau_report(  # noqa: PLR0913  Export-CauReport has these parameters
    input_report: CauReport | Iterable[CauReport],
    format: OutputType | str,  # noqa: A002  Microsoft's name
    path: str | PathLike[str],
    *,
    pass_thru: bool = False,
    force: bool = False,
    time_zone: tzinfo | str | None = None,
    what_if: bool = False,
    confirm: Callable[[str], bool] | None = None,
) -> CauOutput[CauReport]:
    """Write reports into a file; return them only with ``pass_thru``.

    What the journal of a run knows (builds, restarts, waits, placement, timeline) is shown where it lies beside the
    report on this computer.

    Args:
        input_report: whole reports, as ``get_cau_report(detailed=True)`` returns them.
        format: ``Html`` or ``Csv``.
        path: file to write; one that exists is refused unless ``force``.
        pass_thru: return the reports as well.
        force: replace the file when it exists.
        time_zone: zone of the printed times: an IANA name, a Windows name or a tzinfo; without it this computer's.
        what_if: check everything, and write nothing.
        confirm: asked with what is about to be written; its False ends the call.

    Raises:
        InputError: a parameter is wrong, the file exists, or it cannot be written.
    """
    given = {name: value for name, value in locals().items() if name != "confirm"}

    from cauctl import operations  # noqa: PLC0415  the connections are loaded when they are used

    options = ExportReportOptions.bind(**given, confirm=can_ask(confirm))
    if confirm is not None and not confirm(f"Write {len(options.input_report)} report(s) to {options.path}?"):
        return CauOutput()
    notices = operations.export_reports(
        options.input_report,
        format=options.format,
        path=options.path,
        force=options.force,
        time_zone=options.time_zone,
        what_if=options.what_if,
    )
    for notice in notices:
        warnings.warn(notice, CauWarning, stacklevel=2)
    return CauOutput(options.input_report if options.pass_thru else (), notices=notices)
