"""The functions take every documented parameter by its name; nothing is accepted and ignored."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import cmdlets as cau
from cauctl.errors import ConfirmationRequiredError, InputError, UnsupportedParameterError
from cauctl.models import (
    CmdletOptions,
    ExportReportOptions,
    GetReportOptions,
    GetRunOptions,
    Parameter,
    ScanOptions,
    StopRunOptions,
    UpdatingRunOptions,
    parameters,
)

CMDLETS: list[tuple[Callable[..., Any], type[CmdletOptions], set[str]]] = [
    (cau.invoke_cau_run, UpdatingRunOptions, {"connection", "on_output", "on_progress"}),
    (cau.invoke_cau_scan, ScanOptions, {"connection", "on_output", "on_progress"}),
    (cau.get_cau_run, GetRunOptions, {"connection", "on_output"}),
    (cau.stop_cau_run, StopRunOptions, {"connection"}),
    (cau.get_cau_report, GetReportOptions, set()),
    (cau.export_cau_report, ExportReportOptions, set()),
]
EACH = pytest.mark.parametrize(
    ("cmdlet", "options", "extra"), CMDLETS, ids=lambda value: getattr(value, "__name__", "")
)
UNSERVED = [
    (cmdlet, each)
    for cmdlet, options, _ in CMDLETS
    for each in parameters(options)
    if not each.served and each.attribute != "credential"
]


@EACH
def test_a_function_takes_what_the_cmdlet_takes(
    cmdlet: Callable[..., Any], options: type[CmdletOptions], extra: set[str]
):
    taken = set(inspect.signature(cmdlet).parameters)
    assert {each.attribute for each in parameters(options)} | extra == taken


@EACH
def test_positions_are_powershells(cmdlet: Callable[..., Any], options: type[CmdletOptions], extra: set[str]):
    del extra
    documented = sorted(
        (each for each in parameters(options) if each.position is not None), key=lambda each: each.position or 0
    )
    positional = [
        name
        for name, each in inspect.signature(cmdlet).parameters.items()
        if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    assert [each.attribute for each in documented] == positional


@EACH
def test_defaults_are_those_of_the_table(cmdlet: Callable[..., Any], options: type[CmdletOptions], extra: set[str]):
    """Binding a function's own defaults is the same as giving nothing."""
    needed: dict[str, Any] = {"cluster_name": "C"} if options is not ExportReportOptions else {}
    defaults = {
        name: each.default
        for name, each in inspect.signature(cmdlet).parameters.items()
        if each.default is not inspect.Parameter.empty and name not in extra | {"confirm"}
    }
    if options is ExportReportOptions:
        table = {each.attribute: each.default for each in parameters(options)}
        assert {name: table[name] for name in defaults} == defaults
    else:
        assert options.bind(**needed) == options.bind(**defaults | needed)


@pytest.mark.parametrize("cmdlet", [cmdlet for cmdlet, _, _ in CMDLETS], ids=lambda cmdlet: cmdlet.__name__)
def test_each_parameter_is_documented(cmdlet: Callable[..., Any]):
    text = inspect.getdoc(cmdlet) or ""
    assert [] == [name for name in inspect.signature(cmdlet).parameters if f"\n    {name}: " not in text]


def example(parameter: Parameter) -> Any:
    if parameter.python_type is bool:
        return True
    if parameter.python_type is int:
        return 1
    if parameter.python_type is timedelta:
        return timedelta(hours=1)
    return "FullReboot" if parameter.name == "RebootMode" else "text.ps1"


@pytest.mark.parametrize(("cmdlet", "parameter"), UNSERVED, ids=lambda value: getattr(value, "name", ""))
def test_what_is_not_served_is_refused_by_name(cmdlet: Callable[..., Any], parameter: Parameter):
    with pytest.raises(UnsupportedParameterError) as caught:
        cmdlet("CONTOSO-FC1", **{parameter.attribute: example(parameter)})
    assert parameter.attribute == caught.value.parameter


def test_a_credential_for_reports_is_refused_since_they_lie_here():
    with pytest.raises(UnsupportedParameterError, match="parameter credential is not served"):
        cau.get_cau_report("C", credential=cau.PSCredential("u", "p"))


def test_a_run_must_be_confirmed():
    with pytest.raises(ConfirmationRequiredError) as caught:
        cau.invoke_cau_run("CONTOSO-FC1")
    assert (
        "Invoke-CauRun changes the nodes of CONTOSO-FC1 and was not confirmed. "
        "Give force=True, or confirm= a function that asks."
    ) == str(caught.value)
    assert "ConfirmationRequired" == caught.value.fully_qualified_error_id


def test_what_has_no_effect_is_warned_of_also_where_nothing_is_done():
    """The cluster is not known here; the warning comes before it is looked for."""
    with pytest.warns(cau.CauWarning, match="separate_reboots has no effect"), pytest.raises(InputError):
        cau.invoke_cau_run("NOBODY-KNOWS", separate_reboots=True, what_if=True)


def test_wrong_values_come_before_the_question():
    with pytest.raises(InputError, match="max_failed_nodes is 99"):
        cau.invoke_cau_run("CONTOSO-FC1", max_failed_nodes=99)


@pytest.mark.parametrize("answer", [True, "yes", 1])
def test_confirm_is_a_function_that_asks(answer: Any):
    with pytest.raises(InputError, match=r"confirm: .* cannot be asked; expected a function from the question"):
        cau.invoke_cau_run("CONTOSO-FC1", confirm=answer)


def test_a_summary_cannot_be_exported(tmp_path: Path):
    with pytest.raises(InputError, match="input_report is"):
        cau.export_cau_report("CauReport-20261122024530", "Html", tmp_path / "x.html")  # type: ignore[arg-type]
