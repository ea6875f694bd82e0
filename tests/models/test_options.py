"""The parameters of the cmdlets: equal to Microsoft's reference, refused when wrong, never ignored."""

from __future__ import annotations

import json
import lzma
import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from cauctl.errors import InputError, UnsupportedParameterError
from cauctl.models import (
    CmdletOptions,
    ExportReportOptions,
    FailbackType,
    GetReportOptions,
    GetRunOptions,
    Parameter,
    PSCredential,
    ScanOptions,
    StopRunOptions,
    UpdatingRunOptions,
    parameters,
)
from cauctl.models.naming import pascal_case, snake_case

RECORDED = Path(__file__).parent.parent / "recorded" / "cau-cmdlets.json.xz"
REFERENCE = {each["name"]: each for each in json.loads(lzma.decompress(RECORDED.read_bytes()))}
CLASSES = (UpdatingRunOptions, GetRunOptions, StopRunOptions, ScanOptions, GetReportOptions, ExportReportOptions)
SERVED_BY_RUN = {
    "force_recovery",
    "clear_corrupt_reports",
    "cluster_name",
    "credential",
    "cau_plugin_name",
    "cau_plugin_arguments",
    "max_failed_nodes",
    "max_retries_per_node",
    "node_order",
    "require_all_nodes_online",
    "reboot_timeout_minutes",
    "failback_mode",
    "stop_after",
    "warn_after",
    "pre_update_script",
    "post_update_script",
    "configuration_name",
    "enable_firewall_rules",
    "suspend_node",
    "resume_node",
    "separate_reboots",
    "suspend_cluster_node_timeout_minutes",
    "suspend_retries_per_node",
    "wait_for_storage_repair_timeout_minutes",
    "site_aware_updating_order",
    "run_plugins_serially",
    "stop_on_plugin_failure",
    "attempt_soft_reboot",
    "reboot_mode",
    "force_pause_no_drain",
    "force_pause_and_drain",
    "force_pause_drain_and_reboot",
    "skip_update_checks",
    "force",
    "what_if",
    "confirm",
}
EXAMPLES: dict[str, Any] = {
    "System.Management.Automation.SwitchParameter": True,
    "System.Int32": 7,
    "System.String": "text.ps1",
    "System.String[]": ["one"],
    "System.TimeSpan": timedelta(hours=1),
    "Microsoft.ClusterAwareUpdating.RebootType": "FullReboot",
    "System.Management.Automation.PSCredential": PSCredential("u", "p"),
}
PAIRS = [(cls, each) for cls in CLASSES for each in REFERENCE[cls.CMDLET]["parameters"]]


def ours(cls: type[CmdletOptions], name: str) -> Parameter:
    return next(each for each in parameters(cls) if each.name == name)


def run(**given: Any) -> UpdatingRunOptions:
    return UpdatingRunOptions.bind(cluster_name="CONTOSO-FC1", **given)


def label(value: Any) -> str:
    return value.CMDLET if isinstance(value, type) else value["name"]


@pytest.mark.parametrize("cls", CLASSES, ids=label)
def test_no_parameter_is_missing_or_invented(cls: type[CmdletOptions]):
    assert {each["name"] for each in REFERENCE[cls.CMDLET]["parameters"]} == {each.name for each in parameters(cls)}
    assert REFERENCE[cls.CMDLET]["default_parameter_set"] == cls.DEFAULT_SET


@pytest.mark.parametrize(("cls", "fact"), PAIRS, ids=label)
def test_a_parameter_is_as_the_reference_has_it(cls: type[CmdletOptions], fact: dict[str, Any]):
    mine = ours(cls, fact["name"])
    assert (
        fact["type"],
        fact["position"],
        fact["mandatory"],
        tuple(fact["aliases"]),
        set(fact["parameter_sets"]),
        fact["first_version"],
    ) == (mine.type_name, mine.position, mine.mandatory, mine.aliases, set(mine.sets), mine.since)


@pytest.mark.parametrize(("cls", "fact"), PAIRS, ids=label)
def test_a_default_is_as_the_reference_has_it(cls: type[CmdletOptions], fact: dict[str, Any]):
    """A documented value is the default; where words describe the default, the table holds those words."""
    mine, documented = ours(cls, fact["name"]), fact["default"]
    value = mine.default[0] if mine.many and mine.default else mine.default
    if isinstance(documented, (bool, int)) or documented in {"Immediate", "Microsoft.WindowsUpdatePlugin"}:
        assert documented == (value.value if isinstance(value, Enum) else value)
    elif mine.name == "ConfigurationName":
        assert documented == value
    elif isinstance(documented, str):
        assert (documented, True) == (mine.default_text, value in {None, ()})
    else:
        assert value in {None, (), False}


