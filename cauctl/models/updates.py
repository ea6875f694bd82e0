"""Updates as CAU tells of them: found on a node, staged there, installed there.

Timestamps are aware. Error codes are signed 32-bit numbers, as .NET holds them; :mod:`cauctl.models.hresult` names them
for people.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Self

from attrs import field, frozen

from cauctl.models.dotnet import DotNetProperty, DotNetType, describe
from cauctl.models.enums import ResultCode
from cauctl.models.validation import Int32, Name, check

__all__ = ["WINDOWS_UPDATE_PLUGIN", "UpdateInfo", "UpdateInfoBase", "UpdateInstallResult", "UpdateStagingResult"]

WINDOWS_UPDATE_PLUGIN: Final = "Microsoft.WindowsUpdatePlugin"
"""The plug-in that CAU uses when none is named."""

_STRING: Final = "System.String"
_BASE: Final = "Microsoft.ClusterAwareUpdating.UpdateInfoBase"
_BASES: Final = (_BASE, "System.Object")

# In the order in which a picture of a real run prints them.
_BASE_PROPERTIES: Final = (
    DotNetProperty("NodeName", attribute="node_name", declared=_STRING),
    DotNetProperty("UpdateId", attribute="update_id", declared=_STRING),
    DotNetProperty("UpdateTitle", attribute="update_title", declared=_STRING),
    DotNetProperty("UpdateDescription", attribute="update_description", declared=_STRING),
    DotNetProperty("SourcePlugin", attribute="source_plugin", declared=_STRING),
)
_RESULT_CODE: Final = DotNetProperty(
    "UpdateResultCode", attribute="update_result_code", declared="Microsoft.ClusterAwareUpdating.ResultCode"
)
_ERROR_CODE: Final = DotNetProperty("ErrorCode", attribute="error_code", declared="System.Int32")
_TIMESTAMP: Final = DotNetProperty(
    "UpdateTimestamp", attribute="update_timestamp", declared="System.DateTime", inferred=True
)

_KB: Final = re.compile(r"\bKB\s?(\d{6,8})\b", re.IGNORECASE)
_SEVERITY: Final = re.compile(r"^\s*Severity:[ \t]*(\S[^\r\n]*?)\s*$", re.MULTILINE)


@describe(DotNetType(_BASE, properties=_BASE_PROPERTIES))
@frozen
class UpdateInfoBase:
    """What every object about an update tells."""

    node_name: Name
    """Node where the update was found, staged or installed."""
    update_id: Name = field(kw_only=True)
    """Unique id of the update in its plug-in: a GUID for Windows Update."""
    update_title: str = field(kw_only=True)
    """Title, in the node's language."""
    update_description: str | None = field(default=None, kw_only=True)
    """Description, in the node's language; its last lines are written by CAU (size, support address, severity)."""
    source_plugin: str | None = field(default=WINDOWS_UPDATE_PLUGIN, kw_only=True)
    """Plug-in that reported the update."""

    def __attrs_post_init__(self) -> None:
        check(self)

    @property
    def kb_article(self) -> str | None:
        """Article named in the title, such as ``KB5031364``; None without one."""
        found = _KB.search(self.update_title)
        return f"KB{found[1]}" if found else None

    @property
    def severity(self) -> str | None:
        """Severity named in the description, such as ``Critical``; None without one."""
        found = _SEVERITY.search(self.update_description or "")
        return found[1] if found else None


@describe(DotNetType("Microsoft.ClusterAwareUpdating.UpdateInfo", properties=_BASE_PROPERTIES, bases=_BASES))
@frozen
class UpdateInfo(UpdateInfoBase):
    """An update that applies to a node; Invoke-CauScan writes one for each update and node."""


@describe(
    DotNetType(
        "Microsoft.ClusterAwareUpdating.UpdateStagingResult",
        properties=(
            DotNetProperty(
                "UpdateResultCode", attribute="update_result_code", declared=_RESULT_CODE.declared, inferred=True
            ),
            DotNetProperty("ErrorCode", attribute="error_code", declared=_ERROR_CODE.declared, inferred=True),
            _TIMESTAMP,
            *_BASE_PROPERTIES,
        ),
        bases=_BASES,
        inferred=True,
    )
)
@frozen
class UpdateStagingResult(UpdateInfoBase):
    """What became of one update when it was downloaded to a node."""

    update_result_code: ResultCode = field(kw_only=True)
    """How it ended."""
    error_code: Int32 = field(default=0, kw_only=True)
    """HRESULT as a signed number; 0 without an error."""
    update_timestamp: datetime = field(kw_only=True)
    """When it ended."""

    @classmethod
    def of(cls, update: UpdateInfoBase, code: ResultCode, *, error_code: int = 0, at: datetime) -> Self:
        """Make the result of staging ``update``."""
        return cls(
            update.node_name,
            update_id=update.update_id,
            update_title=update.update_title,
            update_description=update.update_description,
            source_plugin=update.source_plugin,
            update_result_code=code,
            error_code=error_code,
            update_timestamp=at,
        )


@describe(
    DotNetType(
        "Microsoft.ClusterAwareUpdating.UpdateInstallResult",
        properties=(
            _RESULT_CODE,
            _ERROR_CODE,
            DotNetProperty("RebootRequired", attribute="reboot_required", declared="System.Boolean", inferred=True),
            DotNetProperty("LongRebootHint", attribute="long_reboot_hint", declared="System.Boolean", inferred=True),
            _TIMESTAMP,
            *_BASE_PROPERTIES,
        ),
        bases=_BASES,
        inferred=True,
    )
)
@frozen
class UpdateInstallResult(UpdateInfoBase):
    """What became of one update when it was installed on a node."""

    update_result_code: ResultCode = field(kw_only=True)
    """How it ended."""
    error_code: Int32 = field(default=0, kw_only=True)
    """HRESULT as a signed number; 0 without an error."""
    reboot_required: bool = field(default=False, kw_only=True)
    """True when this update asked for a restart."""
    long_reboot_hint: bool = field(default=False, kw_only=True)
    """True when the restart may take long: a service pack or more than 100 MB."""
    update_timestamp: datetime = field(kw_only=True)
    """When it ended."""

    @classmethod
    def of(  # noqa: PLR0913  the arguments are those of .NET's constructor
        cls,
        update: UpdateInfoBase,
        code: ResultCode,
        *,
        error_code: int = 0,
        reboot_required: bool = False,
        long_reboot_hint: bool = False,
        at: datetime,
    ) -> Self:
        """Make the result of installing ``update``."""
        return cls(
            update.node_name,
            update_id=update.update_id,
            update_title=update.update_title,
            update_description=update.update_description,
            source_plugin=update.source_plugin,
            update_result_code=code,
            error_code=error_code,
            reboot_required=reboot_required,
            long_reboot_hint=long_reboot_hint,
            update_timestamp=at,
        )
