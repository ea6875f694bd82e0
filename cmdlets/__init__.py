r"""The CAU cmdlets as Python functions: ``import cmdlets as cau``.

Each cmdlet is the function of its name in snake_case, with PowerShell's parameters in snake_case::

    import cmdlets as cau

    updates = cau.invoke_cau_scan("CONTOSO-FC1", credential=cau.PSCredential("CONTOSO\admin", password))
    print(cau.convert_to_xml(updates, as_="String"))

What a cmdlet writes is returned as a list (:class:`CauOutput`); it works when called, not when iterated. Nothing is
loaded before it is used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cauctl.errors import CauError
    from cauctl.models.credential import PSCredential
    from cauctl.models.enums import FailbackType, NodeStatus, OutputType, ResultCode, RunState, SummaryStatus
    from cauctl.models.failure import ErrorRecordData
    from cauctl.models.report import CauReport, CauReportSummary
    from cauctl.models.results import CauNode, ClusterResult, NodeResult
    from cauctl.models.run import CauRun, NodeStatusNotification
    from cauctl.models.updates import UpdateInfo, UpdateInstallResult, UpdateStagingResult
    from cauctl.psrp.connection import NodeConnection
    from cmdlets.convert_from_clixml import convert_from_clixml
    from cmdlets.convert_from_csv import convert_from_csv
    from cmdlets.convert_to_clixml import convert_to_clixml
    from cmdlets.convert_to_csv import convert_to_csv
    from cmdlets.convert_to_xml import convert_to_xml
    from cmdlets.export_cau_report import export_cau_report
    from cmdlets.export_clixml import export_clixml
    from cmdlets.export_csv import export_csv
    from cmdlets.get_cau_report import get_cau_report
    from cmdlets.get_cau_run import get_cau_run
    from cmdlets.import_clixml import import_clixml
    from cmdlets.import_csv import import_csv
    from cmdlets.invoke_cau_run import invoke_cau_run
    from cmdlets.invoke_cau_scan import invoke_cau_scan
    from cmdlets.output import CauOutput, CauWarning
    from cmdlets.stop_cau_run import stop_cau_run

__all__ = [
    "CauError",
    "CauNode",
    "CauOutput",
    "CauReport",
    "CauReportSummary",
    "CauRun",
    "CauWarning",
    "ClusterResult",
    "ErrorRecordData",
    "FailbackType",
    "NodeConnection",
    "NodeResult",
    "NodeStatus",
    "NodeStatusNotification",
    "OutputType",
    "PSCredential",
    "ResultCode",
    "RunState",
    "SummaryStatus",
    "UpdateInfo",
    "UpdateInstallResult",
    "UpdateStagingResult",
    "convert_from_clixml",
    "convert_from_csv",
    "convert_to_clixml",
    "convert_to_csv",
    "convert_to_xml",
    "export_cau_report",
    "export_clixml",
    "export_csv",
    "get_cau_report",
    "get_cau_run",
    "import_clixml",
    "import_csv",
    "invoke_cau_run",
    "invoke_cau_scan",
    "stop_cau_run",
]

_HOMES: Final = {
    "CauError": "cauctl.errors",
    "CauNode": "cauctl.models.results",
    "CauOutput": "cmdlets.output",
    "CauReport": "cauctl.models.report",
    "CauReportSummary": "cauctl.models.report",
    "CauRun": "cauctl.models.run",
    "CauWarning": "cmdlets.output",
    "ClusterResult": "cauctl.models.results",
    "ErrorRecordData": "cauctl.models.failure",
    "FailbackType": "cauctl.models.enums",
    "NodeConnection": "cauctl.psrp.connection",
    "NodeResult": "cauctl.models.results",
    "NodeStatus": "cauctl.models.enums",
    "NodeStatusNotification": "cauctl.models.run",
    "OutputType": "cauctl.models.enums",
    "PSCredential": "cauctl.models.credential",
    "ResultCode": "cauctl.models.enums",
    "RunState": "cauctl.models.enums",
    "SummaryStatus": "cauctl.models.enums",
    "UpdateInfo": "cauctl.models.updates",
    "UpdateInstallResult": "cauctl.models.updates",
    "UpdateStagingResult": "cauctl.models.updates",
    "convert_from_clixml": "cmdlets.convert_from_clixml",
    "convert_from_csv": "cmdlets.convert_from_csv",
    "convert_to_clixml": "cmdlets.convert_to_clixml",
    "convert_to_csv": "cmdlets.convert_to_csv",
    "convert_to_xml": "cmdlets.convert_to_xml",
    "export_cau_report": "cmdlets.export_cau_report",
    "export_clixml": "cmdlets.export_clixml",
    "export_csv": "cmdlets.export_csv",
    "get_cau_report": "cmdlets.get_cau_report",
    "get_cau_run": "cmdlets.get_cau_run",
    "import_clixml": "cmdlets.import_clixml",
    "import_csv": "cmdlets.import_csv",
    "invoke_cau_run": "cmdlets.invoke_cau_run",
    "invoke_cau_scan": "cmdlets.invoke_cau_scan",
    "stop_cau_run": "cmdlets.stop_cau_run",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """A package in which a cmdlet's name always means its function.

    A cmdlet's module has the function's name; importing the module by itself would put it in the function's place.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