@pytest.mark.parametrize(("cls", "fact"), PAIRS, ids=label)
def test_a_range_is_as_the_reference_has_it(cls: type[CmdletOptions], fact: dict[str, Any]):
    mine = ours(cls, fact["name"])
    if fact["range"]:
        low, high = map(int, re.findall(r"-?\d+", fact["range"]))
        assert mine.range is not None
        assert (low, high) == (mine.range.low, mine.range.high)
    if fact["accepted_values"]:
        assert ", ".join(fact["accepted_values"]) == mine.range_text


@pytest.mark.parametrize("cmdlet", REFERENCE)
def test_every_parameter_of_every_cmdlet_has_one_python_name(cmdlet: str):
    for each in REFERENCE[cmdlet]["parameters"]:
        assert each["name"] == pascal_case(snake_case(each["name"]))


def test_this_version_serves_what_it_says():
    assert SERVED_BY_RUN == {each.attribute for each in parameters(UpdatingRunOptions) if each.served}
    assert {"cluster_name", "credential", "cau_plugin_name", "cau_plugin_arguments"} == {
        each.attribute for each in parameters(ScanOptions) if each.served
    }
    assert {"credential"} == {each.attribute for each in parameters(GetReportOptions) if not each.served}
    assert all(each.served for each in parameters(ExportReportOptions))


UNSERVED = [
    (cls, each)
    for cls in (UpdatingRunOptions, GetRunOptions, ScanOptions)
    for each in parameters(cls)
    if not each.served
]


@pytest.mark.parametrize(("cls", "parameter"), UNSERVED, ids=lambda value: getattr(value, "name", None))
def test_what_is_not_served_is_refused_by_name(cls: type[CmdletOptions], parameter: Parameter):
    with pytest.raises(UnsupportedParameterError) as caught:
        cls.bind(cluster_name="C", **{parameter.attribute: EXAMPLES[parameter.type_name]})
    assert (parameter.attribute, cls.CMDLET) == (caught.value.parameter, caught.value.cmdlet)


def test_texts_and_single_values_are_bound_as_powershell_binds_them():
    expected = run(
        node_order=("NODE2",),
        failback_mode=FailbackType.NO_FAILBACK,
        cau_plugin_name=("Microsoft.WindowsUpdatePlugin",),
        cau_plugin_arguments=({"IncludeRecommendedUpdates": True},),
    )
    assert expected == run(
        node_order="NODE2",
        failback_mode="nofailback",
        cau_plugin_name="microsoft.windowsupdateplugin",
        cau_plugin_arguments={"IncludeRecommendedUpdates": True},
    )


def test_later_changes_of_a_callers_table_do_not_reach_the_options():
    table = {"QueryString": "IsInstalled=0"}
    options = run(cau_plugin_arguments=table)
    table["QueryString"] = "IsHidden=1"
    assert ({"QueryString": "IsInstalled=0"},) == options.cau_plugin_arguments


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({"max_failed_nodes": 65}, ["max_failed_nodes is 65, expected an int from -1 to 64 or nothing"]),
        ({"max_retries_per_node": -1}, ["max_retries_per_node is -1, expected an int from 0 to 64"]),
        ({"reboot_timeout_minutes": 361}, ["reboot_timeout_minutes is 361, expected an int from -1 to 360"]),
        (
            {"stop_after": timedelta()},
            ["stop_after is datetime.timedelta(0), expected a timedelta above zero or nothing"],
        ),
        ({"failback_mode": "Later"}, ["failback_mode is 'Later', expected NoFailback, Immediate, Policy"]),
        ({"node_order": ["NODE1", "node1"]}, ["node_order names 'node1' twice"]),
        ({"node_order": [""]}, ["node_order is ('',), expected a tuple, each item a str that is not blank"]),
        (
            {"warn_after": timedelta(hours=2), "stop_after": timedelta(hours=1)},
            ["warn_after (2:00:00) comes after stop_after (1:00:00)"],
        ),
        (
            {"pre_update_script": "check.cmd", "post_update_script": "x" * 300 + ".ps1"},
            ["pre_update_script is 'check.cmd', expected a str that ends in .ps1", "post_update_script is 'xxx"],
        ),
        ({"pre_update_script": "a\nb.ps1"}, ["pre_update_script is 'a\\nb.ps1', expected a str that ends in .ps1"]),
        (
            {"site_aware_updating_order": ["A", "a"], "reboot_timeout_minutes": 0},
            ["site_aware_updating_order names 'a' twice", "reboot_timeout_minutes is 0, in which no node restarts"],
        ),
        (
            {"force_pause_no_drain": True, "force_pause_and_drain": True},
            ["force_pause_no_drain contradicts force_pause_and_drain"],
        ),
        (
            {"reboot_mode": "PluginCustomReboot", "attempt_soft_reboot": True},
            ["reboot_mode is PluginCustomReboot, and no plug-in"],
        ),
        (
            {"reboot_mode": "FullReboot", "attempt_soft_reboot": True},
            ["attempt_soft_reboot contradicts reboot_mode FullReboot"],
        ),
        (
            {"resume_node": "NODE1", "force_pause_and_drain": True, "skip_update_checks": True},
            ["force_pause_and_drain, skip_update_checks would have no effect with resume_node"],
        ),
        ({"cau_plugin_name": "Fabrikam.Plugin"}, ["Microsoft.WindowsUpdatePlugin, the one that this version serves"]),
        ({"cau_plugin_arguments": [{}, {}]}, ["cau_plugin_arguments has 2 tables for 1 plug-ins"]),
        ({"require_all_nodes_online": "yes", "force": 1}, ["require_all_nodes_online is 'yes'", "force is 1"]),
    ],
)
def test_wrong_values_are_refused_all_at_once(given: dict[str, Any], sentences: list[str]):
    with pytest.raises(InputError) as caught:
        run(**given)
    assert [] == [sentence for sentence in sentences if sentence not in str(caught.value)]
    assert "ParameterArgumentValidationError" == caught.value.fully_qualified_error_id


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ()),
        ({"separate_reboots": True}, ("separate_reboots has no effect: there is a single plug-in.",)),
        (
            {"stop_on_plugin_failure": True, "run_plugins_serially": True},
            (
                "run_plugins_serially has no effect: there is a single plug-in.",
                "stop_on_plugin_failure has no effect: there is a single plug-in.",
            ),
        ),
        (
            {"attempt_soft_reboot": True},
            (
                (
                    "attempt_soft_reboot: this version has no restart without the firmware; nodes that need a restart "
                    "restart in full."
                ),
            ),
        ),
        (
            {"reboot_mode": "ClusProp"},
            ("reboot_mode ClusProp: the cluster's property is not asked; nodes that need a restart restart in full.",),
        ),
        ({"reboot_mode": "FullReboot"}, ()),
        ({"reboot_mode": "OrchestratorDefault"}, ()),
    ],
)
def test_what_has_no_effect_is_told(given: dict[str, Any], told: tuple[str, ...]):
    """Nothing is accepted and silently ignored."""
    assert told == run(**given).cautions


