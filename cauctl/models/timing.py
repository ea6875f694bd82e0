"""When each step of a node began and ended, by Microsoft's names."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from attrs import fields, frozen

from cauctl.models.naming import pascal_case
from cauctl.models.validation import check

__all__ = ["TimingBreakdown"]


@frozen(kw_only=True)
class TimingBreakdown:
    """When each step of a node began and ended; None: the step did not happen. Microsoft's names, in its order."""

    scan_start: datetime | None = None
    """The first scan began."""
    scan_end: datetime | None = None
    """The first scan ended."""
    stage_start: datetime | None = None
    """Downloading began."""
    stage_end: datetime | None = None
    """Downloading ended."""
    attempt_drain_start: datetime | None = None
    """The node's turn came; gates are asked from here on."""
    storage_repair_monitor_end: datetime | None = None
    """Storage was healthy."""
    drain_start: datetime | None = None
    """The node was told to pause and drain."""
    drain_end: datetime | None = None
    """No role was left on the node."""
    install_start: datetime | None = None
    """The first installation began."""
    reboot_start: datetime | None = None
    """The last restart was asked for."""
    reboot_end: datetime | None = None
    """The last restart was proved."""
    install_end: datetime | None = None
    """Nothing new was found any more."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def text(self) -> str:
        """What the property TimingBreakdownUTC prints: JSON of the steps that happened, dates in en-US, UTC."""
        steps = {
            pascal_case(attribute.name): _american(moment)
            for attribute in fields(type(self))
            if (moment := getattr(self, attribute.name)) is not None
        }
        return json.dumps(steps)


def _american(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc.month}/{utc.day}/{utc.year} {utc.hour % 12 or 12}:{utc:%M:%S} {'AM' if utc.hour < 12 else 'PM'}"  # noqa: PLR2004  noon
