"""Search criteria: what IUpdateSearcher::Search accepts, and 0x80240032 for the rest."""

from __future__ import annotations

import pytest

from cauctl.lab.world import CUMULATIVE_UPDATE, STANDARD_CATALOGUE
from cauctl.lab.world.criteria import WindowsUpdateError, parse_criteria

FACTS = {
    "type": "software",
    "deploymentaction": "installation",
    "updateid": CUMULATIVE_UPDATE,
    "revisionnumber": 200,
    "categoryids": frozenset({"0fa1201d-4330-4fa8-8ae9-b877473b6441"}),
    "isassigned": 1,
    "browseonly": 0,
    "autoselectonwebsites": 1,
    "isinstalled": 0,
    "ishidden": 0,
    "ispresent": 0,
    "rebootrequired": 0,
}


@pytest.mark.parametrize(
    ("expected", "criteria"),
    [
        (True, "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"),
        (True, "( IsInstalled = 0 and IsHidden = 0 )"),
        (True, "isinstalled=0 AND TYPE='software'"),
        (False, "IsInstalled=1"),
        (True, "IsInstalled=1 or IsHidden=0"),
        (True, "(IsInstalled=1 and IsHidden=0) or (Type='Software')"),
        (False, "Type!='Software'"),
        (False, "Type='Driver'"),
        (True, f"UpdateID='{CUMULATIVE_UPDATE}' and RevisionNumber=200"),
        (False, f"UpdateID!='{CUMULATIVE_UPDATE}'"),
        (True, "CategoryIDs contains '0fa1201d-4330-4fa8-8ae9-b877473b6441'"),
        (False, "DeploymentAction='OptionalInstallation'"),
        (True, "RebootRequired=0 and BrowseOnly=0 and AutoSelectOnWebSites=1 and IsPresent=0"),
    ],
)
def test_criteria_are_met_or_not(*, expected: bool, criteria: str) -> None:
    assert parse_criteria(criteria)(FACTS) is expected


def test_a_group_without_deployment_action_means_installation() -> None:
    optional = FACTS | {"deploymentaction": "optionalinstallation"}
    assert not parse_criteria("IsInstalled=0")(optional)
    assert parse_criteria("IsInstalled=0 or DeploymentAction='OptionalInstallation'")(optional)


@pytest.mark.parametrize(
    "criteria",
    [
        "",
        "IsInstalled",
        "IsInstalled=2",
        "IsInstalled='0'",
        "IsInstalled!=0",
        "Type=Software",
        "Type='Firmware'",
        "IsInstalled=0 and (IsHidden=0 or IsAssigned=1)",
        "IsInstalled=0 and",
        "(IsInstalled=0",
        "IsInstalled=0)",
        "UpdateID='x'",
        "RevisionNumber=200",
        f"UpdateID!='{CUMULATIVE_UPDATE}' and RevisionNumber=200",
        "KBArticleIDs contains '5000000'",
        'Type="Software"',
        "Type='Software",
        "IsInstalled=0; IsHidden=0",
    ],
)
def test_what_windows_update_refuses_is_refused(criteria: str) -> None:
    with pytest.raises(WindowsUpdateError) as caught:
        parse_criteria(criteria)
    assert caught.value.hresult == 0x80240032


def test_the_standard_catalogue_has_what_a_lab_must_show() -> None:
    """At least 25 updates, among them a rollback, a failure, a licence, user input, an exclusive one and chains."""
    catalogue = STANDARD_CATALOGUE
    assert len(catalogue) >= 25
    assert len({each.update_id for each in catalogue}) == len(catalogue)
    assert all(any(test(each) for each in catalogue) for test in (
        lambda each: each.rolls_back,
        lambda each: each.fails_with,
        lambda each: each.eula,
        lambda each: each.user_input,
        lambda each: each.exclusive,
        lambda each: each.hidden,
        lambda each: each.update_type == "Driver",
        lambda each: each.requires,
        lambda each: each.superseded_by,
        lambda each: each.products == {"Hotpatch"} and not each.asks_for_restart,
    ))  # fmt: skip
    ids = {each.update_id for each in catalogue}
    assert all({*each.requires, *each.superseded_by} <= ids for each in catalogue)