def test_a_missing_cluster_is_refused():
    with pytest.raises(InputError, match="cluster_name is nothing, expected a str that is not blank"):
        UpdatingRunOptions.bind()


def test_a_credential_of_another_kind_does_not_show_in_the_refusal():
    with pytest.raises(InputError) as caught:
        run(credential=("administrator", "hunter2"))
    assert "Invoke-CauRun: credential is of type tuple, expected a PSCredential or nothing." == str(caught.value)


def test_a_credential_does_not_show_in_the_options():
    assert "hunter2" not in repr(run(credential=PSCredential("administrator", "hunter2")))


def test_parameters_of_different_sets_are_refused_as_powershell_refuses_them():
    with pytest.raises(InputError, match="exclude each other: max_failed_nodes, force_recovery") as caught:
        run(force_recovery=True, max_failed_nodes=1)
    assert "AmbiguousParameterSet" == caught.value.fully_qualified_error_id
    with pytest.raises(InputError, match="exclude each other: start_date, last"):
        GetReportOptions.bind(last=True, start_date=datetime(2026, 1, 1, tzinfo=UTC))


def test_the_given_parameters_select_the_set():
    assert "DefaultParamSet" == run(max_failed_nodes=1).parameter_set
    assert "LastParamSet" == GetReportOptions.bind(cluster_name="C", last=True, detailed=True).parameter_set
    assert "AllParamsSet" == GetReportOptions.bind(cluster_name="C").parameter_set


def test_dates_must_know_their_zone_and_be_in_order():
    with pytest.raises(InputError, match="expected a datetime with a time zone or nothing"):
        GetReportOptions.bind(start_date=datetime(2026, 1, 1))  # noqa: DTZ001  a naive moment is what is refused
    with pytest.raises(InputError, match=r"end_date .* comes before start_date"):
        GetReportOptions.bind(start_date=datetime(2026, 1, 2, tzinfo=UTC), end_date=datetime(2026, 1, 1, tzinfo=UTC))


def test_minus_one_asks_for_the_default_time_of_a_restart():
    assert (timedelta(minutes=15), timedelta(minutes=5)) == (
        run(reboot_timeout_minutes=-1).reboot_timeout,
        run(reboot_timeout_minutes=5).reboot_timeout,
    )


def test_an_export_needs_reports_a_format_and_a_path():
    with pytest.raises(InputError) as caught:
        ExportReportOptions.bind()
    for name in ("input_report is empty", "format is nothing, expected Csv, Html", "path is nothing, expected a Path"):
        assert name in str(caught.value)


def test_each_parameter_says_what_it_does():
    for cls in CLASSES:
        for each in parameters(cls):
            assert each.help.endswith("."), each.name
