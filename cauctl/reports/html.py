"""Reports as one self-contained HTML page: no script, no address, no font from elsewhere; every text escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from cauctl.reports.page import run_page
from cauctl.reports.zones import zone_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo
    from uuid import UUID

    from cauctl.models.report import CauReport
    from cauctl.models.run import RunHistory

__all__ = ["html_page"]


def html_page(
    reports: Iterable[CauReport], *, zone: tzinfo | None = None, histories: Mapping[UUID, RunHistory] | None = None
) -> str:
    """Render reports as a page; ``histories`` by run id adds what the runs' journals know."""
    known = histories or {}
    pages = [run_page(report, known.get(report.cluster_result.run_id), zone) for report in reports]
    return _template().render(pages=pages, zone=zone_text(zone))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("cauctl.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
